package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// paidInPoints is a company of which ann was paid 100.00 USD in points that expire after a year.
func paidInPoints(t *testing.T) *books {
	t.Helper()
	b := openBooks(t)
	b.follows("employees: {by: [points]}, change_waits_days: 0, points: {expire_after_months: 12}")
	_, err := b.SetDestination(t.Context(), "ann", store.Destination{ParticipantID: "ann", Rail: incentive.PointsRail, Masked: "•", Details: map[string]string{"product": "own-points"}})
	require.NoError(t, err)
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	require.NoError(t, b.release(monthOf(1), "fin2"))
	o := b.payouts(monthOf(1))[0]
	begun, live, err := b.BeginAttempt(t.Context(), o.ID)
	require.NoError(t, err)
	require.True(t, live)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() { _, _ = b.CollectPoints(t.Context(), begun.Key, o.ID, o.Amount) })
	}
	group.Wait()
	c, err := b.CollectPoints(t.Context(), begun.Key, o.ID, incentive.Money{Minor: 1, Currency: "USD"})
	require.NoError(t, err)
	require.Equal(t, o.Amount, c.Amount, "what was given first")
	has, err := b.Points(t.Context(), "ann")
	require.NoError(t, err)
	require.Empty(t, has, "not before the payout is paid")
	require.NoError(t, b.Confirm(t.Context(), begun.Attempt, c.ID, true))
	require.Equal(t, "100.00", b.points())
	return b
}

// points is what ann has, which her lots and the ledger agree about.
func (b *books) points() string {
	b.Helper()
	has, err := b.Points(b.Context(), "ann")
	require.NoError(b, err)
	sum := incentive.Money{Currency: "USD"}
	for _, one := range has {
		sum.Minor += one.Amount.Minor
	}
	require.Equal(b, sum.Amount(), b.balance(store.Points))
	out, err := b.PointsOutstanding(b.Context(), "USD")
	require.NoError(b, err)
	require.Equal(b, sum, out)
	_, err = b.VerifyLedger(b.Context())
	require.NoError(b, err)
	require.NoError(b, b.VerifyPayouts(b.Context(), monthOf(1), 1))
	return sum.Amount()
}

func (b *books) redeem(minor int64) (store.Redemption, error) {
	return b.Redeem(b.Context(), "ann", store.Redemption{ParticipantID: "ann", Amount: incentive.Money{Minor: minor, Currency: "USD"}, Rail: "tremendous", Reward: "A gift card", Masked: "a…@example.com",
		Details: map[string]string{"email": "ann@example.com", "product": "ABCDEF123456"}})
}

// TestPointsAreSpentOnce takes rewards for points: paid, refused, given back, and returned later.
func TestPointsAreSpentOnce(t *testing.T) {
	t.Parallel()
	b := paidInPoints(t)
	ctx := t.Context()
	require.Equal(t, "0.00", b.balance(store.Cash), "points are no money that leaves")

	_, err := b.redeem(100_01)
	require.Equal(t, store.CodePointsFew, incentive.ErrorCode(err))
	var group sync.WaitGroup
	taken := make([]error, 5)
	for i := range taken {
		group.Go(func() { _, taken[i] = b.redeem(40_00) })
	}
	group.Wait()
	ok := 0
	for _, err := range taken {
		if err == nil {
			ok++
		} else {
			require.Equal(t, store.CodePointsFew, incentive.ErrorCode(err))
		}
	}
	require.Equal(t, 2, ok, "for 100.00 there are two of 40.00")
	require.Equal(t, "20.00", b.points())
	require.Equal(t, "80.00", b.balance(store.Clearing))

	all, err := b.Redemptions(ctx, store.WhichRedemptions{ParticipantID: "ann"}, "", 10)
	require.NoError(t, err)
	first, second := all[0].ID, all[1].ID
	r, fresh, err := b.BeginRedemption(ctx, first)
	require.NoError(t, err)
	require.True(t, fresh)
	require.Equal(t, "ABCDEF123456", r.Details["product"])
	_, fresh, err = b.BeginRedemption(ctx, first)
	require.NoError(t, err)
	require.False(t, fresh, "it may have been sent")
	for range 2 {
		require.NoError(t, b.SettleRedemption(ctx, first, store.RedemptionPaid, "O1", ""))
	}
	require.NoError(t, b.SettleRedemption(ctx, first, store.RedemptionRefused, "", "late"), "changes nothing")
	require.Equal(t, "40.00", b.balance(store.Cash))
	require.Equal(t, "40.00", b.balance(store.Clearing))
	require.Equal(t, "20.00", b.points())
	for range 2 {
		require.NoError(t, b.SettleRedemption(ctx, first, store.RedemptionReturned, "O1", "returned"))
	}
	require.Equal(t, "0.00", b.balance(store.Cash))
	require.Equal(t, "60.00", b.points())

	// The second is lost, and a person gives its points back.
	_, _, err = b.BeginRedemption(ctx, second)
	require.NoError(t, err)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.GiveBackPoints(ctx, "fin", second, b.reason())), "it is under way")
	require.NoError(t, b.RedemptionWaits(ctx, second, true, string(store.CodeNotFoundAtRail), true))
	waiting, err := b.Redemptions(ctx, store.WhichRedemptions{Waiting: true}, "", 10)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.Equal(t, incentive.CodeOwnPay, incentive.ErrorCode(b.GiveBackPoints(ctx, "ann", second, b.reason())))
	require.NoError(t, b.GiveBackPoints(ctx, "fin", second, b.reason()))
	require.Equal(t, "100.00", b.points())
	require.Equal(t, "0.00", b.balance(store.Clearing))
	require.NoError(t, b.SettleRedemption(ctx, second, store.RedemptionPaid, "O2", ""), "too late: the comparison with the rail shows it")
	require.Equal(t, "100.00", b.points())

	// It is known to comparisons with the rail.
	sent, err := b.SentAttempts(ctx, "tremendous", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, sent, 2)
	transit, err := b.InTransit(ctx, "tremendous")
	require.NoError(t, err)
	for _, one := range transit {
		require.Equal(t, one.Submitted, one.InTransit)
	}
	unknown, err := b.NotOnRecord(ctx, "tremendous", []string{first, second})
	require.NoError(t, err)
	require.Zero(t, unknown)
}

