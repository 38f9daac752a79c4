package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReconciliations keeps what comparisons find, once each, and lists it.
func TestReconciliations(t *testing.T) {
	t.Parallel()
	b, payout, attempt := called(t)
	ctx := t.Context()
	one, day := int64(100), incentive.MustParseDate("2026-01-31")
	totals := []store.ReconciliationTotal{{Currency: "EUR", Ours: 1, OursMinor: 5}, {Currency: "USD", Theirs: 2, TheirsSum: 7, InTransit: 3, Submitted: 4, Available: &one}}
	differences := []store.RailDifference{
		{Kind: store.MissingThere, Reference: attempt.Key, PayoutID: payout.ID, OurState: "paid", OurMinor: &one, Currency: "USD"},
		{Kind: store.MissingHere, Reference: "not ours", RailID: "tr_1", TheirState: "paid", TheirMinor: &one, Currency: "USD"},
		{Kind: store.LedgerDiffers, Currency: "EUR"},
	}
	first, err := b.KeepReconciliation(ctx, "k1", store.Reconciliation{Rail: bank, Day: day, RunBy: store.System, Agreed: 3}, totals, differences)
	require.NoError(t, err)
	require.Equal(t, []any{bank, day, store.System, 3, 3}, []any{first.Rail, first.Day, first.RunBy, first.Agreed, first.Differences})
	again, err := b.KeepReconciliation(ctx, "k1", store.Reconciliation{Rail: bank, Day: day, RunBy: store.System}, nil, nil)
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, kept, err := b.Reconciliation(ctx, first.ID)
	require.NoError(t, err)
	require.Equal(t, totals, kept)
	all, err := b.RailDifferences(ctx, first.ID, 0, 10)
	require.NoError(t, err)
	require.Equal(t, differences, all)
	rest, err := b.RailDifferences(ctx, first.ID, 1, 1)
	require.NoError(t, err)
	require.Equal(t, differences[1:2], rest)

	second, err := b.KeepReconciliation(ctx, "k2", store.Reconciliation{Rail: "stripe", Day: day.AddDays(3), RunBy: "fin"}, nil, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		rail   string
		before int64
		limit  int
		want   []store.Reconciliation
	}{{"", 0, 10, []store.Reconciliation{second, first}}, {"", 0, 1, []store.Reconciliation{second}}, {"", second.ID, 10, []store.Reconciliation{first}}, {bank, 0, 10, []store.Reconciliation{first}}} {
		list, err := b.Reconciliations(ctx, c.rail, c.before, c.limit)
		require.NoError(t, err)
		require.Equal(t, c.want, list)
	}
	last, err := b.LastReconciled(ctx, bank)
	require.NoError(t, err)
	require.Equal(t, day, last)
	last, err = b.LastReconciled(ctx, "stripe")
	require.NoError(t, err)
	require.True(t, last.IsZero(), "what a person asks for stands in for no day")
	_, _, err = b.Reconciliation(ctx, 99)
	require.Equal(t, store.CodeReconciliationUnknown, incentive.ErrorCode(err))

	sent, err := b.SentAttempts(ctx, bank, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, []store.SentAttempt{{PayoutID: payout.ID, Key: attempt.Key, State: store.Sent, PayoutState: "planned", Amount: payout.Amount}}, sent)
	for _, c := range []struct {
		rail, reference string
		byPayout        bool
		found           int
	}{{bank, attempt.Key, false, 1}, {bank, payout.ID, true, 1}, {bank, payout.ID, false, 0}, {bank, "INVOICE 7", false, 0}, {"stripe", attempt.Key, false, 0}} {
		named, err := b.AttemptsNamed(ctx, c.rail, []string{c.reference, "x"}, c.byPayout)
		require.NoError(t, err)
		require.Len(t, named, c.found, "%+v", c)
	}
	none, err := b.SentAttempts(ctx, bank, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, b.Confirm(ctx, attempt, "x", false))
	transit, err := b.InTransit(ctx, bank)
	require.NoError(t, err)
	require.Equal(t, []store.ReconciliationTotal{{Currency: "USD", InTransit: 10000, Submitted: 10000}}, transit)
	_, _, err = b.VerifyAudit(ctx)
	require.NoError(t, err)
}
