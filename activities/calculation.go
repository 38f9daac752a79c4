package activities

import (
	"context"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
)

// Sharding is how a calculation is divided: numbers only.
type Sharding = store.Sharding

// creditsPerShard is how many credits a shard has where nothing else is said: as many as take
// some hundred megabytes, and a second or two.
const creditsPerShard = 100_000

// Calculate computes every statement of a locked period from its snapshot and stores them.
// What is wrong with the data comes back as a refusal that names it. Where there is more than one
// shard's worth of credits it does nothing but say how the calculation is divided.
func (a *Activities) Calculate(ctx context.Context, act PeriodAct, snapshotID int64) (Outcome, error) {
	defer heartbeat(ctx)()
	most := a.CreditsPerShard
	if most == 0 {
		most = creditsPerShard
	}
	begun, err := a.Store.BeginRun(ctx, snapshotID, most)
	if refused(err) {
		return a.failCalculation(ctx, act, err)
	}
	if err != nil {
		return Outcome{}, err
	}
	if begun.Shards > 1 {
		return Outcome{State: incentive.Locked, SnapshotID: snapshotID, Sharding: &begun}, nil
	}
	snapshot, _, err := a.Store.Snapshot(ctx, snapshotID)
	if err != nil {
		return Outcome{}, err
	}
	result, err := calculation.Run(ctx, snapshot)
	if refused(err) {
		return a.failCalculation(ctx, act, err)
	}
	if err != nil {
		return Outcome{}, err
	}
	return outcome(a.Store.KeepRun(ctx, act.command(), snapshotID, calculation.EngineVersion, result))
}

// refused reports whether an error is about the data, so that no retry would mend it.
func refused(err error) bool {
	code := incentive.ErrorCode(err)
	return code != "" && code != incentive.CodeInternal
}

func (a *Activities) failCalculation(ctx context.Context, act PeriodAct, problem error) (Outcome, error) {
	c := act.command()
	c.Act = incentive.CalculationFails
	return outcome(a.Store.FailCalculation(ctx, c, incentive.ErrorMessage(problem)))
}

// MeasureShard measures those of a shard who compete.
func (a *Activities) MeasureShard(ctx context.Context, snapshotID int64, of Sharding, shard int) (Outcome, error) {
	defer heartbeat(ctx)()
	return outcome(store.PeriodRevision{}, a.Store.MeasureShard(ctx, of, snapshotID, shard))
}

// CalculateShard calculates a shard's statements and stores them. Nobody sees them before
// FinishRun.
func (a *Activities) CalculateShard(ctx context.Context, snapshotID int64, of Sharding, shard int) (Outcome, error) {
	defer heartbeat(ctx)()
	return outcome(store.PeriodRevision{}, a.Store.CalculateShard(ctx, of, snapshotID, shard))
}

// FinishRun makes a run of what all shards have stored.
func (a *Activities) FinishRun(ctx context.Context, act PeriodAct, snapshotID int64, of Sharding) (Outcome, error) {
	defer heartbeat(ctx)()
	return outcome(a.Store.FinishRun(ctx, act.command(), of, snapshotID, calculation.EngineVersion))
}

// DropRun opens a period again whose data do not allow a result, and removes what some
// shards may have stored.
func (a *Activities) DropRun(ctx context.Context, act PeriodAct, of Sharding, problem string) (Outcome, error) {
	defer heartbeat(ctx)()
	const most = 10 // lines that anybody reads
	lines := strings.Split(problem, "\n")
	if err := a.Store.DropRun(ctx, of.RunID); err != nil {
		return Outcome{}, err
	}
	return outcome(a.Store.FailCalculation(ctx, act.command(), strings.Join(lines[:min(len(lines), most)], "\n")))
}
