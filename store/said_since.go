package store

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// mostSaidAbout is up to how many people it is quicker to compare what was said about them than
// everybody.
const mostSaidAbout = 2000

// sinceLock is afresh for whoever looks only at what differs: both snapshots have no more of the company than
// something was said about since the period was first locked, wherever that tells all that can differ.
func sinceLock(ctx context.Context, tx pgx.Tx, p PeriodRevision, look func(tx pgx.Tx, was, today int64) error) error {
	inner, err := tx.Begin(ctx) // a savepoint
	if err != nil {
		return err
	}
	was, today, tells, err := whatWasSaid(ctx, inner, p)
	if err == nil && tells {
		err = look(inner, was, today)
	}
	if err := errorsIn(err, inner.Rollback(ctx)); err != nil || tells {
		return err
	}
	return afresh(ctx, tx, p, func(tx pgx.Tx, was, today int64, _ incentive.Date) error { return look(tx, was, today) })
}

// whatWasSaid makes two snapshots of those about whom something was said, and of what was sold about which
// something was: one as the period's snapshot has it, and one as it stands today. It does not tell where plans, or what
// earlier periods posted, are others, as that may be about everybody.
func whatWasSaid(ctx context.Context, tx pgx.Tx, p PeriodRevision) (was, today int64, tells bool, err error) {
	_, since, _, err := snapshotHead(ctx, tx, *p.SnapshotID)
	if err != nil {
		return 0, 0, false, err
	}
	back, err := looksBack(ctx, tx, *p.SnapshotID, p)
	if err != nil || back.Since != since {
		return 0, 0, false, err
	}
	people, plans, err := saidAbout(ctx, tx, p, back)
	if err != nil || plans || len(people) > mostSaidAbout {
		return 0, 0, false, err
	}
	if looksAtPosted(back) {
		if err := earlierPosted(ctx, tx, p); err != nil {
			return 0, 0, false, err
		}
	}
	earlier := takingEarlier(p, back, narrow{})
	for _, t := range earlier {
		if changed, err := t.changed(ctx, tx, *p.SnapshotID); err != nil || changed {
			return 0, 0, false, err
		}
	}
	sold, err := saidSince(ctx, tx, p, since)
	if err != nil {
		return 0, 0, false, err
	}
	if was, err = numberSnapshot(ctx, tx); err != nil {
		return 0, 0, false, err
	}
	if today, err = numberSnapshot(ctx, tx); err != nil {
		return 0, 0, false, err
	}
	if err := withOnlyPeople(ctx, tx, *p.SnapshotID, was, today, people); err != nil {
		return 0, 0, false, err
	}
	if err := withOnlySold(ctx, tx, *p.SnapshotID, was, sold); err != nil {
		return 0, 0, false, err
	}
	n := narrow{assigned: people, known: people, measured: people, sold: sold}
	now, err := takeStructure(ctx, tx, today, p, n)
	if err != nil || !reflect.DeepEqual(now, back) {
		return 0, 0, false, err
	}
	if len(earlier) > 0 { // what is taken of earlier periods goes by who is on which plan
		if others, err := otherAssignments(ctx, tx, was, today); err != nil || others {
			return 0, 0, false, err
		}
	}
	rest := append(takingFacts(p, back, n), takingAdjustments(p, narrow{}))
	if back.Groups {
		rest = append(rest, takingGroups(p, back)...)
	}
	if err := take(ctx, tx, today, rest); err != nil {
		return 0, 0, false, err
	}
	return was, today, true, freezeCorrections(ctx, tx, today, p, func(string) bool { return true })
}

