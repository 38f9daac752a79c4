package web

import (
	"slices"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type payoutsPage struct {
	listPage
	Payouts    []client.Payout
	Totals     []client.PayoutTotal
	MayDecide  bool
	Failed     string // the payout about which a decision was refused
	Exceptions int
}

// payouts lists the payouts of a period.
func (v *visit) payouts() error {
	h, err := v.of("payouts")
	if err != nil {
		return err
	}
	body := payoutsPage{MayDecide: v.may(incentive.RunPeriod) > incentive.None, Failed: v.failed("payout")}
	var after *string
	after, body.listPage = v.list(h)
	if h.Period.Revision > 0 {
		list, err := client.Read[client.Payouts](v.api.ListPayouts(v.r.Context(), h.Period.Id, &client.ListPayoutsParams{After: after}))
		if err != nil {
			return err
		}
		body.Payouts = list.Payouts
		body.next(list.Next)
	}
	if len(body.Payouts) > 0 && v.may(incentive.ReadTotals) > incentive.None {
		list, err := client.Read[client.PayoutList](v.api.GetPayoutList(v.r.Context(), h.Period.Id, &client.GetPayoutListParams{}))
		if err != nil && !absent(err) {
			return err
		}
		body.Totals = list.Totals
		for _, t := range list.Totals {
			if t.State == "failed" || t.State == "held" || t.State == "returned" {
				body.Exceptions += t.Payouts
			}
		}
	}
	slices.SortStableFunc(body.Payouts, func(a, b client.Payout) int { return trouble(b) - trouble(a) })
	return v.show("payouts", "payouts.title", body, "period", v.texts.period(h.Period))
}

// trouble puts what needs a person first.
func trouble(o client.Payout) int {
	if o.State == "failed" || o.State == "held" || o.State == "returned" {
		return 1
	}
	return 0
}

// decidePayout tries a payout again, or gives it up.
func (v *visit) decidePayout() error {
	id, reason := v.r.PostFormValue("payout"), client.Reason{Reason: v.r.PostFormValue("reason")}
	say := message{Key: "done.payout-retry"}
	var err error
	switch v.r.PostFormValue("act") {
	case "retry":
		_, err = command[client.PayoutAnswer](v.api.RetryPayout(v.r.Context(), id, &client.RetryPayoutParams{IdempotencyKey: v.key()}, reason))
	case "cancel":
		say.Key = "done.payout-cancel"
		_, err = command[client.PayoutAnswer](v.api.CancelPayout(v.r.Context(), id, &client.CancelPayoutParams{IdempotencyKey: v.key()}, reason))
	default:
		return v.nowhere()
	}
	return v.done(err, "/periods/"+v.r.PathValue("period")+"/payouts", say, (*visit).payouts)
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
	"payment-file": {{"holder", false}, {"account", false}, {"bank", true}},
	"stripe":       {{"account", false}},
	"xendit":       {{"channel", false}, {"account", false}, {"holder", false}},
}

type accountPage struct {
	Chooses     bool
	Destination *client.Destination
	Rails       []rail
	Rewards     bool   // there are some to choose
	Failed      string // the rail whose details were refused
}

// account shows who the visitor is and where they are paid.
func (v *visit) account() error {
	body := accountPage{Chooses: v.may(incentive.ChooseMethod) > incentive.None, Failed: v.failed("rail")}
	if body.Chooses {
		d, err := client.Read[client.Destination](v.api.GetDestination(v.r.Context(), v.me.Id))
		switch incentive.ErrorCode(err) {
		case "":
			body.Destination = &d
		case incentive.CodeNotFound, "no-destination":
		default:
			return err
		}
		body.Rewards = v.rewards()
		for _, name := range v.Rails {
			if fields, known := details[name]; known {
				body.Rails = append(body.Rails, rail{name, fields})
			}
		}
	}
	return v.show("account", "account.title", body)
}

// setDestination says where the visitor is to be paid.
func (v *visit) setDestination() error {
	request := client.DestinationRequest{Rail: v.r.PostFormValue("rail"), Details: map[string]string{}}
	for _, f := range details[request.Rail] {
		if text := v.r.PostFormValue(f.Name); text != "" || !f.Optional {
			request.Details[f.Name] = text
		}
	}
	_, err := command[client.Destination](v.api.PutDestination(v.r.Context(), v.me.Id, &client.PutDestinationParams{IdempotencyKey: v.key()}, request))
	return v.done(err, "/account", message{Key: "done.destination"}, (*visit).account)
}
