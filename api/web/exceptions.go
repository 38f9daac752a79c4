package web

import (
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/policy"
)

type exceptionsPage struct {
	List                 []client.PayoutException
	Desk                 payoutDesk
	Periods              []client.Period          // opened ones
	Named                map[string]client.Period // by id
	Rails, Reasons       []string
	Period, Rail, Reason string // which are shown; "" for all
	Next                 string
}

// reasons are those for which a payout waits for a person, besides what the policy holds and
// what rails say in their own words.
var reasons = []string{"no-destination", "unknown-outcome", "not-found-at-rail", "bank-unclear", "balance-too-small", "rail-away", "restored", "returned", "recalled"}

// exceptions lists the payouts of all periods that wait for a person, by period, rail and reason.
func (v *visit) exceptions() error {
	query := v.r.URL.Query()
	body := exceptionsPage{Desk: v.payoutDesk(), Named: map[string]client.Period{}, Rails: v.Rails, Period: query.Get("period"), Rail: query.Get("rail"), Reason: query.Get("reason")}
	for _, one := range policy.Exceptions {
		if one != policy.BelowMinimum { // which the next period pays
			body.Reasons = append(body.Reasons, string(one))
		}
	}
	body.Reasons = append(body.Reasons, reasons...)
	var err error
	if body.Periods, err = v.opened(); err != nil {
		return err
	}
	for _, p := range body.Periods {
		body.Named[p.Id] = p
	}
	list, err := client.Read[client.PayoutExceptions](v.api.ListExceptions(v.r.Context(), &client.ListExceptionsParams{Period: given(body.Period), Rail: given(body.Rail), Reason: given(body.Reason), After: given(query.Get("after"))}))
	if err != nil {
		return err
	}
	body.List = list.Exceptions
	if list.Next != nil {
		body.Next = *list.Next
	}
	return v.show("exceptions", "exceptions.title", body)
}

// decideException does what is decided on the page of exceptions.
func (v *visit) decideException() error {
	return v.payoutAct("/exceptions", (*visit).exceptions)
}
