package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// What becomes of a quarantined row.
const (
	RowTaken   = "taken"
	RowLeftOut = "left-out"
)

// importColumns are those of an Import in SQL.
const importColumns = `i.id::text, i.kind, i.file_name, i.sha256, i.mapping, i.imported_by, i.imported_at, i.added, i.changed, i.unchanged, i.skipped, i.quarantined, i.columns,
	i.quarantined - (SELECT count(*) FROM quarantine_outcome o WHERE o.import_id = i.id)::int`

// quarantinedColumns are those of a Quarantined in SQL.
const quarantinedColumns = `q.position, q.file_name, q.line, q.column_name, q.field, q.value, q.code, q.reason, q.raw, coalesce(o.outcome, ''), coalesce(o.raw, ''), coalesce(o.decided_by, ''), o.decided_at, coalesce(x.body, '')
	FROM quarantine q LEFT JOIN quarantine_outcome o USING (import_id, position) LEFT JOIN free_text x ON x.id = o.reason_id`

// scanImport reads importColumns.
func scanImport(row pgx.CollectableRow) (i Import, err error) {
	err = row.Scan(&i.ID, &i.Kind, &i.FileName, &i.SHA256, &i.Mapping, &i.ImportedBy, &i.ImportedAt, &i.Added, &i.Changed, &i.Unchanged, &i.Skipped, &i.Quarantined, &i.Columns, &i.Waiting)
	return i, err
}

// ImportKey is where a list of imports goes on.
type ImportKey struct {
	At time.Time
	ID string
}

// Imports lists imports, the latest first; waiting are those with rows that wait in quarantine.
func (s *Store) Imports(ctx context.Context, waiting bool, after *ImportKey, limit int) ([]Import, error) {
	if after == nil {
		after = &ImportKey{}
	}
	rows, err := s.pool.Query(ctx, `SELECT `+importColumns+` FROM import i
		WHERE ($1::text = '' OR (i.imported_at, i.id) < ($2, NULLIF($1, '')::uuid)) AND (NOT $3 OR i.quarantined > (SELECT count(*) FROM quarantine_outcome o WHERE o.import_id = i.id))
		ORDER BY i.imported_at DESC, i.id DESC LIMIT $4`, after.ID, after.At, waiting, limit)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return pgx.CollectRows(rows, scanImport)
}

