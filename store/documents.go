package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// PayoutsOf returns the payouts of one participant in a revision of a period.
func (s *Store) PayoutsOf(ctx context.Context, periodID string, revision int, participantID string) ([]Payout, error) {
	return s.Payouts(ctx, periodID, revision, []string{participantID}, "", 100)
}

// PayoutTrace is what is known of how a payout went.
type PayoutTrace struct {
	Reference string // what the rail knows it by; "" where nothing was sent
	RailID    string // what it calls it
	SentAt    *time.Time
	PaidOn    *incentive.Date // nil where it is not paid
}

// PayoutTrace returns how a payout went: its latest attempt that was sent, and when it was paid.
func (s *Store) PayoutTrace(ctx context.Context, payoutID string) (t PayoutTrace, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT a.key::text, a.rail_id, a.sent_at, (
			SELECT max(e.effective_on) FROM journal_entry e WHERE o.state = 'paid' AND e.key IN ('paid/' || o.id, 'paid/' || o.id || '/' || o.times_back))
		FROM payout o JOIN payout_attempt a ON a.payout_id = o.id WHERE o.id = id_of($1) AND a.sent_at IS NOT NULL ORDER BY a.number DESC LIMIT 1`, payoutID).Scan(&t.Reference, &t.RailID, &t.SentAt, &t.PaidOn)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return t, fmt.Errorf("read how payout %s went: %w", payoutID, err)
	}
	return t, nil
}

// Names returns what participants are called today, by id; the id where there is no name, and
// System as it is.
func (s *Store) Names(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for _, id := range ids {
		names[id] = id
	}
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT ON (participant_id) participant_id, name FROM participant_fact WHERE participant_id = ANY($1) AND effective_from <= current_date ORDER BY participant_id, effective_from DESC, version DESC`, ids)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	var id, name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		if name != "" {
			names[id] = name
		}
		return nil
	})
	return names, err
}
