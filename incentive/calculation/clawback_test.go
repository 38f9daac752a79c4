package calculation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// events changes a company by what happens in a month: "sell D 1000" on the month's tenth,
// "refund D 400" and "cancel D" on its twentieth, "uncancel D", "reduce D 500" as a correction.
func (c *company) events(t require.TestingT, all string) {
	if all == "" {
		return
	}
	for event := range strings.SplitSeq(all, ", ") {
		words := strings.Fields(event)
		at := func(day int) incentive.Date { return c.Period.StartsOn.AddDays(day - 1) }
		add := func(one incentive.Transaction) {
			one.Source, one.Version, one.Currency = "crm", 1, "USD"
			c.Transactions = append(c.Transactions, one)
		}
		change := func(change func(t *incentive.Transaction)) {
			for i := range c.Transactions {
				if c.Transactions[i].ID == words[1] {
					change(&c.Transactions[i])
				}
			}
		}
		switch words[0] {
		case "sell":
			add(incentive.Transaction{TransactionKey: incentive.TransactionKey{ID: words[1]}, Date: at(10), Amount: d(words[2])})
			c.Credits = append(c.Credits, incentive.Credit{Transaction: incentive.TransactionKey{Source: "crm", ID: words[1]}, ParticipantID: "r1", Role: "owner", Share: one, Version: 1})
		case "refund":
			add(incentive.Transaction{TransactionKey: incentive.TransactionKey{ID: fmt.Sprintf("%s-back-%d", words[1], len(c.Transactions))}, Date: at(20), Amount: d(words[2]).Neg(), RefundOf: words[1]})
		case "cancel":
			change(func(t *incentive.Transaction) { t.Attributes = map[string]string{"category": at(20).String()} })
		case "uncancel":
			change(func(t *incentive.Transaction) { t.Attributes = nil })
		case "reduce":
			change(func(t *incentive.Transaction) { t.Amount = d(words[2]) })
		default:
			require.Fail(t, event)
		}
	}
}

// inMonths calculates one month after the other, from January 2026 on.
func inMonths(t require.TestingT, c *company, months ...string) (paid []string) {
	c.Period.StartsOn, c.Period.EndsOn = day("2026-01-01"), day("2026-01-31")
	for _, month := range months {
		c.events(t, month)
		paid = append(paid, strings.TrimPrefix(c.paid(t), "r1: "))
		for _, s := range c.statements(t) {
			for _, line := range s.Lines {
				require.NoError(t, CheckLine(line))
			}
		}
		c.next(t)
	}
	return paid
}

