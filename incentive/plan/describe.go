package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// paragraph is what is said of a part of a plan.
type paragraph struct {
	part
	text string
}

// part names a part of a plan.
type part struct {
	isComponent bool // which may have any name
	title       string
}

// Describe reads the plan back in plain English, a paragraph for each component.
func (p *Plan) Describe() []string {
	var all []string
	for i, said := range p.paragraphs() {
		if i > 0 {
			said.text = said.title + ": " + said.text
		}
		all = append(all, said.text)
	}
	return all
}

func (p *Plan) paragraphs() []paragraph {
	head := fmt.Sprintf("%s (plan %s) pays in %s. %s", p.Name, p.ID, p.Currency, p.describeRounding())
	if p.Exchange != nil {
		head += " " + p.Exchange.describe()
	}
	all := []paragraph{{part{false, "The plan"}, head}}
	for i, c := range p.Credits {
		all = append(all, paragraph{part{false, fmt.Sprintf("Crediting rule %d (%s)", i+1, c.Role)}, c.describe()})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Quotas)) {
		all = append(all, paragraph{part{false, "Quota " + name}, p.Quotas[name].describe()})
	}
	for _, c := range p.Components {
		all = append(all, paragraph{part{true, c.Name}, c.describe()})
	}
	if p.Cap != nil {
		all = append(all, paragraph{part{false, CapComponent}, p.Cap.describe()})
	}
	if p.Draw != nil {
		all = append(all, paragraph{part{false, DrawComponent}, strings.Join(p.Draw.describe(), " ")})
	}
	return all
}

func (p *Plan) describeRounding() string {
	how := map[incentive.Rounding]string{incentive.HalfAwayFromZero: "half away from zero", incentive.HalfToEven: "half to even", incentive.Down: "towards zero"}[p.Rounding]
	if p.RoundEach == EachContribution {
		return "Every deal's part is rounded " + how + ", and then they are added."
	}
	return "Each component is rounded once, " + how + "."
}

func (c Component) describe() string {
	var sentences []string
	say := func(format string, arguments ...any) {
		sentences = append(sentences, fmt.Sprintf(format, arguments...))
	}
	whose := ""
	if c.Override != nil {
		whose = " of the direct reports"
		if c.Override.Level > 1 {
			whose = fmt.Sprintf(" of the people %d levels below", c.Override.Level)
		}
	}
	measure := c.Measure.describe() + whose
	if back := c.Cumulative; back != nil {
		measure += map[Interval]string{Quarter: " since the quarter began", Half: " since the half-year began", Year: " since the year began", PlanToDate: " since coming to the plan"}[back.Over]
	}
	switch {
	case c.Rate != nil:
		say("pays %s of %s.", c.Rate.describe(true), measure)
	case c.Rates != nil:
		say("pays, of %s,", measure)
		for _, r := range c.Rates {
			if r.Where != nil {
				say("%s where %s;", r.Rate.describe(true), r.Where.Text)
			} else {
				say("%s of all other credits.", r.Rate.describe(true))
			}
		}
	case c.RateBy != nil:
		c.RateBy.describe(say, measure)
	case c.RateTable != nil:
		c.describeTable(say, measure)
	case c.Curve != nil:
		of := "an amount"
		if c.Curve.Of != nil {
			of = "a share of " + c.Curve.Of.describe(false)
		}
		on := c.Curve.Target.describe(measure)
		if c.Evaluate == EachTransaction {
			on = "the amount of each credit by itself"
		}
		say("pays %s by %s, on straight lines between these points: %s.", of, on, points(c.Curve.Points, c.Curve.Extend, c.Curve.On == Attainment, c.Curve.Of != nil))
	case c.Scorecard != nil:
		say("pays a share of %s by a weighted attainment of", c.Scorecard.Of.describe(false))
		for i, m := range c.Scorecard.Measures {
			end := ";"
			if i == len(c.Scorecard.Measures)-1 {
				end = "."
			}
			say("%s (%s: %s against the quota %s%s)%s", m.Name, percent(m.Weight), m.Measure.describe(), m.Quota, m.WithoutQuota.describe(), end)
		}
		say("It follows straight lines between these points: %s.", points(c.Scorecard.Points, c.Scorecard.Extend, true, true))
	case c.Ranking != nil:
		c.Ranking.describe(say, measure)
	case c.Pool != nil:
		c.Pool.describe(say, measure)
	default:
		say("pays %s.", c.Bonus.describe(false))
	}
	if g := c.Gate; g != nil {
		word := "at least"
		if g.Above {
			word = "above"
		}
		threshold := g.Threshold.String()
		if g.On == Attainment {
			threshold = percent(g.Threshold)
		}
		say("It pays only where %s is %s %s.", g.Target.describe(g.Measure.describe()+whose), word, threshold)
	}
	if m := c.Multipliers; m != nil {
		how := "multiplied by"
		if m.Add {
			how = "multiplied by the sum (one plus what each exceeds one by) of"
		}
		say("What it gives is %s", how)
		for i, f := range m.Factors {
			end := ","
			if i == len(m.Factors)-1 {
				end = "."
			}
			if f.Value != nil {
				say("%s (%s)%s", f.Value.describe(false), f.Name, end)
				continue
			}
			say("a factor by %s (%s): %s%s", f.Key.describe(measure), f.Name, steps(f.Edges, f.Key.On == KeyAttainment, func(i int) string { return f.Values[i].describe(false) }), end)
		}
	}
	if c.CapEach != nil {
		say("No single credit earns more than %s.", c.CapEach.describe(false))
	}
	if c.Floor != nil {
		say("It pays no less than %s.", c.Floor.describe(false))
	}
	if c.Cap != nil {
		say("It pays no more than %s.", c.Cap.describe(false))
		if c.CapCarriesOver {
			say(carriedOver)
		}
	}
	if back := c.Cumulative; back != nil && back.TrueUp {
		say("What earlier periods were paid of it is taken off.")
	} else if back != nil && back.AtEnd {
		say("It pays only in the period that ends the %s.", map[Interval]string{Quarter: "quarter", Half: "half-year", Year: "year"}[back.Over])
	} else if back != nil {
		say("Only what came in this period is paid.")
	}
	if back := c.Cumulative; back != nil {
		if back.WholeGoal {
			say("The goal is that of the whole interval.")
		}
		sayYear(say, back.Month)
	}
	if c.Holdback != nil {
		say("%s", c.Holdback.describe())
	}
	if c.Clawback != nil {
		say("%s", c.Clawback.describe())
	}
	if c.Deduct != nil {
		say("%s is taken off in every period.", c.Deduct.describe(false))
	}
	return strings.Join(sentences, " ")
}

