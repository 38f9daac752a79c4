package worker

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// execution is one run of a workflow.
type execution struct{ workflowID, runID string }

// Replay runs every archived history of a period, and of its disputes, through this
// program's workflows. A history that takes another way today, that lacks an event or its
// closing one, that names a run which is not archived, or a period's or dispute's that
// does not come to its end, is an error of code activities.CodeNotProved.
func Replay(ctx context.Context, s *store.Store, periodID string, revision int) (activities.Replayed, error) {
	found := activities.Replayed{Unarchived: []string{}, CutShort: []string{}}
	var err error
	found.Histories, err = replay(ctx, &found, s, store.Archived{PeriodID: periodID, Revision: revision}, activities.PayPeriodID(periodID, revision))
	if err != nil {
		return found, err
	}
	disputes, err := s.DisputesOf(ctx, periodID, revision)
	if err != nil {
		return found, err
	}
	for _, d := range disputes {
		if !d.State.Ended() {
			found.OpenDisputes++
			continue
		}
		histories, err := replay(ctx, &found, s, store.Archived{PeriodID: periodID, Revision: revision, DisputeID: d.ID}, activities.DisputeID(d.ID))
		if err != nil {
			return found, err
		}
		if histories == 0 {
			found.Unarchived = append(found.Unarchived, d.ID)
		} else {
			found.Disputes++
		}
	}
	return found, nil
}

// replay runs the histories of one archive, in which main must come to its end, and
// returns how many there are: 0 while the archive is not complete.
func replay(ctx context.Context, found *activities.Replayed, s *store.Store, of store.Archived, main string) (int, error) {
	replayer := worker.NewWorkflowReplayer()
	workflows.Register(replayer)
	archived := map[execution]bool{}
	var named []execution
	ended := false
	n, err := s.Histories(ctx, of, func(h store.History) error {
		whole, err := client.HistoryFromJSON(bytes.NewReader(h.JSON), client.HistoryJSONOptions{})
		if err != nil {
			return fmt.Errorf("read the archived history of %s: %w", h.WorkflowID, err)
		}
		archived[execution{h.WorkflowID, h.RunID}] = true
		last := &history.HistoryEvent{}
		for i, event := range whole.Events {
			last = event
			if event.EventId != int64(i+1) {
				return incentive.Errorf(activities.CodeNotProved, "the archived history of %s lacks event %d", h.WorkflowID, i+1)
			}
			if child := event.GetChildWorkflowExecutionStartedEventAttributes(); child != nil {
				named = append(named, execution{child.WorkflowExecution.WorkflowId, child.WorkflowExecution.RunId})
			}
		}
		switch last.EventType {
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
			ended = ended || h.WorkflowID == main
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			named = append(named, execution{h.WorkflowID, last.GetWorkflowExecutionContinuedAsNewEventAttributes().NewExecutionRunId})
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: // a queue in which nothing waited any more
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
			found.CutShort = append(found.CutShort, h.WorkflowID)
		default:
			return incentive.Errorf(activities.CodeNotProved, "the archived history of %s has no closing event: it ends with event %d, %s", h.WorkflowID, last.EventId, last.EventType)
		}
		if err := replayer.ReplayWorkflowHistory(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), whole); err != nil {
			return incentive.Errorf(activities.CodeNotProved, "the recorded history of %s does not replay: %v", h.WorkflowID, err)
		}
		return nil
	})
	if err != nil || n == 0 {
		return 0, err
	}
	for _, run := range named {
		if !archived[run] {
			return 0, incentive.Errorf(activities.CodeNotProved, "the archive of %s does not hold the history of %s (run %s)", of, run.workflowID, run.runID)
		}
	}
	if !ended {
		return 0, incentive.Errorf(activities.CodeNotProved, "the archive of %s does not hold the end of %s", of, main)
	}
	return n, nil
}
