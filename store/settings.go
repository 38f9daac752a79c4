package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
)

// Settings are how a person wants to be spoken to.
type Settings struct {
	Language language.Language
	TimeZone string // of their messages; "" for the company's
	Messages notice.Timing
	ByEmail  bool
	Webhook  string // an address that takes messages as Slack's do; "" for none
}

// Settings returns what a person has chosen, with an empty language where they have chosen
// nothing.
func (s *Store) Settings(ctx context.Context, participantID string) (Settings, error) {
	chosen := Settings{Messages: notice.AtOnce, ByEmail: true}
	err := s.pool.QueryRow(ctx, `SELECT language, time_zone, messages, by_email, webhook FROM person_setting WHERE participant_id = $1`, participantID).
		Scan(&chosen.Language, &chosen.TimeZone, &chosen.Messages, &chosen.ByEmail, &chosen.Webhook)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return chosen, fmt.Errorf("read the settings of %s: %w", participantID, err)
	}
	return chosen, nil
}

// SetSettings keeps how a person wants to be spoken to.
func (s *Store) SetSettings(ctx context.Context, participantID string, chosen Settings) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO person_setting (participant_id, language, time_zone, messages, by_email, webhook) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (participant_id) DO UPDATE SET language = excluded.language, time_zone = excluded.time_zone, messages = excluded.messages, by_email = excluded.by_email,
				webhook = excluded.webhook, changed_at = now()`,
			participantID, chosen.Language, chosen.TimeZone, chosen.Messages, chosen.ByEmail, chosen.Webhook)
		if err != nil {
			return fmt.Errorf("keep the settings of %s: %w", participantID, err)
		}
		return audit(ctx, tx, participantID, "set-settings", "participant/"+participantID, struct {
			Language language.Language `json:"language"`
			Messages notice.Timing     `json:"messages"`
			ByEmail  bool              `json:"by_email"`
			Webhook  bool              `json:"webhook"`
		}{chosen.Language, chosen.Messages, chosen.ByEmail, chosen.Webhook != ""})
	})
}
