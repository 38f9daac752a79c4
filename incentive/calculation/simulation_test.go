package calculation

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// draftOf is a draft of the company's plan.
func draftOf(components string) incentive.PlanVersion {
	return incentive.PlanVersion{PlanID: "p", Document: []byte("language: 1\nplan: p\nname: P\ncurrency: USD\nreads: {transaction: {category: text}}\ncomponents: [" + components + "]\n")}
}

// TestSimulate holds a draft against the plan in force: who wins, who loses, and what it
// costs.
func TestSimulate(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 10%}", "{name: old, "+measure+", bonus: 1}").
		person("loses", "").deal("loses", 1, "1000").person("nothing", "").person("same", "").deal("same", 1, "490").
		person("wins", "").deal("wins", 1, "1000", "b").deal("wins", 2, "1000", "b")
	s, err := Simulate(t.Context(), c.Snapshot, draftOf(`{name: c, measure: {sum: credits, where: 'transaction.category != "b"'}, rate: 10%, cap: 50}, {name: extra, measure: {sum: credits, where: 'transaction.category == "b"'}, rate: 12%}`))
	require.NoError(t, err)
	var changes []string
	for _, one := range s.Changes {
		changes = append(changes, fmt.Sprintf("%s %s %s %s", one.Name, one.Before.Amount(), one.After.Amount(), one.Difference().Amount()))
	}
	require.Equal(t, []string{"loses 101.00 50.00 -51.00", "wins 201.00 240.00 39.00", "nothing 1.00 0.00 -1.00", "same 50.00 49.00 -1.00"}, changes)
	require.Len(t, s.Sums, 1)
	sum := s.Sums[0]
	require.Equal(t, "353.00 USD to 339.00 USD: 1 up, 3 down, 0 as before", fmt.Sprintf("%s to %s: %d up, %d down, %d as before", sum.Before, sum.After, sum.Winners, sum.Losers, sum.Others))
	require.Equal(t, "1.00 1.00 50.00 101.00 201.00", spreadText(sum.SpreadBefore))
	require.Equal(t, "0.00 0.00 49.00 50.00 240.00", spreadText(sum.SpreadAfter))
	require.Equal(t, []Banded{{LosesOver25, 2}, {LosesUpTo25, 0}, {LosesUpTo10, 1}, {Same, 0}, {GainsUpTo10, 0}, {GainsUpTo25, 1}, {GainsOver25, 0}, {FromNothing, 0}}, sum.Bands)
	var costs []string
	for _, one := range s.Components {
		costs = append(costs, one.Component+" "+one.Before.String()+" "+one.After.String())
	}
	require.Equal(t, []string{"c 349.00 USD 99.00 USD", "extra 0.00 USD 240.00 USD", "old 4.00 USD 0.00 USD"}, costs)

	same, err := Simulate(t.Context(), c.Snapshot, incentive.PlanVersion{PlanID: "p", Document: c.PlanVersions[0].Document})
	require.NoError(t, err)
	require.Equal(t, 4, same.Sums[0].Others)
	require.Equal(t, same.Sums[0].Before, same.Sums[0].After)
	require.Equal(t, c.Snapshot.Digest(), newCompany("{name: c, "+measure+", rate: 10%}", "{name: old, "+measure+", bonus: 1}").
		person("loses", "").deal("loses", 1, "1000").person("nothing", "").person("same", "").deal("same", 1, "490").
		person("wins", "").deal("wins", 1, "1000", "b").deal("wins", 2, "1000", "b").Snapshot.Digest(), "the snapshot is left as it was")
}

func spreadText(s Spread) string {
	return s.Lowest.Amount() + " " + s.Quarter.Amount() + " " + s.Half.Amount() + " " + s.ThreeQuarters.Amount() + " " + s.Highest.Amount()
}

// TestSimulateRefusals says what is wrong with a draft in the words of a calculation.
func TestSimulateRefusals(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 10%}").person("r1", "").deal("r1", 1, "100")
	other := draftOf("{name: c, " + measure + ", rate: 1%}")
	other.PlanID = "another"
	euros := draftOf("{name: c, measure: {count: credits}, rate: 1}")
	euros.Document = []byte("language: 1\nplan: p\nname: P\ncurrency: EUR\ncomponents: [{name: c, measure: {count: credits}, rate: 1}]\n")
	for code, draft := range map[incentive.Code]incentive.PlanVersion{CodeNoPlan: other, CodeCurrencyDiffers: euros, CodeNoQuota: draftOf("{name: c, " + measure + ", rate_table: {on: attainment, quota: sales, tiers: [{rate: 1%}]}}")} {
		_, err := Simulate(t.Context(), c.Snapshot, draft)
		require.Equal(t, code, incentive.ErrorCode(err), "%v", err)
	}
}

// TestBands puts everybody into the band of what they win or lose, edges included.
func TestBands(t *testing.T) {
	t.Parallel()
	for band, all := range map[Band][][2]int64{
		LosesOver25: {{1000, 749}, {1000, -1}, {0, -5}}, LosesUpTo25: {{1000, 899}, {1000, 750}}, LosesUpTo10: {{1000, 999}, {1000, 900}},
		Same: {{1000, 1000}, {0, 0}}, GainsUpTo10: {{1000, 1100}}, GainsUpTo25: {{1000, 1101}, {1000, 1250}}, GainsOver25: {{1000, 1251}, {1, 1 << 62}}, FromNothing: {{0, 1}, {-5, 1}},
	} {
		for _, c := range all {
			require.Equal(t, band, Change{Before: incentive.Money{Minor: c[0], Currency: "USD"}, After: incentive.Money{Minor: c[1], Currency: "USD"}}.band(), "%v", c)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	has := LookBack{Since: day("2026-01-01"), Cumulative: []string{"p"}, Rates: []string{"bank"}, RatesSince: day("2025-12-01"), Balances: []Balance{{"p", "draw"}}}
	require.True(t, has.Covers(has))
	require.True(t, has.Covers(LookBack{Since: day("2026-02-01")}))
	for name, needs := range map[string]LookBack{
		"earlier deals": {Since: day("2025-12-31")}, "another plan's lines": {Since: day("2026-01-01"), Cumulative: []string{"p", "q"}},
		"other rates": {Since: day("2026-01-01"), Rates: []string{"market"}, RatesSince: day("2026-01-01")}, "older rates": {Since: day("2026-01-01"), Rates: []string{"bank"}, RatesSince: day("2025-11-30")},
		"another balance": {Since: day("2026-01-01"), Balances: []Balance{{"p", "holdback"}}},
	} {
		require.False(t, has.Covers(needs), name)
	}
}
