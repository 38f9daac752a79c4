package plan

import (
	"maps"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// Example is a case that a plan carries with it: what one participant sells in one month,
// and what each component pays for it.
type Example struct {
	Name        string
	Participant map[string]string // attributes
	Quotas      map[string]Goal
	Reliefs     []ExampleRelief
	Groups      []ExampleGroup
	Objectives  []Scores
	Rates       map[string]decimal.Decimal // what one unit of a currency is worth in the plan's
	Deals       []Deal
	Earlier     map[string]decimal.Decimal // by line, what December posted
	Pays        map[string]decimal.Decimal // by line; what is not named pays nothing
	Line        int                        // where it stands in the document
}

// ExampleRelief takes a part of one of the participant's quotas off. One of Amount and
// Share is there.
type ExampleRelief struct {
	Quota         string
	Amount, Share *decimal.Decimal
	From, To      incentive.Date // days of January
	Cause         incentive.ReliefCause
}

// ExampleGroup is a territory or team of an example.
type ExampleGroup struct {
	incentive.GroupKey
	Parent  string
	Covers  map[string]string
	Members []ExampleMember
	Quotas  map[string]decimal.Decimal // of January
}

// ExampleMember is somebody in it.
type ExampleMember struct {
	By    string // a name of somebody else on the plan; "" the participant
	Role  string
	Share decimal.Decimal
}

// Scores is an objective of an example.
type Scores struct {
	Name   string
	Weight decimal.Decimal
	Score  *decimal.Decimal // nil: it has none yet
}

// Goal is a quota of an example.
type Goal struct {
	Amount decimal.Decimal
	Months int // that it goes over from January 2026 on
}

// Deal is a transaction of an example.
type Deal struct {
	Amount     decimal.Decimal
	Currency   incentive.Currency // "" for the plan's
	Share      decimal.Decimal    // 1 where the example says nothing
	On         incentive.Date     // zero: the first day
	Level      int                // whose it is: 0 the participant's, 1 a direct report's, and so on
	Uncredited bool               // only the plan's rules say whose it is
	RefundOf   int                // the number of the deal that it gives back; 0: none
	By         string             // a name of somebody else on the plan; "" for those of Level
	Attributes map[string]string
}

// named reads a mapping from any of these names to what read makes of a value.
func (r *reader) named(what string, names []string, read func(name string, value *yaml.Node)) func(*yaml.Node) {
	return func(node *yaml.Node) {
		known := fields{}
		for _, name := range names {
			known[name] = document.Optional(func(value *yaml.Node) { read(name, value) })
		}
		r.Mapping(node, what, known)
	}
}

func (r *reader) example(node *yaml.Node, p *Plan) Example {
	e := Example{
		Participant: map[string]string{},
		Quotas:      map[string]Goal{},
		Rates:       map[string]decimal.Decimal{},
		Earlier:     map[string]decimal.Decimal{},
		Pays:        map[string]decimal.Decimal{},
		Line:        node.Line,
	}
	covered := coveredAttributes(node)
	lines := p.OtherLines()
	for _, c := range p.Components {
		lines = append(lines, c.Name)
	}
	plain := func(into map[string]string) func(string, *yaml.Node) {
		return func(name string, value *yaml.Node) {
			var text string
			r.Text(&text)(value)
			into[name] = text
		}
	}
	number := func(into map[string]decimal.Decimal) func(string, *yaml.Node) {
		return func(name string, value *yaml.Node) {
			var d decimal.Decimal
			r.Number(&d)(value)
			into[name] = d
		}
	}
	r.Mapping(node, "an example", fields{
		"name":        document.Needed(r.Text(&e.Name)),
		"participant": document.Optional(r.named("the participant", slices.Sorted(maps.Keys(r.reads.Participant)), plain(e.Participant))),
		"quotas": document.Optional(r.named("the quotas", p.quotas(), func(name string, value *yaml.Node) {
			e.Quotas[name] = r.goal(value)
		})),
		"reliefs": document.Optional(func(n *yaml.Node) {
			r.Each(n, "\"reliefs\"", func(item *yaml.Node) { e.Reliefs = append(e.Reliefs, r.exampleRelief(item, p)) })
		}),
		"territories": document.Optional(r.exampleGroups(incentive.KindTerritory, &e, p)),
		"teams":       document.Optional(r.exampleGroups(incentive.KindTeam, &e, p)),
		"rates":       document.Optional(r.rateExamples(e.Rates)),
		"objectives": document.Optional(func(n *yaml.Node) {
			r.Each(n, "\"objectives\"", func(item *yaml.Node) {
				var o Scores
				r.Mapping(item, "an objective", fields{
					"name":   document.Needed(r.Text(&o.Name)),
					"weight": document.Needed(r.Number(&o.Weight)),
					"score": document.Optional(func(n *yaml.Node) {
						o.Score = &decimal.Decimal{}
						r.Number(o.Score)(n)
					}),
				})
				if slices.ContainsFunc(e.Objectives, func(other Scores) bool { return other.Name == o.Name }) {
					r.On(item, "two objectives have the name %q", o.Name)
				}
				e.Objectives = append(e.Objectives, o)
			})
		}),
		"deals": document.Optional(func(n *yaml.Node) {
			r.Each(n, "\"deals\"", func(item *yaml.Node) {
				d := Deal{Share: decimal.NewFromInt(1), Attributes: map[string]string{}}
				known := fields{
					"amount":     document.Needed(r.Number(&d.Amount)),
					"currency":   document.Optional(r.currency(&d.Currency)),
					"share":      document.Optional(r.Number(&d.Share)),
					"level":      document.Optional(r.level(&d.Level, 0)),
					"by":         document.Optional(r.Text(&d.By)),
					"uncredited": document.Optional(r.Yes(&d.Uncredited)),
					"refund_of": document.Optional(func(n *yaml.Node) {
						number, err := strconv.Atoi(n.Value)
						if err != nil || number < 1 || number > len(e.Deals) {
							r.On(n, "%q is not the number of a deal before this one: write 1 for the first", n.Value)
							return
						}
						d.RefundOf = number
					}),
					"on": document.Optional(r.january(&d.On)),
				}
				for name := range merged(r.reads.Transaction, covered) {
					known[name] = document.Optional(func(value *yaml.Node) { plain(d.Attributes)(name, value) })
				}
				r.Mapping(item, "a deal", known)
				if d.By != "" && d.Level != 0 {
					r.On(item, "a deal is either of somebody else on the plan (by) or of people below (level)")
				}
				e.Deals = append(e.Deals, d)
			})
		}),
		"earlier": document.Optional(r.named("\"earlier\"", lines, number(e.Earlier))),
		"pays":    document.Needed(r.named("\"pays\"", lines, number(e.Pays))),
	})
	return e
}

// january reads a day of the month that examples play in.
func (r *reader) january(into *incentive.Date) func(*yaml.Node) {
	return func(n *yaml.Node) {
		day, err := incentive.ParseDate(n.Value)
		if err != nil || day.Year != 2026 || day.Month != 1 {
			r.On(n, "examples play in January 2026: write a day of it, such as 2026-01-15")
		}
		*into = day
	}
}

// exampleRelief reads a relief of an example, of all of January where it says no days.
func (r *reader) exampleRelief(node *yaml.Node, p *Plan) ExampleRelief {
	relief := ExampleRelief{From: incentive.Date{Year: 2026, Month: 1, Day: 1}, To: incentive.Date{Year: 2026, Month: 1, Day: 31}, Cause: incentive.ReliefOther}
	number := func(into **decimal.Decimal) func(*yaml.Node) {
		return func(n *yaml.Node) {
			*into = &decimal.Decimal{}
			if r.Number(*into)(n); (*into).IsNegative() {
				r.On(n, "nobody is relieved of less than nothing: write a number above zero")
			}
		}
	}
	r.Mapping(node, "a relief", fields{
		"quota":  document.Needed(document.Choice(&r.Reader, &relief.Quota, p.quotas()...)),
		"amount": document.Optional(number(&relief.Amount)),
		"share":  document.Optional(number(&relief.Share)),
		"from":   document.Optional(r.january(&relief.From)),
		"to":     document.Optional(r.january(&relief.To)),
		"cause":  document.Optional(document.Choice(&r.Reader, &relief.Cause, incentive.ReliefCauses...)),
	})
	switch {
	case (relief.Amount == nil) == (relief.Share == nil):
		r.On(node, "a relief is of an amount or of a share of the quota: write one of the two")
	case relief.Share != nil && relief.Share.GreaterThan(decimal.NewFromInt(1)):
		r.On(node, "a relief is of at most all of a quota: write a share up to 100%%")
	case relief.To.Before(relief.From):
		r.On(node, "the last day of the relief comes before its first")
	}
	return relief
}

// exampleGroups reads the territories or teams of an example.
func (r *reader) exampleGroups(kind incentive.GroupKind, e *Example, p *Plan) func(*yaml.Node) {
	return func(node *yaml.Node) {
		known := fields{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			id := node.Content[i].Value
			known[id] = document.Optional(func(n *yaml.Node) {
				g := ExampleGroup{GroupKey: incentive.GroupKey{Kind: kind, ID: id}, Covers: map[string]string{}, Quotas: map[string]decimal.Decimal{}}
				r.Mapping(n, "a "+string(kind), fields{
					"parent": document.Optional(r.Text(&g.Parent)),
					"covers": document.Optional(func(n *yaml.Node) {
						known := fields{}
						for i := 0; i+1 < len(n.Content); i += 2 {
							name := n.Content[i].Value
							known[name] = document.Optional(func(value *yaml.Node) {
								var text string
								r.Text(&text)(value)
								g.Covers[name] = text
							})
						}
						r.Mapping(n, "\"covers\"", known)
					}),
					"members": document.Optional(func(n *yaml.Node) {
						r.Each(n, "\"members\"", func(item *yaml.Node) {
							m := ExampleMember{Share: decimal.NewFromInt(1)}
							r.Mapping(item, "a member", fields{
								"by":    document.Optional(r.Text(&m.By)),
								"role":  document.Optional(r.Text(&m.Role)),
								"share": document.Optional(r.Number(&m.Share)),
							})
							g.Members = append(g.Members, m)
						})
					}),
					"quotas": document.Optional(r.named("the quotas", p.quotas(), func(name string, value *yaml.Node) {
						var amount decimal.Decimal
						r.Number(&amount)(value)
						g.Quotas[name] = amount
					})),
				})
				e.Groups = append(e.Groups, g)
			})
		}
		r.Mapping(node, "the groups", known)
	}
}

// coveredAttributes lists the attributes of transactions by which the groups of an example cover them.
func coveredAttributes(node *yaml.Node) map[string]Type {
	all := map[string]Type{}
	value := func(n *yaml.Node, key string) *yaml.Node {
		for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
		return nil
	}
	for _, kind := range []string{"territories", "teams"} {
		groups := value(node, kind)
		for i := 0; groups != nil && groups.Kind == yaml.MappingNode && i+1 < len(groups.Content); i += 2 {
			covers := value(groups.Content[i+1], "covers")
			for j := 0; covers != nil && covers.Kind == yaml.MappingNode && j+1 < len(covers.Content); j += 2 {
				if _, builtin := builtinTransaction[covers.Content[j].Value]; !builtin {
					all[covers.Content[j].Value] = Text
				}
			}
		}
	}
	return all
}

// rateExamples reads what currencies are worth.
func (r *reader) rateExamples(into map[string]decimal.Decimal) func(*yaml.Node) {
	return func(node *yaml.Node) {
		known := fields{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			var code incentive.Currency
			if r.currency(&code)(node.Content[i]); code == "" {
				return
			}
			known[string(code)] = document.Optional(func(n *yaml.Node) {
				var rate decimal.Decimal
				r.positive(&rate)(n)
				into[string(code)] = rate
			})
		}
		r.Mapping(node, "\"rates\"", known)
	}
}

// goal reads a quota of January, or of a longer time that begins with it.
func (r *reader) goal(node *yaml.Node) Goal {
	g := Goal{Months: 1}
	if node.Kind == yaml.ScalarNode {
		r.Number(&g.Amount)(node)
		return g
	}
	over := Year
	r.Mapping(node, "a quota", fields{
		"amount": document.Needed(r.Number(&g.Amount)),
		"over":   document.Needed(document.Choice(&r.Reader, &over, Quarter, Half, Year)),
	})
	g.Months = over.months()
	return g
}

// quotas lists the quotas that the plan names, sorted.
func (p *Plan) quotas() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, c := range p.Components {
		if c.Ranking != nil {
			add(c.Ranking.Quota)
		}
		if c.RateTable != nil {
			add(c.RateTable.Quota)
		}
		if c.Curve != nil {
			add(c.Curve.Quota)
		}
		if c.Gate != nil {
			add(c.Gate.Quota)
		}
		for _, k := range c.keys() {
			add(k.Quota)
		}
		if c.Scorecard != nil {
			for _, m := range c.Scorecard.Measures {
				add(m.Quota)
			}
		}
	}
	slices.Sort(names)
	return names
}
