package temporal

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/server/tools/common/schema"
	toolsql "go.temporal.io/server/tools/sql"

	"github.com/guerdon/guerdon/incentive"
)

const (
	schemaMain       = "temporal"
	schemaVisibility = "temporal_visibility"
)

// guard is the number of the advisory lock that one Temporal server holds on a database:
// two would fight for the same shards.
const guard = 0x67756572646f6e // "guerdon"

// database is a PostgreSQL database held for one Temporal server.
type database struct {
	url  *url.URL
	name string
	held *pgx.Conn // holds the lock
	log  *logger
}

func openDatabase(ctx context.Context, address string, log *logger) (*database, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, incentive.Errorf(CodeDatabase, "The address of Temporal's database is not of the form postgres://user:password@host:port/database.")
	}
	configuration, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, incentive.Errorf(CodeDatabase, "The address of Temporal's database is not valid: %v", err)
	}
	if configuration.Database == "" {
		return nil, incentive.Errorf(CodeDatabase, "The address of Temporal's database names no database: postgres://user:password@host:port/database is expected.")
	}
	d := &database{url: u, name: configuration.Database, log: log}
	if d.held, err = pgx.ConnectConfig(ctx, configuration); err != nil {
		return nil, incentive.Errorf(CodeDatabase, "Temporal's database cannot be reached: %v", err)
	}
	if err = d.lock(ctx); err == nil {
		err = d.ensureSchemas(ctx)
	}
	if err != nil {
		_ = d.close()
		return nil, err
	}
	return d, nil
}

// lock waits a little: PostgreSQL may not have noticed yet that the last holder was killed.
func (d *database) lock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var got bool
		err := d.held.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(guard)).Scan(&got)
		switch {
		case got:
			return nil
		case ctx.Err() != nil:
			return incentive.Errorf(CodeInUse, "Another Temporal server runs on the database %s: stop that one, or name another database.", d.name)
		case err != nil:
			return incentive.Errorf(CodeDatabase, "Temporal's database cannot be used: %v", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// ensureSchemas makes what is missing of Temporal's tables and brings the rest up to date.
func (d *database) ensureSchemas(ctx context.Context) error {
	if _, err := d.held.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public"); err != nil {
		return incentive.Errorf(CodeDatabase, "Temporal's database needs PostgreSQL's extension btree_gin, which cannot be created: %v", err)
	}
	for _, schema := range []struct{ name, source string }{
		{schemaMain, "postgresql/v12/temporal"},
		{schemaVisibility, "postgresql/v12/visibility"},
	} {
		if err := d.ensureSchema(ctx, schema.name, schema.source); err != nil {
			return incentive.Errorf(CodeDatabase, "Temporal's schema %s cannot be made: %v", schema.name, err)
		}
	}
	return nil
}

func (d *database) ensureSchema(ctx context.Context, name, source string) error {
	var exists bool
	if err := d.held.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", name).Scan(&exists); err != nil {
		return err
	}
	if exists {
		return d.updateSchema(name, source)
	}
	// Temporal's tasks are not transactional: a new schema gets its name when it is whole.
	unfinished := name + "_unfinished"
	if err := d.execute(ctx, "DROP SCHEMA IF EXISTS %s CASCADE", unfinished); err != nil {
		return err
	}
	if err := d.execute(ctx, "CREATE SCHEMA %s", unfinished); err != nil {
		return err
	}
	if err := d.updateSchema(unfinished, source); err != nil {
		return err
	}
	return d.execute(ctx, "ALTER SCHEMA %s RENAME TO %s", unfinished, name)
}

func (d *database) updateSchema(name, source string) error {
	connection, err := toolsql.NewConnection(d.configuration(name), d.log)
	if err != nil {
		return err
	}
	defer connection.Close()
	if strings.HasSuffix(name, "_unfinished") {
		if err := schema.NewSetupSchemaTask(connection, &schema.SetupConfig{InitialVersion: "0.0"}, d.log).Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(connection, &schema.UpdateConfig{SchemaName: source}, d.log).Run()
}

func (d *database) execute(ctx context.Context, statement string, names ...string) error {
	quoted := make([]any, len(names))
	for i, name := range names {
		quoted[i] = pgx.Identifier{name}.Sanitize()
	}
	_, err := d.held.Exec(ctx, fmt.Sprintf(statement, quoted...))
	return err
}

func (d *database) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return d.held.Close(ctx)
}
