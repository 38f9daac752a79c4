package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
)

// CalculationInput names a calculation that is divided into shards. Act is what moves the
// period once all of them are done.
type CalculationInput struct {
	Act        activities.PeriodAct
	SnapshotID int64
	Sharding   activities.Sharding
}

// Calculation calculates a period in shards, which any number of workers take, and makes one run
// of them. Where people compete all of them are measured before any statement is calculated. What
// is wrong with the data opens the period again, and nothing is left of the run.
func Calculation(ctx workflow.Context, in CalculationInput) (activities.Outcome, error) {
	var o activities.Outcome
	if err := workflow.UpsertTypedSearchAttributes(ctx, periodAttribute.ValueSet(in.Act.PeriodID), stageAttribute.ValueSet("calculation")); err != nil {
		return o, err
	}
	phases := []any{do.CalculateShard}
	if in.Sharding.Contests {
		phases = []any{do.MeasureShard, do.CalculateShard}
	}
	for _, phase := range phases {
		problem, err := in.shards(ctx, phase)
		if err != nil {
			return o, err
		}
		if problem != "" {
			act := in.Act
			act.Act = incentive.CalculationFails
			err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("no result")), do.DropRun, act, in.Sharding, problem).Get(ctx, &o)
			return o, err
		}
	}
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("all shards")), do.FinishRun, in.Act, in.SnapshotID, in.Sharding).Get(ctx, &o)
	return o, err
}

// shards does something for every shard and returns what is wrong with the data, "" for nothing.
func (in CalculationInput) shards(ctx workflow.Context, phase any) (problem string, err error) {
	running := make([]workflow.Future, in.Sharding.Shards)
	for shard := range running {
		options := longOptions(fmt.Sprintf("shard %d of %d", shard+1, len(running)))
		options.TaskQueue = activities.CalculationQueue
		running[shard] = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), phase, in.SnapshotID, in.Sharding, shard)
	}
	var problems []string
	for _, one := range running {
		var refused activities.Outcome
		if err := one.Get(ctx, &refused); err != nil {
			return "", err
		}
		if refused.Code != "" {
			problems = append(problems, refused.Message)
		}
	}
	return strings.Join(problems, "\n"), nil
}
