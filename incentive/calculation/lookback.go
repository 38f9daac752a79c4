package calculation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// LookBack is what the plans of a period need of the time before it.
type LookBack struct {
	Since      incentive.Date // the first day whose transactions and quotas matter
	Cumulative []string       // the plans that look back at their lines since then, sorted
	Rates      []string       // the sources of exchange rates, sorted
	RatesSince incentive.Date // the first day whose rates may matter
	Balances   []Balance      // the lines that have a balance whatever their age, sorted
	Clawbacks  []Clawback     // the components that take back, sorted
	// ClawbacksSince is the first day whose transactions matter where they are refunded or
	// cancelled, which is what the attributes in Cancelled say.
	ClawbacksSince incentive.Date
	Cancelled      []string // sorted
	Groups         bool     // plans ask for territories or teams
}

// Clawback names a component that takes back, and the line on which it does.
type Clawback struct{ PlanID, Component, Line string }

// Balance names a line of a plan whose postings add up to a balance, such as a draw.
type Balance struct{ PlanID, Component string }

// LooksBack says what the plans in force need of the time before a period. Of snapshot
// it reads the period, assignments and plan versions.
func LooksBack(snapshot incentive.Snapshot) (LookBack, error) {
	first := snapshot.Period.StartsOn
	b := LookBack{Since: first}
	oldest := 0
	plans, err := inForce(snapshot)
	if err != nil {
		return b, err
	}
	for _, group := range slices.Concat(assigned(snapshot), settling(snapshot, plans)) {
		for _, a := range group {
			p, found := plans[a.PlanID]
			if !found {
				continue // the calculation says so
			}
			b.Groups = b.Groups || p.AsksForGroups()
			for _, c := range p.Components {
				if c.Holdback != nil && c.Holdback.Where != nil {
					// What is put off belongs to transactions of so many months ago.
					b.Since = earliest(b.Since, addMonths(snapshot.Period.StartsOn, -c.Holdback.Months-1))
				}
				if c.Clawback != nil {
					// What becomes known a period too late is taken back all the same.
					since := addMonths(first, -c.Clawback.Months-monthsBegun(first, snapshot.Period.EndsOn))
					if len(b.Clawbacks) == 0 || since.Before(b.ClawbacksSince) {
						b.ClawbacksSince = since
					}
					b.Clawbacks = append(b.Clawbacks, Clawback{p.ID, c.Name, plan.ClawedBack(c.Name)})
					if c.Clawback.CancelledOn != "" {
						b.Cancelled = append(b.Cancelled, c.Clawback.CancelledOn)
					}
				}
				if c.Cumulative == nil {
					continue
				}
				b.Since = earliest(b.Since, c.Cumulative.Starts(snapshot.Period.StartsOn, a.StartsOn))
				b.Cumulative = append(b.Cumulative, p.ID)
			}
			if p.Exchange != nil {
				b.Rates = append(b.Rates, p.Exchange.Rates)
				oldest = max(oldest, p.Exchange.AtMostOld, 31) // an average takes a whole month
			}
			if p.Cap != nil && p.Cap.Over != "" {
				b.Since = earliest(b.Since, p.Cap.Starts(snapshot.Period.StartsOn))
				b.Cumulative = append(b.Cumulative, p.ID)
			}
			for _, component := range p.Balances() {
				b.Balances = append(b.Balances, Balance{p.ID, component})
			}
		}
	}
	slices.Sort(b.Rates)
	b.Rates = slices.Compact(b.Rates)
	if len(b.Rates) > 0 {
		b.RatesSince = b.Since.AddDays(-oldest)
	}
	slices.Sort(b.Cumulative)
	b.Cumulative = slices.Compact(b.Cumulative)
	slices.SortFunc(b.Balances, func(x, y Balance) int {
		return cmp.Or(strings.Compare(x.PlanID, y.PlanID), strings.Compare(x.Component, y.Component))
	})
	b.Balances = slices.Compact(b.Balances)
	slices.SortFunc(b.Clawbacks, func(x, y Clawback) int {
		return cmp.Or(strings.Compare(x.PlanID, y.PlanID), strings.Compare(x.Component, y.Component))
	})
	b.Clawbacks = slices.Compact(b.Clawbacks)
	slices.Sort(b.Cancelled)
	b.Cancelled = slices.Compact(b.Cancelled)
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
	return back.Starts(c.period.StartsOn, c.assigned())
}

// assigned returns the first day of the participant on the plan.
func (c *computation) assigned() incentive.Date {
	first := c.stretches[0].StartsOn
	for _, a := range c.stretches[1:] {
		first = earliest(first, a.StartsOn)
	}
	return first
}

// waits reports whether the component pays at the end of an interval that goes on beyond
// the period.
func (c *computation) waits() bool {
	back := c.component.Cumulative
	if back == nil || !back.AtEnd {
		return false
	}
	ends := back.Ends(c.since(), c.period.EndsOn)
	if !ends.After(c.period.EndsOn) {
		return false
	}
	c.explain(Step{Kind: StepWait, Name: ends.String()})
	return true
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
