package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
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
		answer.Runs = append(answer.Runs, spec.Run{Id: r.ID, Snapshot: r.SnapshotID, Statements: r.Statements, At: r.At, Current: r.Current})
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
