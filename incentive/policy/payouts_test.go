package policy_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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

const methods = `
payouts:
  methods:
    - {in: [US], by: [stripe]}
    - {by: [payment-file]}
    - {of: [contractor], by: [tremendous], from: [5 USD], up_to: [500 USD]}
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
		{"nothing, where nothing is said", "{}", policy.PayoutFacts{Amount: usd(1), Kind: c, Rail: "stripe"}, ""},
		{"an employee by another rail than payroll's, where nothing is said", "{}", policy.PayoutFacts{Amount: usd(1), Kind: e, Rail: "stripe"}, policy.NotByPayroll},
		{"an employee by payroll's, where nothing is said", "{}", policy.PayoutFacts{Amount: usd(1), Kind: e, Rail: "payment-file"}, ""},
		{"where finance has switched other rails on", "payouts: {employees: {else_in: [ID]}}", policy.PayoutFacts{Amount: usd(1), Kind: e, Rail: "stripe", Country: "ID"}, ""},
		{"and nowhere else", "payouts: {employees: {else_in: [ID]}}", policy.PayoutFacts{Amount: usd(1), Kind: e, Rail: "stripe", Country: "IN"}, policy.NotByPayroll},
		{"a rail that no rule names", methods, policy.PayoutFacts{Amount: usd(1), Kind: c, Rail: "xendit", Country: "US"}, policy.NotByMethod},
		{"a rule of another country", methods, policy.PayoutFacts{Amount: usd(1), Kind: c, Rail: "stripe", Country: "DE"}, policy.NotByMethod},
		{"as much as a method may pay", methods, policy.PayoutFacts{Amount: usd(50_000), Kind: c, Rail: "tremendous", Country: "DE"}, ""},
		{"a cent more than a method may pay", methods, policy.PayoutFacts{Amount: usd(50_001), Kind: c, Rail: "tremendous", Country: "DE"}, policy.NotByMethod},
		{"a currency that a method's limits do not name", methods, policy.PayoutFacts{Amount: eur(1), Kind: c, Rail: "tremendous", Country: "DE"}, policy.NotByMethod},
		{"somebody else is paid there", "{}", policy.PayoutFacts{Amount: usd(1), Kind: c, Shared: true}, policy.SharedAccount},
		{"the largest counts all payouts of a person on the list", careful, policy.PayoutFacts{Amount: usd(2_500), Whole: 500_001, Kind: e, Rail: "payment-file"}, policy.AboveLargest},
		{"on a sanctions list", "{}", policy.PayoutFacts{Amount: usd(1), Kind: c, Listed: true}, policy.Listed},
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

func TestRateOfWithholding(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse([]byte(`
payouts:
  withholding:
    - {of: [contractor], in: [US], rate: 0%, without_tax_details: 24%}
    - {of: [contractor, company], in: [IN], rate: 5%, without_tax_details: 20%}
    - {of: [company], rate: 12.5%}
`))
	require.NoError(t, err)
	for _, c := range []struct {
		kind    incentive.ParticipantKind
		country string
		details bool
		want    string
	}{
		{incentive.Contractor, "US", true, "0"}, {incentive.Contractor, "US", false, "0.24"}, {incentive.Contractor, "IN", true, "0.05"}, {incentive.Company, "IN", false, "0.2"},
		{incentive.Company, "US", false, "0.125"}, {incentive.Employee, "IN", false, "0"}, {incentive.Contractor, "", false, "0"},
	} {
		require.Equal(t, c.want, p.Payouts.RateOf(c.kind, c.country, c.details).String(), "%v", c)
	}
}

func TestWithheld(t *testing.T) {
	t.Parallel()
	rate := decimal.RequireFromString("0.05")
	for _, c := range []struct {
		name                    string
		now, before, kept, want int64
	}{
		{"of the first", 10_010, 0, 0, 501},
		{"of nothing", 0, 0, 0, 0},
		{"of a balance below zero", -500, 0, 0, 0},
		{"of what came since, at today's rate", 20_000, 10_000, 2_000, 2_500},
		{"of what is above zero only", 1_000, -1_000, 0, 50},
		{"less than before: the same share of it", 5_000, 10_000, 2_000, 1_000},
		{"all of it was taken back", 0, 10_000, 2_000, 0},
		{"the same again", 10_000, 10_000, 501, 501},
	} {
		require.Equal(t, c.want, policy.Withheld(c.now, c.before, c.kept, rate), c.name)
	}
}

// TestWithheldIsWithinReason never keeps more than there is, nor anything once all is gone.
func TestWithheldIsWithinReason(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kept, before := int64(0), int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "times") {
			now := rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "now")
			rate := decimal.New(rapid.Int64Range(0, 100).Draw(t, "percent"), -2)
			kept = policy.Withheld(now, before, kept, rate)
			require.GreaterOrEqual(t, kept, int64(0))
			require.LessOrEqual(t, kept, max(0, now))
			before = now
		}
		require.Zero(t, policy.Withheld(0, before, kept, decimal.New(50, -2)))
	})
}
