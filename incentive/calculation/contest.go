package calculation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// standing is where a participant stands in a contest: the steps that say why, and what is
// won.
type standing struct {
	steps []Step
	won   decimal.Decimal
}

// Entrant is somebody who competes, with all that the contest needs to know of them: so
// that people can be measured in one place and ranked in another.
type Entrant struct {
	Contest       Contest                  `json:"contest"`
	ParticipantID string                   `json:"participant_id"`
	Total         decimal.Decimal          `json:"total"`
	Unit          decimal.Decimal          `json:"unit"` // the quota, or one
	Qualified     bool                     `json:"qualified"`
	Last          incentive.TransactionKey `json:"last"` // by which the total was reached
	LastOn        incentive.Date           `json:"last_on"`
	Problem       string                   `json:"problem,omitempty"` // why they could not be measured
}

// competes reports whether those who are on the plan compete by a component.
func competes(c plan.Component) bool { return c.Ranking != nil || c.Pool != nil }

// Entering returns what is measured for the contests of the plans in force: it reports whether a
// transaction may count in one. What it leaves out, Enter need not know of.
func Entering(snapshot incentive.Snapshot) (counts func(t *incentive.Transaction) bool, err error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	var filters []*plan.Filter
	for _, p := range plans {
		for _, c := range p.Components {
			if competes(c) {
				filters = append(filters, filtersOf(c.Measure)...)
			}
		}
	}
	return func(t *incentive.Transaction) bool {
		return slices.ContainsFunc(filters, func(f *plan.Filter) bool { return !f.Excludes(t) })
	}, nil
}

// filtersOf lists by which filters a measure takes credits; nil takes all.
func filtersOf(m plan.Measure) []*plan.Filter {
	if m.Aggregate == plan.Quotient {
		return append(filtersOf(*m.Of), filtersOf(*m.To)...)
	}
	return []*plan.Filter{m.Where}
}

// enter measures everybody who is assigned to one of the plans for the contests in it, by
// participant, each with what is wrong with them.
func (f *facts) enter(groups [][]incentive.Assignment, plans map[string]versionInForce) (entrants []Entrant, problems []error) {
	for _, assignments := range groups {
		for on := range onePlan(assignments) {
			p, found := plans[on[0].PlanID]
			who, known := f.participantOn(on[0].ParticipantID, f.period.EndsOn)
			if !found || !known {
				continue // the statement says so
			}
			for _, component := range p.Components {
				if !competes(component) {
					continue
				}
				c := computation{facts: f, plan: p.Plan, component: component, participant: who, stretches: on}
				e, err := c.enter()
				problems = append(problems, err)
				entrants = append(entrants, e)
			}
		}
	}
	return entrants, problems
}

