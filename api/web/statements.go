package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// earned is what the visitor has earned in a period.
type earned struct {
	Period   client.Period
	Total    incentive.Money
	Paid     []client.Payout  // by each method; none before they are planned
	Attained *decimal.Decimal // of the quota, 1 for all of it; nil where none was measured
}

// visible reports whether a period's statements can be seen by those whom they are of.
func visible(p client.Period) bool {
	return slices.Index(incentive.States, incentive.State(p.State)) >= slices.Index(incentive.States, incentive.Published) && p.State != string(incentive.Cancelled)
}

// atOnce is how many questions a page asks at the same time.
const atOnce = 4

// recent is how many periods a person sees of their own without asking for more.
const recent = 13

// earnedBy lists what somebody has earned in the latest of these periods, with the payouts, as far
// as the visitor may see it.
func (v *visit) earnedBy(person string, all []client.Period, from int) (mine []earned, more bool, err error) {
	var seen []client.Period
	for _, p := range all {
		if visible(p) {
			seen = append(seen, p)
		}
	}
	seen = seen[min(from, len(seen)):]
	more = len(seen) > recent
	seen = seen[:min(recent, len(seen))]
	found := make([]*earned, len(seen))
	err = together(v.r.Context(), len(seen), func(i int) error {
		one, err := client.Read[client.Statement](v.api.GetStatement(v.r.Context(), seen[i].Id, person, &client.GetStatementParams{}))
		if absent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		found[i] = &earned{Period: seen[i], Total: one.Total, Attained: attained(one)}
		found[i].Paid, err = v.payoutsOf(seen[i].Id, person)
		return err
	})
	for _, one := range found {
		if one != nil {
			mine = append(mine, *one)
		}
	}
	return mine, more, err
}

// payoutsOf returns a person's payouts of a period.
func (v *visit) payoutsOf(period, person string) ([]client.Payout, error) {
	all, _, err := every(4, func(after *string) ([]client.Payout, *string, error) {
		list, err := client.Read[client.Payouts](v.api.ListPayouts(v.r.Context(), period, &client.ListPayoutsParams{Person: &person, After: after, Limit: &most}))
		return list.Payouts, list.Next, err
	})
	return all, err
}

