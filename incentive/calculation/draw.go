package calculation

import (
	"encoding/json"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// draw gives the line of a plan's draw: an advance up to the guaranteed amount or, where
// more was earned and advances are owed, their recovery. A recovery never takes pay below
// the guaranteed amount, and never more than is owed.
func (c *computation) draw(earned decimal.Decimal) (incentive.Line, error) {
	d := c.plan.Draw
	line := incentive.Line{PlanID: c.plan.ID, Component: plan.DrawComponent, Kind: incentive.Earning}
	guaranteed, err := c.value(d.Amount, c.period.EndsOn)
	if err != nil {
		return line, err
	}
	owed := decimal.Zero
	if d.Recoverable {
		line.Kind = incentive.DrawOf
		for _, l := range c.posted[postedKey{c.participant.ID, c.plan.ID, plan.DrawComponent}] {
			owed = owed.Add(l.Amount.Decimal())
		}
	}
	above := earned.Sub(guaranteed)
	step := Step{Kind: StepDraw, Amount: &earned, Rate: &guaranteed, Unit: &owed, Result: above.Neg()}
	if !above.IsNegative() {
		recovered := decimal.Min(above, owed)
		if d.AtMost != nil {
			most, err := c.value(*d.AtMost, c.period.EndsOn)
			if err != nil {
				return line, err
			}
			step.High = &most
			recovered = decimal.Min(recovered, most)
		}
		step.Result = decimal.Max(recovered, decimal.Zero).Neg()
	}
	c.explain(step)
	c.fixed = step.Result
	if err := c.round(&line, nil); err != nil {
		return line, err
	}
	if line.Explanation, err = json.Marshal(c.explanation); err != nil {
		return line, fmt.Errorf("write the explanation of the draw of %s: %w", c.participant.ID, err)
	}
	return line, nil
}
