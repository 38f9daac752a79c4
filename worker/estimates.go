package worker

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/store"
)

const (
	// longestRest is how long estimates rest at most, as a day may end meanwhile.
	longestRest = 30 * time.Second
	// afterFailure is how long they rest when the database did not answer.
	afterFailure = time.Second
)

// keepEstimates keeps the estimates of open periods up to date until ctx ends. What touches
// them stands in the database, so that whoever comes next goes on where this one ends.
func (c Config) keepEstimates(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.refreshEstimates(ctx); err != nil && ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "estimates could not be calculated", "error", err)
			rest(ctx, afterFailure)
		}
	}
}

// refreshEstimates refreshes whenever something changes, until something goes wrong.
func (c Config) refreshEstimates(ctx context.Context) error {
	touched, err := c.Store.Listen(ctx, store.ChannelTouched)
	if err != nil {
		return err
	}
	defer touched.Close()
	for {
		done, next, err := c.Store.RefreshEstimates(ctx, time.Now())
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		pause := longestRest
		if !next.IsZero() {
			pause = min(pause, max(time.Until(next), time.Millisecond))
		}
		waiting, cancel := context.WithTimeout(ctx, pause)
		_, err = touched.Wait(waiting)
		over := waiting.Err() != nil
		cancel()
		if err != nil && !over {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// rest waits for a while, or until ctx ends.
func rest(ctx context.Context, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
