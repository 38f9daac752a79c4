package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

// maxDocument is the size in bytes that a plan may have.
const maxDocument = 1 << 20

// Parse reads and checks a plan's document. Its error is a Problems that lists
// everything that is wrong with it.
func Parse(document []byte) (*Plan, error) {
	if len(document) > maxDocument {
		return nil, Problems{{1, 1, fmt.Sprintf("the plan is larger than %d bytes", maxDocument)}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil {
		return nil, syntaxProblem(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Problems{{1, 1, "the file holds more than one document: write one plan a file"}}
	}
	r := reader{}
	p := r.plan(root.Content[0])
	if len(r.problems) > 0 {
		return nil, r.problems.inOrder()
	}
	return p, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

func syntaxProblem(err error) Problems {
	if errors.Is(err, io.EOF) {
		return Problems{{1, 1, "the plan is empty: begin with \"language: 1\""}}
	}
	found := yamlLine.FindStringSubmatch(err.Error())
	line := 1
	if len(found) == 2 && found[1] != "" {
		line, _ = strconv.Atoi(found[1]) // only digits match
	}
	return Problems{{line, 1, "this is not YAML: " + yamlLine.ReplaceAllString(err.Error(), "")}}
}

// reader turns YAML into a Plan and collects what is wrong on the way. Numbers are
// taken from the scalars' source text, so that none goes through a float.
type reader struct {
	problems Problems
	reads    Reads
}

// field reads the value of one key.
type field struct {
	required bool
	read     func(value *yaml.Node)
}

// mapping reads a mapping's fields in the order of the document and reports whether the
// node is a mapping.
func (r *reader) mapping(node *yaml.Node, what string, fields map[string]field) bool {
	if node.Kind != yaml.MappingNode {
		r.problems.on(node, "%s is written as keys and values: %s", what, listed(slices.Sorted(maps.Keys(fields))))
		return false
	}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		f, known := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			r.problems.on(key, "%s has no %q: it may have %s", what, key.Value, listed(slices.Sorted(maps.Keys(fields))))
		case seen[key.Value]:
			r.problems.on(key, "%s says %q twice", what, key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			r.problems.on(value, "a plan has no anchors (&) and aliases (*): write the value out")
		default:
			f.read(value)
		}
		seen[key.Value] = true
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if fields[key].required && !seen[key] {
			r.problems.on(node, "%s lacks %q", what, key)
		}
	}
	return true
}

func (r *reader) each(node *yaml.Node, what string, read func(item *yaml.Node)) {
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		r.problems.on(node, "%s is a list with at least one item, each beginning with \"-\"", what)
		return
	}
	for _, item := range node.Content {
		if item.Kind == yaml.AliasNode || item.Anchor != "" {
			r.problems.on(item, "a plan has no anchors (&) and aliases (*): write the value out")
			continue
		}
		read(item)
	}
}

func (r *reader) text(into *string) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || strings.TrimSpace(node.Value) == "" {
			r.problems.on(node, "a text is expected here")
			return
		}
		*into = node.Value
	}
}

// choice reads one of a few words.
func choice[T ~string](r *reader, into *T, words ...T) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode || !slices.Contains(words, T(node.Value)) {
			r.problems.on(node, "%q is not known here: write %s", node.Value, listed(words))
			return
		}
		*into = T(node.Value)
	}
}

func (r *reader) yes(into *bool) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Tag != "!!bool" {
			r.problems.on(node, "write true or false")
			return
		}
		*into = node.Value == "true"
	}
}

// parseNumber reads an exact number, where 12.5% is 0.125.
func parseNumber(text string) (decimal.Decimal, error) {
	digits, percent := strings.CutSuffix(text, "%")
	d, err := incentive.ParseDecimal(strings.TrimSpace(digits))
	if err != nil {
		return d, fmt.Errorf("%q is not a number: write digits with an optional sign and point, such as 0.125, or a percentage, such as 12.5%%", text)
	}
	if percent {
		d = d.Shift(-2)
	}
	return d, nil
}

