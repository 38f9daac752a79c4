// Package store keeps everything in PostgreSQL: facts and their versions, periods,
// snapshots, results, approvals, payouts, the double-entry ledger and the audit chain.
// PostgreSQL is the record; workflows only decide order and time.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// schema is the PostgreSQL schema that holds the tables. Temporal's own tables may live
// beside it in the same database.
const schema = "guerdon"

// Store is a connection pool to one company's database.
type Store struct {
	pool *pgxpool.Pool
	keys Keys

	divisions     divisions
	reporting     ofDays[map[string][]string] // directly to whom
	tops          ofDays[[]Reporting]
	runTotals     lasting[int64, map[incentive.Currency]int64]
	distributions lasting[[2]int64, []calculation.Distribution] // of a run, and against another one
}

// Open connects to the database at url. keys encrypts what must not be read from the
// database alone. It does not migrate.
func Open(ctx context.Context, url string, keys Keys) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error would repeat the URL, password and all.
		return nil, incentive.Errorf(incentive.CodeInvalid, "the database URL cannot be read: write postgres://user:password@host:port/database")
	}
	config.ConnConfig.RuntimeParams["search_path"] = schema
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.RuntimeParams["jit"] = "off" // compiling a query takes longer than these gain by it
	// Whoever no longer waits for an answer has PostgreSQL stop looking for it.
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: time.Second}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return &Store{pool: pool, keys: keys}, nil
}

// Close waits until every connection is back and closes them.
func (s *Store) Close() { s.pool.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// inTx runs do in one transaction: all of it happens, or nothing. Free of outside calls,
// it is run again when PostgreSQL gives up on it because of another transaction.
func (s *Store) inTx(ctx context.Context, do func(tx pgx.Tx) error) error {
	const attempts = 5
	var err error
	for range attempts {
		err = pgx.BeginFunc(ctx, s.pool, do)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "40001" && pg.Code != "40P01" {
			return err
		}
	}
	return err
}

// querier is what a pool and a transaction have in common.
type querier interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row
}

// plannedAnew has PostgreSQL plan a query for what it is asked with and for nothing else: with a plan for whatever
// it is asked with, each row would be looked for in a list of thousands of people from its beginning.
const plannedAnew = pgx.QueryExecModeCacheDescribe

// constraint returns the name of the constraint that err breaks, or "".
func constraint(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.ConstraintName
	}
	return ""
}

// orNull writes "" as NULL.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
