package incentive

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	number := decimal.RequireFromString
	people := []TargetBase{
		{ParticipantID: "a", LastYear: number("300"), Capacity: number("1"), Months: 12},
		{ParticipantID: "b", LastYear: number("100"), Capacity: number("0.5"), Months: 12},
		{ParticipantID: "c", LastYear: number("-5"), Capacity: number("1"), Months: 0},
	}
	for name, c := range map[string]struct {
		method         TargetMethod
		target, growth string
		is             []string
		sum            string
	}{
		"by last year":    {TargetByLastYear, "1000", "0", []string{"750", "250", "0"}, "1000"},
		"evenly":          {TargetEvenly, "100", "0", []string{"33.34", "33.33", "33.33"}, "100"},
		"by capacity":     {TargetByCapacity, "700", "0", []string{"323.08", "161.54", "215.38"}, "700"}, // 9 : 4.5 : 6, as c ramps up over three months
		"bottom-up":       {TargetByGrowth, "0", "0.1", []string{"330", "110", "0"}, "440"},
		"a shrinking one": {TargetByGrowth, "0", "-0.25", []string{"225", "75", "0"}, "300"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			figures, sum, err := Targets(c.method, number(c.target), number(c.growth), 3, 3, people)
			require.NoError(t, err)
			require.True(t, sum.Equal(number(c.sum)), sum)
			for i, f := range figures {
				require.Equal(t, c.is[i], f.Amount.String())
			}
		})
	}
	_, _, err := Targets(TargetByLastYear, number("1"), decimal.Zero, 1, 0, people[2:])
	require.Equal(t, CodeInvalid, ErrorCode(err))
}

// TestSplitExactly holds for any weights: the parts add up to the whole, none is more than a
// unit away from its share, and who weighs more gets no less.
func TestSplitExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := decimal.New(rapid.Int64Range(0, 1e12).Draw(t, "amount"), -2)
		weights := []decimal.Decimal{decimal.NewFromInt(1)}
		sum := weights[0]
		for range rapid.IntRange(0, 20).Draw(t, "more") {
			w := decimal.New(rapid.Int64Range(0, 1e9).Draw(t, "weight"), -3)
			weights, sum = append(weights, w), sum.Add(w)
		}
		parts, err := SplitExactly(amount, weights, 2)
		require.NoError(t, err)
		whole := decimal.Zero
		for i, p := range parts {
			whole = whole.Add(p)
			require.True(t, p.Mul(sum).Sub(amount.Mul(weights[i])).Abs().LessThan(sum.Shift(-2)), "within a unit")
			for j, q := range parts {
				require.False(t, weights[i].GreaterThan(weights[j]) && p.LessThan(q), "%d and %d", i, j)
			}
		}
		require.True(t, whole.Equal(amount))
	})
}
