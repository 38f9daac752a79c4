package calculation

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// figure returns the figure that a key looks at and the unit its edges are multiples of.
// there is false where the participant has no quota and the plan allows that.
func (c *computation) figure(k plan.Key, m measured) (value, unit decimal.Decimal, there bool, err error) {
	if k.Measure != nil {
		if m, err = c.measure(*k.Measure); err != nil {
			return value, unit, false, err
		}
		c.explainMeasure(*k.Measure, m)
	}
	switch k.On {
	case plan.KeyAttainment:
		unit, there, err = c.unit(plan.Target{On: plan.Attainment, Quota: k.Quota, WithoutQuota: k.WithoutQuota})
		return m.total, unit, there, err
	case plan.KeyAmount:
		return m.total, one, true, nil
	case plan.KeyCount:
		return decimal.NewFromInt(int64(m.count)), one, true, nil
	case plan.KeyTenure:
		months, err := c.tenure(k.Attribute, c.period.EndsOn)
		return decimal.NewFromInt(int64(months)), one, true, err
	default:
		value, err = c.value(plan.Value{Attribute: k.Attribute}, c.period.EndsOn)
		return value, one, true, err
	}
}

// tenure counts the months begun between a day kept with the participant and a last day:
// whoever began on the 15th begins the second month on the next 15th.
func (c *computation) tenure(attribute string, last incentive.Date) (int, error) {
	text := c.participant.Attributes[attribute]
	since, err := incentive.ParseDate(text)
	if err != nil {
		return 0, incentive.Errorf(incentive.CodeInvalid, "%q of participant %s is %q, and the plan reads a day there, such as 2026-01-31", attribute, c.participant.ID, text)
	}
	return monthsBegun(since, last), nil
}

func monthsBegun(since, last incentive.Date) int {
	if since.After(last) {
		return 0
	}
	months := (last.Year-since.Year)*12 + int(last.Month) - int(since.Month)
	if last.Day >= since.Day || last.AddDays(1).Day == 1 {
		months++
	}
	return months
}

// pick returns the number of the step that a figure lies in.
func pick(edges []plan.Edge, value, unit decimal.Decimal) int {
	for i, e := range edges {
		if e.Holds(value, unit) {
			return i
		}
	}
	return len(edges)
}

// picked finds the step of a key and explains it.
func (c *computation) picked(k plan.Key, edges []plan.Edge, m measured) (step int, there bool, err error) {
	value, unit, there, err := c.figure(k, m)
	if err != nil || !there {
		return 0, there, err
	}
	step = pick(edges, value, unit)
	s := Step{Kind: StepKey, Name: string(k.On), Amount: &value, Unit: &unit}
	if k.On == plan.KeyParticipant {
		s.Name = k.Attribute
	}
	if step > 0 {
		s.From, s.Above = &edges[step-1].At, !edges[step-1].Below
	}
	if step < len(edges) {
		s.To = &edges[step].At
	}
	c.explain(s)
	return step, true, nil
}

// pickedOf returns the value that one figure picks, or two do, of which there may be none.
func (c *computation) pickedOf(g plan.Grid, m measured) (*plan.Value, error) {
	row, there, err := c.picked(g.Key, g.Edges, m)
	if err != nil || !there {
		return nil, err
	}
	column := 0
	if g.Across != nil {
		if column, there, err = c.picked(*g.Across, g.Columns, m); err != nil || !there {
			return nil, err
		}
	}
	return &g.Values[row][column], nil
}

// payBy pays every part at the rate that is picked.
func (c *computation) payBy(m measured) error {
	rate, err := c.pickedOf(*c.component.RateBy, m)
	if err != nil || rate == nil {
		return err
	}
	return c.payRates(m.parts, []plan.FilteredRate{{Rate: *rate}})
}

// segment is a stretch of a curve.
type segment struct {
	from, to plan.Point
	level    bool // pays what from pays, all along
}

// segmentAt returns the stretch of a curve that a figure lies in.
func segmentAt(points []plan.Point, extend bool, at, unit decimal.Decimal) segment {
	last := len(points) - 1
	if !at.GreaterThan(points[0].At.Mul(unit)) {
		return segment{from: points[0], level: true}
	}
	for i := 1; i <= last; i++ {
		if !at.GreaterThan(points[i].At.Mul(unit)) {
			return segment{from: points[i-1], to: points[i]}
		}
	}
	if extend {
		return segment{from: points[last-1], to: points[last]}
	}
	return segment{from: points[last], level: true}
}

// pays returns what a curve pays of an amount at a figure: exact but for the one division
// at its end.
func (s segment) pays(at, unit, of decimal.Decimal) (decimal.Decimal, error) {
	if s.level {
		return s.from.Pays.Mul(of), nil
	}
	run := s.to.At.Sub(s.from.At).Mul(unit)
	ratio, err := incentive.NewRatio(at.Sub(s.from.At.Mul(unit)).Mul(s.to.Pays.Sub(s.from.Pays)), run)
	if err != nil {
		return decimal.Zero, fmt.Errorf("follow a curve: %w", err)
	}
	return s.from.Pays.Mul(of).Add(ratio.Of(of)), nil
}

