// Package form lets people who write no YAML fill documents in. It shows what a document
// says as the parts of a form, and writes what was filled in back into the document, where
// comments, and whatever the form does not know, stay.
package form

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

// Kind is how a part of a document is filled in.
type Kind string

// The kinds. The first ones are single fields.
const (
	Text      Kind = "text"      // one text or number, as the document writes it
	Yes       Kind = "yes"       // true or false
	Choice    Kind = "choice"    // one of Words
	Several   Kind = "several"   // some of Words
	List      Kind = "list"      // texts, with commas between them
	Edge      Kind = "edge"      // where a row ends: up_to or below
	Condition Kind = "condition" // a filter, as conditions that all hold
	Aggregate Kind = "aggregate" // what a measure adds up: one of Words, each a key and its value, or what parts beside it are picked by

	Group Kind = "group" // several parts
	Rows  Kind = "rows"  // a list of such groups
	Names Kind = "names" // such groups, or single values, by name
)

// Itself is the key of the one part that is the value of a name itself.
const Itself = "itself"

// Shape is what a part of a document may hold.
type Shape struct {
	Key     string
	Kind    Kind
	Words   []string // of Choice, Several, Aggregate; the attributes of Condition; what is suggested for Text
	Numeric []string // those of the attributes of a Condition that hold numbers
	Parts   []Shape  // of a Group, or of each of Rows and Names
	Short   string   // a Group that says nothing but this part may be written as its value
	Rare    bool     // shown once it was added
	Instead bool     // rare, and there is one at most of those beside it that are
	Picked  string   // by which word of an Aggregate beside it the part is there; "": it always is
	Begins  string   // what is added, in YAML
	Label   string   // what the part is called, by a key of texts; "": as Key
}

// Term is the key of what the part is called.
func (s Shape) Term() string {
	if s.Label != "" {
		return s.Label
	}
	return s.Key
}

// Single reports whether the part is one field.
func (s Shape) Single() bool { return s.Kind != Group && s.Kind != Rows && s.Kind != Names }

// each is the shape of a row, or of what stands under a name.
func (s Shape) each() Shape {
	if s.Kind == Names && s.Parts[0].Key == Itself {
		return s.Parts[0]
	}
	return Shape{Key: s.Key, Kind: Group, Parts: s.Parts}
}

// asked reports whether the part is added before it is shown.
func (s Shape) asked() bool {
	return s.Picked == "" && (s.Rare || s.Instead || !s.Single() && s.Short == "")
}

// picked are the parts that a word of an Aggregate beside them picks.
func picked(parts []Shape, word string) (all []Shape) {
	for _, s := range parts {
		if s.Picked != "" && s.Picked == word {
			all = append(all, s)
		}
	}
	return all
}

// Part is a part of a document as it stands.
type Part struct {
	Shape
	Path    string // names the field
	Name    string // of an entry of Names
	Value   string
	Chosen  []string
	Fixed   bool // it is written in a way that only the document itself shows
	Parts   []Part
	Addable []Shape  // what a group may have besides
	Unknown []string // what a group has that only the document itself shows
	From    string   // where a row begins, as the one before it ends there
	Conditions

	Problems     []string
	line, column int
}

// Table reports whether the rows are short enough to stand in a table.
func (p Part) Table() bool {
	return p.Kind == Rows && !slices.ContainsFunc(p.Shape.Parts, func(s Shape) bool { return !s.Single() || s.Kind == Condition })
}

// Columns are the parts of each row.
func (p Part) Columns() []Shape { return p.Shape.Parts }

