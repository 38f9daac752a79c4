package workflows

import (
	"context"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// DealReminders reminds people each day of the entered deals and proposed reliefs that wait for
// them, for as long as there is a company.
func DealReminders(ctx workflow.Context) error {
	var wait time.Duration
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, quickOptions()), do.RemindOfDeals).Get(ctx, &wait); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, wait); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, DealReminders)
}

// StartDealReminders starts what reminds people of entered deals. Starting it again changes
// nothing.
func StartDealReminders(ctx context.Context, c client.Client) error {
	return startOnce(ctx, c, activities.DealRemindersID, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, DealReminders)
}
