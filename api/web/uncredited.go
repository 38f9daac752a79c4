package web

import (
	"strconv"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

type uncreditedPage struct {
	head
	Transactions []client.UncreditedTransaction
	Table        table
	Total        int
	Early        error // nobody knows yet
}

// uncredited lists the transactions of a period that nobody is credited with, and why.
func (v *visit) uncredited() error {
	if v.may(incentive.ReadTotals) == incentive.None {
		return v.forbidden()
	}
	h, err := v.of("uncredited")
	if err != nil {
		return err
	}
	body := uncreditedPage{head: h}
	type gap = client.UncreditedTransaction
	const most = 10_000 // which is sorted here: a period with more has another trouble
	body.Transactions, body.Table, err = listed(v, listing[gap]{
		name: "uncredited-" + h.Period.Id, whole: true, search: "uncredited.search",
		columns: []column[gap]{
			{head: "column.deal", sort: "deal", value: func(g gap) any { return g.Id }},
			{head: "column.source", sort: "source", value: func(g gap) any { return g.Source }},
			{head: "column.day", sort: "day", value: func(g gap) any { return g.Date }},
			{head: "column.amount", sort: "amount", class: "amount", value: func(g gap) any { return language.Numeral(g.Amount) }},
			{head: "column.currency", sort: "currency", value: func(g gap) any { return g.Currency }},
			{head: "column.reason", sort: "reason", value: func(g gap) any { return v.texts.Term("uncredited", g.Reason) }},
			{head: "column.covered-by", value: func(g gap) any { return text(g.CoveredBy) }},
		},
		read: func(wanted) ([]gap, *string, error) {
			limit := 500
			all, _, err := every(most/limit, func(after *string) ([]gap, *string, error) {
				parameters := client.ListUncreditedParams{Limit: &limit}
				if after != nil {
					from, err := strconv.Atoi(*after)
					if err != nil {
						return nil, nil, err
					}
					parameters.After = &from
				}
				list, err := client.Read[client.UncreditedTransactions](v.api.ListUncredited(v.r.Context(), h.Period.Id, &parameters))
				if body.Total = list.Total; err != nil || list.Next == nil {
					return list.Transactions, nil, err
				}
				next := strconv.Itoa(*list.Next)
				return list.Transactions, &next, nil
			})
			if incentive.ErrorCode(err) == incentive.CodeNotAllowedNow {
				body.Early, err = err, nil
			}
			return all, nil, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("uncredited", "uncredited.title", body, "period", v.texts.period(h.Period))
}
