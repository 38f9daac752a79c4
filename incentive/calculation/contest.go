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

// entrant is somebody who competes.
type entrant struct {
	id        string
	total     decimal.Decimal
	unit      decimal.Decimal // the quota, or one
	qualified bool
	last      *incentive.Transaction // by which the total was reached
}

// contests settles every contest of the plans in force among the people assigned to them.
func (f *facts) contests(groups [][]incentive.Assignment, plans map[string]versionInForce) error {
	f.standings = map[Contest]map[string]standing{}
	entrants := map[Contest][]entrant{}
	var problems []error
	for _, assignments := range groups {
		for on := range onePlan(assignments) {
			p, found := plans[on[0].PlanID]
			who, known := f.participantOn(on[0].ParticipantID, f.period.EndsOn)
			if !found || !known {
				continue // the statement says so
			}
			for _, component := range p.Components {
				if component.Ranking == nil && component.Pool == nil {
					continue
				}
				c := computation{facts: f, plan: p.Plan, component: component, participant: who, stretches: on}
				e, err := c.enter()
				problems = append(problems, err)
				key := Contest{p.ID, component.Name}
				entrants[key] = append(entrants[key], e)
			}
		}
	}
	if err := together(problems); err != nil {
		return err
	}
	for key, all := range entrants {
		p := plans[key.PlanID]
		component := p.Components[slices.IndexFunc(p.Components, func(c plan.Component) bool { return c.Name == key.Component })]
		var err error
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
func (c *computation) enter() (e entrant, err error) {
	e = entrant{id: c.participant.ID, unit: one}
	m, err := c.measure(c.component.Measure)
	if err != nil {
		return e, err
	}
	e.total = m.total
	if n := len(m.parts); n > 0 {
		e.last = m.parts[n-1].transaction
	}
	least, there := (*decimal.Decimal)(nil), true
	if pool := c.component.Pool; pool != nil {
		least = pool.AtLeast
	} else {
		least = c.component.Ranking.AtLeast
		if e.unit, there, err = c.unit(c.component.Ranking.Target); err != nil {
			return e, err
		}
	}
	e.qualified = there && e.total.IsPositive() && (least == nil || !e.total.LessThan(least.Mul(e.unit)))
	return e, nil
}

// compare orders entrants, the best first, by attainment or amount.
func (e entrant) compare(other entrant) int {
	return other.total.Mul(e.unit).Cmp(e.total.Mul(other.unit))
}

// earlier orders entrants who came to the same by when they did.
func (e entrant) earlier(other entrant) int {
	if order := e.last.Date.Compare(other.last.Date); order != 0 {
		return order
	}
	return cmp.Or(strings.Compare(e.last.Source, other.last.Source), strings.Compare(e.last.ID, other.last.ID), strings.Compare(e.id, other.id))
}

// ranked gives everybody their place and prize.
func ranked(r *plan.Ranking, entrants []entrant, currency incentive.Currency) (map[string]standing, error) {
	standings := map[string]standing{}
	var order []entrant
	for _, e := range entrants {
		total := e.total
		standings[e.id] = standing{steps: []Step{{Kind: StepRank, Amount: &total, Rate: new(decimal.Decimal), Tied: 1}}}
		if e.qualified {
			order = append(order, e)
		}
	}
	slices.SortStableFunc(order, func(a, b entrant) int {
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
			step := &standings[order[i].id].steps[0]
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
		s := standings[order[i].id]
		if s.won = won; !won.Equal(awards[i]) {
			award := awards[i]
			s.steps = append(s.steps, Step{Kind: StepBudget, Amount: &award, Rate: &most, Unit: &all, Result: won})
		}
		standings[order[i].id] = s
	}
	return standings, err
}

// poolShares gives everybody who qualifies their share of a pool.
func poolShares(p *plan.Pool, entrants []entrant, currency incentive.Currency) (map[string]standing, error) {
	standings := map[string]standing{}
	var ids []string
	var totals []decimal.Decimal
	all := decimal.Zero
	for _, e := range entrants {
		if e.qualified {
			ids, totals, all = append(ids, e.id), append(totals, e.total), all.Add(e.total)
		}
	}
	for _, e := range entrants {
		standings[e.id] = standing{steps: []Step{{Kind: StepPool, Amount: new(decimal.Decimal), Rate: &p.Amount, Unit: &all}}}
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
