package api

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// balanceWait is how long a rail has to say what it holds.
const balanceWait = 4 * time.Second

// ListRails lists the rails, also those that are not set up here.
func (s *server) ListRails(ctx context.Context, _ spec.ListRailsRequestObject) (spec.ListRailsResponseObject, error) {
	lock, err := s.Store.SendingLock(ctx)
	if err != nil {
		return nil, err
	}
	answer := spec.ListRails200JSONResponse{Rails: []spec.Rail{}, SendingLocked: lock != nil}
	names := s.Rails.Names()
	for _, known := range payments.Known {
		if !slices.Contains(names, known) {
			names = append(names, known)
		}
	}
	for _, name := range names {
		one, err := s.rail(ctx, name)
		if err != nil {
			return nil, err
		}
		answer.Rails = append(answer.Rails, one)
	}
	return answer, nil
}

// rail says what is known of a rail without asking it.
func (s *server) rail(ctx context.Context, name string) (spec.Rail, error) {
	one := spec.Rail{Rail: name, Stops: []spec.StoppedRail{}}
	rail, err := s.Rails.Rail(name)
	if incentive.ErrorCode(err) == payments.CodeRailUnknown {
		return one, nil
	}
	if err != nil {
		return one, err
	}
	can := rail.Capabilities()
	one.SetUp, one.File, one.Test, one.LeadDays, one.KeyHours = true, can.File, can.Test, orNil(can.LeadDays), orNil(int(can.DedupeWindow.Hours()))
	if can.Currencies != nil {
		currencies := textsOf(can.Currencies)
		one.Currencies = &currencies
	}
	one.Smallest, one.Largest = amountsOf(can.Smallest), amountsOf(can.Largest)
	if can.PerSecond > 0 {
		rate := decimal.NewFromFloat(can.PerSecond).String()
		one.PerSecond = &rate
	}
	history, err := s.Store.RailLimits(ctx, name, 1)
	if err != nil {
		return one, err
	}
	for _, l := range history {
		limits := limitsOf(l)
		one.Limits = &limits
	}
	stops, err := s.Store.StoppedRails(ctx, name)
	if err != nil {
		return one, err
	}
	for _, stop := range stops {
		one.Stops = append(one.Stops, spec.StoppedRail{Period: stop.PeriodID, Revision: stop.Revision, Code: stop.Code, At: stop.At})
	}
	compared, err := s.Store.Reconciliations(ctx, store.WhichReconciliations{Rail: name}, 0, 1)
	if err != nil {
		return one, err
	}
	for _, r := range compared {
		one.Compared = &spec.RailCompared{Id: r.ID, Day: r.Day, At: r.RunAt, Open: r.Open}
	}
	return one, nil
}

// amountsOf writes amounts by currency; nil where there are none.
func amountsOf(minor map[incentive.Currency]int64) *[]incentive.Money {
	if len(minor) == 0 {
		return nil
	}
	all := []incentive.Money{}
	for _, currency := range slices.Sorted(maps.Keys(minor)) {
		all = append(all, incentive.Money{Minor: minor[currency], Currency: currency})
	}
	return &all
}

func limitsOf(l store.RailLimits) spec.RailLimits {
	limits := spec.RailLimits{Version: l.Version, SetBy: l.SetBy, SetAt: l.SetAt, Reason: l.Reason}
	if l.PerSecond != nil {
		rate := l.PerSecond.String()
		limits.PerSecond = &rate
	}
	if len(l.Largest) > 0 {
		limits.Largest = &l.Largest
	}
	return limits
}

// GetRail says what is known of a rail, and asks it what it holds.
func (s *server) GetRail(ctx context.Context, request spec.GetRailRequestObject) (spec.GetRailResponseObject, error) {
	rail, err := s.Rails.Rail(request.Rail)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeNotFound, "the rail %q is not set up here", request.Rail)
	}
	answer := spec.GetRail200JSONResponse{Balances: []spec.RailBalance{}, History: []spec.RailLimits{}}
	if answer.Rail, err = s.rail(ctx, request.Rail); err != nil {
		return nil, err
	}
	history, err := s.Store.RailLimits(ctx, request.Rail, 100)
	if err != nil {
		return nil, err
	}
	for _, l := range history {
		answer.History = append(answer.History, limitsOf(l))
	}
	single, is := rail.(payments.SingleRail)
	if !is {
		return answer, nil
	}
	currencies := rail.Capabilities().Currencies
	if currencies == nil {
		if currencies, err = s.Store.CurrenciesOf(ctx, request.Rail); err != nil {
			return nil, err
		}
	}
	answer.Balances = balances(ctx, single, currencies)
	return answer, nil
}

// balances asks a rail what it holds in each currency, all at once, and leaves out those in which it holds none and
// converts from another.
func balances(ctx context.Context, rail payments.SingleRail, currencies []incentive.Currency) []spec.RailBalance {
	ctx, cancel := context.WithTimeout(ctx, balanceWait)
	defer cancel()
	all := make([]spec.RailBalance, len(currencies))
	var asking sync.WaitGroup
	for i, currency := range currencies {
		asking.Go(func() {
			all[i].Currency = string(currency)
			available, err := rail.Balance(ctx, currency)
			if err == nil {
				all[i].Available = &available
				return
			}
			code := "unavailable"
			if is := (*payments.Error)(nil); errors.As(err, &is) && is.Code != "" {
				code = is.Code
			}
			all[i].Code = &code
		})
	}
	asking.Wait()
	return slices.DeleteFunc(all, func(b spec.RailBalance) bool { return b.Code != nil && *b.Code == payments.CurrencyNotHeld })
}

// PutRailLimits says what a rail may do from now on.
func (s *server) PutRailLimits(ctx context.Context, request spec.PutRailLimitsRequestObject) (spec.PutRailLimitsResponseObject, error) {
	rail, err := s.Rails.Rail(request.Rail)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeNotFound, "the rail %q is not set up here", request.Rail)
	}
	limits := store.RailLimits{Rail: request.Rail, Largest: value(request.Body.Largest)}
	if text := value(request.Body.PerSecond); text != "" {
		rate, err := decimal.NewFromString(text)
		if err != nil {
			return nil, incentive.Errorf(incentive.CodeInvalid, "%q is not a number of calls a second: write one such as 12.5", text)
		}
		if rail.Capabilities().File {
			return nil, incentive.Errorf(incentive.CodeInvalid, "the rail %q pays by file: nothing is called that could be limited", request.Rail)
		}
		limits.PerSecond = &rate
	}
	if err := limits.Check(); err != nil {
		return nil, err
	}
	actor := personOf(ctx).ID
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	kept, err := s.Store.SetRailLimits(ctx, actor, limits, reasonID)
	return spec.PutRailLimits200JSONResponse(limitsOf(kept)), err
}
