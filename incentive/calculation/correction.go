package calculation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// corrections returns the difference lines of every earlier period that a snapshot
// corrects, by participant: what is due by the facts as they stand today, less what stands
// posted. Draws, caps on a whole plan and what they put off are not replayed, and what a
// later true-up takes in is left to it.
func corrections(ctx context.Context, snapshot incentive.Snapshot) (map[string][]incentive.Line, error) {
	lines := map[string][]incentive.Line{}
	settled := make([]map[postedKey]incentive.Date, len(snapshot.Corrections))
	for i := range snapshot.Corrections {
		later := snapshot
		if i+1 < len(snapshot.Corrections) {
			later = snapshot.Corrections[i+1]
		}
		var err error
		if settled[i], err = settlesUp(later); err != nil {
			return nil, err
		}
	}
	for i, c := range snapshot.Corrections {
		plans, err := inForce(c)
		if err != nil {
			return nil, err
		}
		due, err := Calculate(ctx, c)
		if code := incentive.ErrorCode(err); code != "" && code != incentive.CodeInternal {
			return nil, incentive.Errorf(code, "to correct %s: %s", c.Period.ID, incentive.ErrorMessage(err))
		}
		if err != nil {
			return nil, fmt.Errorf("correct %s: %w", c.Period.ID, err)
		}
		for _, d := range differences(due, c.Corrected) {
			takenIn := slices.ContainsFunc(settled[i:], func(later map[postedKey]incentive.Date) bool {
				since, there := later[d.key]
				return there && !since.After(c.Period.StartsOn)
			})
			if takenIn || !isComponent(plans, d.key) {
				continue
			}
			line, err := d.line(c.Period.ID)
			if err != nil {
				return nil, err
			}
			if line.Amount.Minor != 0 {
				lines[d.key.participant] = append(lines[d.key.participant], line)
			}
		}
	}
	return lines, nil
}

// isComponent reports whether a line is of a component, and not another line of the plan or
// of no plan at all.
func isComponent(plans map[string]versionInForce, of postedKey) bool {
	if of.plan == "" {
		return false // an adjustment
	}
	other := []string{plan.CapComponent, plan.DrawComponent, plan.ForgivenComponent}
	if p, known := plans[of.plan]; known {
		other = p.OtherLines()
	}
	return !slices.Contains(other, of.component)
}

// settlesUp returns the components of a period's statements that settle up with earlier
// periods, each with the day since when.
func settlesUp(snapshot incentive.Snapshot) (map[postedKey]incentive.Date, error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	since := map[postedKey]incentive.Date{}
	f := &facts{period: snapshot.Period}
	for _, group := range assigned(snapshot) {
		for _, a := range group {
			p, found := plans[a.PlanID]
			if !found {
				continue // the calculation says so
			}
			stretches := slices.DeleteFunc(slices.Clone(group), func(b incentive.Assignment) bool { return b.PlanID != a.PlanID })
			for _, component := range p.Components {
				if component.Cumulative != nil && component.Cumulative.TrueUp {
					c := computation{facts: f, component: component, stretches: stretches}
					since[postedKey{a.ParticipantID, p.ID, component.Name}] = c.since()
				}
			}
		}
	}
	return since, nil
}

// difference is a component that is due, or was posted, or both.
type difference struct {
	key    postedKey
	due    incentive.Line   // none where nothing is due any more
	posted []incentive.Line // more than one where it was corrected before
}

// differences puts what is due beside what was posted: the first in the order of the
// plans, and after that what is due no longer, by participant.
func differences(due, posted []incentive.Statement) []difference {
	var all []difference
	at := map[postedKey]int{}
	find := func(participant string, line incentive.Line) *difference {
		key := postedKey{participant, line.PlanID, line.Component}
		if _, known := at[key]; !known {
			at[key] = len(all)
			all = append(all, difference{key: key})
		}
		return &all[at[key]]
	}
	for _, s := range due {
		for _, line := range s.Lines {
			find(s.ParticipantID, line).due = line
		}
	}
	for _, s := range posted {
		for _, line := range s.Lines {
			d := find(s.ParticipantID, line)
			d.posted = append(d.posted, line)
		}
	}
	return all
}

// contributionKey names a credit.
type contributionKey struct {
	transaction       incentive.TransactionKey
	participant, role string
}

// line is the difference as a line: whole minor units, with what each credit adds to it
// or takes from it.
func (d difference) line(period string) (incentive.Line, error) {
	line := d.due
	currency := line.Amount.Currency
	if len(d.posted) > 0 {
		last := d.posted[len(d.posted)-1]
		if currency == "" {
			line.PlanID, line.PlanVersion, line.Component, line.Kind, currency = last.PlanID, last.PlanVersion, last.Component, last.Kind, last.Amount.Currency
		}
		if last.Amount.Currency != currency {
			return line, incentive.Errorf(CodeCurrencyDiffers, "to correct %s: %s of plan %s was posted in %s and is due in %s for %s: reopen that period instead", period, line.Component, line.PlanID, last.Amount.Currency, currency, d.key.participant)
		}
	}
	line.Corrects, line.Contributions = period, nil
	at := map[contributionKey]int{}
	take := func(c incentive.Contribution, sign int64) {
		key := contributionKey{c.Transaction, c.ParticipantID, c.Role}
		if _, known := at[key]; !known {
			at[key] = len(line.Contributions)
			line.Contributions = append(line.Contributions, incentive.Contribution{
				Transaction:   c.Transaction,
				ParticipantID: c.ParticipantID,
				Role:          c.Role,
				Shown:         incentive.Money{Currency: currency},
			})
		}
		sum := &line.Contributions[at[key]]
		sum.Credited = sum.Credited.Add(c.Credited.Mul(decimal.NewFromInt(sign)))
		sum.Shown.Minor += sign * c.Shown.Minor
		sum.Amount = sum.Shown.Decimal()
	}
	for _, c := range d.due.Contributions {
		take(c, 1)
	}
	posted := incentive.Money{Currency: currency}
	for _, before := range d.posted {
		posted.Minor += before.Amount.Minor
		for _, c := range before.Contributions {
			take(c, -1)
		}
	}
	line.Contributions = slices.DeleteFunc(line.Contributions, func(c incentive.Contribution) bool { return c.Shown.Minor == 0 })
	due := incentive.Money{Minor: d.due.Amount.Minor, Currency: currency}
	line.Amount = incentive.Money{Minor: due.Minor - posted.Minor, Currency: currency}
	line.Unrounded = line.Amount.Decimal()

	var explanation Explanation
	if d.due.Explanation != nil {
		var err error
		if explanation, err = ReadExplanation(d.due); err != nil {
			return line, err
		}
	}
	rest := line.Unrounded
	for _, c := range line.Contributions {
		rest = rest.Sub(c.Amount)
	}
	explanation.OfNoCredit = nil
	if !rest.IsZero() {
		explanation.OfNoCredit = &rest
	}
	dueNow, before := due.Decimal(), posted.Decimal()
	explanation.Steps = append(explanation.Steps, Step{Kind: StepCorrection, Name: period, Amount: &dueNow, Unit: &before, Result: line.Unrounded})
	var err error
	if line.Explanation, err = json.Marshal(explanation); err != nil {
		return line, fmt.Errorf("write the explanation of a correction of %s for %s: %w", period, d.key.participant, err)
	}
	return line, nil
}
