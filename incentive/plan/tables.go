package plan

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
)

// measures reports whether a factor looks at the component's measure.
func (m *Multipliers) measures() bool {
	if m == nil {
		return false
	}
	for _, f := range m.Factors {
		if f.Value == nil && slices.ContainsFunc(f.keys(), Key.OfComponent) {
			return true
		}
	}
	return false
}

// OfComponent reports whether the key looks at the measure of its component.
func (k Key) OfComponent() bool {
	return k.Measure == nil && k.On != KeyTenure && k.On != KeyParticipant
}

// keys lists the keys that pick a value.
func (g Grid) keys() []Key {
	if g.Across == nil {
		return []Key{g.Key}
	}
	return []Key{g.Key, *g.Across}
}

// keys lists the keys that pick what the component pays.
func (c Component) keys() (all []Key) {
	if c.RateBy != nil {
		all = c.RateBy.keys()
	}
	if c.Multipliers != nil {
		for _, f := range c.Multipliers.Factors {
			if f.Value == nil {
				all = append(all, f.keys()...)
			}
		}
	}
	return all
}

func (r *reader) key(into *Key) func(*yaml.Node) {
	return func(node *yaml.Node) {
		into.WithoutQuota = Refuse
		var since *yaml.Node
		if name, found := strings.CutPrefix(node.Value, "participant."); node.Kind == yaml.ScalarNode && found {
			into.On = KeyParticipant
			var v *Value
			r.value(&v)(node)
			into.Attribute = name
			return
		}
		if !r.Mapping(node, "a key", fields{
			"on":            document.Needed(document.Choice(&r.Reader, &into.On, KeyAttainment, KeyAmount, KeyCount, KeyTenure)),
			"quota":         document.Optional(r.Text(&into.Quota)),
			"without_quota": document.Optional(document.Choice(&r.Reader, &into.WithoutQuota, Refuse, Nothing)),
			"since":         document.Optional(func(n *yaml.Node) { since = n }),
			"measure": document.Optional(func(n *yaml.Node) {
				into.Measure = &Measure{}
				r.measure(n, into.Measure)
			}),
		}) {
			return
		}
		switch {
		case into.Measure != nil && into.On != KeyAttainment && into.On != KeyAmount:
			r.On(node, "a measure of its own goes with attainment or amount, as in {on: amount, measure: {count: credits}}")
		case into.Measure != nil && into.Measure.Aggregate == Achieved && into.On == KeyAttainment:
			r.On(node, "objectives are scored and held against no quota: write \"on: amount\"")
		case (into.On == KeyAttainment) != (into.Quota != ""):
			r.On(node, "a quota goes with attainment, as in {on: attainment, quota: sales}")
		case (into.On == KeyTenure) != (since != nil):
			r.On(node, "\"since\" goes with tenure, as in {on: tenure, since: participant.hired_on}")
		case since != nil:
			r.since(&into.Attribute)(since)
		}
	}
}

// edges reads rising edges; what one edge belongs to is read by the caller's fields.
type edges struct {
	r    *reader
	all  []Edge
	open bool // the last item had no edge
}

func (e *edges) item(node *yaml.Node, what string, more fields) {
	var edge *Edge
	read := func(below bool) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if edge != nil {
				e.r.On(n, "%s has one edge, either up_to or below", what)
			}
			edge = &Edge{Below: below}
			e.r.Number(&edge.At)(n)
		}
	}
	more["up_to"] = document.Optional(read(false))
	more["below"] = document.Optional(read(true))
	e.r.Mapping(node, what, more)
	switch {
	case e.open:
		e.r.On(node, "nothing reaches this, as what stands before it has no edge (up_to or below)")
	case edge == nil:
		e.open = true
	case len(e.all) > 0 && edge.At.LessThanOrEqual(e.all[len(e.all)-1].At):
		e.r.On(node, "the edges rise: %s is not above the one before it", edge.At)
	default:
		e.all = append(e.all, *edge)
	}
}

// done demands that the last item had no edge.
func (e *edges) done(node *yaml.Node) []Edge {
	if !e.open && len(e.all) > 0 {
		e.r.On(node, "the last has no edge: it says what holds above %s, if only 0", e.all[len(e.all)-1].At)
	}
	return e.all
}

func (r *reader) rateBy(node *yaml.Node) *Grid {
	by := &Grid{}
	var tiers, across *yaml.Node
	if !r.Mapping(node, "rate_by", fields{
		"key":    document.Needed(r.key(&by.Key)),
		"across": document.Optional(func(n *yaml.Node) { across = n }),
		"tiers":  document.Needed(func(n *yaml.Node) { tiers = n }),
	}) || tiers == nil {
		return by
	}
	columns := r.across(across, by)
	steps := edges{r: r}
	r.Each(tiers, "\"tiers\"", func(item *yaml.Node) {
		row := row{r: r}
		steps.item(item, "a tier", fields{"rate": document.Optional(row.add), "rates": document.Optional(func(n *yaml.Node) { r.Each(n, "\"rates\"", row.add) })})
		if len(row.values) != columns {
			r.On(item, "this tier says %d rates, and there are %d columns", len(row.values), columns)
		}
		by.Values = append(by.Values, row.values)
	})
	by.Edges = steps.done(tiers)
	return by
}

// row reads the values of one row of a grid.
type row struct {
	r      *reader
	values []Value
}

func (w *row) add(n *yaml.Node) {
	var v *Value
	w.r.value(&v)(n)
	if v != nil {
		w.values = append(w.values, *v)
	}
}

