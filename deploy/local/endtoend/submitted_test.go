package endtoend

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/store"
)

// TestARailThatPaysLater asks after what a rail had only taken: what it then pays is paid,
// and what it refuses after all waits for a person.
func TestARailThatPaysLater(t *testing.T) {
	t.Parallel()
	const key = "TEST_x"
	shop, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: key, Balance: "1000", Approvals: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	rail, err := tremendous.New(tremendous.Config{APIKey: key, CampaignID: standin.Campaign, BaseURL: shop.URL, PerSecond: 1000})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(2, rail.Name(), func(id string) map[string]string { return map[string]string{"email": id + "@example.com"} })
	h.release(2)
	h.await(period, incentive.Settling)
	ctx := t.Context()
	submitted, err := h.store.SubmittedPayouts(ctx, period, 1, rail.Name())
	require.NoError(t, err)
	require.Len(t, submitted, 2)

	disbursement := activities.DisburseID(period, 1, rail.Name())
	require.NoError(t, temporal.SkipTime(ctx, h.client, disbursement, "", 2*time.Minute))
	for i, decision := range []string{"approve", "reject"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, shop.URL+"/orders/"+submitted[i].Reference+"/"+decision, strings.NewReader(""))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+key)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	require.NoError(t, temporal.SkipTime(ctx, h.client, disbursement, "", 2*time.Hour))
	stands := func(i int) string {
		o, err := h.store.Payout(ctx, submitted[i].PayoutID)
		require.NoError(t, err)
		return strings.TrimSpace(o.State + " " + o.Reason)
	}
	require.Eventually(t, func() bool { return stands(0) == "paid" && stands(1) == "failed refused" }, time.Minute, 20*time.Millisecond)

	reason, err := h.store.WriteText(ctx, "fin", "the reward was rejected")
	require.NoError(t, err)
	require.NoError(t, h.store.CancelPayout(ctx, "fin", submitted[1].PayoutID, reason))
	require.NoError(t, h.client.SignalWorkflow(ctx, disbursement, "", activities.RetrySignal, nil))
	require.NoError(t, h.client.GetWorkflow(ctx, disbursement, "").Get(ctx, nil))
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)
	_, err = activities.Verify(ctx, h.store, period, 1)
	require.NoError(t, err)
	balances, err := h.store.Balances(ctx, "", 0)
	require.NoError(t, err)
	for _, b := range balances {
		if b.Kind == store.Clearing {
			require.Zero(t, b.Minor, "nothing is left on its way")
		}
	}
}
