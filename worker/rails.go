package worker

import (
	"context"
	"slices"

	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// following is how far a worker has followed the rails that there are.
type following struct {
	Config
	begin func(rail string) // has the rail's queue worked on

	begun map[string]bool
	there []string // when it was last looked
}

// look begins with each rail that was not there before: its queue is worked on, and it is compared day by day. The
// comparison of a rail that was away has ended; its queue has not.
func (f *following) look(ctx context.Context) error {
	names := f.Rails.Names()
	for _, rail := range names {
		if !f.begun[rail] {
			f.begun[rail] = true
			f.begin(rail)
		}
	}
	for _, rail := range names {
		if slices.Contains(f.there, rail) {
			continue
		}
		if err := workflows.StartReconciliation(ctx, f.Client, rail); err != nil {
			return err
		}
	}
	f.there = names
	return nil
}

// keep follows the rails until ctx ends, as the company's settings may make others.
func (f *following) keep(ctx context.Context) {
	for ctx.Err() == nil {
		if err := f.follow(ctx); err != nil && ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "could not begin with a rail", "error", err)
			rest(ctx, afterFailure)
		}
	}
}

// follow looks again whenever the company's settings change, until something goes wrong.
func (f *following) follow(ctx context.Context) error {
	acts, err := f.Store.Listen(ctx, store.ChannelAudited)
	if err != nil {
		return err
	}
	defer acts.Close()
	for ctx.Err() == nil {
		if err := f.look(ctx); err != nil {
			return err
		}
		if err := until(ctx, acts, func(subject string) bool { return subject == store.CompanySubject }); err != nil {
			return err
		}
	}
	return nil
}
