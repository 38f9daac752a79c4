package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

func (b *books) simulated(period, components string) (changed string, frozen []byte) {
	b.Helper()
	s, err := b.Simulate(b.Context(), b.revision(period), incentive.PlanVersion{PlanID: "flat", Document: []byte("language: 1\nplan: flat\nname: flat\ncurrency: USD\ncomponents: [" + components + "]\n")})
	require.NoError(b, err)
	require.Len(b, s.Changes, 1)
	return s.Changes[0].Before.Amount() + " to " + s.Changes[0].After.Amount(), s.Snapshot
}

// TestSimulate takes the facts while a period is open and what was frozen afterwards, unless
// the draft needs more than that, and keeps nothing.
func TestSimulate(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january, february := monthOf(1), monthOf(2)
	const twelve = "{name: commission, measure: {sum: credits}, rate: 12%}"
	b.deal("d1", "2026-01-05", "1000")
	b.open(january)
	changed, frozen := b.simulated(january, twelve)
	require.Equal(t, "100.00 to 120.00", changed)
	require.Nil(t, frozen)
	b.calculate(january)
	b.deal("d2", "2026-01-06", "500")
	changed, frozen = b.simulated(january, twelve)
	require.Equal(t, "100.00 to 120.00", changed, "what came after the lock is not in it")
	_, digest, err := b.Snapshot(t.Context(), *b.revision(january).SnapshotID)
	require.NoError(t, err)
	require.Equal(t, digest, frozen)
	runs, err := b.Runs(t.Context(), january, 1)
	require.NoError(t, err)
	require.Len(t, runs, 1, "none of it is a run")

	b.deal("d3", "2026-02-06", "200")
	b.open(february)
	b.calculate(february)
	changed, frozen = b.simulated(february, "{name: commission, measure: {sum: credits}, cumulative: {over: year, pays: true_up}, rate: 10%}")
	require.Equal(t, "20.00 to 170.00", changed, "over the year, of which January has posted nothing yet")
	require.Nil(t, frozen, "February's snapshot does not know January's deals")
	_, err = b.Simulate(t.Context(), b.revision(february), incentive.PlanVersion{PlanID: "other", Document: []byte("language: 1\nplan: other\nname: o\ncurrency: USD\ncomponents: [" + twelve + "]\n")})
	require.Equal(t, incentive.Code("no-plan"), incentive.ErrorCode(err))
}
