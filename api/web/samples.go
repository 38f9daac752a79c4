package web

import (
	"fmt"
	"strconv"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type samplesPage struct {
	head
	Samples []client.Sample
	Next    int64
	First   bool
	Draws   bool
	Called  map[string]string
}

// samples lists what was drawn of a period, and asks for another draw.
func (v *visit) samples() error {
	h, err := v.of("samples")
	if err != nil {
		return err
	}
	body := samplesPage{head: h, First: true, Draws: v.may(incentive.Prove) > incentive.None && calculated(h.Period)}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	parameters := client.ListSamplesParams{}
	if after, err := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64); err == nil {
		parameters.After, body.First = &after, false
	}
	list, err := client.Read[client.Samples](v.api.ListSamples(v.r.Context(), h.Period.Id, &parameters))
	if err != nil {
		return err
	}
	body.Samples = list.Samples
	if list.Next != nil {
		body.Next = *list.Next
	}
	return v.show("samples", "samples.title", body, "period", v.texts.period(h.Period))
}

// drawSample draws statements at random.
func (v *visit) drawSample() error {
	size, _ := strconv.Atoi(v.r.PostFormValue("size")) // what is no number is refused as too small
	strata, _ := strconv.Atoi(v.r.PostFormValue("strata"))
	request := client.SampleRequest{Size: size, Seed: given(v.r.PostFormValue("seed"))}
	if strata > 0 {
		request.Strata = &strata
	}
	one, err := command[client.Sample](v.api.DrawSample(v.r.Context(), v.r.PathValue("period"), &client.DrawSampleParams{IdempotencyKey: v.key()}, request))
	return v.done(err, fmt.Sprintf("/samples/%d", one.Id), message{Key: "done.sample"}, (*visit).samples)
}

// drawn is a statement of a sample as a page shows it.
type drawn struct {
	client.SampleItem
	Outcome string // proved or failed, by the latest verification; "" for none
	Proof   int64
	Says    string // of the latest remark
	By      string // a name
}

type samplePage struct {
	head
	Sample  client.Sample
	DrawnBy string // a name
	Items   []drawn
	Proves  bool
	Failed  string
}

// sample shows what was drawn, to be worked through.
func (v *visit) sample() error {
	id, err := strconv.ParseInt(v.r.PathValue("sample"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	body := samplePage{Proves: v.may(incentive.Prove) > incentive.None, Failed: v.failed("number")}
	if body.Sample, err = client.Read[client.Sample](v.api.GetSample(v.r.Context(), id)); err != nil {
		return err
	}
	v.r.SetPathValue("period", body.Sample.Period)
	if body.head, err = v.of("samples"); err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body.DrawnBy = name(called, body.Sample.DrawnBy)
	for _, item := range *body.Sample.Items {
		one := drawn{SampleItem: item}
		if item.Proved != nil {
			one.Outcome, one.Proof = "failed", *item.Verification
			if *item.Proved {
				one.Outcome = "proved"
			}
		}
		if item.Verdict != nil {
			one.Says = string(*item.Verdict)
		}
		if item.RemarkedBy != nil {
			one.By = name(called, *item.RemarkedBy)
		}
		body.Items = append(body.Items, one)
	}
	return v.show("sample", "sample.title", body, "number", body.Sample.Id)
}

// remarkSample keeps what the visitor says of a statement that was drawn.
func (v *visit) remarkSample() error {
	id, err := strconv.ParseInt(v.r.PathValue("sample"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	number, _ := strconv.Atoi(v.r.PostFormValue("number"))
	_, err = command[client.Sample](v.api.RemarkSample(v.r.Context(), id, &client.RemarkSampleParams{IdempotencyKey: v.key()},
		client.SampleRemark{Number: number, Verdict: client.SampleRemarkVerdict(v.r.PostFormValue("verdict")), Remark: given(v.r.PostFormValue("remark"))}))
	return v.done(err, v.r.URL.Path, message{Key: "done.remark"}, (*visit).sample)
}

// duty is who had a part in a revision of a period.
type duty struct {
	client.Duty
	Name string
}

// conflict is duties in one hand, with names.
type conflict struct {
	client.DutyConflict
	Name   string
	Period string // its id; "" where it is of none
}

type dutiesPage struct {
	From, To  incentive.Date
	Duties    []duty
	Table     table // of the duties
	Conflicts []conflict
	Named     map[string]string // periods, by id
}

// dutyDays are the days that are asked for, or the last year.
func (v *visit) dutyDays() (from, to incentive.Date, err error) {
	to = v.today()
	from = to.AddDays(-365)
	for name, day := range map[string]*incentive.Date{"from": &from, "to": &to} {
		if text := v.asked(name); text != nil {
			if *day, err = incentive.ParseDate(*text); err != nil {
				return from, to, err
			}
		}
	}
	return from, to, nil
}

// duties shows who had which part in the periods of some days, and conflicts.
func (v *visit) duties() error {
	if v.may(incentive.ReadAudit) == incentive.None {
		return v.forbidden()
	}
	var body dutiesPage
	var err error
	if body.From, body.To, err = v.dutyDays(); err != nil {
		return err
	}
	list, err := client.Read[client.Duties](v.api.GetDuties(v.r.Context(), &client.GetDutiesParams{From: types.Date{Time: body.From.UTC()}, To: types.Date{Time: body.To.UTC()}}))
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	periods, err := v.opened()
	if err != nil {
		return err
	}
	body.Named = map[string]string{}
	starts := map[string]incentive.Date{}
	for _, p := range periods {
		body.Named[p.Id], starts[p.Id] = v.texts.period(p), p.StartsOn
	}
	body.Duties, body.Table, err = listed(v, listing[duty]{
		name: fmt.Sprintf("duties-%s-%s", body.From, body.To), search: "table.search-person", whole: true,
		columns: []column[duty]{
			{head: "column.period", sort: "period", value: func(d duty) any { return starts[d.Period] }},
			{head: "column.part", sort: "part", value: func(d duty) any { return v.texts.Term("duty", string(d.Part)) }},
			{head: "column.who", sort: "name", value: func(d duty) any { return d.Name }},
			{head: "column.id", file: true, value: func(d duty) any { return d.Person }},
			{head: "column.times", sort: "times", class: "amount", value: func(d duty) any { return d.Times }},
			{head: "column.last", sort: "last", value: func(d duty) any { return d.LastAt }},
		},
		read: func(wanted) (all []duty, _ *string, _ error) {
			for _, d := range list.Duties {
				all = append(all, duty{d, name(called, d.Person)})
			}
			return all, nil, nil
		},
	})
	if err != nil {
		return err
	}
	body.Table.CSV, body.Table.XLSX = "", "" // the report has files of its own, with the conflicts
	for _, c := range list.Conflicts {
		body.Conflicts = append(body.Conflicts, conflict{c, name(called, c.Person), text(c.Period)})
	}
	return v.show("duties", "duties.title", body)
}

// dutiesDocument hands the same over as PDF.
func (v *visit) dutiesDocument() error {
	from, to, err := v.dutyDays()
	if err != nil {
		return err
	}
	return v.download(client.NewGetDutiesDocumentRequest(within, &client.GetDutiesDocumentParams{From: types.Date{Time: from.UTC()}, To: types.Date{Time: to.UTC()}}))
}

// dutiesFile hands the same over as CSV.
func (v *visit) dutiesFile() error {
	from, to, err := v.dutyDays()
	if err != nil {
		return err
	}
	return v.download(client.NewGetDutiesFileRequest(within, &client.GetDutiesFileParams{From: types.Date{Time: from.UTC()}, To: types.Date{Time: to.UTC()}}))
}
