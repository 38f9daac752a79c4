package workflows

import (
	"context"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// RecallInput names what is taken back, and of which rail.
type RecallInput struct {
	ID   string
	Rail string
}

// Recall has a rail give back what a second person has confirmed, whether or not the payout's
// period is closed. A rail that does not answer is asked until it does.
func Recall(ctx workflow.Context, input RecallInput) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, railOptions(input.Rail, "have the rail give back")), do.Recall, input.ID).Get(ctx, nil)
}

// StartRecall has a recall carried out. Starting it again changes nothing.
func StartRecall(ctx context.Context, c client.Client, id, rail string) error {
	return startOnce(ctx, c, activities.RecallID(id), enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, Recall, RecallInput{ID: id, Rail: rail})
}
