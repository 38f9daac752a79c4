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

// TestHeldBack keeps half of a commission in the reserve until the customer has paid: what
// is known of January's deal in March releases it.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("flat", "reads: {transaction: {invoice: text}}\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%, holdback: {share: 50%, for_months: 6, released_where: transaction.invoice == \"paid\", otherwise: forfeited}}]")
	b.deal("d1", "2026-01-10", "1000")
	b.deal("d2", "2026-01-11", "400")
	for month, want := range [][]string{{"70.00", "70.00"}, {"0.00", "70.00"}, {"50.00", "20.00"}} {
		period := monthOf(month + 1)
		if month == 2 {
			b.put("transaction", map[string]any{"source": "crm", "transaction_id": "d1", "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{"invoice": "paid"}})
		}
		b.open(period)
		b.calculate(period)
		b.approve(period)
		require.Equal(t, want, []string{b.balance(store.Payable), b.balance(store.HoldbackReserve)}, period)
		b.pay(period)
		b.shut(period)
	}
	for month := 4; month <= 7; month++ {
		b.open(monthOf(month))
		b.close(monthOf(month))
	}
	require.Equal(t, []string{"0.00", "0.00", "-120.00"}, []string{b.balance(store.Payable), b.balance(store.HoldbackReserve), b.balance(store.CommissionExpense)}, "what nobody has paid for is lost after six months")
}
