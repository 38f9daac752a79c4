package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReopen pays the difference between what is due and what was posted, and no more.
func TestReopen(t *testing.T) {
	t.Parallel()

	t.Run("more is due", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.close(monthOf(1))
		b.deal("d2", "2026-01-20", "500")
		b.reopen(monthOf(1))
		b.calculate(monthOf(1))
		require.Equal(t, "150.00 (100.00)", b.statement(monthOf(1), 2, "ann"))
		b.approve(monthOf(1))
		require.Equal(t, "150.00 (100.00)", b.statement(monthOf(1), 2, "ann"))
		require.Equal(t, "100.00 (0.00)", b.statement(monthOf(1), 1, "ann"), "what revision 1 was does not change")
		require.Equal(t, []string{"ann 50.00 (0.00) planned"}, b.planned(monthOf(1)))
		b.pay(monthOf(1))
		b.shut(monthOf(1))
		require.Equal(t, "-150.00", b.balance(store.CommissionExpense))
		require.Equal(t, "150.00", b.balance(store.Cash))
	})

	t.Run("less is due, and the next payouts make up for it", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.close(monthOf(1))
		b.deal("d1", "2026-01-10", "400")
		b.reopen(monthOf(1))
		b.close(monthOf(1))
		require.Empty(t, b.planned(monthOf(1)))
		require.Equal(t, "-60.00", b.balance(store.Payable))
		b.open(monthOf(2))
		b.deal("d2", "2026-02-10", "2000")
		b.close(monthOf(2))
		require.Equal(t, []string{"ann 140.00 (-60.00) paid"}, b.planned(monthOf(2)))
		require.Equal(t, "0.00", b.balance(store.Payable))
	})

	t.Run("whoever has no statement any more gives all of it back", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.close(monthOf(1))
		b.put("period", map[string]any{"id": "other-2026-01", "calendar_id": "other", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
		b.put("assignment", map[string]any{"participant_id": "ann", "plan_id": "flat", "calendar_id": "other", "starts_on": "2026-01-01"})
		b.reopen(monthOf(1))
		b.close(monthOf(1))
		require.Equal(t, "-100.00", b.balance(store.Payable))
		before, err := b.Runs(t.Context(), monthOf(1), 1)
		require.NoError(t, err)
		after, err := b.Runs(t.Context(), monthOf(1), 2)
		require.NoError(t, err)
		p, err := b.PeriodRevision(t.Context(), monthOf(1), 0)
		require.NoError(t, err)
		differing, err := b.Differences(t.Context(), p, before[0].ID, after[0].ID, "", 10)
		require.NoError(t, err)
		require.Len(t, differing, 1)
		require.Equal(t, "100.00 USD", differing[0].Before.String())
		require.Nil(t, differing[0].After)
	})

	t.Run("a cancelled revision leaves the one before it", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.close(monthOf(1))
		b.deal("d1", "2026-01-10", "400")
		b.reopen(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		require.Equal(t, "-60.00", b.balance(store.Payable))
		_, err := b.Act(t.Context(), b.command(monthOf(1), incentive.Cancel))
		require.NoError(t, err)
		require.Equal(t, "0.00", b.balance(store.Payable))
		p, err := b.PeriodRevision(t.Context(), monthOf(1), 0)
		require.NoError(t, err)
		require.Equal(t, 1, p.Revision, "the revision that counts")
		require.Equal(t, incentive.Closed, p.State)
		b.reopen(monthOf(1))
		b.close(monthOf(1))
		require.Equal(t, "40.00 (100.00)", b.statement(monthOf(1), 3, "ann"))
		require.Equal(t, "-60.00", b.balance(store.Payable))
	})

	t.Run("an advance is no expense in a difference either", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%}]\ndraw: {amount: 100, kind: recoverable}")
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "300")
		b.close(monthOf(1))
		require.Equal(t, "-70.00", b.balance(store.DrawReceivable))
		b.deal("d1", "2026-01-10", "800")
		b.reopen(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		require.Equal(t, "-20.00", b.balance(store.DrawReceivable), "50 more were earned, so 50 less were advanced")
		require.Equal(t, "-80.00", b.balance(store.CommissionExpense))
		require.Empty(t, b.planned(monthOf(1)))
	})
}

