package mapping

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	"golang.org/x/text/transform"

	"github.com/guerdon/guerdon/incentive"
)

// Codes of why a row is rejected, or a file refused.
const (
	CodeMissing   incentive.Code = "missing"         // a field that must be there is empty
	CodeMalformed incentive.Code = "malformed"       // a value is not what the field holds
	CodeDoubled   incentive.Code = "doubled"         // another row of the file says something else of the same record
	CodeBadRow    incentive.Code = "bad-row"         // the row itself cannot be read
	CodeBadFile   incentive.Code = "unreadable-file" // the file as a whole cannot be read
)

// File is a file with its name.
type File struct {
	Name    string
	Content io.Reader
}

// Row is a record with where it stood. Record has the names of the kind's fields.
type Row struct {
	Kind   Kind
	File   string
	Line   int
	Raw    string
	Key    string // what to call the record in a message
	Record map[string]any
}

// Rejection is a row that could not be taken, and why.
type Rejection struct {
	File   string
	Line   int
	Column string
	Field  string
	Value  string
	Code   incentive.Code
	Reason string
	Raw    string
}

// Sink takes what is read. An error from it stops the reading.
type Sink struct {
	Columns func([]string) // of the main file; may be nil
	Row     func(Row) error
	Reject  func(Rejection) error
	Skip    func() error
}

// Read reads the main file row by row; others are the files of the mapping's lookups by
// name. A row gives all its records or, rejected, none. Its error, where it is not the
// sink's, has code CodeBadFile.
func (m *Mapping) Read(ctx context.Context, main File, others map[string]File, sink Sink) error {
	tables, err := m.tables(ctx, main.Name, others)
	if err != nil {
		return err
	}
	s, err := open(main, m.dialect)
	if err != nil {
		return err
	}
	if err := m.check(s, tables); err != nil {
		return err
	}
	if sink.Columns != nil {
		sink.Columns(slices.Clone(s.header))
	}
	seen := map[string]first{}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		cells, err := s.next()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			if err := sink.Reject(Rejection{
				File:   main.Name,
				Line:   bad.StartLine,
				Code:   CodeBadRow,
				Reason: fmt.Sprintf("the row cannot be read: %s", plainReason(bad)),
				Raw:    shortened(s.raw, longestKept),
			}); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := m.take(s, cells, tables, seen, sink); err != nil {
			return err
		}
	}
}

// tables reads the files that the mapping looks values up in, for the rows of a file.
func (m *Mapping) tables(ctx context.Context, name string, others map[string]File) (map[string]*table, error) {
	tables := map[string]*table{}
	contents := map[string][]byte{} // several lookups may use one file
	for _, called := range slices.Sorted(maps.Keys(m.lookups)) {
		l := m.lookups[called]
		f, given := others[l.file]
		if !given {
			return nil, incentive.Errorf(CodeBadFile, "the mapping looks values up in %s, which did not come with %s: add the file", l.file, name)
		}
		if _, read := contents[l.file]; !read {
			content, err := io.ReadAll(f.Content)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", f.Name, err)
			}
			contents[l.file] = content
		}
		t, err := readTable(ctx, File{f.Name, bytes.NewReader(contents[l.file])}, l)
		if err != nil {
			return nil, err
		}
		tables[called] = t
	}
	return tables, nil
}

// check holds the mapping's columns against those of the files.
func (m *Mapping) check(s *sheet, tables map[string]*table) error {
	var missing error
	add := func(name string, at source) {
		if _, there := s.index[name]; !there && missing == nil {
			missing = incentive.Errorf(CodeBadFile, "line %d, column %d of the mapping reads column %q, and %s has %s", at.line, at.column, name, s.name, strings.Join(s.header, ", "))
		}
	}
	var lookedUp func(one source)
	lookedUp = func(one source) {
		if t := tables[one.lookup]; t != nil && missing == nil {
			if _, there := t.index[one.of]; !there {
				missing = incentive.Errorf(CodeBadFile, "line %d, column %d of the mapping reads column %q of the lookup %s, which is not there", one.line, one.column, one.of, one.lookup)
			}
		}
		for _, inner := range [][]source{one.join, one.product, one.first} {
			for _, deeper := range inner {
				lookedUp(deeper)
			}
		}
	}
	each := func(one source) { one.columns(add); lookedUp(one) }
	for _, c := range m.skip {
		each(c.value)
	}
	for _, r := range m.records {
		for _, f := range kinds[r.kind] {
			if one, mapped := r.fields[f.name]; mapped {
				each(one)
			}
		}
		for _, name := range r.names {
			each(r.attributes[name])
		}
	}
	return missing
}

