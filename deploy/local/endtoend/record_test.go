package endtoend

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
)

// record writes the histories of ended workflows into the folder that
// GUERDON_RECORD_HISTORIES names, for the replay test of package workflows.
func record(t *testing.T, c client.Client, name string, workflowIDs ...string) {
	t.Helper()
	folder := os.Getenv("GUERDON_RECORD_HISTORIES")
	if folder == "" {
		return
	}
	for _, id := range workflowIDs {
		kind, _, _ := strings.Cut(id, "/")
		if strings.Count(id, "/") == 4 && kind == "disburse" {
			kind = "batch"
		}
		write(t, c, filepath.Join(folder, name+"-"+kind+".json"), id, "")
	}
}

// recordOf is record for the latest workflow of a type, whatever its id, and where that is said of a
// status, such as that it has begun anew.
func recordOf(t *testing.T, c client.Client, name, workflowType string, status ...enums.WorkflowExecutionStatus) {
	t.Helper()
	folder := os.Getenv("GUERDON_RECORD_HISTORIES")
	if folder == "" {
		return
	}
	query := &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = '" + workflowType + "'"}
	for _, s := range status {
		query.Query += " AND ExecutionStatus = '" + s.String() + "'"
	}
	var all *workflowservice.ListWorkflowExecutionsResponse
	require.Eventually(t, func() bool { // it is listed a moment after it began
		var err error
		all, err = c.ListWorkflow(t.Context(), query)
		return err == nil && len(all.Executions) > 0
	}, 30*time.Second, 100*time.Millisecond, workflowType)
	one := all.Executions[0].Execution
	write(t, c, filepath.Join(folder, name+".json"), one.WorkflowId, one.RunId)
}

// write writes a history down.
func write(t *testing.T, c client.Client, file, workflowID, runID string) {
	t.Helper()
	events := c.GetWorkflowHistory(t.Context(), workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var whole history.History
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		whole.Events = append(whole.Events, event)
	}
	data, err := protojson.Marshal(&whole)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, data, 0o644))
}
