package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// called takes January, in which ann has earned 100 dollars, to a payout whose first
// attempt was sent to a rail that is called.
func called(t *testing.T) (b *books, payout store.Payout, attempt store.Attempt) {
	t.Helper()
	b = openBooks(t)
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	release := b.command(monthOf(1), incentive.Release)
	list, err := b.PayoutList(t.Context(), monthOf(1), 1)
	require.NoError(t, err)
	release.Actor, release.PayoutListDigest = "fin2", list.Digest
	_, err = b.Release(t.Context(), release)
	require.NoError(t, err)
	_, err = b.Act(t.Context(), b.command(monthOf(1), incentive.Disburse))
	require.NoError(t, err)
	payout = b.payouts(monthOf(1))[0]
	return b, payout, b.sends(payout.ID)
}

// sends begins a call for a payout.
func (b *books) sends(payoutID string) store.Attempt {
	b.Helper()
	attempt, live, err := b.BeginAttempt(b.Context(), payoutID)
	require.NoError(b, err)
	require.True(b, live)
	return attempt.Attempt
}

// hears keeps an event of the rail about an attempt.
func (b *books) hears(id, reference string) store.RailEvent {
	b.Helper()
	e, err := b.KeepRailEvent(b.Context(), store.RailEvent{Rail: bank, EventID: id, Kind: "changed", Reference: reference, RailID: "their-1", HappenedAt: time.Unix(1_790_000_000, 0)}, []byte("content of "+id))
	require.NoError(b, err)
	return e
}

// TestWhatARailTells goes through what a look-up may say of an attempt, wherever the
// payout stands.
func TestWhatARailTells(t *testing.T) {
	t.Parallel()
	stands := map[string]func(*books, store.Payout, store.Attempt){
		"sent": func(*books, store.Payout, store.Attempt) {},
		"set aside": func(b *books, payout store.Payout, a store.Attempt) {
			require.NoError(b, b.MarkUnknown(b.Context(), a))
			require.NoError(b, b.SetAside(b.Context(), payout.ID, "unknown-outcome"))
		},
		"submitted": func(b *books, _ store.Payout, a store.Attempt) {
			require.NoError(b, b.Confirm(b.Context(), a, "their-1", false))
		},
		"paid": func(b *books, _ store.Payout, a store.Attempt) {
			require.NoError(b, b.Confirm(b.Context(), a, "their-1", true))
		},
		"rejected": func(b *books, _ store.Payout, a store.Attempt) { require.NoError(b, b.Reject(b.Context(), a, "AC04")) },
		"on its way again": func(b *books, payout store.Payout, a store.Attempt) {
			require.NoError(b, b.Reject(b.Context(), a, "AC04"))
			require.NoError(b, b.RetryPayout(b.Context(), "fin", payout.ID, b.reason()))
			require.Equal(b, 2, b.sends(payout.ID).Number)
		},
	}
	for _, c := range []struct {
		before, says, effect, after string
		payable, cash               string // what is owed, and what has left the account
	}{
		{"sent", "submitted", "submitted", "submitted", "0.00", "0.00"},
		{"sent", "paid", "paid", "paid", "0.00", "100.00"},
		{"sent", "refused", "failed", "failed refused", "100.00", "0.00"},
		{"sent", "returned", "returned", "returned returned", "100.00", "0.00"},
		{"sent", "another amount", "unclear", "failed bank-unclear", "100.00", "0.00"},
		{"set aside", "submitted", "submitted", "submitted", "0.00", "0.00"},
		{"set aside", "paid", "paid", "paid", "0.00", "100.00"},
		{"set aside", "refused", "failed", "failed refused", "100.00", "0.00"},
		{"set aside", "returned", "returned", "returned returned", "100.00", "0.00"},
		{"submitted", "submitted", "none", "submitted", "0.00", "0.00"},
		{"submitted", "paid", "paid", "paid", "0.00", "100.00"},
		{"submitted", "refused", "failed", "failed refused", "100.00", "0.00"},
		{"submitted", "returned", "returned", "returned returned", "100.00", "0.00"},
		{"submitted", "unclear", "unclear", "submitted bank-unclear", "0.00", "0.00"},
		{"paid", "submitted", "none", "paid", "0.00", "100.00"},
		{"paid", "paid", "none", "paid", "0.00", "100.00"},
		{"paid", "returned", "returned", "returned returned", "100.00", "0.00"},
		{"paid", "refused", "unclear", "paid bank-unclear", "0.00", "100.00"},
		{"rejected", "refused", "none", "failed AC04", "100.00", "0.00"},
		{"rejected", "paid", "unclear", "paid bank-unclear", "0.00", "100.00"},
		{"on its way again", "refused", "none", "planned", "100.00", "0.00"},
		{"on its way again", "paid", "unclear", "failed bank-unclear", "100.00", "0.00"},
	} {
		t.Run(c.before+", "+c.says, func(t *testing.T) {
			t.Parallel()
			b, payout, attempt := called(t)
			stands[c.before](b, payout, attempt)
			o := store.PayoutOutcome{State: c.says, Code: c.says, Amount: payout.Amount}
			switch c.says {
			case "another amount":
				o.State, o.Amount.Minor = "paid", 1
			case "unclear":
				o.State, o.Unclear = "paid", true
			}
			for _, id := range []string{"first", "first", "second"} {
				e := b.hears(id, attempt.Key)
				named, err := b.AttemptOf(t.Context(), e.Rail, e.Reference, e.RailID)
				require.NoError(t, err)
				_, effect, err := b.ApplyRailEvent(t.Context(), e.Number, named, "their-1", o)
				require.NoError(t, err)
				if id == "first" {
					require.Equal(t, c.effect, effect, "the same event has the same effect once")
				} else if c.effect != "unclear" {
					require.Equal(t, "none", effect, "another event tells nothing new")
				}
				require.Equal(t, c.after, b.stands())
				require.Equal(t, c.payable, b.balance(store.Payable))
				require.Equal(t, c.cash, b.balance(store.Cash))
				kept, err := b.RailEvent(t.Context(), e.Number)
				require.NoError(t, err)
				require.Equal(t, effect, kept.Effect)
				require.Equal(t, payout.ID, kept.PayoutID)
			}
			_, err := b.VerifyLedger(t.Context())
			require.NoError(t, err)
			require.NoError(t, b.VerifyPayouts(t.Context(), monthOf(1), 1))
		})
	}
}

