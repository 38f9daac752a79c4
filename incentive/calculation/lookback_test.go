package calculation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// next posts the month's statements and turns to the month after it.
func (c *company) next(t require.TestingT) {
	for _, s := range c.statements(t) {
		for _, line := range s.Lines {
			posted := incentive.Posted{ParticipantID: s.ParticipantID, PlanID: line.PlanID, Component: line.Component, PeriodID: c.Period.ID,
				StartsOn: c.Period.StartsOn, EndsOn: c.Period.EndsOn, Amount: line.Amount}
			for _, part := range line.Contributions {
				posted.Contributions = append(posted.Contributions, incentive.PostedContribution{Transaction: part.Transaction, ParticipantID: part.ParticipantID, Role: part.Role, ShownMinor: part.Shown.Minor})
			}
			c.Posted = append(c.Posted, posted)
		}
	}
	first := incentive.DateOf(c.Period.StartsOn.UTC().AddDate(0, 1, 0))
	c.Period.StartsOn, c.Period.EndsOn = first, incentive.DateOf(first.UTC().AddDate(0, 1, -1))
	c.Period.Code = first.UTC().Format("2006-01")
	c.Period.ID = "m-" + c.Period.Code
}

// months pays amounts sold in consecutive months from January on, by lines.
func byMonth(t require.TestingT, c *company, amounts ...string) []string {
	c.Period.StartsOn = day("2026-01-01")
	c.Period.EndsOn = day("2026-01-31")
	var paid []string
	for _, amount := range amounts {
		if amount != "0" {
			c.Transactions = append(c.Transactions, incentive.Transaction{TransactionKey: incentive.TransactionKey{Source: "crm", ID: fmt.Sprintf("M%03d", len(c.Transactions))}, Version: 1, Date: c.Period.StartsOn.AddDays(9), Amount: d(amount), Currency: "USD"})
			c.Credits = append(c.Credits, incentive.Credit{Transaction: c.Transactions[len(c.Transactions)-1].TransactionKey, ParticipantID: "r1", Role: "owner", Share: one, Version: 1})
		}
		c.Quotas = append(c.Quotas, incentive.Quota{ParticipantID: "r1", Measure: "sales", StartsOn: c.Period.StartsOn, EndsOn: c.Period.EndsOn, Amount: d("1000"), Version: 1})
		paid = append(paid, strings.TrimPrefix(c.paid(t), "r1: "))
		c.next(t)
	}
	return paid
}

