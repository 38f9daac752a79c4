package sampling

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

func population(n int) (all []Statement) {
	for i := range n {
		all = append(all, Statement{fmt.Sprintf("p%03d", i), incentive.Money{Minor: int64(i * 100), Currency: []incentive.Currency{"USD", "EUR"}[i%2]}})
	}
	return all
}

// TestDrawn is a draw that anybody can repeat with sha256sum.
func TestDrawn(t *testing.T) {
	t.Parallel()
	drawn, err := Draw(population(10), "audit 2026", 3, 1)
	require.NoError(t, err)
	ids := []string{}
	for _, d := range drawn {
		ids = append(ids, d.ParticipantID)
	}
	require.Equal(t, []string{"p007", "p004", "p003"}, ids)
}

// TestDraw holds draws to what is said of them: the order of the population does not matter,
// nobody is drawn twice, and each stratum gives what it should.
func TestDraw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := population(rapid.IntRange(1, 200).Draw(t, "population"))
		strata := rapid.IntRange(1, min(MostStrata, len(all))).Draw(t, "strata")
		size := rapid.IntRange(strata, len(all)).Draw(t, "size")
		seed := rapid.StringN(1, 20, 40).Draw(t, "seed")
		drawn, err := Draw(all, seed, size, strata)
		require.NoError(t, err)
		slices.Reverse(all)
		again, err := Draw(all, seed, size, strata)
		require.NoError(t, err)
		require.Equal(t, drawn, again)
		require.Len(t, drawn, size)
		once, of := map[string]bool{}, map[int]int{}
		for _, d := range drawn {
			require.False(t, once[d.ParticipantID])
			once[d.ParticipantID] = true
			of[d.Stratum]++
		}
		parts := cut(all, strata)
		for stratum, n := range of {
			for other, m := range of {
				require.False(t, n > m+1 && m < len(parts[other-1]), "stratum %d gives %d and %d gives %d", stratum, n, other, m)
			}
		}
	})
}

// TestDrawRefuses is what cannot be drawn.
func TestDrawRefuses(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct {
		seed         string
		size, strata int
	}{
		"with a seed": {"", 1, 1}, "1 to 10 strata": {"s", 1, 0}, "not 11": {"s", 11, 11}, "at least as many": {"s", 1, 2}, "cannot be drawn": {"s", 21, 1},
	} {
		_, err := Draw(population(20), c.seed, c.size, c.strata)
		require.ErrorContains(t, err, says)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	}
}
