package points_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/payments/railtest"
)

// kept are accounts in memory. Those in PostgreSQL are held to the same in package store.
type kept struct {
	sync.Mutex
	all []incentive.Collection
}

func (k *kept) CollectPoints(ctx context.Context, reference, _ string, amount incentive.Money) (incentive.Collection, error) {
	if c, found, err := k.Collected(ctx, reference); found || err != nil {
		return c, err
	}
	k.Lock()
	defer k.Unlock()
	for _, c := range k.all {
		if c.Reference == reference {
			return c, nil
		}
	}
	k.all = append(k.all, incentive.Collection{ID: strconv.Itoa(len(k.all) + 1), Reference: reference, Amount: amount, At: time.Unix(1_800_000_000, 0)})
	return k.all[len(k.all)-1], nil
}

func (k *kept) Collected(ctx context.Context, reference string) (incentive.Collection, bool, error) {
	k.Lock()
	defer k.Unlock()
	for _, c := range k.all {
		if c.Reference == reference {
			return c, true, ctx.Err()
		}
	}
	return incentive.Collection{}, false, ctx.Err()
}

func (k *kept) EachCollection(ctx context.Context, from, until time.Time, each func(incentive.Collection) error) error {
	k.Lock()
	all := append([]incentive.Collection{}, k.all...)
	k.Unlock()
	for _, c := range all {
		if !c.At.Before(from) && c.At.Before(until) {
			if err := each(c); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (k *kept) PointsOutstanding(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	k.Lock()
	defer k.Unlock()
	sum := incentive.Money{Currency: currency}
	for _, c := range k.all {
		sum.Minor += c.Amount.Minor
	}
	return sum, ctx.Err()
}

func TestContract(t *testing.T) {
	t.Parallel()
	accounts := &kept{}
	railtest.RunSuite(t, railtest.Subject{
		Rail: points.New(accounts), Currency: "USD", Good: payments.Destination{points.ToDetail: points.Own},
		Bad: []payments.Destination{{points.ToDetail: "somebody-else"}, {"account": "12345678"}},
		Paid: func(reference string) (times int) {
			accounts.Lock()
			defer accounts.Unlock()
			for _, c := range accounts.all {
				if c.Reference == reference {
					times++
				}
			}
			return times
		},
	})
}
