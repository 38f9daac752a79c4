package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Notification tells somebody that something waits for them, or has been answered. It
// carries ids only: whoever shows it looks up what there is to say.
type Notification struct {
	ID        int64
	Recipient string // a participant's id
	Kind      string // what has happened, such as "dispute-reminder"
	Subject   string // what it is about, such as "dispute/<id>"
	Key       string // a recipient is told the same key once
	CreatedAt time.Time
}

// Notify tells people. What they have been told is not told again.
func (s *Store) Notify(ctx context.Context, all ...Notification) error {
	return notify(ctx, s.pool, all...)
}

func notify(ctx context.Context, q querier, all ...Notification) error {
	for _, n := range all {
		_, err := q.Exec(ctx, `INSERT INTO notification (recipient, kind, subject, key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, n.Recipient, n.Kind, n.Subject, n.Key)
		if err != nil {
			return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Subject, err)
		}
	}
	return nil
}

// Notifications returns up to limit notifications of a recipient after one, in order.
func (s *Store) Notifications(ctx context.Context, recipient string, after int64, limit int) ([]Notification, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, recipient, kind, subject, key, created_at FROM notification WHERE recipient = $1 AND id > $2 ORDER BY id LIMIT $3`, recipient, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the notifications of %s: %w", recipient, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Notification])
}
