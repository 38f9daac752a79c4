package calculation

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/plan"
)

// Credited is a credit of a participant as a snapshot holds it.
type Credited struct {
	Transaction incentive.TransactionKey
	Date        incentive.Date
	Role        string
	Amount      decimal.Decimal // in major units of the transaction
}

// Why says why a credit is not paid.
type Why string

// The reasons.
const (
	NotAssigned Why = "not-assigned" // the participant was on no plan on the transaction's date
	NotMeasured Why = "not-measured" // no component of the participant's plans takes it
	GateClosed  Why = "gate-closed"  // the measure has not come far enough
	NotYet      Why = "not-yet"      // the component pays when its interval has ended
	Capped      Why = "capped"       // there was nothing more to be had
	Relieved    Why = "relieved"     // nothing is left of the quota that pay is measured against
	NoRate      Why = "no-rate"      // the rate that holds for it is nothing
	NoQuota     Why = "no-quota"     // there is no quota that pay could be measured against
	NoPrize     Why = "no-prize"     // it does not qualify for a contest or pool, or came too late in it
	Counted     Why = "counted"      // what is counted once has counted already
	NoAmount    Why = "no-amount"    // there is nothing of it
)

// Unpaid is a credit that no line pays anything for, with every reason.
type Unpaid struct {
	Credited
	Reasons []Reason
}

// Reason is why one component pays nothing for a credit, or why none does.
type Reason struct {
	PlanID    string // "" where it concerns them all
	Component string
	Why       Why
	InWords   string
}

// NotPaid lists which of a participant's credits no line of their statement pays for, and
// why in a language, by the versions of the plans that the lines name. A credit that helps a line to what no
// single credit earns, such as a bonus, is paid.
func NotPaid(l language.Language, s incentive.Statement, credits []Credited, assignments []incentive.Assignment, versions []incentive.PlanVersion) ([]Unpaid, error) {
	type creditKey struct {
		transaction incentive.TransactionKey
		role        string
	}
	paid := map[creditKey]bool{}
	reasons := map[creditKey][]Reason{}
	var narrowed []Reason // by which components no credit counts that they do not take
	for _, line := range s.Lines {
		e, err := ReadExplanation(line)
		if err != nil {
			return nil, err
		}
		component, err := componentOf(line, versions)
		if err != nil {
			return nil, err
		}
		if where := text(component.Measure.Where); where != "" && component.Override == nil && line.Corrects == "" {
			narrowed = append(narrowed, Reason{line.PlanID, line.Component, NotMeasured, l.Sprintf("it counts only where %s", plan.Condition(l, where))})
		}
		why, words := e.whyNothing(l, component)
		earns := slices.ContainsFunc(line.Contributions, func(c incentive.Contribution) bool { return !c.Amount.IsZero() })
		for _, c := range line.Contributions {
			if c.ParticipantID != s.ParticipantID {
				continue
			}
			key, reason := creditKey{c.Transaction, c.Role}, Reason{line.PlanID, line.Component, why, words}
			switch {
			case !c.Amount.IsZero() || e.OfNoCredit != nil && !line.Amount.Decimal().IsZero():
				paid[key] = true
				continue
			case why != NoRate:
			case component.Measure.Aggregate == plan.Distinct && earns:
				reason.Why, reason.InWords = Counted, l.Sprintf("what it has as %s has counted already", component.Measure.Attribute)
			case c.Credited.IsZero():
				reason.Why, reason.InWords = NoAmount, l.Word("nothing of it is credited")
			}
			reasons[key] = append(reasons[key], reason)
		}
	}
	var all []Unpaid
	for _, c := range credits {
		key := creditKey{c.Transaction, c.Role}
		if paid[key] {
			continue
		}
		one := Unpaid{c, reasons[key]}
		on := func(planID string) bool {
			return slices.ContainsFunc(assignments, func(a incentive.Assignment) bool {
				return (planID == "" || a.PlanID == planID) && a.Holds(c.Date)
			})
		}
		if len(one.Reasons) == 0 && !on("") {
			one.Reasons = []Reason{{Why: NotAssigned, InWords: l.Sprintf("on no plan on %s", c.Date)}}
		}
		if len(one.Reasons) == 0 {
			for _, reason := range narrowed {
				if on(reason.PlanID) {
					one.Reasons = append(one.Reasons, reason)
				}
			}
		}
		if len(one.Reasons) == 0 {
			one.Reasons = []Reason{{Why: NotMeasured, InWords: l.Word("no component of the plans takes it")}}
		}
		all = append(all, one)
	}
	return all, nil
}

