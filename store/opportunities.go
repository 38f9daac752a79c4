package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Opportunity is an open deal, as its source tells it.
type Opportunity struct {
	incentive.TransactionKey // of the transaction that it becomes
	ParticipantID            string
	PersonName               string
	Name                     string
	Stage                    string
	Probability              decimal.Decimal // of winning it; 1 is certain
	ExpectedClose            incentive.Date
	Amount                   decimal.Decimal // major units, exact
	Currency                 incentive.Currency
	Attributes               map[string]string
	Version                  int
}

// Weighted is the amount times the probability.
func (o Opportunity) Weighted() decimal.Decimal { return o.Amount.Mul(o.Probability) }

// WhichOpportunities chooses open opportunities.
type WhichOpportunities struct {
	Of       []string // their owners; nil for everybody's
	ClosesBy incentive.Date
	Keys     []incentive.TransactionKey // only these; nil for all
}

// OpportunityKey names an opportunity in a list: the next page begins behind it.
type OpportunityKey struct {
	ExpectedClose incentive.Date
	Source, ID    string
}

// Opportunities lists up to limit open opportunities, those that are expected to close first
// coming first.
func (s *Store) Opportunities(ctx context.Context, which WhichOpportunities, after *OpportunityKey, limit int) ([]Opportunity, error) {
	return opportunities(ctx, s.pool, which, after, limit)
}

func opportunities(ctx context.Context, q querier, which WhichOpportunities, after *OpportunityKey, limit int) (all []Opportunity, err error) {
	if after == nil {
		after = &OpportunityKey{ExpectedClose: incentive.MustParseDate("0001-01-01")}
	}
	var sources, ids []string
	for _, k := range which.Keys {
		sources, ids = append(sources, k.Source), append(ids, k.ID)
	}
	err = collect(ctx, q, &all, `
		SELECT o.source, o.opportunity_id, o.participant_id, `+nameAt("o.participant_id", "company_today()")+`, o.name, o.stage, o.probability, o.expected_close, o.amount, o.currency, o.attributes, o.version
		FROM open_opportunity o
		WHERE ($1::text[] IS NULL OR o.participant_id = ANY($1)) AND ($2::date IS NULL OR o.expected_close <= $2)
			AND ($3::text[] IS NULL OR (o.source, o.opportunity_id) IN (SELECT * FROM unnest($3::text[], $4::text[])))
			AND (o.expected_close, o.source COLLATE "C", o.opportunity_id COLLATE "C") > ($5, $6, $7)
		ORDER BY o.expected_close, o.source COLLATE "C", o.opportunity_id COLLATE "C" LIMIT $8`, func(row pgx.CollectableRow) (o Opportunity, err error) {
		err = row.Scan(&o.Source, &o.ID, &o.ParticipantID, &o.PersonName, &o.Name, &o.Stage, &o.Probability, &o.ExpectedClose, &o.Amount, &o.Currency, &o.Attributes, &o.Version)
		return o, err
	}, plannedAnew, which.Of, dayOrNil(which.ClosesBy), sources, ids, after.ExpectedClose, after.Source, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("list opportunities: %w", err)
	}
	return all, nil
}

// MostInPipeline is how many deals somebody may be asked about together.
const MostInPipeline = 500

// Pipeline is what somebody may still earn in an open period by what is not counted yet.
type Pipeline struct {
	Opportunities []Opportunity // expected to close by the period's last day
	Closed        Estimate      // with all of them closed at their amounts
	Weighted      Estimate      // with each at its amount times its probability
	Now           Estimate      // as things stand
}

// deal is what an opportunity would be if it closed: on the day that is expected where the
// period holds it, and otherwise on another.
func (o Opportunity) deal(amount decimal.Decimal, p PeriodRevision, otherwise incentive.Date) Deal {
	d := Deal{Date: o.ExpectedClose, Amount: amount, Currency: o.Currency, Role: "owner", Share: decimal.NewFromInt(1), Attributes: o.Attributes}
	if !p.Holds(d.Date) || d.Date.Before(otherwise) {
		d.Date = otherwise
	}
	return d
}

// within is a day, or that of the period next to it.
func within(p PeriodRevision, day incentive.Date) incentive.Date {
	switch {
	case day.After(p.EndsOn):
		return p.EndsOn
	case day.Before(p.StartsOn):
		return p.StartsOn
	}
	return day
}

// Pipeline returns what somebody's open opportunities of an open period would bring.
func (s *Store) Pipeline(ctx context.Context, p PeriodRevision, participantID string, today incentive.Date) (l Pipeline, err error) {
	l.Opportunities, err = s.Opportunities(ctx, WhichOpportunities{Of: []string{participantID}, ClosesBy: p.EndsOn}, nil, MostInPipeline)
	if err != nil {
		return l, err
	}
	var closed, weighted []Deal
	for _, o := range l.Opportunities {
		closed, weighted = append(closed, o.deal(o.Amount, p, within(p, today))), append(weighted, o.deal(o.Weighted(), p, within(p, today)))
	}
	estimates, err := s.suppose(ctx, p, participantID, today, nil, closed, weighted)
	if err != nil {
		return l, err
	}
	l.Now, l.Closed, l.Weighted = estimates[0], estimates[1], estimates[2]
	return l, nil
}

// IfClosed returns the deals that somebody's open opportunities would be in a period. Each
// has to be theirs.
func (s *Store) IfClosed(ctx context.Context, p PeriodRevision, participantID string, keys []incentive.TransactionKey, today incentive.Date) (deals []Deal, err error) {
	found, err := s.Opportunities(ctx, WhichOpportunities{Of: []string{participantID}, Keys: keys}, nil, len(keys))
	if err != nil {
		return nil, err
	}
	there := map[incentive.TransactionKey]Opportunity{}
	for _, o := range found {
		there[o.TransactionKey] = o
	}
	for _, k := range keys {
		o, is := there[k]
		if !is {
			return nil, incentive.Errorf(incentive.CodeNotFound, "%s has no open opportunity %q of source %q", participantID, k.ID, k.Source)
		}
		deals = append(deals, o.deal(o.Amount, p, within(p, today)))
	}
	return deals, nil
}
