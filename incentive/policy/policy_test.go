package policy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/language/languagetest"
	"github.com/guerdon/guerdon/incentive/policy"
)

func usd(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }

func before(minor int64) *incentive.Money { m := usd(minor); return &m }

const threeLevels = `
approvals:
  levels:
    - by: manager
    - {by: manager_of_manager, when: {total: [10000 USD], change: 50%}}
    - {by: finance, when: {total: [50000 USD, 45000 EUR]}}
  automatic_below: {total: [100 USD], change: 10%}
`

func TestWhoApproves(t *testing.T) {
	t.Parallel()
	const m, mm, f = policy.ByManager, policy.ByManagerOfManager, policy.ByFinance
	for _, c := range []struct {
		name    string
		policy  string
		figures policy.Figures
		want    []policy.Approver
	}{
		{"one level where nothing is said", "{}", policy.Figures{Total: usd(99_999_999)}, []policy.Approver{m}},
		{"below every limit the manager alone", threeLevels, policy.Figures{Total: usd(999_999), Before: before(999_999)}, []policy.Approver{m}},
		{"a limit is reached at its amount", threeLevels, policy.Figures{Total: usd(1_000_000), Before: before(1_000_000)}, []policy.Approver{m, mm}},
		{"a debt is as large as a payout", threeLevels, policy.Figures{Total: usd(-1_000_000), Before: before(-1_000_000)}, []policy.Approver{m, mm}},
		{"by change alone", threeLevels, policy.Figures{Total: usd(30_000), Before: before(20_000)}, []policy.Approver{m, mm}},
		{"a cent less of a change", threeLevels, policy.Figures{Total: usd(29_999), Before: before(20_000)}, []policy.Approver{m}},
		{"a fall is a change", threeLevels, policy.Figures{Total: usd(20_000), Before: before(40_000)}, []policy.Approver{m, mm}},
		{"nothing before", threeLevels, policy.Figures{Total: usd(20_000)}, []policy.Approver{m, mm}},
		{"zero before", threeLevels, policy.Figures{Total: usd(20_000), Before: before(0)}, []policy.Approver{m, mm}},
		{"all three", threeLevels, policy.Figures{Total: usd(5_000_000), Before: before(5_000_000)}, []policy.Approver{m, mm, f}},
		{"a currency without a limit reaches it", threeLevels, policy.Figures{Total: incentive.Money{Minor: 1, Currency: "JPY"}, Before: &incentive.Money{Minor: 1, Currency: "JPY"}}, []policy.Approver{m, mm, f}},
		{"small and steady needs nobody", threeLevels, policy.Figures{Total: usd(9_999), Before: before(9_999)}, nil},
		{"nothing after nothing needs nobody", threeLevels, policy.Figures{Total: usd(0), Before: before(0)}, nil},
		{"at the limit it does", threeLevels, policy.Figures{Total: usd(10_000), Before: before(10_000)}, []policy.Approver{m}},
		{"small with a change does", threeLevels, policy.Figures{Total: usd(8_000), Before: before(7_000)}, []policy.Approver{m}},
		{"no condition is reached: the first level", `approvals: {levels: [{by: finance, when: {total: [10 USD]}}]}`, policy.Figures{Total: usd(1), Before: before(1)}, []policy.Approver{f}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := policy.Parse([]byte(c.policy))
			require.NoError(t, err)
			require.Equal(t, c.want, p.Approvals.Path(c.figures))
		})
	}
}

func TestWhatStandsOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		figures policy.Figures
		median  int64
		shown   *incentive.Money
		want    []policy.Reason
	}{
		{"nothing", policy.Figures{Total: usd(149), Before: before(100)}, 50, before(149), nil},
		{"the first", policy.Figures{Total: usd(100)}, 100, nil, []policy.Reason{policy.FirstStatement}},
		{"half as much again", policy.Figures{Total: usd(150), Before: before(100)}, 100, nil, []policy.Reason{policy.LargeChange}},
		{"three times the median", policy.Figures{Total: usd(300), Before: before(300)}, 100, nil, []policy.Reason{policy.FarAboveMedian}},
		{"a median of nothing says nothing", policy.Figures{Total: usd(300), Before: before(300)}, 0, nil, nil},
		{"a debt that was another figure when it was shown", policy.Figures{Total: usd(-1), Before: before(-1)}, 100, before(5), []policy.Reason{policy.NegativeTotal, policy.ChangedSince}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			standard, err := policy.Parse([]byte("{}"))
			require.NoError(t, err)
			require.Equal(t, c.want, standard.Outliers.Reasons(c.figures, c.median, c.shown))
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "line 1, column 1: the file is empty",
		"[]":                                "a policy is written as keys and values",
		"speed: fast":                       `a policy has no "speed"`,
		"disputes: {holds: everything}":     "write contribution, line, statement or nothing",
		"disputes: {late_days: 1.5}":        "write a number of days from 0 to 250",
		"disputes: {answer_within_days: 0}": "write a number of days from 1 to 250",
		"approvals: {levels: []}":           "\"levels\" is a list with at least one item",
		"approvals: {levels: [{}]}":         `a level lacks "by"`,
		"approvals: {levels: [{by: boss}]}": "write manager, manager_of_manager or finance",
		"approvals: {automatic_below: {}}":  "names a total, a change, or both",
		"outliers: {change: 0}":             "write a number above zero",
		"outliers: {times_median: much}":    `"much" is not a number`,
		"release: {by_approver: maybe}":     "write true or false",
		"approvals: {levels: [{by: finance}, {by: manager}]}":              "levels go up: manager cannot come after finance",
		"approvals: {levels: [{by: manager}, {by: manager}]}":              "levels go up: manager cannot come after manager",
		"approvals: {automatic_below: {total: [10]}}":                      `"10" is not an amount: write a number above zero and its currency`,
		"approvals: {automatic_below: {total: [-10 USD]}}":                 "is not an amount",
		"approvals: {automatic_below: {total: [10.001 USD]}}":              "has more decimal places than the currency",
		"approvals: {automatic_below: {total: [10 USD, 20 USD]}}":          "there are two limits in USD",
		"approvals: {automatic_below: {total: [10 USD], total: [20 USD]}}": `says "total" twice`,
		"approvals: {automatic_below: {change: -5%}}":                      "write a number above zero",
		"payouts: {largest: [10 USD, 20 USD]}":                             "there are two limits in USD",
		"payouts: {within: {days: 30}}":                                    `"within" lacks "total"`,
		"payouts: {within: {days: 0, total: [1 USD]}}":                     "write a number of days from 1 to 250",
		"payouts: {change_waits_days: -1}":                                 "write a number of days from 0 to 250",
		"payouts: {tax_details: [freelancer]}":                             "freelancer",
		"payouts: {withholding: [{of: [contractor]}]}":                     `a rate of withholding lacks "rate"`,
		"payouts: {withholding: [{of: [contractor], rate: 101%}]}":         "write a share from 0% to 100%",
		"payouts: {withholding: [{of: [freelancer], rate: 1%}]}":           "freelancer",
		"payouts: {methods: [{up_to: [5 USD]}]}":                           `a rule about methods lacks "by"`,
		"payouts: {methods: [{by: [x], from: [6 USD], up_to: [5 USD]}]}":   `"from" is above "up_to" in USD`,
		"payouts: {employees: {by: [Payment File]}}":                       "write the name of a rail, such as payment-file",
		"payouts: {employees: {by: [payment-file], else_in: [Singapore]}}": "write a country's code, such as SG",
	} {
		_, err := policy.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
		require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err), text)
		languagetest.NoEnglish(t, language.Indonesian.Translate(incentive.ErrorMessage(err)))
	}
}

// TestPoliciesOfTheGuide reads the policies that docs/policies shows.
func TestPoliciesOfTheGuide(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/policies/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = policy.Parse(text)
		require.NoError(t, err, file)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(threeLevels))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse(text)
		if err == nil {
			require.NotEmpty(t, p.Approvals.Path(policy.Figures{Total: usd(1 << 62)}), "a large statement always needs somebody")
		}
	})
}
