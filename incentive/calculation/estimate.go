package calculation

import (
	"context"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// Estimate is what a participant's statement comes to as things stand, and how far they
// have come. With a Problem there is no statement.
type Estimate struct {
	incentive.Statement
	Progress []Progress
	Problem  error
}

// Progress is how far the measure of a component has come.
type Progress struct {
	PlanID    string           `json:"plan_id"`
	Component string           `json:"component"`
	Measured  decimal.Decimal  `json:"measured"`
	Goal      *decimal.Decimal `json:"goal,omitempty"` // the quota, where the component measures against one
	Next      *Next            `json:"next,omitempty"` // nil at the last step
}

// Next is the next step that a measure can reach.
type Next struct {
	At       decimal.Decimal `json:"at"`       // what the measure has to come to
	Above    bool            `json:"above"`    // At itself is not enough
	Distance decimal.Decimal `json:"distance"` // what is missing of At
	Worth    incentive.Money `json:"worth"`    // what the component pays more once it is there, in the plan's currency
}

// Estimates returns the estimates of those of the participants who have a statement, by
// the same calculation as a run's. Of the others the snapshot need hold only what theirs
// depend on. A problem of one is no problem of the others, but for one of the snapshot.
func Estimates(ctx context.Context, snapshot incentive.Snapshot, participants []string) ([]Estimate, error) {
	of := map[string]bool{}
	for _, id := range participants {
		of[id] = true
	}
	r, err := prepare(ctx, snapshot, of)
	if err != nil {
		return nil, err
	}
	return r.estimates(ctx, true)
}

// estimates calculates those of everybody who has a statement, with how far they have come or
// without.
func (r ready) estimates(ctx context.Context, progress bool) ([]Estimate, error) {
	estimates := make([]Estimate, len(r.groups))
	err := r.each(ctx, func(i int) {
		e := &estimates[i]
		if e.Statement, e.Problem = r.statement(r.groups[i], r.plans); e.Problem == nil && progress {
			e.Progress, e.Problem = r.progress(r.groups[i], r.plans)
		}
	})
	return slices.DeleteFunc(estimates, func(e Estimate) bool { return e.Problem == nil && len(e.Lines) == 0 }), err
}

// progress says of each component with steps how far a participant has come.
func (f *facts) progress(of payable, plans map[string]versionInForce) (all []Progress, err error) {
	who, _ := f.participantOn(of.participantID, f.period.EndsOn)
	for stretches := range onePlan(of.assignments) {
		if !slices.ContainsFunc(stretches, f.touches) {
			continue // it is left
		}
		p := plans[stretches[0].PlanID]
		for _, component := range p.Components {
			c := computation{facts: f, plan: p.Plan, component: component, participant: who, stretches: stretches}
			one, err := c.progress()
			if err != nil {
				return nil, err
			}
			if one != nil {
				all = append(all, *one)
			}
		}
	}
	return all, nil
}

// goalpost is a figure of the measure at which something changes.
type goalpost struct {
	at    decimal.Decimal
	above bool // at itself is not enough
}

// progress returns nil for a component whose pay has no steps that its measure climbs.
func (c computation) progress() (*Progress, error) {
	if !c.component.Measure.OfCredits() || c.component.Scorecard != nil || c.component.Evaluate == plan.EachTransaction {
		return nil, nil
	}
	posts, goal, err := c.goalposts()
	if err != nil || len(posts) == 0 && goal == nil {
		return nil, err
	}
	m, err := c.measure(c.component.Measure)
	if err != nil {
		return nil, err
	}
	p := &Progress{PlanID: c.plan.ID, Component: c.component.Name, Measured: m.total, Goal: goal}
	for _, post := range posts {
		order := post.at.Cmp(m.total)
		if order < 0 || order == 0 && !post.above || p.Next != nil && !post.at.LessThan(p.Next.At) {
			continue
		}
		p.Next = &Next{At: post.at, Above: post.above, Distance: post.at.Sub(m.total)}
	}
	// A filter of a rate cannot be asked about a deal that nobody has seen.
	if p.Next == nil || c.component.Rates != nil {
		p.Next = nil
		return p, nil
	}
	p.Next.Worth, err = c.worth(*p.Next)
	return p, err
}

// goalposts lists where the component's own measure changes what it pays, and the quota
// that it is held against.
func (c computation) goalposts() (posts []goalpost, goal *decimal.Decimal, err error) {
	against := func(t plan.Target, edges ...goalpost) {
		unit, there, wrong := c.unit(t)
		if err = wrong; err != nil || !there {
			return
		}
		if t.On == plan.Attainment && goal == nil {
			goal = &unit
		}
		for _, e := range edges {
			posts = append(posts, goalpost{e.at.Mul(unit), e.above})
		}
	}
	by := func(k plan.Key, edges []plan.Edge) {
		if !k.OfComponent() {
			return
		}
		t := plan.Target{On: plan.Amount}
		switch k.On {
		case plan.KeyAttainment:
			t = plan.Target{On: plan.Attainment, Quota: k.Quota, WithoutQuota: k.WithoutQuota}
		case plan.KeyAmount:
		default:
			return
		}
		var at []goalpost
		for _, e := range edges {
			at = append(at, goalpost{e.At, !e.Below})
		}
		against(t, at...)
	}
	if t := c.component.RateTable; t != nil {
		var at []goalpost
		for _, tier := range t.Tiers[:len(t.Tiers)-1] {
			at = append(at, goalpost{*tier.Edge, !tier.Below})
		}
		against(t.Target, at...)
	}
	if curve := c.component.Curve; curve != nil && err == nil {
		var at []goalpost
		for _, point := range curve.Points {
			at = append(at, goalpost{at: point.At})
		}
		against(curve.Target, at...)
	}
	picks := func(g plan.Grid) {
		if err == nil {
			by(g.Key, g.Edges)
		}
		if g.Across != nil && err == nil {
			by(*g.Across, g.Columns)
		}
	}
	if rates := c.component.RateBy; rates != nil {
		picks(*rates)
	}
	if m := c.component.Multipliers; m != nil {
		for _, f := range m.Factors {
			if f.Value == nil {
				picks(f.Grid)
			}
		}
	}
	if g := c.component.Gate; g != nil && g.Measure == c.component.Measure && err == nil {
		against(g.Target, goalpost{g.Threshold, g.Above})
	}
	if r := c.component.Ranking; r != nil && r.On == plan.Attainment && err == nil {
		against(r.Target)
	}
	return posts, goal, err
}

// worth returns what the component pays more once its measure has come to the next step.
func (c computation) worth(n Next) (incentive.Money, error) {
	now, there := c, c
	now.explanation, there.explanation = Explanation{}, Explanation{}
	there.further = n.Distance
	if n.Above {
		there.further = n.Distance.Add(decimal.New(1, -c.plan.Currency.Exponent()))
	}
	before, err := now.line()
	if err != nil {
		return incentive.Money{}, err
	}
	after, err := there.line()
	return incentive.Money{Minor: after.Amount.Minor - before.Amount.Minor, Currency: c.plan.Currency}, err
}

// suppose adds to a measure what nobody has sold yet.
func (m *measured) suppose(participantID string, day incentive.Date, amount decimal.Decimal) {
	supposed := credit{&incentive.Credit{ParticipantID: participantID, Share: one}, &incentive.Transaction{Date: day, Amount: amount}, amount}
	m.parts = append(m.parts, part{credit: supposed, measured: amount})
	m.total = m.total.Add(amount)
	m.count++
}

// UpTo returns a snapshot without what is dated after a day.
func UpTo(snapshot incentive.Snapshot, last incentive.Date) incentive.Snapshot {
	snapshot.Transactions = slices.Clone(snapshot.Transactions)
	snapshot.Transactions = slices.DeleteFunc(snapshot.Transactions, func(t incentive.Transaction) bool { return t.Date.After(last) })
	return snapshot
}

// CreditedBy returns whom the snapshot's transactions are credited to, in any part, by
// rules or by their source, sorted.
func CreditedBy(snapshot incentive.Snapshot) ([]string, error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	f, err := arrange(snapshot, plans)
	var ids []string
	for id := range f.own {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, err
}

// Reach is whom else the statements of a plan depend on.
type Reach struct {
	Everybody bool // all who are on the plan compete
	Rules     bool // the plan credits transactions that their source credits nobody with
	Levels    int  // how many levels of the hierarchy its overrides look down
	TakesBack bool // refunds take back what was paid for other transactions
	// SettlesSince is the day such that whoever left the plan on it or later may still have
	// something to settle; zero: there is nothing.
	SettlesSince incentive.Date
}

// Reaches returns how far each plan in force of a snapshot reaches.
func Reaches(snapshot incentive.Snapshot) (map[string]Reach, error) {
	plans, err := inForce(snapshot)
	reaches := map[string]Reach{}
	for id, p := range plans {
		r := Reach{Rules: len(p.Credits) > 0, Levels: deepest(map[string]versionInForce{id: p}), SettlesSince: settlesSince(p.Plan, snapshot.Period)}
		for _, c := range p.Components {
			r.Everybody = r.Everybody || competes(c)
			r.TakesBack = r.TakesBack || c.Clawback != nil
		}
		reaches[id] = r
	}
	return reaches, err
}
