package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// late lists what a lock would correct: "<period> <kind>:<id> <what>".
func (b *books) late(period string) []string {
	b.Helper()
	all := []string{}
	for after := (store.LateChange{}); ; {
		page, err := b.LateData(b.Context(), period, after, 2)
		require.NoError(b, err)
		for _, c := range page {
			all = append(all, fmt.Sprintf("%s %s:%s %s", c.PeriodID, c.Kind, c.ID, c.What))
		}
		if len(page) < 2 {
			return all
		}
		after = page[1]
	}
}

// paidJanuary is a company whose January is closed: ann sold for 1000 and was paid 100.
func paidJanuary(t *testing.T) *books {
	t.Helper()
	b := openBooks(t)
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.close(monthOf(1))
	return b
}

// TestCorrections gives a difference in the open month for what was wrong or came late in
// a closed one.
func TestCorrections(t *testing.T) {
	t.Parallel()

	t.Run("a late deal", func(t *testing.T) {
		t.Parallel()
		b := paidJanuary(t)
		b.open(monthOf(2))
		require.Empty(t, b.late(monthOf(2)))
		b.deal("d2", "2026-01-20", "500")
		b.deal("d3", "2026-02-10", "200")
		require.Equal(t, []string{"monthly-2026-01 transaction:crm/d2 new"}, b.late(monthOf(2)))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 20.00", "commission of monthly-2026-01 50.00"}, b.lines(monthOf(2), "ann"))
		require.Empty(t, b.late(monthOf(2)), "nothing but what it corrects already")
		p, err := b.PeriodRevision(t.Context(), monthOf(2), 0)
		require.NoError(t, err)
		before, err := b.Store.Run(t.Context(), *p.RunID)
		require.NoError(t, err)
		p, err = b.Recalculate(t.Context(), b.command(monthOf(2), incentive.Recalculate), "")
		require.NoError(t, err)
		b.run(p)
		p, err = b.PeriodRevision(t.Context(), monthOf(2), 0)
		require.NoError(t, err)
		after, err := b.Store.Run(t.Context(), *p.RunID)
		require.NoError(t, err)
		require.Equal(t, before.Digest, after.Digest, "calculated again, it is the same")
		b.approve(monthOf(2))
		require.Equal(t, []string{"ann 70.00 (0.00) planned"}, b.planned(monthOf(2)))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		require.Equal(t, "-170.00", b.balance(store.CommissionExpense))

		b.open(monthOf(3))
		require.Empty(t, b.late(monthOf(3)))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission 0.00"}, b.lines(monthOf(3), "ann"), "nothing is paid twice")
	})

	t.Run("a wrong deal, and then it was right after all", func(t *testing.T) {
		t.Parallel()
		b := paidJanuary(t)
		b.open(monthOf(2))
		b.deal("d1", "2026-01-10", "400")
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 -60.00"}, b.lines(monthOf(2), "ann"))
		b.deal("d1", "2026-01-10", "1000")
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 60.00"}, b.lines(monthOf(3), "ann"))
		require.Equal(t, "-100.00", b.balance(store.CommissionExpense))
		require.Equal(t, "0.00", b.balance(store.Payable))
	})

	t.Run("a deal that belongs to another month", func(t *testing.T) {
		t.Parallel()
		b := paidJanuary(t)
		b.open(monthOf(2))
		b.deal("d1", "2026-02-10", "1000")
		require.Equal(t, []string{"monthly-2026-01 transaction:crm/d1 gone"}, b.late(monthOf(2)))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 100.00", "commission of monthly-2026-01 -100.00"}, b.lines(monthOf(2), "ann"))
	})

	t.Run("people, quotas and assignments that come late", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.plan("quota", "components: [{name: commission, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, retroactive: true, tiers: [{up_to: 100%, rate: 5%}, {rate: 10%}]}}]")
		b.assign("bob", "quota", "2026-01-01")
		b.destination("bob")
		b.put("quota", map[string]any{"participant_id": "bob", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "500"})
		b.put("transaction", map[string]any{"source": "crm", "transaction_id": "b", "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{}})
		b.put("credit", map[string]any{"source": "crm", "transaction_id": "b", "participant_id": "bob", "role": "owner", "share": "1"})
		b.open(monthOf(1))
		b.close(monthOf(1))
		require.Equal(t, []string{"commission 100.00"}, b.lines(monthOf(1), "bob"))
		b.put("quota", map[string]any{"participant_id": "bob", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "2000"})
		b.put("quota", map[string]any{"participant_id": "bob", "measure": "sales", "starts_on": "2026-02-01", "ends_on": "2026-02-28", "amount": "2000"})
		b.put("participant", participant("boss", ""))
		b.put("participant", participant("dee", "boss"))
		b.assign("dee", "flat", "2026-01-01")
		b.put("credit", map[string]any{"source": "crm", "transaction_id": "b", "participant_id": "dee", "role": "overlay", "share": "0.5"})
		b.open(monthOf(2))
		require.Equal(t, []string{"monthly-2026-01 assignment:dee new", "monthly-2026-01 participant:dee new", "monthly-2026-01 quota:bob changed",
			"monthly-2026-01 transaction:crm/b changed"}, b.late(monthOf(2)))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 -50.00"}, b.lines(monthOf(2), "bob"))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 50.00"}, b.lines(monthOf(2), "dee"))
	})

	t.Run("of somebody who has left", func(t *testing.T) {
		t.Parallel()
		b := paidJanuary(t)
		b.put("assignment", map[string]any{"participant_id": "ann", "plan_id": "flat", "calendar_id": "monthly", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
		b.deal("d2", "2026-01-20", "500")
		b.open(monthOf(2))
		b.close(monthOf(2))
		require.Equal(t, []string{"commission of monthly-2026-01 50.00"}, b.lines(monthOf(2), "ann"))
		require.Equal(t, []string{"ann 50.00 (0.00) paid"}, b.planned(monthOf(2)))
	})

	t.Run("by the plan that was in force", func(t *testing.T) {
		t.Parallel()
		b := paidJanuary(t)
		b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 20%}]")
		b.open(monthOf(2))
		require.Empty(t, b.late(monthOf(2)), "another version of the plan is no correction")
		b.deal("d2", "2026-01-20", "500")
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 50.00"}, b.lines(monthOf(2), "ann"))
	})

	t.Run("before the draw, which is not replayed", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%}]\ndraw: {amount: 100, kind: recoverable}")
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "300")
		b.close(monthOf(1))
		require.Equal(t, []string{"commission 30.00", "Draw 70.00"}, b.lines(monthOf(1), "ann"))
		b.deal("d2", "2026-01-20", "500")
		b.deal("d3", "2026-02-10", "800")
		b.open(monthOf(2))
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 80.00", "commission of monthly-2026-01 50.00", "Draw -30.00"}, b.lines(monthOf(2), "ann"))
		require.Equal(t, "-40.00", b.balance(store.DrawReceivable))
	})

	t.Run("and not an adjustment", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.adjusted(monthOf(1), 700)
		b.close(monthOf(1))
		require.Equal(t, []string{"commission 100.00", "Adjustment 7.00"}, b.lines(monthOf(1), "ann"))
		b.deal("d2", "2026-01-20", "500")
		b.adjusted(monthOf(1), 300)
		b.open(monthOf(2))
		require.Equal(t, []string{"monthly-2026-01 transaction:crm/d2 new"}, b.late(monthOf(2)))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 50.00", "Adjustment 3.00"}, b.lines(monthOf(2), "ann"))
	})

	t.Run("before the plan's cap", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%}]\ncap: 80")
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.close(monthOf(1))
		require.Equal(t, []string{"commission 100.00", "Cap -20.00"}, b.lines(monthOf(1), "ann"))
		b.deal("d2", "2026-01-20", "500")
		b.deal("d3", "2026-02-10", "600")
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 60.00", "commission of monthly-2026-01 50.00", "Cap -30.00"}, b.lines(monthOf(2), "ann"))
	})

	t.Run("a true-up takes it in, but for a year that is over", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.plan("flat", "components: [{name: commission, measure: {sum: credits}, cumulative: {over: quarter, pays: true_up}, rate: 10%}]")
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.close(monthOf(1))
		b.open(monthOf(2))
		b.deal("d2", "2026-01-20", "500")
		b.close(monthOf(2))
		require.Equal(t, []string{"commission 50.00"}, b.lines(monthOf(2), "ann"))
		b.open(monthOf(3))
		b.close(monthOf(3))
		b.deal("d3", "2026-01-25", "200")
		b.deal("d4", "2026-02-25", "300")
		b.open(monthOf(4))
		b.close(monthOf(4))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-03 50.00"}, b.lines(monthOf(4), "ann"), "March would have settled up for both")
		b.open(monthOf(5))
		b.close(monthOf(5))
		require.Equal(t, []string{"commission 0.00"}, b.lines(monthOf(5), "ann"))
		require.Equal(t, "-200.00", b.balance(store.CommissionExpense))
	})

	t.Run("as far back as the limit", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		for _, c := range [][2]string{{"2023-12", "2023-12-31"}, {"2024-01", "2024-01-31"}} {
			b.put("period", map[string]any{"id": "monthly-" + c[0], "calendar_id": "monthly", "code": c[0], "starts_on": c[0] + "-01", "ends_on": c[1]})
			b.open("monthly-" + c[0])
			b.close("monthly-" + c[0])
		}
		for _, c := range []string{"2023-12", "2024-01"} {
			b.put("transaction", map[string]any{"source": "crm", "transaction_id": c, "date": c + "-10", "amount": "500", "currency": "USD", "attributes": map[string]string{}})
		}
		b.open(monthOf(1))
		require.Equal(t, []string{"monthly-2024-01 transaction:crm/2024-01 new"}, b.late(monthOf(1)))
	})
}