func sayYear(say func(string, ...any), month int) {
	if month != 1 {
		say("Years begin in month %d.", month)
	}
}

func (c Component) describeTable(say func(string, ...any), measure string) {
	t := c.RateTable
	on := t.Target.describe(measure)
	if c.Evaluate == EachTransaction {
		on = "the amount of each credit by itself"
	}
	var edges []Edge
	anyBack := false
	for _, tier := range t.Tiers {
		if tier.Edge != nil {
			edges = append(edges, Edge{*tier.Edge, tier.Below})
		}
		anyBack = anyBack || tier.Retroactive
	}
	say("pays by tiers of %s: %s.", on, steps(edges, t.On == Attainment, func(i int) string {
		text := t.Tiers[i].Rate.describe(true)
		if t.Tiers[i].Retroactive && i > 0 {
			text += ", from the first unit on once it is reached"
		}
		return text
	}))
	if !anyBack {
		say("Each tier's rate holds for the part that lies in it.")
	}
}

func (by RateBy) describe(say func(string, ...any), measure string) {
	if by.Across == nil {
		say("pays a rate of %s that %s picks: %s.", measure, by.Key.describe(measure), steps(by.Edges, by.Key.On == KeyAttainment, func(i int) string { return by.Rates[i][0].describe(true) }))
		return
	}
	say("pays a rate of %s that %s and %s pick: %s.", measure, by.Key.describe(measure), by.Across.describe(measure),
		steps(by.Edges, by.Key.On == KeyAttainment, func(i int) string {
			return "(" + steps(by.Columns, by.Across.On == KeyAttainment, func(j int) string { return by.Rates[i][j].describe(true) }) + ")"
		}))
}

func (t Target) describe(measure string) string {
	if t.On == Attainment {
		return "attainment (" + measure + " against the quota " + t.Quota + t.WithoutQuota.describe() + ")"
	}
	return measure
}

func (w Without) describe() string {
	if w == Nothing {
		return ", which somebody may lack"
	}
	return ""
}

func (k Key) describe(measure string) string {
	switch k.On {
	case KeyAttainment:
		return Target{On: Attainment, Quota: k.Quota, WithoutQuota: k.WithoutQuota}.describe(measure)
	case KeyAmount:
		return measure
	case KeyCount:
		return "the number of credits"
	case KeyTenure:
		return "the months begun since the participant's " + k.Attribute
	}
	return "the participant's " + k.Attribute
}

// describe says a value; a rate is said as a percentage.
func (v Value) describe(rate bool) string {
	switch {
	case v.Attribute != "":
		return "the participant's " + v.Attribute
	case rate && v.Literal.Abs().LessThan(decimal.NewFromInt(1)):
		return percent(v.Literal)
	}
	return v.Literal.String()
}

// describeShare says a value that is a share of something.
func (v Value) describeShare() string {
	if v.Attribute != "" {
		return v.describe(true)
	}
	return percent(v.Literal)
}

func percent(d decimal.Decimal) string { return d.Shift(2).String() + "%" }

func share(d decimal.Decimal, isShare bool) string {
	if isShare {
		return percent(d)
	}
	return d.String()
}

// steps says what holds between edges.
func steps(edges []Edge, shares bool, what func(i int) string) string {
	var all []string
	for i, e := range edges {
		word := "up to"
		if e.Below {
			word = "below"
		}
		all = append(all, fmt.Sprintf("%s %s: %s", word, share(e.At, shares), what(i)))
	}
	if len(edges) == 0 {
		return "always " + what(0)
	}
	return strings.Join(append(all, "beyond: "+what(len(edges))), "; ")
}

func points(all []Point, extend, atShares, payShares bool) string {
	var words []string
	for _, p := range all {
		words = append(words, share(p.At, atShares)+" pays "+share(p.Pays, payShares))
	}
	beyond := "level beyond"
	if extend {
		beyond = "going on beyond"
	}
	return strings.Join(words, ", ") + ", " + beyond
}
