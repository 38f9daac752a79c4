package calculation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// CodeExampleFails says that a plan does not pay what one of its examples says.
const CodeExampleFails incentive.Code = "example-fails"

// CheckExamples calculates every example that a plan's document carries. Its error, of
// code CodeExampleFails, names each component that pays something else, by line.
func CheckExamples(ctx context.Context, text []byte) error {
	p, err := plan.Parse(text)
	if err != nil {
		return err
	}
	var failures []string
	for _, e := range p.Examples {
		statement, err := exampleStatement(ctx, p, text, e)
		if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeInternal {
			failures = append(failures, fmt.Sprintf("line %d: example %q: %s", e.Line, e.Name, incentive.ErrorMessage(err)))
			continue
		}
		if err != nil {
			return fmt.Errorf("calculate the example %q: %w", e.Name, err)
		}
		for _, line := range statement.Lines {
			if want := e.Pays[line.Component]; !want.Equal(line.Amount.Decimal()) {
				failures = append(failures, fmt.Sprintf("line %d: example %q: %s pays %s, not %s", e.Line, e.Name, line.Component, line.Amount.Amount(), want))
			}
		}
	}
	if len(failures) > 0 {
		return incentive.Errorf(CodeExampleFails, "%s", strings.Join(failures, "\n"))
	}
	return nil
}

