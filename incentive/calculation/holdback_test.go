package calculation

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

const (
	heldForTwo  = "{name: c, " + measure + ", rate: 10%, holdback: {share: 30%, for_months: 2}}"
	heldTillEnd = "{name: c, " + measure + ", rate: 10%, holdback: {share: 50%, for_months: 2, released_where: transaction.category == \"paid\", otherwise: "
)

// TestHoldbacks puts off and pays later.
func TestHoldbacks(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"10.00 + -3.00", "20.00 + -6.00", "0.00 + 3.00", "0.00 + 6.00", "0.00 + 0.00"},
		byMonth(t, newCompany(heldForTwo).person("r1", ""), "100", "200", "0", "0", "0"))
	require.Equal(t, []string{"-10.00 + 3.00", "0.00 + 0.00", "0.00 + -3.00"}, byMonth(t, newCompany(heldForTwo).person("r1", ""), "-100", "0", "0"), "of a refund less is taken back at first, too")

	for otherwise, paid := range map[string][]string{
		"forfeited": {"10.00 + -5.00 + 0.00", "20.00 + -10.00 + 0.00", "0.00 + 15.00 + -5.00", "0.00 + 0.00 + 0.00"},
		"released":  {"10.00 + -5.00", "20.00 + -10.00", "0.00 + 15.00", "0.00 + 0.00"},
	} {
		c := newCompany(heldTillEnd+otherwise+"}}").person("r1", "").deal("r1", 1, "100")
		c.Transactions[0].Date = day("2026-01-10")
		c.Period.StartsOn, c.Period.EndsOn = day("2026-01-01"), day("2026-01-31")
		for month, want := range paid {
			if month == 1 {
				c.deal("r1", 1, "200")
				c.Transactions[1].Date = day("2026-02-10")
			}
			if month == 2 { // the second deal is paid, and the first one's time is over
				c.Transactions[1].Attributes = map[string]string{"category": "paid"}
			}
			require.Equal(t, "r1: "+want, c.paid(t), "%s, month %d", otherwise, month+1)
			c.next(t)
		}
	}

	c := newCompany(heldTillEnd+"released}}").person("r1", "").deal("r1", 1, "100", "paid").deal("r1", 2, "100")
	lines := c.statements(t)[0].Lines
	require.Equal(t, "-5.00", lines[1].Amount.Amount(), "nothing is held back of what is paid already")
	require.Equal(t, incentive.Holdback, lines[1].Kind)
	e, err := ReadExplanation(lines[1])
	require.NoError(t, err)
	require.Equal(t, "of 10 for 1 credit, 0.5 is held back: -5", e.Steps[0].String())
	e.Steps[0].Result = decimal.NewFromInt(-7)
	lines[1].Explanation = encode(t, e)
	require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(lines[1])))

	back, err := LooksBack(c.Snapshot)
	require.NoError(t, err)
	require.Equal(t, LookBack{Since: day("2025-12-01"), Balances: []Balance{{"p", "c, held back"}}}, back, "what was sold in December may be released")
}

// TestHoldbacksComeBack holds for any deals: everything that is put off is paid in the end,
// and never more.
func TestHoldbacksComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany("{name: c, "+measure+", rate: 3.33%, cap: 50, holdback: {share: 33%, for_months: 1}}").person("r1", "")
		c.Period.StartsOn, c.Period.EndsOn = day("2026-01-01"), day("2026-01-31")
		waits := decimal.Zero
		for range rapid.IntRange(1, 5).Draw(t, "months") {
			for range rapid.IntRange(0, 4).Draw(t, "deals") {
				c.deal("r1", 1, decimal.New(rapid.Int64Range(0, 100_000).Draw(t, "sold"), -2).String())
				c.Transactions[len(c.Transactions)-1].Date = c.Period.StartsOn
			}
			waits = waits.Sub(c.statements(t)[0].Lines[1].Amount.Decimal())
			require.False(t, waits.IsNegative())
			c.next(t)
		}
		released := c.statements(t)[0].Lines[1].Amount.Decimal()
		require.True(t, released.Equal(waits), "%s of %s", released, waits)
	})
}
