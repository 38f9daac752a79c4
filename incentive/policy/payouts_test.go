package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

const careful = `
payouts:
  minimum: [25 USD]
  largest: [5000 USD, 4000 EUR]
  list: [20000 USD]
  within: {days: 30, total: [8000 USD]}
  tax_details: [contractor]
  employees: {by: [payment-file], else_in: [SG]}
`

func TestWhatKeepsAPayout(t *testing.T) {
	t.Parallel()
	const e, c = incentive.Employee, incentive.Contractor
	eur := func(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "EUR"} }
	for _, one := range []struct {
		name, policy string
		facts        policy.PayoutFacts
		want         policy.Exception
	}{
		{"nothing, where nothing is said", "{}", policy.PayoutFacts{Amount: usd(1), Kind: c}, ""},
		{"a cent below the minimum", careful, policy.PayoutFacts{Amount: usd(2499), Kind: c}, policy.BelowMinimum},
		{"at the minimum, with tax details", careful, policy.PayoutFacts{Amount: usd(2500), Kind: c, TaxDetails: true}, ""},
		{"whoever has left is paid the last cent", careful, policy.PayoutFacts{Amount: usd(1), Kind: c, Left: true, TaxDetails: true}, ""},
		{"a currency without a minimum", careful, policy.PayoutFacts{Amount: eur(1), Kind: c}, policy.NoTaxDetails},
		{"an employee needs none", careful, policy.PayoutFacts{Amount: usd(2500), Kind: e, Rail: "payment-file"}, ""},
		{"an employee by another rail", careful, policy.PayoutFacts{Amount: usd(2500), Kind: e, Rail: "stripe", Country: "US"}, policy.NotByPayroll},
		{"where that is allowed", careful, policy.PayoutFacts{Amount: usd(2500), Kind: e, Rail: "stripe", Country: "SG"}, ""},
		{"a contractor by any rail", careful, policy.PayoutFacts{Amount: usd(2500), Kind: c, Rail: "stripe", Country: "US", TaxDetails: true}, ""},
		{"the largest", careful, policy.PayoutFacts{Amount: usd(500_000), Kind: e, Rail: "payment-file"}, ""},
		{"a cent more", careful, policy.PayoutFacts{Amount: usd(500_001), Kind: e, Rail: "payment-file"}, policy.AboveLargest},
		{"a currency without a limit, where there are limits", careful, policy.PayoutFacts{Amount: incentive.Money{Minor: 1, Currency: "JPY"}, Kind: e, Rail: "payment-file"}, policy.AboveLargest},
		{"with what was paid before, as much as may be", careful, policy.PayoutFacts{Amount: usd(400_000), Recent: 400_000, Kind: e, Rail: "payment-file"}, ""},
		{"a cent more of that", careful, policy.PayoutFacts{Amount: usd(400_000), Recent: 400_001, Kind: e, Rail: "payment-file"}, policy.AboveWithinTotal},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			p, err := policy.Parse([]byte(one.policy))
			require.NoError(t, err)
			require.Equal(t, one.want, p.Payouts.Exception(one.facts))
		})
	}
	p, err := policy.Parse([]byte(careful))
	require.NoError(t, err)
	_, exceeds := p.Payouts.AboveList([]incentive.Money{eur(99_999_999), usd(2_000_000)})
	require.False(t, exceeds)
	limit, exceeds := p.Payouts.AboveList([]incentive.Money{usd(2_000_001)})
	require.True(t, exceeds)
	require.Equal(t, usd(2_000_000), limit)
}
