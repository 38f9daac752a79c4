package form

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Operators are those that a condition of a form may have.
var Operators = []string{"==", "!=", "<", "<=", ">", ">=", "contains", "startsWith", "endsWith"}

// Conditions are a filter as conditions that all hold.
type Conditions struct {
	All []Comparison
	Raw bool // the filter says more than that, and is filled in as it is written
}

// Blank are the conditions, with one more to fill in.
func (c Conditions) Blank() []Comparison { return append(slices.Clone(c.All), Comparison{}) }

// Operators are those that a condition may have.
func (c Conditions) Operators() []string { return Operators }

// Comparison compares an attribute with a value.
type Comparison struct{ Attribute, Operator, Value string }

var (
	comparison = regexp.MustCompile(`^\s*((?:transaction|participant|credit)\.[a-z][a-z0-9_]*)\s*(==|!=|<=|>=|<|>|contains\b|startsWith\b|endsWith\b)\s*("(?:[^"\\]|\\.)*"|[+-]?[0-9][0-9.]*)\s*`)
	conjoined  = regexp.MustCompile(`^and\s`)
)

// conditions takes a filter apart.
func conditions(text string, s Shape) Conditions {
	var all []Comparison
	for rest := text; ; {
		found := comparison.FindStringSubmatch(rest)
		if found == nil || !slices.Contains(s.Words, found[1]) {
			return Conditions{Raw: true}
		}
		value, err := strconv.Unquote(found[3])
		switch isText := err == nil; {
		case isText == slices.Contains(s.Numeric, found[1]):
			return Conditions{Raw: true}
		case !isText:
			value = found[3]
		}
		all = append(all, Comparison{found[1], found[2], value})
		rest = rest[len(found[0]):]
		if rest == "" {
			return Conditions{All: all}
		}
		and := conjoined.FindString(rest)
		if and == "" {
			return Conditions{Raw: true}
		}
		rest = rest[len(and):]
	}
}

// filter writes conditions as a filter.
func filter(all []Comparison, s Shape) string {
	var parts []string
	for _, c := range all {
		value := strconv.Quote(c.Value)
		if slices.Contains(s.Numeric, c.Attribute) {
			value = c.Value
		}
		parts = append(parts, c.Attribute+" "+c.Operator+" "+value)
	}
	return strings.Join(parts, " and ")
}
