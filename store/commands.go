package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Codes of refusals about idempotency keys.
const (
	CodeKeyReused     incentive.Code = "idempotency-key-reused" // the key came with another request before
	CodeKeyInProgress incentive.Code = "in-progress"            // the first request with the key has no answer yet
)

// Answer is the stored answer to a command.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// ClaimLasts is how long a claim of an idempotency key lasts that nobody holds on to. Whoever
// changes it does so before anything is claimed.
var ClaimLasts = 15 * time.Second

// BeginCommand claims an actor's idempotency key for a request. fresh tells the caller
// to do the command; otherwise answer is what was answered before. The same key with
// another request is refused with CodeKeyReused, and one whose answer is still missing
// with CodeKeyInProgress; a claim that nobody has held on to for ClaimLasts was left by a
// dead process and is taken over.
func (s *Store) BeginCommand(ctx context.Context, actor, key string, requestHash []byte) (answer Answer, fresh bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO command (actor, key, request_hash) VALUES ($1, $2, $3)
			ON CONFLICT (actor, key) DO UPDATE SET created_at = now()
			WHERE command.status IS NULL AND command.request_hash = $3 AND command.created_at < now() - $4::interval`, actor, key, requestHash, ClaimLasts)
		if err != nil {
			return err
		}
		if fresh = tag.RowsAffected() == 1; fresh {
			return nil
		}
		var hash []byte
		var status *int
		err = tx.QueryRow(ctx, `SELECT request_hash, status, content_type, response FROM command WHERE actor = $1 AND key = $2`, actor, key).
			Scan(&hash, &status, &answer.ContentType, &answer.Body)
		if err != nil {
			return err
		}
		switch {
		case !bytes.Equal(hash, requestHash):
			return incentive.Errorf(CodeKeyReused, "this Idempotency-Key came with another request before: use a new key for a new request")
		case status == nil:
			return incentive.Errorf(CodeKeyInProgress, "the first request with this Idempotency-Key is still being worked on: ask again shortly")
		}
		answer.Status = *status
		return nil
	})
	if err != nil && incentive.ErrorCode(err) == incentive.CodeInternal {
		err = fmt.Errorf("claim an idempotency key: %w", err)
	}
	return answer, fresh, err
}

// HoldCommand holds on to a claim while its command is worked on.
func (s *Store) HoldCommand(ctx context.Context, actor, key string) error {
	_, err := s.pool.Exec(ctx, `UPDATE command SET created_at = now() WHERE actor = $1 AND key = $2 AND status IS NULL`, actor, key)
	if err != nil {
		return fmt.Errorf("hold on to an idempotency key: %w", err)
	}
	return nil
}

// FinishCommand stores the answer to a command.
func (s *Store) FinishCommand(ctx context.Context, actor, key string, answer Answer) error {
	_, err := s.pool.Exec(ctx, `UPDATE command SET status = $3, content_type = $4, response = $5 WHERE actor = $1 AND key = $2`, actor, key, answer.Status, answer.ContentType, answer.Body)
	if err != nil {
		return fmt.Errorf("keep the answer to a command: %w", err)
	}
	return nil
}

// DropCommand gives a claimed key back: nothing was done and the request may be tried again.
func (s *Store) DropCommand(ctx context.Context, actor, key string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM command WHERE actor = $1 AND key = $2 AND status IS NULL`, actor, key)
	if err != nil {
		return fmt.Errorf("give an idempotency key back: %w", err)
	}
	return nil
}

// CommandAnswer returns the answer to an actor's command; done is false while there is
// none yet.
func (s *Store) CommandAnswer(ctx context.Context, actor, key string) (answer Answer, done bool, err error) {
	var status *int
	err = s.pool.QueryRow(ctx, `SELECT status, content_type, response FROM command WHERE actor = $1 AND key = $2`, actor, key).Scan(&status, &answer.ContentType, &answer.Body)
	if errors.Is(err, pgx.ErrNoRows) {
		return answer, false, incentive.Errorf(incentive.CodeNotFound, "you gave no command with the key %q", key)
	}
	if err != nil {
		return answer, false, fmt.Errorf("read a command: %w", err)
	}
	if status != nil {
		answer.Status = *status
	}
	return answer, status != nil, nil
}
