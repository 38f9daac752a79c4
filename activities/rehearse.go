package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// Rehearsed is what the release of a payout list would do on one rail in one currency.
type Rehearsed struct {
	Rail      string
	Total     incentive.Money // of Payouts
	Payouts   int             // that would be sent
	File      *payments.File  // that would be built; nil where the rail is called payout by payout
	Available *incentive.Money
	Problem   string // the code of why nothing could be sent now; "" where nothing is in the way
	Refused   []RehearsedRefusal
}

// RehearsedRefusal is a payout that would become an exception, and why.
type RehearsedRefusal struct {
	Payout  store.Payout
	Message string
}

// Rehearse does what a release would do with the payouts of a list that is not released, and
// sends nothing: files are built and thrown away, amounts and destinations checked, and each
// rail asked what it holds. With a rail and a currency it does so with their payouts alone.
func Rehearse(ctx context.Context, s *store.Store, rails payments.Registry, periodID string, revision int, rail, currency string) ([]Rehearsed, error) {
	payouts, err := s.UnreleasedPayouts(ctx, periodID, revision, rail, currency)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(payouts))
	for i, o := range payouts {
		ids[i] = o.DestinationID
	}
	destinations, err := s.Destinations(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []Rehearsed
	for len(payouts) > 0 {
		together := 1
		for together < len(payouts) && payouts[together].Rail == payouts[0].Rail && payouts[together].Amount.Currency == payouts[0].Amount.Currency {
			together++
		}
		one, err := rehearse(ctx, rails, payouts[:together], destinations)
		if err != nil {
			return nil, err
		}
		all, payouts = append(all, one), payouts[together:]
	}
	return all, nil
}

// rehearse does so with payouts of one rail and currency.
func rehearse(ctx context.Context, rails payments.Registry, payouts []store.Payout, destinations map[int64]store.Destination) (Rehearsed, error) {
	currency := payouts[0].Amount.Currency
	r := Rehearsed{Rail: payouts[0].Rail, Total: incentive.Money{Currency: currency}}
	rail, err := rails.Rail(r.Rail)
	if err != nil {
		r.Problem = string(incentive.ErrorCode(err))
		return r, nil
	}
	byID := map[string]store.Payout{}
	request := payments.FileRequest{PeriodID: payouts[0].PeriodID, Revision: payouts[0].Revision, Currency: currency}
	for _, o := range payouts {
		byID[o.ID] = o
		_, _, err := rail.ValidateDestination(destinations[o.DestinationID].Details)
		if err == nil {
			err = rail.Capabilities().Check(r.Rail, o.Amount)
		}
		if err != nil {
			r.Refused = append(r.Refused, RehearsedRefusal{o, refusal(err)})
			continue
		}
		r.Payouts++
		r.Total.Minor += o.Amount.Minor
		request.Payments = append(request.Payments, payments.FilePayment{PayoutID: o.ID, Amount: o.Amount, Destination: destinations[o.DestinationID].Details})
	}
	if files, err := rails.File(r.Rail); err == nil {
		file, refused, err := build(ctx, files, request)
		switch {
		case payments.ClassOf(err).Handling().StopRun:
			r.Problem = codeOf(err)
		case err != nil:
			return r, fmt.Errorf("rehearse the file of %s: %w", r.Rail, err)
		}
		for _, one := range refused {
			o := byID[one.PayoutID]
			r.Payouts--
			r.Total.Minor -= o.Amount.Minor
			r.Refused = append(r.Refused, RehearsedRefusal{o, one.Message})
		}
		if file.Count > 0 {
			r.File = &file
		}
		return r, nil
	}
	single, err := rails.Single(r.Rail)
	if err != nil {
		return r, err
	}
	available, err := balance(ctx, single, currency)
	switch {
	case err != nil:
		r.Problem = codeOf(err)
	case available != nil && available.Minor < r.Total.Minor:
		r.Available, r.Problem = available, string(store.CodeBalanceSmall)
	default:
		r.Available = available
	}
	return r, nil
}

// refusal is what an error says to people.
func refusal(err error) string {
	var detail *payments.Error
	if errors.As(err, &detail) {
		return detail.Message
	}
	return incentive.ErrorMessage(err)
}