// TestClawbacks takes back what was paid, and no more.
func TestClawbacks(t *testing.T) {
	t.Parallel()
	const rate = measure + ", rate: 10%, "
	for name, c := range map[string]struct {
		component    string
		events, paid []string
	}{
		"a refund":                    {rate + "clawback: {within_months: 12}", []string{"sell D 1000", "", "refund D 1000", ""}, []string{"100.00 + 0.00", "0.00 + 0.00", "0.00 + -100.00", "0.00 + 0.00"}},
		"in the month of the sale":    {rate + "clawback: {within_months: 12}", []string{"sell D 1000, refund D 1000", ""}, []string{"100.00 + -100.00", "0.00 + 0.00"}},
		"in part, and then the rest":  {rate + "clawback: {within_months: 12}", []string{"sell D 1000", "refund D 333.33", "refund D 333.33", "refund D 333.34", "refund D 1000"}, []string{"100.00 + 0.00", "0.00 + -33.33", "0.00 + -33.34", "0.00 + -33.33", "0.00 + 0.00"}},
		"the time is over":            {rate + "clawback: {within_months: 1}", []string{"sell D 1000", "", "refund D 1000"}, []string{"100.00 + 0.00", "0.00 + 0.00", "0.00 + 0.00"}},
		"a cancellation":              {rate + "clawback: {within_months: 12, cancelled_on: transaction.category}", []string{"sell D 1000, sell E 10", "cancel D", "", "uncancel D", ""}, []string{"101.00 + 0.00", "0.00 + -100.00", "0.00 + 0.00", "0.00 + 100.00", "0.00 + 0.00"}},
		"cancelled and refunded":      {rate + "clawback: {within_months: 12, cancelled_on: transaction.category}", []string{"sell D 1000", "cancel D, refund D 400"}, []string{"100.00 + 0.00", "0.00 + -100.00"}},
		"for the days left":           {rate + "clawback: {within_months: 12, prorated: true}", []string{"sell D 3650", "refund D 3650"}, []string{"365.00 + 0.00", "0.00 + -324.00"}},
		"at the rate of its time":     {measure + ", rate_table: {on: amount, tiers: [{up_to: 1000, rate: 1%}, {rate: 2%}]}, clawback: {within_months: 12}", []string{"sell D 1000, sell E 1000", "sell F 2000, refund E 1000"}, []string{"30.00 + 0.00", "30.00 + -20.00"}},
		"what was reached stays":      {measure + ", cumulative: {over: quarter, pays: rate_only}, rate_by: {key: {on: amount}, tiers: [{below: 2000, rate: 1%}, {rate: 2%}]}, clawback: {within_months: 12}", []string{"sell D 1500", "refund D 1500, sell E 500"}, []string{"15.00 + 0.00", "10.00 + -15.00"}},
		"what was not paid":           {rate + "cap_each_transaction: 30, clawback: {within_months: 12}", []string{"sell D 1000", "refund D 1000"}, []string{"30.00 + 0.00", "0.00 + -30.00"}},
		"what waits is not taken yet": {rate + "holdback: {share: 40%, for_months: 2}, clawback: {within_months: 12}", []string{"sell D 1000", "refund D 1000", "", ""}, []string{"100.00 + -40.00 + 0.00", "0.00 + 0.00 + -60.00", "0.00 + 40.00 + -40.00", "0.00 + 0.00 + 0.00"}},
		"in instalments":              {rate + "clawback: {within_months: 12, instalments: 3}", []string{"sell D 1000, sell E 500", "refund D 1000", "refund E 500", "", "", ""}, []string{"150.00 + 0.00 + 0.00", "0.00 + -100.00 + 66.66", "0.00 + -50.00 + 0.00", "0.00 + 0.00 + -50.00", "0.00 + 0.00 + -16.66", "0.00 + 0.00 + 0.00"}},
		"undone in between":           {rate + "clawback: {within_months: 12, cancelled_on: transaction.category, instalments: 3}", []string{"sell D 900", "cancel D", "uncancel D", "", ""}, []string{"90.00 + 0.00 + 0.00", "0.00 + -90.00 + 60.00", "0.00 + 90.00 + -60.00", "0.00 + 0.00 + 0.00", "0.00 + 0.00 + 0.00"}},
		"of a sale of nothing":        {measure + ", rate: 5%, cap_each_transaction: 10, floor: 3, clawback: {within_months: 12}", []string{"sell D 0", "refund D 0"}, []string{"3.00 + 0.00", "3.00 + 0.00"}},
		"a negative sale":             {rate + "clawback: {within_months: 12}", []string{"sell D -1000", "refund D -1000"}, []string{"-100.00 + 0.00", "0.00 + 0.00"}},
		"more than was sold":          {rate + "clawback: {within_months: 12}", []string{"sell D 1000", "refund D 1500"}, []string{"100.00 + 0.00", "0.00 + -100.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.paid, inMonths(t, newCompany("{name: c, "+c.component+"}").person("r1", ""), c.events...))
		})
	}
}

// TestClawbackOfAnOverride takes from the manager what the manager was paid.
func TestClawbackOfAnOverride(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, override: {level: 1}, "+measure+", rate: 1%, clawback: {within_months: 12}}").person("m1", "").person("r1", "m1")
	require.Equal(t, []string{"m1: 10.00 + 0.00; r1: 0.00 + 0.00", "m1: 0.00 + -5.00; r1: 0.00 + 0.00"}, inMonths(t, c, "sell D 1000", "refund D 500"))
}

