package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// ArchiveWorkflow is the type name of the workflow that archives a period that has ended.
const ArchiveWorkflow = "Archive"

// ArchiveDisputeWorkflow is the type name of the workflow that archives a dispute that has ended.
const ArchiveDisputeWorkflow = "ArchiveDispute"

// startArchive starts the archive of a period, or of a dispute, that has ended.
func (a *Activities) startArchive(ctx context.Context, of store.Archived) error {
	id, name, arguments := ArchiveID(of.PeriodID, of.Revision), ArchiveWorkflow, []any{of.PeriodID, of.Revision}
	if of.DisputeID != "" {
		id, name, arguments = ArchiveDisputeID(of.DisputeID), ArchiveDisputeWorkflow, []any{of.DisputeID}
	}
	_, err := a.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                PeriodQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}, name, arguments...)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &started) {
		return fmt.Errorf("start %s: %w", id, err)
	}
	return nil
}

// Archive stores the history of every run of every workflow of a period that has ended.
// done is false while one of them is still running; what is stored stays stored.
func (a *Activities) Archive(ctx context.Context, periodID string, revision int) (done bool, err error) {
	defer heartbeat(ctx)()
	of := store.Archived{PeriodID: periodID, Revision: revision}
	done = true
	found := false
	var page []byte
	for {
		answer, err := a.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 200, NextPageToken: page, Query: fmt.Sprintf(`GuerdonPeriod = %q`, periodID)})
		if err != nil {
			return false, fmt.Errorf("list the workflows of %s: %w", periodID, err)
		}
		for _, run := range answer.Executions {
			if !ofRevision(run.Execution.WorkflowId, periodID, revision) {
				continue
			}
			found = found || run.Execution.WorkflowId == PayPeriodID(periodID, revision)
			ended, err := a.archiveRun(ctx, of, run.Execution.WorkflowId, run.Execution.RunId)
			if err != nil {
				return false, err
			}
			done = done && ended
		}
		if page = answer.NextPageToken; len(page) == 0 {
			break
		}
	}
	if !done || !found {
		return false, nil
	}
	return true, a.Store.FinishArchive(ctx, store.System, of)
}

// ArchiveDispute stores the history of every run of a dispute's workflow that has ended.
// done is false while it is still running.
func (a *Activities) ArchiveDispute(ctx context.Context, disputeID string) (done bool, err error) {
	defer heartbeat(ctx)()
	d, err := a.Store.Dispute(ctx, "", incentive.All, disputeID)
	if err != nil {
		return false, err
	}
	id := DisputeID(disputeID)
	begin, err := a.Client.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return false, fmt.Errorf("read the history of %s: %w", id, err)
	}
	of := store.Archived{PeriodID: d.PeriodID, Revision: d.Revision, DisputeID: d.ID}
	done, err = a.archiveRun(ctx, of, id, begin.GetWorkflowExecutionStartedEventAttributes().FirstExecutionRunId)
	if err != nil || !done {
		return false, err
	}
	return true, a.Store.FinishArchive(ctx, store.System, of)
}

// ofRevision reports whether a workflow belongs to a revision of a period.
func ofRevision(workflowID, periodID string, revision int) bool {
	within := fmt.Sprintf("/%s/%d", periodID, revision)
	for _, kind := range []string{"pay-period", "calculate", "approval", "disburse"} {
		if workflowID == kind+within || strings.HasPrefix(workflowID, kind+within+"/") {
			return true
		}
	}
	return false
}

// archiveRun stores one run's history, unless it is still running, and before it those of
// the runs that it names: children, and the run that it went over into. Temporal's list
// of workflows may not know these yet. A queue of a period that has ended has nothing left
// to wait for, and is told so.
func (a *Activities) archiveRun(ctx context.Context, of store.Archived, id, runID string) (ended bool, err error) {
	if there, err := a.Store.HasHistory(ctx, id, runID); err != nil || there {
		return true, err
	}
	whole := &history.History{}
	done := true
	for events := a.Client.GetWorkflowHistory(ctx, id, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if err != nil {
			return false, fmt.Errorf("read the history of %s: %w", id, err)
		}
		whole.Events = append(whole.Events, event)
		next, nextRun := "", ""
		switch event.EventType {
		case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
			child := event.GetChildWorkflowExecutionStartedEventAttributes().WorkflowExecution
			next, nextRun = child.WorkflowId, child.RunId
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			ended = true
			next, nextRun = id, event.GetWorkflowExecutionContinuedAsNewEventAttributes().NewExecutionRunId
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
			enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
			ended = true
		}
		if next != "" {
			there, err := a.archiveRun(ctx, of, next, nextRun)
			if err != nil {
				return false, err
			}
			done = done && there
		}
	}
	if !ended && strings.HasPrefix(id, "approval/") {
		err = a.Client.CancelWorkflow(ctx, id, runID)
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			err = nil
		}
		return false, err
	}
	if !ended || !done {
		return false, nil
	}
	text, err := protojson.Marshal(whole)
	if err != nil {
		return false, fmt.Errorf("write the history of %s: %w", id, err)
	}
	// The library puts spaces in at random, so that nobody relies on its bytes.
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return false, fmt.Errorf("write the history of %s: %w", id, err)
	}
	return true, a.Store.KeepHistory(ctx, of, store.History{WorkflowID: id, RunID: runID, JSON: compact.Bytes()})
}

// archived starts the archive where an act has ended a period.
func (a *Activities) archived(ctx context.Context, act PeriodAct, p store.PeriodRevision, err error) (Outcome, error) {
	if err == nil && (p.State == incentive.Closed || p.State == incentive.Cancelled) {
		err = a.startArchive(ctx, store.Archived{PeriodID: act.PeriodID, Revision: act.Revision})
	}
	return outcome(p, err)
}
