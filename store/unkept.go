package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// unkept is a transaction in which a snapshot is put together that nobody keeps, by the
// same SQL as one that is locked: what it takes is listed in a table of the session's own.
type unkept struct{ pgx.Tx }

// theUnkept is the number of the one snapshot in an unkept transaction.
const theUnkept = 0

func (u unkept) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	return u.Tx.Exec(ctx, ofUnkept(sql), arguments...)
}

func (u unkept) Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	return u.Tx.Query(ctx, ofUnkept(sql), arguments...)
}

func (u unkept) QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row {
	return u.Tx.QueryRow(ctx, ofUnkept(sql), arguments...)
}

func (u unkept) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	for _, queued := range batch.QueuedQueries {
		queued.SQL = ofUnkept(queued.SQL)
	}
	return u.Tx.SendBatch(ctx, batch)
}

func ofUnkept(sql string) string { return strings.ReplaceAll(sql, "snapshot_record", "unkept_record") }

// begin empties the list, and makes it where the session has none. It is truncated only where it
// has grown, as PostgreSQL plans all queries of it anew after that.
func (u unkept) begin(ctx context.Context) error {
	_, err := u.Tx.Exec(ctx, `CREATE TEMPORARY TABLE IF NOT EXISTS unkept_record (snapshot_id bigint, kind text, record_id bigint, PRIMARY KEY (snapshot_id, kind, record_id))`)
	if err == nil {
		_, err = u.Tx.Exec(ctx, `DO $$ BEGIN IF pg_relation_size('unkept_record') > 262144 THEN TRUNCATE unkept_record; ELSE DELETE FROM unkept_record; END IF; END $$`)
	}
	if err != nil {
		return fmt.Errorf("begin a snapshot that is not kept: %w", err)
	}
	return nil
}

// everything is the snapshot that a lock would freeze now, without what that corrects of
// closed periods, and also while what earlier periods post may still change. A draft stands for the version of
// its plan that is in force.
func (u unkept) everything(ctx context.Context, p PeriodRevision, draft ...incentive.PlanVersion) (incentive.Snapshot, error) {
	return u.snapshot(ctx, p, narrow{}, draft...)
}

func (u unkept) snapshot(ctx context.Context, p PeriodRevision, n narrow, draft ...incentive.PlanVersion) (incentive.Snapshot, error) {
	if err := u.begin(ctx); err != nil {
		return incentive.Snapshot{}, err
	}
	back, err := takeStructure(ctx, u, theUnkept, p, n, draft...)
	if err != nil {
		return incentive.Snapshot{}, err
	}
	if err := takeRest(ctx, u, theUnkept, p, back, n); err != nil {
		return incentive.Snapshot{}, err
	}
	return loadSnapshot(ctx, u, theUnkept, p.Period, back.Since)
}

// theirs is what of everything the statements of some participants are calculated from.
func (u unkept) theirs(ctx context.Context, p PeriodRevision, of []string, reaches map[string]calculation.Reach) (incentive.Snapshot, error) {
	n := narrow{measured: of, reaches: reaches}
	plans, err := u.plansOf(ctx, p, of, reaches)
	if err != nil {
		return incentive.Snapshot{}, err
	}
	var contests, rules []string
	levels, takesBack := 0, false
	for id, r := range reaches {
		if slices.Contains(plans, id) {
			levels, takesBack = max(levels, r.Levels), takesBack || r.TakesBack
			if r.Everybody {
				contests = append(contests, id)
			}
		}
		if r.Rules {
			rules = append(rules, id)
		}
	}
	if len(contests) > 0 {
		all, err := u.peopleOn(ctx, p, contests)
		if err != nil {
			return incentive.Snapshot{}, err
		}
		n.measured = union(of, all)
	}
	n.credited, n.assigned = n.measured, n.measured
	if levels > 0 {
		team, err := u.hierarchy(ctx, p, n.measured, below, levels)
		if err != nil {
			return incentive.Snapshot{}, err
		}
		n.credited = union(n.measured, team)
	}
	n.known = n.credited
	if len(rules) > 0 {
		ruled, err := u.peopleOn(ctx, p, rules)
		if err != nil {
			return incentive.Snapshot{}, err
		}
		n.uncredited = slices.ContainsFunc(ruled, func(id string) bool { return slices.Contains(n.credited, id) })
		if n.uncredited {
			n.assigned, n.known = union(n.assigned, ruled), union(n.known, ruled)
		}
	}
	if takesBack {
		others, err := u.creditedWithRefunds(ctx, n)
		if err != nil {
			return incentive.Snapshot{}, err
		}
		n.refunded, n.credited, n.known = n.credited, union(n.credited, others), union(n.known, others)
	}
	managers, err := u.hierarchy(ctx, p, n.known, above, deepestHierarchy)
	if err != nil {
		return incentive.Snapshot{}, err
	}
	n.known = union(n.known, managers)
	return u.snapshot(ctx, p, n)
}

