package workflows_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/workflows"
)

// TestCalculationInShards does every shard of a phase before the next, and makes no run of
// shards of which one is refused.
func TestCalculationInShards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		contests bool
		refuses  map[string]int // the shards from which on a phase is refused
		want     []string
		code     incentive.Code
	}{
		{"nobody competes", false, nil, []string{"calculate", "calculate", "calculate", "finish"}, ""},
		{"people compete", true, nil, []string{"measure", "measure", "measure", "calculate", "calculate", "calculate", "finish"}, ""},
		{"some cannot be measured", true, map[string]int{"measure": 1}, []string{"measure", "measure", "measure", "no quota 1\nno quota 2"}, "calculation-failed"},
		{"one has no result", false, map[string]int{"calculate": 2}, []string{"calculate", "calculate", "calculate", "no quota 2"}, "calculation-failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := newEnvironment()
			var a *activities.Activities
			var mutex sync.Mutex
			var did []string
			shard := func(phase string) func(context.Context, int64, activities.Sharding, int) (activities.Outcome, error) {
				return func(_ context.Context, _ int64, _ activities.Sharding, n int) (activities.Outcome, error) {
					mutex.Lock()
					defer mutex.Unlock()
					did = append(did, phase)
					if from, refuses := c.refuses[phase]; refuses && n >= from {
						return activities.Outcome{Code: "no-quota", Message: "no quota " + string(rune('0'+n))}, nil
					}
					return activities.Outcome{}, nil
				}
			}
			env.OnActivity(a.MeasureShard, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(shard("measure"))
			env.OnActivity(a.CalculateShard, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(shard("calculate"))
			env.OnActivity(a.FinishRun, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(func(context.Context, activities.PeriodAct, int64, activities.Sharding) (activities.Outcome, error) {
				did = append(did, "finish")
				return activities.Outcome{State: incentive.Calculated}, nil
			})
			env.OnActivity(a.DropRun, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(func(_ context.Context, act activities.PeriodAct, _ activities.Sharding, problem string) (activities.Outcome, error) {
				did = append(did, problem)
				require.Equal(t, incentive.CalculationFails, act.Act)
				return activities.Outcome{State: incentive.Open, Code: "calculation-failed"}, nil
			})
			env.RegisterActivity(&activities.Activities{})
			env.ExecuteWorkflow(workflows.Calculation, workflows.CalculationInput{Act: activities.PeriodAct{PeriodID: "p", Revision: 1, Act: incentive.Calculate}, SnapshotID: 1,
				Sharding: activities.Sharding{RunID: 1, Shards: 3, Contests: c.contests}})
			require.NoError(t, env.GetWorkflowError())
			var o activities.Outcome
			require.NoError(t, env.GetWorkflowResult(&o))
			require.Equal(t, c.code, o.Code)
			require.True(t, slices.Equal(c.want, did), "%v", did)
		})
	}
}
