package workflows

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/workflows/historytest"
)

// histories are recorded from whole periods on a real server (deploy/local/endtoend,
// with GUERDON_RECORD_HISTORIES naming this folder). They stand for the workflows that
// are under way at a customer: code that cannot replay them would break those. A history
// is replaced only where a workflow's version (workflow.GetVersion) says so.
func histories(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/histories/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	for _, file := range histories(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			replayer := worker.NewWorkflowReplayer()
			Register(replayer)
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, file))
		})
	}
}

// registered notes what is registered.
type registered struct{ names []string }

func (r *registered) RegisterWorkflow(w any) {
	name := runtime.FuncForPC(reflect.ValueOf(w).Pointer()).Name()
	r.names = append(r.names, name[strings.LastIndex(name, ".")+1:])
}

func (r *registered) RegisterWorkflowWithOptions(_ any, options workflow.RegisterOptions) {
	r.names = append(r.names, options.Name)
}

// TestEveryWorkflowHasAHistory holds the recorded histories to the workflows that there are.
func TestEveryWorkflowHasAHistory(t *testing.T) {
	t.Parallel()
	recorded := map[string]bool{}
	for _, file := range histories(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		h, err := client.HistoryFromJSON(bytes.NewReader(data), client.HistoryJSONOptions{})
		require.NoError(t, err)
		recorded[h.Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowType.Name] = true
	}
	var r registered
	Register(&r)
	require.NotEmpty(t, r.names)
	for _, name := range r.names {
		require.True(t, recorded[name], name)
	}
}

// secrets are what the recorded periods had to do with: names, addresses, bank details,
// fields that hold amounts, and a text that a person wrote.
var secrets = []string{"Name rep", "@example.com", "DE8937", "acct_", `mount":`, `Minor":`, "only finance should read", "secret"}

// TestHistoriesTellNothing looks for what Temporal must not know.
func TestHistoriesTellNothing(t *testing.T) {
	t.Parallel()
	for _, file := range histories(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		recorded, err := client.HistoryFromJSON(bytes.NewReader(data), client.HistoryJSONOptions{})
		require.NoError(t, err)
		texts, err := historytest.Texts(recorded)
		require.NoError(t, err)
		require.Empty(t, historytest.Told(texts, secrets), "%s tells it", file)
	}
}
