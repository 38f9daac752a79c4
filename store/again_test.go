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

// TestAskingAgainAboutAPayout has whoever asked for something about a payout, or decided about it, do so again:
// nothing more is done, and somebody else, another reason or another content is refused.
func TestAskingAgainAboutAPayout(t *testing.T) {
	t.Parallel()
	another := func(b *books) string {
		id, err := b.WriteText(b.Context(), "fin", "another reason")
		require.NoError(b, err)
		return id
	}
	for name, c := range map[string]struct {
		at       func(t *testing.T) (*books, string)
		asks     func(b *books, actor, id, reasonID string) error
		other    func(b *books, id string) error // of other content
		confirms bool
		again    bool // it is answered also once it is confirmed
	}{
		"another destination": {
			at: failed,
			asks: func(b *books, actor, id, reasonID string) error {
				return b.ProposeRedirection(b.Context(), actor, id, reasonID, 2)
			},
			other:    func(b *books, id string) error { return b.CancelPayout(b.Context(), "fin", id, b.reason()) },
			confirms: true,
		},
		"a destination that is refused": {
			at: failed,
			asks: func(b *books, actor, id, reasonID string) error {
				return b.ProposeRedirection(b.Context(), actor, id, reasonID, 2)
			},
			other: func(b *books, id string) error { return b.ProposeRedirection(b.Context(), "fin", id, b.reason(), 1) },
		},
		"a retry": {
			at: func(t *testing.T) (*books, string) {
				b := openBooks(t)
				b.follows("second_person_above: [1 USD]")
				return failedIn(b)
			},
			asks: func(b *books, actor, id, reasonID string) error {
				return b.RetryPayout(b.Context(), actor, id, reasonID)
			},
			other:    func(b *books, id string) error { return b.CancelPayout(b.Context(), "fin", id, b.reason()) },
			confirms: true, again: true,
		},
		"a recall": {
			at: paidBooks,
			asks: func(b *books, actor, id, reasonID string) error {
				return b.ProposeRecall(b.Context(), actor, id, reasonID, dollars(30), false)
			},
			other: func(b *books, id string) error {
				return b.ProposeRecall(b.Context(), "fin", id, b.reason(), dollars(31), false)
			},
			confirms: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, id := c.at(t)
			ctx := t.Context()
			rows := func() int {
				events, err := b.AuditEvents(ctx, "payout/"+id, 0, 100)
				require.NoError(t, err)
				return len(events)
			}
			require.NoError(t, c.asks(b, "fin", id, b.reason()))
			asked := rows()
			require.NoError(t, c.asks(b, "fin", id, b.reason()))
			for _, err := range []error{c.asks(b, "fin2", id, b.reason()), c.asks(b, "fin", id, another(b)), c.other(b, id)} {
				require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err), "%v", err)
			}
			require.Equal(t, asked, rows())
			first, err := b.DecidePayout(ctx, "fin2", id, c.confirms, b.reason())
			require.NoError(t, err)
			second, err := b.DecidePayout(ctx, "fin2", id, c.confirms, b.reason())
			require.NoError(t, err)
			require.Equal(t, first, second)
			for actor, confirms := range map[string]bool{"fin2": !c.confirms, "fin3": c.confirms} {
				_, err = b.DecidePayout(ctx, actor, id, confirms, b.reason())
				require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err))
			}
			require.Equal(t, asked+1, rows())
			if c.again {
				require.NoError(t, c.asks(b, "fin", id, b.reason()))
				require.Equal(t, asked+1, rows())
			}
		})
	}
}
