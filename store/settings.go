package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive/language"
)

// SetLanguage keeps in which language a person wants to be spoken to.
func (s *Store) SetLanguage(ctx context.Context, participantID string, l language.Language) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO person_setting (participant_id, language) VALUES ($1, $2) ON CONFLICT (participant_id) DO UPDATE SET language = excluded.language, changed_at = now()`, participantID, l)
		if err != nil {
			return fmt.Errorf("keep the language of %s: %w", participantID, err)
		}
		return audit(ctx, tx, participantID, "set-language", "participant/"+participantID, struct {
			Language language.Language `json:"language"`
		}{l})
	})
}
