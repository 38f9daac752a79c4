package calculation

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Explanation is the arithmetic of a line as data, in the order in which it was done.
type Explanation struct {
	Steps []Step `json:"steps"`
}

// Kind says what a step does.
type Kind string

// The kinds of step. What is earned begins at nothing; rate, tier and bonus add to it, a
// closed gate makes it nothing, a cap limits it, and rounding makes it payable.
const (
	StepMeasure    Kind = "measure"    // Result is the measure of Count credits
	StepQuota      Kind = "quota"      // Amount of the quota, for Days of its OfDays
	StepAttainment Kind = "attainment" // Amount divided by Unit, the quota
	StepRate       Kind = "rate"       // Amount times Rate
	StepTier       Kind = "tier"       // Amount, which lies between From and To, times Rate
	StepBonus      Kind = "bonus"      // Result
	StepGate       Kind = "gate"       // Open where Amount reaches From times Unit
	StepCap        Kind = "cap"        // Amount, but no more than Rate
	StepRounding   Kind = "rounding"   // Amount to minor units
)

// Step is one step of an explanation. Amounts are in major units of the line's currency.
type Step struct {
	Kind   Kind             `json:"kind"`
	Name   string           `json:"name,omitempty"`  // of the quota, attribute or rounding that is used
	Where  string           `json:"where,omitempty"` // the filter of the credits that count
	Count  int              `json:"count,omitempty"`
	Days   int              `json:"days,omitempty"`
	OfDays int              `json:"of_days,omitempty"`
	From   *decimal.Decimal `json:"from,omitempty"`
	To     *decimal.Decimal `json:"to,omitempty"`
	Above  bool             `json:"above,omitempty"` // From itself is not enough
	Amount *decimal.Decimal `json:"amount,omitempty"`
	Unit   *decimal.Decimal `json:"unit,omitempty"`
	Rate   *decimal.Decimal `json:"rate,omitempty"`
	Open   *bool            `json:"open,omitempty"`
	Each   string           `json:"each,omitempty"` // what is rounded
	Result decimal.Decimal  `json:"result"`
}

// ReadExplanation reads a line's explanation.
func ReadExplanation(line incentive.Line) (Explanation, error) {
	var e Explanation
	if err := json.Unmarshal(line.Explanation, &e); err != nil {
		return e, fmt.Errorf("read the explanation of %s: %w", line.Component, err)
	}
	return e, nil
}

// CodeExplanationWrong says that a line's explanation does not give the line.
const CodeExplanationWrong incentive.Code = "explanation-wrong"

// CheckLine does the arithmetic of a line again from its explanation and its
// contributions. Its error has code CodeExplanationWrong.
func CheckLine(line incentive.Line) error {
	e, err := ReadExplanation(line)
	if err != nil {
		return err
	}
	wrong := func(format string, arguments ...any) error {
		return incentive.Errorf(CodeExplanationWrong, "%s of plan %s: %s", line.Component, line.PlanID, fmt.Sprintf(format, arguments...))
	}
	earned := decimal.Zero
	for i, s := range e.Steps {
		want := s.Result
		if !s.whole() {
			return wrong("step %d (%s) is incomplete", i+1, s.Kind)
		}
		switch s.Kind {
		case StepMeasure:
		case StepQuota, StepAttainment:
			ratio := incentive.Ratio{Numerator: decimal.NewFromInt(int64(s.Days)), Denominator: decimal.NewFromInt(int64(s.OfDays))}
			if s.Kind == StepAttainment {
				ratio = incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}
				want = ratio.Decimal()
			} else {
				want = ratio.Of(*s.Amount)
			}
		case StepRate, StepTier:
			want = s.Amount.Mul(*s.Rate)
			earned = earned.Add(want)
		case StepBonus:
			earned = earned.Add(s.Result)
		case StepGate:
			reached := s.Unit != nil
			if reached {
				c := s.Amount.Cmp(s.From.Mul(*s.Unit))
				reached = c > 0 || c == 0 && !s.Above
			}
			if reached != *s.Open {
				return wrong("step %d says that the gate is open: %t", i+1, *s.Open)
			}
			if want = decimal.Zero; !reached {
				earned = decimal.Zero
			}
		case StepCap:
			if !s.Amount.Equal(earned) {
				return wrong("step %d caps %s, and %s is earned", i+1, s.Amount, earned)
			}
			want = decimal.Min(*s.Amount, *s.Rate)
			earned = want
		case StepRounding:
			if !s.Amount.Equal(earned) {
				return wrong("step %d rounds %s, and %s is earned", i+1, s.Amount, earned)
			}
			want = line.Amount.Decimal()
			if s.Each == "line" {
				rounded, err := incentive.Rounding(s.Name).Round(earned, line.Amount.Currency)
				if err != nil {
					return err
				}
				want = rounded.Decimal()
			}
		default:
			return wrong("step %d is of the unknown kind %q", i+1, s.Kind)
		}
		if !want.Equal(s.Result) {
			return wrong("step %d gives %s, not %s", i+1, want, s.Result)
		}
	}
	if !earned.Equal(line.Unrounded) {
		return wrong("the steps give %s, and the line is %s", earned, line.Unrounded)
	}
	return nil
}

