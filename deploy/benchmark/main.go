// Command benchmark measures what a large company takes. Of the calculation it says how long it
// takes beside SQL that somebody wrote by hand for that one plan: it seeds a company, with a
// throwaway PostgreSQL of its own, and calculates it both ways in the same database. Of the
// pages it says how long each takes for somebody of each role. docs/performance.md has results.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	People          int    `default:"20000" help:"How many participants, in five levels of twelve each."`
	Transactions    int    `default:"1000000" help:"How many transactions, every fifth of them split."`
	CreditsPerShard int    `default:"100000" help:"How many credits a shard has."`
	Profile         string `placeholder:"FILE" help:"Write a profile of what the engine's processors do."`
	EngineOnly      bool   `help:"Leave the SQL by hand out."`
}

// Run measures the calculation.
func (o *options) Run(ctx context.Context, say func(line string)) error { return o.run(ctx, say) }

func main() {
	var commands struct {
		Calculation options `cmd:"" default:"withargs" help:"Measure the calculation of a large period beside SQL written by hand."`
		Pages       pages   `cmd:"" help:"Measure every page for somebody of each role."`
	}
	parsed := kong.Parse(&commands, kong.Name("benchmark"), kong.Description("Measure what a large company takes."))
	parsed.BindTo(context.Background(), (*context.Context)(nil))
	if err := parsed.Run(func(line string) { fmt.Println(line) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run measures and says what came of it.
func (o options) run(ctx context.Context, say func(line string)) (err error) {
	d, err := newDatabase(ctx, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	s, connection := d.store, d.connection
	c := company{o.People, o.Transactions}
	began := time.Now()
	if err := c.seed(ctx, connection); err != nil {
		return err
	}
	say(fmt.Sprintf("%d participants, %d transactions, seeded in %s; %d processors", o.People, o.Transactions, round(time.Since(began)), runtime.GOMAXPROCS(0)))

	database, err := backendsOf(ctx, connection)
	if err != nil {
		return err
	}
	if o.Profile != "" {
		file, err := os.Create(o.Profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
	}
	m := begin(database)
	took, err := calculate(ctx, s, o.CreditsPerShard)
	if err != nil {
		return err
	}
	engine := m.end()
	pprof.StopCPUProfile()
	say(fmt.Sprintf("engine: %s; of processors %s by the engine, %s by PostgreSQL; %d MB resident at most", round(engine.wall), round(engine.own), round(engine.database), engine.resident>>20))
	say(fmt.Sprintf("        %d shards: divided in %s, measured in %s, calculated and written in %s, made a run in %s", took.shards, round(took.begun), round(took.measured), round(took.calculated), round(took.finished)))
	if o.EngineOnly {
		return nil
	}
	m = begin(database)
	if err := c.byHand(ctx, connection); err != nil {
		return err
	}
	hand := m.end()
	say(fmt.Sprintf("by hand: %s; of processors %s by PostgreSQL", round(hand.wall), round(hand.database)))
	w, err := compare(ctx, connection, took.runID)
	if err != nil {
		return err
	}
	say(fmt.Sprintf("both have the same %d statements, %d lines and %d contributions, to the cent", w.statements, w.lines, w.contributions))
	say(fmt.Sprintf("engine / by hand: %.2f of time, %.2f of processors", ratio(engine.wall, hand.wall), ratio(engine.own+engine.database, hand.own+hand.database)))
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
