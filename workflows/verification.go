package workflows

import (
	"context"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// Verify makes a verification that somebody asked for.
func Verify(ctx workflow.Context, id int64) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("verify")), do.Verify, id).Get(ctx, nil)
}

// StartVerification starts a verification. Starting it again changes nothing.
func StartVerification(ctx context.Context, c client.Client, id int64) error {
	return startOnce(ctx, c, activities.VerificationID(id), enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, Verify, id)
}