// creditedWithRefunds returns who was ever credited with a refund of what others sold.
func (u unkept) creditedWithRefunds(ctx context.Context, n narrow) (people []string, err error) {
	err = collect(ctx, u, &people, `
		SELECT r.participant_id FROM credit c JOIN transaction t ON t.source = c.source AND t.refund_of = c.transaction_id AND t.refund_of <> ''
			JOIN credit r ON r.source = t.source AND r.transaction_id = t.transaction_id WHERE c.participant_id = ANY($1)
		UNION SELECT r.participant_id FROM transaction t JOIN credit r USING (source, transaction_id)
			WHERE $2 AND t.refund_of <> '' AND NOT EXISTS (SELECT FROM credit c WHERE c.source = t.source AND c.transaction_id = t.refund_of AND `+standingCredit+`)`, pgx.RowTo[string], n.credited, n.uncredited)
	if err != nil {
		return nil, fmt.Errorf("find who is credited with refunds: %w", err)
	}
	return people, nil
}

// reaches says of each plan that anybody was ever on whom else its statements depend on.
func reaches(ctx context.Context, q querier, p PeriodRevision) (map[string]calculation.Reach, error) {
	snapshot := incentive.Snapshot{Period: p.Period}
	err := collect(ctx, q, &snapshot.PlanVersions, `
		SELECT plan_id, version, effective_from, document FROM plan_version v
		WHERE effective_from <= $2 AND EXISTS (SELECT FROM assignment a WHERE a.plan_id = v.plan_id AND a.calendar_id = $1)
		ORDER BY plan_id COLLATE "C", version`, pgx.RowToStructByPos[incentive.PlanVersion], p.CalendarID, p.EndsOn)
	if err != nil {
		return nil, fmt.Errorf("read the plans of %s: %w", p.ID, err)
	}
	return calculation.Reaches(snapshot)
}

// onPlan is the SQL of the assignments a, in any version, that touch the period $1 to $2 of
// calendar $3: whoever is looked for too often is only calculated once more.
const onPlan = `a.calendar_id = $3 AND a.starts_on <= $2 AND (a.ends_on IS NULL OR a.ends_on >= $1)`

// plansOf returns the plans that some people are on, or have left and still settle with.
func (u unkept) plansOf(ctx context.Context, p PeriodRevision, of []string, reaches map[string]calculation.Reach) (plans []string, err error) {
	left, since := settling(reaches)
	err = collect(ctx, u, &plans, `SELECT DISTINCT a.plan_id FROM assignment a WHERE (`+onPlan+` OR `+stillSettles+`) AND a.participant_id = ANY($4)`, pgx.RowTo[string], p.StartsOn, p.EndsOn, p.CalendarID, of, left, since)
	if err != nil {
		return nil, fmt.Errorf("find the plans of participants in %s: %w", p.ID, err)
	}
	return plans, nil
}

func (u unkept) peopleOn(ctx context.Context, p PeriodRevision, plans []string) (people []string, err error) {
	err = collect(ctx, u, &people, `SELECT DISTINCT a.participant_id FROM assignment a WHERE `+onPlan+` AND a.plan_id = ANY($4)`, pgx.RowTo[string], p.StartsOn, p.EndsOn, p.CalendarID, plans)
	if err != nil {
		return nil, fmt.Errorf("find the participants of plans in %s: %w", p.ID, err)
	}
	return people, nil
}

// Ways through the hierarchy: a step of the SQL from at, to a fact f.
const (
	below = `SELECT f.participant_id, at.level + 1 FROM at JOIN participant_fact f ON f.manager_id = at.id`
	// Each is looked up alone, as PostgreSQL would rather read everybody for a few.
	above = `SELECT f.manager_id, at.level + 1 FROM at CROSS JOIN LATERAL (
		SELECT manager_id, effective_from FROM participant_fact WHERE participant_id = at.id AND manager_id IS NOT NULL OFFSET 0) f`
	// deepestHierarchy ends a walk where people manage each other in a circle.
	deepestHierarchy = 50
)

// hierarchy returns who is, or ever was up to the period's end, above or below some people.
func (u unkept) hierarchy(ctx context.Context, p PeriodRevision, of []string, way string, levels int) (people []string, err error) {
	err = collect(ctx, u, &people, `
		WITH RECURSIVE at(id, level) AS (
			SELECT unnest($1::text[]), 0
			UNION `+way+` WHERE at.level < $2 AND f.effective_from <= $3
		) SELECT DISTINCT id FROM at WHERE level > 0`, pgx.RowTo[string], of, levels, p.EndsOn)
	if err != nil {
		return nil, fmt.Errorf("walk through the hierarchy of %s: %w", p.ID, err)
	}
	return people, nil
}

func union(sets ...[]string) []string {
	all := append([]string{}, slices.Concat(sets...)...) // never nil, which is everybody
	slices.Sort(all)
	return slices.Compact(all)
}
