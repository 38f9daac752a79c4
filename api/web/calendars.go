package web

import (
	"net/url"
	"strconv"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/form"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/policy"
)

type calendarsPage struct {
	Calendars []client.Calendar
	Patterns  []incentive.Pattern
	Holidays  []client.Holiday
	Year      int
	MayChange bool
	Failed    string // the form that was refused
}

// calendars shows the calendars and the holidays of a year.
func (v *visit) calendars() error {
	if !v.is(incentive.Finance, incentive.Administrator, incentive.Auditor) {
		return v.forbidden()
	}
	body := calendarsPage{Patterns: incentive.Patterns, Year: time.Now().Year(), MayChange: v.may(incentive.ImportStructure) > incentive.None, Failed: v.failed("form")}
	if year, err := strconv.Atoi(v.r.URL.Query().Get("year")); err == nil {
		body.Year = min(max(year, 1970), 2200)
	}
	list, err := client.Read[client.Calendars](v.api.ListCalendars(v.r.Context()))
	if err != nil {
		return err
	}
	body.Calendars = list.Calendars
	holidays, err := client.Read[client.Holidays](v.api.ListHolidays(v.r.Context(), &client.ListHolidaysParams{Year: body.Year}))
	if err != nil {
		return err
	}
	body.Holidays = holidays.Holidays
	return v.show("calendars", "calendars.title", body)
}

// changeCalendars takes one of the forms of the calendars' page.
func (v *visit) changeCalendars() error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	here := local(v.r.URL.RequestURI())
	switch v.r.PostFormValue("form") {
	case "periods":
		request := client.PatternRequest{Pattern: client.PatternRequestPattern(v.r.PostFormValue("pattern"))}
		var err error
		if request.Count, err = strconv.Atoi(v.r.PostFormValue("count")); err != nil {
			err = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("calendars.count.wrong"))
		}
		if text := v.r.PostFormValue("starts_on"); text != "" && err == nil {
			var from incentive.Date
			from, err = incentive.ParseDate(text)
			request.StartsOn = &from
		}
		var done client.Entered
		if err == nil {
			done, err = command[client.Entered](v.api.MakePeriods(v.r.Context(), v.r.PostFormValue("calendar"), &client.MakePeriodsParams{IdempotencyKey: v.key()}, request))
		}
		return v.done(err, here, message{Key: "done.periods", With: map[string]any{"count": done.Added}}, (*visit).calendars)
	case "holiday":
		_, err := v.enter("holiday", v.fields("date", "name"))
		if year := v.r.PostFormValue("date"); err == nil {
			here = "/calendars?year=" + url.QueryEscape(year[:4])
		}
		return v.done(err, here, message{Key: "done.recorded"}, (*visit).calendars)
	case "remove":
		day, err := incentive.ParseDate(v.r.PostFormValue("date"))
		if err == nil {
			_, err = command[client.Holiday](v.api.RemoveHoliday(v.r.Context(), openapi_types.Date{Time: day.UTC()}, &client.RemoveHolidayParams{IdempotencyKey: v.key()}))
		}
		return v.done(err, here, message{Key: "done.recorded"}, (*visit).calendars)
	}
	return v.nowhere()
}

type policyPage struct {
	Calendar string
	Version  int
	filledIn
	MayChange bool
}

// policy shows what a calendar goes by.
func (v *visit) policy() error {
	if !v.is(incentive.Finance, incentive.Administrator, incentive.Auditor) {
		return v.forbidden()
	}
	p, err := client.Read[client.Policy](v.api.GetPolicy(v.r.Context(), v.r.PathValue("calendar")))
	if err != nil {
		return err
	}
	written, unkept := p.Document, false
	if given := v.r.PostFormValue("document"); given != "" {
		written, unkept = given, true
	}
	_, wrong := policy.Parse([]byte(written))
	return v.show("policy", "policy.title", policyPage{p.Calendar, p.Version, v.texts.inForm(written, v.policyForm(nil), unkept, problems(wrong)), v.may(incentive.ImportStructure) > incentive.None}, "calendar", p.Calendar)
}

// policyForm is how a policy is filled in here.
func (v *visit) policyForm([]byte) form.Shape { return policy.Form(v.railNames()) }

// putPolicy keeps another version of what a calendar goes by, or shows what was filled in.
func (v *visit) putPolicy() error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	if v.r.PostFormValue("form") == "fill" {
		filled, keep, err := v.fill(v.policyForm)
		if err != nil {
			v.problem = err
			return v.policy()
		}
		v.r.PostForm.Set("document", filled)
		if _, wrong := policy.Parse([]byte(filled)); !keep || wrong != nil {
			return v.policy()
		}
	}
	p, err := command[client.Policy](v.api.PutPolicy(v.r.Context(), v.r.PathValue("calendar"), &client.PutPolicyParams{IdempotencyKey: v.key()}, client.PolicyRequest{Document: v.r.PostForm.Get("document")}))
	return v.done(err, v.r.URL.Path, message{Key: "done.policy", With: map[string]any{"version": p.Version}}, (*visit).policy)
}

type quotasPage struct {
	Quotas    []client.Quota
	Table     table
	MayChange bool
	Dates     []string // ways in which days of a file may be written
}

// quotas lists quotas by person and interval.
func (v *visit) quotas() error {
	if v.may(incentive.ReadRecords) == incentive.None {
		return v.forbidden()
	}
	body := quotasPage{Dates: quotaDates, MayChange: v.may(incentive.ImportData) > incentive.None}
	var err error
	body.Quotas, body.Table, err = listed(v, listing[client.Quota]{
		name: "quotas", search: "table.search-person",
		columns: []column[client.Quota]{
			{head: "column.person", sort: "name", value: func(q client.Quota) any { return q.Name }},
			{head: "column.id", file: true, value: func(q client.Quota) any { return q.Person }},
			{head: "quotas.measure", sort: "measure", value: func(q client.Quota) any { return q.Measure }},
			{head: "column.from-day", sort: "starts", value: func(q client.Quota) any { return q.StartsOn }},
			{head: "column.to-day", sort: "ends", value: func(q client.Quota) any { return q.EndsOn }},
			{head: "column.quota", sort: "amount", class: "amount", value: func(q client.Quota) any { return language.Numeral(q.Amount) }},
		},
		read: func(of wanted) ([]client.Quota, *string, error) {
			list, err := client.Read[client.Quotas](v.api.ListQuotas(v.r.Context(), &client.ListQuotasParams{
				After:   of.after,
				Search:  of.search,
				Sort:    of.sort,
				Limit:   of.limit,
				Person:  v.asked("person"),
				Measure: v.asked("measure"),
			}))
			return list.Quotas, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("quotas", "quotas.title", body)
}

// enterQuota enters a quota as a form has it.
func (v *visit) enterQuota() error {
	fields := v.fields("participant_id", "measure", "starts_on", "ends_on", "amount")
	amount, err := v.decimal(fields["amount"], 0)
	if err != nil {
		return err
	}
	fields["amount"] = text(amount)
	_, err = v.enter("quota", fields)
	return err
}

// setQuota sets one quota.
func (v *visit) setQuota() error {
	return v.done(v.enterQuota(), "/quotas", message{Key: "done.recorded"}, (*visit).quotas)
}
