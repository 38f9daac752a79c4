package calculation

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// yearly is a company with a quota of 3650 in the year, whose goal is paid out.
func yearly(rule string) *company {
	c := newCompany()
	extra := ""
	if rule != "" {
		extra = "quotas: {sales: {" + rule + "}}\n"
	}
	c.plan(extra, "{name: c, "+measure+", rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{up_to: 100%, rate: 1}, {rate: 0}]}}")
	c.person("r1", "", "hired_on", "2026-02-10").deal("r1", 31, "1000000")
	c.Quotas = []incentive.Quota{{ParticipantID: "r1", Measure: "sales", StartsOn: day("2026-01-01"), EndsOn: day("2026-12-31"), Amount: d("3650"), Version: 1}}
	return c
}

// TestQuotaRules is what of a year's quota counts in March.
func TestQuotaRules(t *testing.T) {
	t.Parallel()
	for rule, paid := range map[string][2]string{ // on the plan all the time, and from the 22nd on
		"":                                     {"310.00", "100.00"},
		"prorated: by_days":                    {"310.00", "100.00"},
		"prorated: not":                        {"310.00", "310.00"},
		"prorated: by_months":                  {"304.17", "304.17"},
		"weights: [50%, 0, 0, 50%]":            {"628.61", "202.78"}, // of 1825 in 90 days
		"weights: [20%, 80%]":                  {"125.03", "40.33"},  // of 730 in 181 days
		"prorated: by_months, weights: [1, 0]": {"608.33", "608.33"},
		"ramp: {since: participant.hired_on, shares: [10%, 50%]}": {"155.00", "50.00"}, // March is the second month
		"ramp: {since: participant.hired_on, shares: [10%]}":      {"310.00", "100.00"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			c := yearly(rule)
			require.Equal(t, "r1: "+paid[0], c.paid(t))
			c.Assignments[0].StartsOn = day("2026-03-22")
			require.Equal(t, "r1: "+paid[1], c.paid(t))
		})
	}
}

func TestQuotaRefusals(t *testing.T) {
	t.Parallel()
	for rule, message := range map[string]string{
		"weights: [20%, 20%, 20%, 20%, 20%]":               "which plan \"p\" cannot cut into 5 equal stretches of whole calendar months",
		"ramp: {since: participant.hired_on, shares: [0]}": `"hired_on" of participant r1 is "soon", and the plan reads a day there`,
		"prorated: by_months":                              "the period does not begin and end with one",
	} {
		c := yearly(rule)
		c.Participants[0].Attributes["hired_on"] = "soon"
		if rule == "prorated: by_months" {
			c.Period.StartsOn = day("2026-03-02")
		}
		_, err := Calculate(t.Context(), c.Snapshot)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), rule)
		require.Contains(t, incentive.ErrorMessage(err), message)
	}
}

// TestQuotasAddUp holds for any weights: the months of a year have the year's quota.
func TestQuotasAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(0, 100).Draw(t, "first")
		rule := fmt.Sprintf("prorated: %s, weights: [%d%%, %d%%]", rapid.SampledFrom([]string{"by_days", "by_months", "not"}).Draw(t, "prorated"), first, 100-first)
		c := yearly(rule)
		sum := decimal.Zero
		for range 12 {
			if n := len(c.Posted); n == 0 {
				c.Period.StartsOn, c.Period.EndsOn = day("2026-01-01"), day("2026-01-31")
			}
			c.Transactions[0].Date = c.Period.StartsOn
			sum = sum.Add(c.statements(t)[0].Lines[0].Unrounded)
			c.next(t)
		}
		require.Equal(t, "3650", sum.Round(20).String())
	})
}
