package accounting

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/mapping"
)

// Template chooses the rows and columns of a kind of file.
type Template struct {
	Name         string
	Of           Kind
	Each         Each                        // "" where there is no choice
	Participants []incentive.ParticipantKind // those who are in the file; nil is everybody
	Columns      []Column
}

// Column is a column of a file: a field, or a text that is the same in every row.
type Column struct {
	Heading string
	Field   string
	Text    string
	Values  map[string]string // what to write for each value of the field; nil is the value itself
	layout  string            // of a date, for package time
	isText  bool              // not a number, date or amount
}

// attribute begins the name of a field that is an attribute of a participant.
const attribute = "attribute."

// What bounds a template.
const (
	longestName = 60
	mostColumns = 100
)

var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

type fields = map[string]document.Field

type reader struct{ document.Reader }

// Parse reads and checks a template. Its error is a document.Problems.
func Parse(text []byte) (Template, error) {
	r := &reader{}
	t := Template{}
	root, ok := r.Root(text, "a template")
	if !ok {
		return t, r.Err()
	}
	var each, participants, columns *yaml.Node
	kept := func(into **yaml.Node) func(*yaml.Node) { return func(n *yaml.Node) { *into = n } }
	r.Mapping(root, "a template", fields{
		"template":     document.Needed(r.name(&t.Name)),
		"of":           document.Needed(document.Choice(&r.Reader, &t.Of, Kinds...)),
		"each":         document.Optional(kept(&each)),
		"participants": document.Optional(kept(&participants)),
		"columns":      document.Needed(kept(&columns)),
	})
	choice, known := choices[t.Of]
	if !known {
		return t, r.Err()
	}
	switch {
	case len(choice.each) == 0 && each != nil:
		r.On(each, "a %s file has rows of one kind only: leave \"each\" out", t.Of)
	case len(choice.each) > 0 && each == nil:
		r.On(root, "say what a row is for: each: %s", document.Listed(choice.each))
	case each != nil:
		document.Choice(&r.Reader, &t.Each, choice.each...)(each)
	}
	if participants != nil && !choice.personal {
		r.On(participants, "the rows of a %s file are not about participants: leave \"participants\" out", t.Of)
	} else if participants != nil {
		r.Each(participants, "\"participants\"", func(item *yaml.Node) {
			var kind incentive.ParticipantKind
			document.Choice(&r.Reader, &kind, incentive.Employee, incentive.Contractor, incentive.Company)(item)
			t.Participants = append(t.Participants, kind)
		})
	}
	if columns != nil {
		r.Each(columns, "\"columns\"", func(item *yaml.Node) { t.Columns = append(t.Columns, r.column(item, t)) })
		if len(t.Columns) > mostColumns {
			r.On(columns, "a file has at most %d columns", mostColumns)
		}
	}
	return t, r.Err()
}

func (r *reader) name(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || len(n.Value) > longestName || !nameForm.MatchString(n.Value) {
			r.On(n, "%q is not a name: write small letters and digits, with - between words", n.Value)
			return
		}
		*into = n.Value
	}
}

func (r *reader) column(n *yaml.Node, of Template) (c Column) {
	var from, values, dates *yaml.Node
	isMapping := r.Mapping(n, "a column", fields{
		"heading": document.Needed(r.Text(&c.Heading)),
		"field": document.Optional(func(n *yaml.Node) {
			from, c.Field = n, n.Value
		}),
		"text":   document.Optional(r.Text(&c.Text)),
		"values": document.Optional(func(n *yaml.Node) { values = n }),
		"dates":  document.Optional(func(n *yaml.Node) { dates = n }),
	})
	if !isMapping {
		return c
	}
	if (from != nil) == (c.Text != "") {
		r.On(n, "a column shows a field, or a text that is the same in every row")
		return c
	}
	shown := r.field(from, of)
	c.isText = shown.form == text
	if values != nil {
		c.Values = r.values(values)
		if shown.form != text || from == nil {
			r.On(values, "only a field that is a text has \"values\"")
		}
	}
	if dates != nil {
		layout, err := mapping.DateLayout(dates.Value)
		if err != nil {
			r.On(dates, "%s", err)
		}
		if c.layout = layout; shown.form != date {
			r.On(dates, "only a date has \"dates\"")
		}
	}
	return c
}

// field finds a field by its name.
func (r *reader) field(n *yaml.Node, of Template) field {
	if n == nil {
		return field{}
	}
	choice := choices[of.Of]
	if choice.personal && strings.HasPrefix(n.Value, attribute) && len(n.Value) > len(attribute) {
		return field{n.Value, text, ""}
	}
	var names []string
	for _, f := range choice.fields {
		if f.only == "" || f.only == of.Each {
			names = append(names, f.name)
			if f.name == n.Value && n.Kind == yaml.ScalarNode {
				return f
			}
		}
	}
	if choice.personal {
		names = append(names, attribute+"<name>")
	}
	r.On(n, "%q is not a field of this file: it has %s", n.Value, document.Listed(names))
	return field{}
}

// values reads what to write for each value of a field.
func (r *reader) values(n *yaml.Node) map[string]string {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		r.On(n, "\"values\" is written as keys and values: what the field says, and what to write for it")
		return nil
	}
	all := map[string]string{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if _, twice := all[key.Value]; twice {
			r.On(key, "\"values\" says %q twice", key.Value)
		}
		var written string
		r.Text(&written)(value)
		all[key.Value] = written
	}
	return all
}
