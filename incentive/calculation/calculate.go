// Package calculation turns a snapshot into statements: what every participant earned,
// with the reason for every cent. The same snapshot and engine version give the same
// statements, byte for byte, on any number of processors.
package calculation

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// EngineVersion names the meaning of this package's results. It changes whenever the same
// snapshot would give another result.
const EngineVersion = "1"

// Codes of what keeps a period from being calculated.
const (
	CodeNoQuota         incentive.Code = "no-quota"          // a plan measures attainment and the participant has no quota
	CodeNoPlan          incentive.Code = "no-plan"           // an assignment names a plan that has no version in force
	CodeCurrencyDiffers incentive.Code = "currency-differs"  // an amount is not in the plan's currency, and the plan says no rates
	CodeHierarchyCircle incentive.Code = "hierarchy-circle"  // people manage each other in a circle
	CodeUnknownCredit   incentive.Code = "credit-of-nothing" // a credit's participant is unknown on the transaction's date
)

// maxProblems is how many problems an error lists.
const maxProblems = 10

// Result is what a calculation gives.
type Result struct {
	Statements []incentive.Statement // ordered by participant
	Uncredited int                   // how many transactions of the period nobody is credited with
}

// Run returns the statement of every participant who is assigned to a plan on a day of the
// period, or has an adjustment, a difference of an earlier period, or something to settle with a
// plan that they have left. Amounts are in the
// plans' currency. What is wrong with the data is an *incentive.Error whose message lists
// up to ten problems, with the code of the first.
func Run(ctx context.Context, snapshot incentive.Snapshot) (Result, error) {
	r, err := prepare(ctx, snapshot, nil)
	if err != nil {
		return Result{}, err
	}
	return r.result(ctx)
}

// result calculates everybody's statement.
func (r ready) result(ctx context.Context) (Result, error) {
	result := Result{Statements: make([]incentive.Statement, len(r.groups)), Uncredited: len(r.uncredited)}
	problems := make([]error, len(r.groups))
	err := r.each(ctx, func(i int) { result.Statements[i], problems[i] = r.statement(r.groups[i], r.plans) })
	if err == nil {
		err = together(problems)
	}
	if err != nil {
		return Result{}, err
	}
	result.Statements = slices.DeleteFunc(result.Statements, func(s incentive.Statement) bool { return len(s.Lines) == 0 }) // nothing is left to settle
	return result, nil
}

// Calculate is Run for the statements alone.
func Calculate(ctx context.Context, snapshot incentive.Snapshot) ([]incentive.Statement, error) {
	result, err := Run(ctx, snapshot)
	return result.Statements, err
}

// ready is a snapshot from which statements can be calculated, one by one.
type ready struct {
	*facts
	plans  map[string]versionInForce
	groups []payable // ordered by participant
}

// prepare arranges a snapshot for the statements of some participants, or (nil) of all.
// Of contests it settles those in which any of them competes, among everybody whom the snapshot
// assigns to their plans.
func prepare(ctx context.Context, snapshot incentive.Snapshot, of map[string]bool) (ready, error) {
	r, onPlans, err := arranged(ctx, snapshot, of)
	if err != nil {
		return ready{}, err
	}
	contests := r.plans
	if of != nil {
		contests = competing(r.groups, r.plans)
	}
	entrants, problems := r.enter(onPlans, contests)
	if err := together(problems); err != nil {
		return ready{}, err
	}
	return r, r.settle(entrants, contests)
}

// arranged is prepare before its contests are settled, with everybody whom the snapshot assigns
// to a plan.
func arranged(ctx context.Context, snapshot incentive.Snapshot, of map[string]bool) (r ready, onPlans [][]incentive.Assignment, err error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return r, nil, err
	}
	f, err := arrange(snapshot, plans)
	if err != nil {
		return r, nil, err
	}
	onPlans = assigned(snapshot)
	late, err := corrections(ctx, snapshot)
	if err != nil {
		return r, nil, err
	}
	groups := withAdjustments(withSettling(onPlans, settling(snapshot, plans)), late, snapshot.Adjustments)
	if of != nil {
		groups = slices.DeleteFunc(groups, func(g payable) bool { return !of[g.participantID] })
	}
	return ready{f, plans, groups}, onPlans, nil
}

