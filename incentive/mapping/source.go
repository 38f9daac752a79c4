package mapping

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
)

// source reads where a value comes from; the name of a column alone is that column.
func (r *reader) source(node *yaml.Node, inProduct bool) source {
	s := source{line: node.Line, column: node.Column}
	if node.Kind == yaml.ScalarNode {
		r.Text(&s.of)(node)
		return s
	}
	ways, translates, otherwise := 0, false, false
	way := func(read func(n *yaml.Node)) document.Field {
		return document.Optional(func(n *yaml.Node) { ways++; read(n) })
	}
	list := func(into *[]source, inProduct bool) func(*yaml.Node) {
		return func(n *yaml.Node) {
			r.Each(n, "a source of a value", func(item *yaml.Node) { *into = append(*into, r.source(item, inProduct)) })
		}
	}
	f := usual
	hasFormat := false
	known := fields{
		"constant": way(func(n *yaml.Node) {
			if n.Kind != yaml.ScalarNode {
				r.On(n, "a text is expected here")
			}
			s.constant = &n.Value
		}),
		"column":    way(r.Text(&s.of)),
		"join":      way(list(&s.join, false)),
		"separator": document.Optional(func(n *yaml.Node) { s.separator = n.Value }),
		"product":   way(list(&s.product, true)),
		"first":     way(list(&s.first, false)),
		"lookup":    document.Optional(r.Text(&s.lookup)),
		"by":        document.Optional(func(n *yaml.Node) { by := r.source(n, false); s.by = &by }),
		"values": document.Optional(func(n *yaml.Node) {
			translates = true
			s.values = map[string]string{}
			if n.Kind != yaml.MappingNode {
				r.On(n, "values are written as pairs, such as {USA: US, UK: GB}")
				return
			}
			for i := 0; i < len(n.Content); i += 2 {
				s.values[n.Content[i].Value] = n.Content[i+1].Value
			}
		}),
		"otherwise": document.Optional(func(n *yaml.Node) { otherwise = true; s.otherwise = &n.Value }),
		"as":        document.Optional(document.Choice(&r.Reader, &s.as, "text", "number", "date")),
		"dates":     document.Optional(func(n *yaml.Node) { hasFormat = true; r.dates(&f)(n) }),
	}
	if inProduct {
		known["one_minus"] = way(func(n *yaml.Node) { s.of = ""; r.Text(&s.of)(n); s.complement = true })
	}
	if !r.Mapping(node, "a value", known) {
		return s
	}
	if hasFormat {
		s.format = &f
	}
	_, found := r.known[s.lookup]
	switch {
	case ways != 1:
		r.On(node, "a value comes from exactly one of constant, column, join, product and first")
	case s.lookup != "" && (s.of == "" || s.by == nil):
		r.On(node, "a lookup says by which value it is found and which column is wanted, as in {lookup: orders, by: OrderID, column: ShippedDate}")
	case s.lookup != "" && !found:
		r.On(node, "there is no lookup %q: write it under \"lookups\"", s.lookup)
	case s.lookup == "" && s.by != nil:
		r.On(node, "\"by\" goes with a lookup")
	case otherwise && !translates && s.lookup == "":
		r.On(node, "\"otherwise\" goes with \"values\" or a lookup")
	}
	return s
}

// columns adds the columns of the main file that the source reads.
func (s source) columns(add func(name string, at source)) {
	if s.of != "" && s.lookup == "" {
		add(s.of, s)
	}
	for _, inner := range [][]source{s.join, s.product, s.first} {
		for _, one := range inner {
			one.columns(add)
		}
	}
	if s.by != nil {
		s.by.columns(add)
	}
}

// wrong is why a value cannot be taken.
type wrong struct {
	column, value, reason string
}

// text returns the source's value for a row.
func (s source) text(row *row) (string, *wrong) {
	value, problem := s.plain(row)
	if problem != nil {
		return "", problem
	}
	if s.values != nil {
		translated, known := s.values[value]
		switch {
		case known:
			value = translated
		case s.otherwise != nil:
			value = *s.otherwise
		default:
			return "", &wrong{s.name(), value, "the mapping's \"values\" do not say what this means"}
		}
	}
	f := s.written(row)
	switch {
	case value == "":
	case s.as == "number":
		d, err := f.number(value)
		if err != nil {
			return "", &wrong{s.name(), value, err.Error()}
		}
		value = d.String()
	case s.as == "date" || s.format != nil:
		d, err := f.date(value)
		if err != nil {
			return "", &wrong{s.name(), value, err.Error()}
		}
		value = d.String()
	}
	return value, nil
}

// written is how the source's value is written before "as" and "dates" make it usual.
func (s source) written(row *row) format {
	f := row.format
	if s.lookup != "" {
		f = row.lookups[s.lookup].format
	}
	if s.format != nil {
		f.dates, f.layout = s.format.dates, s.format.layout
	}
	return f
}

// madeUsual reports whether text has written the value in the usual format.
func (s source) madeUsual() bool { return s.format != nil || s.as == "number" || s.as == "date" }

func (s source) plain(row *row) (string, *wrong) {
	switch {
	case s.constant != nil:
		return *s.constant, nil
	case s.lookup != "":
		key, problem := s.by.text(row)
		if problem != nil || key == "" {
			return "", problem
		}
		found, ok := row.lookups[s.lookup].find(key, s.of)
		if !ok && s.otherwise != nil && s.values == nil {
			return *s.otherwise, nil
		}
		if !ok {
			return "", &wrong{s.by.name(), key, fmt.Sprintf("the lookup %s has no row with this key", s.lookup)}
		}
		return found, nil
	case s.join != nil:
		var parts []string
		for _, one := range s.join {
			part, problem := one.text(row)
			if problem != nil {
				return "", problem
			}
			if part != "" {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, s.separator), nil
	case s.first != nil:
		for _, one := range s.first {
			value, problem := one.text(row)
			if problem != nil || value != "" {
				return value, problem
			}
		}
		return "", nil
	case s.product != nil:
		return s.multiply(row)
	}
	return row.cell(s.of), nil
}

// complete reports whether every part of a joined value is there: without, two different
// rows could come to the same key.
func (s source) complete(row *row) bool {
	for _, one := range s.join {
		if value, problem := one.text(row); problem != nil || value == "" {
			return false
		}
	}
	return true
}

// multiply writes the product as the row's format does, so that it is read as any number is.
func (s source) multiply(row *row) (string, *wrong) {
	product := decimal.NewFromInt(1)
	for _, one := range s.product {
		value, problem := one.text(row)
		if problem != nil {
			return "", problem
		}
		form := one.written(row)
		if one.madeUsual() {
			form = usual
		}
		factor, err := form.number(value)
		if err != nil {
			return "", &wrong{one.name(), value, err.Error()}
		}
		if one.complement {
			factor = decimal.NewFromInt(1).Sub(factor)
		}
		product = product.Mul(factor)
	}
	return strings.Replace(product.String(), ".", row.format.point, 1), nil
}

// name is what a message calls the source.
func (s source) name() string {
	switch {
	case s.lookup != "":
		return s.lookup + "." + s.of
	case s.of != "":
		return s.of
	case len(s.join) > 0:
		return s.join[0].name()
	case len(s.first) > 0:
		return s.first[0].name()
	case len(s.product) > 0:
		return s.product[0].name()
	}
	return ""
}
