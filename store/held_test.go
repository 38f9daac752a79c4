package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestDisputesHold keeps what is disputed from being paid, as the policy says.
func TestDisputesHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy, deal, held string
		missing            bool
	}{
		"the line":                   {"line", "d1", "130.00", false},
		"the deal's part":            {"contribution", "d1", "100.00", false},
		"the line, as no deal is it": {"contribution", "", "130.00", false},
		"the statement":              {"statement", "d1", "150.00", false},
		"nothing":                    {"nothing", "", "0.00", false},
		"what is missing":            {"line", "", "0.00", true},
		"all, as something is":       {"statement", "", "150.00", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%}, {name: fixed, bonus: 20}]")
			_, err := b.PutPolicy(t.Context(), "fin", "monthly", "disputes: {holds: "+c.policy+"}")
			require.NoError(t, err)
			b.deal("d1", "2026-01-10", "1000")
			b.deal("d2", "2026-01-11", "300")
			b.open(monthOf(1))
			b.calculate(monthOf(1))
			b.publish(monthOf(1))
			d, err := b.disputed(func(d *store.Dispute) {
				if c.missing {
					d.Type, d.Item = incentive.MissingDeal, incentive.DisputedItem{}
				} else if c.deal != "" {
					d.Item.Transaction = incentive.TransactionKey{Source: "crm", ID: c.deal}
				}
			})
			require.NoError(t, err)
			require.NoError(t, b.decide(monthOf(1)))
			_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
			require.NoError(t, err)
			require.Equal(t, c.held, b.balance(store.PayableHeld))
			require.Equal(t, "-150.00", b.balance(store.CommissionExpense), "all of it is approved")

			// Answered before the release: the payout list is planned again.
			_, err = b.answer(d, "boss", incentive.RejectDispute, 0, false)
			require.NoError(t, err)
			require.Equal(t, "0.00", b.balance(store.PayableHeld))
			require.Equal(t, []string{"ann 150.00 (0.00) planned"}, b.planned(monthOf(1)))
			b.pay(monthOf(1))
			b.shut(monthOf(1))
		})
	}
}

// TestHeldPay is paid when its dispute is answered, whenever that is.
func TestHeldPay(t *testing.T) {
	t.Parallel()
	disputedJanuary := func(t *testing.T) (*books, store.Dispute) {
		b := openDisputes(t)
		d := b.raised()
		_, _, err := b.StartApproving(t.Context(), b.command(monthOf(1), incentive.EndWindow))
		require.NoError(t, err)
		require.NoError(t, b.decide(monthOf(1)))
		_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
		require.NoError(t, err)
		require.Equal(t, "100.00", b.balance(store.PayableHeld))
		require.Empty(t, b.planned(monthOf(1)))
		return b, d
	}

	t.Run("by the next payout, where the period is closed", func(t *testing.T) {
		t.Parallel()
		b, d := disputedJanuary(t)
		b.pay(monthOf(1))
		b.shut(monthOf(1))
		require.Equal(t, "0.00", b.balance(store.Cash))
		_, err := b.answer(d, "boss", incentive.Grant, 700, false)
		require.NoError(t, err)
		require.Equal(t, "100.00", b.balance(store.PayableHeld), "the adjustment is not approved")
		waiting, err := b.Adjustments(t.Context(), store.WhichAdjustments{PeriodID: monthOf(1)}, "", 10)
		require.NoError(t, err)
		_, err = b.DecideAdjustment(t.Context(), "fin2", waiting[0].ID, "approved", "")
		require.NoError(t, err)
		require.Equal(t, "100.00", b.balance(store.Payable))
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		b.approve(monthOf(2))
		require.Equal(t, []string{"ann 107.00 (100.00) planned"}, b.planned(monthOf(2)))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		require.Equal(t, "0.00", b.balance(store.PayableHeld))
		require.Equal(t, "107.00", b.balance(store.Cash))
	})

	t.Run("and not while another dispute holds it", func(t *testing.T) {
		t.Parallel()
		b := openDisputes(t)
		first := b.raised()
		second, err := b.disputed(func(d *store.Dispute) { d.Item.Transaction = incentive.TransactionKey{Source: "crm", ID: "d1"} })
		require.NoError(t, err)
		_, _, err = b.StartApproving(t.Context(), b.command(monthOf(1), incentive.EndWindow))
		require.NoError(t, err)
		require.NoError(t, b.decide(monthOf(1)))
		_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
		require.NoError(t, err)
		_, err = b.answer(first, "boss", incentive.RejectDispute, 0, false)
		require.NoError(t, err)
		require.Equal(t, "100.00", b.balance(store.PayableHeld))
		_, err = b.answer(second, "ann", incentive.WithdrawDispute, 0, false)
		require.NoError(t, err)
		require.Equal(t, "0.00", b.balance(store.PayableHeld))
	})

	t.Run("a withdrawn approval holds nothing", func(t *testing.T) {
		t.Parallel()
		b, d := disputedJanuary(t)
		for range 2 {
			_, err := b.Withdraw(t.Context(), b.command(monthOf(1), incentive.Withdraw))
			require.NoError(t, err)
			require.Equal(t, "0.00", b.balance(store.PayableHeld))
			require.Equal(t, "0.00", b.balance(store.Payable))
			b.approve(monthOf(1))
			require.Equal(t, "100.00", b.balance(store.PayableHeld))
		}
		_, err := b.answer(d, "ann", incentive.WithdrawDispute, 0, false)
		require.NoError(t, err)
		require.Equal(t, []string{"ann 100.00 (0.00) planned"}, b.planned(monthOf(1)))
	})
}
