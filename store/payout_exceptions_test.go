package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
	"github.com/guerdon/guerdon/store"
)

// kept is what a period pays, or why not.
func (b *books) kept(period string) []string {
	b.Helper()
	all := []string{}
	for _, o := range b.payouts(period) {
		all = append(all, fmt.Sprintf("%s %s %s", o.Amount.Amount(), o.State, o.Reason))
	}
	return all
}

func (b *books) follows(rules string) {
	b.Helper()
	_, err := b.PutPolicy(b.Context(), "fin", "monthly", "payouts: {"+rules+"}")
	require.NoError(b, err)
}

func (b *books) release(period, actor string) error {
	b.Helper()
	c := b.command(period, incentive.Release)
	list, err := b.PayoutList(b.Context(), period, c.Revision)
	require.NoError(b, err)
	c.Actor, c.PayoutListDigest = actor, list.Digest
	_, err = b.Release(b.Context(), c)
	return err
}

// TestPlanningExceptions plans ann's 100.00 by what the policy says of payouts.
func TestPlanningExceptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rules, want string }{
		"nothing is said":                      {"minimum: [100 USD], largest: [100 USD]", "100.00 planned "},
		"too little":                           {"minimum: [100.01 USD]", "100.00 cancelled below-minimum"},
		"too much":                             {"largest: [99.99 USD]", "100.00 held above-largest"},
		"without tax details":                  {"tax_details: [employee]", "100.00 held tax-details-missing"},
		"not by payroll":                       {"employees: {by: [payroll]}", "100.00 held employee-not-by-payroll"},
		"not by payroll, but abroad":           {"employees: {by: [payroll], else_in: [ID, SG]}", "100.00 planned "},
		"the first destination counts at once": {"change_waits_days: 5", "100.00 planned "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.follows(c.rules)
			b.deal("d1", "2026-01-10", "1000")
			b.open(monthOf(1))
			b.calculate(monthOf(1))
			b.approve(monthOf(1))
			require.Equal(t, []string{c.want}, b.kept(monthOf(1)))
		})
	}
}

// TestBelowTheMinimum pays what is too little with what the next period brings.
func TestBelowTheMinimum(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("minimum: [150 USD]")
	b.deal("d1", "2026-01-10", "1000")
	b.deal("d2", "2026-02-10", "500")
	b.open(monthOf(1))
	b.close(monthOf(1))
	b.open(monthOf(2))
	b.calculate(monthOf(2))
	b.approve(monthOf(2))
	require.Equal(t, []string{"ann 150.00 (100.00) planned"}, b.planned(monthOf(2)))
}

// TestRecentPayouts counts what somebody was paid within so many days.
func TestRecentPayouts(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("within: {days: 30, total: [149.99 USD]}")
	b.deal("d1", "2026-01-10", "1000")
	b.deal("d2", "2026-02-10", "500")
	b.open(monthOf(1))
	b.close(monthOf(1))
	b.open(monthOf(2))
	b.calculate(monthOf(2))
	b.approve(monthOf(2))
	require.Equal(t, []string{"50.00 held above-total-of-days"}, b.kept(monthOf(2)))
}

// TestChangedDestinationWaits pays to the destination before, as long as a change waits.
func TestChangedDestinationWaits(t *testing.T) {
	t.Parallel()
	for waits, want := range map[int]int{0: 2, 3: 1} {
		b := openBooks(t)
		b.follows(fmt.Sprintf("change_waits_days: %d", waits))
		b.deal("d1", "2026-01-10", "1000")
		b.destination("ann")
		latest, err := b.LatestDestination(t.Context(), "ann")
		require.NoError(t, err)
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		payout := b.payouts(monthOf(1))[0]
		require.Equal(t, want == latest.Version, payout.DestinationID == latest.ID, "%d", waits)
		require.Equal(t, "planned", payout.State)
	}
}

