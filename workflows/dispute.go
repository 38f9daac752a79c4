package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
)

// DisputeChangedSignal tells a dispute that its adjustment was decided about.
const DisputeChangedSignal = "changed"

// DisputeInput names a dispute.
type DisputeInput struct {
	ID       string
	PeriodID string
}

// DisputeActInput is the argument of an Update of a dispute. The Update's id names the
// command: with the same id an act is done once.
type DisputeActInput struct {
	Actor    string
	TextID   string
	AnswerID string // of what is granted
}

// DisputeAnswer is what an Update answers: the state after it or, with a Code, why it was
// refused.
type DisputeAnswer struct {
	State   incentive.DisputeState
	Code    incentive.Code
	Message string
}

// Dispute reminds people of a dispute and hands it up the hierarchy until it has its
// outcome.
func Dispute(ctx workflow.Context, input DisputeInput) error {
	d := &aDispute{DisputeInput: input, mutex: workflow.NewMutex(ctx)}
	if err := d.receive(ctx); err != nil {
		return err
	}
	if err := d.look(ctx); err != nil {
		return err
	}
	for !d.State.Ended() {
		if err := d.wait(ctx); err != nil {
			return err
		}
		if !d.State.Ended() && workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
				return err
			}
			return workflow.NewContinueAsNewError(ctx, Dispute, input)
		}
	}
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

type aDispute struct {
	DisputeInput
	activities.DisputeOutcome
	mutex   workflow.Mutex // acts, of people and of the clock, happen one by one
	changed bool           // something outside has changed the dispute
}

func (d *aDispute) receive(ctx workflow.Context) error {
	for _, act := range incentive.DisputeActs() {
		err := workflow.SetUpdateHandlerWithOptions(ctx, string(act), func(ctx workflow.Context, in DisputeActInput) (DisputeAnswer, error) {
			var o activities.DisputeOutcome
			err := d.do(ctx, &o, do.ActOnDispute, activities.DisputeAct{DisputeID: d.ID, Act: act, Actor: in.Actor, TextID: in.TextID, AnswerID: in.AnswerID,
				Key: UpdateKey(workflow.GetCurrentUpdateInfo(ctx).ID)})
			return DisputeAnswer{State: o.State, Code: o.Code, Message: o.Message}, err
		}, workflow.UpdateHandlerOptions{Validator: func(DisputeActInput) error {
			if d.mutex.IsLocked() || d.changed || d.State == "" {
				return nil // the database may be ahead of this workflow; the handler asks it in turn
			}
			if _, err := incentive.NextDispute(d.State, act, false); err != nil {
				return temporal.NewNonRetryableApplicationError(incentive.ErrorMessage(err), string(incentive.ErrorCode(err)), nil)
			}
			return nil
		}})
		if err != nil {
			return err
		}
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, DisputeChangedSignal)
		for signals.Receive(ctx, nil) {
			d.changed = true
		}
	})
	return nil
}

// do runs one activity at a time and takes over where it left the dispute.
func (d *aDispute) do(ctx workflow.Context, o *activities.DisputeOutcome, activity any, arguments ...any) error {
	if err := d.mutex.Lock(ctx); err != nil {
		return err
	}
	defer d.mutex.Unlock()
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, quickOptions()), activity, arguments...).Get(ctx, o); err != nil || o.Code != "" {
		return err
	}
	d.DisputeOutcome = *o
	return workflow.UpsertTypedSearchAttributes(ctx, periodAttribute.ValueSet(d.PeriodID), stageAttribute.ValueSet("dispute "+string(d.State)))
}

func (d *aDispute) look(ctx workflow.Context) error {
	d.changed = false
	return d.do(ctx, &activities.DisputeOutcome{}, do.ReadDispute, d.ID)
}

// wait waits until something happens to the dispute, or until somebody is to be reminded
// of it or asked in their place.
func (d *aDispute) wait(ctx workflow.Context) error {
	seen := d.DisputeOutcome
	next, escalate := seen.RemindAt, false
	if !seen.EscalateAt.IsZero() && !seen.EscalateAt.After(next) {
		next, escalate = seen.EscalateAt, true
	}
	moved := func() bool { return d.changed || d.DisputeOutcome != seen }
	happened, err := workflow.AwaitWithTimeout(ctx, max(next.Sub(workflow.Now(ctx)), time.Second), moved)
	switch {
	case err != nil:
		return err
	case d.changed:
		return d.look(ctx)
	case happened:
		return nil
	}
	return d.do(ctx, &activities.DisputeOutcome{}, do.NudgeDispute, d.ID, seen, escalate)
}
