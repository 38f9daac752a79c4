package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// TestAdjustments enters an amount and lets another person decide about it.
func TestAdjustments(t *testing.T) {
	t.Parallel()
	s := open(t, time.Second)
	require.NoError(t, s.store.Grant(t.Context(), "admin", "admin", []incentive.Role{incentive.Administrator, incentive.Finance}))
	entered, err := client.Read[client.Adjustment](s.as("fin").EnterAdjustment(t.Context(), &client.EnterAdjustmentParams{IdempotencyKey: client.NewKey()}, client.AdjustmentRequest{
		Period: "m-2026-01", Person: "r1", Type: client.AdjustmentRequestTypeGoodwill, Amount: incentive.Money{Minor: -12050, Currency: "USD"}, Reason: "as agreed"}))
	require.NoError(t, err)
	require.Nil(t, entered.Decision)
	require.Equal(t, "as agreed", entered.Reason)
	decide := func(id string, decision client.AdjustmentDecisionRequest) (client.Adjustment, error) {
		return client.Read[client.Adjustment](s.as(id).DecideAdjustment(t.Context(), entered.Id, &client.DecideAdjustmentParams{IdempotencyKey: client.NewKey()}, decision))
	}
	_, err = decide("fin", client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecisionApproved})
	require.Equal(t, incentive.CodeOwnDecision, incentive.ErrorCode(err))
	reason := "not agreed"
	decided, err := decide("admin", client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecisionRejected, Reason: &reason})
	require.NoError(t, err)
	require.Equal(t, client.AdjustmentDecisionRejected, *decided.Decision)
	require.Equal(t, "admin", *decided.DecidedBy)
	list, err := client.Read[client.Adjustments](s.as("aud").ListAdjustments(t.Context(), &client.ListAdjustmentsParams{}))
	require.NoError(t, err)
	require.Equal(t, []client.Adjustment{decided}, list.Adjustments)
	require.Equal(t, "-120.50 USD", list.Adjustments[0].Amount.String())
}
