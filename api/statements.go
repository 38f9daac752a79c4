package api

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
)

// seen returns a revision of a period and whose records the caller may see in it, of one person
// or ("") of all: nil for everybody's. What is not published yet is seen by those who may see everything; while
// a period that was reopened is not, the others see the revision that stands.
func (s *server) seen(ctx context.Context, periodID string, revision *int, person string) (store.PeriodRevision, []string, error) {
	p, err := s.Store.PeriodRevision(ctx, periodID, value(revision))
	if err != nil {
		return p, nil, err
	}
	scope := scopeOf(ctx)
	if scope != incentive.All && !published(p.State) && revision == nil {
		stands, err := s.Store.StandingRevision(ctx, periodID)
		switch {
		case err == nil:
			p = stands
		case incentive.ErrorCode(err) != incentive.CodeNotFound:
			return p, nil, err
		}
	}
	if scope != incentive.All && !published(p.State) {
		return p, []string{}, nil
	}
	people, err := s.visibleOf(ctx, p.EndsOn, person)
	return p, people, err
}

func published(state incentive.State) bool {
	return slices.Contains([]incentive.State{incentive.Published, incentive.Approving, incentive.Approved, incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed}, state)
}

// ListStatements lists the statements that the caller may see.
func (s *server) ListStatements(ctx context.Context, request spec.ListStatementsRequestObject) (spec.ListStatementsResponseObject, error) {
	p, seen, err := s.seen(ctx, request.Period, request.Params.Revision, "")
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.FindStatements(ctx, store.WhichStatements{
		PeriodID: p.ID,
		Revision: p.Revision,
		Visible:  seen,
		Listing:  listing(request.Params.Search, request.Params.Sort),
	}, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListStatements200JSONResponse{Statements: []spec.StatementSummary{}}
	for _, one := range all {
		answer.Statements = append(answer.Statements, spec.StatementSummary{
			Person:       one.ParticipantID,
			Name:         one.Name,
			Total:        one.TotalOf,
			PostedBefore: one.Before,
			Difference:   differenceOf(one),
			Digest:       fmt.Sprintf("%x", one.Digest),
		})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID })
	return answer, nil
}

// differenceOf is what a statement posts: its total, less what was posted of it before.
func differenceOf(s store.StoredStatement) incentive.Money {
	return incentive.Money{Minor: s.TotalOf.Minor - s.Before.Minor, Currency: s.Currency}
}

// periodOf returns a revision of a period in which the caller may see somebody's statement.
func (s *server) periodOf(ctx context.Context, person, periodID string, revision *int) (store.PeriodRevision, error) {
	p, seen, err := s.seen(ctx, periodID, revision, person)
	if err == nil && seen != nil && len(seen) == 0 {
		err = incentive.Errorf(incentive.CodeNotFound, "there is no statement of %q in %s that you may see", person, p.ID)
	}
	return p, err
}

