package accounting

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guerdon/guerdon/incentive"
)

// Row is what a row of a file has in its fields: a string, int64, incentive.Date or
// incentive.Money, or nothing.
type Row struct {
	Fields     map[string]any
	Attributes map[string]string // of the participant
}

// Writer writes a file as CSV: the same rows give the same bytes.
type Writer struct {
	template Template
	csv      *csv.Writer
	Rows     int // so far, without the headings
}

// NewWriter begins a file with its headings.
func NewWriter(w io.Writer, t Template) (*Writer, error) {
	headings := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		headings[i] = Guarded(c.Heading)
	}
	into := &Writer{template: t, csv: csv.NewWriter(w)}
	return into, into.csv.Write(headings)
}

// Write adds a row, unless it is of a participant whom the template leaves out. A value
// for which a column has nothing to write is an error of code CodeInvalid.
func (w *Writer) Write(row Row) error {
	kind, _ := row.Fields["participant_kind"].(string)
	if len(w.template.Participants) > 0 && !slices.Contains(w.template.Participants, incentive.ParticipantKind(kind)) {
		return nil
	}
	cells := make([]string, len(w.template.Columns))
	for i, c := range w.template.Columns {
		cells[i] = c.cell(row)
		if c.Values == nil {
			continue
		}
		written, known := c.Values[cells[i]]
		if !known {
			return incentive.Errorf(incentive.CodeInvalid, "column %d of template %s, %s, has nothing to write for %q: add it to its \"values\"", i+1, w.template.Name, c.Heading, cells[i])
		}
		cells[i] = written
	}
	for i, c := range w.template.Columns {
		if c.isText {
			cells[i] = Guarded(cells[i])
		}
	}
	w.Rows++
	return w.csv.Write(cells)
}

// Flush ends the file.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// cell is what a column shows of a row.
func (c Column) cell(row Row) string {
	if c.Field == "" {
		return c.Text
	}
	if name, found := strings.CutPrefix(c.Field, attribute); found {
		return row.Attributes[name]
	}
	switch v := row.Fields[c.Field].(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case incentive.Date:
		if c.layout != "" {
			return v.UTC().Format(c.layout)
		}
		return v.String()
	case incentive.Money:
		return v.Amount()
	case string:
		return v
	default:
		panic(fmt.Sprintf("%s is a %T", c.Field, v))
	}
}

// Guarded is a text that no spreadsheet takes for a formula.
func Guarded(text string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(text))
	if strings.ContainsRune("=+-@＝＋－＠", first) || text != "" && strings.ContainsRune("\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
