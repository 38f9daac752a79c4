package calculation

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// CodeExplanationWrong says that a line's explanation does not give the line.
const CodeExplanationWrong incentive.Code = "explanation-wrong"

// CheckLine does the arithmetic of a line again from its explanation and its
// contributions. Its error has code CodeExplanationWrong.
func CheckLine(line incentive.Line) error {
	e, err := ReadExplanation(line)
	if err != nil {
		return err
	}
	c := check{line: line, steps: e.Steps, currency: line.Amount.Currency, factors: one}
	for _, s := range e.Steps {
		if s.Kind == StepRounding && s.Currency != "" {
			if c.currency, err = incentive.ParseCurrency(s.Currency); err != nil {
				return c.wrong("%s", incentive.ErrorMessage(err))
			}
		}
	}
	for i, s := range e.Steps {
		if !s.whole() {
			return c.wrong("step %d (%s) is incomplete", i+1, s.Kind)
		}
		want, err := c.again(i, s)
		if err != nil {
			return err
		}
		if !want.Equal(s.Result) {
			return c.wrong("step %d gives %s, not %s", i+1, want, s.Result)
		}
	}
	contributed := decimal.Zero
	if e.OfNoCredit != nil {
		contributed = *e.OfNoCredit
	}
	for _, of := range line.Contributions {
		contributed = contributed.Add(of.Amount)
	}
	switch {
	case !contributed.Equal(line.Unrounded):
		return c.wrong("the contributions come to %s, and the line is %s", contributed, line.Unrounded)
	case !c.earned.Equal(line.Unrounded):
		return c.wrong("the steps give %s, and the line is %s", c.earned, line.Unrounded)
	case line.Corrects != "" && !line.Amount.Decimal().Equal(c.earned):
		return c.wrong("the steps give %s, and %s is paid", c.earned, line.Amount)
	}
	return nil
}

// check is how far the arithmetic of a line has been done again.
type check struct {
	line       incentive.Line
	steps      []Step
	currency   incentive.Currency // of the plan
	earned     decimal.Decimal
	payable    decimal.Decimal // what earned was rounded to
	factors    decimal.Decimal
	achieved   decimal.Decimal // by the objectives so far
	objectives int
}

func (c *check) wrong(format string, arguments ...any) error {
	return incentive.Errorf(CodeExplanationWrong, "%s of plan %s: %s", c.line.Component, c.line.PlanID, fmt.Sprintf(format, arguments...))
}

// begins refuses a step that goes on from another amount than what is earned so far.
func (c *check) begins(i int, s Step, does string) error {
	if s.Amount.Equal(c.earned) {
		return nil
	}
	return c.wrong("step %d %s %s, and %s is earned", i+1, does, s.Amount, c.earned)
}

// again does step i again and returns what its result must be.
func (c *check) again(i int, s Step) (decimal.Decimal, error) {
	switch s.Kind {
	case StepMeasure:
		return s.Result, nil
	case StepExchange, StepObjective, StepAchieved, StepQuota, StepRelief, StepAttainment, StepRatio, StepKey, StepScore:
		return c.figure(i, s)
	case StepRate, StepTier, StepCurve, StepBonus, StepRank, StepPool, StepBudget, StepWait, StepGate, StepAdjustment:
		return c.earn(i, s)
	case StepFactor, StepMultiplier, StepFloor, StepCapEach, StepCap, StepPosted, StepDeduct:
		return c.change(i, s)
	case StepDraw, StepHold, StepRelease, StepForfeit, StepClawback, StepInstalment, StepRecovery, StepForgiven, StepCarryOver, StepExcess:
		return c.owe(i, s)
	case StepRounding, StepPaidIn, StepCorrection:
		return c.pay(i, s)
	}
	return s.Result, c.wrong("step %d is of the unknown kind %q", i+1, s.Kind)
}

