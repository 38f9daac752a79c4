package calculation

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Simulation is what a draft of a plan would pay in a period, against what is in force.
type Simulation struct {
	Sums       []Sum           // by currency
	Components []ComponentCost // of the plan, in the order of their names
	Changes    []Change        // of all whom the plan concerns; the largest difference first
}

// Change is what a draft makes of somebody's statement.
type Change struct {
	ParticipantID string
	Name          string // at the end of the period
	Before, After incentive.Money
}

// Difference is what the draft pays more.
func (c Change) Difference() incentive.Money {
	return incentive.Money{Minor: c.After.Minor - c.Before.Minor, Currency: c.Before.Currency}
}

// Sum is what a draft changes for all of a currency.
type Sum struct {
	Before, After           incentive.Money
	Winners, Losers, Others int // who would be paid more, less and the same
	SpreadBefore            Spread
	SpreadAfter             Spread
	Bands                   []Banded // every band
}

// Spread is how pay is distributed: of all that is paid to somebody, the least, what a
// quarter, half and three quarters get at most, and the most.
type Spread struct{ Lowest, Quarter, Half, ThreeQuarters, Highest incentive.Money }

// Band is how much of their pay somebody would win or lose.
type Band string

// The bands, in percents of what is paid before.
const (
	LosesOver25 Band = "loses-over-25"
	LosesUpTo25 Band = "loses-up-to-25"
	LosesUpTo10 Band = "loses-up-to-10"
	Same        Band = "same"
	GainsUpTo10 Band = "gains-up-to-10"
	GainsUpTo25 Band = "gains-up-to-25"
	GainsOver25 Band = "gains-over-25"
	FromNothing Band = "from-nothing"
)

// Bands lists every band.
var Bands = []Band{LosesOver25, LosesUpTo25, LosesUpTo10, Same, GainsUpTo10, GainsUpTo25, GainsOver25, FromNothing}

// Banded is how many people are in a band.
type Banded struct {
	Band   Band
	People int
}

// ComponentCost is what a component of the plan pays in all. A component of one version
// alone pays nothing in the other.
type ComponentCost struct {
	Component     string
	Before, After incentive.Money
}

// Simulate calculates a snapshot as it is, and again with a draft in the place of the version
// of its plan that is in force. Of the statements it keeps no more than what they come to.
func Simulate(ctx context.Context, snapshot incentive.Snapshot, draft incentive.PlanVersion) (Simulation, error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return Simulation{}, err
	}
	if _, found := plans[draft.PlanID]; !found {
		return Simulation{}, incentive.Errorf(CodeNoPlan, "nobody is on a version of plan %q in %s: a draft stands in the place of one that pays somebody", draft.PlanID, snapshot.Period.ID)
	}
	before, err := payOf(ctx, snapshot, draft.PlanID)
	if err != nil {
		return Simulation{}, err
	}
	after, err := payOf(ctx, Drafted(snapshot, draft), draft.PlanID)
	if err != nil {
		return Simulation{}, err
	}
	simulation := Simulation{Components: costs(before.components, after.components)}
	for i, was := range before.people {
		is := after.people[i] // who has a statement is a matter of assignments
		if is.total.Currency != was.total.Currency {
			return Simulation{}, incentive.Errorf(CodeCurrencyDiffers, "%s is paid in %s and would be in %s: what that changes is known only by a rate", was.participantID, was.total.Currency, is.total.Currency)
		}
		if was.onPlan || was.total != is.total {
			simulation.Changes = append(simulation.Changes, Change{was.participantID, was.name, was.total, is.total})
		}
	}
	simulation.Sums = sums(simulation.Changes)
	slices.SortStableFunc(simulation.Changes, func(a, b Change) int {
		return cmp.Compare(magnitude(b.Difference()), magnitude(a.Difference()))
	})
	return simulation, nil
}

// Drafted returns a snapshot with a draft in the place of the version in force of its plan.
func Drafted(snapshot incentive.Snapshot, draft incentive.PlanVersion) incentive.Snapshot {
	draft.EffectiveFrom = snapshot.Period.StartsOn
	kept := slices.Clone(snapshot.PlanVersions)
	snapshot.PlanVersions = append(slices.DeleteFunc(kept, func(v incentive.PlanVersion) bool { return v.PlanID == draft.PlanID }), draft)
	return snapshot
}

// Covers reports whether what b takes of the time before a period is enough for other.
func (b LookBack) Covers(other LookBack) bool {
	within := func(all, some []string) bool {
		return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
	}
	return !other.Since.Before(b.Since) && within(b.Cumulative, other.Cumulative) && within(b.Rates, other.Rates) &&
		(len(other.Rates) == 0 || !other.RatesSince.Before(b.RatesSince)) &&
		!slices.ContainsFunc(other.Balances, func(one Balance) bool { return !slices.Contains(b.Balances, one) })
}

