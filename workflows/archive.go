package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// Archive stores the histories of a period that has ended, once all of its workflows have.
func Archive(ctx workflow.Context, periodID string, revision int) error {
	full, err := archive(ctx, do.Archive, periodID, revision)
	if full {
		return workflow.NewContinueAsNewError(ctx, Archive, periodID, revision)
	}
	return err
}

// ArchiveDispute stores the histories of a dispute that has its outcome, once its workflow
// has ended.
func ArchiveDispute(ctx workflow.Context, disputeID string) error {
	full, err := archive(ctx, do.ArchiveDispute, disputeID)
	if full {
		return workflow.NewContinueAsNewError(ctx, ArchiveDispute, disputeID)
	}
	return err
}

// archive runs an activity again and again until it has stored everything, or until the
// workflow's own history is full.
func archive(ctx workflow.Context, activity any, arguments ...any) (full bool, err error) {
	const longest = time.Minute
	for wait := activities.Wait(time.Second); ; wait = min(2*wait, activities.Wait(longest)) {
		var done bool
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("archive")), activity, arguments...).Get(ctx, &done)
		if err != nil || done {
			return false, err
		}
		if err := workflow.Sleep(ctx, wait); err != nil {
			return false, err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return true, nil
		}
	}
}
