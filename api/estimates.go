package api

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
)

// estimated returns a period whose statements are not published yet.
func (s *server) estimated(ctx context.Context, periodID string) (store.PeriodRevision, error) {
	p, err := s.Store.PeriodRevision(ctx, periodID, 0)
	if err == nil && (published(p.State) || p.State == incentive.Cancelled) {
		err = incentive.Errorf(incentive.CodeNotFound, "the period is %s and has no estimates: look at its statements", p.State)
	}
	return p, err
}

// estimatedOf is estimated for the estimate of one person, whom the caller may see.
func (s *server) estimatedOf(ctx context.Context, periodID, person string) (store.PeriodRevision, error) {
	p, err := s.estimated(ctx, periodID)
	if err != nil {
		return p, err
	}
	sees, err := s.sees(ctx, p.EndsOn, person)
	if err == nil && !sees {
		err = incentive.Errorf(incentive.CodeNotFound, "there is no estimate of %q in %s that you may see", person, p.ID)
	}
	return p, err
}

// estimatedToday is estimatedOf with the company's day, for what is supposed to close on it.
func (s *server) estimatedToday(ctx context.Context, periodID, person string) (p store.PeriodRevision, today incentive.Date, err error) {
	if p, err = s.estimatedOf(ctx, periodID, person); err == nil {
		today, err = s.todayThere(ctx)
	}
	return p, today, err
}

