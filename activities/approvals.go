package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// ApprovalWorkflow is the type name of the workflow that looks after one approval queue.
const ApprovalWorkflow = "Approval"

// LastApprovalSignal tells a period's workflow that nothing waits for approval any more.
const LastApprovalSignal = "last-approval"

// WaitingSignal tells an approval queue that a statement waits in it now.
const WaitingSignal = "waiting"

// ApprovalQueue names one approval queue of a revision of a period, and what its workflow
// remembers from a former run.
type ApprovalQueue struct {
	PeriodID   string
	Revision   int
	Queue      string    // a participant's id, or store.FinanceQueue
	RemindedAt time.Time // zero: not yet
}

// ApprovalOptions are how the workflow of a queue is started.
func ApprovalOptions(queue ApprovalQueue) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       ApprovalID(queue.PeriodID, queue.Revision, queue.Queue),
		TaskQueue:                PeriodQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
}

// fill tells each queue that something waits in it, and starts those that nobody looks
// after. They are no children, so that the period's history does not grow with the number
// of approvers.
func (a *Activities) fill(ctx context.Context, periodID string, revision int, queues []string) error {
	return several(ctx, queues, func(ctx context.Context, queue string) error {
		input := ApprovalQueue{PeriodID: periodID, Revision: revision, Queue: queue}
		options := ApprovalOptions(input)
		_, err := a.Client.SignalWithStartWorkflow(ctx, options.ID, WaitingSignal, nil, options, ApprovalWorkflow, input)
		if err != nil {
			return fmt.Errorf("tell the approval queue %s: %w", queue, err)
		}
		return nil
	})
}

// Decided is what became of a decision set, or why it was refused.
type Decided struct {
	store.DecisionResult
	Code    incentive.Code
	Message string
}

// Decide applies a kept decision set, tells the queues in which something waits now and,
// when nothing waits for approval any more, the period's workflow.
func (a *Activities) Decide(ctx context.Context, periodID string, revision int, setID string) (Decided, error) {
	defer heartbeat(ctx)()
	result, err := a.Store.ApplyDecisions(ctx, setID)
	if err != nil {
		if code := incentive.ErrorCode(err); code != incentive.CodeInternal {
			return Decided{Code: code, Message: incentive.ErrorMessage(err)}, nil
		}
		return Decided{}, err
	}
	if err := a.fill(ctx, periodID, revision, result.Opened); err != nil {
		return Decided{}, err
	}
	result.Opened = nil // nobody asks, and a history keeps what is answered
	if result.Last {
		err := a.Client.SignalWorkflow(ctx, PayPeriodID(periodID, revision), "", LastApprovalSignal, nil)
		var ended *serviceerror.NotFound
		if err != nil && !errors.As(err, &ended) { // it has ended where this is done again, late
			return Decided{}, err
		}
	}
	return Decided{DecisionResult: result}, nil
}

// QueueWork is what an approval queue has to wait for.
type QueueWork struct {
	Waiting    int
	Since      time.Time // the longest that something has been waiting
	RemindAt   time.Time
	EscalateAt time.Time // zero for finance's queue, which has nobody above
}

// LookAtQueue says what waits in a queue, when its approver is to be reminded next, and
// when it goes up the hierarchy, at the ends of business days.
func (a *Activities) LookAtQueue(ctx context.Context, queue ApprovalQueue) (QueueWork, error) {
	waiting, since, err := a.Store.Waiting(ctx, queue.PeriodID, queue.Revision, queue.Queue)
	if err != nil || waiting == 0 {
		return QueueWork{}, err
	}
	p, err := a.Store.PeriodRevision(ctx, queue.PeriodID, queue.Revision)
	if err != nil {
		return QueueWork{}, err
	}
	rules, err := a.Store.Policy(ctx, p.CalendarID)
	if err != nil {
		return QueueWork{}, err
	}
	_, location, holidays, err := a.window(ctx, p.CalendarID)
	if err != nil {
		return QueueWork{}, err
	}
	after := func(from time.Time, days int) time.Time {
		return endOf(incentive.AddBusinessDays(incentive.DateOf(from.In(location)), days, holidays), location)
	}
	work := QueueWork{Waiting: waiting, Since: since, RemindAt: after(since, rules.Approvals.RemindAfterDays)}
	if queue.RemindedAt.After(since) {
		work.RemindAt = after(queue.RemindedAt, rules.Approvals.RemindAfterDays)
	}
	if queue.Queue != store.FinanceQueue {
		work.EscalateAt = after(since, rules.Approvals.EscalateAfterDays)
	}
	return work, nil
}

// Remind tells whoever decides in a queue that statements wait still.
func (a *Activities) Remind(ctx context.Context, queue ApprovalQueue) error {
	return a.Store.RemindApprovers(ctx, queue.PeriodID, queue.Revision, queue.Queue)
}

// Reminder reminds whoever an item of a period's checklist waits for.
type Reminder struct {
	PeriodID string
	Revision int
	Item     string
	Party    string // a participant's id, or store.FinanceQueue
	Actor    string
	Key      string
}

// Reminded is how many people were told or, with a Code, why nobody was.
type Reminded struct {
	Told    int
	Code    incentive.Code
	Message string
}

// RemindParty does what a person wants somebody reminded of.
func (a *Activities) RemindParty(ctx context.Context, r Reminder) (Reminded, error) {
	told, err := a.Store.Remind(ctx, store.Reminder{PeriodID: r.PeriodID, Revision: r.Revision, Item: r.Item, Party: r.Party, Actor: r.Actor, Key: r.Key})
	if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeInternal {
		return Reminded{Code: code, Message: incentive.ErrorMessage(err)}, nil
	}
	return Reminded{Told: told}, err
}

// QueueMove moves an approval queue.
type QueueMove struct {
	Actor    string
	To       string // a participant's id, or store.FinanceQueue; "" for whoever is above
	Key      string
	ReasonID string
	OpenedBy *time.Time // only what waits since then or longer
}

// MoveQueue moves what waits in a queue to another, and tells that one.
func (a *Activities) MoveQueue(ctx context.Context, queue ApprovalQueue, move QueueMove) (Decided, error) {
	defer heartbeat(ctx)()
	moved, opened, err := a.Store.Reassign(ctx, store.Reassignment{
		PeriodID: queue.PeriodID,
		Revision: queue.Revision,
		From:     queue.Queue,
		To:       move.To,
		Actor:    move.Actor,
		Key:      move.Key,
		ReasonID: move.ReasonID,
		OpenedBy: move.OpenedBy,
	})
	if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeInternal {
		return Decided{Code: code, Message: incentive.ErrorMessage(err)}, nil
	}
	if err == nil {
		err = a.fill(ctx, queue.PeriodID, queue.Revision, opened)
	}
	return Decided{DecisionResult: store.DecisionResult{Applied: moved}}, err
}