func (r *reader) number(into *decimal.Decimal) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode {
			r.problems.on(node, "a number is expected here, such as 0.125 or 12.5%%")
			return
		}
		d, err := parseNumber(node.Value)
		if err != nil {
			r.problems.on(node, "%s", err)
			return
		}
		*into = d
	}
}

// value reads a number or an attribute of the participant that holds one.
func (r *reader) value(into **Value) func(*yaml.Node) {
	return func(node *yaml.Node) {
		v := &Value{}
		name, isAttribute := strings.CutPrefix(node.Value, "participant.")
		if node.Kind != yaml.ScalarNode || !isAttribute {
			r.number(&v.Literal)(node)
			*into = v
			return
		}
		switch r.reads.Participant[name] {
		case Number:
		case Text:
			r.problems.on(node, "participant.%s is declared a text under \"reads\", and a number is needed here", name)
		default:
			r.problems.on(node, "participant.%s is not declared: write it under \"reads\", %q", name, "participant: {"+name+": number}")
		}
		v.Attribute = name
		*into = v
	}
}

func (r *reader) filter(into **Filter) func(*yaml.Node) {
	return func(node *yaml.Node) {
		var text string
		r.text(&text)(node)
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
			r.problems.at(line, column, "%s", problem.Message)
		}
		*into = f
	}
}

func (r *reader) plan(node *yaml.Node) *Plan {
	p := &Plan{Rounding: incentive.HalfAwayFromZero, RoundEach: EachLine}
	var components *yaml.Node
	readable := r.mapping(node, "a plan", map[string]field{
		"language": {true, func(n *yaml.Node) {
			if n.Value != strconv.Itoa(Language) {
				r.problems.on(n, "language %q is not known: this is language %d", n.Value, Language)
			}
		}},
		"plan":     {true, r.identifier(&p.ID)},
		"name":     {true, r.text(&p.Name)},
		"currency": {true, r.currency(&p.Currency)},
		"rounding": {false, func(n *yaml.Node) {
			r.mapping(n, "rounding", map[string]field{
				"mode": {false, choice(r, &p.Rounding, incentive.HalfAwayFromZero, incentive.HalfToEven, incentive.Down)},
				"each": {false, choice(r, &p.RoundEach, EachLine, EachContribution)},
			})
		}},
		"reads":      {false, func(n *yaml.Node) { r.readsOf(n, &p.Reads) }},
		"components": {true, func(n *yaml.Node) { components = n }},
	})
	if !readable || components == nil {
		return p
	}
	// Components are read last, whatever the order of the document, as they name what
	// "reads" declares.
	r.reads = p.Reads
	names := map[string]bool{}
	r.each(components, "\"components\"", func(item *yaml.Node) {
		c := r.component(item)
		if names[c.Name] && c.Name != "" {
			r.problems.on(item, "two components have the name %q", c.Name)
		}
		names[c.Name] = true
		p.Components = append(p.Components, c)
	})
	return p
}

var identifier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (r *reader) identifier(into *string) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode || !identifier.MatchString(node.Value) {
			r.problems.on(node, "%q cannot name a plan: use small letters, digits and hyphens, such as new-business", node.Value)
			return
		}
		*into = node.Value
	}
}

