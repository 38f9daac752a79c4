package calculation

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/plan"
)

// String says the step in words, in English.
func (s Step) String() string { return s.In(language.English) }

// In says the step in words.
func (s Step) In(l language.Language) string {
	where := ""
	if s.Where != "" {
		where = l.Sprintf(" where %s", plan.Condition(l, s.Where))
	}
	switch s.Kind {
	case StepMeasure:
		if s.Since != "" {
			where += l.Sprintf(" since %s", s.Since)
		}
		name := l.Word(s.Name)
		if s.Of != "" {
			name += l.Sprintf(" of %s", plan.Spoken(s.Of))
		}
		return l.Sprintf("%s of %s%s: %s", name, counted(l, s.Count, "%d credit", "%d credits"), where, s.Result)
	case StepExchange:
		return l.Sprintf("%s in %s (%s): %s %s = %s", counted(l, s.Count, "%d credit", "%d credits"), s.Currency, s.Name, s.Amount, s.rate(), s.Result)
	case StepPaidIn:
		return l.Sprintf("paid in another currency (%s): %s %s %s = %s", s.Name, s.Currency, s.Amount, s.rate(), s.Result)
	case StepObjective:
		if s.Amount == nil {
			return l.Sprintf("objective %s: it has no score yet", s.Name)
		}
		return l.Sprintf("objective %s: scored %s, weighing %s, counts %s", s.Name, s.Amount, s.Rate, s.Result)
	case StepAchieved:
		return l.Sprintf("objectives together: %s", s.Result)
	case StepRatio:
		return l.Sprintf("ratio: %s ÷ %s = %s", s.Amount, s.Unit, s.Result)
	case StepQuota:
		if s.Rate != nil {
			unit := "days"
			if s.Each != "" {
				unit = s.Each + "s"
			}
			return l.Sprintf("quota %s: %s × %s × %d ÷ %d %s = %s", s.Name, s.Amount, s.Rate, s.Days, s.OfDays, l.Word(unit), s.Result)
		}
		if s.Days == s.OfDays {
			return l.Sprintf("quota %s: %s", s.Name, s.Result)
		}
		return l.Sprintf("quota %s: %s × %d ÷ %d days = %s", s.Name, s.Amount, s.Days, s.OfDays, s.Result)
	case StepRelief:
		what := l.Sprintf("relief of quota %s (%s) from %s to %s", s.Of, l.Word(s.Name), s.Since, s.Until)
		if s.Rate != nil {
			return l.Sprintf("%s: %s × %s, less %s", what, s.Amount, s.Rate, s.Result)
		}
		return l.Sprintf("%s: %s × %d ÷ %d days, less %s", what, s.Amount, s.Days, s.OfDays, s.Result)
	case StepAttainment:
		return l.Sprintf("attainment: %s ÷ %s = %s%%", s.Amount, s.Unit, s.Result.Shift(2).Round(4))
	case StepRate:
		return l.Sprintf("%s%s: %s × %s = %s", counted(l, s.Count, "%d credit", "%d credits"), where, s.Amount, s.Rate, s.Result)
	case StepTier:
		tier := l.Sprintf("above %s", s.From)
		switch {
		case s.To != nil && s.From.IsZero():
			tier = l.Sprintf("up to %s", s.To)
		case s.To != nil:
			tier = l.Sprintf("above %s up to %s", s.From, s.To)
		case s.From.IsZero():
			tier = l.Word("all of it")
		}
		return fmt.Sprintf("%s: %s × %s = %s", tier, s.Amount, s.Rate, s.Result)
	case StepBonus:
		return l.Sprintf("bonus: %s", s.Result)
	case StepRank:
		switch {
		case s.Count == 0:
			return l.Sprintf("ranking: %s does not qualify", s.Amount)
		case s.Tied > 1:
			return l.Sprintf("ranking: %s takes place %d with %d others: %s ÷ %d = %s", s.Amount, s.Count, s.Tied-1, s.Rate, s.Tied, s.Result)
		}
		return l.Sprintf("ranking: %s takes place %d: %s", s.Amount, s.Count, s.Result)
	case StepPool:
		return l.Sprintf("pool: %s of all %s, of %s: %s", s.Amount, s.Unit, s.Rate, s.Result)
	case StepBudget:
		return l.Sprintf("prizes of %s in all, for which there is %s: %s becomes %s", s.Unit, s.Rate, s.Amount, s.Result)
	case StepWait:
		return l.Sprintf("the interval ends on %s, so nothing is paid yet", s.Name)
	case StepAdjustment:
		what := l.Sprintf("adjustment (%s)", l.Word(s.Name))
		if s.Period != "" {
			what += l.Sprintf(" of %s", s.Period)
		}
		if s.Dispute != "" {
			what += l.Sprintf(", by dispute %s", s.Dispute)
		}
		return fmt.Sprintf("%s: %s", what, s.Result)
	case StepKey:
		return fmt.Sprintf("%s: %s, %s", l.Word(strings.ReplaceAll(s.Name, "_", " ")), s.figure(), s.between(l))
	case StepScore:
		return l.Sprintf("%s: %s ÷ %s, weighing %s, counts %s", s.Name, s.Amount, s.Unit, s.Rate, s.Result)
	case StepCurve:
		if s.Count < 0 {
			return l.Sprintf("less what earlier periods were paid at %s: %s", s.figure(), s.Result)
		}
		if s.To == nil {
			return l.Sprintf("curve: at %s it pays %s × %s = %s", s.figure(), s.Low, s.Rate, s.Result)
		}
		return l.Sprintf("curve: at %s, on the line from (%s, %s) to (%s, %s), of %s = %s", s.figure(), s.From, s.Low, s.To, s.High, s.Rate, s.Result)
	case StepFactor:
		return l.Sprintf("%s: factor %s, all together %s", s.Name, s.Rate, s.Result)
	case StepMultiplier:
		return l.Sprintf("multiplied: %s × %s = %s", s.Amount, s.Rate, s.Result)
	case StepFloor:
		return l.Sprintf("floor: %s, but no less than %s, is %s", s.Amount, s.Rate, s.Result)
	case StepPosted:
		return l.Sprintf("due in all %s, less %s of %s: %s", s.Amount, s.Unit, counted(l, s.Count, "%d earlier period", "%d earlier periods"), s.Result)
	case StepDeduct:
		return l.Sprintf("%s less %s: %s", s.Amount, s.Unit, s.Result)
	case StepDraw:
		switch {
		case s.Result.IsPositive():
			return l.Sprintf("draw: %s earned of %s guaranteed, so %s is advanced", s.Amount, s.Rate, s.Result)
		case s.Result.IsNegative():
			return l.Sprintf("draw: %s earned of %s guaranteed and %s owed, so %s is recovered", s.Amount, s.Rate, s.Unit, s.Result.Neg())
		}
		return l.Sprintf("draw: %s earned of %s guaranteed and %s owed, so nothing moves", s.Amount, s.Rate, s.Unit)
	case StepHold:
		return l.Sprintf("of %s for %s, %s is held back: %s", s.Amount, counted(l, s.Count, "%d credit", "%d credits"), s.Rate, s.Result)
	case StepRelease:
		return l.Sprintf("held back of %s before, and paid now: %s", counted(l, s.Count, "%d credit", "%d credits"), s.Result)
	case StepForfeit:
		return l.Sprintf("held back of %s before, and forfeited: %s", counted(l, s.Count, "%d credit", "%d credits"), s.Result)
	case StepClawback:
		words := l.Sprintf("%s of %s is refunded or cancelled: of %s paid for it, × %s is taken back", s.Name, s.Of, s.Amount, s.Rate)
		if !s.Unit.IsZero() {
			words += l.Sprintf(", less %s taken before", s.Unit)
		}
		return fmt.Sprintf("%s: %s", words, s.Result)
	case StepInstalment:
		return l.Sprintf("taken back in instalments: of all that is to be taken, %s waits for later periods, and %s waited before: %s", s.Rate, s.Unit, s.Result)
	case StepRecovery:
		return l.Sprintf("draw: %s earned and %s owed, which is recovered down to %s%s: %s is recovered", s.Amount, s.Unit, s.Rate, s.atMost(l), s.Result.Neg())
	case StepForgiven:
		if s.Unit.IsZero() {
			return l.Sprintf("draw: in month %d nothing is forgiven", s.Days)
		}
		return l.Sprintf("draw: in month %d, %s that is owed is forgiven", s.Days, s.Unit)
	case StepCarryOver:
		words := l.Sprintf("cap: %s%s, but no more than %s, with %s put off before", s.Amount, s.before(l), s.Rate, s.Unit)
		if s.Result.IsNegative() {
			return l.Sprintf("%s: %s is put off", words, s.Result.Neg())
		}
		return l.Sprintf("%s: %s of it is paid", words, s.Result)
	case StepExcess:
		return l.Sprintf("cap: %s%s, but no more than %s: %s is lost", s.Amount, s.before(l), s.Rate, s.Result.Neg())
	case StepCapEach:
		return l.Sprintf("cap of %s for each: %s earned more, %s in all, which leaves %s", s.Rate, counted(l, s.Count, "%d credit", "%d credits"), s.Unit, s.Result)
	case StepGate:
		word, verdict := "at least", "reached"
		if s.Above {
			word = "above"
		}
		if s.Open != nil && !*s.Open {
			verdict = "not reached, so nothing is paid"
		}
		if s.Unit == nil {
			return l.Word("gate: there is no quota, so nothing is paid")
		}
		return l.Sprintf("gate: %s against %s %s × %s: %s", s.Amount, l.Word(word), s.From, s.Unit, l.Word(verdict))
	case StepCap:
		return l.Sprintf("cap: %s, but no more than %s, is %s", s.Amount, s.Rate, s.Result)
	case StepCorrection:
		return l.Sprintf("correction of %s: %s is due by what is known today, less %s that was posted: %s", s.Name, s.Amount, s.Unit, s.Result)
	case StepRounding:
		return l.Sprintf("rounded (%s, each %s): %s to %s", l.Word(strings.ReplaceAll(s.Name, "_", " ")), l.Word(s.Each), s.Amount, s.Result)
	}
	return string(s.Kind)
}

