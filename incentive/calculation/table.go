package calculation

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

var one = decimal.NewFromInt(1)

// unit returns what the edges of a target's tiers are multiples of: the quota, or one.
// there is false where the participant has no quota and the plan allows that.
func (c *computation) unit(t plan.Target) (unit decimal.Decimal, there bool, err error) {
	if t.On == plan.Amount {
		return one, true, nil
	}
	first, last := c.goal()
	steps, counted, err := c.counted(t.Quota, first, last)
	if err != nil {
		return unit, false, err
	}
	reliefs, relieved, err := c.relieved(t.Quota, first, last)
	if err != nil {
		return unit, false, err
	}
	steps, quota := append(steps, reliefs...), counted.Sub(relieved)
	if !quota.IsPositive() {
		if counted.IsPositive() { // nothing is expected any more, which the line has to say
			for _, s := range steps {
				c.explain(s)
			}
			return quota, false, nil
		}
		if t.WithoutQuota == plan.Nothing {
			return quota, false, nil
		}
		return quota, false, incentive.Errorf(CodeNoQuota, "%s has no quota %q above zero between %s and %s, and plan %q measures attainment against it: import the quota, or write \"without_quota: nothing\" in the plan", c.participant.ID, t.Quota, c.period.StartsOn, c.period.EndsOn, c.plan.ID)
	}
	for _, s := range steps {
		c.explain(s)
	}
	return quota, true, nil
}

// goal returns the first and last day of the time whose quota is the goal.
func (c *computation) goal() (first, last incentive.Date) {
	first, last = c.since(), c.period.EndsOn
	if back := c.component.Cumulative; back != nil && back.WholeGoal {
		last = back.Ends(first, last)
	}
	return first, last
}

func latest(days ...incentive.Date) incentive.Date {
	last := days[0]
	for _, d := range days[1:] {
		if d.After(last) {
			last = d
		}
	}
	return last
}

// slice is a stretch of the measure that is paid at one rate.
type slice struct {
	from decimal.Decimal  // zero in the first slice, which also takes what lies below
	to   *decimal.Decimal // nil in the last slice
	rate decimal.Decimal
}

// of returns how much of a measure of x lies in the slice.
func (s slice) of(x decimal.Decimal) decimal.Decimal {
	if s.from.IsPositive() && x.LessThan(s.from) {
		return decimal.Zero
	}
	if s.to != nil && x.GreaterThan(*s.to) {
		x = *s.to
	}
	return x.Sub(s.from)
}

// earnedAt returns what a measure of x earns.
func earnedAt(slices []slice, x decimal.Decimal) decimal.Decimal {
	earned := decimal.Zero
	for _, s := range slices {
		earned = earned.Add(s.of(x).Mul(s.rate))
	}
	return earned
}

// payTable lets the credits climb through the tiers in their order, so that each earns
// the difference that it makes.
func (c *computation) payTable(m measured) error {
	t, parts, total := c.component.RateTable, m.parts, m.total
	unit, there, err := c.unit(t.Target)
	if err != nil || !there {
		return err
	}
	if t.On == plan.Attainment {
		c.explainAttainment(total, unit)
	}
	if c.component.Evaluate == plan.EachTransaction {
		return c.payEach(parts, unit)
	}
	slices, err := c.slices(total, unit)
	if err != nil {
		return err
	}
	for i, s := range slices {
		if amount := s.of(total).Sub(s.of(m.before)); i == 0 || !amount.IsZero() {
			c.explain(Step{Kind: StepTier, From: &s.from, To: s.to, Amount: &amount, Rate: &s.rate, Result: amount.Mul(s.rate)})
		}
	}
	climbSlices(slices, m.before, parts)
	return nil
}

// climbSlices lets each part earn the difference that it makes to the measure, from what it is before.
func climbSlices(slices []slice, before decimal.Decimal, parts []part) {
	var x incentive.Sum
	x.Add(before)
	in := 0 // the slice that x is looked for in first
	for i := range parts {
		from := x
		x.Add(parts[i].measured)
		if lies(&from, slices, in) && lies(&x, slices, in) {
			parts[i].earned = parts[i].measured.Mul(slices[in].rate)
			continue
		}
		parts[i].earned = earnedAt(slices, x.Decimal()).Sub(earnedAt(slices, from.Decimal()))
		for n := range slices {
			if lies(&x, slices, n) {
				in = n
			}
		}
	}
}

// lies reports whether a measure of x lies in the n-th slice, so that while it stays there what
// it earns grows by that slice's rate alone.
func lies(x *incentive.Sum, slices []slice, n int) bool {
	s := slices[n]
	if n > 0 && x.Compare(s.from) < 0 || s.to != nil && x.Compare(*s.to) > 0 {
		return false
	}
	return n == len(slices)-1 || slices[n+1].from.IsPositive() // one from zero on also takes what lies below
}

func (c *computation) explainAttainment(total, quota decimal.Decimal) {
	ratio := incentive.Ratio{Numerator: total, Denominator: quota}
	c.explain(Step{Kind: StepAttainment, Amount: &total, Unit: &quota, Result: ratio.Decimal()})
}

// slices returns the table's tiers as stretches of the measure. The highest retroactive
// tier that total reaches swallows the tiers below it.
func (c *computation) slices(total, unit decimal.Decimal) ([]slice, error) {
	tiers := c.component.RateTable.Tiers
	first := 0
	for i := 1; i < len(tiers); i++ {
		edge := tiers[i-1]
		reached := total.Cmp(edge.Edge.Mul(unit))
		if reached < 0 || reached == 0 && !edge.Below {
			break
		}
		if tiers[i].Retroactive {
			first = i
		}
	}
	var all []slice
	from := decimal.Zero
	for _, tier := range tiers[first:] {
		rate, err := c.value(tier.Rate, c.period.EndsOn)
		if err != nil {
			return nil, err
		}
		s := slice{from: from, rate: rate}
		if tier.Edge != nil {
			to := tier.Edge.Mul(unit)
			s.to, from = &to, to
		}
		all = append(all, s)
	}
	return all, nil
}

// payEach lets each credit go through the tiers by itself. The explanation adds up what
// lies in the same slice.
func (c *computation) payEach(parts []part, unit decimal.Decimal) error {
	type at struct{ from, to, rate string }
	steps := map[at]*Step{}
	var order []*Step
	for i := range parts {
		slices, err := c.slices(parts[i].measured, unit)
		if err != nil {
			return err
		}
		parts[i].earned = earnedAt(slices, parts[i].measured)
		for _, s := range slices {
			amount := s.of(parts[i].measured)
			if amount.IsZero() {
				continue
			}
			key := at{from: s.from.String(), rate: s.rate.String()}
			if s.to != nil {
				key.to = s.to.String()
			}
			if steps[key] == nil {
				steps[key] = &Step{Kind: StepTier, From: &s.from, To: s.to, Rate: &s.rate, Amount: &decimal.Decimal{}}
				order = append(order, steps[key])
			}
			step := steps[key]
			step.Count++
			*step.Amount = step.Amount.Add(amount)
			step.Result = step.Result.Add(amount.Mul(s.rate))
		}
	}
	for _, s := range order {
		c.explain(*s)
	}
	return nil
}
