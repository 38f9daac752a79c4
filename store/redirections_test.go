package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// failed is a company whose one payout, to version 1 of ann's destination, was released and
// refused by the rail.
func failed(t *testing.T) (*books, string) {
	t.Helper()
	return failedIn(openBooks(t))
}

func failedIn(b *books) (*books, string) {
	b.Helper()
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	id := b.payouts(monthOf(1))[0].ID
	b.destination("ann")
	require.Equal(b, incentive.CodeConflict, incentive.ErrorCode(b.ProposeRedirection(b.Context(), "fin", id, b.reason(), 2)), "it is not released")
	release := b.command(monthOf(1), incentive.Release)
	list, err := b.PayoutList(b.Context(), monthOf(1), 1)
	require.NoError(b, err)
	release.Actor, release.PayoutListDigest = "fin2", list.Digest
	_, err = b.Release(b.Context(), release)
	require.NoError(b, err)
	require.Equal(b, incentive.CodeConflict, incentive.ErrorCode(b.ProposeRedirection(b.Context(), "fin", id, b.reason(), 2)), "nothing is wrong with it")
	attempt, _, err := b.BeginAttempt(b.Context(), id)
	require.NoError(b, err)
	require.NoError(b, b.Reject(b.Context(), attempt.Attempt, "account-closed"))
	require.Equal(b, "failed", b.payouts(monthOf(1))[0].State)
	return b, id
}

// TestRetryGoesWhereItWasReleased tries a payout again, and no other destination than the one
// that somebody released.
func TestRetryGoesWhereItWasReleased(t *testing.T) {
	t.Parallel()
	b, id := failed(t)
	released := b.payouts(monthOf(1))[0]
	require.Equal(t, 2, released.Newer.Version, "ann has named another one since")
	require.NoError(t, b.RetryPayout(t.Context(), "fin", id, b.reason()))
	again, live, err := b.BeginAttempt(t.Context(), id)
	require.NoError(t, err)
	require.True(t, live)
	require.Equal(t, released.DestinationID, again.To.ID)
}

// TestRedirections is who may send a payout elsewhere, and when.
func TestRedirections(t *testing.T) {
	t.Parallel()
	b, id := failed(t)
	ctx, one := t.Context(), func() store.Payout { return b.payouts(monthOf(1))[0] }
	propose := func(actor string, version int) error {
		return b.ProposeRedirection(ctx, actor, id, b.reason(), version)
	}
	decide := func(actor string, confirms bool) error {
		return b.DecideRedirection(ctx, actor, id, confirms, b.reason())
	}
	refused := func(code incentive.Code, err error) {
		t.Helper()
		require.Equal(t, code, incentive.ErrorCode(err), "%v", err)
	}
	refused(incentive.CodeConflict, decide("fin2", true)) // nobody has asked for one
	refused(store.CodeReasonMissing, b.ProposeRedirection(ctx, "fin", id, "", 2))
	refused(store.CodeChangedMeantime, propose("fin", 1))
	refused(incentive.CodeOwnPay, propose("ann", 2))
	require.NoError(t, propose("fin", 2))
	require.Equal(t, []string{"fin", "payment-file"}, []string{one().ToBy, one().ToRail})
	refused(incentive.CodeConflict, propose("fin2", 2))
	refused(incentive.CodeConflict, b.RetryPayout(ctx, "fin", id, b.reason()))
	refused(incentive.CodeConflict, b.CancelPayout(ctx, "fin", id, b.reason()))
	refused(store.CodePreparer, decide("fin", true))
	refused(incentive.CodeOwnPay, decide("ann", true))
	refused(store.CodeReasonMissing, b.DecideRedirection(ctx, "fin2", id, false, ""))
	require.NoError(t, decide("fin2", false))
	require.Equal(t, "failed", one().State)
	require.Empty(t, one().ToBy)

	require.NoError(t, propose("fin", 2))
	b.destination("ann")
	refused(store.CodeChangedMeantime, decide("fin2", true))
	require.NoError(t, decide("fin2", false))
	require.NoError(t, propose("fin2", 3))
	require.NoError(t, decide("fin", true))
	require.Equal(t, "planned", one().State)
	require.Empty(t, one().ToBy)
	attempt, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live)
	require.Equal(t, 2, attempt.Number, "by a key of its own")
	require.Equal(t, 3, attempt.To.Version)
	batches, err := b.OpenBatches(ctx, monthOf(1), 1, "payment-file")
	require.NoError(t, err)
	require.Equal(t, []int{2}, batches)

	require.NoError(t, b.MarkUnknown(ctx, attempt.Attempt))
	require.NoError(t, b.SetAside(ctx, id, "unknown-outcome"))
	b.destination("ann")
	refused(incentive.CodeConflict, propose("fin", 4)) // it may have paid
}

// TestRedirectionsAreSegregated goes around everything above the database.
func TestRedirectionsAreSegregated(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	defer pool.Close()
	b, id := failedIn(booksIn(t, s))
	refused := func(sql string, arguments ...any) string {
		_, err := pool.Exec(t.Context(), sql, arguments...)
		var refusal *pgconn.PgError
		require.ErrorAs(t, err, &refusal)
		return refusal.ConstraintName
	}
	const propose = `INSERT INTO guerdon.payout_redirection (payout_id, participant_id, destination_id, proposed_by, reason_id) SELECT $1::uuid, 'ann', max(id), $2, $3::uuid FROM guerdon.destination`
	require.Equal(t, "nobody_redirects_own_payout", refused(propose, id, "ann", b.reason()))
	require.NoError(t, b.ProposeRedirection(t.Context(), "fin", id, b.reason(), 2))
	const confirm = `INSERT INTO guerdon.redirection_decision (redirection_id, participant_id, proposed_by, decision, decided_by) SELECT id, participant_id, proposed_by, 'confirmed', $1 FROM guerdon.payout_redirection`
	require.Equal(t, "nobody_confirms_own_redirection", refused(confirm, "fin"))
	require.Equal(t, "nobody_confirms_own_redirection", refused(confirm, "ann"))
}
