package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// refund gives back some of a deal.
func (b *books) refund(id, of, date, amount string) {
	b.Helper()
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": id, "refund_of": of, "date": date, "amount": "-" + amount, "currency": "USD", "attributes": map[string]string{}})
}

// lapse cancels a deal of 1000 of January's, or ("") takes that back.
func (b *books) lapse(id, on string) {
	b.Helper()
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": id, "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{"lapsed_on": on}})
}

const (
	takesBack      = "reads: {transaction: {lapsed_on: text}}\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%, clawback: {within_months: 6, cancelled_on: transaction.lapsed_on}}]"
	inThreePeriods = "components: [{name: commission, measure: {sum: credits}, rate: 10%, clawback: {within_months: 6, instalments: 3}}]"
)

// paidBack is a company whose January is closed, with a plan that takes back.
func paidBack(t *testing.T, plan string) *books {
	t.Helper()
	b := openBooks(t)
	b.plan("flat", plan)
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.close(monthOf(1))
	require.Equal(t, []string{"commission 100.00", "commission, clawed back 0.00"}, b.lines(monthOf(1), "ann")[:2])
	return b
}

// TestClawbacks takes back in the open period what closed ones paid for a deal that is
// refunded or cancelled, once.
func TestClawbacks(t *testing.T) {
	t.Parallel()

	t.Run("a refund", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.open(monthOf(2))
		b.refund("r1", "d1", "2026-02-05", "1000")
		require.Empty(t, b.late(monthOf(2)), "January's facts are what they were")
		require.Equal(t, "-100.00, booked 0.00", b.estimate(monthOf(2)), "the 5th of February is still to come")
		refresh(t, b.Store, time.Date(2026, time.February, 5, 12, 0, 0, 0, time.UTC))
		require.Equal(t, "-100.00, booked -100.00", b.estimate(monthOf(2)), "the day has come, with nothing new")
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back -100.00"}, b.lines(monthOf(2), "ann"))
		require.Equal(t, "0.00", b.balance(store.CommissionExpense))
		require.Equal(t, "-100.00", b.balance(store.Payable), "which ann owes")
		b.open(monthOf(3))
		b.deal("d2", "2026-03-10", "3000")
		b.calculate(monthOf(3))
		b.approve(monthOf(3))
		require.Equal(t, []string{"commission 300.00", "commission, clawed back 0.00"}, b.lines(monthOf(3), "ann"))
		require.Equal(t, []string{"ann 200.00 (-100.00) planned"}, b.planned(monthOf(3)))
	})

	t.Run("a refund in part of a closed period that comes late", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.open(monthOf(2))
		b.refund("r1", "d1", "2026-01-25", "400")
		require.Equal(t, []string{"monthly-2026-01 transaction:crm/r1 new"}, b.late(monthOf(2)))
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back -40.00"}, b.lines(monthOf(2), "ann"), "taken back, and no difference of January")
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back 0.00"}, b.lines(monthOf(3), "ann"))
	})

	t.Run("a correction and a refund", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.open(monthOf(2))
		b.deal("d1", "2026-01-10", "600")
		b.refund("r1", "d1", "2026-02-05", "600")
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back -60.00", "commission of monthly-2026-01 -40.00"}, b.lines(monthOf(2), "ann"), "never both of the same money")
		require.Equal(t, "0.00", b.balance(store.CommissionExpense))
	})

	t.Run("a cancellation, and then it was none", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.open(monthOf(2))
		b.lapse("d1", "2026-02-20")
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back -100.00"}, b.lines(monthOf(2), "ann"))
		b.lapse("d1", "")
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back 100.00"}, b.lines(monthOf(3), "ann"))
		require.Equal(t, "-100.00", b.balance(store.CommissionExpense))
	})

	t.Run("after the lock", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		b.refund("r1", "d1", "2026-02-05", "1000")
		changes, err := b.PendingChanges(t.Context(), monthOf(2), 1, store.Change{}, 10)
		require.NoError(t, err)
		require.Equal(t, []store.Change{{Kind: "transaction", ID: "crm/d1", What: "new"}, {Kind: "transaction", ID: "crm/r1", What: "new"}}, changes)
		b.amend(monthOf(2), changes...)
		require.Equal(t, []string{"commission 0.00", "commission, clawed back -100.00"}, b.lines(monthOf(2), "ann"))
		b.approve(monthOf(2))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
	})

	t.Run("after the close, without the changes", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		b.refund("r1", "d1", "2026-02-05", "1000")
		b.approve(monthOf(2))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back 0.00"}, b.lines(monthOf(2), "ann"))
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission 0.00", "commission, clawed back -100.00"}, b.lines(monthOf(3), "ann"))
	})

	t.Run("in instalments", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, inThreePeriods)
		b.open(monthOf(2))
		b.refund("r1", "d1", "2026-02-05", "1000")
		b.calculate(monthOf(2))
		b.approve(monthOf(2))
		balances := func() []string {
			return []string{b.balance(store.CommissionExpense), b.balance(store.ClawbackReceivable), b.balance(store.Payable)}
		}
		require.Equal(t, []string{"0.00", "-66.66", "-33.34"}, balances())
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, []string{"0.00", "-33.33", "-66.67"}, balances())
		b.open(monthOf(4))
		b.close(monthOf(4))
		require.Equal(t, []string{"0.00", "0.00", "-100.00"}, balances())
		b.open(monthOf(5))
		b.refund("r2", "d1", "2026-05-05", "1")
		b.deal("d2", "2026-05-10", "600")
		b.refund("r3", "d2", "2026-05-11", "600")
		b.calculate(monthOf(5))
		b.approve(monthOf(5))
		require.Equal(t, []string{"0.00", "-40.00", "-60.00"}, balances())
		_, err := b.Withdraw(t.Context(), b.command(monthOf(5), incentive.Withdraw))
		require.NoError(t, err)
		require.Equal(t, []string{"0.00", "0.00", "-100.00"}, balances(), "what was approved has fallen away")
	})

	t.Run("of somebody who has left the plan", func(t *testing.T) {
		t.Parallel()
		b := paidBack(t, takesBack)
		b.plan("other", "components: [{name: salary, bonus: 10}]")
		b.put("assignment", map[string]any{"participant_id": "ann", "plan_id": "flat", "calendar_id": "monthly", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
		b.assign("ann", "other", "2026-02-01")
		b.open(monthOf(2))
		b.close(monthOf(2))
		require.Equal(t, []string{"salary 10.00"}, b.lines(monthOf(2), "ann"))
		b.open(monthOf(3))
		b.refund("r1", "d1", "2026-03-05", "1000")
		require.Equal(t, "-90.00, booked 10.00", b.estimate(monthOf(3)))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission, clawed back -100.00", "salary 10.00"}, b.lines(monthOf(3), "ann"))
		b.open(monthOf(4))
		require.Empty(t, b.late(monthOf(4)))
	})

	t.Run("a refund of nothing that is known", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		for of, reason := range map[string]string{"d7": "there is no such transaction for refund it to give back: import that one first", "r1": "transaction it gives itself back: a refund names another transaction"} {
			record := map[string]any{"source": "crm", "transaction_id": "r1", "refund_of": of, "date": "2026-02-05", "amount": "-1", "currency": "USD", "attributes": map[string]string{}}
			_, held, err := b.Load(t.Context(), store.Import{Kind: "transaction", FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "fin"}, func(l *store.Loading) error {
				return l.Put(t.Context(), "transaction", []store.Row{{File: "test", Line: 1, Key: "it", Record: record}})
			})
			require.NoError(t, err)
			require.Len(t, held, 1)
			require.Equal(t, reason, held[0].Reason)
		}
	})
}
