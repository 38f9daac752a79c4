package api

import (
	"context"
	"encoding/hex"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/plan"
)

// SimulatePlan says what a draft of a plan would pay in a period.
func (s *server) SimulatePlan(ctx context.Context, request spec.SimulatePlanRequestObject) (spec.SimulatePlanResponseObject, error) {
	document := []byte(request.Body.Document)
	draft, err := plan.Parse(document)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.Simulation, error) {
		if err := s.oneSnapshot(ctx); err != nil {
			return spec.Simulation{}, err
		}
		defer func() { <-s.proving }()
		simulated, err := s.Store.Simulate(ctx, p, incentive.PlanVersion{PlanID: draft.ID, Document: document})
		if err != nil {
			return spec.Simulation{}, err
		}
		shown := shownSimulation(simulated.Simulation, limitOf(request.Body.Limit))
		shown.Period, shown.Revision, shown.Plan = p.ID, p.Revision, draft.ID
		shown.Snapshot = orNil(hex.EncodeToString(simulated.Snapshot))
		return shown, nil
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.SimulatePlan202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.SimulatePlan200JSONResponse(answer), nil
}

func shownSimulation(simulated calculation.Simulation, limit int) spec.Simulation {
	shown := spec.Simulation{Sums: []spec.SimulatedSum{}, Components: []spec.SimulatedComponent{}, People: len(simulated.Changes), Changes: []spec.SimulatedChange{}}
	for _, sum := range simulated.Sums {
		one := spec.SimulatedSum{
			Before:       sum.Before,
			After:        sum.After,
			Difference:   incentive.Money{Minor: sum.After.Minor - sum.Before.Minor, Currency: sum.Before.Currency},
			Winners:      sum.Winners,
			Losers:       sum.Losers,
			Others:       sum.Others,
			SpreadBefore: shownSpread(sum.SpreadBefore),
			SpreadAfter:  shownSpread(sum.SpreadAfter),
			Bands:        shownBands(sum.Bands),
		}
		shown.Sums = append(shown.Sums, one)
	}
	for _, c := range simulated.Components {
		shown.Components = append(shown.Components, spec.SimulatedComponent{Component: c.Component, Before: c.Before, After: c.After})
	}
	for _, c := range simulated.Changes[:min(limit, len(simulated.Changes))] {
		shown.Changes = append(shown.Changes, spec.SimulatedChange{Person: c.ParticipantID, Name: c.Name, Before: c.Before, After: c.After, Difference: c.Difference()})
	}
	return shown
}

func shownBands(all []calculation.Banded) []spec.Banded {
	shown := []spec.Banded{}
	for _, b := range all {
		shown = append(shown, spec.Banded{Band: spec.BandedBand(b.Band), People: b.People})
	}
	return shown
}

func shownSpread(s calculation.Spread) spec.Spread {
	return spec.Spread{Lowest: s.Lowest, Quarter: s.Quarter, Half: s.Half, ThreeQuarters: s.ThreeQuarters, Highest: s.Highest}
}
