package api

import (
	"context"
	"strings"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

func reconciliationOf(r store.Reconciliation, totals []store.ReconciliationTotal) spec.Reconciliation {
	shown := spec.Reconciliation{
		Id:          r.ID,
		Rail:        r.Rail,
		Day:         r.Day,
		RunBy:       r.RunBy,
		RunAt:       r.RunAt,
		Agreed:      r.Agreed,
		Differences: r.Differences,
		Open:        r.Open,
		Superseded:  r.Superseded,
		Totals:      []spec.ReconciliationTotal{},
	}
	for _, t := range totals {
		of := func(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: t.Currency} }
		one := spec.ReconciliationTotal{
			Ours:       t.Ours,
			OurTotal:   of(t.OursMinor),
			Theirs:     t.Theirs,
			TheirTotal: of(t.TheirsSum),
			InTransit:  of(t.InTransit),
			Submitted:  of(t.Submitted),
		}
		if t.Available != nil {
			available := of(*t.Available)
			one.Available = &available
		}
		shown.Totals = append(shown.Totals, one)
	}
	return shown
}

func (s *server) reconciliation(ctx context.Context, id int64) (spec.Reconciliation, error) {
	r, totals, err := s.Store.Reconciliation(ctx, id)
	return reconciliationOf(r, totals), err
}

// ListReconciliations lists comparisons with rails.
func (s *server) ListReconciliations(ctx context.Context, request spec.ListReconciliationsRequestObject) (spec.ListReconciliationsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	which := store.WhichReconciliations{Rail: value(request.Params.Rail), Open: value(request.Params.Open)}
	if request.Params.Day != nil {
		which.Day = incentive.DateOf(request.Params.Day.Time)
	}
	all, err := s.Store.Reconciliations(ctx, which, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListReconciliations200JSONResponse{Reconciliations: []spec.Reconciliation{}}
	for _, r := range all {
		answer.Reconciliations = append(answer.Reconciliations, reconciliationOf(r, nil))
	}
	answer.Next = next(len(all), limit, func() int64 { return all[len(all)-1].ID })
	return answer, nil
}

// Reconcile has a day of a rail compared now.
func (s *server) Reconcile(ctx context.Context, request spec.ReconcileRequestObject) (spec.ReconcileResponseObject, error) {
	rail, err := s.Rails.Rail(request.Body.Rail)
	if err != nil {
		return nil, err
	}
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	if today.Before(request.Body.Day) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%s is yet to come: a day is compared once it has begun", request.Body.Day)
	}
	by, key := personOf(ctx).ID, updateID(ctx)
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.Reconciliation, error) {
		id, err := workflows.RunReconciliation(ctx, s.Client, key, activities.ReconcileInput{Rail: rail.Name(), Day: request.Body.Day, By: by})
		if err != nil {
			return spec.Reconciliation{}, err
		}
		return s.reconciliation(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.Reconcile202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.Reconcile200JSONResponse(answer), nil
}

// GetReconciliation returns a comparison with its totals.
func (s *server) GetReconciliation(ctx context.Context, request spec.GetReconciliationRequestObject) (spec.GetReconciliationResponseObject, error) {
	r, err := s.reconciliation(ctx, request.Reconciliation)
	return spec.GetReconciliation200JSONResponse(r), err
}

// ListRailDifferences lists what a comparison found.
func (s *server) ListRailDifferences(ctx context.Context, request spec.ListRailDifferencesRequestObject) (spec.ListRailDifferencesResponseObject, error) {
	if _, _, err := s.Store.Reconciliation(ctx, request.Reconciliation); err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.RailDifferences(ctx, request.Reconciliation, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListRailDifferences200JSONResponse{Differences: []spec.RailDifference{}}
	for _, d := range all {
		answer.Differences = append(answer.Differences, railDifferenceOf(d))
	}
	answer.Next = next(len(all), limit, func() int { return all[len(all)-1].Number })
	return answer, nil
}

func railDifferenceOf(d store.RailDifference) spec.RailDifference {
	amount := func(minor *int64) *incentive.Money {
		if minor == nil {
			return nil
		}
		return &incentive.Money{Minor: *minor, Currency: d.Currency}
	}
	shown := spec.RailDifference{
		Number:      d.Number,
		Kind:        spec.RailDifferenceKind(d.Kind),
		Reference:   d.Reference,
		RailId:      d.RailID,
		Payout:      orNil(d.PayoutID),
		Period:      orNil(d.PeriodID),
		Person:      orNil(d.ParticipantID),
		Name:        orNil(d.Name),
		OurState:    d.OurState,
		OurAmount:   amount(d.OurMinor),
		TheirState:  d.TheirState,
		TheirAmount: amount(d.TheirMinor),
	}
	if d.ExplainedAt != nil {
		shown.Explanation = &spec.DifferenceExplanation{By: d.ExplainedBy, At: *d.ExplainedAt, Reason: d.Explanation}
	}
	return shown
}

// ExplainDifferences keeps what a person says of differences.
func (s *server) ExplainDifferences(ctx context.Context, request spec.ExplainDifferencesRequestObject) (spec.ExplainDifferencesResponseObject, error) {
	me, reasonID := personOf(ctx).ID, ""
	if reason := strings.TrimSpace(request.Body.Reason); reason != "" {
		var err error
		if reasonID, err = s.Store.WriteText(ctx, me, reason); err != nil {
			return nil, err
		}
	}
	if err := s.Store.ExplainDifferences(ctx, me, request.Reconciliation, request.Body.Differences, reasonID); err != nil {
		return nil, err
	}
	r, err := s.reconciliation(ctx, request.Reconciliation)
	return spec.ExplainDifferences200JSONResponse(r), err
}
