package processes

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Point is a place inside a step: a row that is about to be written.
type Point struct {
	Table string // with its schema
	Event string // INSERT or UPDATE
	Where string // a condition over NEW, and OLD of an update
}

// Gate stops the one transaction that comes to its point.
type Gate struct {
	house      *House
	connection *pgx.Conn // holds the lock on which the transaction waits
	table      string
}

const gateLock = 7_002_026

// Shut stops whoever is about to write the nth such row, once. There is one gate at a time.
// Remove it afterwards.
func (h *House) Shut(ctx context.Context, at Point, row int) (*Gate, error) {
	connection, err := pgx.Connect(ctx, h.DatabaseURL)
	if err != nil {
		return nil, err
	}
	_, err = connection.PgConn().Exec(ctx, fmt.Sprintf(`
		DROP SEQUENCE IF EXISTS public.passed;
		CREATE SEQUENCE public.passed;
		CREATE OR REPLACE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF %s THEN
				IF nextval('public.passed') = %d THEN
					PERFORM pg_advisory_xact_lock_shared(%d);
				END IF;
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER a_gate BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION public.gate();
		SELECT pg_advisory_lock(%d)`, at.Where, row, gateLock, at.Event, at.Table, gateLock)).ReadAll()
	if err != nil {
		_ = connection.Close(ctx)
		return nil, fmt.Errorf("shut a gate before %s: %w", at.Table, err)
	}
	return &Gate{house: h, connection: connection, table: at.Table}, nil
}

// Reached waits until a transaction stands before the gate, or ctx ends.
func (g *Gate) Reached(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var waits bool
		err := g.connection.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted)`, gateLock).Scan(&waits)
		if err != nil || waits {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Open lets the transaction pass. It may be gone.
func (g *Gate) Open() { _ = g.connection.Close(context.Background()) }

// Remove opens the gate and takes it away.
func (g *Gate) Remove(ctx context.Context) error {
	g.Open()
	connection, err := pgx.Connect(ctx, g.house.DatabaseURL)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	_, err = connection.Exec(ctx, "DROP TRIGGER IF EXISTS a_gate ON "+g.table)
	return err
}