// componentOf finds the component of a line in the version of its plan; an empty one where the
// version is not among those given, or the line is of no component.
func componentOf(line incentive.Line, versions []incentive.PlanVersion) (plan.Component, error) {
	for _, v := range versions {
		if v.PlanID != line.PlanID || v.Version != line.PlanVersion {
			continue
		}
		p, err := read.parse(v.Document)
		if err != nil {
			return plan.Component{}, fmt.Errorf("read version %d of plan %s: %w", v.Version, v.PlanID, err)
		}
		for _, c := range p.Components {
			if c.Name == line.Component {
				return c, nil
			}
		}
	}
	return plan.Component{}, nil
}

// whyNothing says why a line of a component pays nothing for a credit that it measures.
func (e Explanation) whyNothing(l language.Language, of plan.Component) (Why, string) {
	expected := decimal.Zero // of a quota
	for i, s := range e.Steps {
		switch {
		case s.Kind == StepQuota:
			if expected = expected.Add(s.Result); i == 0 || e.Steps[i-1].Kind != StepQuota {
				expected = s.Result
			}
		case s.Kind == StepRelief:
			if expected = expected.Sub(s.Result); !expected.IsPositive() {
				return Relieved, s.In(l)
			}
		case s.Kind == StepWait:
			return NotYet, s.In(l)
		case s.Kind == StepGate && !*s.Open && s.Unit == nil:
			return NoQuota, s.In(l)
		case s.Kind == StepGate && !*s.Open:
			return GateClosed, s.In(l)
		case (s.Kind == StepCap || s.Kind == StepCapEach) && s.Result.LessThan(*s.Amount):
			return Capped, s.In(l)
		}
	}
	if quota, lacks := e.lacksQuota(of); lacks {
		return NoQuota, l.Sprintf("there is no quota %q to measure it against, so nothing is paid", quota)
	}
	// The step that makes nothing of it, the last one first.
	for _, s := range slices.Backward(e.Steps) {
		switch {
		case s.Kind == StepRank || s.Kind == StepPool:
			return NoPrize, s.In(l)
		case s.Kind == StepMultiplier && s.Rate.IsZero(), s.Kind == StepTier && s.Rate.IsZero() && !s.Amount.IsZero(), s.Kind == StepRate && s.Rate.IsZero(),
			(s.Kind == StepCurve || s.Kind == StepBonus || s.Kind == StepScore) && s.Result.IsZero():
			return NoRate, s.In(l)
		}
	}
	return NoRate, l.Word("it earns nothing at its rate")
}

// lacksQuota reports which quota a component pays by, that the participant does not have.
func (e Explanation) lacksQuota(of plan.Component) (quota string, lacks bool) {
	var targets []plan.Target
	switch {
	case of.RateTable != nil:
		targets = append(targets, of.RateTable.Target)
	case of.Curve != nil:
		targets = append(targets, of.Curve.Target)
	case of.Ranking != nil:
		targets = append(targets, of.Ranking.Target)
	case of.RateBy != nil:
		for _, k := range []*plan.Key{&of.RateBy.Key, of.RateBy.Across} {
			if k != nil && k.On == plan.KeyAttainment {
				targets = append(targets, plan.Target{On: plan.Attainment, Quota: k.Quota})
			}
		}
	}
	for _, t := range targets {
		has := slices.ContainsFunc(e.Steps, func(s Step) bool { return s.Kind == StepQuota && s.Name == t.Quota })
		if t.On == plan.Attainment && !has {
			return t.Quota, true
		}
	}
	return "", false
}
