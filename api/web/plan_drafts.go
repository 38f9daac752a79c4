package web

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/plan"
)

type draftsPage struct {
	Drafts  []client.PlanDraft
	Table   table
	Gallery []client.GalleryPlan
	Called  map[string]string
}

// drafts lists the drafts of plans, and begins one.
func (v *visit) drafts() error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	list, err := client.Read[client.PlanDrafts](v.api.ListPlanDrafts(v.r.Context()))
	if err != nil {
		return err
	}
	gallery, err := client.Read[client.Gallery](v.api.ListPlanGallery(v.r.Context()))
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body := draftsPage{Gallery: gallery.Plans, Called: called}
	body.Drafts, body.Table, err = listed(v, listing[client.PlanDraft]{
		name: "plan-drafts", path: "/plan-drafts", whole: true,
		columns: []column[client.PlanDraft]{
			{head: "column.plan", sort: "plan", value: func(d client.PlanDraft) any { return d.Plan }},
			{head: "drafts.kept", sort: "saved", value: func(d client.PlanDraft) any { return d.SavedAt }},
			{head: "drafts.authors", value: func(d client.PlanDraft) any {
				var authors []string
				for _, id := range d.Authors {
					authors = append(authors, name(called, id))
				}
				return strings.Join(authors, ", ")
			}},
		},
		read: func(wanted) ([]client.PlanDraft, *string, error) { return list.Drafts, nil, nil },
	})
	if err != nil {
		return err
	}
	return v.show("drafts", "drafts.title", body)
}

// beginDraft writes a draft: a plan of the gallery, or a version of a plan that there is,
// with the id, name and currency of the form.
func (v *visit) beginDraft() error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	document := ""
	var err error
	if version, isVersion := strconv.Atoi(v.r.PostFormValue("version")); isVersion == nil {
		var p client.Plan
		p, err = client.Read[client.Plan](v.api.GetPlan(v.r.Context(), v.r.PostFormValue("plan"), version))
		document = p.Document
	} else {
		var gallery client.Gallery
		gallery, err = client.Read[client.Gallery](v.api.ListPlanGallery(v.r.Context()))
		for _, g := range gallery.Plans {
			if g.Plan == v.r.PostFormValue("from") {
				document = g.Document
			}
		}
		for _, key := range []string{"plan", "name", "currency"} {
			document = withLine(document, key, v.r.PostFormValue(key))
		}
	}
	var d client.PlanDraft
	if err == nil {
		d, err = command[client.PlanDraft](v.api.BeginPlanDraft(v.r.Context(), &client.BeginPlanDraftParams{IdempotencyKey: v.key()}, client.PlanCheckRequest{Document: document}))
	}
	return v.done(err, "/plan-drafts/"+d.Id, message{Key: "done.draft"}, (*visit).drafts)
}

