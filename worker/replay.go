package worker

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// Replay runs every archived history of a period through this program's workflows, and
// returns how many there were: 0 while the archive is not complete. A history that takes
// another way today, or a period's that does not come to its end, is an error of code
// activities.CodeNotProved.
func Replay(ctx context.Context, s *store.Store, periodID string, revision int) (int, error) {
	replayer := worker.NewWorkflowReplayer()
	workflows.Register(replayer)
	ended := false
	n, err := s.Histories(ctx, periodID, revision, func(h store.History) error {
		events, err := client.HistoryFromJSON(bytes.NewReader(h.JSON), client.HistoryJSONOptions{})
		if err != nil {
			return fmt.Errorf("read the archived history of %s: %w", h.WorkflowID, err)
		}
		if h.WorkflowID == activities.PayPeriodID(periodID, revision) && len(events.Events) > 0 {
			ended = ended || events.Events[len(events.Events)-1].EventType == enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
		}
		if err := replayer.ReplayWorkflowHistory(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), events); err != nil {
			return incentive.Errorf(activities.CodeNotProved, "the recorded history of %s does not replay: %v", h.WorkflowID, err)
		}
		return nil
	})
	if err == nil && n > 0 && !ended {
		err = incentive.Errorf(activities.CodeNotProved, "the archive of %s does not hold the end of the period", periodID)
	}
	return n, err
}
