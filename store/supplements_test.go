package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// heldJanuary is January, paid but for ann's 100.00, which a dispute of hers holds.
func heldJanuary(t *testing.T) (*books, store.Dispute) {
	t.Helper()
	b := openDisputes(t)
	d := b.raised()
	_, _, err := b.StartApproving(t.Context(), b.command(monthOf(1), incentive.EndWindow))
	require.NoError(t, err)
	require.NoError(t, b.decide(monthOf(1)))
	_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
	require.NoError(t, err)
	b.pay(monthOf(1))
	return b, d
}

// released says who may release the supplementary list that waits, by the code of the refusal.
func (b *books) released(actor string, digest []byte) incentive.Code {
	b.Helper()
	c := b.command(monthOf(1), incentive.Release)
	c.Actor, c.PayoutListDigest = actor, digest
	_, err := b.Release(b.Context(), c)
	return incentive.ErrorCode(err)
}

// granted has a dispute of ann's accepted with an amount, and that approved.
func (b *books) granted(d store.Dispute, minor int64) {
	b.Helper()
	_, err := b.answer(d, "boss", incentive.Grant, minor, false)
	require.NoError(b, err)
	waiting, err := b.Adjustments(b.Context(), store.WhichAdjustments{PeriodID: monthOf(1)}, "", 10)
	require.NoError(b, err)
	_, err = b.DecideAdjustment(b.Context(), "fin3", waiting[len(waiting)-1].ID, "approved", "")
	require.NoError(b, err)
}

func TestSupplement(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settle  func(b *books, d store.Dispute)
		planned string
		earned  string
		needs   string
	}{
		"what a rejected dispute held": {func(b *books, d store.Dispute) {
			_, err := b.answer(d, "boss", incentive.RejectDispute, 0, false)
			require.NoError(b, err)
		}, "ann 100.00 (0.00) planned", "100.00", "release: fin2, fin3"},
		"that, and what an accepted one gives": {func(b *books, d store.Dispute) { b.granted(d, 700) }, "ann 107.00 (0.00) planned", "107.00", "release: fin2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, d := heldJanuary(t)
			ctx, january := t.Context(), monthOf(1)
			require.Empty(t, b.planned(january))
			require.Equal(t, incentive.CodeNotAllowedNow, b.released("fin2", nil), "nothing waits")
			c.settle(b, d)
			require.Equal(t, []string{c.planned}, b.planned(january))
			require.Equal(t, []string{c.needs}, b.needs(january), "fin3 approves what is granted")
			_, err := b.ClosePeriod(ctx, b.command(january, incentive.Close))
			require.Equal(t, store.CodePayoutsOpen, incentive.ErrorCode(err))

			list, err := b.PayoutList(ctx, january, 1)
			require.NoError(t, err)
			require.Equal(t, 1, list.Supplement)
			require.Empty(t, list.ReleasedBy)
			require.Equal(t, store.CodePreparer, b.released("fin", list.Digest))
			require.Equal(t, store.CodeChangedMeantime, b.released("fin2", []byte{1}))
			if c.needs == "release: fin2" {
				require.Equal(t, store.CodeApprover, b.released("fin3", list.Digest))
			}
			b.pay(january)
			require.Equal(t, []string{"close: finance"}, b.needs(january))
			require.Equal(t, c.earned, b.balance(store.Cash))
			require.Equal(t, "0.00", b.balance(store.Payable))
			require.Equal(t, "0.00", b.balance(store.PayableHeld))
			b.shut(january)
			st, err := b.Statement(ctx, january, 1, "ann")
			require.NoError(t, err)
			require.Equal(t, "100.00", st.TotalOf.Amount(), "what was approved is not edited")

			// Nothing of it is paid again: neither next month, nor when the month is opened again.
			b.open(monthOf(2))
			b.close(monthOf(2))
			require.Equal(t, c.earned, b.balance(store.Cash))
			b.reopen(january)
			b.calculate(january)
			b.approve(january)
			require.Empty(t, b.planned(january))
			b.pay(january)
			b.shut(january)
			require.Equal(t, c.earned, b.balance(store.Cash))
		})
	}
}

// TestSupplementsOfSupplements lets further disputes be settled while one list waits, and
// after it is released.
func TestSupplementsOfSupplements(t *testing.T) {
	t.Parallel()
	b := openDisputes(t)
	ctx, january := t.Context(), monthOf(1)
	whole := b.raised()
	deal, err := b.disputed(func(d *store.Dispute) { d.Item.Transaction = incentive.TransactionKey{Source: "crm", ID: "d1"} })
	require.NoError(t, err)
	missing, err := b.disputed(func(d *store.Dispute) { d.Type, d.Item = incentive.MissingDeal, incentive.DisputedItem{} })
	require.NoError(t, err)
	_, _, err = b.StartApproving(ctx, b.command(january, incentive.EndWindow))
	require.NoError(t, err)
	require.NoError(t, b.decide(january))
	_, err = b.ApprovePeriod(ctx, b.command(january, incentive.ApproveLast))
	require.NoError(t, err)
	b.pay(january)

	b.granted(deal, 300)
	require.Equal(t, []string{"ann 3.00 (0.00) planned"}, b.planned(january), "the line is still disputed")
	first, err := b.PayoutList(ctx, january, 1)
	require.NoError(t, err)
	_, err = b.answer(whole, "boss", incentive.RejectDispute, 0, false)
	require.NoError(t, err)
	require.Equal(t, []string{"ann 103.00 (0.00) planned"}, b.planned(january), "one list, while it is not released")
	require.Equal(t, store.CodeChangedMeantime, b.released("fin2", first.Digest), "it is another one now")
	b.pay(january)
	b.granted(missing, 1000)
	require.ElementsMatch(t, []string{"ann 10.00 (0.00) planned", "ann 103.00 (0.00) paid"}, b.planned(january))
	list, err := b.PayoutList(ctx, january, 1)
	require.NoError(t, err)
	require.Equal(t, 2, list.Supplement)
	b.pay(january)
	b.shut(january)
	require.Equal(t, "113.00", b.balance(store.Cash))
}
