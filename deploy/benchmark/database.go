package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/store"
)

// throwaway is a database that is there while something is measured.
type throwaway struct {
	server     *postgres.Server
	store      *store.Store
	connection *pgx.Conn
}

// newThrowaway starts one, migrated and empty. It has to be closed.
func newThrowaway(ctx context.Context) (d throwaway, err error) {
	if d.server, err = postgres.Start(ctx, postgres.Options{Throwaway: true}); err != nil {
		return d, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close(ctx))
		}
	}()
	keys, err := store.ParseKeys(store.NewKey(1))
	if err != nil {
		return d, err
	}
	if d.store, err = store.Open(ctx, d.server.URL(), keys); err != nil {
		return d, err
	}
	if err := d.store.Migrate(ctx); err != nil {
		return d, err
	}
	d.connection, err = pgx.Connect(ctx, d.server.URL())
	return d, err
}

func (d throwaway) close(ctx context.Context) (err error) {
	ctx = context.WithoutCancel(ctx)
	if d.connection != nil {
		err = d.connection.Close(ctx)
	}
	if d.store != nil {
		d.store.Close()
	}
	return errors.Join(err, d.server.Stop(ctx))
}