// TestCumulative is what looking back means.
func TestCumulative(t *testing.T) {
	t.Parallel()
	const table = "{name: c, " + measure + ", cumulative: {%s}, rate_table: {on: attainment, quota: sales, retroactive: %t, tiers: [{up_to: 100%%, rate: 1%%}, {rate: 2%%}]}}"
	for name, c := range map[string]struct {
		component string
		sold      []string
		paid      []string
	}{
		// 1 % of 500; then 1500 of a quota of 2000; then 3500 of 3000, wholly at 2 %.
		"true-up":                   {fmt.Sprintf(table, "over: year, pays: true_up", true), []string{"500", "1000", "2000"}, []string{"5.00", "10.00", "55.00"}},
		"true-up that takes back":   {fmt.Sprintf(table, "over: year, pays: true_up", true), []string{"1500", "0", "0"}, []string{"30.00", "-15.00", "0.00"}},
		"rate only":                 {fmt.Sprintf(table, "over: year, pays: rate_only", true), []string{"500", "1000", "2000"}, []string{"5.00", "10.00", "40.00"}},
		"rate only, marginal":       {fmt.Sprintf(table, "over: year, pays: rate_only", false), []string{"500", "1000", "2000"}, []string{"5.00", "10.00", "25.00"}},
		"a new quarter":             {fmt.Sprintf(table, "over: quarter, pays: true_up", true), []string{"0", "0", "4000", "500"}, []string{"0.00", "0.00", "80.00", "5.00"}},
		"years that begin in March": {fmt.Sprintf(table, "over: year, pays: true_up, year_begins_in_month: 3", true), []string{"3000", "0", "500"}, []string{"60.00", "0.00", "5.00"}},
		"a curve":                   {"{name: c, " + measure + ", cumulative: {over: year, pays: rate_only}, curve: {on: amount, points: [{at: 0, pays: 0}, {at: 1000, pays: 10}, {at: 2000, pays: 110}]}}", []string{"500", "1000", "1000"}, []string{"5.00", "55.00", "50.00"}},
		"a count picks the rate":    {"{name: c, " + measure + ", cumulative: {over: half, pays: rate_only}, rate_by: {key: {on: count}, tiers: [{up_to: 1, rate: 1%}, {rate: 2%}]}}", []string{"100", "100"}, []string{"1.00", "2.00"}},
		"a bonus once":              {"{name: c, " + measure + ", cumulative: {over: year, pays: true_up}, bonus: 500, gate: {on: amount, at_least: 1000}}", []string{"600", "600", "600"}, []string{"0.00", "500.00", "0.00"}},
		"new customers so far":      {"{name: c, measure: {distinct: transaction.date}, cumulative: {over: year, pays: rate_only}, rate: 10}", []string{"600", "600"}, []string{"10.00", "10.00"}},
		"a deduction comes back":    {"{name: c, " + measure + ", cumulative: {over: year, pays: true_up}, rate: 10%, deduct: 5}", []string{"600", "600"}, []string{"55.00", "60.00"}},
		"paid at the end":           {"{name: c, " + measure + ", cumulative: {over: quarter, pays: at_end}, bonus: 500, floor: 7, gate: {on: amount, at_least: 1500}}", []string{"600", "600", "600", "600"}, []string{"0.00", "0.00", "500.00", "0.00"}},
		"deals paid at the end":     {"{name: c, " + measure + ", cumulative: {over: quarter, pays: at_end}, rate: 10%}", []string{"600", "600", "600"}, []string{"0.00", "0.00", "180.00"}},
		"a cap of the year":         {"{name: c, " + measure + ", cumulative: {over: year, pays: true_up}, rate: 10%, cap: 100}", []string{"600", "600", "600"}, []string{"60.00", "40.00", "0.00"}},
		"since coming to the plan":  {"{name: c, " + measure + ", cumulative: {over: plan, pays: true_up}, rate: 10%, cap: 100}", []string{"600", "600"}, []string{"60.00", "40.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company := newCompany(c.component).person("r1", "")
			require.Equal(t, c.paid, byMonth(t, company, c.sold...))
		})
	}
}

// TestGoal holds what was sold in January to January's quota, or to the quarter's.
func TestGoal(t *testing.T) {
	t.Parallel()
	for goal, paid := range map[string]string{"to_date": "r1: 30.00", "whole": "r1: 15.00"} {
		c := newCompany("{name: c, "+measure+", cumulative: {over: quarter, pays: true_up, goal: "+goal+"}, rate_table: {on: attainment, quota: sales, retroactive: true, tiers: [{up_to: 100%, rate: 1%}, {rate: 2%}]}}").person("r1", "")
		c.Period.StartsOn, c.Period.EndsOn = day("2026-01-01"), day("2026-01-31")
		for _, first := range []string{"2026-01-01", "2026-02-01", "2026-03-01"} {
			c.Quotas = append(c.Quotas, incentive.Quota{ParticipantID: "r1", Measure: "sales", StartsOn: day(first), EndsOn: incentive.DateOf(day(first).UTC().AddDate(0, 1, -1)), Amount: d("1000"), Version: 1})
		}
		c.deal("r1", 1, "1500")
		c.Transactions[0].Date = day("2026-01-05")
		require.Equal(t, paid, c.paid(t), goal)
	}
}

func TestLooksBack(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", cumulative: {over: half, pays: true_up, year_begins_in_month: 2}, rate: 1%}").person("r1", "")
	back, err := LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, LookBack{Since: day("2026-02-01"), Cumulative: []string{"p"}}, back)
	c.plan("draw: {amount: 10, kind: recoverable}\n", "{name: c, "+measure+", rate: 1%}")
	back, err = LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, LookBack{Since: day("2026-03-01"), Balances: []Balance{{"p", "Draw"}}}, back)
	c.plan("cap: {amount: 5, over: quarter, excess: carried_over}\n", "{name: c, "+measure+", rate: 1%, cap: {amount: 3, excess: carried_over}}")
	back, err = LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, LookBack{Since: day("2026-01-01"), Cumulative: []string{"p"}, Balances: []Balance{{"p", "Cap"}, {"p", "c, carried over"}}}, back)
	c.plan("cap: {amount: 5}\ndraw: {amount: 10, kind: non_recoverable}\n", "{name: c, "+measure+", rate: 1%}")
	back, err = LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, LookBack{Since: day("2026-03-01")}, back)
	c.plan("", "{name: c, "+measure+", cumulative: {over: plan, pays: true_up}, rate: 1%}")
	back, err = LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, day("2020-01-01"), back.Since)
}

