package plan

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// Parse reads and checks a plan's document. Its error is a document.Problems that lists
// everything that is wrong with it.
func Parse(text []byte) (*Plan, error) {
	r := reader{}
	p := &Plan{}
	if root, ok := r.Root(text, "a plan"); ok {
		p = r.plan(root)
	}
	return p, r.Err()
}

// reader turns YAML into a Plan.
type reader struct {
	document.Reader
	reads Reads
}

// fields reads the values of a mapping's keys.
type fields = map[string]document.Field

// value reads a number or an attribute of the participant that holds one.
func (r *reader) value(into **Value) func(*yaml.Node) {
	return func(node *yaml.Node) {
		v := &Value{}
		name, isAttribute := strings.CutPrefix(node.Value, "participant.")
		if node.Kind != yaml.ScalarNode || !isAttribute {
			r.Number(&v.Literal)(node)
			*into = v
			return
		}
		switch r.reads.Participant[name] {
		case Number:
		case Text:
			r.On(node, "participant.%s is declared a text under \"reads\", and a number is needed here", name)
		default:
			r.On(node, "participant.%s is not declared: write it under \"reads\", %q", name, "participant: {"+name+": number}")
		}
		v.Attribute = name
		*into = v
	}
}

func (r *reader) filter(into **Filter) func(*yaml.Node) {
	return func(node *yaml.Node) {
		var text string
		r.Text(&text)(node)
		if text == "" {
			return
		}
		f, problem := parseFilter(text, r.reads)
		if problem != nil {
			// Inside a block scalar or quotes the place is counted from where the text begins.
			line, column := node.Line+problem.Line-1, node.Column+problem.Column-1
			switch {
			case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
				line, column = node.Line+problem.Line, problem.Column
			case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
				column++
			}
			r.At(line, column, "%s", problem.Message)
		}
		*into = f
	}
}

func (r *reader) plan(node *yaml.Node) *Plan {
	p := &Plan{Rounding: incentive.HalfAwayFromZero, RoundEach: EachLine}
	var credits, quotas, components, limit, draw, examples *yaml.Node
	readable := r.Mapping(node, "a plan", fields{
		"language": document.Needed(func(n *yaml.Node) {
			if n.Value != strconv.Itoa(Language) {
				r.On(n, "language %q is not known: this is language %d", n.Value, Language)
			}
		}),
		"plan":     document.Needed(r.identifier(&p.ID)),
		"name":     document.Needed(r.Text(&p.Name)),
		"currency": document.Needed(r.currency(&p.Currency)),
		"rounding": document.Optional(func(n *yaml.Node) {
			r.Mapping(n, "rounding", fields{
				"mode": document.Optional(document.Choice(&r.Reader, &p.Rounding, incentive.HalfAwayFromZero, incentive.HalfToEven, incentive.Down)),
				"each": document.Optional(document.Choice(&r.Reader, &p.RoundEach, EachLine, EachContribution)),
			})
		}),
		"reads":      document.Optional(func(n *yaml.Node) { r.readsOf(n, &p.Reads) }),
		"exchange":   document.Optional(func(n *yaml.Node) { p.Exchange = r.exchange(n) }),
		"credits":    document.Optional(func(n *yaml.Node) { credits = n }),
		"quotas":     document.Optional(func(n *yaml.Node) { quotas = n }),
		"components": document.Needed(func(n *yaml.Node) { components = n }),
		"cap":        document.Optional(func(n *yaml.Node) { limit = n }),
		"draw":       document.Optional(func(n *yaml.Node) { draw = n }),
		"examples":   document.Optional(func(n *yaml.Node) { examples = n }),
	})
	if !readable || components == nil {
		return p
	}
	// Components are read last, whatever the order of the document, as they name what
	// "reads" declares.
	r.reads = p.Reads
	if credits != nil {
		r.Each(credits, "\"credits\"", func(item *yaml.Node) { p.Credits = append(p.Credits, r.creditRule(item)) })
	}
	names := map[string]bool{}
	r.Each(components, "\"components\"", func(item *yaml.Node) {
		c := r.component(item)
		if names[c.Name] && c.Name != "" {
			r.On(item, "two components have the name %q", c.Name)
		}
		names[c.Name] = true
		p.Components = append(p.Components, c)
	})
	if limit != nil {
		p.Cap = r.planCap(limit)
		if slices.ContainsFunc(p.Components, func(c Component) bool { return c.Clawback != nil }) {
			r.On(limit, "a cap on all components does not say of which deal it takes what lies above, and a clawback needs to know what was paid for each: write a cap in the component")
		}
	}
	if draw != nil {
		p.Draw = r.draw(draw)
	}
	for i, c := range p.Components {
		if slices.Contains(p.OtherLines(), c.Name) {
			r.On(components.Content[i], "%q is the name of a line that the plan gives besides its components: name this one otherwise", c.Name)
		}
	}
	if quotas != nil {
		r.quotaRules(quotas, p)
	}
	if examples != nil {
		r.Each(examples, "\"examples\"", func(item *yaml.Node) { p.Examples = append(p.Examples, r.example(item, p)) })
	}
	return p
}

