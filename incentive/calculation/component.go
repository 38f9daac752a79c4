package calculation

import (
	"encoding/json"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// computation works out one component for one participant.
type computation struct {
	*facts
	plan        *plan.Plan
	component   plan.Component
	participant incentive.Participant // as of the period's last day
	stretches   []incentive.Assignment
	explanation Explanation
	fixed       decimal.Decimal // earned by no single credit
	further     decimal.Decimal // what the measure is supposed to come to beyond what it does
}

// part is a credit that counts, with what it earns.
type part struct {
	credit
	measured decimal.Decimal // what it adds to the measure
	earned   decimal.Decimal // unrounded, in the plan's currency
}

// measured is what a measure comes to.
type measured struct {
	parts      []part          // the credits that earn
	before     decimal.Decimal // what earlier periods of the interval add, whose credits have earned
	total      decimal.Decimal // all together
	count      int             // of all credits together
	since      int             // how many of them are of earlier periods
	of, to     *measured       // of a ratio
	objectives []incentive.Objective
	exchanges  []Step // into the plan's currency
}

func (c *computation) line() (incentive.Line, error) {
	line := incentive.Line{PlanID: c.plan.ID, Component: c.component.Name, Kind: incentive.Earning}
	m, err := c.measure(c.component.Measure)
	if err != nil {
		return line, err
	}
	parts := m.parts
	if c.component.Scorecard == nil {
		c.explainMeasure(c.component.Measure, m)
	}
	if err := c.pay(m); err != nil {
		return line, err
	}
	if c.waits() {
		c.fixed = decimal.Zero
		for i := range parts {
			parts[i].earned = decimal.Zero
		}
		return c.finish(line, parts)
	}
	open, err := c.gate(m)
	if err != nil {
		return line, err
	}
	if !open {
		c.fixed = decimal.Zero
		for i := range parts {
			parts[i].earned = decimal.Zero
		}
	}
	if c.fixed, err = c.multiply(m); err != nil {
		return line, err
	}
	if err := c.limit(parts); err != nil {
		return line, err
	}
	c.settleUp(parts)
	if err := c.deduct(parts); err != nil {
		return line, err
	}
	return c.finish(line, parts)
}

// finish rounds a line and writes down why it is what it is.
func (c *computation) finish(line incentive.Line, parts []part) (incentive.Line, error) {
	err := c.round(&line, parts)
	if err == nil {
		line.Explanation, err = c.explained(line)
	}
	return line, err
}

// explained writes down why a line is what it is.
func (c *computation) explained(line incentive.Line) (json.RawMessage, error) {
	explanation, err := json.Marshal(c.explanation)
	if err != nil {
		return nil, fmt.Errorf("write the explanation of %s for %s: %w", line.Component, c.participant.ID, err)
	}
	return explanation, nil
}

func (c *computation) explainMeasure(of plan.Measure, m measured) {
	if of.Aggregate == plan.Achieved {
		c.explainAchieved(of, m)
		return
	}
	if of.Aggregate == plan.Quotient {
		c.explainMeasure(*of.Of, *m.of)
		c.explainMeasure(*of.To, *m.to)
		c.explain(Step{Kind: StepRatio, Amount: &m.of.total, Unit: &m.to.total, Result: m.total})
		return
	}
	for _, s := range m.exchanges {
		c.explain(s)
	}
	step := Step{Kind: StepMeasure, Name: string(of.Aggregate), Of: of.Attribute, Where: text(of.Where), Count: m.count, Result: m.total}
	if c.component.Cumulative != nil {
		step.Since = c.since().String()
	}
	c.explain(step)
}

func (c *computation) explain(step Step) { c.explanation.Steps = append(c.explanation.Steps, step) }

// assignedOn reports whether the participant is on the plan on a day.
func (c *computation) assignedOn(day incentive.Date) bool {
	for _, a := range c.stretches {
		if a.Holds(day) {
			return true
		}
	}
	return false
}

// measure finds the credits that count and what they come to.
func (c *computation) measure(of plan.Measure) (m measured, err error) {
	if of.Aggregate == plan.Quotient {
		return c.ratio(of)
	}
	if of.Aggregate == plan.Achieved {
		return c.achieved(of)
	}
	credits := c.own[c.participant.ID]
	if c.component.Override != nil {
		credits = c.ofTeams[teamLevel{c.participant.ID, c.component.Override.Level}]
	}
	since, seen := c.since(), map[string]bool{}
	if of.Where == nil {
		m.parts = make([]part, 0, len(credits)) // most of them count
	}
	var total, before incentive.Sum
	for _, one := range credits {
		day := one.transaction.Date
		if day.Before(since) || !c.assignedOn(day) {
			continue
		}
		if c.component.Clawback != nil && one.transaction.RefundOf != "" {
			continue // it takes back what was paid, and leaves what was reached
		}
		takes, err := c.takes(of.Where, one)
		if err != nil {
			return m, err
		}
		if !takes {
			continue
		}
		p := part{credit: one, measured: decimal.NewFromInt(1)}
		switch {
		case of.Aggregate == plan.Distinct:
			value := of.Value(one.transaction)
			if value == "" {
				continue
			}
			if seen[value] {
				p.measured = decimal.Zero
			}
			seen[value] = true
		case of.Aggregate == plan.Sum && of.Attribute != "":
			number, err := plan.AttributeNumber(one.transaction.Attributes, of.Attribute, func() string { return fmt.Sprintf("transaction %s of %s", one.transaction.ID, one.transaction.Source) })
			if err != nil {
				return m, err
			}
			p.measured = number.Mul(one.Share)
		case of.Aggregate == plan.Sum:
			if p.measured, err = c.takeOver(one, &m); err != nil {
				return m, err
			}
		}
		total.Add(p.measured)
		m.count++
		if back := c.component.Cumulative; back != nil && back.RateOnly() && day.Before(c.period.StartsOn) {
			before.Add(p.measured)
			m.since++
			continue
		}
		m.parts = append(m.parts, p)
	}
	m.total, m.before = total.Decimal(), before.Decimal()
	if !c.further.IsZero() && of == c.component.Measure {
		m.suppose(c.participant.ID, c.period.EndsOn, c.further)
	}
	return m, nil
}

// ratio divides one measure by another; a ratio to nothing is nothing. No single credit
// earns by it.
func (c *computation) ratio(of plan.Measure) (m measured, err error) {
	over, err := c.measure(*of.Of)
	if err != nil {
		return m, err
	}
	to, err := c.measure(*of.To)
	if err != nil {
		return m, err
	}
	m.of, m.to, m.count = &over, &to, over.count
	if to.total.IsZero() {
		return m, nil
	}
	ratio, err := incentive.NewRatio(over.total, to.total)
	m.total = ratio.Decimal()
	return m, err
}

func (c *computation) takes(filter *plan.Filter, one credit) (bool, error) {
	if filter == nil {
		return true, nil
	}
	who := c.personOn(c.participant.ID, one.transaction.Date)
	if who == nil {
		return false, incentive.Errorf(CodeUnknownCredit, "nothing is known of %s on %s, the day of a transaction: import the participant with an earlier date of effect", c.participant.ID, one.transaction.Date)
	}
	return filter.Takes(plan.Subject{Transaction: one.transaction, Credit: one.Credit, Participant: who, Credited: one.credited})
}

// value returns a number of the plan, for the participant as of a day.
func (c *computation) value(v plan.Value, day incentive.Date) (decimal.Decimal, error) {
	if v.Attribute == "" {
		return v.Literal, nil
	}
	who, known := c.participantOn(c.participant.ID, day)
	if !known {
		who = incentive.Participant{ID: c.participant.ID}
	}
	return plan.AttributeNumber(who.Attributes, v.Attribute, func() string { return fmt.Sprintf("participant %s (as of %s)", who.ID, day) })
}

// pay works out what each part earns, and what is earned besides.
func (c *computation) pay(m measured) (err error) {
	parts := m.parts
	switch {
	case c.component.Rate != nil:
		return c.payRates(parts, []plan.FilteredRate{{Rate: *c.component.Rate}})
	case c.component.Rates != nil:
		return c.payRates(parts, c.component.Rates)
	case c.component.RateBy != nil:
		return c.payBy(m)
	case c.component.RateTable != nil:
		return c.payTable(m)
	case c.component.Curve != nil:
		return c.payCurve(m)
	case c.component.Ranking != nil || c.component.Pool != nil:
		return c.payStanding(m)
	case c.component.Scorecard != nil:
		c.fixed, err = c.payScorecard()
		return err
	default:
		if c.fixed, err = c.value(*c.component.Bonus, c.period.EndsOn); err != nil {
			return err
		}
		c.explain(Step{Kind: StepBonus, Result: c.fixed})
		return nil
	}
}

// payRates pays each part at the first rate that takes it. The rate of a participant who
// has one of their own is that of the transaction's day.
func (c *computation) payRates(parts []part, rates []plan.FilteredRate) error {
	type at struct {
		filter int
		own    string // the participant's, where the plan says no rate itself
	}
	type paid struct {
		Step
		amount, result incentive.Sum
	}
	steps := map[at]*paid{}
	var order []*paid
	for i := range parts {
		p := &parts[i]
		for n, r := range rates {
			takes, err := c.takes(r.Where, p.credit)
			if err != nil {
				return err
			}
			if !takes {
				continue
			}
			rate, err := c.value(r.Rate, p.transaction.Date)
			if err != nil {
				return err
			}
			p.earned = p.measured.Mul(rate)
			key := at{filter: n}
			if r.Rate.Attribute != "" {
				key.own = rate.String()
			}
			s := steps[key]
			if s == nil {
				s = &paid{Step: Step{Kind: StepRate, Name: r.Rate.Attribute, Where: text(r.Where), Rate: &rate}}
				steps[key], order = s, append(order, s)
			}
			s.Count++
			s.amount.Add(p.measured)
			s.result.Add(p.earned)
			break
		}
	}
	for _, s := range order {
		amount := s.amount.Decimal()
		s.Amount, s.Result = &amount, s.result.Decimal()
		c.explain(s.Step)
	}
	return nil
}

// gate reports whether the component may pay.
func (c *computation) gate(m measured) (bool, error) {
	g := c.component.Gate
	if g == nil {
		return true, nil
	}
	total := m.total
	if g.Measure != c.component.Measure {
		other, err := c.measure(g.Measure)
		if err != nil {
			return false, err
		}
		c.explainMeasure(g.Measure, other)
		total = other.total
	}
	unit, there, err := c.unit(g.Target)
	if err != nil {
		return false, err
	}
	open := there && g.Open(total, unit)
	step := Step{Kind: StepGate, Name: string(g.On), From: &g.Threshold, Above: g.Above, Amount: &total, Open: &open}
	if there {
		step.Unit = &unit
	}
	c.explain(step)
	return open, nil
}

// limit applies the cap of a single credit, the floor and the cap, in this order.
func (c *computation) limit(parts []part) error {
	if c.component.CapEach != nil {
		most, err := c.value(*c.component.CapEach, c.period.EndsOn)
		if err != nil {
			return err
		}
		before, capped := earnedBy(parts, c.fixed), 0
		for i := range parts {
			if parts[i].earned.GreaterThan(most) {
				parts[i].earned = most
				capped++
			}
		}
		kept := earnedBy(parts, c.fixed)
		excess := before.Sub(kept)
		c.explain(Step{Kind: StepCapEach, Count: capped, Amount: &before, Rate: &most, Unit: &excess, Result: kept})
	}
	if c.component.Floor != nil {
		least, err := c.value(*c.component.Floor, c.period.EndsOn)
		if err != nil {
			return err
		}
		earned := earnedBy(parts, c.fixed)
		c.fixed = c.fixed.Add(decimal.Max(least.Sub(earned), decimal.Zero))
		c.explain(Step{Kind: StepFloor, Amount: &earned, Rate: &least, Result: decimal.Max(earned, least)})
	}
	if c.component.Cap == nil || c.component.CapCarriesOver {
		return nil
	}
	most, err := c.value(*c.component.Cap, c.period.EndsOn)
	if err != nil {
		return err
	}
	earned := earnedBy(parts, c.fixed)
	kept := decimal.Min(earned, most)
	c.explain(Step{Kind: StepCap, Amount: &earned, Rate: &most, Result: kept})
	// The last credits came when nothing more was to be had, and so lose first.
	excess := earned.Sub(kept)
	for i := len(parts) - 1; i >= 0 && excess.IsPositive(); i-- {
		taken := decimal.Min(excess, decimal.Max(parts[i].earned, decimal.Zero))
		parts[i].earned = parts[i].earned.Sub(taken)
		excess = excess.Sub(taken)
	}
	c.fixed = c.fixed.Sub(excess)
	return nil
}

// deduct takes off what is taken off in every period.
func (c *computation) deduct(parts []part) error {
	if c.component.Deduct == nil {
		return nil
	}
	less, err := c.value(*c.component.Deduct, c.period.EndsOn)
	if err != nil {
		return err
	}
	earned := earnedBy(parts, c.fixed)
	c.fixed = c.fixed.Sub(less)
	c.explain(Step{Kind: StepDeduct, Amount: &earned, Unit: &less, Result: earned.Sub(less)})
	return nil
}

func earnedBy(parts []part, fixed decimal.Decimal) decimal.Decimal {
	var sum incentive.Sum
	sum.Add(fixed)
	for i := range parts {
		sum.Add(parts[i].earned)
	}
	return sum.Decimal()
}

// round makes the line of the parts.
func (c *computation) round(line *incentive.Line, parts []part) (err error) {
	fixed := c.fixed
	line.Unrounded = earnedBy(parts, fixed)
	line.Contributions = make([]incentive.Contribution, len(parts))
	amounts := make([]decimal.Decimal, len(parts))
	for i := range parts {
		p := &parts[i]
		amounts[i] = p.earned
		line.Contributions[i] = incentive.Contribution{Transaction: p.Transaction, ParticipantID: p.ParticipantID, Role: p.Role, Credited: p.credited, Amount: p.earned}
	}
	var shown []incentive.Money
	switch c.plan.RoundEach {
	case plan.EachContribution:
		if line.Amount, err = c.plan.Rounding.Round(fixed, c.plan.Currency); err != nil {
			return err
		}
		for _, amount := range amounts {
			rounded, err := c.plan.Rounding.Round(amount, c.plan.Currency)
			if err != nil {
				return err
			}
			shown = append(shown, rounded)
			line.Amount.Minor += rounded.Minor
		}
	default:
		if line.Amount, err = c.plan.Rounding.Round(line.Unrounded, c.plan.Currency); err != nil {
			return err
		}
		bonus, err := c.plan.Rounding.Round(fixed, c.plan.Currency)
		if err != nil {
			return err
		}
		shown = incentive.Share(incentive.Money{Minor: line.Amount.Minor - bonus.Minor, Currency: c.plan.Currency}, amounts)
	}
	for i := range shown {
		line.Contributions[i].Shown = shown[i]
	}
	unrounded := line.Unrounded
	if !fixed.IsZero() {
		c.explanation.OfNoCredit = &fixed
	}
	c.explain(Step{Kind: StepRounding, Name: string(c.plan.Rounding), Each: string(c.plan.RoundEach), Amount: &unrounded, Result: line.Amount.Decimal()})
	return nil
}

func text(f *plan.Filter) string {
	if f == nil {
		return ""
	}
	return f.Text
}