func (r *reader) currency(into *incentive.Currency) func(*yaml.Node) {
	return func(node *yaml.Node) {
		c, err := incentive.ParseCurrency(node.Value)
		if err != nil {
			r.problems.on(node, "%s", err)
			return
		}
		*into = c
	}
}

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func (r *reader) readsOf(node *yaml.Node, into *Reads) {
	declared := func(into *map[string]Type, builtin map[string]Type) func(*yaml.Node) {
		return func(n *yaml.Node) {
			*into = map[string]Type{}
			if n.Kind != yaml.MappingNode {
				r.problems.on(n, "attributes are declared as names with their type, such as {category: text}")
				return
			}
			for i := 0; i < len(n.Content); i += 2 {
				key, value := n.Content[i], n.Content[i+1]
				_, taken := builtin[key.Value]
				switch {
				case !attributeName.MatchString(key.Value):
					r.problems.on(key, "%q cannot name an attribute: use small letters, digits and underscores", key.Value)
				case taken:
					r.problems.on(key, "%q is always there and is not declared", key.Value)
				default:
					t := Text
					choice(r, &t, Text, Number)(value)
					if _, twice := (*into)[key.Value]; twice {
						r.problems.on(key, "%q is declared twice", key.Value)
					}
					(*into)[key.Value] = t
				}
			}
		}
	}
	r.mapping(node, "reads", map[string]field{
		"transaction": {false, declared(&into.Transaction, builtinTransaction)},
		"participant": {false, declared(&into.Participant, builtinParticipant)},
	})
}

func (r *reader) component(node *yaml.Node) Component {
	c := Component{Measure: Measure{Aggregate: Sum}}
	measured := false
	readable := r.mapping(node, "a component", map[string]field{
		"name": {true, r.text(&c.Name)},
		"override": {false, func(n *yaml.Node) {
			c.Override = &Override{}
			r.mapping(n, "override", map[string]field{"level": {true, func(n *yaml.Node) {
				level, err := strconv.Atoi(n.Value)
				if err != nil || level < 1 || level > 20 {
					r.problems.on(n, "%q is not a level: write 1 for direct reports, 2 for theirs, up to 20", n.Value)
				}
				c.Override.Level = level
			}}})
		}},
		"measure":    {false, func(n *yaml.Node) { measured = true; r.measure(n, &c.Measure) }},
		"rate":       {false, r.value(&c.Rate)},
		"rates":      {false, func(n *yaml.Node) { c.Rates = r.rates(n) }},
		"rate_table": {false, func(n *yaml.Node) { c.RateTable = r.rateTable(n) }},
		"bonus":      {false, r.value(&c.Bonus)},
		"gate":       {false, func(n *yaml.Node) { c.Gate = &Gate{}; r.gate(n, c.Gate) }},
		"cap":        {false, r.value(&c.Cap)},
	})
	if !readable {
		return c
	}
	ways := 0
	for _, written := range []bool{c.Rate != nil, c.Rates != nil, c.RateTable != nil, c.Bonus != nil} {
		if written {
			ways++
		}
	}
	switch {
	case ways != 1:
		r.problems.on(node, "component %q pays by exactly one of rate, rates, rate_table and bonus", c.Name)
	case !measured && (c.Bonus == nil || c.Gate != nil && c.Gate.Measure.Aggregate == ""):
		r.problems.on(node, "component %q lacks \"measure\", such as {sum: credits}", c.Name)
	}
	if c.Gate != nil && c.Gate.Measure.Aggregate == "" {
		c.Gate.Measure = c.Measure
	}
	return c
}

func (r *reader) measure(node *yaml.Node, into *Measure) {
	var sum, count string
	r.mapping(node, "a measure", map[string]field{
		"sum":   {false, choice(r, &sum, "credits")},
		"count": {false, choice(r, &count, "credits")},
		"where": {false, r.filter(&into.Where)},
	})
	switch {
	case sum != "" && count == "":
		into.Aggregate = Sum
	case count != "" && sum == "":
		into.Aggregate = Count
	default:
		into.Aggregate = Sum
		r.problems.on(node, "a measure says either \"sum: credits\" or \"count: credits\"")
	}
}

func (r *reader) rates(node *yaml.Node) []FilteredRate {
	rates := []FilteredRate{}
	r.each(node, "\"rates\"", func(item *yaml.Node) {
		var rate *Value
		var f FilteredRate
		r.mapping(item, "a rate", map[string]field{
			"where": {false, r.filter(&f.Where)},
			"rate":  {true, r.value(&rate)},
		})
		if rate != nil {
			f.Rate = *rate
		}
		if n := len(rates); n > 0 && rates[n-1].Where == nil {
			r.problems.on(item, "no credit comes this far, as the rate before it has no \"where\"")
		}
		rates = append(rates, f)
	})
	if n := len(rates); n > 0 && rates[n-1].Where != nil {
		r.problems.on(node, "the last of the rates has no \"where\": it says what all other credits get, if only 0")
	}
	return rates
}

