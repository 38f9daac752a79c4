package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Listener hears what the database tells on a channel, on a connection of its own.
type Listener struct{ connection *pgx.Conn }

// Listen begins to listen. What is told from now on is heard, once somebody waits.
func (s *Store) Listen(ctx context.Context, channel string) (*Listener, error) {
	connection, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("connect to listen: %w", err)
	}
	if _, err := connection.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		_ = connection.Close(ctx) // the first error counts
		return nil, fmt.Errorf("listen to %s: %w", channel, err)
	}
	return &Listener{connection}, nil
}

// Wait returns the next thing that is told.
func (l *Listener) Wait(ctx context.Context) (payload string, err error) {
	n, err := l.connection.WaitForNotification(ctx)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	return n.Payload, nil
}

// Close ends the listening.
func (l *Listener) Close() { _ = l.connection.Close(context.Background()) } // nothing is lost with it