// TestReopenRefuses is when a period is not opened again.
func TestReopenRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	refuses := func(code incentive.Code, words string, _ store.PeriodRevision, err error) {
		t.Helper()
		require.Equal(t, code, incentive.ErrorCode(err), "%v", err)
		require.ErrorContains(t, err, words)
	}
	again := func() (store.PeriodRevision, error) { return b.ReopenPeriod(ctx, "fin", monthOf(1), b.reason()) }
	p, err := b.ReopenPeriod(ctx, "fin", "nowhere", b.reason())
	refuses(incentive.CodeNotFound, "no period", p, err)
	p, err = again()
	refuses(incentive.CodeNotAllowedNow, "never been closed", p, err)
	b.open(monthOf(1))
	p, err = again()
	refuses(incentive.CodeNotAllowedNow, "is open", p, err)
	_, err = b.Act(ctx, b.command(monthOf(1), incentive.Cancel))
	require.NoError(t, err)
	p, err = again()
	refuses(incentive.CodeNotAllowedNow, "never been closed", p, err)
	b.open(monthOf(1))
	b.close(monthOf(1))
	p, err = b.OpenPeriod(ctx, "fin", monthOf(1))
	refuses(store.CodeAlreadyOpen, "reason to reopen", p, err)
	p, err = b.ReopenPeriod(ctx, "fin", monthOf(1), "")
	refuses(store.CodeReasonMissing, "reason", p, err)
	b.reopen(monthOf(1))
	p, err = again()
	require.NoError(t, err, "the same person may not have had the first answer")
	require.Equal(t, 3, p.Revision)
	p, err = b.ReopenPeriod(ctx, "fin2", monthOf(1), b.reason())
	refuses(incentive.CodeNotAllowedNow, "is open", p, err)
	p, err = b.OpenPeriod(ctx, "fin", monthOf(1))
	refuses(store.CodeAlreadyOpen, "already open", p, err)
}

