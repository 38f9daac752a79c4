// Command faults pays period after period in a house of real processes, while those are
// killed and rails and banks fail in every way that is known, and checks after each that
// everybody was paid exactly once. docs/reliability.md says more.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/guerdon/guerdon/deploy/local/processes"
)

type options struct {
	Cycles   int           `default:"300" help:"How many periods to pay."`
	Seed     uint64        `help:"What the plans are drawn from; any when absent."`
	From     int           `default:"1" help:"The number of the first cycle: --from N --cycles 1 plays cycle N of a seed again."`
	House    int           `default:"18" help:"How many cycles a house sees before a new one is built: 18 at most, as each may build two ACH files by a rail, of which a bank takes 36 a day."`
	Evidence string        `default:"/tmp/guerdon-faults" help:"Where what is left of a cycle that failed is kept."`
	Limit    time.Duration `default:"3m" help:"How long a cycle may take."`
	Plan     bool          `help:"Print what is planned, and do nothing."`
	Verbose  bool          `help:"Print the logbook of each cycle."`
}

// mostCycles of a house leave room for its ACH files among the 36 that a bank takes a day.
const mostCycles = 18

func main() {
	processes.RunIfAsked()
	var o options
	kong.Parse(&o, kong.Name("faults"), kong.Description("Pays periods while processes are killed and rails fail, and checks that everybody is paid exactly once."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, func(format string, arguments ...any) { fmt.Printf(format+"\n", arguments...) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run plays the cycles and says how each went. Its error is of those that failed.
func run(ctx context.Context, o options, say func(format string, arguments ...any)) error {
	if o.House < 1 || o.House > mostCycles {
		return fmt.Errorf("a house sees 1 to %d cycles", mostCycles)
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(1 << 32)
	}
	if o.Plan {
		for n := range o.Cycles {
			say("%s", written(draw(o.Seed, o.From+n)))
		}
		return nil
	}
	say("%d cycles from %d, seed %d", o.Cycles, o.From, o.Seed)
	began, failed, sum := time.Now(), 0, tally{}
	var w *world
	defer func() { w.leave() }()
	for n := range o.Cycles {
		if ctx.Err() != nil {
			break
		}
		number := o.From + n
		p := draw(o.Seed, number)
		err := error(nil)
		if w == nil {
			if w, err = build(ctx, o); err != nil {
				return fmt.Errorf("build a house: %w", err)
			}
		}
		started := time.Now()
		done, err := w.cycle(ctx, p)
		if err == nil && ((n+1)%o.House == 0 || n+1 == o.Cycles) {
			err = w.compared(ctx)
		}
		sum.add(done)
		if o.Verbose {
			say("%s", w.log)
		}
		if err == nil {
			say("cycle %d: %s (%.1f s)", number, done, time.Since(started).Seconds())
			if (n+1)%o.House == 0 {
				w.leave()
				w = nil
			}
			continue
		}
		if ctx.Err() != nil {
			break
		}
		failed++
		at, kept := w.keep(o, p, err)
		w = nil
		say("cycle %d FAILED after %.1f s: %v\n  %s\n  again: go run ./deploy/faults --seed %d --from %d --cycles 1", number, time.Since(started).Seconds(), err, errors.Join(kept, errors.New("evidence: "+at)), o.Seed, number)
	}
	say("%d cycles in %.0f s, seed %d, %d failed: %s", sum.cycles, time.Since(began).Seconds(), o.Seed, failed, sum)
	if failed > 0 {
		return fmt.Errorf("%d of %d cycles failed", failed, sum.cycles)
	}
	return ctx.Err()
}
