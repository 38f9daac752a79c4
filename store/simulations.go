package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// Simulation is what a draft would pay in a period.
type Simulation struct {
	calculation.Simulation
	Snapshot []byte // digest of the frozen one that it was calculated from; nil where it was the facts as they are
}

// Simulate calculates a period with a draft of a plan and without, and keeps nothing of it.
// It takes what the lock froze; where nothing is frozen, or the draft needs more of the time
// before the period than that, it takes the facts as they are.
func (s *Store) Simulate(ctx context.Context, p PeriodRevision, draft incentive.PlanVersion) (Simulation, error) {
	draft.EffectiveFrom = p.StartsOn
	snapshot, digest, err := s.frozenFor(ctx, p, draft)
	if err == nil && digest == nil {
		err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
			snapshot, err = unkept{tx}.everything(ctx, p, draft)
			return err
		})
	}
	if err != nil {
		return Simulation{}, fmt.Errorf("take what %s is simulated from: %w", p.ID, err)
	}
	simulated, err := calculation.Simulate(ctx, snapshot, draft)
	return Simulation{simulated, digest}, err
}

// frozenFor returns the snapshot of a period, with its digest, if it has all that a draft
// needs.
func (s *Store) frozenFor(ctx context.Context, p PeriodRevision, draft incentive.PlanVersion) (incentive.Snapshot, []byte, error) {
	if p.SnapshotID == nil {
		return incentive.Snapshot{}, nil, nil
	}
	snapshot, digest, err := s.Snapshot(ctx, *p.SnapshotID)
	if err != nil {
		return snapshot, nil, err
	}
	has, err := calculation.LooksBack(snapshot)
	if err != nil {
		return snapshot, nil, err
	}
	needs, err := calculation.LooksBack(calculation.Drafted(snapshot, draft))
	if err != nil || !has.Covers(needs) {
		return incentive.Snapshot{}, nil, err
	}
	return snapshot, digest, nil
}
