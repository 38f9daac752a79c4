package calculation

import (
	"cmp"
	"slices"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// settlesSince returns the day such that whoever left the plan on it or later may still have
// something to settle in a period: what was held back is paid, and what was paid may be taken
// back. It is zero for a plan that settles nothing.
func settlesSince(p *plan.Plan, period incentive.Period) (since incentive.Date) {
	length, months := monthsBegun(period.StartsOn, period.EndsOn), 0
	for _, c := range p.Components {
		if c.Holdback != nil {
			months = max(months, c.Holdback.Months)
		}
		if c.Clawback != nil {
			months = max(months, c.Clawback.Months+c.Clawback.Instalments*length)
		}
	}
	if months == 0 {
		return since
	}
	// What is held back is held from the end of its period on, and what is known late counts.
	return addMonths(period.StartsOn, -months-2*length)
}

// settling groups by participant the assignments to plans that were left before the period.
func settling(snapshot incentive.Snapshot, plans map[string]versionInForce) [][]incentive.Assignment {
	f := &facts{period: snapshot.Period}
	type onPlan struct{ participant, plan string }
	still := map[onPlan]bool{}
	for _, a := range snapshot.Assignments {
		if f.touches(a) {
			still[onPlan{a.ParticipantID, a.PlanID}] = true
		}
	}
	return byParticipant(slices.DeleteFunc(slices.Clone(snapshot.Assignments), func(a incentive.Assignment) bool {
		p, found := plans[a.PlanID]
		return !found || still[onPlan{a.ParticipantID, a.PlanID}] || a.StartsOn.After(snapshot.Period.EndsOn) || !slices.ContainsFunc(p.Components, settles)
	}))
}

func settles(c plan.Component) bool { return c.Holdback != nil || c.Clawback != nil }

// withSettling puts the assignments to plans that were left among those of the period, by
// participant and plan.
func withSettling(onPlans, left [][]incentive.Assignment) [][]incentive.Assignment {
	if len(left) == 0 {
		return onPlans
	}
	all := slices.Concat(slices.Concat(onPlans...), slices.Concat(left...))
	slices.SortStableFunc(all, func(a, b incentive.Assignment) int {
		return cmp.Or(cmp.Compare(a.ParticipantID, b.ParticipantID), cmp.Compare(a.PlanID, b.PlanID), a.StartsOn.Compare(b.StartsOn))
	})
	return byParticipant(all)
}

// settlement gives the lines of a plan that the participant has left: what it still pays of
// what it held back, and takes back of what it paid, differences of earlier periods included.
// Where nothing moves, and nothing is being taken in instalments, there are none.
func (c *computation) settlement(late []incentive.Line) (lines []incentive.Line, err error) {
	moves := false
	for _, component := range c.plan.Components {
		of := *c
		of.component = component
		if component.Holdback != nil {
			held, err := of.holdBack(incentive.Line{})
			if err != nil {
				return nil, err
			}
			lines = append(lines, held...)
		}
		if component.Clawback != nil {
			of.explanation = Explanation{}
			taken, err := of.clawBack(slices.Concat(lines, late))
			if err != nil {
				return nil, err
			}
			lines = append(lines, taken...)
			moves = moves || !of.balance(plan.InInstalments(component.Name), incentive.Date{}).IsZero()
		}
	}
	if !moves && !slices.ContainsFunc(lines, func(l incentive.Line) bool { return l.Amount.Minor != 0 }) {
		return nil, nil
	}
	return lines, nil
}
