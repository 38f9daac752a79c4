package workflows

import (
	"context"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// longestHistory of Notifications, in events, after which it begins anew.
const longestHistory = 2000

// Notifications sends people what they are told, for as long as there is a company. What
// waits, and what became of it, stands in PostgreSQL.
func Notifications(ctx workflow.Context) error {
	look := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 15 * time.Second, RetryPolicy: retry()})
	send := workflow.WithActivityOptions(ctx, quickOptions())
	for workflow.GetInfo(ctx).GetCurrentHistoryLength() < longestHistory {
		var ids []string
		if err := workflow.ExecuteActivity(look, do.NextMessages).Get(ctx, &ids); err != nil {
			return err
		}
		var sending []workflow.Future
		for _, id := range ids {
			sending = append(sending, workflow.ExecuteActivity(send, do.SendMessage, id))
		}
		for _, sent := range sending {
			if err := sent.Get(ctx, nil); err != nil {
				return err
			}
		}
	}
	return workflow.NewContinueAsNewError(ctx, Notifications)
}

// StartNotifications starts what sends people what they are told. Starting it again changes
// nothing.
func StartNotifications(ctx context.Context, c client.Client) error {
	return startOnce(ctx, c, activities.NotificationsID, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, Notifications)
}