func (r *reader) target(t *Target) map[string]field {
	t.WithoutQuota = Refuse
	return map[string]field{
		"on":            {true, choice(r, &t.On, Attainment, Amount)},
		"quota":         {false, r.text(&t.Quota)},
		"without_quota": {false, choice(r, &t.WithoutQuota, Refuse, Nothing)},
	}
}

func (r *reader) checkTarget(node *yaml.Node, t Target) {
	switch {
	case t.On == Attainment && t.Quota == "":
		r.problems.on(node, "attainment is measured against a quota: name it as in \"quota: sales\"")
	case t.On == Amount && t.Quota != "":
		r.problems.on(node, "an amount is not held against a quota: leave \"quota\" out or write \"on: attainment\"")
	}
}

func (r *reader) rateTable(node *yaml.Node) *RateTable {
	t := &RateTable{}
	var retroactive bool
	var tiers *yaml.Node
	fields := r.target(&t.Target)
	fields["retroactive"] = field{false, r.yes(&retroactive)}
	fields["tiers"] = field{true, func(n *yaml.Node) { tiers = n }}
	if !r.mapping(node, "a rate table", fields) {
		return t
	}
	r.checkTarget(node, t.Target)
	if tiers == nil {
		return t
	}
	var last *Tier
	r.each(tiers, "\"tiers\"", func(item *yaml.Node) {
		tier := Tier{Retroactive: retroactive}
		var rate *Value
		edge := func(below bool) func(*yaml.Node) {
			return func(n *yaml.Node) {
				if tier.Edge != nil {
					r.problems.on(n, "a tier has one edge, either up_to or below")
				}
				tier.Edge, tier.Below = &decimal.Decimal{}, below
				r.number(tier.Edge)(n)
			}
		}
		r.mapping(item, "a tier", map[string]field{
			"up_to":       {false, edge(false)},
			"below":       {false, edge(true)},
			"rate":        {true, r.value(&rate)},
			"retroactive": {false, r.yes(&tier.Retroactive)},
		})
		if rate != nil {
			tier.Rate = *rate
		}
		switch {
		case last != nil && last.Edge == nil:
			r.problems.on(item, "nothing reaches this tier, as the one before it has no edge (up_to or below)")
		case last == nil && tier.Edge != nil && tier.Edge.Sign() <= 0,
			last != nil && tier.Edge != nil && tier.Edge.LessThanOrEqual(*last.Edge):
			r.problems.on(item, "the edges of the tiers rise: %s is not above the one before it", tier.Edge)
		}
		t.Tiers = append(t.Tiers, tier)
		last = &t.Tiers[len(t.Tiers)-1]
	})
	if last != nil && last.Edge != nil {
		r.problems.on(tiers, "the last tier has no edge: it says what is paid above %s, if only 0", last.Edge)
	}
	return t
}

func (r *reader) gate(node *yaml.Node, g *Gate) {
	thresholds := 0
	threshold := func(above bool) func(*yaml.Node) {
		return func(n *yaml.Node) {
			thresholds++
			g.Above = above
			r.number(&g.Threshold)(n)
		}
	}
	fields := r.target(&g.Target)
	fields["measure"] = field{false, func(n *yaml.Node) { r.measure(n, &g.Measure) }}
	fields["at_least"] = field{false, threshold(false)}
	fields["above"] = field{false, threshold(true)}
	if !r.mapping(node, "a gate", fields) {
		return
	}
	r.checkTarget(node, g.Target)
	if thresholds != 1 {
		r.problems.on(node, "a gate says how far the measure must come by one of at_least and above")
	}
}

func listed[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " or " + texts[n-1]
	}
	return strings.Join(texts, "")
}
