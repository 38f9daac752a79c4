package activities

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
	"github.com/guerdon/guerdon/store"
)

// DisputeAct is one act on a dispute. It carries ids only.
type DisputeAct struct {
	DisputeID string
	Act       incentive.DisputeAct
	Actor     string
	Key       string // with the same key an act is done once
	TextID    string
	AnswerID  string // of what is granted
}

// DisputeOutcome is where a dispute stands and when somebody is to be reminded of it, or,
// with a Code, why an act was refused.
type DisputeOutcome struct {
	State      incentive.DisputeState
	Since      time.Time
	Reminders  int
	RemindAt   time.Time
	EscalateAt time.Time // zero where it stands as high as it goes, or somebody else is waited for
	Code       incentive.Code
	Message    string
}

// ActOnDispute does what a person wants done about a dispute.
func (a *Activities) ActOnDispute(ctx context.Context, act DisputeAct) (DisputeOutcome, error) {
	d, err := a.Store.ActOnDispute(ctx, store.DisputeCommand{ID: act.DisputeID, Act: act.Act, Actor: act.Actor, Key: act.Key, TextID: act.TextID, Answer: act.AnswerID})
	if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeInternal {
		return DisputeOutcome{Code: code, Message: incentive.ErrorMessage(err)}, nil
	}
	return a.due(ctx, d, err)
}

// ReadDispute says where a dispute stands. The first time, its participant is promised an
// answer.
func (a *Activities) ReadDispute(ctx context.Context, disputeID string) (DisputeOutcome, error) {
	d, err := a.Store.Dispute(ctx, "", incentive.All, disputeID)
	if err != nil || d.AnswerBy != nil {
		return a.due(ctx, d, err)
	}
	by, err := a.businessDays(ctx, d)
	if err != nil {
		return DisputeOutcome{}, err
	}
	if err := a.Store.PromiseAnswer(ctx, disputeID, by.after(d.RaisedAt, by.policy.AnswerWithinDays)); err != nil {
		return DisputeOutcome{}, err
	}
	return a.due(ctx, d, nil)
}

// NudgeDispute reminds or escalates, unless the dispute is no longer where seen was.
func (a *Activities) NudgeDispute(ctx context.Context, disputeID string, seen DisputeOutcome, escalate bool) (DisputeOutcome, error) {
	d, err := a.Store.Nudge(ctx, disputeID, seen.Since, seen.Reminders, escalate)
	return a.due(ctx, d, err)
}

// disputeDays counts the days that a dispute's calendar gives people.
type disputeDays struct {
	policy   policy.Disputes
	location *time.Location
	holidays []incentive.Date
}

func (a *Activities) businessDays(ctx context.Context, d store.Dispute) (by disputeDays, err error) {
	p, err := a.Store.PeriodRevision(ctx, d.PeriodID, d.Revision)
	if err != nil {
		return by, err
	}
	goesBy, err := a.Store.Policy(ctx, p.CalendarID)
	if err != nil {
		return by, err
	}
	by.policy = goesBy.Disputes
	_, by.location, by.holidays, err = a.window(ctx, p.CalendarID)
	return by, err
}

// after is the end of the nth business day after a moment.
func (by disputeDays) after(moment time.Time, n int) time.Time {
	return endOf(incentive.AddBusinessDays(incentive.DateOf(moment.In(by.location)), n, by.holidays), by.location)
}

// due says when somebody is to be reminded of a dispute. One that has its outcome is
// archived.
func (a *Activities) due(ctx context.Context, d store.Dispute, err error) (DisputeOutcome, error) {
	if err != nil {
		return DisputeOutcome{}, err
	}
	o := DisputeOutcome{State: d.State, Since: d.Since.UTC(), Reminders: d.Reminders}
	if d.State.Ended() {
		return o, a.startArchive(ctx, store.Archived{PeriodID: d.PeriodID, Revision: d.Revision, DisputeID: d.ID})
	}
	by, err := a.businessDays(ctx, d)
	if err != nil {
		return DisputeOutcome{}, err
	}
	o.RemindAt = by.after(d.Since, by.policy.RemindAfterDays*(d.Reminders+1))
	if d.State == incentive.DisputeOpen && d.Handler != "" {
		o.EscalateAt = by.after(d.Since, by.policy.EscalateAfterDays)
	}
	return o, nil
}
