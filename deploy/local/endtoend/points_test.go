package endtoend

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// TestPoints pays a period in points, and has them spent on rewards: at once, with the answer lost after
// the order and before it, of a company without money until it has some, and of a product that is not
// to be had. Each reward is ordered once or the points are back, and ledger and rail agree.
func TestPoints(t *testing.T) {
	t.Parallel()
	shop, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "k", Balance: "0.80"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	rail, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: standin.Campaign, BaseURL: shop.URL, PerSecond: 1000})
	require.NoError(t, err)
	h := startOver(t, func(s *store.Store) []payments.Rail { return []payments.Rail{rail, points.New(s)} })
	h.company(2, incentive.PointsRail, func(string) map[string]string { return map[string]string{points.ToDetail: points.Own} })
	h.release(2)
	h.await(period, incentive.Settling)
	ctx := t.Context()
	has, err := h.store.Points(ctx, "rep0001")
	require.NoError(t, err)
	require.Len(t, has, 1)
	before := has[0].Amount.Minor

	take := func(product string, minor int64) string {
		t.Helper()
		clean, masked, err := rail.ValidateDestination(payments.Destination{"email": "rep0001@example.com", "product": product})
		require.NoError(t, err)
		r, err := h.store.Redeem(ctx, "rep0001", store.Redemption{ParticipantID: "rep0001", Amount: incentive.Money{Minor: minor, Currency: "USD"}, Rail: rail.Name(), Reward: "A reward", Details: clean, Masked: masked})
		require.NoError(t, err)
		require.NoError(t, workflows.StartRedemption(ctx, h.client, r.ID, r.Rail))
		return r.ID
	}
	becomes := func(id string, want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			r, err := h.store.Redemption(ctx, id)
			require.NoError(t, err)
			return string(r.State)+" "+r.Reason == want
		}, time.Minute, 20*time.Millisecond, want)
	}
	again := func(id string) { require.NoError(t, workflows.TellRedemption(ctx, h.client, id)) }

	once := take(standin.Charity, 20)
	becomes(once, "paid ")

	shop.SetFaults(standin.Fault{Kind: standin.CommitThenDrop, Times: 1})
	lost := take(standin.Charity, 20)
	becomes(lost, "unknown ")
	again(lost)
	becomes(lost, "paid ")

	shop.SetFaults(standin.Fault{Kind: standin.DropBeforeCommit, Times: 1})
	never := take(standin.Charity, 20)
	becomes(never, "unknown ")
	require.NoError(t, temporal.SkipTime(ctx, h.client, activities.RedemptionID(never), "", time.Minute))
	becomes(never, "paid ")

	poor := take(standin.Charity, 30)
	require.Eventually(t, func() bool {
		r, err := h.store.Redemption(ctx, poor)
		require.NoError(t, err)
		return r.State == store.RedemptionIntended && r.Reason != ""
	}, time.Minute, 20*time.Millisecond)
	reason, err := h.store.WriteText(ctx, "fin", "The balance stays as it is.")
	require.NoError(t, err)
	require.NoError(t, h.store.GiveBackPoints(ctx, "fin", poor, reason))
	again(poor)
	require.NoError(t, h.client.GetWorkflow(ctx, activities.RedemptionID(poor), "").Get(ctx, nil))
	r, err := h.store.Redemption(ctx, poor)
	require.NoError(t, err)
	require.Equal(t, store.RedemptionRefused, r.State)

	gone := take("ZZZZZZZZZZZZ", 10)
	require.NoError(t, h.client.GetWorkflow(ctx, activities.RedemptionID(gone), "").Get(ctx, nil))
	r, err = h.store.Redemption(ctx, gone)
	require.NoError(t, err)
	require.Equal(t, store.RedemptionRefused, r.State)

	for _, id := range []string{once, lost, never} {
		require.Equal(t, 1, shop.Paid(id))
	}
	require.Zero(t, shop.Paid(poor)+shop.Paid(gone))
	has, err = h.store.Points(ctx, "rep0001")
	require.NoError(t, err)
	require.Equal(t, before-60, has[0].Amount.Minor)
	balances, err := h.store.Balances(ctx, "", 0)
	require.NoError(t, err)
	for _, b := range balances {
		switch b.Kind {
		case store.Cash:
			require.EqualValues(t, -60, b.Minor)
		case store.Clearing, store.Payable:
			require.Zero(t, b.Minor)
		}
	}
	_, err = h.store.VerifyLedger(ctx)
	require.NoError(t, err)
	today, err := h.store.Today(ctx, time.Now())
	require.NoError(t, err)
	for _, name := range []string{rail.Name(), incentive.PointsRail} {
		id, err := workflows.RunReconciliation(ctx, h.client, "today", activities.ReconcileInput{Rail: name, Day: today, By: "fin"})
		require.NoError(t, err)
		found, _, err := h.store.Reconciliation(ctx, id)
		require.NoError(t, err)
		require.Zero(t, found.Differences, name)
		require.Positive(t, found.Agreed, name)
	}
	recordOf(t, h.client, "points-redemption", "Redemption")
	recordOf(t, h.client, "points-reconcile-day", "ReconcileDay")
	recordOf(t, h.client, "deal-reminders", "DealReminders") // which every house has

	// What is done every day begins anew after a day.
	require.NoError(t, temporal.SkipTime(ctx, h.client, activities.PointsID, "", 25*time.Hour))
	for name, workflowType := range map[string]string{"points-expire": "ExpirePoints", "points-reconciliation": "Reconciliation"} {
		recordOf(t, h.client, name, workflowType, enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW)
	}
	recordOf(t, h.client, "points-reconciliation-waits", "Reconciliation", enums.WORKFLOW_EXECUTION_STATUS_RUNNING)
}
