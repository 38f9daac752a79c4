package endtoend

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
)

// TestLimitsOfRailsHoldAtOnce changes how often a rail may be called while everything runs:
// Temporal, which holds all workers to it, knows it without a restart.
func TestLimitsOfRailsHoldAtOnce(t *testing.T) {
	t.Parallel()
	h := start(t, paymentfile.New("payment-file", "Test"))
	ctx := t.Context()
	_, err := h.store.FirstAdministrator(ctx, "admin", "Test", "UTC", time.Hour)
	require.NoError(t, err)
	reason, err := h.store.WriteText(ctx, "admin", "the bank asked")
	require.NoError(t, err)
	limit := func() *taskqueue.RateLimit {
		queue, err := h.client.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: temporal.Namespace, TaskQueue: &taskqueue.TaskQueue{Name: activities.RailQueue("payment-file")}, TaskQueueType: enums.TASK_QUEUE_TYPE_ACTIVITY, ReportConfig: true,
		})
		require.NoError(t, err)
		return queue.GetConfig().GetQueueRateLimit().GetRateLimit()
	}
	set := func(l store.RailLimits) {
		_, err := h.store.SetRailLimits(ctx, "admin", l, reason)
		require.NoError(t, err)
	}
	rate := decimal.RequireFromString("2.5")
	set(store.RailLimits{Rail: "payment-file", PerSecond: &rate})
	require.Eventually(t, func() bool { return limit().GetRequestsPerSecond() == 2.5 }, 30*time.Second, 50*time.Millisecond)
	set(store.RailLimits{Rail: "payment-file"})
	require.Eventually(t, func() bool { return limit() == nil }, 30*time.Second, 50*time.Millisecond, "and is lifted again")
}