// otherAssignments reports whether two snapshots differ in who is on which plan.
func otherAssignments(ctx context.Context, q querier, was, today int64) (others bool, err error) {
	err = q.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM snapshot_record r WHERE r.snapshot_id IN ($1, $2) AND r.kind = 'assignment' GROUP BY r.record_id HAVING count(*) = 1)`, was, today).Scan(&others)
	if err != nil {
		return false, fmt.Errorf("compare who is on which plan: %w", err)
	}
	return others, nil
}

// saidAbout lists the people about whom something was said since a period was first locked that may
// matter to it, and whether a version of a plan was made.
func saidAbout(ctx context.Context, q querier, p PeriodRevision, back calculation.LookBack) (people []string, plans bool, err error) {
	const since = ` > coalesce((SELECT max(record_id) FROM snapshot_record r WHERE r.snapshot_id = (SELECT min(id) FROM snapshot WHERE period_id = $1) AND r.kind = `
	err = errorsIn(
		q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM plan_version WHERE effective_from <= $2 AND record_id`+since+`'plan_version'), 0))`, p.ID, p.EndsOn).Scan(&plans),
		collect(ctx, q, &people, `
			SELECT participant_id FROM participant_fact WHERE effective_from <= $2 AND record_id`+since+`'participant'), 0)
			UNION SELECT participant_id FROM assignment WHERE starts_on <= $2 AND record_id`+since+`'assignment'), 0)
			UNION SELECT participant_id FROM quota WHERE starts_on <= $3 AND record_id`+since+`'quota'), 0)
			UNION SELECT participant_id FROM quota_relief WHERE starts_on <= $3 AND record_id`+since+`'relief'), 0)
			UNION SELECT participant_id FROM objective WHERE period_id = $1 AND record_id`+since+`'objective'), 0)`, pgx.RowTo[string], p.ID, p.EndsOn, lastGoal(p, back)))
	if err != nil {
		return nil, false, fmt.Errorf("find whom something was said about since %s was locked: %w", p.ID, err)
	}
	return append([]string{}, people...), plans, nil // never nil, which is everybody
}

// withOnlyPeople takes into snapshot was what another one has, but for what was sold and posted, and of what is
// true of people only of these. Into both was and today it takes an assignment to each plan of somebody else: they
// are the same there, and say which plans there are.
func withOnlyPeople(ctx context.Context, tx pgx.Tx, of, was, today int64, people []string) error {
	_, err := tx.Exec(ctx, `
		WITH theirs AS MATERIALIZED (
			SELECT 'participant' AS kind, record_id FROM participant_fact WHERE participant_id = ANY($4)
			UNION ALL SELECT 'assignment', record_id FROM assignment WHERE participant_id = ANY($4)
			UNION ALL SELECT 'quota', record_id FROM quota WHERE participant_id = ANY($4)
			UNION ALL SELECT 'relief', record_id FROM quota_relief WHERE participant_id = ANY($4)
			UNION ALL SELECT 'objective', record_id FROM objective WHERE participant_id = ANY($4)),
		others AS MATERIALIZED (
			SELECT DISTINCT ON (plan_id, starts_on, ends_on) record_id FROM snapshot_record r JOIN assignment a USING (record_id)
			WHERE r.snapshot_id = $1 AND r.kind = 'assignment' AND a.participant_id <> ALL($4))
		INSERT INTO snapshot_record
		SELECT $2::bigint, kind, record_id FROM snapshot_record WHERE snapshot_id = $1 AND kind IN ('plan_version', 'exchange_rate', 'group', 'membership', 'group_quota', 'adjustment', 'correction')
		UNION ALL SELECT $2, r.kind, r.record_id FROM theirs CROSS JOIN LATERAL (
			SELECT kind, record_id FROM snapshot_record r WHERE r.snapshot_id = $1 AND r.kind = theirs.kind AND r.record_id = theirs.record_id OFFSET 0) r
		UNION ALL SELECT s, 'assignment', record_id FROM others, unnest(ARRAY[$2, $3::bigint]) s`, of, was, today, people)
	if err != nil {
		return fmt.Errorf("copy of snapshot %d what it has of some people: %w", of, err)
	}
	return nil
}
