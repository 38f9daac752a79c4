package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// An answer may be lost after everything was done; whoever asks again gets it, whatever
// has happened since.

func TestOpeningAgain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	first, err := b.OpenPeriod(t.Context(), "fin", monthOf(1))
	require.NoError(t, err)
	again, err := b.OpenPeriod(t.Context(), "fin", monthOf(1))
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = b.OpenPeriod(t.Context(), "fin2", monthOf(1))
	require.Equal(t, store.CodeAlreadyOpen, incentive.ErrorCode(err), "who has opened nothing asks for the first time")
	events, err := b.AuditEvents(t.Context(), incentive.PeriodSubject(monthOf(1), 1), 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 1)
	b.calculate(monthOf(1))
	_, err = b.OpenPeriod(t.Context(), "fin", monthOf(1))
	require.Equal(t, store.CodeAlreadyOpen, incentive.ErrorCode(err))
}

func TestDecisionsAgain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.publish(monthOf(1))
	set := store.DecisionSet{ID: "00000000-0000-0000-0000-000000000001", PeriodID: monthOf(1), Revision: 1, Queue: "boss", Decision: "approved", DecidedBy: "boss"}
	require.NoError(t, b.KeepDecisionSet(t.Context(), set))
	_, done, err := b.DecisionsApplied(t.Context(), set.ID)
	require.NoError(t, err)
	require.False(t, done)
	first, err := b.ApplyDecisions(t.Context(), set.ID)
	require.NoError(t, err)
	require.Equal(t, 1, first.Applied)
	_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
	require.NoError(t, err)
	again, err := b.ApplyDecisions(t.Context(), set.ID)
	require.NoError(t, err, "though the period is not approving any more")
	require.Equal(t, first, again)
	asked, done, err := b.DecisionsApplied(t.Context(), set.ID)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, store.DecisionResult{Applied: 1}, asked)
}

func TestRecalculationAgain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.deal("d1", "2026-01-10", "2000")
	amendment := store.Amendment{ID: "00000000-0000-0000-0000-000000000001", PeriodID: monthOf(1), Revision: 1, By: "fin", Changes: []store.Change{{Kind: "transaction", ID: "crm/d1"}}}
	require.NoError(t, b.KeepAmendment(t.Context(), amendment))
	c := b.command(monthOf(1), incentive.Recalculate)
	first, err := b.Recalculate(t.Context(), c, amendment.ID)
	require.NoError(t, err)
	require.Equal(t, incentive.Locked, first.State)
	again, err := b.Recalculate(t.Context(), c, amendment.ID)
	require.NoError(t, err, "though nothing has changed since")
	require.Equal(t, first, again)
	another := b.command(monthOf(1), incentive.Recalculate)
	_, err = b.Recalculate(t.Context(), another, amendment.ID)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err), "that is what to tell, whatever the list names")
}

func TestConfirmingAFileAgain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	release := b.command(monthOf(1), incentive.Release)
	list, err := b.PayoutList(ctx, monthOf(1), 1)
	require.NoError(t, err)
	release.Actor, release.PayoutListDigest = "fin2", list.Digest
	_, err = b.Release(ctx, release)
	require.NoError(t, err)
	file, err := b.KeepPaymentFile(ctx, store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: "payment-file", Currency: "USD", Name: "f", MessageID: "m", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000})
	require.NoError(t, err)
	for _, paid := range []bool{false, false, true, true} {
		_, err := b.ConfirmFile(ctx, "fin2", file.ID, paid)
		require.NoError(t, err)
	}
	events, err := b.AuditEvents(ctx, "payment-file/"+file.ID, 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 2, "each was said once")
	require.Equal(t, "paid", b.payouts(monthOf(1))[0].State)
}
