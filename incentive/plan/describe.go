package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
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

// Describe reads the plan back in plain words of a language, a paragraph for each component.
func (p *Plan) Describe(l language.Language) []string {
	var all []string
	for i, said := range p.paragraphs(l) {
		if i > 0 {
			said.text = said.title + ": " + said.text
		}
		all = append(all, said.text)
	}
	return all
}

func (p *Plan) paragraphs(l language.Language) []paragraph {
	head := l.Sprintf("%s (plan %s) pays in %s. %s", p.Name, p.ID, p.Currency, p.describeRounding(l))
	if p.Exchange != nil {
		head += " " + p.Exchange.describe(l)
	}
	all := []paragraph{{part{false, l.Word("The plan")}, head}}
	for i, c := range p.Credits {
		all = append(all, paragraph{part{false, l.Sprintf("Crediting rule %d (%s)", i+1, c.Role)}, c.describe(l)})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Quotas)) {
		all = append(all, paragraph{part{false, l.Sprintf("Quota %s", name)}, p.Quotas[name].describe(l)})
	}
	for _, c := range p.Components {
		all = append(all, paragraph{part{true, c.Name}, c.describe(l)})
	}
	if p.Cap != nil {
		all = append(all, paragraph{part{false, CapComponent}, p.Cap.describe(l)})
	}
	if p.Draw != nil {
		all = append(all, paragraph{part{false, DrawComponent}, strings.Join(p.Draw.describe(l), " ")})
	}
	return all
}

func (p *Plan) describeRounding(l language.Language) string {
	how := map[incentive.Rounding]string{incentive.HalfAwayFromZero: l.Word("half away from zero"), incentive.HalfToEven: l.Word("half to even"), incentive.Down: l.Word("towards zero")}[p.Rounding]
	if p.RoundEach == EachContribution {
		return l.Sprintf("Every deal's part is rounded %s, and then they are added.", how)
	}
	return l.Sprintf("Each component is rounded once, %s.", how)
}