// TestLiftingHolds lets a held payout be paid: before the release by one of finance, who does
// not release it; afterwards by two.
func TestLiftingHolds(t *testing.T) {
	t.Parallel()
	held := func(t *testing.T) (*books, string) {
		b := openBooks(t)
		b.follows("largest: [99 USD]")
		b.deal("d1", "2026-01-10", "1000")
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		return b, b.payouts(monthOf(1))[0].ID
	}
	t.Run("before the release", func(t *testing.T) {
		t.Parallel()
		b, id := held(t)
		list, err := b.PayoutList(t.Context(), monthOf(1), 1)
		require.NoError(t, err)
		require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(b.LiftHold(t.Context(), "fin3", id, "")))
		require.Equal(t, incentive.CodeOwnPay, incentive.ErrorCode(b.LiftHold(t.Context(), "ann", id, b.reason())))
		require.NoError(t, b.LiftHold(t.Context(), "fin3", id, b.reason()))
		require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.LiftHold(t.Context(), "fin", id, b.reason())))
		after, err := b.PayoutList(t.Context(), monthOf(1), 1)
		require.NoError(t, err)
		require.NotEqual(t, list.Digest, after.Digest, "whoever has looked before looks again")
		require.Equal(t, store.CodePreparer, incentive.ErrorCode(b.release(monthOf(1), "fin3")))
		require.NoError(t, b.release(monthOf(1), "fin2"))
		payout := b.payouts(monthOf(1))[0]
		require.Equal(t, []any{"planned", "fin3", 1}, []any{payout.State, payout.LiftedBy, payout.Batch})
	})
	t.Run("after the release", func(t *testing.T) {
		t.Parallel()
		b, id := held(t)
		require.NoError(t, b.release(monthOf(1), "fin2"))
		payout := b.payouts(monthOf(1))[0]
		require.Equal(t, []any{"held", 0, payout.DestinationID}, []any{payout.State, payout.Batch, payout.Newer.ID})
		require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.LiftHold(t.Context(), "fin", id, b.reason())))
		require.NoError(t, b.ProposeRedirection(t.Context(), "fin", id, b.reason(), payout.Newer.Version))
		require.Equal(t, store.CodePreparer, incentive.ErrorCode(b.DecideRedirection(t.Context(), "fin", id, true, "")))
		require.NoError(t, b.DecideRedirection(t.Context(), "fin2", id, true, ""))
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
	})
	t.Run("given up before the release", func(t *testing.T) {
		t.Parallel()
		b, id := held(t)
		require.NoError(t, b.CancelPayout(t.Context(), "fin", id, b.reason()))
		require.NoError(t, b.release(monthOf(1), "fin2"))
		require.Equal(t, []string{"100.00 cancelled " + string(policy.AboveLargest)}, b.kept(monthOf(1)))
	})
}

// TestListAboveLimit releases no list that pays more than a list may.
func TestListAboveLimit(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("list: [99.99 USD]")
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	require.Equal(t, store.CodeListAboveLimit, incentive.ErrorCode(b.release(monthOf(1), "fin2")))
	b.follows("list: [100 USD]")
	require.NoError(t, b.release(monthOf(1), "fin2"))
}

// TestClearingDoubts lists what a bank left unclear among the exceptions, until somebody has
// looked into it.
func TestClearingDoubts(t *testing.T) {
	t.Parallel()
	b, payout, _ := filed(t, true)
	exceptions := func() int {
		t.Helper()
		all, err := b.Exceptions(t.Context(), store.WhichExceptions{}, "", 10)
		require.NoError(t, err)
		return len(all)
	}
	require.Zero(t, exceptions())
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.ClearDoubt(t.Context(), "fin", payout.ID, b.reason())), "nothing is unclear")
	require.Equal(t, "unclear", b.bankSays("x", store.PayoutOutcome{PayoutID: payout.ID, State: "paid", Amount: payout.Amount, Unclear: true}))
	require.Equal(t, "submitted bank-unclear", b.stands())
	require.Equal(t, 1, exceptions())
	require.Equal(t, incentive.CodeOwnPay, incentive.ErrorCode(b.ClearDoubt(t.Context(), payout.ParticipantID, payout.ID, b.reason())))
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(b.ClearDoubt(t.Context(), "fin", payout.ID, "")))
	require.NoError(t, b.ClearDoubt(t.Context(), "fin", payout.ID, b.reason()))
	require.Equal(t, "submitted", b.stands())
	require.Zero(t, exceptions())
	require.Equal(t, "paid", b.bankSays("y", store.PayoutOutcome{PayoutID: payout.ID, State: "paid", Amount: payout.Amount}))
}
