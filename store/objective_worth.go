package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// ObjectiveWorth returns what depends on each of somebody's objectives of an open period, by
// name: what their estimate comes to with all that have no score yet reached fully, less the
// same without this one. Nothing is told where there is no estimate.
func (s *Store) ObjectiveWorth(ctx context.Context, p PeriodRevision, participantID string) (worth map[string]incentive.Money, err error) {
	if p.State != incentive.Open {
		return nil, nil
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		reaches, err := reaches(ctx, tx, p)
		if err != nil {
			return err
		}
		snapshot, err := unkept{tx}.theirs(ctx, p, []string{participantID}, reaches)
		if err != nil {
			return err
		}
		worth, err = objectiveWorth(ctx, snapshot, participantID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("say what the objectives of %s are worth: %w", participantID, err)
	}
	return worth, nil
}

func objectiveWorth(ctx context.Context, snapshot incentive.Snapshot, participantID string) (map[string]incentive.Money, error) {
	reached, missed := decimal.NewFromInt(1), decimal.Zero
	snapshot.Objectives = slices.Clone(snapshot.Objectives)
	for i := range snapshot.Objectives {
		if o := &snapshot.Objectives[i]; o.Score == nil {
			o.Score = &reached
		}
	}
	total := func() (incentive.Money, bool, error) {
		found, err := calculation.Estimates(ctx, snapshot, []string{participantID})
		if err != nil || len(found) == 0 || found[0].Problem != nil {
			return incentive.Money{}, false, err
		}
		return found[0].Total(), true, nil
	}
	with, there, err := total()
	if err != nil || !there {
		return nil, err
	}
	worth := map[string]incentive.Money{}
	for i := range snapshot.Objectives {
		o := &snapshot.Objectives[i]
		if o.ParticipantID != participantID {
			continue
		}
		score := o.Score
		o.Score = &missed
		without, there, err := total()
		if o.Score = score; err != nil {
			return nil, err
		}
		if there {
			worth[o.Name] = incentive.Money{Minor: with.Minor - without.Minor, Currency: with.Currency}
		}
	}
	return worth, nil
}
