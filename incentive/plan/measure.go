package plan

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

func (r *reader) measure(node *yaml.Node, into *Measure) {
	ways := 0
	way := func(aggregate Aggregate, read func(*yaml.Node)) document.Field {
		return document.Optional(func(n *yaml.Node) {
			ways++
			into.Aggregate = aggregate
			read(n)
		})
	}
	var to *yaml.Node
	into.Aggregate = Sum
	readable := r.Mapping(node, "a measure", fields{
		"sum": way(Sum, func(n *yaml.Node) {
			if n.Value != "credits" {
				r.attribute(&into.Attribute, Number, nil)(n)
			}
		}),
		"count":    way(Count, func(n *yaml.Node) { r.credits(n) }),
		"distinct": way(Distinct, r.attribute(&into.Attribute, Text, builtinTransaction)),
		"ratio": way(Quotient, func(n *yaml.Node) {
			into.Of = &Measure{}
			r.measure(n, into.Of)
		}),
		"objectives": way(Achieved, func(n *yaml.Node) {
			if n.Kind != yaml.ScalarNode || n.Value != "all" {
				r.On(n, "%q is not known here: write all, for every objective by its weight, or \"objective: NAME\" for the score of one", n.Value)
			}
		}),
		"objective": way(Achieved, r.Text(&into.Objective)),
		"to":        document.Optional(func(n *yaml.Node) { to = n }),
		"where":     document.Optional(r.filter(&into.Where)),
	})
	switch {
	case !readable:
	case ways != 1:
		r.On(node, "a measure says either \"sum: credits\" or \"count: credits\", or sum or distinct of an attribute of the transaction, or \"ratio: {…}, to: {…}\", or \"objectives: all\"")
	case into.Aggregate == Achieved && into.Where != nil:
		r.On(node, "objectives are of no transaction, so that \"where\" has nothing to ask about: leave it out")
	case (into.Aggregate == Quotient) != (to != nil):
		r.On(node, "a ratio says what it is of and to, as in {ratio: {sum: transaction.margin}, to: {sum: credits}}")
	case into.Aggregate == Quotient:
		into.To = &Measure{}
		r.measure(to, into.To)
		if into.Where != nil || !into.Of.OfCredits() || !into.To.OfCredits() {
			r.On(node, "the two measures of a ratio have filters of their own, are of credits, and are no ratios themselves")
		}
	}
}

func (r *reader) credits(node *yaml.Node) {
	if node.Kind != yaml.ScalarNode || node.Value != "credits" {
		r.On(node, "%q is not known here: write credits", node.Value)
	}
}

// attribute reads the name of an attribute of the transaction that holds a kind of value.
func (r *reader) attribute(into *string, of Type, builtin map[string]Type) func(*yaml.Node) {
	return func(node *yaml.Node) {
		name, found := strings.CutPrefix(node.Value, "transaction.")
		if node.Kind != yaml.ScalarNode || !found || r.reads.Transaction[name] != of && builtin[name] != of {
			r.On(node, "name an attribute of the transaction, such as transaction.%s, and declare it under \"reads\" as a %s", map[Type]string{Number: "margin", Text: "customer"}[of], of)
			return
		}
		*into = name
	}
}

// Value returns the attribute of a transaction that a measure counts the values of.
func (m Measure) Value(t *incentive.Transaction) string {
	return TransactionText(t, m.Attribute)
}

func (m Measure) describe(l language.Language) string {
	var text string
	switch {
	case m.Aggregate == Quotient:
		return l.Sprintf("the ratio of %s to %s", m.Of.describe(l), m.To.describe(l))
	case m.Aggregate == Achieved && m.Objective != "":
		return l.Sprintf("the score of the objective %s", m.Objective)
	case m.Aggregate == Achieved:
		return l.Word("the scores of the participant's objectives, each times its weight")
	case m.Aggregate == Distinct:
		text = l.Sprintf("the number of different values of %s among the credits", Spoken(m.Attribute))
	case m.Aggregate == Count:
		text = l.Word("the number of credits")
	case m.Attribute != "":
		text = l.Sprintf("the credited share of %s", Spoken(m.Attribute))
	default:
		text = l.Word("what is credited")
	}
	if m.Where != nil {
		text += l.Sprintf(" where %s", m.Where.describe(l))
	}
	return text
}