// paid is what somebody's statement comes to.
type paid struct {
	participantID, name string
	total               incentive.Money
	onPlan              bool
}

// pay is what all statements come to.
type pay struct {
	people     []paid // by participant
	components map[string]incentive.Money
}

func payOf(ctx context.Context, snapshot incentive.Snapshot, planID string) (pay, error) {
	r, err := prepare(ctx, snapshot, nil)
	if err != nil {
		return pay{}, err
	}
	all := pay{make([]paid, len(r.groups)), map[string]incentive.Money{}}
	problems := make([]error, len(r.groups))
	var mutex sync.Mutex
	err = r.each(ctx, func(i int) {
		var s incentive.Statement
		if s, problems[i] = r.statement(r.groups[i], r.plans); problems[i] != nil {
			return
		}
		who, _ := r.participantOn(s.ParticipantID, snapshot.Period.EndsOn)
		all.people[i] = paid{s.ParticipantID, who.Name, s.Total(), slices.ContainsFunc(r.groups[i].assignments, func(a incentive.Assignment) bool { return a.PlanID == planID })}
		mutex.Lock()
		defer mutex.Unlock()
		for _, line := range s.Lines {
			if line.PlanID == planID {
				sum := all.components[line.Component]
				all.components[line.Component] = incentive.Money{Minor: sum.Minor + line.Amount.Minor, Currency: line.Amount.Currency}
			}
		}
	})
	if err == nil {
		err = together(problems)
	}
	return all, err
}

func costs(before, after map[string]incentive.Money) (all []ComponentCost) {
	for name, was := range before {
		is, found := after[name]
		if !found {
			is = incentive.Money{Currency: was.Currency}
		}
		all = append(all, ComponentCost{name, was, is})
	}
	for name, is := range after {
		if _, found := before[name]; !found {
			all = append(all, ComponentCost{name, incentive.Money{Currency: is.Currency}, is})
		}
	}
	slices.SortFunc(all, func(a, b ComponentCost) int { return strings.Compare(a.Component, b.Component) })
	return all
}

// sums sums changes up by currency.
func sums(changes []Change) (all []Sum) {
	by := map[incentive.Currency][]Change{}
	for _, c := range changes {
		by[c.Before.Currency] = append(by[c.Before.Currency], c)
	}
	for currency, theirs := range by {
		s := Sum{Before: incentive.Money{Currency: currency}, After: incentive.Money{Currency: currency}}
		people := map[Band]int{}
		var before, after []incentive.Money
		for _, c := range theirs {
			s.Before.Minor += c.Before.Minor
			s.After.Minor += c.After.Minor
			switch difference := c.Difference().Minor; {
			case difference > 0:
				s.Winners++
			case difference < 0:
				s.Losers++
			default:
				s.Others++
			}
			people[c.band()]++
			before, after = append(before, c.Before), append(after, c.After)
		}
		s.SpreadBefore, s.SpreadAfter = spreadOf(before), spreadOf(after)
		for _, band := range Bands {
			s.Bands = append(s.Bands, Banded{band, people[band]})
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Sum) int { return cmp.Compare(a.Before.Currency, b.Before.Currency) })
	return all
}

// band compares by multiplication, so that nothing is rounded.
func (c Change) band() Band {
	difference := c.Difference().Minor
	if difference == 0 {
		return Same
	}
	if c.Before.Minor <= 0 {
		if difference > 0 {
			return FromNothing
		}
		return LosesOver25
	}
	percents := decimal.NewFromInt(magnitude(c.Difference())).Mul(decimal.NewFromInt(100))
	bands := [...]Band{GainsUpTo10, GainsUpTo25, GainsOver25}
	if difference < 0 {
		bands = [...]Band{LosesUpTo10, LosesUpTo25, LosesOver25}
	}
	for i, upTo := range []int64{10, 25} {
		if percents.LessThanOrEqual(decimal.NewFromInt(c.Before.Minor).Mul(decimal.NewFromInt(upTo))) {
			return bands[i]
		}
	}
	return bands[2]
}

func magnitude(m incentive.Money) int64 { return max(m.Minor, -m.Minor) }

// spreadOf takes the amounts as they are, and none between two.
func spreadOf(amounts []incentive.Money) Spread {
	slices.SortFunc(amounts, func(a, b incentive.Money) int { return cmp.Compare(a.Minor, b.Minor) })
	at := func(quarters int) incentive.Money { return amounts[(len(amounts)*quarters+3)/4-1] }
	return Spread{amounts[0], at(1), at(2), at(3), at(4)}
}