// Import returns an import and up to limit of its quarantined rows, from a position on: all
// or only those that wait.
func (s *Store) Import(ctx context.Context, id string, waiting bool, from, limit int) (Import, []Quarantined, error) {
	i, err := importByID(ctx, s.pool, id, "")
	if err != nil {
		return i, nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT `+quarantinedColumns+` WHERE q.import_id = $1 AND q.position >= $2 AND (NOT $3 OR o.outcome IS NULL) ORDER BY q.position LIMIT $4`, i.ID, from, waiting, limit)
	if err != nil {
		return i, nil, fmt.Errorf("read the quarantine of import %s: %w", id, err)
	}
	held, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Quarantined])
	return i, held, err
}

func importByID(ctx context.Context, q querier, id, locking string) (Import, error) {
	rows, err := q.Query(ctx, `SELECT `+importColumns+` FROM import i WHERE i.id = id_of($1) `+locking, id)
	if err != nil {
		return Import{}, fmt.Errorf("read import %s: %w", id, err)
	}
	i, err := pgx.CollectExactlyOneRow(rows, scanImport)
	if errors.Is(err, pgx.ErrNoRows) {
		return i, incentive.Errorf(incentive.CodeNotFound, "there is no import %q", id)
	}
	return i, err
}

// ImportLookups returns the files that an import's mapping looks values up in, by name.
func (s *Store) ImportLookups(ctx context.Context, id string) (map[string][]byte, error) {
	rows, err := s.pool.Query(ctx, `SELECT file_name, content FROM import_lookup WHERE import_id = id_of($1)`, id)
	if err != nil {
		return nil, fmt.Errorf("read the lookups of import %s: %w", id, err)
	}
	files := map[string][]byte{}
	var name string
	var content []byte
	_, err = pgx.ForEachRow(rows, []any{&name, &content}, func() error { files[name] = content; return nil })
	return files, err
}

// Retry is a quarantined row that is read again.
type Retry struct {
	Position int
	Raw      string // as it is read now
	Put      func(l *Loading) error
}

// RetryRows puts quarantined rows of an import, each wholly or not at all, and returns how
// many were taken, and why the others still are not, by position. A row that something
// became of already is refused with code CodeConflict.
func (s *Store) RetryRows(ctx context.Context, actor, importID string, retries []Retry) (taken int, refused map[int]Quarantined, err error) {
	refused = map[int]Quarantined{}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock of a period to end: %w", err)
		}
		if _, err := importByID(ctx, tx, importID, "FOR UPDATE"); err != nil {
			return err
		}
		for _, r := range retries {
			if err := rowWaits(ctx, tx, importID, r.Position); err != nil {
				return err
			}
		}
		done := &Import{}
		// A row may need what another one brings, so that those refused are tried while any is taken.
		for left := retries; len(left) > 0; {
			var again []Retry
			for _, r := range left {
				why, err := retryRow(ctx, tx, actor, importID, r, done)
				if err != nil {
					return err
				}
				if why != nil {
					refused[r.Position] = *why
					again = append(again, r)
					continue
				}
				delete(refused, r.Position)
				taken++
			}
			if len(again) == len(left) {
				break
			}
			left = again
		}
		if taken == 0 {
			return nil
		}
		return audit(ctx, tx, actor, "retry-rows", "import/"+importID, struct {
			Taken     int `json:"taken"`
			Added     int `json:"added"`
			Changed   int `json:"changed"`
			Unchanged int `json:"unchanged"`
		}{taken, done.Added, done.Changed, done.Unchanged})
	})
	return taken, refused, err
}

// retryRow puts one row, or nothing of it where a part of it cannot be taken: then it
// returns why.
func retryRow(ctx context.Context, tx pgx.Tx, actor, importID string, r Retry, done *Import) (*Quarantined, error) {
	part, err := tx.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("read row %d again: %w", r.Position, err)
	}
	result := *done
	l := &Loading{tx: part, result: &result}
	if err := r.Put(l); err != nil {
		return nil, err
	}
	if len(l.held) > 0 {
		return &l.held[0], part.Rollback(ctx)
	}
	if _, err := part.Exec(ctx, `INSERT INTO quarantine_outcome (import_id, position, outcome, raw, decided_by) VALUES ($1, $2, $3, $4, $5)`, importID, r.Position, RowTaken, r.Raw, actor); err != nil {
		return nil, fmt.Errorf("take row %d of import %s: %w", r.Position, importID, err)
	}
	*done = result
	return nil, part.Commit(ctx)
}

func rowWaits(ctx context.Context, tx pgx.Tx, importID string, position int) error {
	var outcome string
	err := tx.QueryRow(ctx, `SELECT coalesce(o.outcome, '') FROM quarantine q LEFT JOIN quarantine_outcome o USING (import_id, position) WHERE q.import_id = id_of($1) AND q.position = $2`, importID, position).Scan(&outcome)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return incentive.Errorf(incentive.CodeNotFound, "import %s has no quarantined row %d", importID, position)
	case err != nil:
		return fmt.Errorf("read row %d of import %s: %w", position, importID, err)
	case outcome != "":
		return incentive.Errorf(incentive.CodeConflict, "row %d waits no more: somebody has taken it or left it out", position)
	}
	return nil
}

// LeaveRowOut ends a quarantined row's waiting without its data, with a reason.
func (s *Store) LeaveRowOut(ctx context.Context, actor, importID string, position int, reason string) error {
	reasonID, err := s.WriteText(ctx, actor, reason)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := importByID(ctx, tx, importID, "FOR UPDATE"); err != nil {
			return err
		}
		if err := rowWaits(ctx, tx, importID, position); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO quarantine_outcome (import_id, position, outcome, raw, reason_id, decided_by) VALUES ($1, $2, $3, '', $4, $5)`, importID, position, RowLeftOut, reasonID, actor); err != nil {
			return fmt.Errorf("leave row %d of import %s out: %w", position, importID, err)
		}
		return audit(ctx, tx, actor, "leave-row-out", "import/"+importID, struct {
			Position int    `json:"position"`
			ReasonID string `json:"reason_id"`
		}{position, reasonID})
	})
}
