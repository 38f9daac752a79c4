package activities

import (
	"context"
	"errors"

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

// ApprovalQueue names one approval queue of a revision of a period.
type ApprovalQueue struct {
	PeriodID string
	Revision int
	Level    int
	Queue    string // a participant's id, or store.FinanceQueue
}

// startApprovals starts a workflow for each queue. They are started from here, not as
// children, so that the period's history does not grow with the number of managers.
func (a *Activities) startApprovals(ctx context.Context, periodID string, revision int, queues []string) error {
	for _, queue := range queues {
		input := ApprovalQueue{PeriodID: periodID, Revision: revision, Level: 1, Queue: queue}
		_, err := a.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID:                       ApprovalID(periodID, revision, 1, queue),
			TaskQueue:                PeriodQueue,
			WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		}, ApprovalWorkflow, input)
		var started *serviceerror.WorkflowExecutionAlreadyStarted
		if err != nil && !errors.As(err, &started) {
			return err
		}
	}
	return nil
}

// Decided is what became of a decision set, or why it was refused.
type Decided struct {
	store.DecisionResult
	Code    incentive.Code
	Message string
}

// Decide applies a kept decision set and, when nothing waits for approval any more,
// tells the period's workflow.
func (a *Activities) Decide(ctx context.Context, periodID string, revision int, setID string) (Decided, error) {
	defer heartbeat(ctx)()
	result, err := a.Store.ApplyDecisions(ctx, setID)
	if err != nil {
		if code := incentive.ErrorCode(err); code != incentive.CodeInternal {
			return Decided{Code: code, Message: incentive.ErrorMessage(err)}, nil
		}
		return Decided{}, err
	}
	if result.LeftInAll == 0 {
		err := a.Client.SignalWorkflow(ctx, PayPeriodID(periodID, revision), "", LastApprovalSignal, nil)
		if err != nil {
			return Decided{}, err
		}
	}
	return Decided{DecisionResult: result}, nil
}
