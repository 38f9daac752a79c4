package calculation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// held is what waits of one credit.
type held struct {
	incentive.PostedContribution
	since incentive.Date // the last day of the period that earned it
	minor int64
}

// holdBack gives the lines of a component's holdback: what is put off of this period's
// credits and what is released of earlier ones' and, where the plan lets it forfeit, what
// is lost.
func (c *computation) holdBack(of incentive.Line) ([]incentive.Line, error) {
	h := c.component.Holdback
	share, err := c.value(h.Share, c.period.EndsOn)
	if err != nil {
		return nil, err
	}
	line := incentive.Line{PlanID: c.plan.ID, Component: plan.HeldBack(c.component.Name), Kind: incentive.Holdback}
	line.Amount.Currency = c.plan.Currency
	move := func(from incentive.Contribution, minor int64) {
		from.Shown = incentive.Money{Minor: minor, Currency: c.plan.Currency}
		from.Amount = from.Shown.Decimal()
		line.Contributions = append(line.Contributions, from)
		line.Amount.Minor += minor
	}
	hold, earned := Step{Kind: StepHold, Rate: &share}, decimal.Zero
	for _, one := range of.Contributions {
		released, err := c.released(one.Transaction)
		if err != nil {
			return nil, err
		}
		if released {
			continue
		}
		part, err := c.plan.Rounding.Round(one.Shown.Decimal().Mul(share), c.plan.Currency)
		if err != nil {
			return nil, err
		}
		earned = earned.Add(one.Shown.Decimal())
		hold.Count++
		move(one, -part.Minor)
	}
	hold.Amount, hold.Result = &earned, line.Amount.Decimal()
	c.explain(hold)
	release, lost := Step{Kind: StepRelease}, Step{Kind: StepForfeit}
	for _, one := range c.waiting() {
		released, err := c.released(one.Transaction)
		if err != nil {
			return nil, err
		}
		late := !addMonths(one.since, h.Months).After(c.period.EndsOn)
		if !released && !late {
			continue
		}
		step := &release
		if !released && h.Forfeits {
			step = &lost
		}
		step.Count++
		step.Result = step.Result.Sub(incentive.Money{Minor: one.minor, Currency: c.plan.Currency}.Decimal())
		move(incentive.Contribution{Transaction: one.Transaction, ParticipantID: one.ParticipantID, Role: one.Role}, -one.minor)
	}
	for _, step := range []Step{release, lost} {
		if step.Count > 0 {
			c.explain(step)
		}
	}
	line.Unrounded = line.Amount.Decimal()
	if line.Explanation, err = c.explained(line); err != nil || !h.Forfeits {
		return []incentive.Line{line}, err
	}
	c.explanation = Explanation{}
	lost.Result = lost.Result.Neg()
	c.explain(lost)
	forfeited, err := c.balanceLine(plan.Forfeited(c.component.Name), incentive.Earning, lost.Result)
	return []incentive.Line{line, forfeited}, err
}

// waiting lists what earlier periods have put off of each credit and not released, by
// transaction, participant and role.
func (c *computation) waiting() []held {
	at := map[incentive.PostedContribution]int{}
	var all []held
	for _, l := range c.posted[postedKey{c.participant.ID, c.plan.ID, plan.HeldBack(c.component.Name)}] { // by period
		for _, part := range l.Contributions {
			minor := part.ShownMinor
			part.ShownMinor = 0
			i, known := at[part]
			if !known {
				i = len(all)
				at[part] = i
				all = append(all, held{PostedContribution: part, since: l.EndsOn})
			}
			all[i].minor += minor
		}
	}
	all = slices.DeleteFunc(all, func(h held) bool { return h.minor == 0 })
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(strings.Compare(a.Transaction.Source, b.Transaction.Source), strings.Compare(a.Transaction.ID, b.Transaction.ID),
			strings.Compare(a.ParticipantID, b.ParticipantID), strings.Compare(a.Role, b.Role))
	})
	return all
}

// released reports whether the condition holds that releases what is put off of a
// transaction: by what is known of it, and of the participant on the period's last day.
func (c *computation) released(of incentive.TransactionKey) (bool, error) {
	h := c.component.Holdback
	t, known := c.transaction(of)
	if h.Where == nil || !known {
		return false, nil
	}
	return h.Where.Takes(plan.Subject{Transaction: t, Credit: &incentive.Credit{}, Participant: &c.participant})
}

// addMonths returns the day so many months later, or the last of a shorter month; the last
// day of a month gives the last day of another.
func addMonths(day incentive.Date, months int) incentive.Date {
	first := incentive.DateOf(incentive.Date{Year: day.Year, Month: day.Month, Day: 1}.UTC().AddDate(0, months, 0))
	last := incentive.DateOf(first.UTC().AddDate(0, 1, -1))
	if day.AddDays(1).Day == 1 || day.Day > last.Day {
		return last
	}
	return incentive.Date{Year: first.Year, Month: first.Month, Day: day.Day}
}