// figure does a step again that says where a figure comes from.
func (c *check) figure(i int, s Step) (decimal.Decimal, error) {
	switch s.Kind {
	case StepExchange: // each credit's part is rounded, at least to the places of a quotient
		apart := s.Result.Sub(s.exchanged()).Abs().Shift(c.currency.Exponent())
		if apart.GreaterThan(decimal.NewFromInt(int64(s.Count))) {
			return s.Result, c.wrong("step %d gives %s, not %s", i+1, s.exchanged(), s.Result)
		}
	case StepObjective:
		counts := decimal.Zero
		if s.Amount != nil {
			counts = s.Amount.Mul(*s.Rate)
		}
		c.achieved, c.objectives = c.achieved.Add(counts), c.objectives+1
		return counts, nil
	case StepAchieved:
		if s.Count != c.objectives {
			return s.Result, c.wrong("step %d adds %d objectives up, and there are %d", i+1, s.Count, c.objectives)
		}
		achieved := c.achieved
		c.achieved, c.objectives = decimal.Zero, 0
		return achieved, nil
	case StepQuota:
		of := *s.Amount
		if s.Rate != nil {
			of = of.Mul(*s.Rate)
		}
		return s.days().Of(of), nil
	case StepRelief:
		if s.Rate != nil {
			return s.Amount.Mul(*s.Rate), nil
		}
		return s.days().Of(*s.Amount), nil
	case StepAttainment:
		return incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}.Decimal(), nil
	case StepRatio:
		if s.Unit.IsZero() {
			return decimal.Zero, nil
		}
		ratio, err := incentive.NewRatio(*s.Amount, *s.Unit)
		return ratio.Decimal(), err
	case StepKey:
		low := s.From != nil && s.Amount.Cmp(s.From.Mul(*s.Unit)) < 0
		high := s.To != nil && s.Amount.Cmp(s.To.Mul(*s.Unit)) > 0
		if low || high {
			return s.Result, c.wrong("step %d says that %s lies where it does not", i+1, s.Amount)
		}
	case StepScore:
		return incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}.Of(*s.Rate), nil
	}
	return s.Result, nil
}

// days is the part that Days is of OfDays.
func (s Step) days() incentive.Ratio {
	return incentive.Ratio{Numerator: decimal.NewFromInt(int64(s.Days)), Denominator: decimal.NewFromInt(int64(s.OfDays))}
}

// earn does a step again that adds to what is earned, or says that nothing is.
func (c *check) earn(i int, s Step) (decimal.Decimal, error) {
	want := s.Result
	switch s.Kind {
	case StepRate, StepTier:
		want = s.Amount.Mul(*s.Rate)
	case StepCurve:
		want = s.Low.Mul(*s.Rate)
		if s.To != nil {
			run := incentive.Ratio{Numerator: s.Amount.Sub(s.From.Mul(*s.Unit)).Mul(s.High.Sub(*s.Low)), Denominator: s.To.Sub(*s.From).Mul(*s.Unit)}
			want = want.Add(run.Of(*s.Rate))
		}
		if s.Count < 0 { // paid by earlier periods
			c.earned = c.earned.Sub(want)
			return want, nil
		}
	case StepRank:
		want = incentive.Ratio{Numerator: *s.Rate, Denominator: decimal.NewFromInt(int64(s.Tied))}.Decimal()
	case StepPool, StepBudget: // shares of minor units: less than one away from the exact part
		if s.Kind == StepBudget {
			if err := c.begins(i, s, "cuts"); err != nil {
				return want, err
			}
		}
		exact := decimal.Zero
		if !s.Unit.IsZero() {
			exact = incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}.Of(*s.Rate)
		}
		if exact.Sub(s.Result).Abs().Shift(c.currency.Exponent()).GreaterThanOrEqual(one) {
			return want, c.wrong("step %d gives %s, which is not %s in minor units", i+1, s.Result, exact)
		}
		c.earned = s.Result
		return want, nil
	case StepWait:
		c.earned = decimal.Zero
		return decimal.Zero, nil
	case StepGate:
		reached := s.Unit != nil
		if reached {
			against := s.Amount.Cmp(s.From.Mul(*s.Unit))
			reached = against > 0 || against == 0 && !s.Above
		}
		if reached != *s.Open {
			return want, c.wrong("step %d says that the gate is open: %t", i+1, *s.Open)
		}
		if !reached {
			c.earned = decimal.Zero
		}
		return decimal.Zero, nil
	case StepAdjustment:
		want = c.line.Amount.Decimal()
	}
	c.earned = c.earned.Add(want)
	return want, nil
}

