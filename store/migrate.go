package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/guerdon/guerdon/incentive"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the database to the schema of this program, under a lock, so that
// several may try at once. The tables of transitions are filled from the domain's.
func (s *Store) Migrate(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public"); err != nil {
		return fmt.Errorf("create the extension btree_gist, which comes with PostgreSQL's contrib package: %w", err)
	}
	if _, err := s.pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
		return fmt.Errorf("create the schema: %w", err)
	}
	provider, close, err := s.migrator()
	if err != nil {
		return err
	}
	defer close()
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	batch := &pgx.Batch{}
	for _, t := range incentive.AllMoves() {
		batch.Queue(`INSERT INTO period_transition (from_state, act, to_state) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.From, t.Act, t.To)
	}
	for _, m := range incentive.AllDisputeMoves() {
		batch.Queue(`INSERT INTO dispute_transition (from_state, act, to_state) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, m.From, m.Act, m.To)
	}
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("fill the tables of transitions: %w", err)
	}
	return nil
}

// Migrated reports whether the database has the schema of this program.
func (s *Store) Migrated(ctx context.Context) (bool, error) {
	provider, close, err := s.migrator()
	if err != nil {
		return false, err
	}
	defer close()
	pending, err := provider.HasPending(ctx)
	return !pending, err
}

func (s *Store) migrator() (*goose.Provider, func(), error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, nil, err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, nil, err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, func() { db.Close() }, nil
}