// TestIntervals is where intervals start and end.
func TestIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		over              plan.Interval
		month             int
		on, starts, until string
	}{
		{plan.Year, 1, "2026-12-31", "2026-01-01", "2026-12-31"},
		{plan.Year, 4, "2026-03-31", "2025-04-01", "2026-03-31"},
		{plan.Year, 4, "2026-04-01", "2026-04-01", "2027-03-31"},
		{plan.Quarter, 1, "2026-05-15", "2026-04-01", "2026-06-30"},
		{plan.Quarter, 2, "2026-01-15", "2025-11-01", "2026-01-31"},
		{plan.Half, 1, "2026-07-01", "2026-07-01", "2026-12-31"},
		{plan.Half, 12, "2026-05-31", "2025-12-01", "2026-05-31"},
		{plan.PlanToDate, 1, "2026-05-31", "2024-02-29", "2026-05-31"},
	} {
		back := plan.Cumulative{Over: c.over, Month: c.month}
		starts := back.Starts(day(c.on), day("2024-02-29"))
		require.Equal(t, c.starts, starts.String(), "%+v", c)
		require.Equal(t, c.until, back.Ends(starts, day(c.on)).String(), "%+v", c)
	}
}

// TestTrueUpsComeToTheYear holds for any months: what they pay is what the year is due.
func TestTrueUpsComeToTheYear(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		component := rapid.SampledFrom([]string{
			"rate_table: {on: attainment, quota: sales, tiers: [{up_to: 90%, rate: 1.11%}, {rate: 2.22%, retroactive: true}]}",
			"rate: 3.333%, cap: 77.77",
			"curve: {on: attainment, quota: sales, of: 999, points: [{at: 30%, pays: 0}, {at: 100%, pays: 100%}], beyond: extend}",
		}).Draw(t, "component")
		var sold []string
		for range rapid.IntRange(1, 6).Draw(t, "months") {
			sold = append(sold, decimal.New(rapid.Int64Range(-20_000, 200_000).Draw(t, "sold"), -2).String())
		}
		c := newCompany("{name: c, "+measure+", cumulative: {over: year, pays: true_up}, "+component+"}").person("r1", "")
		paid := decimal.Zero
		for _, month := range byMonth(t, c, sold...) {
			paid = paid.Add(d(month))
		}
		// The same year as one period.
		whole := newCompany("{name: c, "+measure+", "+component+"}").person("r1", "")
		whole.Transactions, whole.Credits, whole.Quotas = c.Transactions, c.Credits, c.Quotas
		whole.Period.StartsOn, whole.Period.EndsOn = day("2026-01-01"), c.Period.StartsOn.AddDays(-1)
		require.Equal(t, "r1: "+paid.StringFixed(2), whole.paid(t))
	})
}

