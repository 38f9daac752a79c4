package activities

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// several does something for each item, sixteen at a time, and stops at the first failure:
// a period of a large company has more than a thousand queues.
func several[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, item) })
	}
	return group.Wait()
}
