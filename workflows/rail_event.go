package workflows

import (
	"context"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// RailEventInput names what a rail told us.
type RailEventInput struct {
	Rail   string
	Number int64
}

// RailEvent does what a rail says of what its event is about. A rail that does not answer
// is asked until it does.
func RailEvent(ctx workflow.Context, input RailEventInput) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, railOptions(input.Rail, "look up what the rail told")), do.ApplyRailEvent, input.Number).Get(ctx, nil)
}

// StartRailEvent has a stored event of a rail applied. Starting it again changes nothing.
func StartRailEvent(ctx context.Context, c client.Client, rail, eventID string, number int64) error {
	return startOnce(ctx, c, activities.RailEventID(rail, eventID), enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, RailEvent, RailEventInput{Rail: rail, Number: number})
}
