package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// What everybody has come to in the contests of an open period is kept with where it puts them, so
// that one deal measures nobody but those whose deal it is, and calculates of all others those who
// stand elsewhere by it. Each deal changes what a pool has come to, and hardly anybody's part of it
// by a cent: whose part stays the same follows later, once for many deals.

// forgetEntrants begins the contests of a period anew.
func forgetEntrants(ctx context.Context, tx unkept, p PeriodRevision) error {
	if _, err := tx.Exec(ctx, `DELETE FROM estimate_entrant WHERE period_id = $1`, p.ID); err != nil {
		return fmt.Errorf("begin the contests of %s anew: %w", p.ID, err)
	}
	return nil
}

// estimatesAmong calculates the estimates of some participants from what of a snapshot theirs alone
// depend on, among all with whom they compete: in all, or by what is booked. Those of the others who stand
// elsewhere now are wanted.
func estimatesAmong(ctx context.Context, tx unkept, p PeriodRevision, snapshot incentive.Snapshot, of []string, booked bool, now time.Time) ([]calculation.Estimate, error) {
	e, err := calculation.NewEstimating(ctx, snapshot, of)
	if err != nil {
		return nil, err
	}
	contests := e.Contests()
	var elsewhere, told []string // paid another amount now, or only told of another sum
	if !booked {
		if elsewhere, err = withdraw(ctx, tx, p, of, contests); err != nil {
			return nil, err
		}
	}
	var failed error
	if len(contests) > 0 {
		others, stood, err := entrants(ctx, tx, p, contests, booked)
		if err != nil {
			return nil, err
		}
		entered := e.Enter()
		var stand []string
		stand, failed = e.Settle(slices.Concat(others, entered))
		for i, one := range others {
			switch {
			case stand[i] == stood[i]:
			case calculation.PaysTheSame(stand[i], stood[i]):
				told = append(told, one.ParticipantID)
			default:
				elsewhere = append(elsewhere, one.ParticipantID)
			}
		}
		if err := keepEntrants(ctx, tx, p, entered, stand[len(others):], booked); err != nil {
			return nil, err
		}
	}
	for _, follow := range []struct {
		people []string
		wait   time.Duration
	}{{elsewhere, competitorsWait}, {told, poolWait}} {
		if len(follow.people) > 0 {
			if err := want(ctx, tx, p, union(follow.people), now.Add(follow.wait), true); err != nil {
				return nil, err
			}
		}
	}
	if failed != nil {
		return nil, failed
	}
	if booked {
		return e.Totals(ctx)
	}
	return e.Estimates(ctx)
}

// withdraw removes what some participants had come to, and returns who is in a contest that one
// of them has left.
func withdraw(ctx context.Context, tx unkept, p PeriodRevision, of []string, contests []calculation.Contest) (people []string, err error) {
	var left []calculation.Contest
	err = collect(ctx, tx, &left, `
		WITH gone AS (DELETE FROM estimate_entrant WHERE period_id = $1 AND participant_id = ANY($2) RETURNING plan_id, component)
		SELECT DISTINCT plan_id, component FROM gone`, pgx.RowToStructByPos[calculation.Contest], p.ID, of)
	if err != nil {
		return nil, fmt.Errorf("withdraw from the contests of %s: %w", p.ID, err)
	}
	left = slices.DeleteFunc(left, func(c calculation.Contest) bool { return slices.Contains(contests, c) })
	if len(left) == 0 {
		return nil, nil
	}
	plans, components := namesOf(left)
	err = collect(ctx, tx, &people, `SELECT DISTINCT participant_id FROM estimate_entrant WHERE period_id = $1 AND (plan_id, component) IN (SELECT * FROM unnest($2::text[], $3::text[]))`, pgx.RowTo[string], p.ID, plans, components)
	if err != nil {
		return nil, fmt.Errorf("find who competes in %s: %w", p.ID, err)
	}
	return people, nil
}

func namesOf(contests []calculation.Contest) (plans, components []string) {
	for _, c := range contests {
		plans, components = append(plans, c.PlanID), append(components, c.Component)
	}
	return plans, components
}

// entrants reads who else is in some contests, and where their kept estimates say that they stand.
func entrants(ctx context.Context, tx unkept, p PeriodRevision, contests []calculation.Contest, booked bool) (others []calculation.Entrant, stood []string, err error) {
	plans, components := namesOf(contests)
	err = collect(ctx, tx, &others, `
		SELECT plan_id, component, participant_id, total, unit, qualified, last_source, last_id, last_on, problem, standing
		FROM estimate_entrant WHERE period_id = $1 AND booked = $2 AND (plan_id, component) IN (SELECT * FROM unnest($3::text[], $4::text[]))
		ORDER BY participant_id COLLATE "C"`, func(row pgx.CollectableRow) (one calculation.Entrant, err error) {
		var stands string
		err = row.Scan(&one.Contest.PlanID, &one.Contest.Component, &one.ParticipantID, &one.Total, &one.Unit, &one.Qualified, &one.Last.Source, &one.Last.ID, &one.LastOn, &one.Problem, &stands)
		stood = append(stood, stands)
		return one, err
	}, p.ID, booked, plans, components)
	if err != nil {
		return nil, nil, fmt.Errorf("read who competes in %s: %w", p.ID, err)
	}
	return others, stood, nil
}

// keepEntrants writes down what some participants have come to, and where it puts them.
func keepEntrants(ctx context.Context, tx unkept, p PeriodRevision, entered []calculation.Entrant, stand []string, booked bool) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"estimate_entrant"},
		[]string{"period_id", "booked", "plan_id", "component", "participant_id", "total", "unit", "qualified", "last_source", "last_id", "last_on", "problem", "standing"},
		pgx.CopyFromSlice(len(entered), func(i int) ([]any, error) {
			one := entered[i]
			return []any{p.ID, booked, one.Contest.PlanID, one.Contest.Component, one.ParticipantID, one.Total, one.Unit, one.Qualified, one.Last.Source, one.Last.ID, one.LastOn, one.Problem, stand[i]}, nil
		}))
	if err != nil {
		return fmt.Errorf("keep what competitors of %s have come to: %w", p.ID, err)
	}
	return nil
}
