package calculation

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// four have sold 400, 300, 300 (r3 before r2) and 100.
func four(component string) *company {
	c := newCompany(component)
	for _, id := range []string{"r1", "r2", "r3", "r4"} {
		c.person(id, "")
	}
	return c.deal("r1", 20, "400").deal("r2", 1, "100").deal("r2", 15, "200").deal("r3", 2, "300").deal("r4", 1, "100")
}

// TestContests is who wins what.
func TestContests(t *testing.T) {
	t.Parallel()
	ranking := func(rest string) string {
		return "{name: c, " + measure + ", ranking: {on: amount, " + rest + "}}"
	}
	for name, c := range map[string]struct {
		company *company
		paid    string
	}{
		"the prizes of tied places are divided": {four(ranking("prizes: [100, 50, 20], ties: share")), "r1: 100.00; r2: 35.00; r3: 35.00; r4: 0.00"},
		"all win the best of them":              {four(ranking("prizes: [100, 50, 20], ties: all")), "r1: 100.00; r2: 50.00; r3: 50.00; r4: 0.00"},
		"the next place is after them":          {four(ranking("prizes: [100, 50, 20, 7], ties: all")), "r1: 100.00; r2: 50.00; r3: 50.00; r4: 7.00"},
		"whoever came to it first":              {four(ranking("prizes: [100, 50, 20], ties: earliest")), "r1: 100.00; r2: 20.00; r3: 50.00; r4: 0.00"},
		"what qualifies":                        {four(ranking("prizes: [100, 50, 20], ties: share, at_least: 301")), "r1: 100.00; r2: 0.00; r3: 0.00; r4: 0.00"},
		"nothing never qualifies":               {newCompany(ranking("prizes: [100], ties: share")).person("r1", "").person("r2", "").deal("r2", 1, "-5"), "r1: 0.00; r2: 0.00"},
		"a budget":                              {four(ranking("prizes: [100, 50, 20], ties: all, budget: 100")), "r1: 50.00; r2: 25.00; r3: 25.00; r4: 0.00"},
		"a budget that is not reached":          {four(ranking("prizes: [100, 50, 20], ties: all, budget: 1000")), "r1: 100.00; r2: 50.00; r3: 50.00; r4: 0.00"},
		"cents that do not divide":              {four(ranking("prizes: [1, 0.03, 0.02], ties: share")), "r1: 1.00; r2: 0.03; r3: 0.02; r4: 0.00"},
		"by attainment": {newCompany("{name: c, "+measure+", ranking: {on: attainment, quota: sales, prizes: [9], ties: all, at_least: 100%, without_quota: nothing}}").
			person("r1", "").quota("r1", "100").deal("r1", 1, "150").person("r2", "").quota("r2", "10").deal("r2", 1, "20").person("r3", "").deal("r3", 1, "900"), "r1: 0.00; r2: 9.00; r3: 0.00"},
		"with a multiplier": {four("{name: c, " + measure + ", ranking: {on: amount, prizes: [100], ties: all}, multipliers: {combine: multiply, factors: [{name: f, factor: 2}]}}"), "r1: 200.00; r2: 0.00; r3: 0.00; r4: 0.00"},
		"a pool":            {four("{name: c, " + measure + ", pool: {amount: 100}}"), "r1: 36.37; r2: 27.27; r3: 27.27; r4: 9.09"},
		"a pool for some":   {four("{name: c, " + measure + ", pool: {amount: 100, at_least: 300}}"), "r1: 40.00; r2: 30.00; r3: 30.00; r4: 0.00"},
		"a pool for nobody": {four("{name: c, " + measure + ", pool: {amount: 100, at_least: 3000}}"), "r1: 0.00; r2: 0.00; r3: 0.00; r4: 0.00"},
		"managers compete": {newCompany("{name: c, override: {level: 1}, "+measure+", ranking: {on: amount, prizes: [100], ties: all}}").person("a", "").person("b", "").person("r1", "a").person("r2", "b").
			deal("r1", 1, "10").deal("r2", 1, "20"), "a: 0.00; b: 100.00; r1: 0.00; r2: 0.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.paid, c.company.paid(t))
		})
	}
}

// TestContestsStopWhereTheyMust names what keeps anybody from being ranked.
func TestContestsStopWhereTheyMust(t *testing.T) {
	t.Parallel()
	for message, c := range map[string]*company{
		`r1 has no quota "sales" above zero`: newCompany("{name: c, "+measure+", ranking: {on: attainment, quota: sales, prizes: [9], ties: all}}").person("r1", "").person("r2", "").quota("r2", "1"),
		"too large an amount":                newCompany("{name: c, "+measure+", pool: {amount: 99999999999999999999}}").person("r1", "").deal("r1", 1, "1"),
	} {
		_, err := Calculate(t.Context(), c.Snapshot)
		require.ErrorContains(t, err, message)
		require.NotEqual(t, incentive.CodeInternal, incentive.ErrorCode(err))
	}
}

// TestContestsAreExact holds for any sales: a pool is shared to the cent, prizes come to
// what is promised and no more than the budget, and more sales never win less.
func TestContestsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ties := rapid.SampledFrom([]string{"share", "all", "earliest"}).Draw(t, "ties")
		amount := decimal.New(rapid.Int64Range(1, 1_000_00).Draw(t, "amount"), -2)
		c := newCompany("{name: pool, "+measure+", pool: {amount: "+amount.String()+"}}",
			"{name: prizes, "+measure+", ranking: {on: amount, prizes: [100, 33.34, 33.33], ties: "+ties+", budget: "+amount.String()+"}}")
		sold := map[string]int64{}
		for n := range rapid.IntRange(1, 6).Draw(t, "people") {
			id := fmt.Sprintf("r%d", n)
			sold[id] = rapid.Int64Range(0, 5).Draw(t, "sold")
			c.person(id, "").deal(id, n+1, fmt.Sprint(sold[id]))
		}
		pool, prizes, anybody := decimal.Zero, decimal.Zero, false
		won := map[string]decimal.Decimal{}
		for _, s := range c.statements(t) {
			pool = pool.Add(s.Lines[0].Amount.Decimal())
			won[s.ParticipantID] = s.Lines[1].Amount.Decimal()
			prizes = prizes.Add(won[s.ParticipantID])
			anybody = anybody || sold[s.ParticipantID] > 0
		}
		require.True(t, pool.Equal(amount) || !anybody && pool.IsZero())
		require.False(t, prizes.GreaterThan(amount))
		cent := decimal.New(1, -2)
		for a := range sold {
			for b := range sold {
				if sold[a] > sold[b] {
					require.False(t, won[a].Add(cent).LessThan(won[b]))
				}
			}
		}
	})
}
