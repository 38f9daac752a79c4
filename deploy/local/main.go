// Command local runs all of Guerdon in one process tree: PostgreSQL, the Temporal server
// on it, Temporal's Web UI, the API, the worker, a stand-in for Stripe, and a generated
// sample company. It is for trying Guerdon out; production runs cmd/guerdon.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/guerdon/guerdon/incentive"
)

type options struct {
	DataDirectory   string `help:"Where everything is kept. Default: guerdon in the user's data directory; /var/lib/guerdon for root." placeholder:"DIR"`
	APIPort         int    `default:"8080" help:"Port of the API; 0 is any free one."`
	TemporalPort    int    `default:"7233" help:"Port of the Temporal server; 0 is any free one."`
	UIPort          int    `default:"8233" help:"Port of Temporal's Web UI; 0 is any free one, -1 is no Web UI."`
	Empty           bool   `help:"Start with an empty company: no sample people, and nobody to sign in as but an administrator."`
	DatabaseURL     string `env:"DATABASE_URL" placeholder:"URL" help:"Use this PostgreSQL and start none."`
	TemporalAddress string `env:"TEMPORAL_ADDRESS" placeholder:"HOST:PORT" help:"Use this Temporal server, with a namespace guerdon, and start none."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("local"), kong.Description("Guerdon with all it needs, in one command. Ctrl-C stops it; the next start finds the data again."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	if err := run(ctx, o, os.Stdout); err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil) {
		if incentive.ErrorCode(err) == incentive.CodeInternal {
			fmt.Fprintf(os.Stderr, "\nGuerdon cannot go on: %v\n", err)
		} else {
			fmt.Fprintf(os.Stderr, "\n%s\n", incentive.ErrorMessage(err))
		}
		os.Exit(1)
	}
}
