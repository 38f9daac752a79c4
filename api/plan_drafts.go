package api

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/docs/plans"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/plan"
	"github.com/guerdon/guerdon/store"
)

// ListPlanGallery lists plans to begin with.
func (s *server) ListPlanGallery(context.Context, spec.ListPlanGalleryRequestObject) (spec.ListPlanGalleryResponseObject, error) {
	answer := spec.ListPlanGallery200JSONResponse{Plans: []spec.GalleryPlan{}}
	files, err := plans.Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := plans.Files.ReadFile(file.Name())
		if err != nil {
			return nil, err
		}
		p, err := plan.Parse(text)
		if err != nil {
			return nil, err
		}
		answer.Plans = append(answer.Plans, spec.GalleryPlan{Plan: p.ID, Name: p.Name, Document: string(text)})
	}
	return answer, nil
}

// CheckPlan says what is wrong with a document, what it says in plain words, and what it
// changes, in the caller's language.
func (s *server) CheckPlan(ctx context.Context, request spec.CheckPlanRequestObject) (spec.CheckPlanResponseObject, error) {
	text := []byte(request.Body.Document)
	l := languageOf(ctx)
	answer := spec.CheckPlan200JSONResponse{Problems: []spec.PlanProblem{}, Reads: []string{}, Differences: []spec.PlanDifference{}}
	p, err := plan.Parse(text)
	var problems document.Problems
	if errors.As(err, &problems) {
		for _, one := range problems {
			answer.Problems = append(answer.Problems, spec.PlanProblem{Line: one.Line, Column: one.Column, Message: l.Translate(one.Message)})
		}
		return answer, nil
	}
	if err != nil {
		return nil, err
	}
	answer.Plan, answer.Examples, answer.Reads = &p.ID, len(p.Examples), p.Describe(l)
	if err := calculation.CheckExamples(ctx, text); incentive.ErrorCode(err) == calculation.CodeExampleFails {
		failures := strings.Split(l.Translate(incentive.ErrorMessage(err)), "\n")
		answer.Failures = &failures
	} else if err != nil {
		return nil, err
	}
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := s.Store.Plans(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	for i := len(versions) - 1; i >= 0; i-- { // the one in force, or else the first
		if v := versions[i]; i == 0 || !v.EffectiveFrom.After(today) {
			before, err := plan.Parse(v.Document)
			if err != nil {
				return nil, err
			}
			answer.Against = &v.Version
			for _, d := range plan.Diff(l, before, p) {
				answer.Differences = append(answer.Differences, spec.PlanDifference{Part: d.Part, Was: d.Was, Is: d.Is})
			}
			break
		}
	}
	return answer, nil
}

// CostPlan says what a draft would cost in a period, and nobody's part of it.
func (s *server) CostPlan(ctx context.Context, request spec.CostPlanRequestObject) (spec.CostPlanResponseObject, error) {
	text := []byte(request.Body.Document)
	draft, err := plan.Parse(text)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.PlanCost, error) {
		if err := s.oneSnapshot(ctx); err != nil {
			return spec.PlanCost{}, err
		}
		defer func() { <-s.proving }()
		simulated, err := s.Store.Simulate(ctx, p, incentive.PlanVersion{PlanID: draft.ID, Document: text})
		if err != nil {
			return spec.PlanCost{}, err
		}
		cost := spec.PlanCost{Period: p.ID, People: len(simulated.Changes), Sums: []spec.CostSum{}}
		for _, sum := range simulated.Sums {
			cost.Sums = append(cost.Sums, spec.CostSum{
				Before:     sum.Before,
				After:      sum.After,
				Difference: incentive.Money{Minor: sum.After.Minor - sum.Before.Minor, Currency: sum.Before.Currency},
			})
		}
		return cost, nil
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.CostPlan202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.CostPlan200JSONResponse(answer), nil
}

func draftOf(d store.PlanDraft) spec.PlanDraft {
	shown := spec.PlanDraft{Id: d.ID, Version: d.Version, Document: d.Document, SavedBy: d.SavedBy, SavedAt: d.SavedAt, Authors: d.Authors}
	for _, line := range strings.Split(d.Document, "\n") { // also of one that does not parse
		if name, is := strings.CutPrefix(line, "plan:"); is {
			shown.Plan = strings.TrimSpace(name)
			break
		}
	}
	return shown
}

// ListPlanDrafts lists the drafts that stand.
func (s *server) ListPlanDrafts(ctx context.Context, _ spec.ListPlanDraftsRequestObject) (spec.ListPlanDraftsResponseObject, error) {
	all, err := s.Store.PlanDrafts(ctx)
	answer := spec.ListPlanDrafts200JSONResponse{Drafts: []spec.PlanDraft{}}
	for _, d := range all {
		answer.Drafts = append(answer.Drafts, draftOf(d))
	}
	return answer, err
}

// BeginPlanDraft begins a draft.
func (s *server) BeginPlanDraft(ctx context.Context, request spec.BeginPlanDraftRequestObject) (spec.BeginPlanDraftResponseObject, error) {
	id := uuid.NewString()
	if err := s.Store.KeepPlanDraft(ctx, personOf(ctx).ID, id, 0, request.Body.Document); err != nil {
		return nil, err
	}
	d, err := s.Store.PlanDraft(ctx, id)
	return spec.BeginPlanDraft201JSONResponse(draftOf(d)), err
}

// GetPlanDraft returns a draft as it stands.
func (s *server) GetPlanDraft(ctx context.Context, request spec.GetPlanDraftRequestObject) (spec.GetPlanDraftResponseObject, error) {
	d, err := s.Store.PlanDraft(ctx, request.Draft.String())
	return spec.GetPlanDraft200JSONResponse(draftOf(d)), err
}

// PutPlanDraft keeps what somebody wrote into a draft, unless somebody else did meanwhile.
func (s *server) PutPlanDraft(ctx context.Context, request spec.PutPlanDraftRequestObject) (spec.PutPlanDraftResponseObject, error) {
	id := request.Draft.String()
	if err := s.Store.KeepPlanDraft(ctx, personOf(ctx).ID, id, request.Body.Version, request.Body.Document); err != nil {
		return nil, err
	}
	d, err := s.Store.PlanDraft(ctx, id)
	return spec.PutPlanDraft200JSONResponse(draftOf(d)), err
}

// DiscardPlanDraft takes a draft away; what it was stays on record.
func (s *server) DiscardPlanDraft(ctx context.Context, request spec.DiscardPlanDraftRequestObject) (spec.DiscardPlanDraftResponseObject, error) {
	d, err := s.Store.PlanDraft(ctx, request.Draft.String())
	if err != nil {
		return nil, err
	}
	err = s.Store.KeepPlanDraft(ctx, personOf(ctx).ID, d.ID, d.Version, "")
	return spec.DiscardPlanDraft200JSONResponse(draftOf(d)), err
}