// withLine returns a document in which a key of the plan itself has another value.
func withLine(document, key, value string) string {
	if value = strings.TrimSpace(value); value == "" {
		return document
	}
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]*$`).MatchString(value) {
		value = strconv.Quote(value)
	}
	return regexp.MustCompile(`(?m)^`+key+`: .*$`).ReplaceAllLiteralString(document, key+": "+value)
}

type draftPage struct {
	Draft client.PlanDraft
	filledIn
	Check    client.PlanCheck
	Good     bool // it can be put into force
	Against  int  // the version that it is compared with; 0 where the plan is new
	Periods  []costed
	Totals   []client.CostSum // by currency, of the periods that were asked for
	Reckoned bool
	From     string
	Called   map[string]string
}

// costed is a period with what the draft would have cost in it, once that was asked for.
type costed struct {
	client.Period
	Cost *client.PlanCost
}

// draft shows a draft with all that one wants to know before it is put into force.
func (v *visit) draft() error { return v.draftWith(nil) }

// draftWith also shows the draft's cost in some periods, by their ids.
func (v *visit) draftWith(costs map[string]client.PlanCost) error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	id, err := uuid.Parse(v.r.PathValue("draft"))
	if err != nil {
		return v.nowhere()
	}
	body := draftPage{Reckoned: costs != nil, From: v.r.PostFormValue("effective_from")}
	if body.Draft, err = client.Read[client.PlanDraft](v.api.GetPlanDraft(v.r.Context(), id)); err != nil {
		return err
	}
	written, unkept := body.Draft.Document, false
	if given := v.r.PostFormValue("document"); given != "" && (v.problem != nil || v.r.PostFormValue("form") == "fill") {
		written, unkept = given, true
	}
	body.Check, err = client.Read[client.PlanCheck](v.api.CheckPlan(v.r.Context(), &client.CheckPlanParams{IdempotencyKey: client.NewKey()}, client.PlanCheckRequest{Document: written}))
	if err != nil {
		return err
	}
	var wrong []document.Problem
	for _, p := range body.Check.Problems {
		wrong = append(wrong, document.Problem{Line: p.Line, Column: p.Column, Message: p.Message})
	}
	body.filledIn = v.texts.inForm(written, plan.Form([]byte(written)), unkept, wrong)
	body.Good = len(body.Check.Problems) == 0 && body.Check.Failures == nil
	if against := body.Check.Against; against != nil {
		body.Against = *against
	}
	periods, err := v.opened()
	if err != nil {
		return err
	}
	for _, p := range periods[:min(len(periods), longestCost)] {
		one := costed{Period: p}
		if cost, asked := costs[p.Id]; asked {
			one.Cost = &cost
			for _, sum := range cost.Sums {
				body.Totals = withSum(body.Totals, sum)
			}
		}
		body.Periods = append(body.Periods, one)
	}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	return v.show("draft", "draft.title", body, "plan", body.Draft.Plan)
}

// longestCost is how many periods the cost of a draft may be asked for at once.
const longestCost = 24

// withSum adds a sum to the one of its currency.
func withSum(sums []client.CostSum, more client.CostSum) []client.CostSum {
	for i := range sums {
		if sum := &sums[i]; sum.Before.Currency == more.Before.Currency {
			sum.Before.Minor += more.Before.Minor
			sum.After.Minor += more.After.Minor
			sum.Difference.Minor += more.Difference.Minor
			return sums
		}
	}
	return append(sums, more)
}

// costs asks what a document would have cost in each of the periods of the form.
func (v *visit) costs(document string) (map[string]client.PlanCost, error) {
	asked := v.r.PostForm["period"]
	if len(asked) == 0 {
		return nil, nil
	}
	costs := map[string]client.PlanCost{}
	for i, period := range asked[:min(len(asked), longestCost)] {
		cost, err := client.Read[client.PlanCost](v.api.CostPlan(v.r.Context(), period, &client.CostPlanParams{IdempotencyKey: fmt.Sprintf("%s-%d", v.key(), i)}, client.PlanCheckRequest{Document: document}))
		if err != nil {
			return nil, err
		}
		costs[period] = cost
	}
	return costs, nil
}

// changeDraft takes one of the forms of a draft's page.
func (v *visit) changeDraft() error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	id, err := uuid.Parse(v.r.PathValue("draft"))
	if err != nil {
		return v.nowhere()
	}
	document := strings.ReplaceAll(v.r.PostFormValue("document"), "\r\n", "\n")
	of := v.r.PostFormValue("form")
	if of == "fill" {
		filled, keep, err := v.fill(plan.Form)
		if err != nil {
			v.problem = err
			return v.draft()
		}
		document = filled
		v.r.PostForm.Set("document", filled)
		if !keep {
			return v.draft()
		}
		of = "keep"
	}
	switch of {
	case "keep":
		version, _ := strconv.Atoi(v.r.PostFormValue("version")) // 0 is no version, which the API says
		_, err := command[client.PlanDraft](v.api.PutPlanDraft(v.r.Context(), id, &client.PutPlanDraftParams{IdempotencyKey: v.key()}, client.PlanDraftRequest{Version: version, Document: document}))
		return v.done(err, v.r.URL.Path, message{Key: "done.draft"}, (*visit).draft)
	case "discard":
		_, err := command[client.PlanDraft](v.api.DiscardPlanDraft(v.r.Context(), id, &client.DiscardPlanDraftParams{IdempotencyKey: v.key()}))
		return v.done(err, "/plan-drafts", message{Key: "done.draft-discarded"}, (*visit).draft)
	}
	d, err := client.Read[client.PlanDraft](v.api.GetPlanDraft(v.r.Context(), id))
	if err != nil {
		return err
	}
	switch v.r.PostFormValue("form") {
	case "cost":
		costs, err := v.costs(d.Document)
		if err != nil {
			v.problem = err
			return v.draft()
		}
		return v.draftWith(costs)
	case "activate":
		from, err := incentive.ParseDate(v.r.PostFormValue("effective_from"))
		var kept client.Plan
		if err == nil {
			kept, err = command[client.Plan](v.api.PutPlan(v.r.Context(), &client.PutPlanParams{IdempotencyKey: v.key()}, client.PlanRequest{Document: d.Document, EffectiveFrom: from}))
		}
		if err == nil { // what is in force is no draft any more
			_, err = command[client.PlanDraft](v.api.DiscardPlanDraft(v.r.Context(), id, &client.DiscardPlanDraftParams{IdempotencyKey: v.key() + "-draft"}))
		}
		return v.done(err, "/plans/"+url.PathEscape(kept.Plan)+"/versions/"+strconv.Itoa(kept.Version), message{Key: "done.plan", With: map[string]any{"plan": kept.Name, "version": kept.Version}}, (*visit).draft)
	}
	return v.nowhere()
}