// TestAnEventAndAnAnswerAtOnce has an event applied while the call's own answer is.
func TestAnEventAndAnAnswerAtOnce(t *testing.T) {
	t.Parallel()
	b, payout, attempt := called(t)
	var at sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		e := b.hears(fmt.Sprint(i), attempt.Key)
		at.Go(func() {
			if i%2 == 0 {
				errs[i] = b.Confirm(t.Context(), attempt, "their-1", true)
				return
			}
			_, _, errs[i] = b.ApplyRailEvent(t.Context(), e.Number, attempt, "their-1", store.PayoutOutcome{State: "paid", Amount: payout.Amount})
		})
	}
	at.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, "paid", b.stands())
	require.Equal(t, "100.00", b.balance(store.Cash))
	require.NoError(t, b.VerifyPayouts(t.Context(), monthOf(1), 1))
}

// TestEventsAreKeptAsTheyCame keeps an event once, and leaves out what is known.
func TestEventsAreKeptAsTheyCame(t *testing.T) {
	t.Parallel()
	b, payout, attempt := called(t)
	ctx := t.Context()
	first := b.hears("e1", attempt.Key)
	require.False(t, first.Applied())
	require.Equal(t, first, b.hears("e1", attempt.Key))
	content, err := b.RailEventContent(ctx, first.Number)
	require.NoError(t, err)
	require.Equal(t, "content of e1", string(content))

	claimed := store.RailEvent{Rail: bank, EventID: "e2", Kind: "paid", Reference: attempt.Key, Claims: "paid", HappenedAt: time.Unix(1_790_000_000, 0)}
	e, err := b.KeepRailEvent(ctx, claimed, []byte("x"))
	require.NoError(t, err)
	require.False(t, e.Applied(), "what it claims is not known yet")
	require.NoError(t, b.Confirm(ctx, attempt, "their-1", true))
	e, err = b.KeepRailEvent(ctx, claimed, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, []string{"none", payout.ID}, []string{e.Effect, e.PayoutID}, "by now it is")
	claimed.EventID, claimed.Reference, claimed.RailID = "e3", "", "their-1"
	e, err = b.KeepRailEvent(ctx, claimed, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, "none", e.Effect, "it is known by what the rail calls it too")
	for id, reference := range map[string]string{"e4": "00000000-0000-4000-8000-000000000000", "e5": "not one of ours"} {
		claimed.EventID, claimed.Reference = id, reference
		e, err = b.KeepRailEvent(ctx, claimed, []byte("x"))
		require.NoError(t, err)
		require.False(t, e.Applied())
		require.NoError(t, b.PutRailEventAside(ctx, e.Number, "not-ours"))
		require.NoError(t, b.PutRailEventAside(ctx, e.Number, "none"), "once")
		e, err = b.RailEvent(ctx, e.Number)
		require.NoError(t, err)
		require.Equal(t, "not-ours", e.Effect)
	}

	for _, of := range [][3]string{{bank, "", ""}, {bank, "not one of ours", "their-1"}, {"stripe", attempt.Key, ""}, {"stripe", "", "their-1"}, {bank, "", "their-2"}} {
		_, err := b.AttemptOf(ctx, of[0], of[1], of[2])
		require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "%v", of)
	}
	_, err = b.RailEvent(ctx, 1<<40)
	require.Equal(t, store.CodeRailEventUnknown, incentive.ErrorCode(err))
	_, err = b.RailEventContent(ctx, 1<<40)
	require.Equal(t, store.CodeRailEventUnknown, incentive.ErrorCode(err))
}
