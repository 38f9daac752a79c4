package workflows

import (
	"context"
	"errors"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// StatusFile does what a bank's file says.
func StatusFile(ctx workflow.Context, fileID string) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("apply the bank's file")), do.ApplyStatusFile, fileID).Get(ctx, nil)
}

// ApplyStatusFile has a stored file of a bank applied, and waits for it. Doing it again
// changes nothing.
func ApplyStatusFile(ctx context.Context, c client.Client, fileID string) error {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       activities.StatusFileID(fileID),
		TaskQueue:                activities.PeriodQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	}, StatusFile, fileID)
	var done *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &done) {
		return nil
	}
	if err == nil {
		err = run.Get(ctx, nil)
	}
	if err != nil {
		return fmt.Errorf("apply the bank's file %s: %w", fileID, err)
	}
	return nil
}
