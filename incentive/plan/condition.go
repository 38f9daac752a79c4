package plan

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// Condition says a filter, as a plan or an explanation has it, in plain words of a language:
// comparisons of attributes, joined by and and or. Whatever is more than that stays as it is
// written. Numbers are as they are written too; language.Words parts their digits.
func Condition(l language.Language, filter string) string {
	tree, err := parser.Parse(filter)
	if err != nil {
		return filter
	}
	c := condition{l, []rune(filter)}
	if said, simple := c.say(tree.Node); simple {
		return said
	}
	return filter
}

// describe says the filter where numbers are written as people write them.
func (f *Filter) describe(l language.Language) string { return l.Words(Condition(l, f.Text)) }

type condition struct {
	language.Language
	source []rune
}

// relation is how two things compare: in general, and how days do. Texts that are no days are
// the same or not, as people do not compare them otherwise.
type relation struct{ number, day string }

var relations = map[string]relation{
	"==": {"is", "is"},
	"!=": {"is not", "is not"},
	">=": {"is at least", "is on or after"},
	"<=": {"is at most", "is on or before"},
	">":  {"is above", "is after"},
	"<":  {"is below", "is before"},
}

// say says a node, and reports whether it is simple enough for that.
func (c condition) say(node ast.Node) (string, bool) {
	if not, isUnary := node.(*ast.UnaryNode); isUnary && (not.Operator == "not" || not.Operator == "!") {
		return c.list(not.Node, "is none of")
	}
	n, isBinary := node.(*ast.BinaryNode)
	if !isBinary {
		return "", false
	}
	switch joint := conjunction(n); {
	case joint != "":
		left, simple := c.within(joint, n.Left)
		right, simpleToo := c.within(joint, n.Right)
		return left + c.Word(joint) + right, simple && simpleToo
	case n.Operator == "in":
		return c.list(n, "is one of")
	}
	return c.compare(n)
}

// conjunction returns what joins the two sides of a node; nothing where it does not join conditions.
func conjunction(n *ast.BinaryNode) string {
	switch n.Operator {
	case "and", "&&":
		return " and "
	case "or", "||":
		return " or "
	}
	return ""
}

// within says one side of a conjunction, in parentheses where it is one of the other kind.
func (c condition) within(joint string, side ast.Node) (string, bool) {
	said, simple := c.say(side)
	if n, isBinary := side.(*ast.BinaryNode); isBinary {
		if inner := conjunction(n); inner != "" && inner != joint {
			said = "(" + said + ")"
		}
	}
	return said, simple
}

func (c condition) compare(n *ast.BinaryNode) (string, bool) {
	how, known := relations[n.Operator]
	of, isAttribute := memberOf(n.Left)
	if !known || !isAttribute {
		return "", false
	}
	word := how.number
	value, simple := c.value(n.Right)
	if text, isText := n.Right.(*ast.StringNode); isText && n.Operator != "==" && n.Operator != "!=" {
		if _, err := incentive.ParseDate(text.Value); err != nil {
			return "", false
		}
		word = how.day
	}
	return c.name(of) + " " + c.Word(word) + " " + value, simple
}

// list says that something is, or is not, among items.
func (c condition) list(node ast.Node, word string) (string, bool) {
	n, isBinary := node.(*ast.BinaryNode)
	if !isBinary || n.Operator != "in" {
		return "", false
	}
	of, isAttribute := memberOf(n.Left)
	items, isList := n.Right.(*ast.ArrayNode)
	if !isAttribute || !isList || len(items.Nodes) == 0 {
		return "", false
	}
	var values []string
	for _, item := range items.Nodes {
		value, simple := c.value(item)
		if !simple {
			return "", false
		}
		values = append(values, value)
	}
	return c.name(of) + " " + c.Word(word) + " " + strings.Join(values, ", "), true
}

func memberOf(node ast.Node) (member, bool) {
	n, isMember := node.(*ast.MemberNode)
	if !isMember {
		return member{}, false
	}
	of, isName := n.Node.(*ast.IdentifierNode)
	property, isText := n.Property.(*ast.StringNode)
	if !isName || !isText {
		return member{}, false
	}
	return member{of.Value, property.Value}, true
}

// name says an attribute: one of the transaction by its name alone, as most are.
func (c condition) name(m member) string {
	name := Spoken(m.name)
	switch m.of {
	case "participant":
		return c.Sprintf("the participant's %s", name)
	case "credit":
		return c.Sprintf("the credit's %s", name)
	}
	return name
}

// Spoken is the name of an attribute as people say it.
func Spoken(attribute string) string { return strings.ReplaceAll(attribute, "_", " ") }

// value says what an attribute is compared with.
func (c condition) value(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		if day, err := incentive.ParseDate(n.Value); err == nil {
			return c.Date(day), true
		}
		return strconv.Quote(n.Value), true
	case *ast.IntegerNode, *ast.FloatNode:
		// The parser has made a float of it.
		digits := numberText.FindString(string(c.source[node.Location().From:]))
		number, err := incentive.ParseDecimal(strings.ReplaceAll(digits, "_", ""))
		return number.String(), err == nil
	case *ast.UnaryNode:
		number, simple := c.value(n.Node)
		return "-" + number, simple && n.Operator == "-"
	case *ast.MemberNode:
		of, isAttribute := memberOf(n)
		return c.name(of), isAttribute
	}
	return "", false
}
