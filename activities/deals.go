package activities

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// RemindOfDeals reminds whoever decides about entered deals, and finance of proposed reliefs, that
// have waited for long, and returns how long it is until the company's next day.
func (a *Activities) RemindOfDeals(ctx context.Context) (time.Duration, error) {
	_, zone, err := a.Store.Company(ctx)
	if err != nil {
		return 0, err
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return 0, err
	}
	today := incentive.DateOf(a.Now().In(location))
	if err := a.Store.RemindOfDeals(ctx, today); err != nil {
		return 0, err
	}
	if err := a.Store.RemindOfReliefs(ctx, today); err != nil {
		return 0, err
	}
	return max(endOf(today, location).Sub(a.Now()), time.Minute), nil
}