var identifier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (r *reader) identifier(into *string) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode || !identifier.MatchString(node.Value) {
			r.On(node, "%q cannot name a plan: use small letters, digits and hyphens, such as new-business", node.Value)
			return
		}
		*into = node.Value
	}
}

func (r *reader) currency(into *incentive.Currency) func(*yaml.Node) {
	return func(node *yaml.Node) {
		c, err := incentive.ParseCurrency(node.Value)
		if err != nil {
			r.On(node, "%s", err)
			return
		}
		*into = c
	}
}

func (r *reader) readsOf(node *yaml.Node, into *Reads) {
	declared := func(into *map[string]Type, builtin map[string]Type) func(*yaml.Node) {
		return func(n *yaml.Node) {
			*into = map[string]Type{}
			if n.Kind != yaml.MappingNode {
				r.On(n, "attributes are declared as names with their type, such as {category: text}")
				return
			}
			for i := 0; i < len(n.Content); i += 2 {
				key, value := n.Content[i], n.Content[i+1]
				_, taken := builtin[key.Value]
				switch {
				case !incentive.IsAttributeName(key.Value):
					r.On(key, "%q cannot name an attribute: use small letters, digits and underscores", key.Value)
				case taken:
					r.On(key, "%q is always there and is not declared", key.Value)
				default:
					t := Text
					document.Choice(&r.Reader, &t, Text, Number)(value)
					if _, twice := (*into)[key.Value]; twice {
						r.On(key, "%q is declared twice", key.Value)
					}
					(*into)[key.Value] = t
				}
			}
		}
	}
	r.Mapping(node, "reads", fields{
		"transaction": document.Optional(declared(&into.Transaction, builtinTransaction)),
		"participant": document.Optional(declared(&into.Participant, builtinParticipant)),
	})
}

