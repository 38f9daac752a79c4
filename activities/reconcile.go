package activities

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

const (
	// afterDay is how long after its end a day is compared: what was under way then has
	// come to an end.
	afterDay = 3 * time.Hour

	// bankDays is within how many days a bank that answers files has said something of
	// each payment.
	bankDays = 5
)

// NextDay is the day of a rail that is compared next, and how long it is until then. Gone
// says that the rail is not there any more.
type NextDay struct {
	Day  incentive.Date
	Wait time.Duration
	Gone bool
}

// NextReconciliation says which day of a rail is compared next: the one after the last, or
// the latest that can be where there is none.
func (a *Activities) NextReconciliation(ctx context.Context, rail string) (NextDay, error) {
	if _, err := a.Rails.Rail(rail); err != nil {
		return NextDay{Gone: true}, nil
	}
	location, err := a.zone(ctx)
	if err != nil {
		return NextDay{}, err
	}
	last, err := a.Store.LastReconciled(ctx, rail)
	if err != nil {
		return NextDay{}, err
	}
	if last.IsZero() {
		last = incentive.DateOf(a.Now().Add(-afterDay).In(location)).AddDays(-2)
	}
	next := last.AddDays(1)
	return NextDay{Day: next, Wait: max(0, endOf(next, location).Add(afterDay).Sub(a.Now()))}, nil
}

// zone is the company's.
func (a *Activities) zone(ctx context.Context) (*time.Location, error) {
	_, zone, err := a.Store.Company(ctx)
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(zone) // "" is UTC
}

// ReconcileInput names what is compared, and for whom.
type ReconcileInput struct {
	Rail string
	Day  incentive.Date
	By   string
}

// Reconcile compares our record of what a rail did on a day with the rail's own, and keeps
// what they differ in. Of a rail of files it is what banks said on the day.
func (a *Activities) Reconcile(ctx context.Context, in ReconcileInput) (id int64, err error) {
	defer heartbeat(ctx)()
	rail, err := a.Rails.Rail(in.Rail)
	if err != nil {
		return 0, err
	}
	location, err := a.zone(ctx)
	if err != nil {
		return 0, err
	}
	from, until := endOf(in.Day.AddDays(-1), location), endOf(in.Day, location)
	c := comparison{totals: map[incentive.Currency]*store.ReconciliationTotal{}}
	single, called := rail.(payments.SingleRail)
	if called {
		err = a.compareCalls(ctx, &c, single, from, until)
	} else {
		err = a.compareFiles(ctx, &c, rail, from, until)
	}
	if err != nil {
		return 0, err
	}
	transit, err := a.Store.InTransit(ctx, in.Rail)
	if err != nil {
		return 0, err
	}
	for _, t := range transit {
		sums := c.of(t.Currency)
		if sums.InTransit, sums.Submitted = t.InTransit, t.Submitted; t.InTransit != t.Submitted {
			c.differences = append(c.differences, store.RailDifference{
				Kind:       store.LedgerDiffers,
				OurMinor:   &sums.InTransit,
				TheirMinor: &sums.Submitted,
				Currency:   t.Currency,
			})
		}
	}
	totals := make([]store.ReconciliationTotal, 0, len(c.totals))
	for _, currency := range slices.Sorted(maps.Keys(c.totals)) {
		if called {
			// What a rail has left is shown where it says so, and compared with nothing.
			if balance, err := single.Balance(ctx, currency); err == nil {
				c.totals[currency].Available = &balance.Minor
			}
		}
		totals = append(totals, *c.totals[currency])
	}
	kept, err := a.Store.KeepReconciliation(ctx, activity.GetInfo(ctx).WorkflowExecution.RunID, store.Reconciliation{Rail: in.Rail, Day: in.Day, RunBy: in.By, Agreed: c.agreed}, totals, c.differences)
	return kept.ID, err
}

// comparison is what was found so far.
type comparison struct {
	totals      map[incentive.Currency]*store.ReconciliationTotal
	agreed      int
	differences []store.RailDifference
}

// of returns the sums of a currency.
func (c *comparison) of(currency incentive.Currency) *store.ReconciliationTotal {
	if c.totals[currency] == nil {
		c.totals[currency] = &store.ReconciliationTotal{Currency: currency}
	}
	return c.totals[currency]
}