// TestDraws advances and recovers.
func TestDraws(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		draw         string
		earned, paid []string
	}{
		"not recoverable":       {"{amount: 100, kind: non_recoverable}", []string{"50", "0", "300"}, []string{"50.00 + 50.00", "0.00 + 100.00", "300.00 + 0.00"}},
		"recoverable":           {"{amount: 100, kind: recoverable}", []string{"50", "120", "300"}, []string{"50.00 + 50.00", "120.00 + -20.00", "300.00 + -30.00"}},
		"never below the draw":  {"{amount: 100, kind: recoverable}", []string{"0", "100"}, []string{"0.00 + 100.00", "100.00 + 0.00"}},
		"so much and no more":   {"{amount: 100, kind: recoverable, recover_at_most: 25}", []string{"0", "1000", "110"}, []string{"0.00 + 100.00", "1000.00 + -25.00", "110.00 + -10.00"}},
		"for two months":        {"{amount: 100, kind: recoverable, advanced_for_months: 2}", []string{"0", "0", "-20", "130"}, []string{"0.00 + 100.00", "0.00 + 100.00", "-20.00 + 0.00", "130.00 + -30.00"}},
		"recovered later":       {"{amount: 100, kind: recoverable, recovered_from_month: 3}", []string{"0", "150", "150"}, []string{"0.00 + 100.00", "150.00 + 0.00", "150.00 + -50.00"}},
		"down to nothing":       {"{amount: 100, kind: recoverable, advanced_for_months: 1, recovered_down_to: 10}", []string{"0", "30", "200"}, []string{"0.00 + 100.00", "30.00 + -20.00", "200.00 + -80.00"}},
		"never below, advanced": {"{amount: 100, kind: recoverable, recovered_down_to: 10}", []string{"0", "130"}, []string{"0.00 + 100.00", "130.00 + -30.00"}},
		"forgiven":              {"{amount: 100, kind: recoverable, recover_at_most: 10, forgiven_after_month: 2}", []string{"0", "120", "120", "0"}, []string{"0.00 + 100.00 + 0.00", "120.00 + -10.00 + 0.00", "120.00 + -90.00 + 90.00", "0.00 + 0.00 + 0.00"}},
		"guaranteed for a time": {"{amount: 100, kind: non_recoverable, advanced_for_months: 1}", []string{"40", "40"}, []string{"40.00 + 60.00", "40.00 + 0.00"}},
		"months of service":     {"{amount: 100, kind: non_recoverable, advanced_for_months: 2, months_since: participant.hired_on}", []string{"40", "40"}, []string{"40.00 + 60.00", "40.00 + 0.00"}},
		"negative earnings too": {"{amount: 100, kind: recoverable}", []string{"-20", "500"}, []string{"-20.00 + 120.00", "500.00 + -120.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company := newCompany().person("r1", "", "hired_on", "2025-12-31")
			company.Assignments[0].StartsOn = day("2026-01-01")
			company.plan("draw: "+c.draw+"\n", "{name: c, "+measure+", rate: 1}")
			require.Equal(t, c.paid, byMonth(t, company, c.earned...))
		})
	}
	c := newCompany().person("r1", "")
	c.plan("draw: {amount: 100, kind: recoverable}\n", "{name: c, "+measure+", rate: 1}")
	lines := c.statements(t)[0].Lines
	require.Equal(t, incentive.DrawOf, lines[1].Kind, "an advance is no expense")
	require.Equal(t, incentive.Earning, lines[0].Kind)
}

