package endtoend

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/xoxoday"
	"github.com/guerdon/guerdon/payments/xoxoday/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestARailThatKnowsNoKeys pays by a rail at which the same order twice is two orders. What
// it paid and lost the answer of is found; what it never got is looked up for a while and
// then waits for a person, whose word alone orders it anew.
func TestARailThatKnowsNoKeys(t *testing.T) {
	t.Parallel()
	shop, err := standin.Start("127.0.0.1:0", standin.Options{Balance: "1000", Currency: "USD"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	shop.SetFaults(standin.Fault{Kind: standin.CommitThenDrop, Contains: "rep0001@", Times: 1}, standin.Fault{Kind: standin.DropBeforeCommit, Contains: "rep0002@", Times: 1})
	rail, err := xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: "s", Currency: "USD", BaseURL: shop.URL, PerSecond: 1000})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(2, rail.Name(), func(id string) map[string]string {
		return map[string]string{xoxoday.EmailDetail: id + "@example.com", xoxoday.ProductDetail: standin.Experience}
	})
	h.release(2)
	ctx := t.Context()
	payouts, err := h.store.Payouts(ctx, period, 1, nil, "", 10)
	require.NoError(t, err)
	require.Len(t, payouts, 2)
	found, missing := payouts[0].ID, payouts[1].ID
	if payouts[0].ParticipantID == "rep0002" {
		found, missing = missing, found
	}
	state := func(id string) string {
		o, err := h.store.Payout(ctx, id)
		require.NoError(t, err)
		return o.State + " " + o.Reason
	}
	keys := func(id string) []string { // of attempts of which the rail knew nothing
		return h.texts(`SELECT key::text FROM payout_attempt WHERE payout_id = $1 AND state = 'unknown'`, id)
	}
	require.Eventually(t, func() bool { return state(found) == "paid " }, time.Minute, 20*time.Millisecond)
	require.Eventually(t, func() bool { return len(keys(missing)) == 1 }, time.Minute, 20*time.Millisecond)
	first := keys(missing)[0]
	require.Equal(t, "planned ", state(missing))

	// The clock of the database and of the worker is the machine's.
	storetest.Exec(t, h.databaseURL, `UPDATE payout_attempt SET sent_at = sent_at - interval '5 minutes' WHERE state = 'unknown'`)
	require.NoError(t, temporal.SkipTime(ctx, h.client, activities.BatchID(period, 1, rail.Name(), 1), "", 2*time.Minute))
	require.Eventually(t, func() bool { return state(missing) == "failed "+string(store.CodeNotFoundAtRail) }, time.Minute, 20*time.Millisecond)
	require.Zero(t, shop.Paid(first))

	reason, err := h.store.WriteText(ctx, "fin", "Xoxoday says that there is no such order")
	require.NoError(t, err)
	require.NoError(t, h.store.RetryPayout(ctx, "fin", missing, reason))
	require.NoError(t, h.client.SignalWorkflow(ctx, activities.DisburseID(period, 1, rail.Name()), "", activities.RetrySignal, nil))
	require.Eventually(t, func() bool { return state(missing) == "paid " }, time.Minute, 20*time.Millisecond)
	require.NoError(t, h.client.GetWorkflow(ctx, activities.DisburseID(period, 1, rail.Name()), "").Get(ctx, nil))
	h.await(period, incentive.Settling)
	require.Equal(t, 2, shop.Orders(), "nobody is paid twice")
}
