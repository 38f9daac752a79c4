package incentive

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSum holds sums of numbers that fit and others beside exact arithmetic.
func TestSum(t *testing.T) {
	t.Parallel()
	small, large := false, false
	rapid.Check(t, func(t *rapid.T) {
		var sum Sum
		exact := decimal.Zero
		for range rapid.IntRange(0, 8).Draw(t, "how many") {
			d := anyDecimal(t, "number")
			sum.Add(d)
			exact = exact.Add(d)
			require.Equal(t, exact.String(), sum.Decimal().String())
		}
		require.Zero(t, sum.Compare(exact))
		other := anyDecimal(t, "other")
		require.Equal(t, exact.Cmp(other), sum.Compare(other))
		small, large = small || sum.coefficient != 0, large || !sum.rest.IsZero()
	})
	require.True(t, small)
	require.True(t, large)
	var sum Sum
	for _, text := range []string{"0.1", "999999999999999999", "-999999999999999999", "0.2"} {
		sum.Add(decimal.RequireFromString(text))
	}
	require.Equal(t, "0.3", sum.Decimal().String())
}
