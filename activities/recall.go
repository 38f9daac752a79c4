package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// Recall has a rail give back what finance wants of a payout, once however often it runs: the
// recall and its key are in the database before the rail is called, and the rail is looked up
// before each call. A rail that does not answer is asked until it does.
func (a *Activities) Recall(ctx context.Context, id string) error {
	defer heartbeat(ctx)()
	r, err := a.Store.Recall(ctx, id)
	if err != nil || r.State != store.RecallConfirmed && r.State != store.RecallSent {
		return err
	}
	rail, err := a.Rails.Single(r.Order.Rail)
	if err != nil {
		return err
	}
	lookUp := func() (payments.Result, error) { return rail.Lookup(ctx, r.Reference) }
	stands, err := askAgain(lookUp)
	if err == nil && stands.Reversed == r.Before && stands.State != payments.Returned && stands.State != payments.Refused {
		var sent bool
		if sent, err = a.Store.SendRecall(ctx, id); err != nil || !sent {
			return err
		}
		if _, err = askAgain(func() (payments.Result, error) { return takeBack(ctx, rail, r) }); err == nil {
			stands, err = askAgain(lookUp)
		}
	}
	switch class := payments.ClassOf(err); {
	case class == payments.Alarm:
		return a.endRecall(ctx, r, store.RecallUnclear, codeOf(err), store.PayoutOutcome{})
	case err != nil && (class.Handling().Retry || class.Handling().StopRun):
		return askLater(err)
	// A call whose answer was lost may be under way yet, and do what this one was refused.
	case err != nil && r.SentAt != nil && a.Now().Sub(*r.SentAt) < Wait(lookUpTime):
		return temporal.NewApplicationErrorWithOptions("the rail refuses what may be under way", string(class), temporal.ApplicationErrorOptions{NextRetryDelay: Wait(lookUpPause)})
	case err != nil:
		return a.endRecall(ctx, r, store.RecallRefused, codeOf(err), store.PayoutOutcome{})
	case !stands.Found():
		return a.endRecall(ctx, r, store.RecallUnclear, string(payments.Absent), store.PayoutOutcome{})
	}
	came := stands.State == payments.Returned || stands.State == payments.Refused || stands.Reversed == r.Before+r.Amount.Minor
	if !came && stands.Reversed == r.Before { // taken back, and not shown by the rail yet
		return temporal.NewApplicationErrorWithOptions("the rail does not show yet what it gave back", string(payments.InProgress), temporal.ApplicationErrorOptions{NextRetryDelay: Wait(lookUpPause)})
	}
	if !came {
		return a.endRecall(ctx, r, store.RecallUnclear, "reversal-differs", store.PayoutOutcome{})
	}
	return a.endRecall(ctx, r, store.RecallDone, "", store.PayoutOutcome{
		PayoutID: r.Order.ID,
		State:    string(stands.State),
		Code:     string(store.CodeRecalled),
		Amount:   stands.Amount,
		Reversed: stands.Reversed,
	})
}

// takeBack asks a rail to give back what a recall says: by a reversal where it knows parts of
// what it paid, otherwise by stopping the whole.
func takeBack(ctx context.Context, rail payments.SingleRail, r store.Recall) (payments.Result, error) {
	if reverser, is := rail.(payments.Reverser); is {
		return reverser.Reverse(ctx, r.RailID, r.Amount, r.ID)
	}
	if canceller, is := rail.(payments.Canceller); is {
		return canceller.Cancel(ctx, r.RailID)
	}
	return payments.Result{}, &payments.Error{
		Class:   payments.Definite,
		Rail:    rail.Name(),
		Code:    "gives-nothing-back",
		Message: "the rail cannot be asked to give anything back",
	}
}

func (a *Activities) endRecall(ctx context.Context, r store.Recall, state store.RecallState, code string, o store.PayoutOutcome) error {
	if err := a.Store.FinishRecall(ctx, r.ID, state, code, o); err != nil {
		return err
	}
	return a.tellDisbursement(ctx, r.Order.PeriodID, r.Order.Revision, r.Order.Rail)
}
