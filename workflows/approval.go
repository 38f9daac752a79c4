package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// DecideUpdate is the Update by which a decision set is applied to an approval queue.
// Its argument is the set's id.
const DecideUpdate = "decide"

// DecideAnswer is what became of a decision set.
type DecideAnswer struct {
	Answer
	Applied   int
	Refused   int
	LeftHere  int
	LeftInAll int
}

// Approval looks after one approval queue of a period until nothing waits in it.
func Approval(ctx workflow.Context, queue activities.ApprovalQueue) error {
	empty := false
	err := workflow.SetUpdateHandler(ctx, DecideUpdate, func(ctx workflow.Context, setID string) (DecideAnswer, error) {
		var d activities.Decided
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("decide")), do.Decide, queue.PeriodID, queue.Revision, setID).Get(ctx, &d)
		if err != nil {
			return DecideAnswer{}, err
		}
		if d.Code == "" && d.LeftHere == 0 {
			empty = true
		}
		return DecideAnswer{Answer: Answer{Code: d.Code, Message: d.Message}, Applied: d.Applied, Refused: d.Refused, LeftHere: d.LeftHere, LeftInAll: d.LeftInAll}, nil
	})
	if err != nil {
		return err
	}
	err = workflow.UpsertTypedSearchAttributes(ctx, periodAttribute.ValueSet(queue.PeriodID), stageAttribute.ValueSet("approval"))
	if err != nil {
		return err
	}
	err = workflow.Await(ctx, func() bool { return empty || workflow.GetInfo(ctx).GetContinueAsNewSuggested() })
	if err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	if !empty {
		return workflow.NewContinueAsNewError(ctx, Approval, queue)
	}
	return nil
}