// change does a step again that goes on from what is earned.
func (c *check) change(i int, s Step) (decimal.Decimal, error) {
	if s.Kind == StepFactor {
		if s.Added {
			c.factors = c.factors.Add(*s.Rate).Sub(one)
		} else {
			c.factors = c.factors.Mul(*s.Rate)
		}
		return c.factors, nil
	}
	if err := c.begins(i, s, "changes"); err != nil {
		return s.Result, err
	}
	switch s.Kind {
	case StepMultiplier:
		if !s.Rate.Equal(c.factors) {
			return s.Result, c.wrong("step %d multiplies by %s, and the factors come to %s", i+1, s.Rate, c.factors)
		}
		c.earned = s.Amount.Mul(*s.Rate)
	case StepFloor:
		c.earned = decimal.Max(*s.Amount, *s.Rate)
	case StepCap:
		c.earned = decimal.Min(*s.Amount, *s.Rate)
	case StepCapEach, StepPosted, StepDeduct:
		c.earned = s.Amount.Sub(*s.Unit)
	}
	return c.earned, nil
}

// owe does a step again by which something waits, is owed, or is taken back.
func (c *check) owe(i int, s Step) (decimal.Decimal, error) {
	switch s.Kind {
	case StepHold: // each credit's part is rounded
		apart := s.Amount.Mul(*s.Rate).Add(s.Result).Abs().Shift(c.currency.Exponent())
		if apart.GreaterThan(decimal.NewFromInt(int64(s.Count))) {
			return s.Result, c.wrong("step %d puts off %s, which is not %s of %s", i+1, s.Result, s.Rate, s.Amount)
		}
		c.earned = c.earned.Add(s.Result)
		return s.Result, nil
	case StepRelease, StepForfeit:
		c.earned = c.earned.Add(s.Result)
		return s.Result, nil
	case StepClawback:
		lost, err := incentive.Rounding(s.Each).Round(s.Amount.Mul(*s.Rate), c.currency)
		if err != nil {
			return s.Result, err
		}
		again := s.Unit.Sub(lost.Decimal())
		c.earned = c.earned.Add(again)
		return again, nil
	case StepInstalment:
		again := s.Rate.Sub(*s.Unit)
		c.earned = c.earned.Add(again)
		return again, nil
	case StepDraw:
		if c.earned = s.Rate.Sub(*s.Amount); !c.earned.IsPositive() {
			c.earned = s.recovered(c.earned.Neg()).Neg()
		}
	case StepRecovery:
		c.earned = s.recovered(s.Amount.Sub(*s.Rate)).Neg()
	case StepForgiven:
		if c.earned = *s.Unit; c.line.Kind == incentive.DrawOf {
			c.earned = c.earned.Neg()
		}
	case StepCarryOver:
		c.earned = decimal.Min(s.Rate.Sub(*s.Low).Sub(*s.Amount), *s.Unit)
	case StepExcess:
		c.earned = decimal.Min(decimal.Max(s.Rate.Sub(*s.Low), decimal.Zero).Sub(*s.Amount), decimal.Zero)
	}
	return c.earned, nil
}

// recovered is what can be had of room for what is owed, Unit, of which High at most.
func (s Step) recovered(room decimal.Decimal) decimal.Decimal {
	most := decimal.Min(room, *s.Unit)
	if s.High != nil {
		most = decimal.Min(most, *s.High)
	}
	return decimal.Max(most, decimal.Zero)
}

