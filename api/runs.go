package api

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
)

// ListRuns lists the calculations of a period.
func (s *server) ListRuns(ctx context.Context, request spec.ListRunsRequestObject) (spec.ListRunsResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	runs, err := s.Store.Runs(ctx, p.ID, p.Revision)
	answer := spec.ListRuns200JSONResponse{Runs: []spec.Run{}}
	for _, r := range runs {
		one := spec.Run{Id: r.ID, Snapshot: r.SnapshotID, Statements: r.Statements, Totals: []incentive.Money{}, At: r.At, Current: r.Current}
		for _, currency := range slices.Sorted(maps.Keys(r.Totals)) {
			one.Totals = append(one.Totals, incentive.Money{Minor: r.Totals[currency], Currency: currency})
		}
		answer.Runs = append(answer.Runs, one)
	}
	return answer, err
}

// ListDifferences lists whose statements differ between two runs of a period.
func (s *server) ListDifferences(ctx context.Context, request spec.ListDifferencesRequestObject) (spec.ListDifferencesResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Differences(ctx, p, request.Params.From, request.Params.To, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListDifferences200JSONResponse{Differences: []spec.Difference{}}
	for _, d := range all {
		answer.Differences = append(answer.Differences, spec.Difference{Person: d.ParticipantID, Name: d.Name, Before: d.Before, After: d.After})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID })
	return answer, nil
}

// GetDistribution returns how what a run pays is distributed over people, and how that
// differs from another run.
func (s *server) GetDistribution(ctx context.Context, request spec.GetDistributionRequestObject) (spec.GetDistributionResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	run := cmp.Or(value(request.Params.Run), value(p.RunID))
	if run == 0 {
		return nil, incentive.Errorf(incentive.CodeNotFound, "%s has no run yet: it is calculated once it is locked", p.ID)
	}
	all, err := s.Store.Distributions(ctx, p, run, value(request.Params.From))
	if err != nil {
		return nil, err
	}
	answer := spec.GetDistribution200JSONResponse{Currencies: []spec.DistributionOf{}}
	for _, d := range all {
		one := spec.DistributionOf{Currency: string(d.Spread.Lowest.Currency), People: d.People, Spread: shownSpread(d.Spread), Classes: []spec.PayClass{}}
		for _, c := range d.Classes {
			one.Classes = append(one.Classes, spec.PayClass{From: c.From, Below: c.Below, People: c.People})
		}
		if d.Changes != nil {
			bands := shownBands(d.Changes.Bands)
			one.Winners, one.Losers, one.Others, one.Bands = &d.Changes.Winners, &d.Changes.Losers, &d.Changes.Others, &bands
		}
		answer.Currencies = append(answer.Currencies, one)
	}
	return answer, nil
}