// TestAChangedPredecessor has a month that settles up with the one before it calculated
// again when that one posts something else.
func TestAChangedPredecessor(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, cumulative: {over: year, pays: true_up}, rate: 10%}]")
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.close(monthOf(1))
	b.open(monthOf(2))
	b.deal("d2", "2026-02-10", "500")
	b.calculate(monthOf(2))
	require.Equal(t, "50.00 (0.00)", b.statement(monthOf(2), 1, "ann"))
	b.publish(monthOf(2))

	b.deal("d1", "2026-01-10", "1300")
	b.reopen(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	require.Equal(t, "130.00 (100.00)", b.statement(monthOf(1), 2, "ann"))
	require.Equal(t, store.CodeEarlierChanged, incentive.ErrorCode(b.decide(monthOf(2))))
	withdraw := func() {
		_, err := b.Withdraw(ctx, b.command(monthOf(2), incentive.Withdraw))
		require.NoError(t, err)
	}
	withdraw()
	changes := func() []store.Change {
		all, err := b.PendingChanges(ctx, monthOf(2), 1, store.Change{}, 100)
		require.NoError(t, err)
		return all
	}
	require.Equal(t, []store.Change{{Kind: "posted", ID: monthOf(1), What: "changed"}, {Kind: "transaction", ID: "crm/d1", What: "changed"}}, changes())
	publish := func() incentive.Code {
		_, err := b.Publish(ctx, b.command(monthOf(2), incentive.Publish), time.Now())
		return incentive.ErrorCode(err)
	}
	require.Equal(t, store.CodeEarlierChanged, publish())
	b.amend(monthOf(2), changes()...)
	require.Empty(t, changes())
	require.Equal(t, "50.00 (0.00)", b.statement(monthOf(2), 1, "ann"), "1800 at 10 %, less January's 130")

	// Once more, while February is approved but for the last step.
	b.publish(monthOf(2))
	require.NoError(t, b.decide(monthOf(2)))
	b.pay(monthOf(1))
	b.shut(monthOf(1))
	b.reopen(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	_, err := b.ApprovePeriod(ctx, b.command(monthOf(2), incentive.ApproveLast))
	require.Equal(t, store.CodeEarlierChanged, incentive.ErrorCode(err))

	// While January is under way again, nobody looks back at it.
	withdraw()
	b.pay(monthOf(1))
	b.shut(monthOf(1))
	b.reopen(monthOf(1))
	require.Equal(t, store.CodeEarlierOpen, publish())
	b.open(monthOf(3))
	_, err = b.LockPeriod(ctx, b.command(monthOf(3), incentive.Lock))
	require.Equal(t, store.CodeEarlierOpen, incentive.ErrorCode(err))
}

// attempt is what is known when a month is opened once more, and what becomes of that.
type attempt struct {
	deals                [][2]string // which, and its amount
	withdrawn, cancelled bool
}

var attempts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) attempt {
	deal := rapid.Custom(func(t *rapid.T) [2]string {
		return [2]string{rapid.SampledFrom([]string{"d1", "d2", "d3"}).Draw(t, "deal"), decimal.New(rapid.Int64Range(-50_000, 150_000).Draw(t, "amount"), -2).String()}
	})
	return attempt{rapid.SliceOfN(deal, 0, 3).Draw(t, "deals"), rapid.Bool().Draw(t, "withdrawn"), rapid.Bool().Draw(t, "cancelled")}
}), 2, 4)

// TestRevisionsAddUp reopens a month again and again: what was posted is always what is
// due now, and the ledger owes what was not paid of it.
func TestRevisionsAddUp(t *testing.T) {
	t.Parallel()
	for seed := range 8 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate_table: {on: amount, retroactive: true, tiers: [{up_to: 1000, rate: 7.77%}, {rate: 11.11%}]}}]\ndraw: {amount: 50, kind: recoverable}")
			b.open(monthOf(1))
			paid := decimal.Zero
			for n, one := range attempts.Example(seed) {
				if n > 0 {
					b.reopen(monthOf(1))
				}
				for _, deal := range one.deals {
					b.deal(deal[0], "2026-01-10", deal[1])
				}
				b.calculate(monthOf(1))
				if one.withdrawn {
					b.approve(monthOf(1))
					_, err := b.Withdraw(t.Context(), b.command(monthOf(1), incentive.Withdraw))
					require.NoError(t, err)
				}
				if n > 0 && one.cancelled {
					_, err := b.Act(t.Context(), b.command(monthOf(1), incentive.Cancel))
					require.NoError(t, err)
					continue
				}
				b.approve(monthOf(1))
				b.pay(monthOf(1))
				b.shut(monthOf(1))
				for _, o := range b.payouts(monthOf(1)) {
					paid = paid.Add(o.Amount.Decimal())
				}
				p, err := b.PeriodRevision(t.Context(), monthOf(1), 0)
				require.NoError(t, err)
				s, err := b.Statement(t.Context(), monthOf(1), p.Revision, "ann")
				require.NoError(t, err)
				require.Equal(t, s.Lines[0].Amount.Decimal().Neg().StringFixed(2), b.balance(store.CommissionExpense))
				require.Equal(t, s.Lines[1].Amount.Decimal().Neg().StringFixed(2), b.balance(store.DrawReceivable))
				require.Equal(t, s.TotalOf.Decimal().Sub(paid).StringFixed(2), b.balance(store.Payable))
			}
		})
	}
}
