package web

import (
	"slices"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// adjusted is an adjustment as a page shows it.
type adjusted struct {
	client.Adjustment
	Of          client.Period
	By, Decider string // names
	Stands      string // waiting, approved or rejected
	PaidIn      string // the period that pays it; "" while none has taken it
}

// shownAdjustments are adjustments with what a page says of them.
func (v *visit) shownAdjustments(all []client.Adjustment, called map[string]string, periods []client.Period) (shown []adjusted) {
	for _, a := range all {
		one := adjusted{Adjustment: a, By: name(called, a.EnteredBy), Decider: name(called, text(a.DecidedBy)), Stands: "waiting"}
		for _, p := range periods {
			if p.Id == a.Period {
				one.Of = p
			}
			if p.Id == text(a.PaidBy) {
				one.PaidIn = v.texts.period(p)
			}
		}
		if a.Decision != nil {
			one.Stands = string(*a.Decision)
		}
		shown = append(shown, one)
	}
	return shown
}

type adjustmentsPage struct {
	Table   table           // of Others
	Periods []client.Period // opened ones
	Waiting []adjusted      // for the visitor
	Others  []adjusted
	Enters  bool
	Types   []incentive.AdjustmentType
	Entered map[string]string // as it was sent, or as the page before knows it
	Failed  string            // the adjustment about which a decision was refused
}

// adjustments lists what people have entered, first what waits for the visitor, and asks
// for another.
func (v *visit) adjustments() error {
	query := v.r.URL.Query()
	body := adjustmentsPage{Enters: v.may(incentive.AdjustPay) > incentive.None, Entered: map[string]string{}}
	body.Types = slices.DeleteFunc(slices.Clone(incentive.AdjustmentTypes), func(t incentive.AdjustmentType) bool { return t == incentive.OfDispute })
	for _, field := range []string{"period", "person", "currency", "type", "amount", "reason"} {
		if body.Entered[field] = v.failed(field); v.problem == nil {
			body.Entered[field] = query.Get(field)
		}
	}
	if v.problem != nil {
		body.Failed = v.r.PathValue("adjustment")
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	if body.Periods, err = v.opened(); err != nil {
		return err
	}
	waiting, err := v.waitingAdjustments()
	if err != nil {
		return err
	}
	body.Waiting = v.shownAdjustments(waiting, called, body.Periods)
	body.Others, body.Table, err = listed(v, listing[adjusted]{
		name: "adjustments", path: "/adjustments", search: "table.search-person", sort: "-entered",
		columns: []column[adjusted]{
			{head: "column.person", sort: "name", value: func(a adjusted) any { return a.Name }},
			{head: "column.id", file: true, value: func(a adjusted) any { return a.Person }},
			{head: "column.period", value: func(a adjusted) any { return v.texts.period(a.Of) }},
			{head: "column.type", sort: "type", value: func(a adjusted) any { return v.texts.Term("adjustment-type", a.Type) }},
			{head: "column.amount", sort: "amount", class: "amount", value: func(a adjusted) any { return a.Amount }},
			{head: "column.reason", value: func(a adjusted) any { return a.Reason }},
			{head: "column.entered-by", sort: "entered", value: func(a adjusted) any { return a.By }},
			{head: "column.when", file: true, value: func(a adjusted) any { return a.EnteredAt }},
			{head: "column.decision", sort: "decision", value: func(a adjusted) any { return v.texts.Term("decision", a.Stands) }},
		},
		choices: []choice{{Name: "period", Label: "column.period", All: "filter.all-periods", Options: v.periodOptions(body.Periods)}},
		read: func(of wanted) ([]adjusted, *string, error) {
			list, err := client.Read[client.Adjustments](v.api.ListAdjustments(v.r.Context(), &client.ListAdjustmentsParams{
				Period: v.asked("period"),
				After:  of.after,
				Search: of.search,
				Sort:   of.sort,
				Limit:  of.limit,
			}))
			others := slices.DeleteFunc(list.Adjustments, func(a client.Adjustment) bool {
				return slices.ContainsFunc(waiting, func(w client.Adjustment) bool { return w.Id == a.Id })
			})
			return v.shownAdjustments(others, called, body.Periods), list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("adjustments", "adjustments.title", body)
}

// waitingAdjustments are the adjustments that wait for the visitor's decision.
func (v *visit) waitingAdjustments() ([]client.Adjustment, error) {
	waiting := true
	list, err := client.Read[client.Adjustments](v.api.ListAdjustments(v.r.Context(), &client.ListAdjustmentsParams{Waiting: &waiting, Limit: &most}))
	return list.Adjustments, err
}

// enterAdjustment enters an amount for somebody.
func (v *visit) enterAdjustment() error {
	if v.may(incentive.AdjustPay) == incentive.None {
		return v.forbidden()
	}
	request := client.AdjustmentRequest{
		Period: v.r.PostFormValue("period"),
		Person: v.r.PostFormValue("person"),
		Type:   client.AdjustmentRequestType(v.r.PostFormValue("type")),
		Reason: v.r.PostFormValue("reason"),
	}
	var err error
	if request.Amount, err = v.amount(v.r.PostFormValue("amount"), v.r.PostFormValue("currency")); err == nil {
		_, err = command[client.Adjustment](v.api.EnterAdjustment(v.r.Context(), &client.EnterAdjustmentParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/adjustments", message{Key: "done.adjustment"}, (*visit).adjustments)
}

// decideAdjustment approves or rejects an adjustment, on its own page or on that of the
// dispute that it answers.
func (v *visit) decideAdjustment() error {
	if v.may(incentive.AdjustPay) == incentive.None {
		return v.forbidden()
	}
	decision, to, again := v.r.PostFormValue("act"), "/adjustments", (*visit).adjustments
	if dispute := v.r.PostFormValue("dispute"); dispute != "" {
		v.r.SetPathValue("dispute", dispute)
		to, again = "/disputes/"+dispute, (*visit).dispute
	}
	request := client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecision(decision), Reason: given(v.r.PostFormValue("text"))}
	_, err := command[client.Adjustment](v.api.DecideAdjustment(v.r.Context(), v.r.PathValue("adjustment"), &client.DecideAdjustmentParams{IdempotencyKey: v.key()}, request))
	return v.done(err, to, message{Key: "adjusted." + decision}, again)
}
