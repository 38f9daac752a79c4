package calculation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// paidFor is what a component has paid for one credit.
type paidFor struct {
	contributionKey
	paid  int64 // minor units, up to this period, without what was taken back
	taken int64 // minor units that earlier periods took back
}

// clawBack gives the lines of a component's clawback: what is taken back of deals that are
// refunded or cancelled, and how much of that waits for later periods. What was paid for a
// deal is what the lines of this period and of earlier ones hold of it, at the rates of
// their time and without what is held back: so that nothing is taken that was not paid, and
// a correction and a refund do not take the same money twice.
func (c *computation) clawBack(lines []incentive.Line) ([]incentive.Line, error) {
	line := incentive.Line{PlanID: c.plan.ID, Component: plan.ClawedBack(c.component.Name), Kind: incentive.Earning}
	line.Amount.Currency = c.plan.Currency
	for _, of := range c.paidFor(lines) {
		lost, known, err := c.lost(of.transaction)
		if err != nil {
			return nil, err
		}
		if !known || lost.IsZero() && of.taken == 0 {
			continue
		}
		paid := incentive.Money{Minor: max(of.paid, 0), Currency: c.plan.Currency}.Decimal()
		due, err := c.plan.Rounding.Round(paid.Mul(lost), c.plan.Currency)
		if err != nil {
			return nil, err
		}
		if due.Minor == of.taken {
			continue
		}
		moved := incentive.Money{Minor: of.taken - due.Minor, Currency: c.plan.Currency}
		taken := incentive.Money{Minor: of.taken, Currency: c.plan.Currency}.Decimal()
		line.Amount.Minor += moved.Minor
		line.Contributions = append(line.Contributions, incentive.Contribution{
			Transaction:   of.transaction,
			ParticipantID: of.participant,
			Role:          of.role,
			Amount:        moved.Decimal(),
			Shown:         moved,
		})
		c.explain(Step{
			Kind:   StepClawback,
			Name:   of.transaction.ID,
			Of:     of.transaction.Source,
			Each:   string(c.plan.Rounding),
			Amount: &paid,
			Rate:   &lost,
			Unit:   &taken,
			Result: moved.Decimal(),
		})
	}
	line.Unrounded = line.Amount.Decimal()
	var err error
	if line.Explanation, err = c.explained(line); err != nil || c.component.Clawback.Instalments == 1 {
		return []incentive.Line{line}, err
	}
	c.explanation = Explanation{}
	later, err := c.inInstalments(line.Amount.Minor)
	return []incentive.Line{line, later}, err
}

// paidFor lists what was paid for each credit, by transaction, participant and role.
func (c *computation) paidFor(lines []incentive.Line) []paidFor {
	at := map[contributionKey]int{}
	var all []paidFor
	add := func(component string, key contributionKey, minor int64) {
		i, known := at[key]
		if !known {
			i = len(all)
			at[key] = i
			all = append(all, paidFor{contributionKey: key})
		}
		if component == plan.ClawedBack(c.component.Name) {
			all[i].taken -= minor
		} else {
			all[i].paid += minor
		}
	}
	for _, component := range []string{c.component.Name, plan.HeldBack(c.component.Name), plan.ClawedBack(c.component.Name)} {
		for _, l := range c.posted[postedKey{c.participant.ID, c.plan.ID, component}] {
			for _, part := range l.Contributions {
				add(component, contributionKey{part.Transaction, part.ParticipantID, part.Role}, part.ShownMinor)
			}
		}
		for _, l := range lines {
			if l.PlanID != c.plan.ID || l.Component != component || l.Amount.Currency != c.plan.Currency {
				continue
			}
			for _, part := range l.Contributions {
				add(component, contributionKey{part.Transaction, part.ParticipantID, part.Role}, part.Shown.Minor)
			}
		}
	}
	slices.SortFunc(all, func(a, b paidFor) int {
		return cmp.Or(strings.Compare(a.transaction.Source, b.transaction.Source), strings.Compare(a.transaction.ID, b.transaction.ID),
			strings.Compare(a.participant, b.participant), strings.Compare(a.role, b.role))
	})
	return all
}

// lost returns the share of a transaction that is taken back, by its cancellation and its
// refunds up to the period's last day; known is false of one that happened too long ago.
func (c *computation) lost(of incentive.TransactionKey) (share decimal.Decimal, known bool, err error) {
	t, known := c.transaction(of)
	if !known {
		return share, false, nil
	}
	cancelled, err := c.component.Clawback.Cancelled(t)
	if err != nil {
		return share, true, err
	}
	if !cancelled.IsZero() {
		share = c.left(t.Date, cancelled)
	}
	refunded := decimal.Zero
	for _, refund := range c.refunds[of] {
		left := c.left(t.Date, refund.Date)
		switch {
		case left.IsZero():
			continue
		case refund.Currency != t.Currency:
			return share, true, incentive.Errorf(CodeCurrencyDiffers, "refund %s of %s is in %s, and gives back transaction %s, which is in %s", refund.ID, refund.Source, refund.Currency, t.ID, t.Currency)
		case t.Amount.IsZero():
			refunded = refunded.Add(left)
		default:
			refunded = refunded.Add(incentive.Ratio{Numerator: refund.Amount.Neg(), Denominator: t.Amount}.Of(left))
		}
	}
	share = decimal.Max(share, refunded)
	return decimal.Min(decimal.Max(share, decimal.Zero), one), true, nil
}

// left returns the share that is taken back of a transaction for what happens to it on a
// day: nothing after the months of the clawback, or where the period does not reach that day.
func (c *computation) left(sold, day incentive.Date) decimal.Decimal {
	ends := addMonths(sold, c.component.Clawback.Months)
	if !day.Before(ends) || day.After(c.period.EndsOn) {
		return decimal.Zero
	}
	if !c.component.Clawback.Prorated || !day.After(sold) {
		return one
	}
	return incentive.Ratio{Numerator: decimal.NewFromInt(int64(day.DaysUntil(ends))), Denominator: decimal.NewFromInt(int64(sold.DaysUntil(ends)))}.Decimal()
}

// inInstalments gives the line that puts off what is to be taken back, and takes it later:
// of what each period found, this one and the following take equal parts.
func (c *computation) inInstalments(found int64) (incentive.Line, error) {
	instalments := int64(c.component.Clawback.Instalments)
	// What waits of what was found so many periods ago, rounded down.
	waits := func(found, ago int64) int64 {
		if ago >= instalments-1 {
			return 0
		}
		return found * (instalments - 1 - ago) / instalments
	}
	before := c.posted[postedKey{c.participant.ID, c.plan.ID, plan.ClawedBack(c.component.Name)}] // by period
	all := waits(-found, 0)
	for i, l := range before {
		all += waits(-l.Amount.Minor, int64(len(before)-i))
	}
	line := plan.InInstalments(c.component.Name)
	after, waited := incentive.Money{Minor: max(all, 0), Currency: c.plan.Currency}.Decimal(), c.balance(line, incentive.Date{})
	c.explain(Step{Kind: StepInstalment, Rate: &after, Unit: &waited, Result: after.Sub(waited)})
	return c.balanceLine(line, incentive.Clawback, after.Sub(waited))
}
