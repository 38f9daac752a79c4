package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReserve keeps what a cap puts off in the holdback reserve until there is room.
func TestReserve(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%, cap: {amount: 100, excess: carried_over}}]")
	for month, c := range []struct{ date, amount, expense, reserve, payable string }{
		{"2026-01-10", "1600", "-160.00", "60.00", "100.00"},
		{"2026-02-10", "700", "-230.00", "30.00", "100.00"},
		{"2026-03-10", "100", "-240.00", "0.00", "40.00"},
	} {
		period := monthOf(month + 1)
		b.open(period)
		b.deal(period, c.date, c.amount)
		b.calculate(period)
		b.approve(period)
		require.Equal(t, []string{c.expense, c.reserve, c.payable}, []string{b.balance(store.CommissionExpense), b.balance(store.HoldbackReserve), b.balance(store.Payable)}, period)
		b.pay(period)
		b.shut(period)
	}

	period := monthOf(4)
	b.open(period)
	b.deal(period, "2026-04-10", "2000")
	b.calculate(period)
	b.approve(period)
	require.Equal(t, "100.00", b.balance(store.HoldbackReserve))
	_, err := b.Withdraw(b.Context(), b.command(period, incentive.Withdraw))
	require.NoError(t, err)
	require.Equal(t, "0.00", b.balance(store.HoldbackReserve), "what was approved has fallen away")
}