// competing returns the plans that any of some participants is on.
func competing(groups []payable, plans map[string]versionInForce) map[string]versionInForce {
	theirs := map[string]versionInForce{}
	for _, g := range groups {
		for _, a := range g.assignments {
			if p, found := plans[a.PlanID]; found {
				theirs[a.PlanID] = p
			}
		}
	}
	return theirs
}

// each does something for the number of each group, on all processors.
func (r ready) each(ctx context.Context, do func(i int)) error {
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range r.groups {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return ctx.Err()
}

// inForce parses, for each plan, the version in force on the first day of the period.
func inForce(snapshot incentive.Snapshot) (map[string]versionInForce, error) {
	latest := map[string]incentive.PlanVersion{}
	for _, v := range snapshot.PlanVersions { // by plan and version
		if !v.EffectiveFrom.After(snapshot.Period.StartsOn) && !v.EffectiveFrom.Before(latest[v.PlanID].EffectiveFrom) {
			latest[v.PlanID] = v
		}
	}
	parsed := map[string]versionInForce{}
	for _, v := range snapshot.PlanVersions {
		if latest[v.PlanID].Version != v.Version {
			continue
		}
		p, err := read.parse(v.Document)
		if err != nil {
			return nil, fmt.Errorf("read version %d of plan %s: %w", v.Version, v.PlanID, err)
		}
		parsed[v.PlanID] = versionInForce{p, v.Version}
	}
	return parsed, nil
}

// documents keeps plans that were read lately, as estimates read the same ones for every deal.
// Nobody changes a plan once it is read.
type documents struct {
	mutex sync.Mutex
	plans map[[sha256.Size]byte]*plan.Plan
}

var read = documents{plans: map[[sha256.Size]byte]*plan.Plan{}}

func (d *documents) parse(document []byte) (*plan.Plan, error) {
	const most = 500
	key := sha256.Sum256(document)
	d.mutex.Lock()
	p := d.plans[key]
	d.mutex.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := plan.Parse(document)
	if err != nil {
		return nil, err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if len(d.plans) >= most {
		clear(d.plans)
	}
	d.plans[key] = p
	return p, nil
}

type versionInForce struct {
	*plan.Plan
	version int
}

// assigned groups the assignments that touch the period by participant.
func assigned(snapshot incentive.Snapshot) [][]incentive.Assignment {
	f := &facts{period: snapshot.Period}
	return byParticipant(slices.DeleteFunc(slices.Clone(snapshot.Assignments), func(a incentive.Assignment) bool { return !f.touches(a) }))
}

// byParticipant groups assignments, which come by participant, plan and first day.
func byParticipant(assignments []incentive.Assignment) [][]incentive.Assignment {
	var groups [][]incentive.Assignment
	for i, a := range assignments {
		if i > 0 && assignments[i-1].ParticipantID == a.ParticipantID {
			groups[len(groups)-1] = append(groups[len(groups)-1], a)
		} else {
			groups = append(groups, []incentive.Assignment{a})
		}
	}
	return groups
}

// touches reports whether somebody is on a plan on a day of the period.
func (f *facts) touches(a incentive.Assignment) bool {
	return !a.StartsOn.After(f.period.EndsOn) && (a.EndsOn.IsZero() || !a.EndsOn.Before(f.period.StartsOn))
}

func together(problems []error) error {
	var messages []string
	var code incentive.Code
	more := 0
	for _, err := range problems {
		switch {
		case err == nil:
		case incentive.ErrorCode(err) == incentive.CodeInternal:
			return err
		case len(messages) == maxProblems:
			more++
		default:
			if code == "" {
				code = incentive.ErrorCode(err)
			}
			messages = append(messages, incentive.ErrorMessage(err))
		}
	}
	if len(messages) == 0 {
		return nil
	}
	if more > 0 {
		messages = append(messages, fmt.Sprintf("and %d more of the kind", more))
	}
	return incentive.Errorf(code, "%s", strings.Join(messages, "\n"))
}

// statement calculates everything that one participant earned. The differences of earlier
// periods come after the components of their plan, and before its cap and its draw where the
// plan pays in the participant's currency; those of plans that the participant has left come
// after all plans.
func (f *facts) statement(of payable, plans map[string]versionInForce) (incentive.Statement, error) {
	id, assignments, late := of.participantID, of.assignments, of.late
	s := incentive.Statement{PeriodID: f.period.ID, ParticipantID: id}
	for stretches := range onePlan(assignments) {
		p, found := plans[stretches[0].PlanID]
		if !found {
			return s, incentive.Errorf(CodeNoPlan, "%s is assigned to plan %q, which has no version in force on %s", id, stretches[0].PlanID, f.period.StartsOn)
		}
		who, known := f.participantOn(id, f.period.EndsOn)
		if !known {
			return s, incentive.Errorf(CodeUnknownCredit, "nothing is known of %s on %s: import the participant with an earlier date of effect", id, f.period.EndsOn)
		}
		s.Currency = who.PayCurrency
		c := computation{facts: f, plan: p.Plan, participant: who, stretches: stretches}
		var lines []incentive.Line
		var err error
		if slices.ContainsFunc(stretches, f.touches) {
			var ofPlan, others []incentive.Line
			for _, line := range late {
				if line.PlanID == p.ID && s.Currency == p.Currency {
					ofPlan = append(ofPlan, line)
				} else {
					others = append(others, line)
				}
			}
			late = others
			lines, err = c.lines(ofPlan)
		} else {
			lines, err = c.settlement(late)
		}
		if err != nil {
			return s, err
		}
		if err := c.payIn(s.Currency, lines); err != nil {
			return s, err
		}
		for _, line := range lines {
			if line.Corrects == "" {
				line.PlanVersion = p.version
			}
			s.Lines = append(s.Lines, line)
		}
	}
	s.Lines = append(s.Lines, late...)
	for _, line := range of.late {
		if s.Currency == "" {
			s.Currency = line.Amount.Currency
		}
		if line.Amount.Currency != s.Currency {
			return s, incentive.Errorf(CodeCurrencyDiffers, "to correct %s, %s is owed %s, and is paid in %s now: reopen that period instead", line.Corrects, id, line.Amount, s.Currency)
		}
	}
	for _, a := range of.adjustments {
		if s.Currency == "" {
			s.Currency = a.Amount.Currency
		}
		if a.Amount.Currency != s.Currency {
			return s, incentive.Errorf(CodeCurrencyDiffers, "an adjustment of %s is in %s, and their statement is in %s", id, a.Amount.Currency, s.Currency)
		}
		line, err := AdjustmentLine(a, f.period.ID)
		if err != nil {
			return s, err
		}
		s.Lines = append(s.Lines, line)
	}
	return s, nil
}

// lines calculates everything that a plan gives a participant, in the plan's currency, with
// what is late of it.
func (c *computation) lines(late []incentive.Line) (lines []incentive.Line, err error) {
	for _, component := range c.plan.Components {
		of := *c
		of.component = component
		line, err := of.line()
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
		if component.Holdback != nil {
			of := *c
			of.component = component
			held, err := of.holdBack(line)
			if err != nil {
				return nil, err
			}
			lines = append(lines, held...)
		}
		if component.Clawback != nil {
			of := *c
			of.component = component
			taken, err := of.clawBack(slices.Concat(lines, late))
			if err != nil {
				return nil, err
			}
			lines = append(lines, taken...)
		}
		if !component.CapCarriesOver {
			continue
		}
		of = *c
		most, err := of.value(*component.Cap, c.period.EndsOn)
		if err != nil {
			return nil, err
		}
		if line, err = of.carryOver(plan.CarriedOver(component.Name), line.Amount.Decimal(), most, decimal.Zero); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	lines = append(lines, late...)
	if c.plan.Cap != nil {
		of := *c
		line, err := of.planCap(amountOf(lines))
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	if c.plan.Draw != nil {
		of := *c
		drawn, err := of.draw(amountOf(lines))
		if err != nil {
			return nil, err
		}
		lines = append(lines, drawn...)
	}
	return lines, nil
}

// onePlan groups a participant's assignments by plan: all stretches of time on the same
// plan give one line a component.
func onePlan(assignments []incentive.Assignment) iter.Seq[[]incentive.Assignment] {
	return func(yield func([]incentive.Assignment) bool) {
		for i := 0; i < len(assignments); {
			end := i + 1
			for end < len(assignments) && assignments[end].PlanID == assignments[i].PlanID {
				end++
			}
			if !yield(assignments[i:end]) {
				return
			}
			i = end
		}
	}
}

// amountOf returns what lines come to.
func amountOf(lines []incentive.Line) decimal.Decimal {
	sum := decimal.Zero
	for _, line := range lines {
		sum = sum.Add(line.Amount.Decimal())
	}
	return sum
}
