package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// DecideUpdate is the Update by which a decision set is applied to an approval queue.
// Its argument is the set's id.
const DecideUpdate = "decide"

// ReassignUpdate is the Update by which a person moves what waits in a queue to another.
const ReassignUpdate = "reassign"

// ReassignInput is the argument of ReassignUpdate.
type ReassignInput struct {
	Actor    string
	To       string // a participant's id, or finance
	ReasonID string
}

// DecideAnswer is what became of a decision set, or of a reassignment.
type DecideAnswer struct {
	Answer
	Applied  int
	Refused  int
	LeftHere int
}

// Approval looks after one approval queue of a period until nothing waits in it: it
// reminds, and in the end moves what waits to whoever is above.
func Approval(ctx workflow.Context, queue activities.ApprovalQueue) error {
	q := &approvalQueue{ApprovalQueue: queue}
	if err := q.receive(ctx); err != nil {
		return err
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, periodAttribute.ValueSet(queue.PeriodID), stageAttribute.ValueSet("approval")); err != nil {
		return err
	}
	quick := workflow.WithActivityOptions(ctx, quickOptions())
	full := func() bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() }
	answered := func() bool { return workflow.AllHandlersFinished(ctx) }
	for {
		if full() {
			if err := workflow.Await(ctx, answered); err != nil {
				return err
			}
			return workflow.NewContinueAsNewError(ctx, Approval, q.ApprovalQueue)
		}
		q.changed = false
		var work activities.QueueWork
		if err := workflow.ExecuteActivity(quick, do.LookAtQueue, q.ApprovalQueue).Get(ctx, &work); err != nil {
			return err
		}
		if work.Waiting == 0 {
			if err := workflow.Await(ctx, answered); err != nil {
				return err
			}
			if !q.changed {
				return nil
			}
			continue
		}
		next := work.RemindAt
		escalates := !work.EscalateAt.IsZero() && !work.EscalateAt.After(next)
		if escalates {
			next = work.EscalateAt
		}
		early, err := workflow.AwaitWithTimeout(ctx, next.Sub(workflow.Now(ctx)), func() bool { return q.changed || full() })
		switch {
		case err != nil:
			return err
		case early:
		case escalates:
			// What came in since waits for its own time.
			due := work.Since
			if _, err := q.move(ctx, activities.QueueMove{Actor: System, Key: systemKey(ctx, "escalate"), OpenedBy: &due}); err != nil {
				return err
			}
		default:
			if err := workflow.ExecuteActivity(quick, do.Remind, q.ApprovalQueue).Get(ctx, nil); err != nil {
				return err
			}
			q.RemindedAt = workflow.Now(ctx)
		}
	}
}

type approvalQueue struct {
	activities.ApprovalQueue
	changed bool // something was decided, or has come in
}

// receive registers the Updates and listens to the signal.
func (q *approvalQueue) receive(ctx workflow.Context) error {
	err := workflow.SetUpdateHandler(ctx, DecideUpdate, func(ctx workflow.Context, setID string) (DecideAnswer, error) {
		var d activities.Decided
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("decide")), do.Decide, q.PeriodID, q.Revision, setID).Get(ctx, &d)
		q.changed = true
		return answerOf(d), err
	})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandler(ctx, ReassignUpdate, func(ctx workflow.Context, in ReassignInput) (DecideAnswer, error) {
		return q.move(ctx, activities.QueueMove{Actor: in.Actor, To: in.To, ReasonID: in.ReasonID, Key: UpdateKey(workflow.GetCurrentUpdateInfo(ctx).ID)})
	})
	if err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, activities.WaitingSignal)
		for signals.Receive(ctx, nil) {
			q.changed = true
		}
	})
	return nil
}

func (q *approvalQueue) move(ctx workflow.Context, move activities.QueueMove) (DecideAnswer, error) {
	var d activities.Decided
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("move")), do.MoveQueue, q.ApprovalQueue, move).Get(ctx, &d)
	q.changed = true
	return answerOf(d), err
}

func answerOf(d activities.Decided) DecideAnswer {
	return DecideAnswer{Answer: Answer{Code: d.Code, Message: d.Message}, Applied: d.Applied, Refused: d.Refused, LeftHere: d.LeftHere}
}
