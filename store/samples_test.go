package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
)

// TestSamples draws once for a key, and refuses where there is nothing to draw from.
func TestSamples(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.deal("D1", "2026-01-05", "1000")
	b.open(monthOf(1))
	asked := store.Sample{PeriodID: monthOf(1), Revision: 1, Seed: "s", Size: 1, Strata: 1, DrawnBy: "fin"}
	_, err := b.DrawSample(t.Context(), "k", asked)
	require.ErrorContains(t, err, "has no statements to draw from yet")
	b.calculate(monthOf(1))
	drawn, err := b.DrawSample(t.Context(), "k", asked)
	require.NoError(t, err)
	again, err := b.DrawSample(t.Context(), "k", asked)
	require.NoError(t, err)
	require.Equal(t, drawn, again)
	items, err := b.SampleItems(t.Context(), drawn.ID)
	require.NoError(t, err)
	require.Len(t, items, 1)
	require.Equal(t, "ann", items[0].ParticipantID)
	require.Error(t, b.RemarkSample(t.Context(), "fin", drawn.ID, 2, "fine", ""))
	conflicts, err := b.DutyConflicts(t.Context(), time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, 1))
	require.NoError(t, err)
	require.Empty(t, conflicts)
}
