// Package lines is how the templates of payment files are read and written that have a line a
// payment, and may have one before and one after them. No two banks or payroll systems want the
// same columns, so that a template says what stands in them; what fields there are says the rail.
package lines

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/mapping"
)

// The fields that any rail fills in.
const (
	Message   = "message"   // the file's id
	Date      = "date"      // on which it is built
	Count     = "count"     // of payments
	Total     = "total"     // of their amounts
	Checksum  = "checksum"  // SHA-256 of every byte before the last line, in hexadecimal; of the last line alone
	Number    = "number"    // of a payment, from 1
	Amount    = "amount"    // in major units, 765.16
	Reference = "reference" // of the payout
)

// Template says how a bank wants its file.
type Template struct {
	Separator string // between columns
	Extension string // of the file's name, without a dot
	Layout    string // of dates, for package time
	header    []cell
	payment   []cell
	trailer   []cell
}

// cell is what stands between two separators: a field, or a text that is always the same.
type cell struct {
	text    string
	field   string
	longest int // characters; 0: any number
}

// Known are the fields that a rail knows.
type Known struct {
	File    []string // of the first and the last line
	Payment []string // of a payment's line
	Limited []string // of these, those that may be limited to so many characters
}

var (
	fieldForm     = regexp.MustCompile(`^\{([a-z]+)(?::([1-9][0-9]{0,2}))?\}$`)
	extensionForm = regexp.MustCompile(`^[a-z0-9]{1,8}$`)
)

// Fields are those of a template's document, to be read into t, which begins with what holds
// where nothing is said. payment is set to where the line of a payment stands.
func (t *Template) Fields(r *document.Reader, known Known, payment **yaml.Node) map[string]document.Field {
	*t = Template{Separator: ",", Extension: "csv", Layout: "02/01/2006"}
	last := slices.Concat(known.File, []string{Checksum})
	return map[string]document.Field{
		"separator": document.Optional(document.Choice(r, &t.Separator, ",", ";", "|", "~", "^", "\t")),
		"extension": document.Optional(func(n *yaml.Node) {
			if t.Extension = n.Value; !extensionForm.MatchString(n.Value) {
				r.On(n, "an extension has 1 to 8 small letters and digits, such as csv or txt")
			}
		}),
		"dates":   document.Optional(mapping.Dates(r, &t.Layout)),
		"header":  document.Optional(line(r, &t.header, known.File, nil)),
		"payment": document.Needed(func(n *yaml.Node) { *payment = n; line(r, &t.payment, known.Payment, known.Limited)(n) }),
		"trailer": document.Optional(line(r, &t.trailer, last, nil)),
	}
}

// line reads the cells of a line.
func line(r *document.Reader, into *[]cell, fields, limited []string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.Each(n, "a line", func(item *yaml.Node) {
			c := cell{text: item.Value}
			found := fieldForm.FindStringSubmatch(item.Value)
			switch {
			case item.Kind != yaml.ScalarNode || item.Tag != "!!str":
				r.On(item, "write a text, in quotes: it is written as it stands, or is a field such as \"{amount}\"")
			case found != nil && slices.Contains(fields, found[1]):
				c = cell{field: found[1]}
				c.longest, _ = strconv.Atoi(found[2]) // nothing, or digits
				if c.longest > 0 && !slices.Contains(limited, c.field) {
					r.On(item, "only {holder} and {account} can be limited to so many characters")
				}
			case strings.ContainsAny(item.Value, "{}"):
				r.On(item, "%q is no field of this line: it may have {%s}", item.Value, strings.Join(fields, "}, {"))
			default:
				Plain(r, item)
			}
			*into = append(*into, c)
		})
	}
}

// Plain refuses a text that could not stand between separators, without quotes.
func Plain(r *document.Reader, n *yaml.Node) {
	if strings.ContainsFunc(n.Value, func(c rune) bool { return c < ' ' || c > '~' || c == '"' }) {
		r.On(n, "a text has letters, digits and signs of ASCII, and no quotes")
	}
}

// Complete says what the line of a payment, which stands at n, lacks of the fields that are
// needed, and what of its texts and those that are written beside them would be taken for two columns.
func (t Template) Complete(r *document.Reader, n *yaml.Node, needed []string, written ...string) {
	times := map[string]int{}
	for _, c := range t.payment {
		times[c.field]++
	}
	for _, field := range needed {
		if times[field] != 1 {
			r.On(n, "a payment's line has {%s} once", field)
		}
	}
	written = append(slices.Clone(written), t.Layout)
	for _, c := range slices.Concat(t.header, t.payment, t.trailer) {
		written = append(written, c.text)
	}
	for _, text := range written {
		if strings.Contains(text, t.Separator) {
			r.On(n, "%q holds the separator: a bank would read two columns", text)
		}
	}
}

// Longest is how many characters a field of a payment's line may have; 0 for any number.
func (t Template) Longest(field string) (longest int) {
	for _, c := range t.payment {
		if c.field == field && c.longest > 0 {
			longest = c.longest
		}
	}
	return longest
}

// Has reports whether a payment's line has a field.
func (t Template) Has(field string) bool {
	return slices.ContainsFunc(t.payment, func(c cell) bool { return c.field == field })
}

// Write writes a file: its own fields, and those of each payment. A value that holds the separator
// is put in quotes, as CSV has them; none may hold a quote or the end of a line.
func (t Template) Write(file map[string]string, payments []map[string]string) []byte {
	var content bytes.Buffer
	write := func(line []cell, values map[string]string) {
		for i, c := range line {
			if i > 0 {
				content.WriteString(t.Separator)
			}
			value := c.text + values[c.field]
			if strings.Contains(value, t.Separator) {
				value = `"` + value + `"`
			}
			content.WriteString(value)
		}
		if len(line) > 0 {
			content.WriteString("\r\n")
		}
	}
	write(t.header, file)
	for _, p := range payments {
		write(t.payment, p)
	}
	checksum := sha256.Sum256(content.Bytes())
	last := map[string]string{Checksum: hex.EncodeToString(checksum[:])}
	for field, value := range file {
		last[field] = value
	}
	write(t.trailer, last)
	return content.Bytes()
}
