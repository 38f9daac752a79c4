package calculation

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// TestClasses puts everybody into one class, in order and without a gap, and what lies far
// above the rest into one of its own.
func TestClasses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var paid []incentive.Money
		for _, minor := range rapid.SliceOfN(rapid.Int64Range(-1_000_000, 1_000_000_000), 1, 60).Draw(t, "paid") {
			paid = append(paid, incentive.Money{Minor: minor, Currency: "USD"})
		}
		all := Distributions(paid, nil)
		require.Len(t, all, 1)
		require.Equal(t, len(paid), all[0].People)
		people, from := 0, all[0].Classes[0].From
		require.LessOrEqual(t, len(all[0].Classes), 2*mostClasses)
		for i, class := range all[0].Classes {
			require.Equal(t, from, class.From)
			expected := 0
			for _, m := range paid {
				if m.Minor >= from.Minor && (class.Below == nil || m.Minor < class.Below.Minor) {
					expected++
				}
			}
			require.Equal(t, expected, class.People)
			people += class.People
			if class.Below == nil {
				require.Equal(t, len(all[0].Classes)-1, i)
				break
			}
			from = *class.Below
		}
		require.Equal(t, len(paid), people)
	})
	var paid []incentive.Money
	for i := range int64(99) {
		paid = append(paid, incentive.Money{Minor: 100 * i, Currency: "USD"})
	}
	classes := Distributions(append(paid, incentive.Money{Minor: 90_000_000, Currency: "USD"}), nil)[0].Classes
	require.Len(t, classes, 11)
	require.Equal(t, Class{From: incentive.Money{Minor: 0, Currency: "USD"}, Below: &incentive.Money{Minor: 1000, Currency: "USD"}, People: 10}, classes[0])
	last := classes[len(classes)-1]
	require.Nil(t, last.Below)
}