// TestRefundIsNoCredit leaves a refund out of what reaches for a quota, credited or not, and
// off the list of what nobody is credited with; a component that does not take back counts it.
func TestRefundIsNoCredit(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 1, clawback: {within_months: 12}}", "{name: plain, "+measure+", rate: 1}").person("r1", "").deal("r1", 1, "100").deal("r1", 2, "-40")
	c.Transactions[1].RefundOf = c.Transactions[0].ID
	require.Equal(t, "r1: 100.00 + -40.00 + 60.00", c.paid(t))
	c.Credits = c.Credits[:1]
	require.Equal(t, "r1: 100.00 + -40.00 + 100.00", c.paid(t))
	result, err := Run(t.Context(), c.Snapshot)
	require.NoError(t, err)
	require.Zero(t, result.Uncredited)
	c.plan("", "{name: plain, "+measure+", rate: 1}")
	result, err = Run(t.Context(), c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, 1, result.Uncredited, "where nothing takes back, somebody has to say whose it is")
}

// TestSettling pays those who have left a plan what it held back, and takes back what it paid
// them; there is no statement where there is nothing of either.
func TestSettling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		component    string
		events, paid []string
	}{
		"a holdback":                {"holdback: {share: 40%, for_months: 2}", []string{"sell D 1000", "", "", ""}, []string{"100.00 + -40.00", "", "40.00", ""}},
		"a clawback":                {"clawback: {within_months: 3}", []string{"sell D 1000", "", "refund D 500", ""}, []string{"100.00 + 0.00", "", "-50.00", ""}},
		"a clawback too late":       {"clawback: {within_months: 1}", []string{"sell D 1000", "", "refund D 500", ""}, []string{"100.00 + 0.00", "", "", ""}},
		"a clawback in two":         {"clawback: {within_months: 3, instalments: 2}", []string{"sell D 1000", "", "refund D 500", "", ""}, []string{"100.00 + 0.00 + 0.00", "", "-50.00 + 25.00", "0.00 + -25.00", ""}},
		"both":                      {"holdback: {share: 40%, for_months: 2}, clawback: {within_months: 3}", []string{"sell D 1000", "refund D 1000", "", ""}, []string{"100.00 + -40.00 + 0.00", "0.00 + -60.00", "40.00 + -40.00", ""}},
		"nothing that could settle": {"cap: 50", []string{"sell D 1000", ""}, []string{"50.00", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company := newCompany("{name: c, "+measure+", rate: 10%, "+c.component+"}").person("r1", "")
			company.Assignments[0].EndsOn = day("2026-01-20")
			require.Equal(t, c.paid, inMonths(t, company, c.events...))
		})
	}
}

// TestClawbackSaysWhy is the arithmetic of a clawback, and a clawback that is not right.
func TestClawbackSaysWhy(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 10%, clawback: {within_months: 12, instalments: 2}}").person("r1", "")
	inMonths(t, c, "sell D 1000", "refund D 400")
	c.events(t, "refund D 600")
	lines := c.statements(t)[0].Lines
	e, err := ReadExplanation(lines[1])
	require.NoError(t, err)
	require.Equal(t, "D of crm is refunded or cancelled: of 100 paid for it, × 1 is taken back, less 40 taken before: -60", e.Steps[0].String())
	require.Equal(t, incentive.Earning, lines[1].Kind)
	require.Equal(t, incentive.Clawback, lines[2].Kind)
	later, err := ReadExplanation(lines[2])
	require.NoError(t, err)
	require.Equal(t, "taken back in instalments: of all that is to be taken, 30 waits for later periods, and 20 waited before: 10", later.Steps[0].String())
	e.Steps[0].Result = d("-70")
	lines[1].Explanation = encode(t, e)
	require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(lines[1])))

	c = newCompany("{name: c, "+measure+", rate: 10%, clawback: {within_months: 12, cancelled_on: transaction.category}}").person("r1", "").deal("r1", 1, "100", "soon")
	_, err = Calculate(t.Context(), c.Snapshot)
	require.Equal(t, `"category" of transaction T0000 of crm is "soon", and the plan reads a day there, such as 2026-01-31`, incentive.ErrorMessage(err))

	c = newCompany("{name: c, "+measure+", rate: 10%, clawback: {within_months: 12}}").person("r1", "").deal("r1", 1, "100").deal("r1", 2, "-100")
	c.Transactions[1].RefundOf, c.Transactions[1].Currency = c.Transactions[0].ID, "EUR"
	_, err = Calculate(t.Context(), c.Snapshot)
	require.Equal(t, CodeCurrencyDiffers, incentive.ErrorCode(err))

	back, err := LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, LookBack{Since: day("2026-03-01"), Balances: []Balance{{"p", "c, clawed back"}}, Clawbacks: []Clawback{{"p", "c", "c, clawed back"}}, ClawbacksSince: day("2025-02-01")}, back)
}

