package store_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestAccountsThatAreNotReady holds what would go to an account that its rail does not pay
// yet: when it is planned, when it stops being ready before the release, and before it is
// sent. Once it is ready, what was held for that goes on.
func TestAccountsThatAreNotReady(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.follows("employees: {by: [stripe]}, change_waits_days: 0")
	begun, err := b.BeginRailAccount(ctx, "ann", "ann", "stripe")
	require.NoError(t, err)
	require.Empty(t, begun.Account)
	again, err := b.BeginRailAccount(ctx, "ann", "ann", "stripe")
	require.NoError(t, err)
	require.Equal(t, begun, again, "one, by one key")
	require.NoError(t, b.KeepRailAccount(ctx, begun.ID, "acct_1"))
	b.methods("ann", store.Destination{Rail: "stripe", AtRail: "acct_1", Masked: "acct_…1", Details: map[string]string{"account": "acct_1"}, Share: decimal.NewFromInt(1)})
	note := func(state string) []store.Disbursing {
		t.Helper()
		tell, err := b.NoteStanding(ctx, "stripe", "acct_1", state)
		require.NoError(t, err)
		return tell
	}
	set, err := b.Methods(ctx, "ann")
	require.NoError(t, err)
	require.Equal(t, "open", set[0].Standing)
	b.deal("d1", "2026-01-05", "1000")
	b.toApproved(monthOf(1))
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	before, err := b.PayoutList(ctx, monthOf(1), 1)
	require.NoError(t, err)
	require.Empty(t, note("submitted"))
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	require.Empty(t, note("ready"), "nothing is sent before the release")
	require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
	after, err := b.PayoutList(ctx, monthOf(1), 1)
	require.NoError(t, err)
	require.NotEqual(t, before.Digest, after.Digest, "a release signs it anew")
	note("submitted")
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	note("ready")
	require.NoError(t, b.release(monthOf(1), "fin2"))
	_, err = b.Act(ctx, b.command(monthOf(1), incentive.Disburse))
	require.NoError(t, err)

	note("submitted")
	id := b.payouts(monthOf(1))[0].ID
	_, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.False(t, live, "closed between approval and payment")
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	waiting, err := b.AccountsNotReady(ctx, monthOf(1), 1, "stripe")
	require.NoError(t, err)
	require.Equal(t, []string{"acct_1"}, waiting)
	require.Equal(t, []store.Disbursing{{PeriodID: monthOf(1), Revision: 1, Rail: "stripe"}}, note("ready"))
	require.Empty(t, note("ready"))
	attempt, live, err := b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live)
	note("open")
	_, live, err = b.BeginAttempt(ctx, id)
	require.NoError(t, err)
	require.True(t, live, "what may have been sent is looked up")
	require.NoError(t, b.Confirm(ctx, attempt.Attempt, "tr_1", true))
	require.NoError(t, b.VerifyPayouts(ctx, monthOf(1), 1))
	require.Empty(t, note("ready"))
	require.Equal(t, []string{"100.00 paid "}, b.kept(monthOf(1)))
}
