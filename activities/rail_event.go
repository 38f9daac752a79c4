package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// ApplyRailEvent looks up at the rail what an event is about and does what the rail says,
// once: nothing is done for the event's own word. A rail that does not know yet what it
// spoke of is asked again for a while.
func (a *Activities) ApplyRailEvent(ctx context.Context, number int64) error {
	defer heartbeat(ctx)()
	e, err := a.Store.RailEvent(ctx, number)
	if err != nil || e.Applied() {
		return err
	}
	rail, err := a.Rails.Single(e.Rail)
	if err != nil {
		return err
	}
	if e.Account != "" && e.Account == e.RailID {
		if err := a.followAccount(ctx, e.Rail, e.Account); err != nil {
			return err
		}
	}
	reference := e.Reference
	attempt, err := a.Store.AttemptOf(ctx, e.Rail, reference, e.RailID)
	if reader, reads := rail.(payments.EventReader); reads && reference == "" && incentive.ErrorCode(err) == incentive.CodeNotFound {
		if reference, err = reader.ReferenceOf(ctx, payments.Event{ID: e.EventID, Kind: e.Kind, RailID: e.RailID, Account: e.Account, At: e.HappenedAt}); err != nil {
			return askLater(err)
		}
		attempt, err = a.Store.AttemptOf(ctx, e.Rail, reference, "")
	}
	switch {
	case err == nil:
	case incentive.ErrorCode(err) != incentive.CodeNotFound:
		return err
	case reference == "" && e.RailID == "":
		return a.Store.PutRailEventAside(ctx, number, "none")
	default:
		if redemption, err := a.Store.RedemptionOf(ctx, e.Rail, reference, e.RailID); err != nil {
			return err
		} else if redemption != "" {
			if _, err := a.Redeem(ctx, redemption); err != nil {
				return err
			}
			return a.Store.PutRailEventAside(ctx, number, "none")
		}
		if reference == "" {
			return a.Store.PutRailEventAside(ctx, number, "none")
		}
		return a.Store.PutRailEventAside(ctx, number, "not-ours")
	}
	found, err := askAgain(func() (payments.Result, error) { return rail.Lookup(ctx, attempt.Key) })
	says := outcomeOf(found)
	switch {
	case payments.ClassOf(err) == payments.Alarm:
		says.Unclear = true
	case err != nil:
		return askLater(err)
	case !found.Found() && a.Now().Sub(e.ReceivedAt) < Wait(lookUpTime):
		return temporal.NewApplicationErrorWithOptions("the rail does not know yet what it spoke of", string(payments.Absent), temporal.ApplicationErrorOptions{NextRetryDelay: Wait(lookUpPause)})
	case !found.Found():
		return a.Store.PutRailEventAside(ctx, number, "none")
	}
	payout, effect, err := a.Store.ApplyRailEvent(ctx, number, attempt, found.RailID, says)
	if err != nil || effect == "none" {
		return err
	}
	return a.tellDisbursement(ctx, payout.PeriodID, payout.Revision, payout.Rail)
}

// followAccount asks a rail how a recipient's account there stands, and does what follows. An
// account that is nobody's here changes nothing.
func (a *Activities) followAccount(ctx context.Context, name, account string) error {
	rail, err := a.Rails.Rail(name)
	onboarder, is := rail.(payments.Onboarder)
	if err != nil || !is {
		return err
	}
	standing, err := onboarder.Standing(ctx, account)
	if err != nil {
		return askLater(err)
	}
	tell, err := a.Store.NoteStanding(ctx, name, account, string(standing))
	if err != nil {
		return err
	}
	return a.goOn(ctx, tell)
}

// askLater has an activity run again, when the rail says so.
func askLater(err error) error {
	wait := time.Duration(0)
	var refused *payments.Error
	if errors.As(err, &refused) {
		wait = refused.RetryAfter
	}
	return temporal.NewApplicationErrorWithOptions("the rail did not answer", string(payments.ClassOf(err)), temporal.ApplicationErrorOptions{NextRetryDelay: wait})
}