func (r *reader) component(node *yaml.Node) Component {
	c := Component{Measure: Measure{Aggregate: Sum}}
	measured := false
	var evaluated *yaml.Node
	readable := r.Mapping(node, "a component", fields{
		"name": document.Needed(r.Text(&c.Name)),
		"override": document.Optional(func(n *yaml.Node) {
			c.Override = &Override{}
			r.Mapping(n, "override", fields{"level": document.Needed(r.level(&c.Override.Level, 1))})
		}),
		"measure":    document.Optional(func(n *yaml.Node) { measured = true; r.measure(n, &c.Measure) }),
		"cumulative": document.Optional(func(n *yaml.Node) { c.Cumulative = r.cumulative(n) }),
		"rate":       document.Optional(r.value(&c.Rate)),
		"rates":      document.Optional(func(n *yaml.Node) { c.Rates = r.rates(n) }),
		"rate_table": document.Optional(func(n *yaml.Node) { c.RateTable = r.rateTable(n) }),
		"rate_by":    document.Optional(func(n *yaml.Node) { c.RateBy = r.rateBy(n) }),
		"curve":      document.Optional(func(n *yaml.Node) { c.Curve = r.curve(n) }),
		"scorecard":  document.Optional(func(n *yaml.Node) { c.Scorecard = r.scorecard(n) }),
		"ranking":    document.Optional(func(n *yaml.Node) { c.Ranking = r.ranking(n) }),
		"pool":       document.Optional(func(n *yaml.Node) { c.Pool = r.pool(n) }),
		"bonus":      document.Optional(r.value(&c.Bonus)),
		"evaluate": document.Optional(func(n *yaml.Node) {
			evaluated = n
			document.Choice(&r.Reader, &c.Evaluate, Total, EachTransaction)(n)
		}),
		"gate":                 document.Optional(func(n *yaml.Node) { c.Gate = &Gate{}; r.gate(n, c.Gate) }),
		"multipliers":          document.Optional(func(n *yaml.Node) { c.Multipliers = r.multipliers(n) }),
		"floor":                document.Optional(r.value(&c.Floor)),
		"cap_each_transaction": document.Optional(r.value(&c.CapEach)),
		"cap":                  document.Optional(r.componentCap(&c)),
		"holdback":             document.Optional(func(n *yaml.Node) { c.Holdback = r.holdback(n) }),
		"clawback":             document.Optional(func(n *yaml.Node) { c.Clawback = r.clawback(n) }),
		"deduct":               document.Optional(r.value(&c.Deduct)),
	})
	if !readable {
		return c
	}
	ways := 0
	for _, written := range []bool{c.Rate != nil, c.Rates != nil, c.RateBy != nil, c.RateTable != nil, c.Curve != nil, c.Scorecard != nil, c.Ranking != nil, c.Pool != nil, c.Bonus != nil} {
		if written {
			ways++
		}
	}
	contest := c.Ranking != nil || c.Pool != nil
	switch fixed := c.Bonus != nil || c.Scorecard != nil || contest; {
	case ways != 1:
		r.On(node, "component %q pays by exactly one of rate, rates, rate_by, rate_table, curve, scorecard, ranking, pool and bonus", c.Name)
	case !measured && (!fixed || contest || c.Gate != nil && c.Gate.Measure.Aggregate == "" || c.Multipliers.measures()):
		r.On(node, "component %q lacks \"measure\", such as {sum: credits}", c.Name)
	case evaluated != nil && c.RateTable == nil && c.Curve == nil:
		r.On(evaluated, "\"evaluate\" goes with a rate table or a curve")
	case c.Evaluate == EachTransaction && (c.RateTable != nil && c.RateTable.On != Amount || c.Curve != nil && c.Curve.On != Amount):
		r.On(evaluated, "a transaction by itself has an amount and no attainment: write \"on: amount\"")
	case c.Measure.Aggregate == Achieved && (contest || c.Curve == nil && !fixed || c.Evaluate == EachTransaction):
		r.On(node, "objectives are no amount that is paid a rate of: component %q pays of them by a curve, a scorecard or a bonus with a gate", c.Name)
	case (c.Cumulative != nil || c.Override != nil) && c.achieves():
		r.On(node, "objectives belong to one participant and one period: leave \"cumulative\" and \"override\" out of component %q", c.Name)
	case c.Measure.Aggregate == Quotient && (c.Curve == nil && !fixed || c.Pool != nil), c.Measure.Aggregate == Quotient && c.Evaluate == EachTransaction:
		r.On(node, "a ratio is no amount that is paid a rate of: component %q pays of a ratio by a curve, a ranking or a bonus with a gate", c.Name)
	case c.Measure.Aggregate == Quotient && c.Cumulative != nil && c.Cumulative.RateOnly():
		r.On(node, "a ratio has no part that came in this period: write \"pays: true_up\" or \"pays: at_end\" in component %q", c.Name)
	case contest && c.Cumulative != nil && !c.Cumulative.AtEnd:
		r.On(node, "who wins is known when the interval has ended: write \"pays: at_end\" in component %q", c.Name)
	case c.Ranking != nil && c.Ranking.Ties == TiesEarliest && c.Measure.Aggregate == Quotient:
		r.On(node, "a ratio is reached by no single credit, so that nobody came to it first: write \"ties: share\" or \"ties: all\" in component %q", c.Name)
	case c.Holdback != nil && (fixed || !c.Measure.OfCredits()):
		r.On(node, "component %q earns by no single transaction, so that there is nothing to hold back of one", c.Name)
	case c.Holdback != nil && (c.CapCarriesOver || c.Cumulative != nil && c.Cumulative.TrueUp):
		r.On(node, "what component %q holds back of a deal is held back once: leave out the true-up, or the cap that carries over", c.Name)
	case c.Clawback != nil && (fixed || !c.Measure.OfCredits()):
		r.On(node, "component %q earns by no single transaction, so that there is nothing to take back of one", c.Name)
	case c.Clawback != nil && (c.CapCarriesOver || c.Cumulative != nil && c.Cumulative.TrueUp):
		r.On(node, "what component %q paid for a deal is known where it is paid once: leave out the true-up, or the cap that carries over", c.Name)
	case c.Clawback != nil && c.Holdback != nil && c.Holdback.Forfeits:
		r.On(node, "what component %q held back of a deal is either forfeited or taken back: write \"otherwise: released\"", c.Name)
	case c.CapEach != nil && (fixed || !c.Measure.OfCredits()):
		r.On(node, "component %q earns by no single transaction, so that cap_each_transaction has no meaning", c.Name)
	}
	if c.Gate != nil && c.Gate.Measure.Aggregate == "" {
		c.Gate.Measure = c.Measure
	}
	return c
}

