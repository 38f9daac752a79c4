package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// Archive stores the histories of a period that has ended, once all of its workflows have.
func Archive(ctx workflow.Context, periodID string, revision int) error {
	const longest = time.Minute
	for wait := time.Second; ; wait = min(2*wait, longest) {
		var done bool
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("archive")), do.Archive, periodID, revision).Get(ctx, &done)
		if err != nil || done {
			return err
		}
		if err := workflow.Sleep(ctx, wait); err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return workflow.NewContinueAsNewError(ctx, Archive, periodID, revision)
		}
	}
}
