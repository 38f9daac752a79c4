package calculation

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
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
// why. A credit that helps a line to what no single credit earns, such as a bonus, is paid.
func NotPaid(s incentive.Statement, credits []Credited, assignments []incentive.Assignment) ([]Unpaid, error) {
	type creditKey struct {
		transaction incentive.TransactionKey
		role        string
	}
	paid := map[creditKey]bool{}
	reasons := map[creditKey][]Reason{}
	for _, line := range s.Lines {
		e, err := ReadExplanation(line)
		if err != nil {
			return nil, err
		}
		why, words := e.whyNothing()
		for _, c := range line.Contributions {
			if c.ParticipantID != s.ParticipantID {
				continue
			}
			key := creditKey{c.Transaction, c.Role}
			if !c.Amount.IsZero() || e.OfNoCredit != nil && !line.Amount.Decimal().IsZero() {
				paid[key] = true
			} else {
				reasons[key] = append(reasons[key], Reason{line.PlanID, line.Component, why, words})
			}
		}
	}
	var all []Unpaid
	for _, c := range credits {
		key := creditKey{c.Transaction, c.Role}
		if paid[key] {
			continue
		}
		one := Unpaid{c, reasons[key]}
		if len(one.Reasons) == 0 {
			why := Reason{Why: NotMeasured, InWords: "no component of the plans takes it"}
			if !slices.ContainsFunc(assignments, func(a incentive.Assignment) bool { return a.Holds(c.Date) }) {
				why = Reason{Why: NotAssigned, InWords: fmt.Sprintf("on no plan on %s", c.Date)}
			}
			one.Reasons = []Reason{why}
		}
		all = append(all, one)
	}
	return all, nil
}

// whyNothing says why a line pays nothing for a credit that it measures.
func (e Explanation) whyNothing() (Why, string) {
	expected := decimal.Zero // of a quota
	for i, s := range e.Steps {
		switch {
		case s.Kind == StepQuota:
			if expected = expected.Add(s.Result); i == 0 || e.Steps[i-1].Kind != StepQuota {
				expected = s.Result
			}
		case s.Kind == StepRelief:
			if expected = expected.Sub(s.Result); !expected.IsPositive() {
				return Relieved, s.String()
			}
		case s.Kind == StepWait:
			return NotYet, s.String()
		case s.Kind == StepGate && !*s.Open:
			return GateClosed, s.String()
		case (s.Kind == StepCap || s.Kind == StepCapEach) && s.Result.LessThan(*s.Amount):
			return Capped, s.String()
		}
	}
	return NoRate, "it earns nothing at its rate"
}
