package workflows

import (
	"context"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// Reconciliation compares each day of a rail with the rail's own record, for as long as
// there is the rail. Days on which nothing ran here are compared afterwards, one by one.
func Reconciliation(ctx workflow.Context, rail string) error {
	var next activities.NextDay
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, quickOptions()), do.NextReconciliation, rail).Get(ctx, &next); err != nil || next.Gone {
		return err
	}
	if next.Wait > 0 {
		if err := workflow.Sleep(ctx, next.Wait); err != nil {
			return err
		}
	} else if _, err := reconcile(ctx, activities.ReconcileInput{Rail: rail, Day: next.Day, By: System}); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Reconciliation, rail)
}

// ReconcileDay compares one day because somebody asks for it, and returns the id of what
// was found.
func ReconcileDay(ctx workflow.Context, input activities.ReconcileInput) (int64, error) {
	return reconcile(ctx, input)
}

func reconcile(ctx workflow.Context, input activities.ReconcileInput) (id int64, err error) {
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, railOptions(input.Rail, "compare with the rail")), do.Reconcile, input).Get(ctx, &id)
	return id, err
}

// StartReconciliation starts the comparison of each day of a rail. Starting it again
// changes nothing.
func StartReconciliation(ctx context.Context, c client.Client, rail string) error {
	return startOnce(ctx, c, activities.ReconciliationID(rail), enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, Reconciliation, rail)
}

// RunReconciliation has one day compared now, once for a key, and waits for it.
func RunReconciliation(ctx context.Context, c client.Client, key string, input activities.ReconcileInput) (id int64, err error) {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       activities.ReconciliationID(input.Rail) + "/" + input.Day.String() + "/" + key,
		TaskQueue:                activities.PeriodQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, // what was found stands
	}, ReconcileDay, input)
	if err == nil {
		err = run.Get(ctx, &id)
	}
	if err != nil {
		return 0, fmt.Errorf("compare %s on %s: %w", input.Rail, input.Day, err)
	}
	return id, nil
}
