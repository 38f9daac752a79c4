package endtoend

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
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
		events := c.GetWorkflowHistory(t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var whole history.History
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			whole.Events = append(whole.Events, event)
		}
		data, err := protojson.Marshal(&whole)
		require.NoError(t, err)
		kind, _, _ := strings.Cut(id, "/")
		if strings.Count(id, "/") == 4 && kind == "disburse" {
			kind = "batch"
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+"-"+kind+".json"), data, 0o644))
	}
}
