package web

import (
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/policy"
)

type exceptionsPage struct {
	List  []client.PayoutException
	Table table
	Desk  payoutDesk
	Named map[string]client.Period // by id
}

// reasons are those for which a payout waits for a person, besides what the policy holds and
// what rails say in their own words.
var reasons = []string{"no-destination", "unknown-outcome", "not-found-at-rail", "bank-unclear", "balance-too-small", "rail-away", "restored", "returned", "recalled", "file-built", "not-writable"}

// exceptions lists the payouts of all periods that wait for a person, by period, rail and reason.
func (v *visit) exceptions() error {
	body := exceptionsPage{Desk: v.payoutDesk(), Named: map[string]client.Period{}}
	var why []string
	for _, one := range policy.Exceptions {
		if one != policy.BelowMinimum { // which the next period pays
			why = append(why, string(one))
		}
	}
	periods, err := v.opened()
	if err != nil {
		return err
	}
	for _, p := range periods {
		body.Named[p.Id] = p
	}
	body.List, body.Table, err = listed(v, listing[client.PayoutException]{
		name: "exceptions", path: "/exceptions", search: "table.search-person",
		choices: []choice{
			{Name: "period", Label: "column.period", All: "filter.all-periods", Options: v.periodOptions(periods)},
			{Name: "rail", Label: "column.rail", All: "filter.all-rails", Options: termOptions(v, "rail", v.railNames()...)},
			{Name: "reason", Label: "column.reason", All: "filter.everything", Options: termOptions(v, "reason", append(why, reasons...)...)},
		},
		columns: []column[client.PayoutException]{
			{head: "column.person", sort: "name", value: func(x client.PayoutException) any { return x.Payout.Name }},
			{head: "column.id", file: true, value: func(x client.PayoutException) any { return x.Payout.Person }},
			{head: "column.period", sort: "period", value: func(x client.PayoutException) any { return x.Period }},
			{head: "column.amount", sort: "amount", class: "amount", value: func(x client.PayoutException) any { return x.Payout.Amount }},
			{head: "column.to", sort: "rail", value: func(x client.PayoutException) any {
				return strings.TrimSpace(x.Payout.Rail + " " + x.Payout.Destination)
			}},
			{head: "column.stands", sort: "state", value: func(x client.PayoutException) any { return v.texts.Term("payout", string(x.Payout.State)) }},
			{head: "column.reason", file: true, value: func(x client.PayoutException) any { return x.Payout.Reason }},
		},
		read: func(of wanted) ([]client.PayoutException, *string, error) {
			list, err := client.Read[client.PayoutExceptions](v.api.ListExceptions(v.r.Context(), &client.ListExceptionsParams{
				Period: v.asked("period"),
				Rail:   v.asked("rail"),
				Reason: v.asked("reason"),
				Search: of.search,
				Sort:   of.sort,
				After:  of.after,
				Limit:  of.limit,
			}))
			return list.Exceptions, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("exceptions", "exceptions.title", body)
}

// decideException does what is decided on the page of exceptions.
func (v *visit) decideException() error {
	return v.payoutAct("/exceptions", (*visit).exceptions)
}
