package activities

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// A rail is away when so many calls in a row, for so many payouts at least, were not answered.
// A single payout that a rail cannot answer about is an exception of its own, and so is what
// has not been answered for awayLongest: a rail that is away for longer stops for newer ones.
const (
	awayCalls   = 10
	awayPayouts = 3
	awayLongest = 2 * time.Hour
)

// breaker counts for each rail the calls in a row that were not answered. Each worker counts
// its own. The zero breaker has counted none.
type breaker struct {
	mu   sync.Mutex
	lost map[string]*unanswered
}

type unanswered struct {
	calls   int
	payouts map[string]bool
}

// note notes how a call for a payout ended, first made at a time, and reports whether the rail
// is away. It then begins to count anew.
func (b *breaker) note(rail, payoutID string, since, now time.Time, err error) (away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case payments.ClassOf(err) != payments.Unknown:
		delete(b.lost, rail)
		return false
	case errors.Is(err, context.Canceled) || now.Sub(since) > awayLongest:
		return false
	}
	if b.lost == nil {
		b.lost = map[string]*unanswered{}
	}
	row := b.lost[rail]
	if row == nil {
		row = &unanswered{payouts: map[string]bool{}}
		b.lost[rail] = row
	}
	row.calls++
	row.payouts[payoutID] = true
	if away = row.calls >= awayCalls && len(row.payouts) >= awayPayouts; away {
		delete(b.lost, rail)
	}
	return away
}

// noted notes how a call for an attempt ended.
func (a *Activities) noted(attempt store.BegunAttempt, err error) (away bool) {
	since := a.Now()
	if attempt.SentAt != nil {
		since = *attempt.SentAt
	}
	return a.breaker.note(attempt.Order.Rail, attempt.PayoutID, since, a.Now(), err)
}

// Probe asks a rail that was away something that costs nothing, and lets what it is to pay of
// a revision go on where it answers.
func (a *Activities) Probe(ctx context.Context, periodID string, revision int, name string) error {
	defer heartbeat(ctx)()
	if rail, err := a.Rails.Single(name); err == nil {
		reference, err := a.Store.LostAttempt(ctx, periodID, revision, name)
		if err != nil {
			return err
		}
		if reference != "" {
			_, err = rail.Lookup(ctx, reference)
		} else {
			_, err = a.cannotSend(ctx, periodID, revision, name)
		}
		if err != nil && payments.ClassOf(err).Handling().Retry {
			return nil // it is asked again
		}
	}
	return a.Store.ResumeRail(ctx, periodID, revision, name)
}
