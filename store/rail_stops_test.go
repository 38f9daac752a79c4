package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestRailStops sends nothing by a rail while it is stopped, fails no payout for it, and goes
// by what a person decides.
func TestRailStops(t *testing.T) {
	t.Parallel()
	b, id := failed(t)
	ctx := t.Context()
	require.NoError(t, b.RetryPayout(ctx, "fin", id, b.reason()))
	attempt, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live)
	decide := func(goesOn bool, reason string) incentive.Code {
		return incentive.ErrorCode(b.DecideRailStop(ctx, "fin", monthOf(1), 1, attempt.Order.Rail, goesOn, reason))
	}
	require.Equal(t, incentive.CodeConflict, decide(true, b.reason()), "it is not stopped")

	stop := store.RailStop{PeriodID: monthOf(1), Revision: 1, Rail: attempt.Order.Rail, Code: "key-expired"}
	require.NoError(t, b.StopRail(ctx, stop, &attempt.Attempt))
	require.NoError(t, b.StopRail(ctx, stop, nil), "another payout met the same fault")
	stops, err := b.RailStops(ctx, monthOf(1), 1)
	require.NoError(t, err)
	require.Len(t, stops, 1)
	require.Equal(t, "planned", b.payouts(monthOf(1))[0].State, "the payout is not to blame")
	_, _, err = b.BeginAttempt(ctx, id)
	require.Equal(t, store.CodeRailStopped, incentive.ErrorCode(err))

	require.Equal(t, store.CodeReasonMissing, decide(true, ""))
	require.Empty(t, decide(true, b.reason()))
	again, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live)
	require.NotEqual(t, attempt.Key, again.Key, "the attempt that was refused is not used again")

	// What may have been sent stays as it is: it is looked up when the rail goes on.
	require.NoError(t, b.MarkUnknown(ctx, again.Attempt))
	needed := incentive.Money{Minor: 10000, Currency: "USD"}
	require.NoError(t, b.StopRail(ctx, store.RailStop{PeriodID: monthOf(1), Revision: 1, Rail: attempt.Order.Rail, Code: string(store.CodeBalanceSmall), Available: incentive.Money{Currency: "USD"}, Needed: needed}, nil))
	stops, err = b.RailStops(ctx, monthOf(1), 1)
	require.NoError(t, err)
	require.Equal(t, needed, stops[0].Needed)
	sums, err := b.ToSend(ctx, monthOf(1), 1, attempt.Order.Rail)
	require.NoError(t, err)
	require.Empty(t, sums, "it may have been sent")
	require.Empty(t, decide(false, b.reason()))
	aside := b.payouts(monthOf(1))[0]
	require.Equal(t, []string{"failed", string(store.CodeBalanceSmall)}, []string{aside.State, aside.Reason})
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.CancelPayout(ctx, "fin", id, b.reason())), "it may have been paid")
}

// TestARailThatWasAway goes on without a person; one that stopped for another reason does not.
func TestARailThatWasAway(t *testing.T) {
	t.Parallel()
	b, id := failed(t)
	ctx := t.Context()
	require.NoError(t, b.RetryPayout(ctx, "fin", id, b.reason()))
	attempt, _, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	rail := attempt.Order.Rail
	for code, left := range map[incentive.Code]int{store.CodeRailAway: 0, "key-expired": 1} {
		require.NoError(t, b.StopRail(ctx, store.RailStop{PeriodID: monthOf(1), Revision: 1, Rail: rail, Code: string(code)}, nil))
		key, err := b.LostAttempt(ctx, monthOf(1), 1, rail)
		require.NoError(t, err)
		require.Equal(t, attempt.Key, key, "it can be asked for")
		for range 2 {
			require.NoError(t, b.ResumeRail(ctx, monthOf(1), 1, rail))
		}
		stops, err := b.RailStops(ctx, monthOf(1), 1)
		require.NoError(t, err)
		require.Len(t, stops, left, code)
		if left > 0 {
			require.NoError(t, b.DecideRailStop(ctx, "fin", monthOf(1), 1, rail, true, b.reason()))
		}
	}
	_, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live)
}