// count adds a payment to the sums of the day: ours, or the rail's.
func (c *comparison) count(ours *store.SentAttempt, theirs *payments.Listed) {
	if ours != nil && (ours.State == store.Confirmed || ours.State == store.ReturnedAttempt) {
		sums := c.of(ours.Amount.Currency)
		sums.Ours, sums.OursMinor = sums.Ours+1, sums.OursMinor+ours.Amount.Minor
	}
	if theirs != nil && theirs.Found() && theirs.State != payments.Refused && theirs.Amount.Currency != "" {
		sums := c.of(theirs.Amount.Currency)
		sums.Theirs, sums.TheirsSum = sums.Theirs+1, sums.TheirsSum+theirs.Amount.Minor
	}
}

// note notes a difference. Either side may be missing.
func (c *comparison) note(kind store.DifferenceKind, ours *store.SentAttempt, theirs *payments.Listed) {
	d := store.RailDifference{Kind: kind}
	if ours != nil {
		d.Reference, d.RailID, d.PayoutID, d.OurState, d.OurMinor, d.Currency = ours.Key, ours.RailID, ours.PayoutID, ours.PayoutState, &ours.Amount.Minor, ours.Amount.Currency
	}
	if theirs != nil {
		d.Reference, d.RailID, d.TheirState = theirs.Reference, cmp.Or(theirs.RailID, d.RailID), string(theirs.State)
		if theirs.Amount.Currency != "" {
			d.TheirMinor, d.Currency = &theirs.Amount.Minor, theirs.Amount.Currency
		}
	}
	c.differences = append(c.differences, d)
}

// pair compares what both sides have of a payment, which stands alike where agree says so.
func (c *comparison) pair(ours *store.SentAttempt, theirs *payments.Listed, agree func(*store.SentAttempt, *payments.Listed) bool) {
	switch {
	case theirs.State != payments.Refused && theirs.Amount != (incentive.Money{}) && theirs.Amount != ours.Amount:
		c.note(store.AmountDiffers, ours, theirs)
	case !agree(ours, theirs):
		c.note(store.StateDiffers, ours, theirs)
	default:
		c.agreed++
	}
}

// compareCalls compares what was sent to a rail on a day with what the rail lists of it;
// what is not in its list is looked up one by one.
func (a *Activities) compareCalls(ctx context.Context, c *comparison, rail payments.SingleRail, from, until time.Time) error {
	theirs := map[string]*payments.Listed{}
	if lister, lists := rail.(payments.Lister); lists {
		err := lister.List(ctx, from, until, func(l payments.Listed) error {
			c.count(nil, &l)
			if l.Reference == "" || theirs[l.Reference] != nil { // a second one under a reference was not asked for either
				c.foreign(&l)
				return nil
			}
			theirs[l.Reference] = &l
			return nil
		})
		if err != nil {
			return askLater(err)
		}
	}
	sent, err := a.Store.SentAttempts(ctx, rail.Name(), from, until)
	if err != nil {
		return err
	}
	ours := map[string]*store.SentAttempt{}
	for i := range sent {
		c.count(&sent[i], nil)
		ours[sent[i].Key] = &sent[i]
	}
	named, err := a.Store.AttemptsNamed(ctx, rail.Name(), slices.Collect(maps.Keys(theirs)), false)
	if err != nil {
		return err
	}
	for i := range named { // sent on another day by our clock
		if ours[named[i].Key] == nil {
			ours[named[i].Key] = &named[i]
		}
	}
	for _, key := range slices.Sorted(maps.Keys(ours)) {
		mine, its := ours[key], theirs[key]
		delete(theirs, key)
		if its == nil && mine.State != store.Rejected && mine.State != store.Intended {
			found, err := rail.Lookup(ctx, key)
			var refused *payments.Error
			switch {
			case errors.As(err, &refused) && refused.Class == payments.Alarm:
				its = &payments.Listed{Reference: key}
			case err != nil:
				return askLater(err)
			case found.Found():
				its = &payments.Listed{Reference: key, Result: found}
			}
			if err := pause(ctx, rail); err != nil {
				return err
			}
		}
		switch {
		case its != nil:
			c.pair(mine, its, standsAlike)
		case mine.State == store.Confirmed || mine.State == store.ReturnedAttempt:
			c.note(store.MissingThere, mine, nil)
		}
	}
	for _, reference := range slices.Sorted(maps.Keys(theirs)) {
		c.foreign(theirs[reference])
	}
	return nil
}

