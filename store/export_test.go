package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Everything returns what a lock of a period would freeze now.
func (s *Store) Everything(ctx context.Context, p PeriodRevision) (snapshot incentive.Snapshot, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		snapshot, err = unkept{tx}.everything(ctx, p)
		return err
	})
	return snapshot, err
}

// DifferingAltogether is PendingChanges by comparing all that a snapshot has, and whether PendingChanges
// could tell without.
func (s *Store) DifferingAltogether(ctx context.Context, periodID string) (changes []Change, told bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		p, err := periodRevision(ctx, tx, periodID, 0, "")
		if err != nil {
			return err
		}
		inner, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		_, _, told, err = whatWasSaid(ctx, inner, p)
		if err := errorsIn(err, inner.Rollback(ctx)); err != nil {
			return err
		}
		return afresh(ctx, tx, p, func(tx pgx.Tx, was, today int64, _ incentive.Date) error {
			changes, err = differing(ctx, tx, was, today, []string{}, Change{}, 1000)
			return err
		})
	})
	return changes, told, err
}

// ExportedColumns returns the columns that an export holds, by table, and what it leaves
// out, with the reason: for a test that walks the schema.
func ExportedColumns() (exported map[string][]string, left map[string]string) {
	exported = map[string][]string{}
	for _, t := range tables() {
		for _, c := range t.columns {
			exported[t.table] = append(exported[t.table], c.name)
		}
	}
	return exported, notExported
}

// QuotasKept returns every quota as text, by participant and first day.
func (s *Store) QuotasKept(ctx context.Context) (all []string, err error) {
	err = collect(ctx, s.pool, &all, `SELECT participant_id || ' ' || starts_on || ' ' || ends_on || ' ' || amount FROM quota ORDER BY participant_id, starts_on`, pgx.RowTo[string])
	return all, err
}
