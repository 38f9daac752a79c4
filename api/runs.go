package api

import (
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
