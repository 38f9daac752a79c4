package workflows_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/workflows"
)

// TestNotificationsAreSent sends each message that waits, and begins anew before its history
// grows long.
func TestNotificationsAreSent(t *testing.T) {
	t.Parallel()
	env := newEnvironment()
	var a *activities.Activities
	looked := 0
	env.OnActivity(a.NextMessages, mock.Anything).Return(func(context.Context) ([]string, error) {
		if looked++; looked == 3 {
			env.SetCurrentHistoryLength(2000)
		}
		return map[int][]string{1: {"a", "b"}, 3: {"c"}}[looked], nil
	})
	// Several are sent at once.
	var mutex sync.Mutex
	sent := map[string]int{}
	env.OnActivity(a.SendMessage, mock.Anything, mock.Anything).Return(func(_ context.Context, id string) error {
		mutex.Lock()
		defer mutex.Unlock()
		sent[id]++
		return nil
	})
	env.ExecuteWorkflow(workflows.Notifications)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1}, sent)
	require.Equal(t, 3, looked)
}
