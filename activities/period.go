// Package activities holds what the workflows have done for them: everything that reads
// or writes PostgreSQL, calls a rail, or asks the clock. Each activity may be run again
// at any time and then finds its own work done.
package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// Activities are the activities with what they work on. Workflows name them by method
// on a nil *Activities.
type Activities struct {
	Store  *store.Store
	Rails  payments.Registry
	Client client.Client // to start and tell workflows
	Now    func() time.Time

	// Replay runs the archived histories of a period through the program's workflows.
	Replay func(ctx context.Context, s *store.Store, periodID string, revision int) (Replayed, error)

	Messenger *messenger.Messenger // nil sends nothing
	Pages     string               // where people find the pages; "" where that is not known
	Quiet     time.Duration        // how long more is waited for that would come with a message

	breaker breaker

	// CreditsPerShard is how many credits a shard of a calculation has; 0: as many as do well.
	CreditsPerShard int
}

// PeriodAct is one act on one revision of a period. It carries ids and digests only.
type PeriodAct struct {
	PeriodID         string
	Revision         int
	Act              incentive.Act
	Actor            string
	Key              string // with the same key an act is done once
	ReasonID         string
	PayoutListDigest []byte
	Days             int    // business days by which the dispute window is extended
	AmendmentID      string // of the changes that a recalculation takes over; "" for none
}

func (a PeriodAct) command() store.PeriodCommand {
	return store.PeriodCommand{
		PeriodID:         a.PeriodID,
		Revision:         a.Revision,
		Act:              a.Act,
		Actor:            a.Actor,
		Key:              a.Key,
		ReasonID:         a.ReasonID,
		PayoutListDigest: a.PayoutListDigest,
	}
}

// Outcome is where an act left the period or, with a Code, why it was refused. A refusal
// is a result, not a failure: running the activity again would not change it.
type Outcome struct {
	State          incentive.State
	OnHold         bool
	SnapshotID     int64
	WindowDeadline time.Time
	Sharding       *Sharding // of a calculation that is too large to be made at once
	Code           incentive.Code
	Message        string
}

// outcome turns what the store answered into a result or, where it is nobody's doing
// but the system's, into an error that Temporal retries.
func outcome(p store.PeriodRevision, err error) (Outcome, error) {
	if err != nil {
		if code := incentive.ErrorCode(err); code != incentive.CodeInternal {
			return Outcome{Code: code, Message: incentive.ErrorMessage(err)}, nil
		}
		return Outcome{}, err
	}
	o := Outcome{State: p.State, OnHold: p.OnHold}
	if p.SnapshotID != nil {
		o.SnapshotID = *p.SnapshotID
	}
	if p.WindowDeadline != nil {
		o.WindowDeadline = p.WindowDeadline.UTC()
	}
	return o, nil
}

// Act does what a person, or the workflow itself, wants done to a period.
func (a *Activities) Act(ctx context.Context, act PeriodAct) (Outcome, error) {
	defer heartbeat(ctx)()
	c := act.command()
	switch act.Act {
	case incentive.Lock:
		return outcome(a.Store.LockPeriod(ctx, c))
	case incentive.Recalculate:
		return outcome(a.Store.Recalculate(ctx, c, act.AmendmentID))
	case incentive.Publish:
		deadline, err := a.windowEnd(ctx, act.PeriodID, act.Revision)
		if err != nil {
			return Outcome{}, err
		}
		return outcome(a.Store.Publish(ctx, c, deadline))
	case incentive.ExtendWindow:
		deadline, err := a.extendedWindow(ctx, act)
		if err != nil {
			return outcome(store.PeriodRevision{}, err)
		}
		return outcome(a.Store.ExtendWindow(ctx, c, deadline))
	case incentive.WindowEnds, incentive.EndWindow:
		p, queues, err := a.Store.StartApproving(ctx, c)
		if err == nil {
			err = a.fill(ctx, act.PeriodID, act.Revision, queues)
		}
		return outcome(p, err)
	case incentive.ApproveLast:
		return outcome(a.Store.ApprovePeriod(ctx, c))
	case incentive.Withdraw:
		return outcome(a.Store.Withdraw(ctx, c))
	case incentive.Release:
		return outcome(a.Store.Release(ctx, c))
	case incentive.DisburseLast:
		return outcome(a.Store.FinishDisbursing(ctx, c))
	case incentive.Close:
		p, err := a.Store.ClosePeriod(ctx, c)
		return a.archived(ctx, act, p, err)
	case incentive.Resume:
		p, err := a.Store.Act(ctx, c)
		if err == nil {
			err = a.resumed(ctx, act.PeriodID, act.Revision)
		}
		return outcome(p, err)
	default:
		p, err := a.Store.Act(ctx, c)
		return a.archived(ctx, act, p, err)
	}
}

// windowEnd is the end of the last business day of the dispute window, counted from today.
func (a *Activities) windowEnd(ctx context.Context, periodID string, revision int) (time.Time, error) {
	p, err := a.Store.PeriodRevision(ctx, periodID, revision)
	if err != nil {
		return time.Time{}, err
	}
	days, location, holidays, err := a.window(ctx, p.CalendarID)
	if err != nil {
		return time.Time{}, err
	}
	return endOf(incentive.AddBusinessDays(incentive.DateOf(a.Now().In(location)), days, holidays), location), nil
}

// extendedWindow is the end of the business day so many after the one on which the
// dispute window would end.
func (a *Activities) extendedWindow(ctx context.Context, act PeriodAct) (time.Time, error) {
	const most = 60
	if act.Days < 1 || act.Days > most {
		return time.Time{}, incentive.Errorf(incentive.CodeInvalid, "a dispute window is extended by 1 to %d business days, not %d", most, act.Days)
	}
	p, err := a.Store.PeriodRevision(ctx, act.PeriodID, act.Revision)
	if err != nil {
		return time.Time{}, err
	}
	_, location, holidays, err := a.window(ctx, p.CalendarID)
	if err != nil {
		return time.Time{}, err
	}
	if p.WindowDeadline == nil {
		return time.Time{}, incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s and has no dispute window to extend", p.State)
	}
	last := incentive.DateOf(p.WindowDeadline.In(location)).AddDays(-1)
	return endOf(incentive.AddBusinessDays(last, act.Days, holidays), location), nil
}

// window is how many business days the dispute window of a calendar has, in the company's
// zone and by its holidays.
func (a *Activities) window(ctx context.Context, calendarID string) (days int, location *time.Location, holidays []incentive.Date, err error) {
	days, zone, holidays, err := a.Store.WindowDays(ctx, calendarID)
	if err != nil {
		return 0, nil, nil, err
	}
	location, err = time.LoadLocation(zone)
	return days, location, holidays, err
}

// endOf is the end of a day: the start of the next one in the zone, whatever the clocks do.
func endOf(day incentive.Date, location *time.Location) time.Time {
	next := day.AddDays(1)
	return time.Date(next.Year, next.Month, next.Day, 0, 0, 0, 0, location).UTC()
}

// heartbeat tells Temporal every few seconds that a long activity is alive, so that one
// whose worker was killed is soon run again.
func heartbeat(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(Wait(3 * time.Second))
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			case <-done:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { close(done) }
}