// pay does a step again that makes of what is earned what is paid.
func (c *check) pay(i int, s Step) (decimal.Decimal, error) {
	switch s.Kind {
	case StepRounding:
		if err := c.begins(i, s, "rounds"); err != nil {
			return s.Result, err
		}
		c.payable = s.Result
		if c.currency == c.line.Amount.Currency && c.line.Corrects == "" {
			c.payable = c.line.Amount.Decimal()
		}
		if s.Each == "line" {
			rounded, err := incentive.Rounding(s.Name).Round(c.earned, c.currency)
			if err != nil {
				return s.Result, err
			}
			c.payable = rounded.Decimal()
		}
	case StepPaidIn:
		if i == 0 || !s.Amount.Equal(c.steps[i-1].Result) {
			return s.Result, c.wrong("step %d pays %s, which is not what is rounded", i+1, s.Amount)
		}
		paid, err := incentive.Rounding(s.Each).Round(s.exchanged(), c.line.Amount.Currency)
		if err != nil {
			return s.Result, err
		}
		if paid != c.line.Amount && c.line.Corrects == "" {
			return s.Result, c.wrong("step %d pays %s, and the line is %s", i+1, paid, c.line.Amount)
		}
		c.payable = paid.Decimal()
	case StepCorrection:
		if !s.Amount.Equal(c.payable) {
			return s.Result, c.wrong("step %d corrects %s, and %s is due", i+1, s.Amount, c.payable)
		}
		c.earned = s.Amount.Sub(*s.Unit)
		return c.earned, nil
	}
	return c.payable, nil
}

// whole reports whether the step has what its kind needs.
func (s Step) whole() bool {
	switch s.Kind {
	case StepExchange, StepPaidIn:
		return s.Amount != nil && (s.Rate != nil || s.Unit != nil && s.Unit.IsPositive())
	case StepQuota:
		return s.Amount != nil && s.OfDays > 0
	case StepRelief:
		return s.Amount != nil && (s.Rate != nil || s.OfDays > 0)
	case StepAttainment:
		return s.Amount != nil && s.Unit != nil && s.Unit.IsPositive()
	case StepObjective:
		return s.Rate != nil
	case StepRate, StepCap, StepMultiplier, StepFloor, StepHold:
		return s.Amount != nil && s.Rate != nil
	case StepKey:
		return s.Amount != nil && s.Unit != nil
	case StepFactor:
		return s.Rate != nil
	case StepPosted, StepDeduct, StepRatio, StepCorrection:
		return s.Amount != nil && s.Unit != nil
	case StepForgiven:
		return s.Unit != nil
	case StepInstalment:
		return s.Rate != nil && s.Unit != nil
	case StepExcess:
		return s.Amount != nil && s.Rate != nil && s.Low != nil
	case StepCarryOver:
		return s.Amount != nil && s.Rate != nil && s.Low != nil && s.Unit != nil
	case StepRank:
		return s.Amount != nil && s.Rate != nil && s.Tied > 0
	case StepPool, StepBudget:
		return s.Amount != nil && s.Rate != nil && s.Unit != nil
	case StepScore, StepCapEach, StepDraw, StepRecovery, StepClawback:
		return s.Amount != nil && s.Unit != nil && s.Rate != nil && (s.Kind != StepScore || s.Unit.IsPositive())
	case StepCurve:
		flat := s.To == nil && s.High == nil
		slope := s.To != nil && s.High != nil && s.From != nil && s.To.GreaterThan(*s.From)
		return s.Amount != nil && s.Unit != nil && s.Unit.IsPositive() && s.Rate != nil && s.Low != nil && s.From != nil && (flat || slope)
	case StepTier:
		return s.Amount != nil && s.Rate != nil && s.From != nil
	case StepGate:
		return s.Amount != nil && s.From != nil && s.Open != nil
	case StepRounding:
		return s.Amount != nil
	}
	return true
}