func (c Component) describe(l language.Language) string {
	var sentences []string
	say := func(format string, arguments ...any) {
		sentences = append(sentences, l.Sprintf(format, arguments...))
	}
	whose := ""
	if c.Override != nil {
		whose = l.Word(" of the direct reports")
		if c.Override.Level > 1 {
			whose = l.Sprintf(" of the people %d levels below", c.Override.Level)
		}
	}
	scope := whose
	if back := c.Cumulative; back != nil {
		scope += map[Interval]string{Quarter: l.Word(" since the quarter began"), Half: l.Word(" since the half-year began"), Year: l.Word(" since the year began"), PlanToDate: l.Word(" since coming to the plan")}[back.Over]
	}
	measure := c.Measure.describe(l) + scope
	figure := func(k Key) string {
		if k.Measure != nil {
			return k.describe(l, k.Measure.describe(l)+scope)
		}
		return k.describe(l, measure)
	}
	switch {
	case c.Rate != nil:
		say("pays %s of %s.", c.Rate.describe(l, true), measure)
	case c.Rates != nil:
		say("pays, of %s,", measure)
		for _, r := range c.Rates {
			if r.Where != nil {
				say("%s where %s;", r.Rate.describe(l, true), r.Where.describe(l))
			} else {
				say("%s of all other credits.", r.Rate.describe(l, true))
			}
		}
	case c.RateBy != nil:
		c.RateBy.describeRate(l, say, measure, figure)
	case c.RateTable != nil:
		c.describeTable(l, say, measure)
	case c.Curve != nil:
		of := l.Word("an amount")
		if c.Curve.Of != nil {
			of = l.Sprintf("a share of %s", c.Curve.Of.describe(l, false))
		}
		on := c.Curve.Target.describe(l, measure)
		if c.Evaluate == EachTransaction {
			on = l.Word("the amount of each credit by itself")
		}
		say("pays %s by %s, on straight lines between these points: %s.", of, on, points(l, c.Curve.Points, c.Curve.Extend, c.Curve.On == Attainment, c.Curve.Of != nil))
	case c.Scorecard != nil:
		say("pays a share of %s by a weighted attainment of", c.Scorecard.Of.describe(l, false))
		for i, m := range c.Scorecard.Measures {
			end := ";"
			if i == len(c.Scorecard.Measures)-1 {
				end = "."
			}
			say("%s (%s: %s against the quota %s%s)%s", m.Name, percent(l, m.Weight), m.Measure.describe(l), m.Quota, m.WithoutQuota.describe(l), end)
		}
		say("It follows straight lines between these points: %s.", points(l, c.Scorecard.Points, c.Scorecard.Extend, true, true))
	case c.Ranking != nil:
		c.Ranking.describe(l, say, measure)
	case c.Pool != nil:
		c.Pool.describe(l, say, measure)
	default:
		say("pays %s.", c.Bonus.describe(l, false))
	}
	if g := c.Gate; g != nil {
		word := l.Word("at least")
		if g.Above {
			word = l.Word("above")
		}
		say("It pays only where %s is %s %s.", g.Target.describe(l, g.Measure.describe(l)+whose), word, share(l, g.Threshold, g.On == Attainment))
	}
	if m := c.Multipliers; m != nil {
		how := l.Word("multiplied by")
		if m.Add {
			how = l.Word("multiplied by the sum (one plus what each exceeds one by) of")
		}
		say("What it gives is %s", how)
		for i, f := range m.Factors {
			end := ","
			if i == len(m.Factors)-1 {
				end = "."
			}
			if f.Value != nil {
				sentences = append(sentences, f.Value.describe(l, false)+" ("+f.Name+")"+end)
				continue
			}
			by := figure(f.Key)
			if f.Across != nil {
				by += l.Word(" and ") + figure(*f.Across)
			}
			say("a factor by %s (%s): %s", by, f.Name, f.describeValues(l, false)+end)
		}
	}
	if c.CapEach != nil {
		say("No single credit earns more than %s.", c.CapEach.describe(l, false))
	}
	if c.Floor != nil {
		say("It pays no less than %s.", c.Floor.describe(l, false))
	}
	if c.Cap != nil {
		say("It pays no more than %s.", c.Cap.describe(l, false))
		if c.CapCarriesOver {
			say(carriedOver)
		}
	}
	if back := c.Cumulative; back != nil && back.TrueUp {
		say("What earlier periods were paid of it is taken off.")
	} else if back != nil && back.AtEnd {
		say("It pays only in the period that ends the %s.", map[Interval]string{Quarter: l.Word("quarter"), Half: l.Word("half-year"), Year: l.Word("year")}[back.Over])
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
		say("%s", c.Holdback.describe(l))
	}
	if c.Clawback != nil {
		say("%s", c.Clawback.describe(l))
	}
	if c.Deduct != nil {
		say("%s is taken off in every period.", c.Deduct.describe(l, false))
	}
	return strings.Join(sentences, " ")
}

func sayYear(say func(string, ...any), month int) {
	if month != 1 {
		say("Years begin in month %d.", month)
	}
}

func (c Component) describeTable(l language.Language, say func(string, ...any), measure string) {
	t := c.RateTable
	on := t.Target.describe(l, measure)
	if c.Evaluate == EachTransaction {
		on = l.Word("the amount of each credit by itself")
	}
	var edges []Edge
	anyBack := false
	for _, tier := range t.Tiers {
		if tier.Edge != nil {
			edges = append(edges, Edge{*tier.Edge, tier.Below})
		}
		anyBack = anyBack || tier.Retroactive
	}
	say("pays by tiers of %s: %s.", on, steps(l, edges, t.On == Attainment, func(i int) string {
		text := t.Tiers[i].Rate.describe(l, true)
		if t.Tiers[i].Retroactive && i > 0 {
			text += l.Word(", from the first unit on once it is reached")
		}
		return text
	}))
	if !anyBack {
		say("Each tier's rate holds for the part that lies in it.")
	}
}