// TestCaps is what becomes of what lies above a cap.
func TestCaps(t *testing.T) {
	t.Parallel()
	const rate = "{name: c, " + measure + ", rate: 1}"
	for name, c := range map[string]struct {
		extra        string
		components   []string
		earned, paid []string
	}{
		"of a component, carried over": {"", []string{"{name: c, " + measure + ", rate: 1, cap: {amount: 100, excess: carried_over}}"}, []string{"250", "70", "-10", "0"},
			[]string{"250.00 + -150.00", "70.00 + 30.00", "-10.00 + 110.00", "0.00 + 10.00"}},
		"of a component, lost": {"", []string{"{name: c, " + measure + ", rate: 1, cap: {amount: 100, excess: lost}}"}, []string{"250", "70"}, []string{"100.00", "70.00"}},
		"of all components":    {"cap: 100\n", []string{rate, "{name: b, bonus: 30}"}, []string{"50", "90", "0"}, []string{"50.00 + 30.00 + 0.00", "90.00 + 30.00 + -20.00", "0.00 + 30.00 + 0.00"}},
		"carried over":         {"cap: {amount: 100, excess: carried_over}\n", []string{rate, "{name: b, bonus: 30}"}, []string{"90", "40", "0"}, []string{"90.00 + 30.00 + -20.00", "40.00 + 30.00 + 20.00", "0.00 + 30.00 + 0.00"}},
		"of a quarter":         {"cap: {amount: 100, over: quarter}\n", []string{rate}, []string{"80", "30", "-20", "30"}, []string{"80.00 + 0.00", "30.00 + -10.00", "-20.00 + 0.00", "30.00 + 0.00"}},
		"of a quarter, carried into the next": {"cap: {amount: 100, over: quarter, excess: carried_over}\n", []string{rate}, []string{"80", "30", "0", "95", "10", "0", "0"},
			[]string{"80.00 + 0.00", "30.00 + -10.00", "0.00 + 0.00", "95.00 + 5.00", "10.00 + -10.00", "0.00 + 0.00", "0.00 + 15.00"}},
		"of a year that begins in February": {"cap: {amount: 100, over: year, year_begins_in_month: 2}\n", []string{rate}, []string{"100", "60", "60"}, []string{"100.00 + 0.00", "60.00 + 0.00", "60.00 + -20.00"}},
		"before the draw":                   {"cap: 100\ndraw: {amount: 50, kind: recoverable}\n", []string{rate}, []string{"0", "300"}, []string{"0.00 + 0.00 + 50.00", "300.00 + -200.00 + -50.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company := newCompany().person("r1", "")
			company.plan(c.extra, c.components...)
			require.Equal(t, c.paid, byMonth(t, company, c.earned...))
		})
	}
	c := newCompany().person("r1", "").deal("r1", 1, "300")
	c.plan("cap: {amount: 100, excess: carried_over}\n", rate)
	require.Equal(t, incentive.Holdback, c.statements(t)[0].Lines[1].Kind, "what is carried over is an expense already")
	c.plan("cap: 100\n", rate)
	require.Equal(t, incentive.Earning, c.statements(t)[0].Lines[1].Kind, "what is lost is none")
}

// TestNothingIsLost holds for any earnings: what is paid never goes above the cap, and
// what is not paid waits.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany().person("r1", "")
		over := rapid.SampledFrom([]string{"", ", over: quarter"}).Draw(t, "over")
		c.plan("cap: {amount: 200"+over+", excess: carried_over}\n", "{name: c, "+measure+", rate: 1}")
		var sold []string
		for range rapid.IntRange(1, 8).Draw(t, "months") {
			sold = append(sold, decimal.New(rapid.Int64Range(0, 60_000).Draw(t, "sold"), -2).String())
		}
		waits, inQuarter := decimal.Zero, decimal.Zero
		for n, month := range byMonth(t, c, sold...) {
			earned, moved, _ := strings.Cut(month, " + ")
			if over == "" || n%3 == 0 {
				inQuarter = decimal.Zero
			}
			inQuarter = inQuarter.Add(d(earned)).Add(d(moved))
			waits = waits.Sub(d(moved))
			require.False(t, waits.IsNegative())
			require.False(t, inQuarter.GreaterThan(d("200")))
			require.True(t, waits.IsZero() || inQuarter.Equal(d("200")), "nothing waits where there is room")
		}
	})
}

// TestDrawsBalance holds for any earnings: what is paid is what was earned and what is
// owed, and nobody ever owes less than nothing.
func TestDrawsBalance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany().person("r1", "")
		end := rapid.SampledFrom([]string{"", ", recovered_from_month: 3, forgiven_after_month: 6"}).Draw(t, "end")
		c.Assignments[0].StartsOn = day("2026-01-01")
		c.plan("draw: {amount: 200, kind: recoverable, recover_at_most: 150"+end+"}\n", "{name: c, "+measure+", rate: 1}")
		var sold []string
		for range rapid.IntRange(1, 8).Draw(t, "months") {
			sold = append(sold, decimal.New(rapid.Int64Range(0, 60_000).Draw(t, "sold"), -2).String())
		}
		owed := decimal.Zero
		for n, month := range byMonth(t, c, sold...) {
			lines := strings.Split(month, " + ")
			owed = owed.Add(d(lines[1]))
			require.False(t, owed.IsNegative(), "no more is recovered than was advanced")
			pay := d("0")
			for _, line := range lines {
				pay = pay.Add(d(line))
			}
			if n < 6 || end == "" {
				require.False(t, pay.LessThan(d("200")), "pay never falls below the draw")
			} else {
				require.True(t, pay.Equal(d(lines[0])), "what is forgiven is not paid again")
			}
		}
	})
}
