package activities

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/payments"
)

// sweepBefore is how long before what was last sent a rail's list is looked through, as its
// clock may be another.
const sweepBefore = time.Hour

// Sweep looks through what a rail has done since the last payment on record. Where it has
// payments by references of ours that are not on record, the database is older than they are,
// and nothing is sent any more. A rail that lists nothing, or does not answer for good, is not
// swept: nothing can be sent by the latter.
func (a *Activities) Sweep(ctx context.Context, name string) error {
	rail, err := a.Rails.Rail(name)
	if err != nil {
		return err
	}
	lister, lists := rail.(payments.Lister)
	since, err := a.Store.LastSent(ctx, name)
	if err != nil || !lists || since.IsZero() {
		return err
	}
	var references []string
	err = lister.List(ctx, since.Add(-sweepBefore), a.Now().Add(sweepBefore), func(l payments.Listed) error {
		if l.Reference != "" && l.State != payments.Refused {
			references = append(references, l.Reference)
		}
		return nil
	})
	if err != nil && payments.ClassOf(err).Handling().Retry {
		return err
	}
	unknown, err := a.Store.NotOnRecord(ctx, name, references)
	if err != nil || unknown == 0 {
		return err
	}
	return a.Store.LockSending(ctx, name, unknown)
}