// foreign notes what the rail did and nobody here asked for. What it refused moved nothing.
func (c *comparison) foreign(l *payments.Listed) {
	if l.State != payments.Refused {
		c.note(store.MissingHere, nil, l)
	}
}

// standsAlike reports whether an attempt stands at a rail as it does here.
func standsAlike(ours *store.SentAttempt, theirs *payments.Listed) bool {
	switch theirs.State {
	case payments.Submitted:
		return ours.State == store.Confirmed && ours.PayoutState == "submitted"
	case payments.Paid:
		return ours.State == store.Confirmed && ours.PayoutState == "paid" && (theirs.Reversed == ours.Recalled || theirs.Reversed == ours.Recalled+ours.Recalling)
	case payments.Returned:
		return ours.State == store.ReturnedAttempt
	case payments.Refused:
		return ours.State == store.Rejected
	default:
		return false
	}
}

// compareFiles compares what banks said on a day of payments in files with how these stand,
// and finds those of which a bank that answers has said nothing in bankDays.
func (a *Activities) compareFiles(ctx context.Context, c *comparison, rail payments.Rail, from, until time.Time) error {
	if _, reads := rail.(payments.StatusReader); !reads {
		return nil
	}
	files, err := a.Store.StatusFilesOf(ctx, rail.Name(), from, until)
	if err != nil {
		return err
	}
	theirs := map[string]*payments.Listed{}
	for _, file := range files {
		_, content, err := a.Store.StatusFile(ctx, file)
		if err != nil {
			return err
		}
		said, err := a.said(ctx, rail.Name(), content)
		if err != nil {
			return err
		}
		for _, o := range said {
			if o.PayoutID != "" && o.State != "" { // of a whole file it is said of nothing by itself
				theirs[o.PayoutID] = &payments.Listed{Reference: o.PayoutID, Result: payments.Result{State: payments.State(o.State), Amount: o.Amount}}
			}
		}
	}
	named, err := a.Store.AttemptsNamed(ctx, rail.Name(), slices.Collect(maps.Keys(theirs)), true)
	if err != nil {
		return err
	}
	ours := map[string]*store.SentAttempt{}
	for i := range named {
		ours[named[i].PayoutID] = &named[i]
	}
	for _, reference := range slices.Sorted(maps.Keys(theirs)) {
		its, mine := theirs[reference], ours[reference]
		c.count(mine, its)
		if mine == nil {
			c.foreign(its)
			continue
		}
		c.pair(mine, its, cameTrue)
	}
	if _, silent := rail.(payments.Presumer); silent {
		return nil // whose bank says nothing of what it paid
	}
	sent, err := a.Store.SentAttempts(ctx, rail.Name(), from.AddDate(0, 0, -bankDays), until.AddDate(0, 0, -bankDays))
	if err != nil {
		return err
	}
	for i := range sent {
		if !sent[i].Answered && sent[i].State == store.Confirmed {
			c.note(store.MissingThere, &sent[i], nil)
		}
	}
	return nil
}

// cameTrue reports whether a payment stands as a bank said, or as may have followed.
func cameTrue(ours *store.SentAttempt, theirs *payments.Listed) bool {
	switch theirs.State {
	case payments.Paid:
		return ours.PayoutState == "paid" || ours.State == store.ReturnedAttempt
	case payments.Returned:
		return ours.State == store.ReturnedAttempt
	case payments.Refused:
		return ours.State == store.Rejected || ours.State == store.ReturnedAttempt
	default:
		return ours.State != store.Intended
	}
}

// pause leaves a rail the time that it asks for between two calls.
func pause(ctx context.Context, rail payments.Rail) error {
	wait := time.Duration(0)
	if perSecond := rail.Capabilities().PerSecond; perSecond > 0 {
		wait = time.Duration(float64(time.Second) / perSecond)
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