// TestCorrectionsAndReopening has both count what the other posts.
func TestCorrectionsAndReopening(t *testing.T) {
	t.Parallel()
	publish := func(b *books, period string) incentive.Code {
		_, err := b.Publish(b.Context(), b.command(period, incentive.Publish), time.Now())
		return incentive.ErrorCode(err)
	}
	corrected := func(t *testing.T) *books {
		b := paidJanuary(t)
		b.deal("d2", "2026-01-20", "500")
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 50.00"}, b.lines(monthOf(2), "ann"))
		return b
	}

	t.Run("reopened after it was corrected", func(t *testing.T) {
		t.Parallel()
		b := corrected(t)
		b.approve(monthOf(2))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		b.deal("d3", "2026-01-25", "300")
		b.reopen(monthOf(1))
		b.calculate(monthOf(1))
		require.Equal(t, "180.00 (150.00)", b.statement(monthOf(1), 2, "ann"))
		b.approve(monthOf(1))
		require.Equal(t, "180.00 (150.00)", b.statement(monthOf(1), 2, "ann"))
		require.Equal(t, []string{"ann 30.00 (0.00) planned"}, b.planned(monthOf(1)))
		b.pay(monthOf(1))
		b.shut(monthOf(1))
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, []string{"commission 0.00"}, b.lines(monthOf(3), "ann"))
		require.Equal(t, "-180.00", b.balance(store.CommissionExpense))
	})

	t.Run("reopened before the correction is approved", func(t *testing.T) {
		t.Parallel()
		b := corrected(t)
		b.reopen(monthOf(1))
		b.close(monthOf(1))
		require.Equal(t, "150.00 (100.00)", b.statement(monthOf(1), 2, "ann"))
		require.Equal(t, store.CodeEarlierChanged, publish(b, monthOf(2)))
		b.amend(monthOf(2), store.Change{Kind: "correction", ID: monthOf(1)})
		require.Equal(t, []string{"commission 0.00"}, b.lines(monthOf(2), "ann"))
		b.approve(monthOf(2))
		require.Equal(t, "-150.00", b.balance(store.CommissionExpense))
	})

	t.Run("what is under way again is not corrected", func(t *testing.T) {
		t.Parallel()
		b := paidJanuary(t)
		b.reopen(monthOf(1))
		b.deal("d2", "2026-01-20", "500")
		b.open(monthOf(2))
		require.Empty(t, b.late(monthOf(2)))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 0.00"}, b.lines(monthOf(2), "ann"))
		_, err := b.Act(t.Context(), b.command(monthOf(1), incentive.Cancel))
		require.NoError(t, err)
		require.Equal(t, []string{"monthly-2026-01 transaction:crm/d2 new"}, b.late(monthOf(2)))
		b.amend(monthOf(2), store.Change{Kind: "correction", ID: monthOf(1)})
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 50.00"}, b.lines(monthOf(2), "ann"))
	})

	t.Run("a month that corrects is itself reopened", func(t *testing.T) {
		t.Parallel()
		b := corrected(t)
		b.approve(monthOf(2))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		b.deal("d3", "2026-01-25", "300")
		b.deal("d4", "2026-02-10", "100")
		b.reopen(monthOf(2))
		b.calculate(monthOf(2))
		require.Equal(t, []string{"commission 10.00", "commission of monthly-2026-01 80.00"}, b.lines(monthOf(2), "ann"), "its statements are complete")
		require.Equal(t, "90.00 (50.00)", b.statement(monthOf(2), 2, "ann"))
		b.approve(monthOf(2))
		require.Equal(t, "90.00 (50.00)", b.statement(monthOf(2), 2, "ann"))
		require.Equal(t, "-190.00", b.balance(store.CommissionExpense))
	})

	t.Run("an approval that was counted since is not taken back", func(t *testing.T) {
		t.Parallel()
		b := corrected(t)
		b.approve(monthOf(2))
		b.reopen(monthOf(1))
		b.close(monthOf(1))
		require.Equal(t, "150.00 (150.00)", b.statement(monthOf(1), 2, "ann"))
		for _, act := range []incentive.Act{incentive.Withdraw, incentive.Cancel} {
			do := b.Withdraw
			if act == incentive.Cancel {
				do = b.Act
			}
			_, err := do(t.Context(), b.command(monthOf(2), act))
			require.Equal(t, store.CodeCountedSince, incentive.ErrorCode(err), act)
		}
		require.Equal(t, "-150.00", b.balance(store.CommissionExpense))
	})

	t.Run("two months that are locked correct once", func(t *testing.T) {
		t.Parallel()
		b := corrected(t)
		b.open(monthOf(3))
		b.calculate(monthOf(3))
		require.Equal(t, []string{"commission 0.00", "commission of monthly-2026-01 50.00"}, b.lines(monthOf(3), "ann"))
		b.approve(monthOf(2))
		require.Equal(t, store.CodeEarlierChanged, publish(b, monthOf(3)))
		changes, err := b.PendingChanges(t.Context(), monthOf(3), 1, store.Change{}, 10)
		require.NoError(t, err)
		require.Equal(t, []store.Change{{Kind: "correction", ID: monthOf(1), What: "changed"}}, changes)
		b.amend(monthOf(3), changes...)
		require.Equal(t, []string{"commission 0.00"}, b.lines(monthOf(3), "ann"))
	})
}

