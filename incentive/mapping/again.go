package mapping

import (
	"bytes"
	"context"
	"encoding/csv"
	"slices"
	"strings"
)

// Held is a row that was rejected, as it is to be read again: a value for each column.
type Held struct {
	Line  int
	Cells []string
}

// Reread is what a row gives that is read again: its records, or why it was rejected once
// more; neither where the mapping leaves it out.
type Reread struct {
	Rows      []Row
	Rejection *Rejection
}

// Again reads rows that were rejected once more, by the rules by which Read reads a file of
// that name with those columns, and returns what each gives. others are the files of the
// mapping's lookups.
func (m *Mapping) Again(ctx context.Context, name string, columns []string, rows []Held, others map[string]File) ([]Reread, error) {
	tables, err := m.tables(ctx, name, others)
	if err != nil {
		return nil, err
	}
	s := newSheet(name, columns)
	if err := m.check(s, tables); err != nil {
		return nil, err
	}
	all := make([]Reread, len(rows))
	for i, row := range rows {
		one := &all[i]
		reject := func(r Rejection) error { one.Rejection = &r; return nil }
		s.line, s.raw = row.Line, m.Written(row.Cells)
		if !slices.ContainsFunc(row.Cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			_ = reject(Rejection{File: name, Line: row.Line, Code: CodeBadRow, Reason: "the row is empty: leave it out instead"}) // keeps it
			continue
		}
		// Rows that were rejected for saying two things of one record are each read by themselves.
		err := m.take(s, row.Cells, tables, map[string]first{}, Sink{
			Row:    func(r Row) error { one.Rows = append(one.Rows, r); return nil },
			Reject: reject,
			Skip:   func() error { return nil },
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Cells takes the text of a row apart as Read does, into as many values as there are
// columns; nil where it cannot be.
func (m *Mapping) Cells(text string, columns int) []string {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = m.dialect.separator, columns
	cells, err := r.Read()
	if err != nil {
		return nil
	}
	return cells
}

// Written is the text of a row with these values, as the mapping's files write it.
func (m *Mapping) Written(cells []string) string {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.Comma = m.dialect.separator
	_ = w.Write(cells) // into memory
	w.Flush()
	return strings.TrimRight(text.String(), "\n")
}

// newSheet is a sheet whose header is known.
func newSheet(name string, columns []string) *sheet {
	s := &sheet{name: name, header: slices.Clone(columns), index: map[string]int{}}
	for i, column := range columns {
		s.index[column] = i
	}
	return s
}
