package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/workflows"
)

// TestDealReminders looks once, rests until the next day and begins anew.
func TestDealReminders(t *testing.T) {
	t.Parallel()
	env := newEnvironment()
	var a *activities.Activities
	env.OnActivity(a.RemindOfDeals, mock.Anything).Return(5*time.Hour, nil).Once()
	began := env.Now()
	env.ExecuteWorkflow(workflows.DealReminders)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	require.Equal(t, 5*time.Hour, env.Now().Sub(began).Round(time.Minute))
}