// Options are the words of Several, and those that were chosen besides.
func (p Part) Options() []string {
	all := slices.Clone(p.Words)
	for _, one := range p.Chosen {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// Removable reports whether the part can be taken away as a whole.
func (p Part) Removable() bool { return p.asked() && p.line > 0 }

// UnknownKeys are those that only the document shows, with commas between them.
func (p Part) UnknownKeys() string { return strings.Join(p.Unknown, ", ") }

// Has reports whether a word was chosen.
func (p Part) Has(word string) bool { return slices.Contains(p.Chosen, word) }

// Read shows a document in a form. Its error says that the document is no YAML mapping.
func Read(text []byte, shape Shape) (Part, error) {
	_, root, err := parse(text)
	if err != nil {
		return Part{}, err
	}
	return read(shape, "", root), nil
}

func parse(text []byte) (top, root *yaml.Node, err error) {
	top = &yaml.Node{}
	if err := yaml.Unmarshal(text, top); err != nil {
		return nil, nil, incentive.Errorf(incentive.CodeInvalid, "what is not YAML cannot be filled in as a form: mend it first")
	}
	if len(top.Content) == 0 || top.Content[0].Kind != yaml.MappingNode {
		return nil, nil, incentive.Errorf(incentive.CodeInvalid, "what is not YAML cannot be filled in as a form: mend it first")
	}
	return top, top.Content[0], nil
}

// within is the path of a part inside another.
func within(path, key string) string {
	if path == "" {
		return key
	}
	return path + "/" + key
}

// find returns the place of a key in a mapping's content, or -1.
func find(m *yaml.Node, key string) int {
	if m == nil || m.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// spread returns a group that may be written short as a mapping.
func (s Shape) spread(n *yaml.Node) *yaml.Node {
	if n == nil {
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	}
	if s.Short != "" && n.Kind == yaml.ScalarNode {
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: s.Short, Line: n.Line, Column: n.Column}
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{key, n}, Line: n.Line, Column: n.Column}
	}
	return n
}

// read shows a node; nil where the document does not say it.
func read(s Shape, path string, n *yaml.Node) Part {
	p := Part{Shape: s, Path: path}
	if n != nil {
		p.line, p.column = n.Line, n.Column
		if n.Kind == yaml.AliasNode || n.Anchor != "" {
			p.Fixed = true
			return p
		}
	}
	switch s.Kind {
	case Group:
		p.group(s.spread(n))
	case Rows:
		p.Fixed = n != nil && n.Kind != yaml.SequenceNode
		for i := 0; n != nil && !p.Fixed && i < len(n.Content); i++ {
			row := read(s.each(), within(path, fmt.Sprint(i)), n.Content[i])
			if i > 0 {
				row.From = edge(n.Content[i-1])
			}
			p.Parts = append(p.Parts, row)
		}
	case Names:
		p.Fixed = n != nil && n.Kind != yaml.MappingNode
		for i := 0; n != nil && !p.Fixed && i+1 < len(n.Content); i += 2 {
			one := read(s.each(), within(path, fmt.Sprint(i/2)), n.Content[i+1])
			one.Name = n.Content[i].Value
			p.Parts = append(p.Parts, one)
		}
	case List, Several:
		p.Fixed = n != nil && n.Kind != yaml.SequenceNode
		for i := 0; n != nil && !p.Fixed && i < len(n.Content); i++ {
			p.Chosen = append(p.Chosen, n.Content[i].Value)
		}
		p.Value = strings.Join(p.Chosen, ", ")
	default:
		if n == nil {
			break
		}
		p.Fixed, p.Value = n.Kind != yaml.ScalarNode, n.Value
		if s.Kind == Condition && !p.Fixed {
			p.Conditions = conditions(n.Value, s)
		}
	}
	return p
}

// group reads the parts of a mapping.
func (p *Part) group(m *yaml.Node) {
	if m.Kind != yaml.MappingNode {
		p.Fixed = true
		return
	}
	known := []string{}
	for _, s := range p.Shape.Parts {
		switch s.Kind {
		case Edge:
			part := Part{Shape: s, Path: within(p.Path, s.Key)}
			for _, word := range []string{"up_to", "below"} {
				if i := find(m, word); i >= 0 {
					part = read(Shape{Key: s.Key, Kind: Text}, part.Path, m.Content[i+1])
					part.Shape, part.Chosen = s, []string{word}
				}
			}
			known = append(known, "up_to", "below")
			p.Parts = append(p.Parts, part)
			continue
		case Aggregate:
			part := Part{Shape: s, Path: within(p.Path, s.Key)}
			for i := 0; i+1 < len(m.Content); i += 2 {
				switch key := m.Content[i].Value; {
				case !slices.Contains(aggregates, key):
				case len(picked(p.Shape.Parts, key)) > 0:
					part.line, part.column, part.Value = m.Content[i].Line, m.Content[i].Column, key
				case !slices.ContainsFunc(p.Shape.Parts, func(s Shape) bool { return s.Picked != "" && s.Key == key }):
					part.line, part.column = m.Content[i].Line, m.Content[i].Column
					part.Value, part.Fixed = key+" "+m.Content[i+1].Value, m.Content[i+1].Kind != yaml.ScalarNode
					if !part.Fixed && !slices.Contains(s.Words, part.Value) {
						part.Words = append(slices.Clone(s.Words), part.Value)
					}
				}
			}
			known = append(known, aggregates...)
			p.Parts = append(p.Parts, part)
			continue
		}
		known = append(known, s.Key)
		i := find(m, s.Key)
		if i < 0 && s.Picked != "" {
			continue
		}
		if i < 0 && s.asked() {
			p.Addable = append(p.Addable, s)
			continue
		}
		var value *yaml.Node
		if i >= 0 {
			value = m.Content[i+1]
		}
		p.Parts = append(p.Parts, read(s, within(p.Path, s.Key), value))
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if !slices.Contains(known, m.Content[i].Value) {
			p.Unknown = append(p.Unknown, m.Content[i].Value)
		}
	}
}

// aggregates are the keys of a measure that say what it adds up.
var aggregates = []string{"sum", "count", "distinct", "ratio", "to", "objectives", "objective"}

// edge returns where a row ends.
func edge(row *yaml.Node) string {
	for _, word := range []string{"up_to", "below"} {
		if i := find(row, word); i >= 0 {
			return row.Content[i+1].Value
		}
	}
	return ""
}

// Blame notes a problem at the part of the document that it is about: the last one that
// begins no later than it.
func (p *Part) Blame(line, column int, problem string) {
	best := p
	var look func(*Part)
	look = func(one *Part) {
		after := func(l, c int) bool { return one.line > l || one.line == l && one.column >= c }
		if one.line > 0 && !(one.line > line || one.line == line && one.column > column) && after(best.line, best.column) {
			best = one
		}
		for i := range one.Parts {
			look(&one.Parts[i])
		}
	}
	look(p)
	best.Problems = append(best.Problems, problem)
}

// write returns the document's text.
func write(top *yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(top), encoder.Close()); err != nil {
		return nil, fmt.Errorf("write a document: %w", err)
	}
	return text.Bytes(), nil
}
