package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/store"
)

// database is where something is measured.
type database struct {
	server     *postgres.Server
	keys       store.Keys
	store      *store.Store
	connection *pgx.Conn
}

// newDatabase starts one, migrated: an empty one that goes away at its end or, where a
// directory is given, the one that is kept there. It has to be closed.
func newDatabase(ctx context.Context, directory string) (d database, err error) {
	if d.server, err = postgres.Start(ctx, postgres.Options{Throwaway: directory == "", DataDirectory: directory, NoSync: true}); err != nil {
		return d, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close(ctx))
		}
	}()
	if d.keys, err = store.ParseKeys(store.NewKey(1)); err != nil {
		return d, err
	}
	if err := d.connect(ctx, d.server.URL()); err != nil {
		return d, err
	}
	return d, d.store.Migrate(ctx)
}

func (d *database) connect(ctx context.Context, address string) (err error) {
	if d.store, err = store.Open(ctx, address, d.keys); err != nil {
		return err
	}
	d.connection, err = pgx.Connect(ctx, address)
	return err
}

// copy turns to a copy of the database, so that what is kept stays as it is.
func (d *database) copy(ctx context.Context) error {
	address, err := url.Parse(d.server.URL())
	if err != nil {
		return err
	}
	kept := pgx.Identifier{address.Path[1:]}.Sanitize()
	if err := d.disconnect(ctx); err != nil {
		return err
	}
	address.Path = "/postgres"
	connection, err := pgx.Connect(ctx, address.String())
	if err != nil {
		return err
	}
	for _, sql := range []string{`DROP DATABASE IF EXISTS measured`, `CREATE DATABASE measured TEMPLATE ` + kept + ` STRATEGY file_copy`} {
		if _, err := connection.Exec(ctx, sql); err != nil {
			return errors.Join(fmt.Errorf("copy the company: %w", err), connection.Close(ctx))
		}
	}
	address.Path = "/measured"
	return errors.Join(connection.Close(ctx), d.connect(ctx, address.String()))
}

func (d *database) disconnect(ctx context.Context) (err error) {
	if d.connection != nil {
		err = d.connection.Close(ctx)
	}
	if d.store != nil {
		d.store.Close()
	}
	d.connection, d.store = nil, nil
	return err
}

func (d *database) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(d.disconnect(ctx), d.server.Stop(ctx))
}
