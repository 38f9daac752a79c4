package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestARestoredDatabase sends nothing from a database that is not the one from which payouts
// were sent, nor from one that lacks what a rail has done, until every rail is compared and
// finance clears it. What may have been sent is looked up then; anything else waits for a person.
func TestARestoredDatabase(t *testing.T) {
	t.Parallel()
	b, id := failed(t)
	ctx := t.Context()
	require.NoError(t, b.RetryPayout(ctx, "fin", id, b.reason()))
	attempt, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live)
	rail := attempt.Order.Rail
	lock, err := b.SendingLock(ctx)
	require.NoError(t, err)
	require.Nil(t, lock)
	clears := func() incentive.Code { return incentive.ErrorCode(b.ClearSending(ctx, "fin", b.reason())) }
	require.Equal(t, incentive.CodeConflict, clears(), "it is not locked")

	last, err := b.LastSent(ctx, rail)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), last, time.Minute)
	none, err := b.LastSent(ctx, "another")
	require.NoError(t, err)
	require.True(t, none.IsZero())
	unknown, err := b.NotOnRecord(ctx, rail, []string{attempt.Key, "somebody else's", uuid.NewString(), uuid.NewString()})
	require.NoError(t, err)
	require.Equal(t, 2, unknown, "what has not the form of ours is not ours")

	for _, c := range []struct {
		code string
		lock func()
	}{
		// As a copy of a database is, or one that another server has restored.
		{store.Restored, func() {
			storetest.Exec(t, b.url, `INSERT INTO guerdon.sending_clearance (database, cleared_at) VALUES ('1/00000001/2/3', clock_timestamp())`)
		}},
		{store.ForeignPayments, func() { require.NoError(t, b.LockSending(ctx, rail, 2)) }},
	} {
		c.lock()
		_, _, err = b.BeginAttempt(ctx, id)
		require.Equal(t, store.CodeSendingLocked, incentive.ErrorCode(err), c.code)
		for range 2 {
			require.NoError(t, b.LockSending(ctx, "another", 7), "it is noted once")
			lock, err = b.SendingLock(ctx)
			require.NoError(t, err)
		}
		require.Len(t, lock.ToDo, 1)
		require.Equal(t, rail, lock.ToDo[0].Rail)
		require.Equal(t, store.CodeNotCompared, clears())
		compared := store.Reconciliation{Rail: rail, Day: lock.ToDo[0].Day, RunBy: "fin"}
		found, err := b.KeepReconciliation(ctx, uuid.NewString(), compared, nil, []store.RailDifference{{Kind: store.MissingHere, Reference: c.code}})
		require.NoError(t, err)
		require.Equal(t, store.CodeNotCompared, clears(), "nobody has explained what differs")
		require.NoError(t, b.ExplainDifferences(ctx, "fin", found.ID, []int{1}, b.reason()))
		require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(b.ClearSending(ctx, "fin", "")))
		require.Empty(t, clears())
		lock, err = b.SendingLock(ctx)
		require.NoError(t, err)
		require.Nil(t, lock)
		again, live, err := b.BeginAttempt(ctx, id)
		require.NoError(t, err)
		require.True(t, live && !again.New, "what may have been sent is looked up")
		require.Equal(t, attempt.Key, again.Key)
	}
	require.NoError(t, b.StopRail(ctx, store.RailStop{PeriodID: monthOf(1), Revision: 1, Rail: rail, Code: "x"}, &attempt.Attempt))
	require.NoError(t, b.LockSending(ctx, rail, 1))
	lock, err = b.SendingLock(ctx)
	require.NoError(t, err)
	_, err = b.KeepReconciliation(ctx, uuid.NewString(), store.Reconciliation{Rail: rail, Day: lock.ToDo[0].Day, RunBy: "fin"}, nil, nil)
	require.NoError(t, err)
	require.Empty(t, clears())
	aside := b.payouts(monthOf(1))[0]
	require.Equal(t, []string{"failed", string(store.CodeRestored)}, []string{aside.State, aside.Reason}, "a person makes sure that it was not paid")
}