// TestNeverBoth corrects a deal and refunds it: the difference line and the clawback take
// what was paid once.
func TestNeverBoth(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 10%, clawback: {within_months: 12}}").person("r1", "").deal("r1", 1, "1000").deal("r1", 2, "50")
	c.Period.StartsOn, c.Period.EndsOn = day("2026-03-01"), day("2026-03-31")
	posted := c.statements(t)
	for corrected, paid := range map[string]string{"1000": "r1: 0.00 + -100.00", "400": "r1: 0.00 + -40.00 + -60.00", "0": "r1: 0.00 + 0.00 + -100.00"} {
		c.Transactions[0].Amount = d(corrected)
		april := c.inApril(posted)
		april.Transactions = append(april.Transactions, c.Transactions...)
		april.Credits = append(april.Credits, c.Credits...)
		april.Transactions = append(april.Transactions, incentive.Transaction{TransactionKey: incentive.TransactionKey{Source: "crm", ID: "R"}, Version: 1, Date: day("2026-04-05"), Amount: d(corrected).Neg(), Currency: "USD", RefundOf: c.Transactions[0].ID})
		for _, l := range posted[0].Lines {
			one := incentive.Posted{ParticipantID: "r1", PlanID: "p", Component: l.Component, PeriodID: c.Period.ID, StartsOn: c.Period.StartsOn, EndsOn: c.Period.EndsOn, Amount: l.Amount}
			for _, part := range l.Contributions {
				one.Contributions = append(one.Contributions, incentive.PostedContribution{Transaction: part.Transaction, ParticipantID: "r1", Role: part.Role, ShownMinor: part.Shown.Minor})
			}
			april.Posted = append(april.Posted, one)
		}
		require.Equal(t, paid, april.paid(t), corrected)
	}
}

// TestClawbacksNeverTakeMore holds for any sales, refunds and corrections: all that was
// taken lies between nothing and all that was paid, and in the end it is what is refunded.
func TestClawbacksNeverTakeMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		extra := rapid.SampledFrom([]string{"", ", cap: 40", ", holdback: {share: 33%, for_months: 1}"}).Draw(t, "extra")
		instalments := rapid.IntRange(1, 3).Draw(t, "instalments")
		c := newCompany(fmt.Sprintf("{name: c, %s, rate: 3.33%%%s, clawback: {within_months: 24, instalments: %d}}", measure, extra, instalments)).person("r1", "")
		var months []string
		sold := map[string]decimal.Decimal{}
		var names []string
		for month := range rapid.IntRange(1, 5).Draw(t, "months") {
			var events []string
			for deal := range rapid.IntRange(0, 3).Draw(t, "deals") {
				name := fmt.Sprintf("D%d%d", month, deal)
				sold[name] = decimal.New(rapid.Int64Range(1, 100_000).Draw(t, "sold"), -2)
				names = append(names, name)
				events = append(events, fmt.Sprintf("sell %s %s", name, sold[name]))
			}
			if len(names) > 0 && rapid.Bool().Draw(t, "refunds") {
				name := rapid.SampledFrom(names).Draw(t, "which")
				events = append(events, fmt.Sprintf("refund %s %s", name, sold[name].Div(decimal.NewFromInt(rapid.Int64Range(1, 3).Draw(t, "part"))).Round(2)))
			}
			months = append(months, strings.Join(events, ", "))
		}
		var everything []string
		for _, name := range names {
			everything = append(everything, fmt.Sprintf("refund %s %s", name, sold[name]))
		}
		months = append(months, strings.Join(everything, ", "), "", "", "", "")
		total := decimal.Zero
		for _, month := range inMonths(t, c, months...) {
			for line := range strings.SplitSeq(month, " + ") {
				total = total.Add(d(line))
			}
			require.False(t, total.IsNegative(), "no more is taken than was paid")
		}
		require.True(t, total.IsZero(), "all is refunded, and %s is kept", total)
	})
}