// arrival is when a deal becomes known, and what may happen then.
type arrival struct {
	deal, day, amount int
	reopens           int // a month that is reopened at that time; 0 for none
}

var arrivals = rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) arrival {
	return arrival{rapid.IntRange(1, 4).Draw(t, "deal"), rapid.IntRange(1, 28).Draw(t, "day"), rapid.IntRange(-500, 1500).Draw(t, "amount"), rapid.IntRange(-2, 3).Draw(t, "reopens")}
}), 0, 3), 3, 3)

// TestWhateverComesWhenever is the same money in the end: what stands posted of a month,
// over all its revisions and corrections, is what it would have been had everything been
// known in time.
func TestWhateverComesWhenever(t *testing.T) {
	t.Parallel()
	const months = 3
	for seed := range 5 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			known := map[string][2]string{}
			begin := func() *books {
				b := openBooks(t)
				b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate_table: {on: amount, retroactive: true, tiers: [{up_to: 1000, rate: 7.77%}, {rate: 11.11%}]}}]")
				return b
			}
			late := begin()
			for month, all := range arrivals.Example(seed) {
				late.open(monthOf(month + 1))
				for _, a := range all {
					id, date, amount := fmt.Sprint("d", a.deal), fmt.Sprintf("2026-%02d-%02d", a.deal%months+1, a.day), fmt.Sprint(a.amount)
					known[id] = [2]string{date, amount}
					late.deal(id, date, amount)
					if a.reopens > 0 && a.reopens <= month {
						late.reopen(monthOf(a.reopens))
						late.close(monthOf(a.reopens))
					}
				}
				late.close(monthOf(month + 1))
			}
			late.open(monthOf(months + 1))
			late.close(monthOf(months + 1))

			inTime := begin()
			for id, deal := range known {
				inTime.deal(id, deal[0], deal[1])
			}
			for month := range months + 1 {
				inTime.open(monthOf(month + 1))
				inTime.close(monthOf(month + 1))
			}
			require.Equal(t, inTime.balance(store.CommissionExpense), late.balance(store.CommissionExpense))
			for month := range months {
				late.reopen(monthOf(month + 1))
				late.calculate(monthOf(month + 1))
				own := inTime.lines(monthOf(month+1), "ann")
				require.Equal(t, own, late.lines(monthOf(month+1), "ann")[:1])
				s, err := late.PeriodRevision(t.Context(), monthOf(month+1), 0)
				require.NoError(t, err)
				st, err := late.Statement(t.Context(), monthOf(month+1), s.Revision, "ann")
				require.NoError(t, err)
				require.Equal(t, st.Before, st.TotalOf, "nothing is left to be paid or taken back")
				_, err = late.Act(t.Context(), late.command(monthOf(month+1), incentive.Cancel))
				require.NoError(t, err)
			}
		})
	}
}