// whole reports whether the step has what its kind needs.
func (s Step) whole() bool {
	switch s.Kind {
	case StepQuota:
		return s.Amount != nil && s.OfDays > 0
	case StepAttainment:
		return s.Amount != nil && s.Unit != nil && s.Unit.IsPositive()
	case StepRate, StepCap:
		return s.Amount != nil && s.Rate != nil
	case StepTier:
		return s.Amount != nil && s.Rate != nil && s.From != nil
	case StepGate:
		return s.Amount != nil && s.From != nil && s.Open != nil
	case StepRounding:
		return s.Amount != nil
	}
	return true
}

// String says the step in words.
func (s Step) String() string {
	where := ""
	if s.Where != "" {
		where = " where " + s.Where
	}
	switch s.Kind {
	case StepMeasure:
		return fmt.Sprintf("%s of %s%s: %s", s.Name, plural(s.Count, "credit"), where, s.Result)
	case StepQuota:
		if s.Days == s.OfDays {
			return fmt.Sprintf("quota %s: %s", s.Name, s.Result)
		}
		return fmt.Sprintf("quota %s: %s × %d ÷ %d days = %s", s.Name, s.Amount, s.Days, s.OfDays, s.Result)
	case StepAttainment:
		return fmt.Sprintf("attainment: %s ÷ %s = %s%%", s.Amount, s.Unit, s.Result.Shift(2).Round(4))
	case StepRate:
		return fmt.Sprintf("%s%s: %s × %s = %s", plural(s.Count, "credit"), where, s.Amount, s.Rate, s.Result)
	case StepTier:
		tier := "above " + s.From.String()
		switch {
		case s.To != nil && s.From.IsZero():
			tier = "up to " + s.To.String()
		case s.To != nil:
			tier += " up to " + s.To.String()
		case s.From.IsZero():
			tier = "all of it"
		}
		return fmt.Sprintf("%s: %s × %s = %s", tier, s.Amount, s.Rate, s.Result)
	case StepBonus:
		return fmt.Sprintf("bonus: %s", s.Result)
	case StepGate:
		word, verdict := "at least", "reached"
		if s.Above {
			word = "above"
		}
		if s.Open != nil && !*s.Open {
			verdict = "not reached, so nothing is paid"
		}
		if s.Unit == nil {
			return "gate: there is no quota, so nothing is paid"
		}
		return fmt.Sprintf("gate: %s against %s %s × %s: %s", s.Amount, word, s.From, s.Unit, verdict)
	case StepCap:
		return fmt.Sprintf("cap: %s, but no more than %s, is %s", s.Amount, s.Rate, s.Result)
	case StepRounding:
		return fmt.Sprintf("rounded (%s, each %s): %s to %s", strings.ReplaceAll(s.Name, "_", " "), s.Each, s.Amount, s.Result)
	}
	return string(s.Kind)
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