func (g Grid) describeRate(l language.Language, say func(string, ...any), measure string, figure func(Key) string) {
	if g.Across == nil {
		say("pays a rate of %s that %s picks: %s.", measure, figure(g.Key), g.describeValues(l, true))
		return
	}
	say("pays a rate of %s that %s and %s pick: %s.", measure, figure(g.Key), figure(*g.Across), g.describeValues(l, true))
}

// describeValues says which value is picked where, row after row.
func (g Grid) describeValues(l language.Language, rates bool) string {
	return steps(l, g.Edges, g.Key.On == KeyAttainment, func(i int) string {
		if g.Across == nil {
			return g.Values[i][0].describe(l, rates)
		}
		return "(" + steps(l, g.Columns, g.Across.On == KeyAttainment, func(j int) string { return g.Values[i][j].describe(l, rates) }) + ")"
	})
}

func (t Target) describe(l language.Language, measure string) string {
	if t.On == Attainment {
		return l.Sprintf("attainment (%s against the quota %s%s)", measure, t.Quota, t.WithoutQuota.describe(l))
	}
	return measure
}

func (w Without) describe(l language.Language) string {
	if w == Nothing {
		return l.Word(", which somebody may lack")
	}
	return ""
}

func (k Key) describe(l language.Language, measure string) string {
	switch k.On {
	case KeyAttainment:
		return Target{On: Attainment, Quota: k.Quota, WithoutQuota: k.WithoutQuota}.describe(l, measure)
	case KeyAmount:
		return measure
	case KeyCount:
		return l.Word("the number of credits")
	case KeyTenure:
		return l.Sprintf("the months begun since the participant's %s", Spoken(k.Attribute))
	}
	return l.Sprintf("the participant's %s", Spoken(k.Attribute))
}

// describe says a value; a rate is said as a percentage.
func (v Value) describe(l language.Language, rate bool) string {
	switch {
	case v.Attribute != "":
		return l.Sprintf("the participant's %s", Spoken(v.Attribute))
	case rate && v.Literal.Abs().LessThan(decimal.NewFromInt(1)):
		return percent(l, v.Literal)
	}
	return l.Number(v.Literal.String())
}

// describeShare says a value that is a share of something.
func (v Value) describeShare(l language.Language) string {
	if v.Attribute != "" {
		return v.describe(l, true)
	}
	return percent(l, v.Literal)
}

func percent(l language.Language, d decimal.Decimal) string {
	return l.Number(d.Shift(2).String()) + "%"
}

func share(l language.Language, d decimal.Decimal, isShare bool) string {
	if isShare {
		return percent(l, d)
	}
	return l.Number(d.String())
}

// steps says what holds between edges.
func steps(l language.Language, edges []Edge, shares bool, what func(i int) string) string {
	var all []string
	for i, e := range edges {
		until := l.Sprintf("up to %s", share(l, e.At, shares))
		if e.Below {
			until = l.Sprintf("below %s", share(l, e.At, shares))
		}
		all = append(all, until+": "+what(i))
	}
	if len(edges) == 0 {
		return l.Sprintf("always %s", what(0))
	}
	return strings.Join(append(all, l.Sprintf("beyond: %s", what(len(edges)))), "; ")
}

func points(l language.Language, all []Point, extend, atShares, payShares bool) string {
	var words []string
	for _, p := range all {
		words = append(words, l.Sprintf("%s pays %s", share(l, p.At, atShares), share(l, p.Pays, payShares)))
	}
	beyond := l.Word("level beyond")
	if extend {
		beyond = l.Word("going on beyond")
	}
	return strings.Join(words, ", ") + ", " + beyond
}