// ListEstimates lists the estimates that the caller may see.
func (s *server) ListEstimates(ctx context.Context, request spec.ListEstimatesRequestObject) (spec.ListEstimatesResponseObject, error) {
	p, err := s.estimated(ctx, request.Period)
	if err != nil {
		return nil, err
	}
	people, err := s.visible(ctx, p.EndsOn)
	if err != nil {
		return nil, err
	}
	of := store.WhichEstimates{PeriodID: p.ID, Visible: people, Listing: listing(request.Params.Search, request.Params.Sort)}
	if value(request.Params.Others) {
		of.Without = personOf(ctx).ID
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Estimates(ctx, of, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListEstimates200JSONResponse{Estimates: []spec.Estimate{}}
	if value(request.Params.Standing) {
		today, err := s.todayThere(ctx)
		if err != nil {
			return nil, err
		}
		passed := p.Passed(today)
		n, err := s.Store.Standing(ctx, of, passed)
		if err != nil {
			return nil, err
		}
		answer.Standing = &spec.Standing{Passed: passed.String(), People: n.People, Reached: n.Reached, Behind: n.Behind}
	}
	for _, e := range all {
		shown, err := shownEstimate(ctx, e)
		if err != nil {
			return nil, err
		}
		answer.Estimates = append(answer.Estimates, shown)
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID })
	return answer, nil
}

// GetEstimate returns an estimate.
func (s *server) GetEstimate(ctx context.Context, request spec.GetEstimateRequestObject) (spec.GetEstimateResponseObject, error) {
	p, err := s.estimatedOf(ctx, request.Period, request.Person)
	if err != nil {
		return nil, err
	}
	e, err := s.Store.Estimate(ctx, p.ID, request.Person)
	if err != nil {
		return nil, err
	}
	shown, err := shownEstimate(ctx, e)
	if err != nil {
		return nil, err
	}
	owed, err := s.Store.DrawOwed(ctx, request.Person)
	shown.DrawsOwed = append(shown.DrawsOwed, owed...)
	return spec.GetEstimate200JSONResponse(shown), err
}

// WhatIf says what an estimate would be with some deals closed.
func (s *server) WhatIf(ctx context.Context, request spec.WhatIfRequestObject) (spec.WhatIfResponseObject, error) {
	p, today, err := s.estimatedToday(ctx, request.Period, request.Person)
	if err != nil {
		return nil, err
	}
	var deals []store.Deal
	for i, d := range value(request.Body.Deals) {
		deal := store.Deal{Currency: incentive.Currency(value(d.Currency)), Role: value(d.Role), Attributes: value(d.Attributes), Share: decimal.NewFromInt(1)}
		if deal.Amount, err = decimal.NewFromString(d.Amount); err == nil && d.Share != nil {
			deal.Share, err = decimal.NewFromString(*d.Share)
		}
		if err != nil {
			return nil, incentive.Errorf(incentive.CodeInvalid, "deal %d: its amount and share are decimals", i+1)
		}
		if deal.Role == "" {
			deal.Role = "owner"
		}
		switch deal.Date = today; {
		case d.Date != nil:
			deal.Date = *d.Date
		case today.After(p.EndsOn):
			deal.Date = p.EndsOn
		case today.Before(p.StartsOn):
			deal.Date = p.StartsOn
		}
		if !p.Holds(deal.Date) {
			return nil, incentive.Errorf(incentive.CodeInvalid, "deal %d: %s is not between %s and %s", i+1, deal.Date, p.StartsOn, p.EndsOn)
		}
		deals = append(deals, deal)
	}
	if open := value(request.Body.Opportunities); len(open) > 0 {
		closed, err := s.ifClosed(ctx, p, request.Person, open, today)
		if err != nil {
			return nil, err
		}
		deals = append(deals, closed...)
	}
	if len(deals) == 0 {
		return nil, incentive.Errorf(incentive.CodeInvalid, "say which deals would be closed: name one opportunity, or one deal with its amount")
	}
	before, after, err := s.Store.WhatIf(ctx, p, request.Person, deals, today)
	if err != nil {
		return nil, err
	}
	who, err := s.Store.Person(ctx, request.Person)
	if err != nil {
		return nil, err
	}
	before.Name, after.Name = who.Name, who.Name
	answer := spec.WhatIf200JSONResponse{Difference: incentive.Money{Minor: after.Total.Minor - before.Total.Minor, Currency: after.Total.Currency}}
	if answer.Before, err = shownEstimate(ctx, before); err != nil {
		return nil, err
	}
	answer.After, err = shownEstimate(ctx, after)
	return answer, err
}

func shownEstimate(ctx context.Context, e store.Estimate) (spec.Estimate, error) {
	shown := spec.Estimate{
		Period:    e.PeriodID,
		Person:    e.ParticipantID,
		Name:      e.Name,
		Problem:   orNil(languageOf(ctx).Translate(e.Problem)),
		Lines:     []spec.EstimateLine{},
		Progress:  []spec.Progress{},
		DrawsOwed: []incentive.Money{},
	}
	if !e.CalculatedAt.IsZero() {
		shown.CalculatedAt = &e.CalculatedAt
	}
	if e.Problem != "" {
		return shown, nil
	}
	pending := incentive.Money{Minor: e.Total.Minor - e.Booked.Minor, Currency: e.Total.Currency}
	shown.Total, shown.Booked, shown.Pending = &e.Total, &e.Booked, &pending
	for _, line := range e.Lines {
		words, err := inWords(ctx, line)
		if err != nil {
			return shown, err
		}
		shown.Lines = append(shown.Lines, spec.EstimateLine{
			Plan:        line.PlanID,
			PlanVersion: line.PlanVersion,
			Component:   line.Component,
			Amount:      line.Amount,
			InWords:     words,
			Explanation: line.Explanation,
		})
	}
	for _, p := range e.Progress {
		one := spec.Progress{Plan: p.PlanID, Component: p.Component, Measured: p.Measured.String()}
		if p.Goal != nil {
			attainment, err := incentive.NewRatio(p.Measured, *p.Goal)
			if err != nil {
				return shown, fmt.Errorf("hold %s against its quota: %w", p.Component, err)
			}
			goal, of := p.Goal.String(), attainment.Decimal().String()
			one.Goal, one.Attainment = &goal, &of
		}
		if p.Next != nil {
			one.Next = &spec.NextStep{At: p.Next.At.String(), Above: p.Next.Above, Distance: p.Next.Distance.String(), Worth: p.Next.Worth}
		}
		shown.Progress = append(shown.Progress, one)
	}
	return shown, nil
}

// inWords is the arithmetic of a line, step by step.
func inWords(ctx context.Context, line incentive.Line) ([]string, error) {
	explained, err := calculation.ReadExplanation(line)
	words := []string{}
	for _, step := range explained.Steps {
		words = append(words, step.In(languageOf(ctx)))
	}
	return words, err
}
