// Package plan reads plans: the YAML documents that say what people earn.
//
// A plan is checked completely when it is read: names, numbers, tiers and the types of
// its filters. What a Plan means in money is the business of package calculation.
package plan

import (
	_ "embed"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Language is the version of the language that this package reads. A plan names the
// version it is written in, and a released version keeps its meaning for ever.
const Language = 1

// Schema is the JSON Schema of the language, for editors.
//
//go:embed plan.schema.json
var Schema []byte

// Plan is a plan's document, checked. All its amounts are in major units of Currency.
type Plan struct {
	ID         string
	Name       string
	Currency   incentive.Currency
	Rounding   incentive.Rounding
	RoundEach  RoundEach
	Reads      Reads
	Exchange   *Exchange // nil: everything is in Currency
	Credits    []CreditRule
	Quotas     map[string]QuotaRule // by quota; what is not there is prorated by days
	Components []Component
	Cap        *Cap
	Draw       *Draw
	Examples   []Example
}

// Names of lines of a statement that no component has.
const (
	CapComponent      = "Cap"
	DrawComponent     = "Draw"
	ForgivenComponent = "Draw forgiven"
)

// CarriedOver names the line of what a component's cap puts off, and of what is paid of it
// later on.
func CarriedOver(component string) string { return component + ", carried over" }

// OtherLines lists the lines that the plan gives a statement besides its components'.
func (p *Plan) OtherLines() []string {
	var names []string
	for _, c := range p.Components {
		if c.CapCarriesOver {
			names = append(names, CarriedOver(c.Name))
		}
		if c.Holdback != nil {
			names = append(names, HeldBack(c.Name))
			if c.Holdback.Forfeits {
				names = append(names, Forfeited(c.Name))
			}
		}
		if c.Clawback != nil {
			names = append(names, ClawedBack(c.Name))
			if c.Clawback.Instalments > 1 {
				names = append(names, InInstalments(c.Name))
			}
		}
	}
	if p.Cap != nil {
		names = append(names, CapComponent)
	}
	if p.Draw != nil {
		names = append(names, DrawComponent)
		if p.Draw.ForgivenAfter > 0 {
			names = append(names, ForgivenComponent)
		}
	}
	return names
}

// LooksBack reports whether the plan looks at what earlier periods posted.
func (p *Plan) LooksBack() bool {
	return p.Cap != nil && p.Cap.Over != "" || len(p.Balances()) > 0 || slices.ContainsFunc(p.Components, func(c Component) bool { return c.Cumulative != nil && c.Cumulative.TrueUp })
}

// Balances lists the lines whose postings of all earlier periods add up to what is owed.
func (p *Plan) Balances() []string {
	return slices.DeleteFunc(p.OtherLines(), func(name string) bool {
		return name == CapComponent && !p.Cap.CarriesOver || name == DrawComponent && !p.Draw.Recoverable || name == ForgivenComponent ||
			slices.ContainsFunc(p.Components, func(c Component) bool { return name == Forfeited(c.Name) })
	})
}

// Cap is the most that all components together pay.
type Cap struct {
	Amount      Value
	Over        Interval // "" for each period
	Month       int      // in which years begin
	CarriesOver bool     // what lies above it is paid as soon as there is room; otherwise it is lost
}

// Starts returns the first day of the interval that holds a day.
func (c Cap) Starts(day incentive.Date) incentive.Date {
	return Cumulative{Over: c.Over, Month: c.Month}.Starts(day, day)
}

// Draw guarantees an amount for each period: what the components pay less is advanced.
// Months are those begun since the participant came to the plan, or since another day.
type Draw struct {
	Amount        Value
	Recoverable   bool   // advances are owed, and recovered from what is earned above Amount
	AtMost        *Value // the most that one period recovers; nil: no limit
	Since         string // the participant's attribute that holds the day; "" for that of the assignment
	AdvancedFor   int    // the months in which something is advanced; 0: all
	RecoveredFrom int    // the first month that recovers; 0: the first of all
	DownTo        *Value // what recovery never takes pay below; nil: Amount
	ForgivenAfter int    // the month after which nothing is owed any more; 0: none
}

// ByMonths reports whether the draw changes with the months.
func (d Draw) ByMonths() bool { return d.AdvancedFor > 0 || d.RecoveredFrom > 0 || d.ForgivenAfter > 0 }

// RoundEach says what is rounded to what can be paid.
type RoundEach string

// What may be rounded. EachLine is the default.
const (
	EachLine         RoundEach = "line"         // the sum of a line's contributions, once
	EachContribution RoundEach = "contribution" // every contribution, and then added
)

// Type is what an attribute holds.
type Type string

// The types of attributes.
const (
	Text   Type = "text"
	Number Type = "number" // an exact decimal
)

// Reads declares the attributes that a plan reads, so that a misspelt one is found when
// the plan is checked and not when people are paid.
type Reads struct {
	Transaction map[string]Type
	Participant map[string]Type
}

// Component is one part of a plan; it gives one line of a statement. It pays by exactly
// one of Rate, Rates, RateBy, RateTable, Curve, Scorecard, Ranking, Pool and Bonus. What that gives goes
// through the gate, the multipliers, the floor, the caps and the deduction, in this order.
type Component struct {
	Name           string
	Override       *Override // nil: the participant's own credits count
	Measure        Measure
	Cumulative     *Cumulative // nil: each period by itself
	Rate           *Value
	Rates          []FilteredRate
	RateBy         *Grid // the rate at which the whole measure is paid
	RateTable      *RateTable
	Curve          *Curve
	Scorecard      *Scorecard
	Ranking        *Ranking
	Pool           *Pool
	Bonus          *Value
	Evaluate       Evaluate // of RateTable and Curve
	Gate           *Gate
	Multipliers    *Multipliers
	Floor          *Value // the least that the component pays in a period
	CapEach        *Value // the most that one credit earns
	Cap            *Value // the most that the component pays in a period
	Holdback       *Holdback
	Clawback       *Clawback
	CapCarriesOver bool   // what lies above Cap is paid as soon as there is room; otherwise it is lost
	Deduct         *Value // taken off last, in every period
}

// Cumulative makes a component look at everything since an interval began.
type Cumulative struct {
	Over      Interval
	Month     int  // in which years begin
	TrueUp    bool // pay what is due since then less what was paid
	AtEnd     bool // pay everything in the period that ends the interval; with neither, it only sets the rate
	WholeGoal bool // attainment is against the whole interval's quota, not that up to now
}

// RateOnly reports whether only this period's credits are paid.
func (c Cumulative) RateOnly() bool { return !c.TrueUp && !c.AtEnd }

// Interval is a stretch of time that a component looks back over.
type Interval string

// The intervals. PlanToDate begins with the assignment to the plan.
const (
	Quarter    Interval = "quarter"
	Half       Interval = "half"
	Year       Interval = "year"
	PlanToDate Interval = "plan"
)

func (i Interval) months() int { return map[Interval]int{Quarter: 3, Half: 6, Year: 12}[i] }

// Starts returns the first day of the interval that holds a day. For PlanToDate that is
// the day the participant came to the plan.
func (c Cumulative) Starts(day, assigned incentive.Date) incentive.Date {
	if c.Over == PlanToDate {
		return assigned
	}
	months := c.Over.months()
	// Months since some year's beginning, cut to whole intervals.
	since := (int(day.Month) - c.Month + 12) % 12 % months
	first := incentive.Date{Year: day.Year, Month: day.Month, Day: 1}
	return incentive.DateOf(first.UTC().AddDate(0, -since, 0))
}

// Ends returns the last day of the interval that starts on a day; for PlanToDate there is
// none but the given one.
func (c Cumulative) Ends(starts, last incentive.Date) incentive.Date {
	if c.Over == PlanToDate {
		return last
	}
	return incentive.DateOf(starts.UTC().AddDate(0, c.Over.months(), -1))
}

// Evaluate says what goes through a table or curve.
type Evaluate string

// What may be evaluated. Total is the default.
const (
	Total           Evaluate = "total"            // the measure, with credits climbing in their order
	EachTransaction Evaluate = "each_transaction" // every credit by itself
)

// Override makes the credits of a manager's team count instead of the manager's own, by
// the hierarchy in force on each transaction's date. Level 1 are the direct reports.
type Override struct{ Level int }

// Aggregate is how a measure adds credits up.
type Aggregate string

// The aggregates.
const (
	Sum      Aggregate = "sum"      // the credited amounts, or the credited share of an attribute
	Count    Aggregate = "count"    // the credits
	Distinct Aggregate = "distinct" // the values of an attribute, each once; credits without it do not count
	Quotient Aggregate = "ratio"    // one measure divided by another, and nothing where that other is nothing
	// Achieved is how far manual objectives of the participant and period were reached: each
	// one's score times its weight. What has no score yet counts as nothing.
	Achieved Aggregate = "objectives"
)

// Measure is the figure that performance is measured by.
type Measure struct {
	Aggregate Aggregate
	Attribute string   // of the transaction, for Sum and Distinct; "" for the credited amounts
	Objective string   // the name of the one whose score is the measure, for Achieved; "" for all, by weight
	Where     *Filter  // nil: every credit
	Of, To    *Measure // of a Quotient
}

// OfCredits reports whether single credits add up to the measure.
func (m Measure) OfCredits() bool { return m.Aggregate != Quotient && m.Aggregate != Achieved }

// Value is a number written in the plan or kept as an attribute of each participant.
type Value struct {
	Literal   decimal.Decimal
	Attribute string // of the participant; "" for a literal
}

// FilteredRate is a rate for the credits that its filter takes and no rate before it
// took. The last one of a list has no filter and takes the rest.
type FilteredRate struct {
	Where *Filter
	Rate  Value
}

// On is what a rate table or a gate looks at.
type On string

// What there is to look at.
const (
	Attainment On = "attainment" // the measure divided by the quota
	Amount     On = "amount"     // the measure itself
)

// Target says what the measure is held against.
type Target struct {
	On           On
	Quota        string // the quota's name, where On is Attainment
	WithoutQuota Without
}

// Without says what happens to a participant who has no quota.
type Without string

// What may happen. Refuse is the default.
const (
	Refuse  Without = "refuse"  // the calculation stops and names the participant
	Nothing Without = "nothing" // the component pays nothing
)

// RateTable pays each part of the measure at the rate of the tier it falls in.
type RateTable struct {
	Target
	Tiers []Tier // rising; the last has no edge
}

// Tier reaches from the edge of the tier before it to its own.
type Tier struct {
	Edge  *decimal.Decimal // nil in the last tier
	Below bool             // the edge itself belongs to the next tier
	Rate  Value
	// Retroactive tiers, once reached, pay for everything below them too.
	Retroactive bool
}

// KeyOn is a figure that picks a tier.
type KeyOn string

// The figures that may pick a tier.
const (
	KeyAttainment  KeyOn = "attainment"  // a measure divided by the quota
	KeyAmount      KeyOn = "amount"      // a measure
	KeyCount       KeyOn = "count"       // how many credits the component's measure counts
	KeyTenure      KeyOn = "tenure"      // the months begun since a day, up to the period's last
	KeyParticipant KeyOn = "participant" // a number kept with the participant
)

// Key is the figure that picks a tier.
type Key struct {
	On           KeyOn
	Measure      *Measure // for attainment and amount; nil: the component's
	Quota        string   // for attainment
	WithoutQuota Without
	Attribute    string // of the participant: the number, or for tenure the day
}

// Edge is where a step ends.
type Edge struct {
	At    decimal.Decimal
	Below bool // At itself belongs to the next step
}

// Holds reports whether a figure of value against unit lies before the edge.
func (e Edge) Holds(value, unit decimal.Decimal) bool {
	c := value.Cmp(e.At.Mul(unit))
	return c < 0 || c == 0 && !e.Below
}

// Grid has a value picked by one figure, or by two.
type Grid struct {
	Key     Key
	Edges   []Edge // rising; one less than there are rows
	Across  *Key   // nil: one column
	Columns []Edge // rising; one less than there are columns
	Values  [][]Value
}

// Curve pays an amount that lies on straight lines between points.
type Curve struct {
	Target
	Of     *Value // what the points pay a share of; nil: they pay amounts
	Points []Point
	Extend bool // the last line goes on beyond the last point; otherwise it stays level
}

// Point is a point of a curve: the figure, and what it pays.
type Point struct{ At, Pays decimal.Decimal }

// Scorecard pays a share of an amount by the weighted attainment of several measures.
type Scorecard struct {
	Of       Value
	Measures []Scored
	Points   []Point
	Extend   bool
}

// Scored is a measure of a scorecard.
type Scored struct {
	Name    string
	Weight  decimal.Decimal // all together are 1
	Measure Measure
	Target
}

// Multipliers multiply what a component pays: one after the other or, added, by one plus
// what each of them exceeds one by.
type Multipliers struct {
	Add     bool
	Factors []Factor
}

// Factor is a multiplier: a value, or one that is picked.
type Factor struct {
	Name  string
	Value *Value // nil: that of the grid
	Grid
}

// Gate lets a component pay only where the measure has come far enough.
type Gate struct {
	Target
	Measure   Measure // the component's own where the plan names none
	Threshold decimal.Decimal
	Above     bool // the threshold itself is not enough
}

// Open reports whether a measure of this size against this unit (the quota, or 1)
// opens the gate.
func (g Gate) Open(measure, unit decimal.Decimal) bool {
	c := measure.Cmp(g.Threshold.Mul(unit))
	return c > 0 || c == 0 && !g.Above
}