// oneSnapshot waits for its turn: a snapshot may be large, so one is taken apart at a time.
// Whoever has it gives it back by reading from proving.
func (s *server) oneSnapshot(ctx context.Context) error {
	select {
	case s.proving <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// GetProof returns the file that proves a statement.
func (s *server) GetProof(ctx context.Context, request spec.GetProofRequestObject) (spec.GetProofResponseObject, error) {
	p, err := s.periodOf(ctx, request.Person, request.Period, request.Params.Revision)
	if err != nil {
		return nil, err
	}
	whole := value(request.Params.Whole)
	if whole && scopeOf(ctx) != incentive.All {
		return nil, incentive.Errorf(incentive.CodeForbidden, "the whole snapshot holds everybody's records, which you may not see: leave whole out")
	}
	if err := s.oneSnapshot(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.proving }()
	f, err := s.Store.Proof(ctx, p, request.Person, whole)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if err := f.Write(&content); err != nil {
		return nil, fmt.Errorf("write the proof of the statement of %s: %w", request.Person, err)
	}
	name := attachment(fmt.Sprintf("%s-%d-%s.proof.json", p.ID, p.Revision, request.Person))
	return spec.GetProof200ApplicationoctetStreamResponse{
		Body:          &content,
		ContentLength: int64(content.Len()),
		Headers:       spec.GetProof200ResponseHeaders{ContentDisposition: &name},
	}, nil
}

// GetStatement returns a statement with the reason for every cent.
func (s *server) GetStatement(ctx context.Context, request spec.GetStatementRequestObject) (spec.GetStatementResponseObject, error) {
	_, shown, err := s.statement(ctx, request.Period, request.Person, request.Params.Revision)
	return spec.GetStatement200JSONResponse(shown), err
}

// statement returns somebody's statement that the caller may see, with its period.
func (s *server) statement(ctx context.Context, periodID, person string, revision *int) (p store.PeriodRevision, answer spec.Statement, err error) {
	if p, err = s.periodOf(ctx, person, periodID, revision); err != nil {
		return p, answer, err
	}
	one, err := s.Store.Statement(ctx, p.ID, p.Revision, person)
	if err != nil {
		return p, answer, err
	}
	answer = spec.Statement{
		Period:       p.ID,
		Revision:     p.Revision,
		Person:       one.ParticipantID,
		Name:         one.Name,
		Total:        one.TotalOf,
		PostedBefore: one.Before,
		Difference:   differenceOf(one),
		Digest:       fmt.Sprintf("%x", one.Digest),
		Lines:        []spec.Line{},
		NotPaid:      []spec.NotPaid{},
	}
	for _, line := range one.Lines {
		words, err := inWords(ctx, line)
		if err != nil {
			return p, answer, err
		}
		name, err := s.planOf(ctx, line)
		if err != nil {
			return p, answer, err
		}
		shown := spec.Line{
			Plan:          line.PlanID,
			PlanName:      name,
			PlanVersion:   line.PlanVersion,
			Component:     line.Component,
			Corrects:      orNil(line.Corrects),
			Unrounded:     line.Unrounded.String(),
			Amount:        line.Amount,
			InWords:       words,
			Explanation:   line.Explanation,
			Contributions: []spec.Contribution{},
		}
		if shown.Achievement, err = achievementOf(line); err != nil {
			return p, answer, err
		}
		for _, c := range line.Contributions {
			shown.Contributions = append(shown.Contributions, spec.Contribution{
				Source:      c.Transaction.Source,
				Transaction: c.Transaction.ID,
				Person:      c.ParticipantID,
				Role:        c.Role,
				Credited:    c.Credited.String(),
				Amount:      c.Amount.String(),
				Shown:       c.Shown,
			})
		}
		answer.Lines = append(answer.Lines, shown)
	}
	unpaid, err := s.Store.NotPaid(ctx, languageOf(ctx), one)
	if err != nil {
		return p, answer, err
	}
	for _, u := range unpaid {
		shown := spec.NotPaid{Source: u.Transaction.Source, Transaction: u.Transaction.ID, Role: u.Role, Credited: u.Amount.String(), Reasons: []spec.NotPaidReason{}}
		for _, r := range u.Reasons {
			shown.Reasons = append(shown.Reasons, spec.NotPaidReason{
				Plan:      orNil(r.PlanID),
				Component: orNil(r.Component),
				Why:       spec.NotPaidReasonWhy(r.Why),
				InWords:   r.InWords,
			})
		}
		answer.NotPaid = append(answer.NotPaid, shown)
	}
	return p, answer, nil
}

// achievementOf is what a line achieved; nil for nothing.
func achievementOf(line incentive.Line) (*spec.Achievement, error) {
	a, ok, err := calculation.AchievementOf(line)
	switch {
	case err != nil || !ok:
		return nil, err
	case a.Place > 0:
		return &spec.Achievement{Kind: spec.AchievementKindPrize, Place: &a.Place, Tied: &a.Tied}, nil
	}
	percent := a.Percent.String()
	return &spec.Achievement{Kind: spec.AchievementKindQuota, Percent: &percent}, nil
}
