package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// hierarchy is who reports to whom, and who cannot decide: those who have left, and those
// who prepared the period.
type hierarchy struct {
	manager map[string]string
	cannot  map[string]bool
}

// hierarchyOf reads the hierarchy that a revision's snapshot has on the period's last day,
// and who of it can decide today.
func hierarchyOf(ctx context.Context, tx pgx.Tx, p PeriodRevision) (hierarchy, error) {
	h := hierarchy{manager: map[string]string{}, cannot: map[string]bool{}}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT ON (f.participant_id) f.participant_id, coalesce(f.manager_id, '') FROM snapshot_record r JOIN participant_fact f USING (record_id)
		WHERE r.snapshot_id = $1 AND r.kind = 'participant' AND f.effective_from <= $2 ORDER BY f.participant_id, f.effective_from DESC`, p.SnapshotID, p.EndsOn)
	if err != nil {
		return h, fmt.Errorf("read the hierarchy of %s: %w", p.ID, err)
	}
	var id, manager string
	if _, err := pgx.ForEachRow(rows, []any{&id, &manager}, func() error { h.manager[id] = manager; return nil }); err != nil {
		return h, fmt.Errorf("read the hierarchy of %s: %w", p.ID, err)
	}
	rows, err = tx.Query(ctx, `
		SELECT preparers($1, $2, true)
		UNION SELECT participant_id FROM (
			SELECT DISTINCT ON (participant_id) participant_id, employed_until FROM participant_fact
			WHERE effective_from <= company_today() ORDER BY participant_id, effective_from DESC, version DESC) f
		WHERE employed_until < company_today()`, p.ID, p.Revision)
	if err != nil {
		return h, fmt.Errorf("read who cannot decide about %s: %w", p.ID, err)
	}
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { h.cannot[id] = true; return nil })
	if err != nil {
		err = fmt.Errorf("read who cannot decide about %s: %w", p.ID, err)
	}
	return h, err
}

// above returns the nearest above somebody who can decide, or "" where there is nobody.
func (h hierarchy) above(id string) string {
	manager := h.manager[id]
	// A hierarchy that runs in a circle ends at finance.
	for range len(h.manager) {
		if manager == "" || !h.cannot[manager] {
			break
		}
		manager = h.manager[manager]
	}
	if manager == id || h.cannot[manager] {
		return ""
	}
	return manager
}
