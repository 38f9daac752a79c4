package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// PlanDraft is a draft of a plan as it was last kept.
type PlanDraft struct {
	ID       string
	Version  int // one more each time that it is kept
	Document string
	SavedBy  string
	SavedAt  time.Time
	Authors  []string // everybody who has kept it, sorted
}

const planDrafts = `
	SELECT d.draft_id::text, d.version, d.document, d.saved_by, d.saved_at, ARRAY(SELECT DISTINCT a.saved_by FROM plan_draft a WHERE a.draft_id = d.draft_id ORDER BY a.saved_by)
	FROM plan_draft d WHERE d.document IS NOT NULL AND NOT EXISTS (SELECT FROM plan_draft l WHERE l.draft_id = d.draft_id AND l.version > d.version)`

// PlanDrafts lists the drafts that stand, the latest first.
func (s *Store) PlanDrafts(ctx context.Context) ([]PlanDraft, error) {
	rows, err := s.pool.Query(ctx, planDrafts+` ORDER BY d.saved_at DESC, d.draft_id LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("list the drafts of plans: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PlanDraft])
}

// PlanDraft returns a draft as it stands, of code CodeNotFound where there is none.
func (s *Store) PlanDraft(ctx context.Context, id string) (PlanDraft, error) {
	rows, err := s.pool.Query(ctx, planDrafts+` AND d.draft_id = id_of($1)`, id)
	if err != nil {
		return PlanDraft{}, fmt.Errorf("read the draft %s: %w", id, err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PlanDraft])
	if errors.Is(err, pgx.ErrNoRows) {
		return d, incentive.Errorf(incentive.CodeNotFound, "there is no draft %q", id)
	}
	return d, err
}

// KeepPlanDraft keeps a document in the place of the version of a draft that its author has
// read, 0 for a new draft; "" discards the draft. Where somebody else has kept it since, it
// is refused with code CodeConflict.
func (s *Store) KeepPlanDraft(ctx context.Context, actor, id string, read int, document string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('plan draft ' || $1))`, id); err != nil {
			return fmt.Errorf("wait for the draft %s: %w", id, err)
		}
		var last int
		var by string
		var gone bool
		err := tx.QueryRow(ctx, `SELECT version, saved_by, document IS NULL FROM plan_draft WHERE draft_id = $1 ORDER BY version DESC LIMIT 1`, id).Scan(&last, &by, &gone)
		switch {
		case errors.Is(err, pgx.ErrNoRows) && read == 0:
		case errors.Is(err, pgx.ErrNoRows) || err == nil && gone:
			return incentive.Errorf(incentive.CodeNotFound, "there is no draft %q", id)
		case err != nil:
			return fmt.Errorf("read the draft %s: %w", id, err)
		case last != read:
			return incentive.Errorf(incentive.CodeConflict, "%s has kept this draft since you read it: take a copy of what you wrote, and read it anew", by)
		}
		kept := &document
		if document == "" {
			kept = nil
		}
		if _, err := tx.Exec(ctx, `INSERT INTO plan_draft (draft_id, version, document, saved_by) VALUES ($1, $2, $3, $4)`, id, last+1, kept, actor); err != nil {
			return fmt.Errorf("keep the draft %s: %w", id, err)
		}
		digest := sha256.Sum256([]byte(document))
		return audit(ctx, tx, actor, "keep-draft", "plan-draft/"+id, struct {
			Version  int    `json:"version"`
			Document string `json:"document"`
		}{last + 1, hex.EncodeToString(digest[:])})
	})
}
