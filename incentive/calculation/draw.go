package calculation

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// draw gives the lines of a plan's draw: an advance up to the guaranteed amount or, where
// more was earned and advances are owed, their recovery. A recovery never takes pay below
// its floor, and never more than is owed. What is forgiven is recovered on one line and
// earned on another.
func (c *computation) draw(earned decimal.Decimal) ([]incentive.Line, error) {
	d := c.plan.Draw
	guaranteed, err := c.value(d.Amount, c.period.EndsOn)
	if err != nil {
		return nil, err
	}
	kind, owed := incentive.Earning, decimal.Zero
	if d.Recoverable {
		kind, owed = incentive.DrawOf, c.balance(plan.DrawComponent, incentive.Date{})
	}
	month := 0
	if d.ByMonths() {
		if month, err = c.drawMonth(); err != nil {
			return nil, err
		}
	}
	advances := d.AdvancedFor == 0 || month <= d.AdvancedFor
	forgives := d.ForgivenAfter > 0 && month > d.ForgivenAfter
	var step Step
	switch {
	case forgives:
		step = Step{Kind: StepForgiven, Days: month, Unit: &owed, Result: owed.Neg()}
	case advances && earned.LessThan(guaranteed):
		step = Step{Kind: StepDraw, Amount: &earned, Rate: &guaranteed, Unit: &owed, Result: guaranteed.Sub(earned)}
	default:
		step, err = c.recovery(earned, guaranteed, owed, month, advances)
	}
	if err != nil {
		return nil, err
	}
	c.explain(step)
	line, err := c.balanceLine(plan.DrawComponent, kind, step.Result)
	if err != nil || d.ForgivenAfter == 0 {
		return []incentive.Line{line}, err
	}
	c.explanation = Explanation{}
	if step.Kind != StepForgiven {
		step = Step{Kind: StepForgiven, Days: month, Unit: new(decimal.Decimal)}
	}
	step.Result = *step.Unit
	c.explain(step)
	forgiven, err := c.balanceLine(plan.ForgivenComponent, incentive.Earning, step.Result)
	return []incentive.Line{line, forgiven}, err
}

// recovery is the step that recovers what is owed of a draw.
func (c *computation) recovery(earned, guaranteed, owed decimal.Decimal, month int, advances bool) (step Step, err error) {
	d := c.plan.Draw
	downTo := guaranteed
	if d.DownTo != nil {
		if downTo, err = c.value(*d.DownTo, c.period.EndsOn); err != nil {
			return step, err
		}
		if advances {
			downTo = decimal.Max(downTo, guaranteed)
		}
	}
	most := new(decimal.Decimal)
	switch {
	case month < d.RecoveredFrom:
	case d.AtMost == nil:
		most = nil
	default:
		limit, err := c.value(*d.AtMost, c.period.EndsOn)
		if err != nil {
			return step, err
		}
		most = &limit
	}
	recovered := decimal.Min(earned.Sub(downTo), owed)
	if most != nil {
		recovered = decimal.Min(recovered, *most)
	}
	step = Step{Kind: StepDraw, Amount: &earned, Rate: &downTo, Unit: &owed, High: most, Result: decimal.Max(recovered, decimal.Zero).Neg()}
	if d.ByMonths() || d.DownTo != nil {
		step.Kind = StepRecovery
	}
	return step, nil
}

// drawMonth counts the months that have begun since the draw's first day.
func (c *computation) drawMonth() (int, error) {
	if c.plan.Draw.Since != "" {
		return c.tenure(c.plan.Draw.Since, c.period.EndsOn)
	}
	return monthsBegun(c.assigned(), c.period.EndsOn), nil
}
