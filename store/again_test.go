package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// An answer may be lost after everything was done; whoever asks again gets it, whatever
// has happened since.

func TestDecisionsAgain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.publish(monthOf(1))
	set := store.DecisionSet{ID: "00000000-0000-0000-0000-000000000001", PeriodID: monthOf(1), Revision: 1, Queue: "boss", Decision: "approved", DecidedBy: "boss"}
	require.NoError(t, b.KeepDecisionSet(t.Context(), set))
	first, err := b.ApplyDecisions(t.Context(), set.ID)
	require.NoError(t, err)
	require.Equal(t, 1, first.Applied)
	_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
	require.NoError(t, err)
	again, err := b.ApplyDecisions(t.Context(), set.ID)
	require.NoError(t, err, "though the period is not approving any more")
	require.Equal(t, first, again)
}