// exampleStatement calculates an example: the statement that its participant would read.
func exampleStatement(ctx context.Context, p *plan.Plan, text []byte, e plan.Example) (incentive.Statement, error) {
	first, last := incentive.MustParseDate("2026-01-01"), incentive.MustParseDate("2026-01-31")
	deepest := 0
	for _, d := range e.Deals {
		deepest = max(deepest, d.Level)
	}
	// Level 0 is the participant; level n reports to level n-1. Others come after them all.
	id := func(level int) string { return fmt.Sprintf("level-%02d", level) }
	other := func(name string) string { return "other-" + name }
	s := incentive.Snapshot{
		Period:       incentive.Period{ID: "example-2026-01", CalendarID: "example", Code: "2026-01", StartsOn: first, EndsOn: last, Revision: 1},
		Assignments:  []incentive.Assignment{{ParticipantID: id(0), PlanID: p.ID, StartsOn: first, Version: 1}},
		PlanVersions: []incentive.PlanVersion{{PlanID: p.ID, Version: 1, EffectiveFrom: first, Document: text}},
	}
	for level := range deepest + 1 {
		who := incentive.Participant{
			ID:            id(level),
			EffectiveFrom: incentive.MustParseDate("2000-01-01"),
			Kind:          incentive.Employee,
			Country:       "US",
			PayCurrency:   p.Currency,
		}
		if level == 0 {
			who.Attributes = e.Participant
		} else {
			who.ManagerID = id(level - 1)
		}
		s.Participants = append(s.Participants, who)
	}
	var others []string
	for _, d := range e.Deals {
		if d.By != "" && !slices.Contains(others, d.By) {
			others = append(others, d.By)
		}
	}
	for _, g := range e.Groups {
		for _, m := range g.Members {
			if m.By != "" && !slices.Contains(others, m.By) {
				others = append(others, m.By)
			}
		}
	}
	slices.Sort(others)
	for _, name := range others {
		who := s.Participants[0]
		who.ID = other(name)
		s.Participants = append(s.Participants, who)
		s.Assignments = append(s.Assignments, incentive.Assignment{ParticipantID: who.ID, PlanID: p.ID, StartsOn: first, Version: 1})
	}
	for _, a := range s.Assignments {
		for _, name := range slices.Sorted(maps.Keys(e.Quotas)) {
			s.Quotas = append(s.Quotas, incentive.Quota{
				ParticipantID: a.ParticipantID,
				Measure:       name,
				StartsOn:      first,
				EndsOn:        incentive.DateOf(first.UTC().AddDate(0, e.Quotas[name].Months, -1)),
				Amount:        e.Quotas[name].Amount,
				Version:       1,
			})
		}
	}
	for _, r := range e.Reliefs {
		s.Reliefs = append(s.Reliefs, incentive.Relief{
			ParticipantID: id(0),
			Measure:       r.Quota,
			StartsOn:      r.From,
			EndsOn:        r.To,
			Cause:         r.Cause,
			Amount:        r.Amount,
			Share:         r.Share,
			Version:       1,
		})
	}
	for _, g := range e.Groups {
		s.Groups = append(s.Groups, incentive.Group{GroupKey: g.GroupKey, EffectiveFrom: first, Name: g.ID, ParentID: g.Parent, Covers: g.Covers, Version: 1})
		for _, m := range g.Members {
			whose := id(0)
			if m.By != "" {
				whose = other(m.By)
			}
			s.Memberships = append(s.Memberships, incentive.Membership{
				Group:         g.GroupKey,
				ParticipantID: whose,
				Role:          cmp.Or(m.Role, "member"),
				Share:         m.Share,
				StartsOn:      first,
				Version:       1,
			})
		}
		for _, name := range slices.Sorted(maps.Keys(g.Quotas)) {
			s.GroupQuotas = append(s.GroupQuotas, incentive.GroupQuota{
				Group:    g.GroupKey,
				Measure:  name,
				StartsOn: first,
				EndsOn:   last,
				Amount:   g.Quotas[name],
				Version:  1,
			})
		}
	}
	for _, o := range slices.SortedFunc(slices.Values(e.Objectives), func(a, b plan.Scores) int { return strings.Compare(a.Name, b.Name) }) {
		s.Objectives = append(s.Objectives, incentive.Objective{ParticipantID: id(0), PeriodID: s.Period.ID, Name: o.Name, Weight: o.Weight, Score: o.Score, Version: 1})
	}
	for _, name := range slices.Sorted(maps.Keys(e.Earlier)) {
		amount, err := incentive.MoneyOf(e.Earlier[name], p.Currency)
		if err != nil {
			return incentive.Statement{}, err
		}
		s.Posted = append(s.Posted, incentive.Posted{
			ParticipantID: id(0),
			PlanID:        p.ID,
			Component:     name,
			PeriodID:      "example-2025-12",
			StartsOn:      incentive.MustParseDate("2025-12-01"),
			EndsOn:        incentive.MustParseDate("2025-12-31"),
			Amount:        amount,
			Contributions: []incentive.PostedContribution{{Transaction: incentive.TransactionKey{Source: "example", ID: "earlier"}, ParticipantID: id(0), Role: "owner", ShownMinor: amount.Minor}},
		})
	}
	for _, from := range slices.Sorted(maps.Keys(e.Rates)) {
		for day := first; p.Exchange != nil && !day.After(last); day = day.AddDays(1) {
			s.Rates = append(s.Rates, incentive.ExchangeRate{
				Source:  p.Exchange.Rates,
				From:    incentive.Currency(from),
				To:      p.Currency,
				Date:    day,
				Rate:    e.Rates[from],
				Version: 1,
			})
		}
	}
	deals := slices.Clone(e.Deals)
	numbers := make([]int, len(deals))
	for i := range deals {
		if deals[i].On.IsZero() {
			deals[i].On = first
		}
		numbers[i] = i
	}
	slices.SortStableFunc(numbers, func(a, b int) int { return deals[a].On.Compare(deals[b].On) })
	called := make([]string, len(deals)) // each by its place in time
	for i, n := range numbers {
		called[n] = fmt.Sprintf("deal-%03d", i+1)
	}
	for _, n := range numbers {
		d := deals[n]
		key := incentive.TransactionKey{Source: "example", ID: called[n]}
		t := incentive.Transaction{TransactionKey: key, Version: 1, Date: d.On, Amount: d.Amount, Currency: cmp.Or(d.Currency, p.Currency), Attributes: d.Attributes}
		if d.RefundOf > 0 {
			t.RefundOf = called[d.RefundOf-1]
		}
		s.Transactions = append(s.Transactions, t)
		if d.Uncredited {
			continue
		}
		whose := id(d.Level)
		if d.By != "" {
			whose = other(d.By)
		}
		s.Credits = append(s.Credits, incentive.Credit{Transaction: key, ParticipantID: whose, Role: "owner", Share: d.Share, Version: 1})
	}
	statements, err := Calculate(ctx, s)
	if err != nil {
		return incentive.Statement{}, err
	}
	return statements[0], nil
}
