package workflows

import (
	"context"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// Prenotes lets the accounts be paid that a file of prenotes has tried, once its days are over.
func Prenotes(ctx workflow.Context, fileID string) error {
	for {
		var wait time.Duration
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, quickOptions()), do.PassPrenotes, fileID).Get(ctx, &wait); err != nil || wait == 0 {
			return err
		}
		if err := workflow.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// StartPrenotes starts the waiting for what comes back of a file of prenotes. Starting it again
// changes nothing.
func StartPrenotes(ctx context.Context, c client.Client, fileID string) error {
	return startOnce(ctx, c, activities.PrenotesID(fileID), enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, Prenotes, fileID)
}
