package calculation

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// Explanation is the arithmetic of a line as data, in the order in which it was done.
type Explanation struct {
	Steps []Step `json:"steps"`
	// OfNoCredit is the part of the line that no single credit earned, such as a bonus.
	OfNoCredit *decimal.Decimal `json:"of_no_credit,omitempty"`
}

// Kind says what a step does.
type Kind string

// The kinds of step. What is earned begins at nothing; rate, tier, curve, rank, pool
// and bonus add to it, a closed gate makes it nothing, a multiplier multiplies it, floor and caps limit it,
// what was posted and a deduction are taken off it, and rounding makes it payable. A draw, a
// recovery, a carry-over and an excess are lines by themselves. The other kinds say where figures come from.
const (
	StepExchange   Kind = "exchange"   // Amount in Currency, of Count credits, times Rate or divided by Unit
	StepPaidIn     Kind = "paid_in"    // Amount times Rate or divided by Unit, rounded to the currency of the line
	StepMeasure    Kind = "measure"    // Result is the measure of Count credits
	StepObjective  Kind = "objective"  // Amount, the score of the objective Name, times Rate, its weight; without Amount it has no score yet
	StepAchieved   Kind = "achieved"   // Result is the sum of the Count objectives before it
	StepRatio      Kind = "ratio"      // Amount divided by Unit; nothing where Unit is nothing
	StepQuota      Kind = "quota"      // Amount of the quota, of which Rate where there is one, for Days (or months) of its OfDays
	StepRelief     Kind = "relief"     // of the quota Of, by the cause Name: Rate of Amount, or Amount for Days of its OfDays; it is taken off the quota
	StepAttainment Kind = "attainment" // Amount divided by Unit, the quota
	StepRate       Kind = "rate"       // Amount times Rate
	StepTier       Kind = "tier"       // Amount, which lies between From and To, times Rate
	StepBonus      Kind = "bonus"      // Result
	StepRank       Kind = "rank"       // Rate, the prizes of Tied places from Count on, divided by them; no Count wins nothing
	StepPool       Kind = "pool"       // Amount's part of Unit, of Rate, in minor units that add up
	StepBudget     Kind = "budget"     // Amount times Rate divided by Unit, all prizes, in minor units that add up
	StepWait       Kind = "wait"       // nothing, as the interval ends on the day Name
	StepGate       Kind = "gate"       // Open where Amount reaches From times Unit
	StepCap        Kind = "cap"        // Amount, but no more than Rate
	StepKey        Kind = "key"        // Amount against Unit lies between From and To
	StepScore      Kind = "score"      // Amount divided by Unit, the quota, times Rate, the weight
	StepCurve      Kind = "curve"      // Amount against Unit between the points (From, Low) and (To, High), of Rate
	StepFactor     Kind = "factor"     // Rate; Result is all factors so far
	StepMultiplier Kind = "multiplier" // Amount times Rate
	StepFloor      Kind = "floor"      // Amount, but no less than Rate
	StepCapEach    Kind = "cap_each"   // Amount less Unit, which Count credits earned above Rate
	StepPosted     Kind = "posted"     // Amount less Unit, which Count earlier periods posted
	StepDeduct     Kind = "deduct"     // Amount less Unit
	StepDraw       Kind = "draw"       // Amount against Rate, the draw, with Unit owed of which High at most is recovered
	StepHold       Kind = "hold"       // Rate of Amount, of Count credits, each rounded, is put off
	StepRelease    Kind = "release"    // Result, of Count credits, was put off and is paid
	StepForfeit    Kind = "forfeit"    // Result, of Count credits, was put off and is lost
	StepClawback   Kind = "clawback"   // Rate of Amount, which was paid for Name of Of, less Unit, which was taken back before
	StepInstalment Kind = "instalment" // Rate waits for later periods, and Unit waited before
	StepRecovery   Kind = "recovery"   // of Unit owed what Amount lies above Rate, High at most
	StepForgiven   Kind = "forgiven"   // Unit, which is owed when month Days has begun
	StepCarryOver  Kind = "carry_over" // what room Amount and Low, of before, leave below Rate, for Unit that waits
	StepExcess     Kind = "excess"     // what Amount goes beyond what Low, of before, leaves below Rate
	StepRounding   Kind = "rounding"   // Amount to minor units
	StepCorrection Kind = "correction" // Amount, which is due in the period Name, less Unit, which was posted of it
	StepAdjustment Kind = "adjustment" // Result, of the type Name
)

