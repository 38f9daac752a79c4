package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// EndToken makes a token worthless from now on. One that is unknown, or has expired, is no
// error.
func (s *Store) EndToken(ctx context.Context, secret string) error {
	hash := sha256.Sum256([]byte(secret))
	return s.endTokens(ctx, "hash", hash[:])
}

// EndTokens makes every token of a participant worthless from now on.
func (s *Store) EndTokens(ctx context.Context, participantID string) error {
	return s.endTokens(ctx, "participant_id", participantID)
}

// endTokens ends those tokens of which a column has a value, and records which.
func (s *Store) endTokens(ctx context.Context, column string, value any) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE api_token SET expires_at = now() WHERE `+column+` = $1 AND expires_at > now() RETURNING participant_id, encode(hash, 'hex')`, value)
		if err != nil {
			return fmt.Errorf("end tokens: %w", err)
		}
		type ended struct{ participantID, hash string }
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e ended, err error) {
			err = row.Scan(&e.participantID, &e.hash)
			return e, err
		})
		if err != nil {
			return fmt.Errorf("end tokens: %w", err)
		}
		for _, e := range all {
			err := audit(ctx, tx, e.participantID, "end-token", "participant/"+e.participantID, struct {
				Hash string `json:"hash"`
			}{e.hash})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