// settle says how the contests of the plans end among all entrants, who come by participant.
func (f *facts) settle(entrants []Entrant, plans map[string]versionInForce) (err error) {
	f.standings = map[Contest]map[string]standing{}
	of := map[Contest][]Entrant{}
	for _, e := range entrants {
		of[e.Contest] = append(of[e.Contest], e)
	}
	for key, all := range of {
		p, found := plans[key.PlanID]
		if !found {
			continue // nobody whose statement is wanted is in it
		}
		component := p.Components[slices.IndexFunc(p.Components, func(c plan.Component) bool { return c.Name == key.Component })]
		if component.Pool != nil {
			f.standings[key], err = poolShares(component.Pool, all, p.Currency)
		} else {
			f.standings[key], err = ranked(component.Ranking, all, p.Currency)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter measures a participant for a contest.
func (c *computation) enter() (e Entrant, err error) {
	e = Entrant{Contest: Contest{c.plan.ID, c.component.Name}, ParticipantID: c.participant.ID, Unit: one}
	m, err := c.measure(c.component.Measure)
	if err != nil {
		return e, err
	}
	e.Total = m.total
	if n := len(m.parts); n > 0 {
		last := m.parts[n-1].transaction
		e.Last, e.LastOn = last.TransactionKey, last.Date
	}
	least, there := (*decimal.Decimal)(nil), true
	if pool := c.component.Pool; pool != nil {
		least = pool.AtLeast
	} else {
		least = c.component.Ranking.AtLeast
		if e.Unit, there, err = c.unit(c.component.Ranking.Target); err != nil {
			return e, err
		}
	}
	e.Qualified = there && e.Total.IsPositive() && (least == nil || !e.Total.LessThan(least.Mul(e.Unit)))
	return e, nil
}

// compare orders entrants, the best first, by attainment or amount.
func (e Entrant) compare(other Entrant) int {
	if e.Unit.Equal(other.Unit) {
		return other.Total.Cmp(e.Total)
	}
	return other.Total.Mul(e.Unit).Cmp(e.Total.Mul(other.Unit))
}

// earlier orders entrants who came to the same by when they did.
func (e Entrant) earlier(other Entrant) int {
	return cmp.Or(e.LastOn.Compare(other.LastOn), strings.Compare(e.Last.Source, other.Last.Source), strings.Compare(e.Last.ID, other.Last.ID),
		strings.Compare(e.ParticipantID, other.ParticipantID))
}

// ranked gives everybody their place and prize.
func ranked(r *plan.Ranking, entrants []Entrant, currency incentive.Currency) (map[string]standing, error) {
	standings := map[string]standing{}
	var order []Entrant
	for _, e := range entrants {
		total := e.Total
		standings[e.ParticipantID] = standing{steps: []Step{{Kind: StepRank, Amount: &total, Rate: new(decimal.Decimal), Tied: 1}}}
		if e.Qualified {
			order = append(order, e)
		}
	}
	slices.SortStableFunc(order, func(a, b Entrant) int {
		if order := a.compare(b); order != 0 || r.Ties != plan.TiesEarliest {
			return order
		}
		return a.earlier(b)
	})
	prize := func(place int) decimal.Decimal {
		if place >= len(r.Prizes) {
			return decimal.Zero
		}
		return r.Prizes[place]
	}
	awards := make([]decimal.Decimal, len(order))
	for first := 0; first < len(order); {
		next := first + 1
		for r.Ties != plan.TiesEarliest && next < len(order) && order[first].compare(order[next]) == 0 {
			next++
		}
		together, among := prize(first), 1
		if r.Ties == plan.TiesShare {
			among = next - first
			for place := first + 1; place < next; place++ {
				together = together.Add(prize(place))
			}
		}
		for i := first; i < next; i++ {
			awards[i] = incentive.Ratio{Numerator: together, Denominator: decimal.NewFromInt(int64(among))}.Decimal()
			step := &standings[order[i].ParticipantID].steps[0]
			step.Count, step.Tied, step.Rate, step.Result = first+1, among, &together, awards[i]
		}
		first = next
	}
	all := decimal.Sum(decimal.Zero, awards...)
	most := all
	if r.Budget != nil {
		most = decimal.Min(all, *r.Budget)
	}
	parts, err := apportion(most, awards, all, currency)
	for i, won := range parts {
		s := standings[order[i].ParticipantID]
		if s.won = won; !won.Equal(awards[i]) {
			award := awards[i]
			s.steps = append(s.steps, Step{Kind: StepBudget, Amount: &award, Rate: &most, Unit: &all, Result: won})
		}
		standings[order[i].ParticipantID] = s
	}
	return standings, err
}

// poolShares gives everybody who qualifies their share of a pool.
func poolShares(p *plan.Pool, entrants []Entrant, currency incentive.Currency) (map[string]standing, error) {
	standings := map[string]standing{}
	var ids []string
	var totals []decimal.Decimal
	all := decimal.Zero
	for _, e := range entrants {
		if e.Qualified {
			ids, totals, all = append(ids, e.ParticipantID), append(totals, e.Total), all.Add(e.Total)
		}
	}
	for _, e := range entrants {
		standings[e.ParticipantID] = standing{steps: []Step{{Kind: StepPool, Amount: new(decimal.Decimal), Rate: &p.Amount, Unit: &all}}}
	}
	parts, err := apportion(p.Amount, totals, all, currency)
	for i, won := range parts {
		standings[ids[i]] = standing{steps: []Step{{Kind: StepPool, Amount: &totals[i], Rate: &p.Amount, Unit: &all, Result: won}}, won: won}
	}
	return standings, err
}

// apportion divides an amount by weights that add up to all, in minor units that add up to
// it too.
func apportion(amount decimal.Decimal, weights []decimal.Decimal, all decimal.Decimal, currency incentive.Currency) ([]decimal.Decimal, error) {
	parts := make([]decimal.Decimal, len(weights))
	total, err := incentive.HalfAwayFromZero.Round(amount, currency)
	if err != nil || !all.IsPositive() {
		return parts, err
	}
	for i, w := range weights {
		parts[i] = incentive.Ratio{Numerator: w, Denominator: all}.Of(amount)
	}
	for i, m := range incentive.Share(total, parts) {
		parts[i] = m.Decimal()
	}
	return parts, nil
}

// payStanding pays what is won in a contest.
func (c *computation) payStanding(m measured) error {
	if r := c.component.Ranking; r != nil && r.On == plan.Attainment {
		unit, there, err := c.unit(r.Target)
		if err != nil {
			return err
		}
		if there {
			c.explainAttainment(m.total, unit)
		}
	}
	s := c.standings[Contest{c.plan.ID, c.component.Name}][c.participant.ID]
	for _, step := range s.steps {
		c.explain(step)
	}
	c.fixed = s.won
	return nil
}