// Step is one step of an explanation. Amounts are in major units of the line's currency.
type Step struct {
	Kind     Kind             `json:"kind"`
	Name     string           `json:"name,omitempty"`  // of the quota, attribute or rounding that is used
	Of       string           `json:"of,omitempty"`    // the transaction's attribute that is measured
	Where    string           `json:"where,omitempty"` // the filter of the credits that count
	Since    string           `json:"since,omitempty"` // the first day that counts, where that is not the period's
	Until    string           `json:"until,omitempty"` // the last day, of a relief
	Count    int              `json:"count,omitempty"`
	Tied     int              `json:"tied,omitempty"`
	Days     int              `json:"days,omitempty"`
	OfDays   int              `json:"of_days,omitempty"`
	From     *decimal.Decimal `json:"from,omitempty"`
	To       *decimal.Decimal `json:"to,omitempty"`
	Above    bool             `json:"above,omitempty"` // From itself is not enough
	Low      *decimal.Decimal `json:"low,omitempty"`
	High     *decimal.Decimal `json:"high,omitempty"`
	Added    bool             `json:"added,omitempty"` // factors are added, not multiplied
	Amount   *decimal.Decimal `json:"amount,omitempty"`
	Unit     *decimal.Decimal `json:"unit,omitempty"`
	Rate     *decimal.Decimal `json:"rate,omitempty"`
	Open     *bool            `json:"open,omitempty"`
	Currency string           `json:"currency,omitempty"` // of what is exchanged, or rounded before it is
	Each     string           `json:"each,omitempty"`     // what is rounded, or what a quota is prorated by
	// Of an adjustment: the period it concerns, where another one pays it, and the dispute
	// that it answers.
	Period  string          `json:"period,omitempty"`
	Dispute string          `json:"dispute,omitempty"`
	Result  decimal.Decimal `json:"result"`
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
	earned, payable, factors := decimal.Zero, decimal.Zero, one
	achieved, objectives := decimal.Zero, 0
	currency := line.Amount.Currency // of the plan
	for _, s := range e.Steps {
		if s.Kind == StepRounding && s.Currency != "" {
			if currency, err = incentive.ParseCurrency(s.Currency); err != nil {
				return wrong("%s", incentive.ErrorMessage(err))
			}
		}
	}
	for i, s := range e.Steps {
		want := s.Result
		if !s.whole() {
			return wrong("step %d (%s) is incomplete", i+1, s.Kind)
		}
		switch s.Kind {
		case StepMeasure:
		case StepObjective:
			if want = decimal.Zero; s.Amount != nil {
				want = s.Amount.Mul(*s.Rate)
			}
			achieved, objectives = achieved.Add(want), objectives+1
		case StepAchieved:
			if s.Count != objectives {
				return wrong("step %d adds %d objectives up, and there are %d", i+1, s.Count, objectives)
			}
			want, achieved, objectives = achieved, decimal.Zero, 0
		case StepExchange:
			// Each credit's part is rounded, at least to the places of a quotient.
			apart := want.Sub(s.exchanged()).Abs().Shift(currency.Exponent())
			if apart.GreaterThan(decimal.NewFromInt(int64(s.Count))) {
				return wrong("step %d gives %s, not %s", i+1, s.exchanged(), s.Result)
			}
		case StepPaidIn:
			if i == 0 || !s.Amount.Equal(e.Steps[i-1].Result) {
				return wrong("step %d pays %s, which is not what is rounded", i+1, s.Amount)
			}
			paid, err := incentive.Rounding(s.Each).Round(s.exchanged(), line.Amount.Currency)
			if err != nil {
				return err
			}
			if want = paid.Decimal(); paid != line.Amount && line.Corrects == "" {
				return wrong("step %d pays %s, and the line is %s", i+1, paid, line.Amount)
			}
			payable = want
		case StepQuota, StepAttainment:
			ratio := incentive.Ratio{Numerator: decimal.NewFromInt(int64(s.Days)), Denominator: decimal.NewFromInt(int64(s.OfDays))}
			if s.Kind == StepAttainment {
				ratio = incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}
				want = ratio.Decimal()
			} else {
				of := *s.Amount
				if s.Rate != nil {
					of = of.Mul(*s.Rate)
				}
				want = ratio.Of(of)
			}
		case StepRelief:
			if s.Rate != nil {
				want = s.Amount.Mul(*s.Rate)
			} else {
				want = incentive.Ratio{Numerator: decimal.NewFromInt(int64(s.Days)), Denominator: decimal.NewFromInt(int64(s.OfDays))}.Of(*s.Amount)
			}
		case StepRatio:
			if want = decimal.Zero; !s.Unit.IsZero() {
				ratio, err := incentive.NewRatio(*s.Amount, *s.Unit)
				if err != nil {
					return err
				}
				want = ratio.Decimal()
			}
		case StepRate, StepTier:
			want = s.Amount.Mul(*s.Rate)
			earned = earned.Add(want)
		case StepBonus:
			earned = earned.Add(s.Result)
		case StepRank:
			want = incentive.Ratio{Numerator: *s.Rate, Denominator: decimal.NewFromInt(int64(s.Tied))}.Decimal()
			earned = earned.Add(want)
		case StepPool, StepBudget:
			if s.Kind == StepBudget && !s.Amount.Equal(earned) {
				return wrong("step %d cuts %s, and %s is won", i+1, s.Amount, earned)
			}
			exact := decimal.Zero
			if !s.Unit.IsZero() {
				exact = incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}.Of(*s.Rate)
			}
			if exact.Sub(s.Result).Abs().Shift(currency.Exponent()).GreaterThanOrEqual(one) {
				return wrong("step %d gives %s, which is not %s in minor units", i+1, s.Result, exact)
			}
			earned = s.Result
		case StepWait:
			earned = decimal.Zero
			want = decimal.Zero
		case StepAdjustment:
			want = line.Amount.Decimal()
			earned = earned.Add(want)
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
		case StepKey:
			low := s.From != nil && s.Amount.Cmp(s.From.Mul(*s.Unit)) < 0
			high := s.To != nil && s.Amount.Cmp(s.To.Mul(*s.Unit)) > 0
			if low || high {
				return wrong("step %d says that %s lies where it does not", i+1, s.Amount)
			}
		case StepScore:
			want = incentive.Ratio{Numerator: *s.Amount, Denominator: *s.Unit}.Of(*s.Rate)
		case StepCurve:
			want = s.Low.Mul(*s.Rate)
			if s.To != nil {
				run := incentive.Ratio{Numerator: s.Amount.Sub(s.From.Mul(*s.Unit)).Mul(s.High.Sub(*s.Low)), Denominator: s.To.Sub(*s.From).Mul(*s.Unit)}
				want = want.Add(run.Of(*s.Rate))
			}
			if s.Count < 0 { // paid by earlier periods
				earned = earned.Sub(want)
			} else {
				earned = earned.Add(want)
			}
		case StepFactor:
			if want = factors.Mul(*s.Rate); s.Added {
				want = factors.Add(*s.Rate).Sub(one)
			}
			factors = want
		case StepDraw:
			if want = s.Rate.Sub(*s.Amount); !want.IsPositive() {
				recovered := decimal.Min(want.Neg(), *s.Unit)
				if s.High != nil {
					recovered = decimal.Min(recovered, *s.High)
				}
				want = decimal.Max(recovered, decimal.Zero).Neg()
			}
			earned = want
		case StepHold:
			apart := s.Amount.Mul(*s.Rate).Add(s.Result).Abs().Shift(currency.Exponent())
			if apart.GreaterThan(decimal.NewFromInt(int64(s.Count))) {
				return wrong("step %d puts off %s, which is not %s of %s", i+1, s.Result, s.Rate, s.Amount)
			}
			earned = earned.Add(s.Result)
		case StepRelease, StepForfeit:
			earned = earned.Add(s.Result)
		case StepClawback:
			lost, err := incentive.Rounding(s.Each).Round(s.Amount.Mul(*s.Rate), currency)
			if err != nil {
				return err
			}
			want = s.Unit.Sub(lost.Decimal())
			earned = earned.Add(want)
		case StepInstalment:
			want = s.Rate.Sub(*s.Unit)
			earned = earned.Add(want)
		case StepRecovery:
			want = decimal.Min(s.Amount.Sub(*s.Rate), *s.Unit)
			if s.High != nil {
				want = decimal.Min(want, *s.High)
			}
			want = decimal.Max(want, decimal.Zero).Neg()
			earned = want
		case StepForgiven:
			if want = *s.Unit; line.Kind == incentive.DrawOf {
				want = want.Neg()
			}
			earned = want
		case StepCarryOver:
			want = decimal.Min(s.Rate.Sub(*s.Low).Sub(*s.Amount), *s.Unit)
			earned = want
		case StepExcess:
			want = decimal.Min(decimal.Max(s.Rate.Sub(*s.Low), decimal.Zero).Sub(*s.Amount), decimal.Zero)
			earned = want
		case StepMultiplier, StepFloor, StepCapEach, StepPosted, StepDeduct:
			if !s.Amount.Equal(earned) {
				return wrong("step %d changes %s, and %s is earned", i+1, s.Amount, earned)
			}
			switch s.Kind {
			case StepMultiplier:
				if want = s.Amount.Mul(*s.Rate); !s.Rate.Equal(factors) {
					return wrong("step %d multiplies by %s, and the factors come to %s", i+1, s.Rate, factors)
				}
			case StepFloor:
				want = decimal.Max(*s.Amount, *s.Rate)
			default:
				want = s.Amount.Sub(*s.Unit)
			}
			earned = want
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
			if currency == line.Amount.Currency && line.Corrects == "" {
				want = line.Amount.Decimal()
			}
			if s.Each == "line" {
				rounded, err := incentive.Rounding(s.Name).Round(earned, currency)
				if err != nil {
					return err
				}
				want = rounded.Decimal()
			}
			payable = want
		case StepCorrection:
			if !s.Amount.Equal(payable) {
				return wrong("step %d corrects %s, and %s is due", i+1, s.Amount, payable)
			}
			want = s.Amount.Sub(*s.Unit)
			earned = want
		default:
			return wrong("step %d is of the unknown kind %q", i+1, s.Kind)
		}
		if !want.Equal(s.Result) {
			return wrong("step %d gives %s, not %s", i+1, want, s.Result)
		}
	}
	contributed := decimal.Zero
	if e.OfNoCredit != nil {
		contributed = *e.OfNoCredit
	}
	for _, c := range line.Contributions {
		contributed = contributed.Add(c.Amount)
	}
	if !contributed.Equal(line.Unrounded) {
		return wrong("the contributions come to %s, and the line is %s", contributed, line.Unrounded)
	}
	if !earned.Equal(line.Unrounded) {
		return wrong("the steps give %s, and the line is %s", earned, line.Unrounded)
	}
	if line.Corrects != "" && !line.Amount.Decimal().Equal(earned) {
		return wrong("the steps give %s, and %s is paid", earned, line.Amount)
	}
	return nil
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

// String says the step in words, in English.
func (s Step) String() string { return s.In(language.English) }

// In says the step in words.
func (s Step) In(l language.Language) string {
	where := ""
	if s.Where != "" {
		where = l.Sprintf(" where %s", s.Where)
	}
	switch s.Kind {
	case StepMeasure:
		if s.Since != "" {
			where += l.Sprintf(" since %s", s.Since)
		}
		name := l.Word(s.Name)
		if s.Of != "" {
			name += " of transaction." + s.Of
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
