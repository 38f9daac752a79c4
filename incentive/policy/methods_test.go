package policy_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// shared are methods by their rails and shares.
func shared(pairs ...string) (all []policy.Method) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, policy.Method{Rail: pairs[i], Share: decimal.RequireFromString(pairs[i+1])})
	}
	return all
}

func TestSplit(t *testing.T) {
	t.Parallel()
	const minimum = "payouts: {minimum: [10 USD]}"
	for _, c := range []struct {
		name, policy string
		amount       int64
		methods      []policy.Method
		want         []int64
	}{
		{"one method", "{}", 12_345, shared("bank", "1"), []int64{12_345}},
		{"80 and 20 percent", "{}", 10_000, shared("bank", "0.8", "gifts", "0.2"), []int64{8_000, 2_000}},
		{"the odd cent goes to the largest remainder", "{}", 10_001, shared("bank", "0.8", "gifts", "0.2"), []int64{8_001, 2_000}},
		{"thirds", "{}", 100, shared("a", "0.3334", "b", "0.3333", "c", "0.3333"), []int64{34, 33, 33}},
		{"what is too small goes to the first", minimum, 4_000, shared("bank", "0.8", "gifts", "0.2"), []int64{4_000, 0}},
		{"at the minimum", minimum, 5_000, shared("bank", "0.8", "gifts", "0.2"), []int64{4_000, 1_000}},
		{"the first has too little", minimum, 4_000, shared("bank", "0.2", "gifts", "0.8"), []int64{0, 4_000}},
		{"all of it is too little", minimum, 900, shared("bank", "0.5", "gifts", "0.5"), []int64{900, 0}},
		{"a cent", "{}", 1, shared("bank", "0.5", "gifts", "0.5"), []int64{1, 0}},
		{"more than a method may pay goes to the first", methods, 1_000_000, shared("payment-file", "0.8", "tremendous", "0.2"), []int64{950_000, 50_000}},
		{"less than a method may pay goes to the first", methods, 2_400, shared("payment-file", "0.8", "tremendous", "0.2"), []int64{2_400, 0}},
		{"a method that is not allowed", methods, 10_000, shared("payment-file", "0.8", "xendit", "0.2"), []int64{10_000, 0}},
		{"the first may not pay so much: a person looks", methods, 200_000, shared("tremendous", "0.5", "payment-file", "0.5"), []int64{100_000, 100_000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := policy.Parse([]byte(c.policy))
			require.NoError(t, err)
			require.Equal(t, c.want, p.Payouts.Split(usd(c.amount), incentive.Contractor, "DE", c.methods))
		})
	}
}

// Whatever the shares and limits, the parts add up to the amount, and none is negative.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := policy.Payouts{}
		if least := rapid.Int64Range(0, 5_000).Draw(t, "minimum"); least > 0 {
			rules.Minimum = []incentive.Money{usd(least)}
		}
		count := rapid.IntRange(1, policy.MostMethods).Draw(t, "methods")
		left := int64(10_000)
		var all []policy.Method
		for i := range count {
			part := left
			if i < count-1 {
				part = rapid.Int64Range(1, left-int64(count-1-i)).Draw(t, "share")
			}
			left -= part
			rail := string(rune('a' + i))
			all = append(all, policy.Method{Rail: rail, Share: decimal.New(part, -4)})
			if rapid.Bool().Draw(t, "limited") {
				rules.Methods = append(rules.Methods, policy.MethodRule{By: []string{rail}, UpTo: []incentive.Money{usd(rapid.Int64Range(1, 100_000).Draw(t, "most"))}})
			}
		}
		amount := rapid.Int64Range(1, 1_000_000).Draw(t, "amount")
		sum := int64(0)
		for i, part := range rules.Split(usd(amount), incentive.Contractor, "DE", all) {
			require.GreaterOrEqual(t, part, int64(0))
			if facts := (policy.PayoutFacts{Amount: usd(part), Kind: incentive.Contractor, Country: "DE", Rail: all[i].Rail}); i > 0 && part > 0 {
				require.Empty(t, rules.Exception(facts), "only the first method can be paid what waits for a person")
			}
			sum += part
		}
		require.Equal(t, amount, sum)
	})
}