// first is where a record stood first.
type first struct {
	line int
	same string
}

// take makes the records of one row.
func (m *Mapping) take(s *sheet, cells []string, tables map[string]*table, seen map[string]first, sink Sink) error {
	reject := func(field string, code incentive.Code, w wrong) error {
		return sink.Reject(Rejection{
			File:   s.name,
			Line:   s.line,
			Column: w.column,
			Field:  field,
			Value:  shortened(w.value, longestValue),
			Code:   code,
			Reason: w.reason,
			Raw:    shortened(s.raw, longestKept),
		})
	}
	if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return nil // spreadsheets end in rows of nothing
	}
	if len(cells) != len(s.header) {
		return reject("", CodeBadRow, wrong{reason: fmt.Sprintf("the row has %d columns, and the header %d", len(cells), len(s.header))})
	}
	r := &row{sheet: s, cells: cells, lookups: tables, format: m.dialect.format}
	for _, c := range m.skip {
		value, problem := c.value.text(r)
		if problem != nil {
			return reject("", CodeMalformed, *problem)
		}
		if slices.Contains(c.is, value) != c.not {
			return sink.Skip()
		}
	}
	var rows []Row
	fresh := map[string]first{} // remembered once the whole row is good
	for _, rec := range m.records {
		values := map[string]any{}
		keys := []string{string(rec.kind)}
		for _, f := range kinds[rec.kind] {
			from, mapped := rec.fields[f.name]
			value := ""
			if mapped {
				var problem *wrong
				if value, problem = from.text(r); problem != nil {
					return reject(f.name, CodeMalformed, *problem)
				}
			}
			var held any = f.absent
			if f.isKey && !from.complete(r) {
				value = ""
			}
			switch {
			case value == "" && (f.needed || f.isKey && from.join != nil):
				return reject(f.name, CodeMissing, wrong{from.name(), "", fmt.Sprintf("a %s must have a %s", rec.kind, f.name)})
			case value != "":
				form := from.written(r)
				if from.madeUsual() {
					form = usual
				}
				var err error
				if held, err = f.read(value, form); err != nil {
					return reject(f.name, CodeMalformed, wrong{from.name(), value, err.Error()})
				}
			}
			values[f.name] = held
			if f.isKey {
				keys = append(keys, fmt.Sprint(held))
			}
		}
		if problem := sensible(rec.kind, values); problem != nil {
			return reject(problem.column, CodeMalformed, wrong{rec.fields[problem.column].name(), problem.value, problem.reason})
		}
		if rec.kind == Credit {
			switch {
			case values["amount"] != nil:
				delete(values, "share")
			case values["share"] == nil:
				values["share"] = decimal.NewFromInt(1)
				fallthrough
			default:
				delete(values, "amount")
			}
		}
		if rec.kind.hasAttributes() {
			attributes := map[string]string{}
			for _, name := range rec.names {
				value, problem := rec.attributes[name].text(r)
				if problem != nil {
					return reject(name, CodeMalformed, *problem)
				}
				if value != "" {
					attributes[name] = value
				}
			}
			values["attributes"] = attributes
		}
		if rec.kind == Period {
			values["id"] = fmt.Sprintf("%s-%s", values["calendar_id"], values["code"])
		}
		key, same := strings.Join(keys, "\x00"), fmt.Sprint(values)
		if before, twice := seen[key]; twice {
			if before.same == same {
				continue
			}
			return reject("", CodeDoubled, wrong{reason: fmt.Sprintf("line %d says something else of the same %s (%s)", before.line, rec.kind, strings.Join(keys[1:], ", "))})
		}
		fresh[key] = first{s.line, same}
		rows = append(rows, Row{Kind: rec.kind, File: s.name, Line: s.line, Raw: shortened(s.raw, longestKept), Key: nameOf(values), Record: values})
	}
	maps.Copy(seen, fresh)
	for _, one := range rows {
		if err := sink.Row(one); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is what a message calls a record: whose it is, where it is somebody's.
func nameOf(values map[string]any) string {
	for _, field := range []string{"participant_id", "id", "transaction_id", "date", "territory_id", "team_id"} {
		if name := values[field]; name != nil {
			return fmt.Sprint(name)
		}
	}
	return ""
}

// sensible checks what concerns several fields.
func sensible(kind Kind, values map[string]any) *wrong {
	if start, has := values["starts_on"].(incentive.Date); has {
		if end, has := values["ends_on"].(incentive.Date); has && end.Before(start) {
			return &wrong{"ends_on", end.String(), fmt.Sprintf("the last day comes before the first, %s", start)}
		}
	}
	if kind == Quota && values["ends_on"] == nil && values["calendar_id"] == nil {
		return &wrong{"ends_on", "", "a quota has a last day (ends_on), or a calendar (calendar_id) whose period gives it"}
	}
	if amount, has := values["amount"].(decimal.Decimal); has && slices.Contains([]Kind{Quota, TerritoryQuota, TeamQuota}, kind) && amount.IsNegative() {
		return &wrong{"amount", amount.String(), "a quota is not below zero"}
	}
	if kind == Credit && values["share"] != nil && values["amount"] != nil {
		return &wrong{"amount", fmt.Sprint(values["amount"]), "a credit is of a share of the transaction or of an amount of it: give one of the two"}
	}
	if kind == QuotaRelief {
		if (values["amount"] == nil) == (values["share"] == nil) {
			return &wrong{"amount", "", "a relief is of an amount or of a share of the quota: give one of the two"}
		}
		if amount, has := values["amount"].(decimal.Decimal); has && amount.IsNegative() {
			return &wrong{"amount", amount.String(), "nobody is relieved of less than nothing; 0 takes a relief back"}
		}
	}
	if rate, has := values["rate"].(decimal.Decimal); has && !rate.IsPositive() {
		return &wrong{"rate", rate.String(), "an exchange rate is above zero"}
	}
	if kind == Rate && values["from_currency"] == values["to_currency"] {
		return &wrong{"to_currency", fmt.Sprint(values["to_currency"]), "a rate is from one currency to another"}
	}
	if start, has := values["effective_from"].(incentive.Date); has {
		if end, has := values["until"].(incentive.Date); has && end.Before(start) {
			return &wrong{"until", end.String(), fmt.Sprintf("the last day comes before the first, %s", start)}
		}
	}
	for _, id := range []string{"territory_id", "team_id"} {
		if parent := values["parent_id"]; parent != nil && parent == values[id] {
			return &wrong{"parent_id", fmt.Sprint(parent), "nothing is its own parent: leave it empty at the top"}
		}
	}
	if manager := values["manager_id"]; manager != nil && manager == values["participant_id"] {
		return &wrong{"manager_id", fmt.Sprint(manager), "nobody is their own manager: leave it empty at the top"}
	}
	return nil
}

// longestKept is how much of a row, and of a value, is kept, in bytes.
const longestKept, longestValue = 20_000, 2000

// shortened makes a text fit to be kept: PostgreSQL takes neither NUL nor bytes that are
// not UTF-8.
func shortened(t string, most int) string {
	t = strings.ReplaceAll(strings.ToValidUTF8(t, "\ufffd"), "\x00", "\ufffd")
	if len(t) <= most {
		return t
	}
	cut := most
	for !utf8.RuneStart(t[cut]) {
		cut--
	}
	return t[:cut] + "…"
}

// row is a row that is being read.
type row struct {
	*sheet
	cells   []string
	lookups map[string]*table
	format  format
}

func (r *row) cell(column string) string { return strings.TrimSpace(r.cells[r.index[column]]) }

// sheet is a file that is being read.
type sheet struct {
	name   string
	reader *csv.Reader
	kept   *keeper
	header []string
	index  map[string]int
	line   int
	raw    string
}

// open reads a file's header.
func open(f File, d dialect) (*sheet, error) {
	content := f.Content
	if d.encoding != nil {
		content = transform.NewReader(content, d.encoding.NewDecoder())
	} else {
		// Spreadsheets begin UTF-8 with a byte order mark.
		buffered := bufio.NewReader(content)
		if start, err := buffered.Peek(3); err == nil && string(start) == "\ufeff" {
			_, _ = buffered.Discard(3) // they are there
		}
		content = buffered
	}
	s := &sheet{name: f.Name, kept: &keeper{from: content}, index: map[string]int{}}
	s.reader = csv.NewReader(s.kept)
	s.reader.Comma = d.separator
	s.reader.FieldsPerRecord = -1
	header, err := s.next()
	if errors.Is(err, io.EOF) {
		return nil, incentive.Errorf(CodeBadFile, "%s is empty: its first row names the columns", f.Name)
	}
	if err != nil {
		return nil, incentive.Errorf(CodeBadFile, "the first row of %s, which names the columns, cannot be read: %v", f.Name, plainReason(err))
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if _, twice := s.index[name]; twice && name != "" {
			return nil, incentive.Errorf(CodeBadFile, "%s has two columns named %q: rename one", f.Name, name)
		}
		s.index[name] = i
		s.header = append(s.header, name)
	}
	return s, nil
}

// next returns the next row's cells and keeps its line and text.
func (s *sheet) next() ([]string, error) {
	from := s.reader.InputOffset()
	cells, err := s.reader.Read()
	s.raw = s.kept.between(from, s.reader.InputOffset())
	if err != nil {
		return nil, err
	}
	s.line, _ = s.reader.FieldPos(0)
	for _, c := range cells {
		if !utf8.ValidString(c) || strings.ContainsAny(c, "\x00\ufffd") {
			return nil, &csv.ParseError{StartLine: s.line, Line: s.line, Err: errNotText}
		}
	}
	return cells, nil
}

var errNotText = errors.New("it holds bytes that are no text in this encoding: name the file's encoding in the mapping")

// plainReason says why a row cannot be read.
func plainReason(err error) string {
	switch {
	case errors.Is(err, errNotText):
		return errNotText.Error()
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		return "a quotation mark is out of place"
	}
	return err.Error()
}

// longestRow is how many bytes a row may have.
const longestRow = 1 << 20

// keeper keeps what was read until it is asked for, so that a rejected row can be shown
// as it stood in the file.
type keeper struct {
	from  io.Reader
	start int64
	kept  bytes.Buffer
}

// Read passes on and keeps.
func (k *keeper) Read(into []byte) (int, error) {
	if k.kept.Len() > longestRow {
		return 0, incentive.Errorf(CodeBadFile, "a row is longer than %d bytes: a quotation mark before it is not closed", longestRow)
	}
	n, err := k.from.Read(into)
	k.kept.Write(into[:n])
	return n, err
}

func (k *keeper) between(from, to int64) string {
	k.kept.Next(int(from - k.start))
	k.start = from
	text := string(k.kept.Next(int(to - from)))
	k.start = to
	return strings.TrimRight(text, "\r\n")
}

// table is a lookup's file.
type table struct {
	format format
	index  map[string]int
	rows   map[string][]string
}

func readTable(ctx context.Context, f File, l lookup) (*table, error) {
	s, err := open(f, l.dialect)
	if err != nil {
		return nil, err
	}
	key, there := s.index[l.key]
	if !there {
		return nil, incentive.Errorf(CodeBadFile, "%s has no column %q to look rows up by; it has %s", f.Name, l.key, strings.Join(s.header, ", "))
	}
	t := &table{format: l.dialect.format, index: s.index, rows: map[string][]string{}}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cells, err := s.next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil || len(cells) != len(s.header) {
			return nil, incentive.Errorf(CodeBadFile, "%s cannot be used to look values up: its row after line %d cannot be read", f.Name, s.line)
		}
		name := strings.TrimSpace(cells[key])
		if before, twice := t.rows[name]; twice && !slices.Equal(before, cells) {
			return nil, incentive.Errorf(CodeBadFile, "%s has two rows whose %s is %q, so that a lookup cannot tell which is meant", f.Name, l.key, name)
		}
		t.rows[name] = cells
	}
}

func (t *table) find(key, column string) (string, bool) {
	cells, found := t.rows[key]
	if !found {
		return "", false
	}
	return strings.TrimSpace(cells[t.index[column]]), true
}