// together does things at the same time, some at once, and returns the first error.
func together(ctx context.Context, count int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	gate := make(chan bool, atOnce)
	var group sync.WaitGroup
	for i := range count {
		gate <- true
		group.Go(func() {
			defer func() { <-gate }()
			if ctx.Err() == nil {
				if err := do(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

type ownPage[T any] struct {
	Rows    []T
	Table   table
	Earlier int // how many periods later than the next page, 0 where there is none
}

// page reads how many periods to pass over.
func (v *visit) pass() int {
	n := 0
	for _, digit := range v.r.URL.Query().Get("pass") {
		if digit < '0' || digit > '9' || n > 1000 {
			return 0
		}
		n = n*10 + int(digit-'0')
	}
	return n
}

// ownTable shows what the visitor has of the latest periods, and as a file of all of them.
func ownTable[T any](v *visit, title string, columns []column[T], of func(earned) []T) error {
	all, err := v.allPeriods()
	if err != nil {
		return err
	}
	var body ownPage[T]
	body.Rows, body.Table, err = listed(v, listing[T]{
		name: title, whole: true, columns: columns,
		read: func(w wanted) (rows []T, next *string, err error) {
			for from, more := v.pass(), true; more; from += recent {
				var mine []earned
				if mine, more, err = v.earnedBy(v.me.Id, all, from); err != nil {
					return nil, nil, err
				}
				for _, one := range mine {
					rows = append(rows, of(one)...)
				}
				if body.Earlier = 0; more {
					body.Earlier = from + recent
				}
				if w.limit == nil { // a page
					break
				}
			}
			return rows, nil, nil
		},
	})
	if err != nil {
		return err
	}
	return v.show(title, title+".title", body)
}

// ownStatements lists the visitor's statements of every period.
func (v *visit) ownStatements() error {
	return ownTable(v, "own-statements", []column[earned]{
		{head: "column.period", sort: "period", value: func(e earned) any { return e.Period.StartsOn }},
		{head: "column.to-day", file: true, value: func(e earned) any { return e.Period.EndsOn }},
		{head: "column.stands", sort: "state", value: func(e earned) any { return v.texts.Term("state", e.Period.State) }},
		{head: "column.earned", sort: "total", class: "amount", value: func(e earned) any { return e.Total }},
		{head: "column.payout", value: func(e earned) any {
			var states []string
			for _, o := range e.Paid {
				states = append(states, v.texts.Term("payout", string(o.State)))
			}
			return strings.Join(states, ", ")
		}},
	}, func(e earned) []earned { return []earned{e} })
}

// ownPayout is one of the visitor's, with its period.
type ownPayout struct {
	client.Payout
	Of client.Period
}

// ownPayouts lists the visitor's payouts of every period.
func (v *visit) ownPayouts() error {
	return ownTable(v, "own-payouts", []column[ownPayout]{
		{head: "column.period", sort: "period", value: func(o ownPayout) any { return o.Of.StartsOn }},
		{head: "column.amount", sort: "amount", class: "amount", value: func(o ownPayout) any { return o.Amount }},
		{head: "column.stands", sort: "state", value: func(o ownPayout) any { return v.texts.Term("payout", string(o.State)) }},
		{head: "column.to", sort: "rail", value: func(o ownPayout) any { return strings.TrimSpace(o.Rail + " " + o.Destination) }},
	}, func(e earned) (all []ownPayout) {
		for _, o := range e.Paid {
			all = append(all, ownPayout{o, e.Period})
		}
		return all
	})
}

type statementsPage struct {
	head
	Table      table
	Statements []client.StatementSummary
}

// statements lists the statements of a period that the visitor may see.
func (v *visit) statements() error {
	h, err := v.of("statements")
	if err != nil {
		return err
	}
	body := statementsPage{head: h}
	body.Statements, body.Table, err = listed(v, listing[client.StatementSummary]{
		name: "statements-" + h.Period.Id, search: "table.search-person",
		columns: []column[client.StatementSummary]{
			{head: "column.person", sort: "name", value: func(st client.StatementSummary) any { return st.Name }},
			{head: "column.id", file: true, value: func(st client.StatementSummary) any { return st.Person }},
			{head: "column.earned", sort: "total", class: "amount", value: func(st client.StatementSummary) any { return st.Total }},
			{head: "column.posted-before", class: "amount", value: func(st client.StatementSummary) any { return st.PostedBefore }},
			{head: "column.digest", file: true, value: func(st client.StatementSummary) any { return st.Digest }},
		},
		read: func(of wanted) ([]client.StatementSummary, *string, error) {
			if h.Period.Revision == 0 {
				return nil, nil, nil
			}
			list, err := client.Read[client.Statements](v.api.ListStatements(v.r.Context(), h.Period.Id, &client.ListStatementsParams{After: of.after, Search: of.search, Sort: of.sort, Limit: of.limit}))
			return list.Statements, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("statements", "statements.title", body, "period", v.texts.period(h.Period))
}

type statementPage struct {
	head
	Statement  client.Statement
	Own        bool
	Proves     bool
	Disputable bool // by the visitor, today
	Adjusts    bool // the visitor may adjust it
	Payouts    []client.Payout
}

// statement shows a statement with the reason for every cent.
func (v *visit) statement() error {
	h, err := v.of("statements")
	if err != nil {
		return err
	}
	body := statementPage{head: h}
	body.Statement, err = client.Read[client.Statement](v.api.GetStatement(v.r.Context(), h.Period.Id, v.r.PathValue("person"), &client.GetStatementParams{}))
	if err != nil {
		return err
	}
	body.Own = body.Statement.Person == v.me.Id
	body.Adjusts = !body.Own && v.may(incentive.AdjustPay) > incentive.None
	body.Proves = v.may(incentive.Prove) > incentive.None
	body.Disputable = body.Own && v.may(incentive.RaiseDispute) > incentive.None && disputable(h.Period)
	if body.Own {
		if body.Payouts, err = v.payoutsOf(h.Period.Id, v.me.Id); err != nil {
			return err
		}
	}
	v.subject = "statement/" + h.Period.Id + "/" + strconv.Itoa(h.Period.Revision) + "/" + v.r.PathValue("person")
	return v.show("statement", "statement.title", body, "period", v.texts.period(h.Period), "name", body.Statement.Name)
}
