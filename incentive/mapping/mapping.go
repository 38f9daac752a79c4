// Package mapping reads what people really have: CSV files in any dialect, which a mapping
// turns into records. A row that cannot be taken is rejected with its place and the
// reason, and stops nothing.
package mapping

import (
	_ "embed"
	"maps"
	"slices"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// Schema is the JSON Schema of mappings, for editors.
//
//go:embed mapping.schema.json
var Schema []byte

// Mapping says how the rows of a file become records.
type Mapping struct {
	dialect dialect
	lookups map[string]lookup
	skip    []condition
	records []record
}

// dialect is how a file is written.
type dialect struct {
	separator rune
	encoding  encoding.Encoding // nil for UTF-8
	format    format
	mark      *yaml.Node // the last one of its marks that the document says; nil for none
}

// lookup is another file, a row of which is found by the value of a column.
type lookup struct {
	file    string
	key     string
	dialect dialect
}

// condition holds for rows whose value is, or is not, a text.
type condition struct {
	value source
	is    []string
	not   bool
}

// record is one kind of record that every row gives.
type record struct {
	kind       Kind
	fields     map[string]source
	attributes map[string]source
	names      []string // of the attributes, sorted
}

// source is where a value comes from: exactly one of constant, column, join, product,
// lookup and first. Then values translates it and as says how it is written down.
type source struct {
	line, column int // in the mapping
	constant     *string
	of           string // a column
	join         []source
	separator    string
	product      []source
	complement   bool // one minus the value: only inside a product
	lookup       string
	by           *source
	first        []source
	values       map[string]string
	otherwise    *string
	as           string
	format       *format
}

// Lookups lists the names of the other files that the mapping needs, sorted.
func (m *Mapping) Lookups() []string {
	var files []string
	for _, l := range m.lookups {
		files = append(files, l.file)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// Kinds lists the kinds of record that the mapping gives, in its order.
func (m *Mapping) Kinds() []Kind {
	var all []Kind
	for _, r := range m.records {
		all = append(all, r.kind)
	}
	return all
}

// Parse reads and checks a mapping. Its error is a document.Problems.
func Parse(text []byte) (*Mapping, error) {
	r := reader{}
	m := &Mapping{dialect: dialect{separator: ',', format: usual}, lookups: map[string]lookup{}}
	root, ok := r.Root(text, "a mapping")
	if !ok {
		return nil, r.Err()
	}
	var lookups, skip, records *yaml.Node
	keep := func(into **yaml.Node) func(*yaml.Node) { return func(n *yaml.Node) { *into = n } }
	r.Mapping(root, "a mapping", fields{
		"file":      document.Optional(func(n *yaml.Node) { r.Mapping(n, "a file", r.dialect(&m.dialect)); r.marks(m.dialect) }),
		"lookups":   document.Optional(keep(&lookups)),
		"skip_when": document.Optional(keep(&skip)),
		"records":   document.Needed(keep(&records)),
	})
	// In this order whatever the document's: what follows names what came before.
	if lookups != nil {
		r.lookups(lookups, m)
	}
	r.known = m.lookups
	if skip != nil {
		r.Each(skip, "\"skip_when\"", func(item *yaml.Node) { m.skip = append(m.skip, r.condition(item)) })
	}
	if records != nil {
		r.Each(records, "\"records\"", func(item *yaml.Node) { m.records = append(m.records, r.record(item)) })
	}
	return m, r.Err()
}

type reader struct {
	document.Reader
	known map[string]lookup
}

type fields = map[string]document.Field

var encodings = map[string]encoding.Encoding{
	"utf-8": nil, "windows-1252": charmap.Windows1252, "iso-8859-1": charmap.ISO8859_1, "iso-8859-15": charmap.ISO8859_15,
	"utf-16": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
}

// dialect reads what both the main file and lookups may say.
func (r *reader) dialect(d *dialect) fields {
	mark := func(into *string, allowed ...string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if n.Kind != yaml.ScalarNode || !slices.Contains(allowed, n.Value) {
				r.On(n, "%q is no such mark: write one of %q", n.Value, allowed)
				return
			}
			*into = n.Value
			d.mark = n
		}
	}
	d.mark = nil
	return fields{
		"separator": document.Optional(func(n *yaml.Node) {
			separators := map[string]rune{",": ',', ";": ';', "tab": '\t', "\t": '\t', "|": '|', ":": ':'}
			separator, known := separators[n.Value]
			if !known {
				r.On(n, "%q cannot separate columns: write \",\", \";\", \"|\", \":\" or tab", n.Value)
				return
			}
			d.separator = separator
		}),
		"encoding": document.Optional(func(n *yaml.Node) {
			e, known := encodings[n.Value]
			if !known {
				r.On(n, "%q is not an encoding that is known: write %s", n.Value, document.Listed(slices.Sorted(maps.Keys(encodings))))
			}
			d.encoding = e
		}),
		"dates":     document.Optional(r.dates(&d.format)),
		"decimal":   document.Optional(mark(&d.format.point, ".", ",")),
		"thousands": document.Optional(mark(&d.format.thousands, "", ",", ".", "'", " ", "\u00a0", "\u202f")),
	}
}

// marks demands that the marks differ, whichever of them the document says first.
func (r *reader) marks(d dialect) {
	if d.mark != nil && d.format.point == d.format.thousands {
		r.On(d.mark, "the decimal mark and the thousands mark are the same: say both, as in {decimal: \",\", thousands: \".\"}")
	}
}

func (r *reader) dates(f *format) func(*yaml.Node) {
	return func(n *yaml.Node) {
		layout, err := DateLayout(n.Value)
		if err != nil {
			r.On(n, "%s", err)
			return
		}
		f.dates, f.layout = n.Value, layout
	}
}

func (r *reader) lookups(node *yaml.Node, m *Mapping) {
	if node.Kind != yaml.MappingNode {
		r.On(node, "lookups are written as names, each with a file and its key column")
		return
	}
	for i := 0; i < len(node.Content); i += 2 {
		name, body := node.Content[i], node.Content[i+1]
		if _, twice := m.lookups[name.Value]; twice {
			r.On(name, "the lookup %q is there twice", name.Value)
		}
		l := lookup{dialect: m.dialect}
		known := r.dialect(&l.dialect)
		known["file"] = document.Needed(r.Text(&l.file))
		known["key"] = document.Needed(r.Text(&l.key))
		r.Mapping(body, "a lookup", known)
		r.marks(l.dialect)
		m.lookups[name.Value] = l
	}
}

func (r *reader) condition(node *yaml.Node) condition {
	var c condition
	tests := 0
	values := func(not bool) func(*yaml.Node) {
		return func(n *yaml.Node) {
			tests++
			c.not = not
			items := []*yaml.Node{n}
			if n.Kind == yaml.SequenceNode {
				items = n.Content
			}
			for _, item := range items {
				if item.Kind != yaml.ScalarNode {
					r.On(item, "a text is expected here, \"\" for an empty one")
				}
				c.is = append(c.is, item.Value)
			}
		}
	}
	if r.Mapping(node, "a condition", fields{
		"value":  document.Needed(func(n *yaml.Node) { c.value = r.source(n, false) }),
		"is":     document.Optional(values(false)),
		"is_not": document.Optional(values(true)),
	}) && tests != 1 {
		r.On(node, "a condition has one of is and is_not")
	}
	return c
}

func (r *reader) record(node *yaml.Node) record {
	rec := record{fields: map[string]source{}, attributes: map[string]source{}}
	var kindAt, attributes *yaml.Node
	var body *yaml.Node
	r.Mapping(node, "a record", fields{
		"kind":       document.Needed(func(n *yaml.Node) { kindAt = n; document.Choice(&r.Reader, &rec.kind, Kinds...)(n) }),
		"fields":     document.Needed(func(n *yaml.Node) { body = n }),
		"attributes": document.Optional(func(n *yaml.Node) { attributes = n }),
	})
	if rec.kind == "" || body == nil {
		return rec
	}
	known := fields{}
	for _, f := range kinds[rec.kind] {
		read := func(n *yaml.Node) { rec.fields[f.name] = r.source(n, false) }
		if f.needed {
			known[f.name] = document.Needed(read)
		} else {
			known[f.name] = document.Optional(read)
		}
	}
	r.Mapping(body, "a "+string(rec.kind), known)
	if attributes == nil {
		return rec
	}
	if !rec.kind.hasAttributes() {
		r.On(attributes, "a %s has no attributes; its fields are %s", kindAt.Value, document.Listed(fieldNames(rec.kind)))
		return rec
	}
	if attributes.Kind != yaml.MappingNode {
		r.On(attributes, "attributes are written as names, each with where its value comes from")
		return rec
	}
	for i := 0; i < len(attributes.Content); i += 2 {
		name, value := attributes.Content[i], attributes.Content[i+1]
		if !incentive.IsAttributeName(name.Value) {
			r.On(name, "%q cannot name an attribute: use small letters, digits and underscores", name.Value)
			continue
		}
		if _, twice := rec.attributes[name.Value]; twice {
			r.On(name, "the attribute %q is there twice", name.Value)
		}
		rec.attributes[name.Value] = r.source(value, false)
	}
	rec.names = slices.Sorted(maps.Keys(rec.attributes))
	return rec
}
