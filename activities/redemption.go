package activities

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// ExpirePoints takes the points that have expired, and tells those whose points soon do.
func (a *Activities) ExpirePoints(ctx context.Context) error {
	defer heartbeat(ctx)()
	return a.Store.ExpirePoints(ctx)
}

// Redeem orders a reward that somebody takes for points, once however often it runs, by the rules of
// SubmitPayout: what may have been sent is looked up before anything is sent again, and what the rail
// refuses for good gives the points back. It reports whether the end is known; where it is not, it is
// to run again after a while.
func (a *Activities) Redeem(ctx context.Context, id string) (ended bool, err error) {
	defer heartbeat(ctx)()
	r, fresh, err := a.Store.BeginRedemption(ctx, id)
	if incentive.ErrorCode(err) == store.CodeSendingLocked {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if r.State == store.RedemptionRefused || r.State == store.RedemptionReturned {
		return true, nil
	}
	rail, err := a.Rails.Single(r.Rail)
	if err != nil {
		return r.Ended(), a.Store.RedemptionWaits(ctx, id, !fresh, string(incentive.ErrorCode(err)), true)
	}
	waits := func(sent bool, code string, forPerson bool) (bool, error) {
		// The answer is kept even where the activity's own time is up.
		return r.Ended(), a.Store.RedemptionWaits(context.WithoutCancel(ctx), id, sent, code, forPerson)
	}
	age := time.Duration(0)
	if !fresh {
		age = a.Now().Sub(*r.SentAt)
		found, err := rail.Lookup(ctx, id)
		switch {
		case payments.ClassOf(err) == payments.Alarm:
			return waits(true, codeOf(err), true)
		case err != nil:
			return waits(true, r.Reason, false)
		case found.Found():
			return a.settleRedemption(ctx, rail, r, found)
		case r.State == store.RedemptionSubmitted || r.Ended(): // the rail had it before
			return r.Ended(), nil
		}
		switch lookUp, askPerson := notFound(rail, age); {
		case lookUp:
			return waits(true, "", false)
		case askPerson || r.Reason == string(store.CodeRestored):
			return waits(true, string(store.CodeNotFoundAtRail), true)
		}
	}
	made, err := rail.Submit(ctx, payments.Instruction{Key: id, Reference: id, PayoutID: id, PeriodID: "points", Amount: r.Amount, Destination: r.Details})
	if err == nil {
		return a.settleRedemption(ctx, rail, r, made)
	}
	handling, code := payments.ClassOf(err).Handling(), codeOf(err)
	switch underWay := !fresh && age < Wait(lookUpTime); {
	case handling.MayHavePaid || underWay:
		reason := ""
		if !handling.Retry && !underWay {
			reason = code
		}
		return waits(true, reason, reason != "")
	case handling.Retry:
		return waits(!fresh, "", false)
	case handling.StopRun || payments.ClassOf(err) == payments.InsufficientFunds: // the company's affair
		return waits(!fresh, code, true)
	default:
		return true, a.Store.SettleRedemption(ctx, id, store.RedemptionRefused, "", code)
	}
}

// settleRedemption notes what the rail did, which must be what it was asked for.
func (a *Activities) settleRedemption(ctx context.Context, rail payments.SingleRail, r store.Redemption, did payments.Result) (ended bool, err error) {
	if err := did.Matches(rail.Name(), r.Amount); err != nil {
		return r.Ended(), a.Store.RedemptionWaits(ctx, r.ID, true, codeOf(err), true)
	}
	state := map[payments.State]store.RedemptionState{
		payments.Submitted: store.RedemptionSubmitted, payments.Paid: store.RedemptionPaid, payments.Returned: store.RedemptionReturned, payments.Refused: store.RedemptionRefused,
	}[did.State]
	code := ""
	if state == store.RedemptionRefused || state == store.RedemptionReturned {
		code = string(did.State)
	}
	return state != store.RedemptionSubmitted, a.Store.SettleRedemption(ctx, r.ID, state, did.RailID, code)
}
