package calculation

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// balanceLine makes a line of the plan's own of what the explanation comes to, which no
// credit earned.
func (c *computation) balanceLine(component string, kind incentive.LineKind, comesTo decimal.Decimal) (incentive.Line, error) {
	line := incentive.Line{PlanID: c.plan.ID, Component: component, Kind: kind}
	c.fixed = comesTo
	return c.finish(line, nil)
}

// balance is what earlier periods posted to a line of the plan since a day.
func (c *computation) balance(component string, since incentive.Date) decimal.Decimal {
	sum := decimal.Zero
	for _, l := range c.posted[postedKey{c.participant.ID, c.plan.ID, component}] {
		if !l.StartsOn.Before(since) {
			sum = sum.Add(l.Amount.Decimal())
		}
	}
	return sum
}

// carryOver gives the line of a cap whose excess is paid later on: what lies above the cap
// is put off and, where there is room, what was put off before is paid.
func (c *computation) carryOver(component string, earned, most, before decimal.Decimal) (incentive.Line, error) {
	waits := c.balance(component, incentive.Date{}).Neg()
	room := most.Sub(before).Sub(earned)
	moves := decimal.Min(room, waits)
	c.explain(Step{Kind: StepCarryOver, Amount: &earned, Rate: &most, Low: &before, Unit: &waits, Result: moves})
	return c.balanceLine(component, incentive.Holdback, moves)
}

// planCap gives the line of the cap on everything that the plan pays.
func (c *computation) planCap(earned decimal.Decimal) (incentive.Line, error) {
	limit := c.plan.Cap
	most, err := c.value(limit.Amount, c.period.EndsOn)
	if err != nil {
		return incentive.Line{}, err
	}
	before := decimal.Zero
	if limit.Over != "" {
		since := limit.Starts(c.period.StartsOn)
		before = c.balance(plan.CapComponent, since)
		for _, component := range c.plan.Components {
			before = before.Add(c.balance(component.Name, since))
			if component.CapCarriesOver {
				before = before.Add(c.balance(plan.CarriedOver(component.Name), since))
			}
		}
	}
	if limit.CarriesOver {
		return c.carryOver(plan.CapComponent, earned, most, before)
	}
	lost := decimal.Min(decimal.Max(most.Sub(before), decimal.Zero).Sub(earned), decimal.Zero)
	c.explain(Step{Kind: StepExcess, Amount: &earned, Rate: &most, Low: &before, Result: lost})
	return c.balanceLine(plan.CapComponent, incentive.Earning, lost)
}
