package calculation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// TestNotPaid is why a deal is not paid.
func TestNotPaid(t *testing.T) {
	t.Parallel()
	const filtered = "measure: {sum: credits, where: transaction.category == \"a\"}"
	for name, c := range map[string]struct {
		component string
		from      string // the first day on the plan
		why       []Why
		words     string
	}{
		"paid":                       {measure + ", rate: 1%", "2020-01-01", nil, ""},
		"counts for a bonus":         {measure + ", bonus: 5", "2020-01-01", nil, ""},
		"another product":            {filtered + ", rate: 1%", "2020-01-01", []Why{NotMeasured}, "no component of the plans takes it"},
		"before the plan":            {measure + ", rate: 1%", "2026-03-11", []Why{NotAssigned}, "on no plan on 2026-03-10"},
		"below the gate":             {measure + ", rate: 1%, gate: {on: amount, above: 100}", "2020-01-01", []Why{GateClosed}, "gate: 100 against above 100 × 1: not reached, so nothing is paid"},
		"a bonus below the gate":     {measure + ", bonus: 5, gate: {on: amount, above: 100}", "2020-01-01", []Why{GateClosed}, "gate: 100 against above 100 × 1: not reached, so nothing is paid"},
		"in the middle of a quarter": {measure + ", rate: 1%, cumulative: {over: year, pays: at_end}", "2020-01-01", []Why{NotYet}, "the interval ends on 2026-12-31, so nothing is paid yet"},
		"above the cap":              {measure + ", rate: 1%, cap: 0", "2020-01-01", []Why{Capped}, "cap: 1, but no more than 0, is 0"},
		"at no rate":                 {measure + ", rate: 0", "2020-01-01", []Why{NoRate}, "it earns nothing at its rate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company := newCompany("{name: c, "+c.component+"}").person("r1", "").deal("r1", 10, "100", "b")
			company.Assignments[0].StartsOn = day(c.from)
			credits := []Credited{{Transaction: company.Transactions[0].TransactionKey, Date: day("2026-03-10"), Role: "owner", Amount: d("100")}}
			all, err := NotPaid(company.statements(t)[0], credits, company.Assignments)
			require.NoError(t, err)
			var why []Why
			for _, one := range all {
				require.Equal(t, credits[0], one.Credited)
				for _, reason := range one.Reasons {
					why = append(why, reason.Why)
					require.Equal(t, c.words, reason.InWords)
				}
			}
			require.Equal(t, c.why, why)
		})
	}
	// One of two components pays, which is enough; a manager's team is not the manager's own.
	c := newCompany("{name: c, "+measure+", rate: 1%, gate: {on: amount, above: 1000}}", "{name: d, "+measure+", rate: 1%}", "{name: team, override: {level: 1}, "+measure+", rate: 1%}").person("m", "").person("r1", "m").deal("r1", 1, "100")
	for i, s := range c.statements(t) {
		all, err := NotPaid(s, []Credited{{Transaction: c.Transactions[0].TransactionKey, Date: day("2026-03-01"), Role: "owner", Amount: d("100")}}[:i], c.Assignments)
		require.NoError(t, err)
		require.Empty(t, all)
	}
	_, err := NotPaid(incentive.Statement{Lines: []incentive.Line{{Component: "c"}}}, nil, nil)
	require.ErrorContains(t, err, "read the explanation of c")
}
