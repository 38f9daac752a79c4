// Package points is the rail that pays points, which participants collect and spend on rewards when
// they like. No money leaves by it: what is owed to somebody is then owed to them as points.
package points

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// Accounts keep what participants collect. *store.Store is one.
type Accounts interface {
	// CollectPoints gives whom a payout pays its amount in points, once for a reference, and
	// returns what was given under that, which may be another amount where it was given before.
	CollectPoints(ctx context.Context, reference, payoutID string, amount incentive.Money) (incentive.Collection, error)
	// Collected returns what was given under a reference.
	Collected(ctx context.Context, reference string) (c incentive.Collection, found bool, err error)
	// EachCollection calls each with what was given from one moment on and before another.
	EachCollection(ctx context.Context, from, until time.Time, each func(incentive.Collection) error) error
	// PointsOutstanding is what all points that were given and not used are worth.
	PointsOutstanding(ctx context.Context, currency incentive.Currency) (incentive.Money, error)
}

// ToDetail is the only detail of a destination: points go to the participant's own account here.
const ToDetail = "product"

// Own is the value of ToDetail.
const Own = "own-points"

// most is what the points of a currency can be worth together, in minor units.
const most = 1_000_000_000_000_000

// Rail pays points.
type Rail struct{ accounts Accounts }

var (
	_ payments.SingleRail = (*Rail)(nil)
	_ payments.Lister     = (*Rail)(nil)
)

// New returns the rail over accounts.
func New(accounts Accounts) *Rail { return &Rail{accounts} }

// Name returns the rail's name.
func (*Rail) Name() string { return incentive.PointsRail }

// Capabilities says that a reference is known for ever, and that points are there at once.
func (*Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{DedupeWindow: 1 << 62, LookupByReference: true, PaidAtOnce: true}
}

// ValidateDestination takes the participant's own account, as there is no other.
func (*Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	if len(d) != 1 || d[ToDetail] != Own {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, "points go to one's own account: the only detail is %q, and it says %q", ToDetail, Own)
	}
	return payments.Destination{ToDetail: Own}, "•", nil
}

// Submit gives points.
func (r *Rail) Submit(ctx context.Context, in payments.Instruction) (payments.Result, error) {
	if err := r.Capabilities().Check(r.Name(), in.Amount); err != nil {
		return payments.Result{}, err
	}
	c, err := r.accounts.CollectPoints(ctx, in.Reference, in.PayoutID, in.Amount)
	if err != nil {
		return payments.Result{}, r.failed(ctx, "give points", err)
	}
	made := result(c)
	return made, made.Matches(r.Name(), in.Amount)
}

// Lookup finds what was given under a reference.
func (r *Rail) Lookup(ctx context.Context, reference string) (payments.Result, error) {
	c, found, err := r.accounts.Collected(ctx, reference)
	if err != nil {
		return payments.Result{}, r.failed(ctx, "look points up", err)
	}
	if !found {
		return payments.Result{State: payments.Absent}, nil
	}
	return result(c), nil
}

// Balance is what accounts can still hold.
func (r *Rail) Balance(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	held, err := r.accounts.PointsOutstanding(ctx, currency)
	if err != nil {
		return incentive.Money{}, r.failed(ctx, "sum points", err)
	}
	return incentive.Money{Minor: most - held.Minor, Currency: currency}, nil
}

// List calls each with what was given in a time.
func (r *Rail) List(ctx context.Context, from, until time.Time, each func(payments.Listed) error) error {
	var stopped error
	err := r.accounts.EachCollection(ctx, from, until, func(c incentive.Collection) error {
		stopped = each(payments.Listed{Reference: c.Reference, Result: result(c)})
		return stopped
	})
	if err != nil && stopped == nil {
		return r.failed(ctx, "list points", err)
	}
	return stopped
}

// ParseEvents refuses every event: nobody tells of points but Guerdon.
func (*Rail) ParseEvents(http.Header, []byte, time.Time) ([]payments.Event, error) {
	return nil, incentive.Errorf(payments.CodeEventRefused, "points are kept here: nobody else tells of them")
}

func result(c incentive.Collection) payments.Result {
	return payments.Result{State: payments.Paid, RailID: c.ID, Amount: c.Amount, At: c.At}
}

// failed is the error of a database that did not answer: what it did is looked up.
func (r *Rail) failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return &payments.Error{Class: payments.Unknown, Rail: r.Name(), Message: "could not " + what, Cause: fmt.Errorf("%s: %w", what, err)}
}
