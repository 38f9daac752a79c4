package calculation

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Achievement is what somebody achieved by a line: a place in a contest that won a prize, or a
// quota that was reached.
type Achievement struct {
	Place   int             // 0 where it is a quota
	Tied    int             // how many share the place
	Percent decimal.Decimal // of the quota, rounded down to whole percents
}

// AchievementOf returns what a line achieved; ok is false where it achieved nothing of the kind.
func AchievementOf(line incentive.Line) (a Achievement, ok bool, err error) {
	e, err := ReadExplanation(line)
	if err != nil || line.Amount.Minor <= 0 {
		return a, false, err
	}
	for _, s := range e.Steps {
		switch {
		case s.Kind == StepRank && s.Count > 0:
			return Achievement{Place: s.Count, Tied: s.Tied}, true, nil
		case s.Kind == StepAttainment && s.Unit.IsPositive() && s.Amount.GreaterThanOrEqual(*s.Unit):
			a, ok = Achievement{Percent: incentive.Ratio{Numerator: s.Amount.Shift(2), Denominator: *s.Unit}.Decimal().Floor()}, true
		}
	}
	return a, ok, nil
}
