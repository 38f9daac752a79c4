package workflows

import (
	"context"
	"errors"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities"
)

// startOnce starts a workflow, unless it runs, or has run and reuse says that this is enough.
func startOnce(ctx context.Context, c client.Client, id string, reuse enums.WorkflowIdReusePolicy, workflow any, input ...any) error {
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                activities.PeriodQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    reuse,
	}, workflow, input...)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &started) {
		return fmt.Errorf("start the workflow %s: %w", id, err)
	}
	return nil
}

// StartDispute starts the workflow of a dispute. Starting it again changes nothing.
func StartDispute(ctx context.Context, c client.Client, id, periodID string) error {
	return startOnce(ctx, c, activities.DisputeID(id), enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, Dispute, DisputeInput{ID: id, PeriodID: periodID})
}

// StartPayPeriod starts the workflow of an open revision. Starting it again changes
// nothing.
func StartPayPeriod(ctx context.Context, c client.Client, periodID string, revision int) error {
	return startOnce(ctx, c, activities.PayPeriodID(periodID, revision), enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, PayPeriod, PayPeriodInput{PeriodID: periodID, Revision: revision})
}

// TellDisbursement tells what pays a revision by a rail that there may be something to do, and
// starts it where nothing is paid by that rail yet, or everything was.
func TellDisbursement(ctx context.Context, c client.Client, periodID string, revision int, rail string) error {
	_, err := c.SignalWithStartWorkflow(ctx, activities.DisburseID(periodID, revision, rail), activities.RetrySignal, nil, client.StartWorkflowOptions{
		TaskQueue:             activities.PeriodQueue,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}, Disburse, DisburseInput{PeriodID: periodID, Revision: revision, Rail: rail, Submitted: true})
	if err != nil {
		return fmt.Errorf("tell the disbursement of %s by %s: %w", periodID, rail, err)
	}
	return nil
}
