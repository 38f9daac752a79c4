package calculation

import (
	"slices"

	"github.com/guerdon/guerdon/incentive"
)

// LookBack is what the plans of a period need of the time before it.
type LookBack struct {
	Since      incentive.Date // the first day whose transactions and quotas matter
	Cumulative []string       // the plans that look back at their lines since then, sorted
	Draws      []string       // the plans whose draws have a balance, sorted
}

// LooksBack says what the plans in force need of the time before a period. Of snapshot
// it reads the period, assignments and plan versions.
func LooksBack(snapshot incentive.Snapshot) (LookBack, error) {
	b := LookBack{Since: snapshot.Period.StartsOn}
	plans, err := inForce(snapshot)
	if err != nil {
		return b, err
	}
	for _, group := range assigned(snapshot) {
		for _, a := range group {
			p, found := plans[a.PlanID]
			if !found {
				continue // the calculation says so
			}
			for _, c := range p.Components {
				if c.Cumulative == nil {
					continue
				}
				if starts := c.Cumulative.Starts(snapshot.Period.StartsOn, a.StartsOn); starts.Before(b.Since) {
					b.Since = starts
				}
				b.Cumulative = append(b.Cumulative, p.ID)
			}
			if p.Draw != nil {
				b.Draws = append(b.Draws, p.ID)
			}
		}
	}
	for _, list := range []*[]string{&b.Cumulative, &b.Draws} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return b, nil
}

// postedKey names a component of a plan as one participant has it.
type postedKey struct{ participant, plan, component string }

// since returns the first day that a component looks at.
func (c *computation) since() incentive.Date {
	back := c.component.Cumulative
	if back == nil {
		return c.period.StartsOn
	}
	assigned := c.stretches[0].StartsOn
	for _, a := range c.stretches[1:] {
		if a.StartsOn.Before(assigned) {
			assigned = a.StartsOn
		}
	}
	return back.Starts(c.period.StartsOn, assigned)
}

// settleUp takes what earlier periods of the interval have posted from what is due over
// the whole of it.
func (c *computation) settleUp(parts []part) {
	back := c.component.Cumulative
	if back == nil || !back.TrueUp {
		return
	}
	posted, count := int64(0), 0
	since := c.since()
	for _, l := range c.posted[postedKey{c.participant.ID, c.plan.ID, c.component.Name}] {
		if !l.StartsOn.Before(since) {
			posted += l.Amount.Minor
			count++
		}
	}
	due := earnedBy(parts, c.fixed)
	paid := incentive.Money{Minor: posted, Currency: c.plan.Currency}.Decimal()
	c.fixed = c.fixed.Sub(paid)
	c.explain(Step{Kind: StepPosted, Count: count, Amount: &due, Unit: &paid, Result: due.Sub(paid)})
}
