package workflows

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
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

// secrets are what the recorded periods had to do with: names, addresses, bank details,
// fields that hold amounts, and a text that a person wrote.
var secrets = []string{"Name rep", "@example.com", "DE8937", "acct_", `mount":`, `Minor":`, "only finance should read"}

// TestHistoriesTellNothing looks for what Temporal must not know.
func TestHistoriesTellNothing(t *testing.T) {
	t.Parallel()
	for _, file := range histories(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var history any
		require.NoError(t, json.Unmarshal(data, &history))
		for _, text := range texts(t, history) {
			for _, secret := range secrets {
				require.NotContains(t, text, secret, "%s tells it", file)
			}
		}
	}
}

// texts returns every text of a history, payloads decoded.
func texts(t *testing.T, value any) []string {
	t.Helper()
	var all []string
	switch v := value.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, item := range v {
			all = append(all, texts(t, item)...)
		}
	case map[string]any:
		_, isPayload := v["metadata"]
		for key, item := range v {
			if data, isText := item.(string); isText && isPayload && key == "data" {
				decoded, err := base64.StdEncoding.DecodeString(data)
				require.NoError(t, err)
				all = append(all, string(decoded))
			}
			all = append(all, texts(t, item)...)
		}
	}
	return all
}
