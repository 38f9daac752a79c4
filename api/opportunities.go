package api

import (
	"context"
	"slices"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

func opportunitiesOf(all []store.Opportunity) []spec.Opportunity {
	shown := []spec.Opportunity{}
	for _, o := range all {
		shown = append(shown, spec.Opportunity{
			Source:        o.Source,
			Id:            o.ID,
			Person:        o.ParticipantID,
			PersonName:    o.PersonName,
			Name:          o.Name,
			Stage:         o.Stage,
			Probability:   o.Probability.String(),
			ExpectedClose: o.ExpectedClose,
			Amount:        o.Amount.String(),
			Currency:      string(o.Currency),
			Weighted:      o.Weighted().String(),
			Attributes:    o.Attributes,
		})
	}
	return shown
}

// ListOpportunities lists the open opportunities that the caller may see.
func (s *server) ListOpportunities(ctx context.Context, request spec.ListOpportunitiesRequestObject) (spec.ListOpportunitiesResponseObject, error) {
	person := value(request.Params.Person)
	people, err := s.visibleOf(ctx, s.today(), person)
	if err != nil {
		return nil, err
	}
	if people != nil && len(people) == 0 {
		return nil, incentive.Errorf(incentive.CodeNotFound, "there are no opportunities of %q that you may see", person)
	}
	if person != "" {
		people = []string{person}
	}
	after, err := fromCursor[store.OpportunityKey](request.Params.After)
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Opportunities(ctx, store.WhichOpportunities{Of: people, ClosesBy: dayOf(request.Params.ClosesBy)}, after, limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListOpportunities200JSONResponse{Opportunities: opportunitiesOf(all)}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return cursor(store.OpportunityKey{ExpectedClose: last.ExpectedClose, Source: last.Source, ID: last.ID})
	})
	return answer, nil
}

// GetPipeline says what somebody's open opportunities would bring.
func (s *server) GetPipeline(ctx context.Context, request spec.GetPipelineRequestObject) (spec.GetPipelineResponseObject, error) {
	p, today, err := s.estimatedToday(ctx, request.Period, request.Person)
	if err != nil {
		return nil, err
	}
	l, err := s.Store.Pipeline(ctx, p, request.Person, today)
	if err != nil {
		return nil, err
	}
	more := func(e store.Estimate) incentive.Money {
		return incentive.Money{Minor: e.Total.Minor - l.Now.Total.Minor, Currency: e.Total.Currency}
	}
	return spec.GetPipeline200JSONResponse{Period: p.ID, Person: request.Person, Opportunities: opportunitiesOf(l.Opportunities),
		Now: l.Now.Total, IfClosed: more(l.Closed), IfWeighted: more(l.Weighted)}, nil
}

// ifClosed returns the deals that opportunities would be, each named once.
func (s *server) ifClosed(ctx context.Context, p store.PeriodRevision, person string, open []spec.OpportunityKey, today incentive.Date) ([]store.Deal, error) {
	var keys []incentive.TransactionKey
	for _, o := range open {
		if key := (incentive.TransactionKey{Source: o.Source, ID: o.Id}); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return s.Store.IfClosed(ctx, p, person, keys, today)
}
