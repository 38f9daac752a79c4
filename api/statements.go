package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
)

// visible returns whose records the caller may see in a period: nil for everybody's. What
// is not published yet is seen by those who may see everything.
func (s *server) visible(ctx context.Context, p store.PeriodRevision) ([]string, error) {
	scope := scopeOf(ctx)
	if scope != incentive.All && !slices.Contains([]incentive.State{incentive.Published, incentive.Approving, incentive.Approved, incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed}, p.State) {
		return []string{}, nil
	}
	return s.Store.Visible(ctx, personOf(ctx).ID, scope, p.EndsOn)
}

// ListStatements lists the statements that the caller may see.
func (s *server) ListStatements(ctx context.Context, request spec.ListStatementsRequestObject) (spec.ListStatementsResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	seen, err := s.visible(ctx, p)
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Statements(ctx, p.ID, p.Revision, seen, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListStatements200JSONResponse{Statements: []spec.StatementSummary{}}
	for _, one := range all {
		answer.Statements = append(answer.Statements, spec.StatementSummary{Person: one.ParticipantID, Name: one.Name, Total: one.TotalOf, Digest: fmt.Sprintf("%x", one.Digest)})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID })
	return answer, nil
}

// GetStatement returns a statement with the reason for every cent.
func (s *server) GetStatement(ctx context.Context, request spec.GetStatementRequestObject) (spec.GetStatementResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	seen, err := s.visible(ctx, p)
	if err != nil {
		return nil, err
	}
	if seen != nil && !slices.Contains(seen, request.Person) {
		return nil, incentive.Errorf(incentive.CodeNotFound, "there is no statement of %q in %s that you may see", request.Person, p.ID)
	}
	one, err := s.Store.Statement(ctx, p.ID, p.Revision, request.Person)
	if err != nil {
		return nil, err
	}
	answer := spec.GetStatement200JSONResponse{Period: p.ID, Revision: p.Revision, Person: one.ParticipantID, Name: one.Name, Total: one.TotalOf, Digest: fmt.Sprintf("%x", one.Digest), Lines: []spec.Line{}}
	for _, line := range one.Lines {
		explained, err := calculation.ReadExplanation(line)
		if err != nil {
			return nil, err
		}
		words := []string{}
		for _, step := range explained.Steps {
			words = append(words, step.String())
		}
		shown := spec.Line{Plan: line.PlanID, PlanVersion: line.PlanVersion, Component: line.Component, Unrounded: line.Unrounded.String(), Amount: line.Amount,
			InWords: words, Explanation: line.Explanation, Contributions: []spec.Contribution{}}
		for _, c := range line.Contributions {
			shown.Contributions = append(shown.Contributions, spec.Contribution{Source: c.Transaction.Source, Transaction: c.Transaction.ID, Person: c.ParticipantID, Role: c.Role,
				Credited: c.Credited.String(), Amount: c.Amount.String(), Shown: c.Shown})
		}
		answer.Lines = append(answer.Lines, shown)
	}
	return answer, nil
}