// exchanged is what Amount comes to at Rate, or at one for Unit.
func (s Step) exchanged() decimal.Decimal {
	if s.Rate != nil {
		return s.Amount.Mul(*s.Rate)
	}
	return incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}.Decimal()
}

// rate says the rate of an exchange.
func (s Step) rate() string {
	if s.Rate != nil {
		return "× " + s.Rate.String()
	}
	return "÷ " + s.Unit.String()
}

// before says what earlier periods have taken of a cap.
func (s Step) before(l language.Language) string {
	if s.Low.IsZero() {
		return ""
	}
	return l.Sprintf(" after %s before", s.Low)
}

// atMost says the most that a period recovers.
func (s Step) atMost(l language.Language) string {
	if s.High == nil {
		return ""
	}
	return l.Sprintf(", no more than %s", s.High)
}

// figure says Amount against Unit.
func (s Step) figure() string {
	if s.Unit.Equal(one) {
		return s.Amount.String()
	}
	ratio := incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}
	return ratio.Decimal().Shift(2).Round(4).String() + "%"
}

// between says From and To.
func (s Step) between(l language.Language) string {
	switch {
	case s.From == nil && s.To == nil:
		return l.Word("wherever it lies")
	case s.From == nil:
		return l.Sprintf("up to %s", s.To)
	case s.To == nil:
		return l.Sprintf("from %s", s.From)
	}
	return l.Sprintf("from %s to %s", s.From, s.To)
}

func counted(l language.Language, n int, single, several string) string {
	if n == 1 {
		return l.Sprintf(single, n)
	}
	return l.Sprintf(several, n)
}