// across reads the second figure of a grid, if there is one, and returns how many columns there are.
func (r *reader) across(node *yaml.Node, g *Grid) int {
	if node == nil {
		return 1
	}
	g.Across = &Key{}
	steps := edges{r: r}
	r.Mapping(node, "across", fields{
		"key": document.Needed(r.key(g.Across)),
		"columns": document.Needed(func(n *yaml.Node) {
			r.Each(n, "\"columns\"", func(item *yaml.Node) { steps.item(item, "a column", fields{}) })
			g.Columns = steps.done(n)
		}),
	})
	return len(g.Columns) + 1
}

func (r *reader) points(into *[]Point) func(*yaml.Node) {
	return func(node *yaml.Node) {
		r.Each(node, "\"points\"", func(item *yaml.Node) {
			var p Point
			r.Mapping(item, "a point", fields{"at": document.Needed(r.Number(&p.At)), "pays": document.Needed(r.Number(&p.Pays))})
			if n := len(*into); n > 0 && p.At.LessThanOrEqual((*into)[n-1].At) {
				r.On(item, "the points rise: %s is not above the one before it", p.At)
			}
			*into = append(*into, p)
		})
		if len(*into) == 1 {
			r.On(node, "a curve has at least two points")
		}
	}
}

func (r *reader) beyond(into *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var word string
		document.Choice(&r.Reader, &word, "flat", "extend")(n)
		*into = word == "extend"
	}
}

func (r *reader) curve(node *yaml.Node) *Curve {
	c := &Curve{}
	known := r.target(&c.Target)
	known["of"] = document.Optional(r.value(&c.Of))
	known["points"] = document.Needed(r.points(&c.Points))
	known["beyond"] = document.Optional(r.beyond(&c.Extend))
	if r.Mapping(node, "a curve", known) {
		r.checkTarget(node, c.Target)
	}
	return c
}

func (r *reader) scorecard(node *yaml.Node) *Scorecard {
	s := &Scorecard{}
	var of *Value
	var measures *yaml.Node
	if !r.Mapping(node, "a scorecard", fields{
		"of":       document.Needed(r.value(&of)),
		"measures": document.Needed(func(n *yaml.Node) { measures = n }),
		"points":   document.Needed(r.points(&s.Points)),
		"beyond":   document.Optional(r.beyond(&s.Extend)),
	}) || measures == nil {
		return s
	}
	if of != nil {
		s.Of = *of
	}
	sum := decimal.Zero
	r.Each(measures, "\"measures\"", func(item *yaml.Node) {
		m := Scored{Target: Target{On: Attainment, WithoutQuota: Refuse}}
		r.Mapping(item, "a measure of a scorecard", fields{
			"name":          document.Needed(r.Text(&m.Name)),
			"weight":        document.Needed(r.Number(&m.Weight)),
			"measure":       document.Needed(func(n *yaml.Node) { r.measure(n, &m.Measure) }),
			"quota":         document.Optional(r.Text(&m.Quota)),
			"without_quota": document.Optional(document.Choice(&r.Reader, &m.WithoutQuota, Refuse, Nothing)),
		})
		switch achieved := m.Measure.Aggregate == Achieved; {
		case achieved && m.Quota != "":
			r.On(item, "objectives are scored and held against no quota: leave \"quota\" out")
		case achieved:
			m.On = Amount
		case m.Quota == "":
			r.On(item, "a measure of a scorecard lacks \"quota\"")
		}
		sum = sum.Add(m.Weight)
		s.Measures = append(s.Measures, m)
	})
	if !sum.Equal(decimal.NewFromInt(1)) {
		r.On(measures, "the weights add up to %s, and should to 1 (100%%)", sum)
	}
	return s
}

func (r *reader) multipliers(node *yaml.Node) *Multipliers {
	m := &Multipliers{}
	r.Mapping(node, "multipliers", fields{
		"combine": document.Needed(func(n *yaml.Node) {
			var word string
			document.Choice(&r.Reader, &word, "multiply", "add")(n)
			m.Add = word == "add"
		}),
		"factors": document.Needed(func(n *yaml.Node) {
			r.Each(n, "\"factors\"", func(item *yaml.Node) { m.Factors = append(m.Factors, r.factor(item)) })
		}),
	})
	return m
}

func (r *reader) factor(node *yaml.Node) Factor {
	var f Factor
	var key, across, steps *yaml.Node
	r.Mapping(node, "a factor", fields{
		"name":   document.Needed(r.Text(&f.Name)),
		"factor": document.Optional(r.value(&f.Value)),
		"key":    document.Optional(func(n *yaml.Node) { key = n }),
		"across": document.Optional(func(n *yaml.Node) { across = n }),
		"steps":  document.Optional(func(n *yaml.Node) { steps = n }),
	})
	if f.Value != nil && (key != nil || across != nil || steps != nil) || f.Value == nil && (key == nil || steps == nil) {
		r.On(node, "a factor is either a value, {name: …, factor: 1.1}, or picked by a key from steps")
		return f
	}
	if key == nil {
		return f
	}
	r.key(&f.Key)(key)
	columns := r.across(across, &f.Grid)
	rising := edges{r: r}
	r.Each(steps, "\"steps\"", func(item *yaml.Node) {
		row := row{r: r}
		rising.item(item, "a step", fields{"factor": document.Optional(row.add), "factors": document.Optional(func(n *yaml.Node) { r.Each(n, "\"factors\"", row.add) })})
		if len(row.values) != columns {
			r.On(item, "this step says %d factors, and there are %d columns", len(row.values), columns)
		}
		f.Values = append(f.Values, row.values)
	})
	f.Edges = rising.done(steps)
	return f
}
