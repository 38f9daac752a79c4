package answers

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/payments"
)

// Template says how a bank writes its lists. It is made by Parse.
type Template struct {
	separator rune
	layout    string // of dates, for package time

	// The headings of columns; "" where there is none.
	reference, status, reason, amount, currency, on string

	states map[string]payments.State // what the bank's words mean, in small letters
	bad    map[string]bool           // words of a reason or status after which the account is not good, in small letters
}

// Parse reads and checks a template. Its error is a document.Problems.
func Parse(text []byte) (Template, error) {
	var r document.Reader
	t := Template{layout: "2006-01-02", states: map[string]payments.State{}, bad: map[string]bool{}}
	root, ok := r.Root(text, "a template")
	if !ok {
		return t, r.Err()
	}
	separator := ","
	words := func(state payments.State) func(*yaml.Node) {
		return func(n *yaml.Node) {
			r.Each(n, "the words of a status", func(item *yaml.Node) {
				word := strings.ToLower(strings.TrimSpace(item.Value))
				if _, twice := t.states[word]; twice || word == "" || item.Kind != yaml.ScalarNode {
					r.On(item, "write a word of the bank's, each once")
					return
				}
				t.states[word] = state
			})
		}
	}
	r.Mapping(root, "a template", map[string]document.Field{
		"separator": document.Optional(document.Choice(&r, &separator, ",", ";", "|", "\t")),
		"dates":     document.Optional(mapping.Dates(&r, &t.layout)),
		"reference": document.Needed(r.Text(&t.reference)),
		"status":    document.Needed(r.Text(&t.status)),
		"reason":    document.Optional(r.Text(&t.reason)),
		"amount":    document.Optional(r.Text(&t.amount)),
		"currency":  document.Optional(r.Text(&t.currency)),
		"on":        document.Optional(r.Text(&t.on)),
		"paid":      document.Needed(words(payments.Paid)),
		"refused":   document.Needed(words(payments.Refused)),
		"returned":  document.Optional(words(payments.Returned)),
		"pending":   document.Optional(words("")),
		"account": document.Optional(func(n *yaml.Node) {
			r.Each(n, "the words of a reason", func(item *yaml.Node) {
				if item.Kind != yaml.ScalarNode || strings.TrimSpace(item.Value) == "" {
					r.On(item, "write a word of the bank's")
					return
				}
				t.bad[strings.ToLower(strings.TrimSpace(item.Value))] = true
			})
		}),
	})
	t.separator = []rune(separator)[0]
	seen := map[string]bool{}
	for _, column := range t.columns() {
		if seen[column] {
			r.On(root, "the column %q is named twice", column)
		}
		seen[column] = true
	}
	return t, r.Err()
}

// words are those that a status may be.
func (t Template) words() []string { return slices.Sorted(maps.Keys(t.states)) }
