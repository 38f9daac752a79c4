// Package storetest gives tests a database of their own on a real PostgreSQL.
package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/store"
)

var (
	template     sync.Once
	templateName string
)

// New returns a store over a fresh, migrated database, which goes when the test ends.
func New(t testing.TB) *store.Store {
	t.Helper()
	s, _ := NewWithURL(t)
	return s
}

// NewWithURL is New for tests that also need the database's URL.
func NewWithURL(t testing.TB) (*store.Store, string) {
	t.Helper()
	server := postgres.ForTests(t)
	keys, err := store.ParseKeys(store.NewKey(1))
	require.NoError(t, err)
	// Migrating once and copying the result is far quicker than migrating every time.
	template.Do(func() {
		name := newName()
		exec(t, server, "CREATE DATABASE "+name)
		s, err := store.Open(context.Background(), databaseURL(t, server, name), keys)
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Migrate(context.Background()))
		templateName = name
	})
	require.NotEmpty(t, templateName, "the template database could not be made")
	name := newName()
	exec(t, server, "CREATE DATABASE "+name+" TEMPLATE "+templateName)
	own := databaseURL(t, server, name)
	exec(t, own, "INSERT INTO guerdon.sending_clearance (database) VALUES (guerdon.database_now())") // a copy, and meant to be one
	s, err := store.Open(context.Background(), own, keys)
	require.NoError(t, err)
	t.Cleanup(func() {
		s.Close()
		exec(t, server, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return s, own
}

func newName() string { return "test_" + strings.ToLower(rand.Text()[:12]) }

func databaseURL(t testing.TB, server, name string) string {
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func exec(t testing.TB, server, sql string) {
	t.Helper()
	require.NoError(t, TryExec(context.Background(), server, sql))
}

// Exec runs SQL on a database past the store, as somebody who tampers would.
func Exec(t testing.TB, databaseURL, sql string) {
	t.Helper()
	exec(t, databaseURL, sql)
}

// TryExec is Exec for SQL that is to be refused.
func TryExec(ctx context.Context, databaseURL, sql string) error {
	connection, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	_, err = connection.PgConn().Exec(ctx, sql).ReadAll()
	return err
}