func (c *computation) explainSegment(s segment, count int, at, unit, of, result decimal.Decimal) {
	step := Step{Kind: StepCurve, Count: count, Amount: &at, Unit: &unit, Rate: &of, From: &s.from.At, Low: &s.from.Pays, Result: result}
	if !s.level {
		step.To, step.High = &s.to.At, &s.to.Pays
	}
	c.explain(step)
}

// payCurve pays what the curve says: of the measure, with each credit earning the
// difference that it makes, or of each credit by itself.
func (c *computation) payCurve(m measured) error {
	curve, parts := c.component.Curve, m.parts
	unit, there, err := c.unit(curve.Target)
	if err != nil || !there {
		return err
	}
	of := one
	if curve.Of != nil {
		if of, err = c.value(*curve.Of, c.period.EndsOn); err != nil {
			return err
		}
	}
	at := func(x decimal.Decimal) (segment, decimal.Decimal, error) {
		s := segmentAt(curve.Points, curve.Extend, x, unit)
		paid, err := s.pays(x, unit, of)
		return s, paid, err
	}
	if c.component.Evaluate == plan.EachTransaction {
		for i := range parts {
			s, paid, err := at(parts[i].measured)
			if err != nil {
				return err
			}
			parts[i].earned = paid
			c.explainSegment(s, 1, parts[i].measured, unit, of, paid)
		}
		return nil
	}
	s, paid, err := at(m.total)
	if err != nil {
		return err
	}
	c.explainSegment(s, 1, m.total, unit, of, paid)
	earned := decimal.Zero
	if m.since > 0 { // earlier periods have paid for what came before
		s, before, err := at(m.before)
		if err != nil {
			return err
		}
		c.explainSegment(s, -1, m.before, unit, of, before)
		earned = before
	}
	// What the curve pays for nothing at all belongs to the first credit, or to none.
	if len(parts) == 0 {
		c.fixed = paid.Sub(earned)
	}
	running := m.before
	for i := range parts {
		running = running.Add(parts[i].measured)
		_, upTo, err := at(running)
		if err != nil {
			return err
		}
		parts[i].earned = upTo.Sub(earned)
		earned = upTo
	}
	return nil
}

// payScorecard returns what the weighted attainment of several measures pays.
func (c *computation) payScorecard() (decimal.Decimal, error) {
	card := c.component.Scorecard
	weighted := decimal.Zero
	for _, m := range card.Measures {
		counted, err := c.measure(m.Measure)
		if err != nil {
			return weighted, err
		}
		total := counted.total
		unit, there, err := c.unit(m.Target)
		if err != nil {
			return weighted, err
		}
		c.explainMeasure(m.Measure, counted)
		if !there {
			continue
		}
		ratio, err := incentive.NewRatio(total, unit)
		if err != nil {
			return weighted, err
		}
		share := ratio.Of(m.Weight)
		c.explain(Step{Kind: StepScore, Name: m.Name, Amount: &total, Unit: &unit, Rate: &m.Weight, Result: share})
		weighted = weighted.Add(share)
	}
	of, err := c.value(card.Of, c.period.EndsOn)
	if err != nil {
		return weighted, err
	}
	s := segmentAt(card.Points, card.Extend, weighted, one)
	paid, err := s.pays(weighted, one, of)
	if err != nil {
		return weighted, err
	}
	unit := one
	c.explainSegment(s, 1, weighted, unit, of, paid)
	return paid, nil
}

// multiply applies the component's multipliers to what was earned.
func (c *computation) multiply(of measured) (decimal.Decimal, error) {
	m, parts, fixed := c.component.Multipliers, of.parts, c.fixed
	if m == nil {
		return fixed, nil
	}
	combined := one
	for _, f := range m.Factors {
		value, err := f.Value, error(nil)
		if value == nil {
			if value, err = c.pickedOf(f.Grid, of); err != nil {
				return fixed, err
			}
		}
		factor := one
		if value != nil {
			if factor, err = c.value(*value, c.period.EndsOn); err != nil {
				return fixed, err
			}
		}
		if m.Add {
			combined = combined.Add(factor).Sub(one)
		} else {
			combined = combined.Mul(factor)
		}
		c.explain(Step{Kind: StepFactor, Name: f.Name, Rate: &factor, Added: m.Add, Result: combined})
	}
	before := earnedBy(parts, fixed)
	for i := range parts {
		parts[i].earned = parts[i].earned.Mul(combined)
	}
	fixed = fixed.Mul(combined)
	c.explain(Step{Kind: StepMultiplier, Amount: &before, Rate: &combined, Result: earnedBy(parts, fixed)})
	return fixed, nil
}
