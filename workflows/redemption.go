package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// RedemptionInput names a reward that somebody takes for points.
type RedemptionInput struct {
	ID   string
	Rail string
}

// Redemption orders a reward, and ends when it is sent, or the points are back. What the rail does not
// answer, or has not money for, is asked again ever more seldom.
func Redemption(ctx workflow.Context, input RedemptionInput) error {
	ask := railOptions(input.Rail, "order a reward")
	ask.StartToCloseTimeout = 2 * time.Minute
	signals := workflow.GetSignalChannel(ctx, activities.RetrySignal)
	for pause := activities.Wait(firstProbe); ; pause = min(2*pause, activities.Wait(longestPause)) {
		var ended bool
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, ask), do.Redeem, input.ID).Get(ctx, &ended); err != nil || ended {
			return err
		}
		if _, err := workflow.AwaitWithTimeout(ctx, pause, func() bool { return signals.Len() > 0 }); err != nil {
			return err
		}
		if signals.ReceiveAsync(nil) {
			pause = activities.Wait(firstProbe)
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return workflow.NewContinueAsNewError(ctx, Redemption, input)
		}
	}
}

// StartRedemption starts the ordering of a reward. Starting it again changes nothing.
func StartRedemption(ctx context.Context, c client.Client, id, rail string) error {
	return startOnce(ctx, c, activities.RedemptionID(id), enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, Redemption, RedemptionInput{ID: id, Rail: rail})
}

// TellRedemption tells the ordering of a reward that there may be something to do. One that has ended is
// none the wiser.
func TellRedemption(ctx context.Context, c client.Client, id string) error {
	err := c.SignalWorkflow(ctx, activities.RedemptionID(id), "", activities.RetrySignal, nil)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("tell the workflow of redemption %s: %w", id, err)
	}
	return nil
}

// ExpirePoints lets points expire, once a day, for as long as there are some.
func ExpirePoints(ctx workflow.Context) error {
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("let points expire")), do.ExpirePoints).Get(ctx, nil); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, activities.Wait(24*time.Hour)); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, ExpirePoints)
}

// StartExpirePoints starts what lets points expire. Starting it again changes nothing.
func StartExpirePoints(ctx context.Context, c client.Client) error {
	return startOnce(ctx, c, activities.PointsID, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, ExpirePoints)
}
