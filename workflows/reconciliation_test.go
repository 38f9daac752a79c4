package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/workflows"
)

// TestReconciliationOfEachDay compares a day once it is over, then begins anew, and ends
// with the rail.
func TestReconciliationOfEachDay(t *testing.T) {
	t.Parallel()
	day := incentive.MustParseDate("2026-11-23")
	for name, c := range map[string]struct {
		next     activities.NextDay
		compared int
		takes    time.Duration
		over     bool
	}{
		"a day that is over":       {activities.NextDay{Day: day}, 1, 0, false},
		"a day that is not":        {activities.NextDay{Day: day, Wait: 5 * time.Hour}, 0, 5 * time.Hour, false},
		"a rail that was given up": {activities.NextDay{Gone: true}, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newEnvironment()
			var a *activities.Activities
			env.OnActivity(a.NextReconciliation, mock.Anything, "stripe").Return(c.next, nil)
			compared := 0
			env.OnActivity(a.Reconcile, mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.ReconcileInput) (int64, error) {
				require.Equal(t, activities.ReconcileInput{Rail: "stripe", Day: day, By: workflows.System}, in)
				compared++
				return 1, nil
			})
			began := env.Now()
			env.ExecuteWorkflow(workflows.Reconciliation, "stripe")
			var again *workflow.ContinueAsNewError
			if err := env.GetWorkflowError(); c.over {
				require.NoError(t, err)
			} else {
				require.ErrorAs(t, err, &again)
			}
			require.Equal(t, c.compared, compared)
			require.Equal(t, c.takes, env.Now().Sub(began).Truncate(time.Minute))
		})
	}
}