// achieves reports whether the component looks at objectives.
func (c Component) achieves() bool {
	if c.Measure.Aggregate == Achieved || c.Gate != nil && c.Gate.Measure.Aggregate == Achieved {
		return true
	}
	if slices.ContainsFunc(c.keys(), func(k Key) bool { return k.Measure != nil && k.Measure.Aggregate == Achieved }) {
		return true
	}
	return c.Scorecard != nil && slices.ContainsFunc(c.Scorecard.Measures, func(m Scored) bool { return m.Measure.Aggregate == Achieved })
}

func (r *reader) cumulative(node *yaml.Node) *Cumulative {
	c := &Cumulative{Month: 1}
	var pays, goal string
	r.Mapping(node, "cumulative", fields{
		"over":                 document.Needed(document.Choice(&r.Reader, &c.Over, Quarter, Half, Year, PlanToDate)),
		"pays":                 document.Needed(document.Choice(&r.Reader, &pays, "true_up", "rate_only", "at_end")),
		"goal":                 document.Optional(document.Choice(&r.Reader, &goal, "to_date", "whole")),
		"year_begins_in_month": document.Optional(r.month(&c.Month)),
	})
	c.TrueUp, c.AtEnd, c.WholeGoal = pays == "true_up", pays == "at_end", goal == "whole"
	if c.Over == PlanToDate && c.AtEnd {
		r.On(node, "the time on a plan has no end at which to pay: write a quarter, half or year")
	}
	if c.Over == PlanToDate && c.WholeGoal {
		r.On(node, "the time on a plan has no end, so that its goal is that up to now: leave \"goal\" out")
	}
	return c
}

func (r *reader) level(into *int, least int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		level, err := strconv.Atoi(n.Value)
		if err != nil || level < least || level > 20 {
			r.On(n, "%q is not a level: write 1 for direct reports, 2 for theirs, up to 20", n.Value)
		}
		*into = level
	}
}

func (r *reader) rates(node *yaml.Node) []FilteredRate {
	rates := []FilteredRate{}
	r.Each(node, "\"rates\"", func(item *yaml.Node) {
		var rate *Value
		var f FilteredRate
		r.Mapping(item, "a rate", fields{
			"where": document.Optional(r.filter(&f.Where)),
			"rate":  document.Needed(r.value(&rate)),
		})
		if rate != nil {
			f.Rate = *rate
		}
		if n := len(rates); n > 0 && rates[n-1].Where == nil {
			r.On(item, "no credit comes this far, as the rate before it has no \"where\"")
		}
		rates = append(rates, f)
	})
	if n := len(rates); n > 0 && rates[n-1].Where != nil {
		r.On(node, "the last of the rates has no \"where\": it says what all other credits get, if only 0")
	}
	return rates
}