// TestPointsExpire after the months of the policy; what was given back meanwhile can be spent a while
// longer.
func TestPointsExpire(t *testing.T) {
	t.Parallel()
	b := paidInPoints(t)
	ctx := t.Context()
	has, err := b.Points(ctx, "ann")
	require.NoError(t, err)
	today, err := b.Today(t.Context(), time.Now())
	require.NoError(t, err)
	require.Equal(t, incentive.DateOf(today.UTC().AddDate(1, 0, 0)), *has[0].NextOn, "by the company's day")
	require.NoError(t, b.ExpirePoints(ctx))
	require.Equal(t, "100.00", b.points())
	r, err := b.redeem(30_00)
	require.NoError(t, err)
	age := func(sql string) {
		storetest.Exec(t, b.url, `SET session_replication_role = replica; UPDATE guerdon.points SET expires_on = `+sql)
	}
	age(`company_today() + 10`)
	require.NoError(t, b.ExpirePoints(ctx))
	told, err := b.Notifications(ctx, "ann", 0, 100)
	require.NoError(t, err)
	kinds := []string{}
	for _, n := range told {
		kinds = append(kinds, string(n.Kind))
	}
	require.Contains(t, kinds, "points-expire")
	age(`company_today()`)
	_, err = b.redeem(1)
	require.Equal(t, store.CodePointsFew, incentive.ErrorCode(err), "they are worth nothing any more")
	for range 2 {
		require.NoError(t, b.ExpirePoints(ctx))
	}
	require.Equal(t, "0.00", b.points())
	require.Equal(t, "70.00", b.balance(store.PointsExpired))
	_, _, err = b.BeginRedemption(ctx, r.ID)
	require.NoError(t, err)
	require.NoError(t, b.SettleRedemption(ctx, r.ID, store.RedemptionRefused, "", "gone"))
	require.NoError(t, b.ExpirePoints(ctx))
	require.Equal(t, "30.00", b.points(), "what came back can be spent for a month")
	_, err = b.redeem(30_00)
	require.NoError(t, err)
}

// TestARewardThatIsAskedForAgain is taken once: who asks again, as the answer did not come, gets the one that stands.
func TestARewardThatIsAskedForAgain(t *testing.T) {
	t.Parallel()
	b := paidInPoints(t)
	asked := store.Redemption{ID: "00000000-0000-4000-8000-00000000000a", ParticipantID: "ann", Amount: dollars(60_00), Rail: "tremendous", Reward: "A gift card", Masked: "a…@example.com", Details: map[string]string{"email": "ann@example.com"}}
	for range 2 {
		r, err := b.Redeem(t.Context(), "ann", asked)
		require.NoError(t, err)
		require.Equal(t, asked.ID, r.ID)
		require.Equal(t, "40.00", b.points())
	}
}
