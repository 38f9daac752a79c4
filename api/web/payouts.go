package web

import (
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type payoutsPage struct {
	head
	Table      table
	Payouts    []client.Payout
	Totals     []client.PayoutTotal
	Desk       payoutDesk
	Closed     bool // nothing is sent for the period any more
	Exceptions int
	Stops      []client.RailStop
}

// payoutDesk is what the visitor may do about payouts.
type payoutDesk struct {
	MayDecide  bool
	MayConfirm bool // what somebody else has asked for
	Audits     bool // may read who did what
	Me         string
	Failed     string // the payout about which a decision was refused
}

func (v *visit) payoutDesk() payoutDesk {
	return payoutDesk{
		MayDecide:  v.may(incentive.RunPeriod) > incentive.None,
		MayConfirm: v.may(incentive.ReleasePeriod) > incentive.None,
		Me:         v.me.Id,
		Failed:     v.failed("payout"),
		Audits:     v.may(incentive.ReadAudit) > incentive.None,
	}
}

// payouts lists the payouts of a period.
func (v *visit) payouts() error {
	h, err := v.of("payouts")
	if err != nil {
		return err
	}
	body := payoutsPage{head: h, Desk: v.payoutDesk(), Closed: h.Period.State == string(incentive.Closed)}
	body.Payouts, body.Table, err = listed(v, listing[client.Payout]{
		name: "payouts-" + h.Period.Id, search: "table.search-person", columns: v.payoutColumns(), sort: "attention",
		choices: []choice{{Name: "state", Label: "column.stands", All: "filter.everything", Options: termOptions(v, "payout", payoutStates...)}, {Name: "rail", Label: "column.rail", All: "filter.all-rails", Options: termOptions(v, "rail", v.railNames()...)}},
		read: func(of wanted) ([]client.Payout, *string, error) {
			if h.Period.Revision == 0 {
				return nil, nil, nil
			}
			state := (*client.ListPayoutsParamsState)(v.asked("state"))
			list, err := client.Read[client.Payouts](v.api.ListPayouts(v.r.Context(), h.Period.Id, &client.ListPayoutsParams{
				After:  of.after,
				Search: of.search,
				Sort:   of.sort,
				Limit:  of.limit,
				State:  state,
				Rail:   v.asked("rail"),
			}))
			return list.Payouts, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	if h.Period.Revision > 0 && v.may(incentive.ReadTotals) > incentive.None {
		list, err := client.Read[client.PayoutList](v.api.GetPayoutList(v.r.Context(), h.Period.Id, &client.GetPayoutListParams{}))
		if err != nil && !absent(err) {
			return err
		}
		body.Totals, body.Stops = list.Totals, list.Stops
		for _, t := range list.Totals {
			if t.State == "failed" || t.State == "held" || t.State == "returned" {
				body.Exceptions += t.Payouts
			}
		}
	}
	v.subject = periodSubject(h.Period)
	return v.show("payouts", "payouts.title", body, "period", v.texts.period(h.Period))
}

// payoutStates are those in which a payout can be.
var payoutStates = []string{"planned", "held", "submitted", "paid", "failed", "returned", "cancelled"}

// payoutColumns are those of lists of payouts.
func (v *visit) payoutColumns() []column[client.Payout] {
	return []column[client.Payout]{
		{head: "column.person", sort: "name", value: func(o client.Payout) any { return o.Name }},
		{head: "column.id", file: true, value: func(o client.Payout) any { return o.Person }},
		{head: "column.amount", sort: "amount", class: "amount", value: func(o client.Payout) any { return o.Amount }},
		{head: "column.withheld", file: true, value: func(o client.Payout) any { return o.Withheld }},
		{head: "column.to", sort: "rail", value: func(o client.Payout) any { return strings.TrimSpace(o.Rail + " " + o.Destination) }},
		{head: "column.stands", sort: "state", value: func(o client.Payout) any { return v.texts.Term("payout", o.State) }},
		{head: "column.reason", file: true, value: func(o client.Payout) any {
			if o.Reason == "" {
				return nil
			}
			return v.texts.Term("reason", o.Reason)
		}},
		{head: "column.payout", file: true, value: func(o client.Payout) any { return o.Id }},
	}
}

// decidePayout does what is decided on the page of a period's payouts.
func (v *visit) decidePayout() error {
	return v.payoutAct("/periods/"+v.r.PathValue("period")+"/payouts", (*visit).payouts)
}

// payoutAct tries a payout again, gives it up, sends it elsewhere or takes it back, confirms
// what somebody else has asked for, or decides about a rail that is stopped.
func (v *visit) payoutAct(back string, again page) error {
	id, reason := v.r.PostFormValue("payout"), client.Reason{Reason: v.r.PostFormValue("reason")}
	say := message{Key: "done.payout-retry"}
	var answer client.PayoutAnswer
	var err error
	switch v.r.PostFormValue("act") {
	case "retry":
		answer, err = command[client.PayoutAnswer](v.api.RetryPayout(v.r.Context(), id, &client.RetryPayoutParams{IdempotencyKey: v.key()}, reason))
	case "lift":
		say.Key = "done.payout-lift"
		_, err = command[client.PayoutAnswer](v.api.LiftHold(v.r.Context(), id, &client.LiftHoldParams{IdempotencyKey: v.key()}, reason))
	case "clear":
		say.Key = "done.payout-clear"
		_, err = command[client.PayoutAnswer](v.api.ClearDoubt(v.r.Context(), id, &client.ClearDoubtParams{IdempotencyKey: v.key()}, reason))
	case "cancel":
		say.Key = "done.payout-cancel"
		answer, err = command[client.PayoutAnswer](v.api.CancelPayout(v.r.Context(), id, &client.CancelPayoutParams{IdempotencyKey: v.key()}, reason))
	case "recall":
		request := client.RecallRequest{Reason: reason.Reason}
		if text := v.r.PostFormValue("amount"); text != "" {
			amount, wrong := v.amount(text, v.r.PostFormValue("currency"))
			if wrong != nil {
				return v.done(wrong, back, say, again)
			}
			request.Amount = &amount
		}
		answer, err = command[client.PayoutAnswer](v.api.RecallPayout(v.r.Context(), id, &client.RecallPayoutParams{IdempotencyKey: v.key()}, request))
	case "redirect":
		say.Key = "done.payout-redirect"
		version, _ := strconv.Atoi(v.r.PostFormValue("version"))
		_, err = command[client.PayoutAnswer](v.api.RedirectPayout(v.r.Context(), id, &client.RedirectPayoutParams{IdempotencyKey: v.key()}, client.RedirectionRequest{Reason: reason.Reason, DestinationVersion: version}))
	case "confirm", "refuse":
		request := client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed, Reason: &reason.Reason}
		say.Key = "done.payout-confirm"
		proposal := v.r.PostFormValue("of") != ""
		if proposal {
			say.Key = "done.proposal-confirm"
		}
		if v.r.PostFormValue("act") == "refuse" {
			request.Decision = client.RedirectionDecisionRequestDecisionRefused
			if say.Key = "done.payout-refuse"; proposal {
				say.Key = "done.proposal-refuse"
			}
		}
		_, err = command[client.PayoutAnswer](v.api.DecidePayout(v.r.Context(), id, &client.DecidePayoutParams{IdempotencyKey: v.key()}, request))
	case "resumed", "set-aside":
		request := client.RailStopDecisionRequest{Decision: client.RailStopDecisionRequestDecisionResumed, Reason: reason.Reason}
		say.Key = "done.rail-resume"
		if v.r.PostFormValue("act") == "set-aside" {
			request.Decision = client.RailStopDecisionRequestDecisionSetAside
			say.Key = "done.rail-set-aside"
		}
		_, err = command[client.RailAnswer](v.api.DecideRailStop(v.r.Context(), v.r.PathValue("period"), v.r.PostFormValue("rail"), &client.DecideRailStopParams{IdempotencyKey: v.key()}, request))
	default:
		return v.nowhere()
	}
	if answer.Waits != nil {
		say.Key = "done.payout-proposed"
	}
	return v.done(err, back, say, again)
}

// rail is a way to be paid, with the details that it asks for.
type rail struct {
	Name   string
	Fields []field
}

type field struct {
	Name     string
	Optional bool
}

// details are what the rails ask for.
var details = map[string][]field{
	"india":        {{"holder", false}, {"account", true}, {"bank", true}, {"upi", true}},
	"nacha":        {{"holder", false}, {"routing", false}, {"account", false}, {"kind", true}, {"owner", true}},
	"points":       {},
	"payment-file": {{"holder", false}, {"account", false}, {"bank", true}},
	"stripe":       {{"account", false}},
	"xendit":       {{"channel", false}, {"account", false}, {"holder", false}},
}