func (r *reader) target(t *Target) fields {
	t.WithoutQuota = Refuse
	return fields{
		"on":            document.Needed(document.Choice(&r.Reader, &t.On, Attainment, Amount)),
		"quota":         document.Optional(r.Text(&t.Quota)),
		"without_quota": document.Optional(document.Choice(&r.Reader, &t.WithoutQuota, Refuse, Nothing)),
	}
}

func (r *reader) checkTarget(node *yaml.Node, t Target) {
	switch {
	case t.On == Attainment && t.Quota == "":
		r.On(node, "attainment is measured against a quota: name it as in \"quota: sales\"")
	case t.On == Amount && t.Quota != "":
		r.On(node, "an amount is not held against a quota: leave \"quota\" out or write \"on: attainment\"")
	}
}

func (r *reader) rateTable(node *yaml.Node) *RateTable {
	t := &RateTable{}
	var retroactive bool
	var tiers *yaml.Node
	known := r.target(&t.Target)
	known["retroactive"] = document.Optional(r.Yes(&retroactive))
	known["tiers"] = document.Needed(func(n *yaml.Node) { tiers = n })
	if !r.Mapping(node, "a rate table", known) {
		return t
	}
	r.checkTarget(node, t.Target)
	if tiers == nil {
		return t
	}
	var last *Tier
	r.Each(tiers, "\"tiers\"", func(item *yaml.Node) {
		tier := Tier{Retroactive: retroactive}
		var rate *Value
		edge := func(below bool) func(*yaml.Node) {
			return func(n *yaml.Node) {
				if tier.Edge != nil {
					r.On(n, "a tier has one edge, either up_to or below")
				}
				tier.Edge, tier.Below = &decimal.Decimal{}, below
				r.Number(tier.Edge)(n)
			}
		}
		r.Mapping(item, "a tier", fields{
			"up_to":       document.Optional(edge(false)),
			"below":       document.Optional(edge(true)),
			"rate":        document.Needed(r.value(&rate)),
			"retroactive": document.Optional(r.Yes(&tier.Retroactive)),
		})
		if rate != nil {
			tier.Rate = *rate
		}
		switch {
		case last != nil && last.Edge == nil:
			r.On(item, "nothing reaches this tier, as the one before it has no edge (up_to or below)")
		case last == nil && tier.Edge != nil && tier.Edge.Sign() <= 0,
			last != nil && tier.Edge != nil && tier.Edge.LessThanOrEqual(*last.Edge):
			r.On(item, "the edges of the tiers rise: %s is not above the one before it", tier.Edge)
		}
		t.Tiers = append(t.Tiers, tier)
		last = &t.Tiers[len(t.Tiers)-1]
	})
	if last != nil && last.Edge != nil {
		r.On(tiers, "the last tier has no edge: it says what is paid above %s, if only 0", last.Edge)
	}
	return t
}

func (r *reader) gate(node *yaml.Node, g *Gate) {
	thresholds := 0
	threshold := func(above bool) func(*yaml.Node) {
		return func(n *yaml.Node) {
			thresholds++
			g.Above = above
			r.Number(&g.Threshold)(n)
		}
	}
	known := r.target(&g.Target)
	known["measure"] = document.Optional(func(n *yaml.Node) { r.measure(n, &g.Measure) })
	known["at_least"] = document.Optional(threshold(false))
	known["above"] = document.Optional(threshold(true))
	if !r.Mapping(node, "a gate", known) {
		return
	}
	r.checkTarget(node, g.Target)
	if thresholds != 1 {
		r.On(node, "a gate says how far the measure must come by one of at_least and above")
	}
}
