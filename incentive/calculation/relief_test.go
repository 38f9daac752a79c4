package calculation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

func (c *company) relieve(from, to string, amount, share string) *company {
	r := incentive.Relief{ParticipantID: "r1", Measure: "sales", StartsOn: day(from), EndsOn: day(to), Cause: incentive.ReliefLeave, Version: 1}
	if amount != "" {
		exact := d(amount)
		r.Amount = &exact
	}
	if share != "" {
		exact := d(share)
		r.Share = &exact
	}
	c.Reliefs = append(c.Reliefs, r)
	return c
}

// TestReliefs is what is left in March of a year's quota of 3650.
func TestReliefs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule, from, to, amount, share string
		paid                          [2]string // on the plan all the time, and from the 22nd on
	}{
		"a share of the month":           {"", "2026-03-01", "2026-03-31", "", "0.5", [2]string{"155.00", "50.00"}},
		"a share of some days":           {"", "2026-03-11", "2026-03-20", "", "1", [2]string{"210.00", "100.00"}},
		"days outside the period":        {"", "2026-02-01", "2026-03-10", "", "1", [2]string{"210.00", "100.00"}},
		"another month":                  {"", "2026-02-01", "2026-02-28", "", "1", [2]string{"310.00", "100.00"}},
		"an amount":                      {"", "2026-03-01", "2026-03-31", "62", "", [2]string{"248.00", "80.00"}},
		"an amount over two months":      {"", "2026-03-01", "2026-04-30", "122", "", [2]string{"248.00", "80.00"}},
		"an amount of some days":         {"", "2026-03-01", "2026-03-10", "62", "", [2]string{"248.00", "100.00"}},
		"an amount however long":         {"prorated: not", "2026-03-01", "2026-03-10", "62", "", [2]string{"248.00", "248.00"}},
		"a share of a month that counts": {"prorated: by_months", "2026-03-01", "2026-03-31", "", "0.5", [2]string{"152.08", "152.08"}},
		"some days of such a month":      {"prorated: by_months", "2026-02-15", "2026-03-15", "", "1", [2]string{"156.99", "156.99"}}, // 15 of 31 days
		"a share of a weighted quota":    {"weights: [50%, 0, 0, 50%]", "2026-03-01", "2026-03-31", "", "0.5", [2]string{"314.31", "101.39"}},
		"a share of a ramped quota":      {"ramp: {since: participant.hired_on, shares: [10%, 50%]}", "2026-03-01", "2026-03-31", "", "0.5", [2]string{"77.50", "25.00"}},
		"nothing is left":                {"", "2026-03-01", "2026-03-31", "", "1", [2]string{"0.00", "0.00"}},
		"more than there was":            {"", "2026-03-01", "2026-03-31", "1000", "", [2]string{"0.00", "0.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := yearly(test.rule).relieve(test.from, test.to, test.amount, test.share)
			require.Equal(t, "r1: "+test.paid[0], c.paid(t))
			c.Assignments[0].StartsOn = day("2026-03-22")
			require.Equal(t, "r1: "+test.paid[1], c.paid(t))
		})
	}
}

// TestAReliefIsExplained has it as a step of its own, and says of a deal that earns nothing because
// nothing is left of the quota that this is why.
func TestAReliefIsExplained(t *testing.T) {
	t.Parallel()
	words := func(c *company) (words []string, line incentive.Line) {
		line = c.statements(t)[0].Lines[0]
		require.NoError(t, CheckLine(line))
		e, err := ReadExplanation(line)
		require.NoError(t, err)
		for _, s := range e.Steps {
			words = append(words, s.String())
		}
		return words, line
	}
	said, _ := words(yearly("").relieve("2026-03-01", "2026-03-31", "", "0.5").relieve("2026-03-11", "2026-04-09", "60", ""))
	require.Subset(t, said, []string{
		"quota sales: 3650 × 31 ÷ 365 days = 310",
		"relief of quota sales (leave) from 2026-03-01 to 2026-03-31: 310 × 0.5, less 155",
		"relief of quota sales (leave) from 2026-03-11 to 2026-04-09: 60 × 21 ÷ 30 days, less 42",
	})
	c := yearly("").relieve("2026-03-01", "2026-03-31", "", "1")
	said, _ = words(c)
	require.Contains(t, said, "relief of quota sales (leave) from 2026-03-01 to 2026-03-31: 310 × 1, less 310")
	unpaid, err := NotPaid(language.English, c.statements(t)[0], []Credited{{Transaction: c.Transactions[0].TransactionKey, Date: c.Transactions[0].Date, Role: "owner", Amount: c.Transactions[0].Amount}}, c.Assignments, c.PlanVersions)
	require.NoError(t, err)
	require.Equal(t, Relieved, unpaid[0].Reasons[0].Why)

	// Without "without_quota: nothing" a quota that nobody set stops the calculation, and one of which
	// nothing is left does not.
	c = yearly("").relieve("2026-03-01", "2026-03-31", "", "1")
	c.PlanVersions[0].Document = []byte(strings.ReplaceAll(string(c.PlanVersions[0].Document), "without_quota: nothing, ", ""))
	require.Equal(t, "r1: 0.00", c.paid(t))
	c.Quotas = nil
	_, err = Calculate(t.Context(), c.Snapshot)
	require.Equal(t, CodeNoQuota, incentive.ErrorCode(err))
}

// TestReliefsOfAShareAddUp holds for any rule and any days: to be relieved of a share day by day,
// month by month or at once leaves the same.
func TestReliefsOfAShareAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := fmt.Sprintf("prorated: %s, weights: [%d%%, %d%%]", rapid.SampledFrom([]string{"by_days", "by_months", "not"}).Draw(t, "prorated"), 30, 70)
		first := rapid.IntRange(0, 30).Draw(t, "first")
		last := rapid.IntRange(first, 30).Draw(t, "last")
		cut := rapid.IntRange(first, last).Draw(t, "cut")
		share := fmt.Sprintf("0.%02d", rapid.IntRange(1, 99).Draw(t, "share"))
		on := func(n int) string { return day("2026-03-01").AddDays(n).String() }
		left := func(c *company) decimal.Decimal {
			line := c.statements(t)[0].Lines[0]
			require.NoError(t, CheckLine(line))
			return line.Unrounded.Round(20)
		}
		whole := left(yearly(rule))
		once := left(yearly(rule).relieve(on(first), on(last), "", share))
		twice := yearly(rule).relieve(on(first), on(cut), "", share)
		if cut < last {
			twice.relieve(on(cut+1), on(last), "", share)
		}
		require.True(t, once.LessThan(whole))
		require.Equal(t, once.String(), left(twice).String())
		all := left(yearly(rule).relieve(on(0), on(30), "", share))
		require.Equal(t, whole.Mul(d("1").Sub(d(share))).Round(18).String(), all.Round(18).String())
	})
}
