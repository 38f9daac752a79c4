package main

import (
	"context"
	_ "embed"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
)

const periodID, snapshotID = "monthly-2026-01", 1

//go:embed seed.sql
var seedSQL string

//go:embed by_hand.sql
var byHandSQL string

// company is what is calculated. Quota, cap and draw grow with what each person sells.
type company struct{ people, deals int }

func (c company) quota() int { return 1000 * c.deals / c.people }
func (c company) cap() int   { return c.quota() * 7 / 100 }
func (c company) draw() int  { return c.quota() * 11 / 200 }

func (c company) plan() string {
	return fmt.Sprintf(`language: 1
plan: sales
name: Sales
currency: USD
reads: {transaction: {product: text}}
components:
  - {name: commission, measure: {sum: credits}, rate_table: {on: attainment, quota: bookings, tiers: [{up_to: 100%%, rate: 5%%}, {rate: 8%%}]}, cap: %d}
  - {name: override, override: {level: 1}, measure: {sum: credits}, rate: 1%%}
  - {name: spif, measure: {sum: credits, where: transaction.product == "spark"}, ranking: {on: amount, prizes: [5000, 2500, 1000], ties: share}}
draw: {amount: %d, kind: recoverable, recover_at_most: 500}
`, c.cap(), c.draw())
}

// fill puts the company's figures into SQL.
func (c company) fill(sql string) string {
	return strings.NewReplacer("@people", strconv.Itoa(c.people), "@deals", strconv.Itoa(c.deals), "@quota", strconv.Itoa(c.quota()), "@cap", strconv.Itoa(c.cap()), "@draw", strconv.Itoa(c.draw()),
		"@plan", "'"+strings.ReplaceAll(c.plan(), "'", "''")+"'").Replace(sql)
}

// seed writes the company, with its snapshot, past the store.
func (c company) seed(ctx context.Context, connection *pgx.Conn) error {
	if _, err := connection.PgConn().Exec(ctx, c.fill(seedSQL)).ReadAll(); err != nil {
		return fmt.Errorf("seed the company: %w", err)
	}
	if _, err := connection.Exec(ctx, `VACUUM ANALYZE`); err != nil {
		return fmt.Errorf("seed the company: %w", err)
	}
	return nil
}

// calculated is what the engine took.
type calculated struct {
	shards                      int
	begun, measured, calculated time.Duration // each phase
	finished                    time.Duration
	runID                       int64
}

// calculate takes the period from its snapshot to its run as a worker does, as many shards
// at a time as there are processors.
func calculate(ctx context.Context, s *store.Store, creditsPerShard int) (took calculated, err error) {
	began := time.Now()
	lap := func() time.Duration {
		d := time.Since(began)
		began = time.Now()
		return d
	}
	begun, err := s.BeginRun(ctx, snapshotID, creditsPerShard)
	if err != nil {
		return took, err
	}
	if begun.RunID == 0 {
		if begun, err = s.DivideRun(ctx, snapshotID, 1); err != nil {
			return took, err
		}
	}
	took.shards, took.runID, took.begun = begun.Shards, begun.RunID, lap()
	each := func(do func(ctx context.Context, of store.Sharding, snapshotID int64, shard int) error) error {
		shards, ctx := errgroup.WithContext(ctx)
		shards.SetLimit(runtime.GOMAXPROCS(0))
		for shard := range begun.Shards {
			shards.Go(func() error { return do(ctx, begun, snapshotID, shard) })
		}
		return shards.Wait()
	}
	if err := each(s.MeasureShard); err != nil {
		return took, err
	}
	took.measured = lap()
	if err := each(s.CalculateShard); err != nil {
		return took, err
	}
	took.calculated = lap()
	_, err = s.FinishRun(ctx, store.PeriodCommand{
		PeriodID: periodID,
		Revision: 1,
		Act:      incentive.Calculate,
		Actor:    store.System,
		Key:      fmt.Sprint("run ", begun.RunID),
	}, begun, snapshotID, calculation.EngineVersion)
	took.finished = lap()
	return took, err
}

// makeByHand makes the tables that the SQL by hand writes to, like those of the store.
const makeByHand = `
	SET search_path = guerdon;
	CREATE SCHEMA by_hand;
	CREATE TABLE by_hand.statement (LIKE statement INCLUDING ALL, FOREIGN KEY (participant_id) REFERENCES participant);
	CREATE TABLE by_hand.line (LIKE line INCLUDING ALL, FOREIGN KEY (statement_id) REFERENCES by_hand.statement);
	CREATE TABLE by_hand.contribution (LIKE contribution INCLUDING ALL)`

// byHand does the same in one transaction of SQL.
func (c company) byHand(ctx context.Context, connection *pgx.Conn) error {
	if _, err := connection.PgConn().Exec(ctx, makeByHand).ReadAll(); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	if _, err := connection.PgConn().Exec(ctx, `BEGIN; SET LOCAL work_mem = '256MB'; `+c.fill(byHandSQL)+`; COMMIT`).ReadAll(); err != nil {
		return fmt.Errorf("calculate by hand: %w", err)
	}
	return nil
}

// written is how much there is of a calculation.
type written struct {
	statements, lines, contributions int
	minor                            int64
}

// compare returns how much both have written. Lines that differ in their amount, in how many
// contributions they have, or in what these come to and show, are an error.
func compare(ctx context.Context, connection *pgx.Conn, runID int64) (w written, err error) {
	var n int
	var different []string
	const of = `SELECT st.participant_id, l.component, l.amount_minor, (SELECT row(count(*), coalesce(sum(c.shown_minor), 0), trim_scale(coalesce(sum(c.amount), 0))) FROM %[1]scontribution c WHERE c.line_id = l.id)::text AS parts
		FROM %[1]sstatement st JOIN %[1]sline l ON l.statement_id = st.id`
	engine, hand := fmt.Sprintf(of, "guerdon.")+fmt.Sprintf(" WHERE st.run_id = %d", runID), fmt.Sprintf(of, "by_hand.")
	err = connection.QueryRow(ctx, `SELECT count(*), (SELECT count(*) FROM guerdon.line), (SELECT count(*) FROM guerdon.contribution), sum(total_minor)::bigint FROM guerdon.statement`).
		Scan(&w.statements, &w.lines, &w.contributions, &w.minor)
	if err == nil {
		err = connection.QueryRow(ctx, `WITH engine AS (`+engine+`), hand AS (`+hand+`)
			SELECT count(*), coalesce((array_agg(d::text ORDER BY participant_id, component))[1:4], '{}') FROM (
				(SELECT 'engine' AS of, * FROM (TABLE engine EXCEPT TABLE hand) e) UNION ALL (SELECT 'by hand', * FROM (TABLE hand EXCEPT TABLE engine) h)) d`).Scan(&n, &different)
	}
	if err != nil {
		return w, fmt.Errorf("compare: %w", err)
	}
	if n > 0 {
		return w, fmt.Errorf("lines are not the same, %d of them, such as %s", n, strings.Join(different, " "))
	}
	return w, nil
}
