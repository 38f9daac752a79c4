package calculation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// TestNotPaid is why a deal is not paid: every way in which one earns nothing says so by itself, in
// each language.
func TestNotPaid(t *testing.T) {
	t.Parallel()
	const filtered = "measure: {sum: credits, where: transaction.category == \"a\"}"
	const attained = "rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{below: 50%, rate: 0}, {rate: 5%}]}"
	type facts func(c *company)
	quota := func(amount string) facts { return func(c *company) { c.quota("r1", amount) } }
	relieved := func(c *company) {
		c.quota("r1", "100")
		all := d("1")
		c.Reliefs = append(c.Reliefs, incentive.Relief{ParticipantID: "r1", Measure: "sales", StartsOn: c.Period.StartsOn, EndsOn: c.Period.EndsOn, Cause: incentive.ReliefLeave, Share: &all})
	}
	said := map[string]string{}
	for _, c := range []struct {
		name      string
		component string
		facts     facts
		why       []Why
		words     string
	}{
		{"paid", measure + ", rate: 1%", nil, nil, ""},
		{"counts for a bonus", measure + ", bonus: 5", nil, nil, ""},
		{"another product", filtered + ", rate: 1%", nil, []Why{NotMeasured}, `it counts only where category is "a"`},
		{"of no kind that counts", "measure: {objectives: all}, bonus: 5, gate: {on: amount, at_least: 1}", nil, []Why{NotMeasured}, "no component of the plans takes it"},
		{"of what all others are paid", measure + `, rates: [{where: transaction.category == "a", rate: 1%}, {rate: 0}]`, nil, []Why{NoRate}, "1 credit: 100 × 0 = 0"},
		{"before the plan", measure + ", rate: 1%", func(c *company) { c.Assignments[0].StartsOn = day("2026-03-11") }, []Why{NotAssigned}, "on no plan on 2026-03-10"},
		{"while off the plan", measure + ", rate: 1%", func(c *company) {
			c.Assignments[0].EndsOn = day("2026-03-05")
			c.Assignments = append(c.Assignments, incentive.Assignment{ParticipantID: "r1", PlanID: "p", StartsOn: day("2026-03-20"), Version: 1})
		}, []Why{NotAssigned}, "on no plan on 2026-03-10"},
		{"below the gate", measure + ", rate: 1%, gate: {on: amount, above: 100}", nil, []Why{GateClosed}, "gate: 100 against above 100 × 1: not reached, so nothing is paid"},
		{"a bonus below the gate", measure + ", bonus: 5, gate: {on: amount, above: 100}", nil, []Why{GateClosed}, "gate: 100 against above 100 × 1: not reached, so nothing is paid"},
		{"a gate without a quota", measure + ", rate: 1%, gate: {on: attainment, quota: sales, without_quota: nothing, at_least: 1}", nil, []Why{NoQuota}, "gate: there is no quota, so nothing is paid"},
		{"no quota", measure + ", " + attained, nil, []Why{NoQuota}, `there is no quota "sales" to measure it against, so nothing is paid`},
		{"no quota of another quarter", measure + ", " + attained, func(c *company) {
			c.Quotas = append(c.Quotas, incentive.Quota{ParticipantID: "r1", Measure: "sales", StartsOn: day("2026-04-01"), EndsOn: day("2026-06-30"), Amount: d("100"), Version: 1})
		}, []Why{NoQuota}, `there is no quota "sales" to measure it against, so nothing is paid`},
		{"no quota for a curve", measure + ", curve: {on: attainment, quota: sales, without_quota: nothing, of: 100, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}", nil, []Why{NoQuota}, `there is no quota "sales" to measure it against, so nothing is paid`},
		{"no quota for a rate by attainment", measure + ", rate_by: {key: {on: attainment, quota: sales, without_quota: nothing}, tiers: [{below: 1, rate: 1%}, {rate: 2%}]}", nil, []Why{NoQuota}, `there is no quota "sales" to measure it against, so nothing is paid`},
		{"a quota that nothing is left of", measure + ", " + attained, relieved, []Why{Relieved}, "relief of quota sales (leave) from 2026-03-01 to 2026-03-31: 100 × 1, less 100"},
		{"before the first tier that pays", measure + ", " + attained, quota("1000"), []Why{NoRate}, "up to 500: 100 × 0 = 0"},
		{"in the first step of a rate", measure + ", rate_by: {key: {on: attainment, quota: sales}, tiers: [{below: 1, rate: 0}, {rate: 2%}]}", quota("1000"), []Why{NoRate}, "1 credit: 100 × 0 = 0"},
		{"where a curve begins", measure + ", curve: {on: attainment, quota: sales, of: 100, points: [{at: 0.5, pays: 0}, {at: 1, pays: 1}]}", quota("1000"), []Why{NoRate}, "curve: at 10% it pays 0 × 100 = 0"},
		{"multiplied by nothing", measure + ", rate: 1%, multipliers: {combine: multiply, factors: [{name: f, factor: 0}]}", nil, []Why{NoRate}, "multiplied: 1 × 0 = 0"},
		{"in the middle of a year", measure + ", rate: 1%, cumulative: {over: year, pays: at_end}", nil, []Why{NotYet}, "the interval ends on 2026-12-31, so nothing is paid yet"},
		{"above the cap", measure + ", rate: 1%, cap: 0", nil, []Why{Capped}, "cap: 1, but no more than 0, is 0"},
		{"above the cap of a deal", measure + ", rate: 1%, cap_each_transaction: 0", nil, []Why{Capped}, "cap of 0 for each: 1 credit earned more, 1 in all, which leaves 0"},
		{"no prize", measure + ", ranking: {on: amount, at_least: 1000, prizes: [50], ties: share}", nil, []Why{NoPrize}, "ranking: 100 does not qualify"},
		{"no part of a pool", measure + ", pool: {amount: 50, at_least: 1000}", nil, []Why{NoPrize}, "pool: 0 of all 0, of 50: 0"},
		{"at no rate", measure + ", rate: 0", nil, []Why{NoRate}, "1 credit: 100 × 0 = 0"},
		{"nothing of it", measure + ", rate: 1%", func(c *company) { c.Transactions[0].Amount = d("0") }, []Why{NoAmount}, "nothing of it is credited"},
	} {
		company := newCompany("{name: c, "+c.component+"}").person("r1", "").deal("r1", 10, "100", "b")
		if c.facts != nil {
			c.facts(company)
		}
		credits := []Credited{{Transaction: company.Transactions[0].TransactionKey, Date: day("2026-03-10"), Role: "owner", Amount: company.Transactions[0].Amount}}
		all, err := NotPaid(language.English, company.statements(t)[0], credits, company.Assignments, company.PlanVersions)
		require.NoError(t, err, c.name)
		var why []Why
		in, err := NotPaid(language.Indonesian, company.statements(t)[0], credits, company.Assignments, company.PlanVersions)
		require.NoError(t, err, c.name)
		for i, one := range all {
			require.Equal(t, credits[0], one.Credited)
			for j, reason := range one.Reasons {
				why = append(why, reason.Why)
				assert.Equal(t, c.words, reason.InWords, c.name)
				translated := in[i].Reasons[j].InWords
				said[string(reason.Why)+translated] = c.name
				if strings.Contains(reason.InWords, "gate:") || !strings.ContainsAny(reason.InWords, "×") {
					assert.NotEqual(t, reason.InWords, translated, c.name)
				}
			}
		}
		assert.Equal(t, c.why, why, c.name)
	}
	require.Len(t, said, 17, "each its own, but for the kinds that say the same in any way to pay")

	// A customer that counts once.
	once := newCompany("{name: c, measure: {distinct: transaction.category}, rate: 10}").person("r1", "").deal("r1", 10, "100", "b").deal("r1", 11, "100", "b")
	again := once.Transactions[1]
	all, err := NotPaid(language.English, once.statements(t)[0], []Credited{{Transaction: again.TransactionKey, Date: again.Date, Role: "owner", Amount: again.Amount}}, once.Assignments, once.PlanVersions)
	require.NoError(t, err)
	require.Equal(t, []Reason{{"p", "c", Counted, "what it has as category has counted already"}}, all[0].Reasons)

	// One of two components pays, which is enough; a manager's team is not the manager's own.
	c := newCompany("{name: c, "+measure+", rate: 1%, gate: {on: amount, above: 1000}}", "{name: d, "+measure+", rate: 1%}", "{name: team, override: {level: 1}, "+measure+", rate: 1%}").person("m", "").person("r1", "m").deal("r1", 1, "100")
	for i, s := range c.statements(t) {
		all, err := NotPaid(language.English, s, []Credited{{Transaction: c.Transactions[0].TransactionKey, Date: day("2026-03-01"), Role: "owner", Amount: d("100")}}[:i], c.Assignments, c.PlanVersions)
		require.NoError(t, err)
		require.Empty(t, all)
	}
	_, err = NotPaid(language.English, incentive.Statement{Lines: []incentive.Line{{Component: "c"}}}, nil, nil, nil)
	require.ErrorContains(t, err, "read the explanation of c")
}
