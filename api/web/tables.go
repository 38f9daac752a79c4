package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/incentive/language"
)

// A list that people look through is a listing: it says its columns once, and listed makes of
// it what the request asks for: a page of rows, sorted and searched, with links that
// keep all of that in the address; or, with file=csv or file=xlsx, every row as a file. The
// page's template shows {{template "table-tools" .Table}} above the table, begins it with
// {{template "table-head" .Table}}, and ends with {{template "table-foot" .Table}}.

// column is one of a listing's: what stands over it, and what a row has in it.
type column[T any] struct {
	head  string      // a text's key
	sort  string      // the name of the order by it, "" for none: the API's, or any where the listing is whole
	class string      // of the head, such as amount
	value func(T) any // for files, and to sort by where the listing is whole: a text, number, language.Numeral, money, day or time, or nil
	file  bool        // it is in files alone
}

// option is what a choice offers.
type option struct {
	Value, Text string
}

// choice chooses among rows by a parameter of the address.
type choice struct {
	Name, Label string   // Label is a text's key
	Type        string   // of the input that is written into: date, text or checkbox; "" for one of the options
	All         string   // a text's key of what stands for no choice; "" where one is always made
	Options     []option // of an input, what it proposes
	Is          string   // what is chosen; of an input, where nothing is asked for too
}

// listing is a list as it can be asked for.
type listing[T any] struct {
	name    string // of a file of it
	path    string // where the page is, where its forms lead elsewhere; "" for the path of the request
	columns []column[T]
	search  string // a text's key of what is searched; "" for nothing
	choices []choice
	sort    string            // the order where none is asked for
	size    int               // of a page, where it is not the API's
	keep    map[string]string // parameters that stay as they are
	// read returns a page of rows, and where the next begins. What is whole comes at once.
	read  func(of wanted) ([]T, *string, error)
	whole bool // read returns every row, and knows of no order or search
}

// wanted is what a request asks of a list, as the API takes it.
type wanted struct {
	after, search, sort *string
	limit               *int
}

// table is what a template shows around the rows of a listing.
type table struct {
	Heads    []tableHead
	Search   string // a text's key
	Sought   string
	Choices  []choice
	Kept     []option // other parameters
	Orders   []order
	Path     string
	Here     string // this page of it, as it is asked for
	First    string // where the list begins, "" on the first page
	Next     string // where it goes on
	CSV      string
	XLSX     string
	Narrowed bool // rows may be left out by what is asked for
}

// tableHead is what stands over a column.
type tableHead struct {
	Key, Class string
	To         string // where the table is sorted by it, "" where it cannot be
	Sorted     string // ascending, descending or ""
}

// order is one that a table can be put into, for whoever does not see its head.
type order struct {
	Value, Key string // Key is that of the column's text
	Descending bool
	Is         bool
}

// errSent says that the answer was given already.
var errSent = errors.New("the answer was given")

// mostShown is how many rows a page of a list has that is whole.
const mostShown = 100

// mostExported is how many rows a file has at most.
const mostExported = 100_000

// listed returns the rows that the request asks for, with what stands around them. Where it
// asks for a file, that is sent and the error is errSent.
func listed[T any](v *visit, l listing[T]) ([]T, table, error) {
	query := v.r.URL.Query()
	for name, value := range l.keep {
		query.Set(name, value)
	}
	t := table{Search: l.search, Sought: query.Get("search"), Path: cmp.Or(l.path, v.r.URL.Path)}
	t.Here = t.Path
	if len(query) > 0 && v.r.Method == http.MethodGet {
		t.Here = v.r.URL.RequestURI()
	}
	sorted := cmp.Or(query.Get("sort"), l.sort)
	for _, c := range l.choices {
		asked := query.Get(c.Name)
		if t.Narrowed = t.Narrowed || asked != "" && (c.All != "" || c.Type != "" && c.Is == ""); c.Type == "" || asked != "" {
			c.Is = asked
		}
		t.Choices = append(t.Choices, c)
	}
	t.Narrowed = t.Narrowed || t.Sought != ""
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains([]string{"after", "file", "search", "sort"}, name) && !slices.ContainsFunc(l.choices, func(c choice) bool { return c.Name == name }) && query.Get(name) != "" {
			t.Kept = append(t.Kept, option{name, query.Get(name)})
		}
	}
	to := func(changes ...string) string {
		with := url.Values{}
		for name, values := range query {
			if name != "after" && name != "file" && values[0] != "" {
				with[name] = values
			}
		}
		for i := 0; i < len(changes); i += 2 {
			with.Set(changes[i], changes[i+1])
		}
		if len(with) == 0 {
			return t.Path
		}
		return t.Path + "?" + with.Encode()
	}
	for _, c := range l.columns {
		if c.file {
			continue
		}
		head := tableHead{Key: c.head, Class: c.class}
		if c.sort != "" {
			next := c.sort
			if c.class == "amount" {
				next = "-" + c.sort // the largest first
			}
			switch sorted {
			case c.sort:
				head.Sorted, next = "ascending", "-"+c.sort
			case "-" + c.sort:
				head.Sorted, next = "descending", c.sort
			}
			head.To = to("sort", next)
			t.Orders = append(t.Orders, order{c.sort, c.head, false, sorted == c.sort}, order{"-" + c.sort, c.head, true, sorted == "-"+c.sort})
		}
		t.Heads = append(t.Heads, head)
	}
	t.CSV, t.XLSX = to("file", "csv"), to("file", "xlsx")

	of := wanted{after: given(query.Get("after")), search: given(t.Sought), sort: given(sorted)}
	if l.size > 0 {
		of.limit = &l.size
	}
	if file := query.Get("file"); file != "" && v.problem == nil {
		of.after, of.limit = nil, &most
		all, more, err := every(mostExported/most, func(after *string) ([]T, *string, error) {
			of.after = after
			return l.read(of)
		})
		switch {
		case err != nil:
			return nil, t, err
		case more:
			return nil, t, incentive.Errorf("too-large", "%s", v.texts.Fill("table.too-many", map[string]any{"rows": mostExported}))
		}
		if l.whole {
			all = arranged(l, all, t.Sought, sorted)
		}
		return nil, t, v.sendFile(l.name, file, rowsOf(v, l.columns, all))
	}
	rows, next, err := l.read(of)
	if err != nil {
		return nil, t, err
	}
	if l.whole {
		rows = arranged(l, rows, t.Sought, sorted)
		passed, _ := strconv.Atoi(query.Get("after")) // what is no number begins
		rows = rows[max(0, min(passed, len(rows))):]
		if len(rows) > mostShown {
			after := strconv.Itoa(max(0, passed) + mostShown)
			rows, next = rows[:mostShown], &after
		}
	}
	if of.after != nil {
		t.First = to()
	}
	if next != nil {
		t.Next = to("after", *next)
	}
	return rows, t, nil
}

// arranged searches and sorts all of a list's rows.
func arranged[T any](l listing[T], rows []T, search, sorted string) []T {
	if search != "" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row T) bool {
			return !slices.ContainsFunc(l.columns, func(c column[T]) bool {
				text, is := valueOf(c, row).(string)
				return is && strings.Contains(strings.ToLower(text), strings.ToLower(search))
			})
		})
	}
	name, descending := strings.CutPrefix(sorted, "-")
	at := slices.IndexFunc(l.columns, func(c column[T]) bool { return c.sort == name && name != "" })
	if at < 0 {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b T) int {
		one, other := valueOf(l.columns[at], a), valueOf(l.columns[at], b)
		switch { // what has no value comes last
		case one == nil && other == nil:
			return 0
		case one == nil:
			return 1
		case other == nil:
			return -1
		case descending:
			return compared(other, one)
		}
		return compared(one, other)
	})
	return rows
}

// valueOf is what a row has in a column, nil for nothing.
func valueOf[T any](c column[T], row T) any {
	if c.value == nil {
		return nil
	}
	switch value := c.value(row).(type) {
	case *incentive.Money:
		if value == nil {
			return nil
		}
		return *value
	case *time.Time:
		if value == nil {
			return nil
		}
		return *value
	case *incentive.Date:
		if value == nil {
			return nil
		}
		return *value
	default:
		return value
	}
}

// compared compares two values of a column.
func compared(a, b any) int {
	switch a := a.(type) {
	case string:
		return strings.Compare(strings.ToLower(a), strings.ToLower(b.(string)))
	case incentive.Money:
		b := b.(incentive.Money)
		return cmp.Or(strings.Compare(string(a.Currency), string(b.Currency)), cmp.Compare(a.Minor, b.Minor))
	case language.Numeral:
		return read(string(a)).Cmp(read(string(b.(language.Numeral))))
	case int:
		return cmp.Compare(a, b.(int))
	case int64:
		return cmp.Compare(a, b.(int64))
	case incentive.Date:
		return a.Compare(b.(incentive.Date))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return 0
}

// cell is one of a file: a number is its exact decimal text.
type cell struct {
	text   string
	number bool
}

// rowsOf writes rows as a file has them, the heads first. Money is a number, with its
// currency in a column of its own.
func rowsOf[T any](v *visit, columns []column[T], rows []T) [][]cell {
	zone, err := time.LoadLocation(v.company.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	money := make([]bool, len(columns))
	for i, c := range columns {
		for _, row := range rows {
			if _, money[i] = valueOf(c, row).(incentive.Money); money[i] {
				break
			}
		}
	}
	var heads []cell
	for i, c := range columns {
		if c.value == nil {
			continue
		}
		heads = append(heads, cell{text: v.texts.Get(c.head)})
		if money[i] {
			heads = append(heads, cell{text: v.texts.Fill("table.currency", map[string]any{"column": v.texts.Get(c.head)})})
		}
	}
	all := [][]cell{heads}
	for _, row := range rows {
		var cells []cell
		for i, c := range columns {
			if c.value == nil {
				continue
			}
			var one, currency cell
			switch value := valueOf(c, row).(type) {
			case string:
				one.text = value
			case incentive.Money:
				one, currency = cell{value.Amount(), true}, cell{text: string(value.Currency)}
			case language.Numeral:
				if _, err := decimal.NewFromString(string(value)); err == nil {
					one = cell{string(value), true}
				}
			case int, int64:
				one = cell{fmt.Sprint(value), true}
			case incentive.Date:
				one.text = value.String()
			case time.Time:
				one.text = value.In(zone).Format("2006-01-02 15:04:05")
			}
			if cells = append(cells, one); money[i] {
				cells = append(cells, currency)
			}
		}
		all = append(all, cells)
	}
	return all
}

// sendFile sends rows as a file of a kind, csv or xlsx. The error is errSent once it is sent.
func (v *visit) sendFile(name, kind string, rows [][]cell) error {
	var content bytes.Buffer
	var err error
	media := "text/csv; charset=utf-8"
	switch kind {
	case "csv":
		err = writeCSV(&content, rows)
	case "xlsx":
		media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		err = writeXLSX(&content, rows)
	default:
		return v.nowhere()
	}
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", media)
	v.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "." + kind}))
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(content.Bytes()) // who has gone reads nothing
	return errSent
}

// writeCSV writes rows so that no spreadsheet takes a text for a formula.
func writeCSV(to *bytes.Buffer, rows [][]cell) error {
	w := csv.NewWriter(to)
	for _, row := range rows {
		var texts []string
		for _, c := range row {
			if !c.number {
				c.text = accounting.Guarded(c.text)
			}
			texts = append(texts, c.text)
		}
		if err := w.Write(texts); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// writeXLSX writes rows as a sheet whose numbers are written digit by digit, and whose texts
// are texts.
func writeXLSX(to *bytes.Buffer, rows [][]cell) error {
	const sheet = "Sheet1"
	book := excelize.NewFile()
	defer func() { _ = book.Close() }() // it has no file
	for r, row := range rows {
		for c, one := range row {
			at, err := excelize.CoordinatesToCellName(c+1, r+1)
			if err != nil {
				return err
			}
			if one.number {
				err = book.SetCellDefault(sheet, at, one.text)
			} else {
				err = book.SetCellStr(sheet, at, one.text)
			}
			if err != nil {
				return err
			}
		}
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err == nil {
		err = book.SetRowStyle(sheet, 1, 1, bold)
	}
	if err == nil {
		err = book.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	}
	if err == nil {
		err = book.SetColWidth(sheet, "A", "Z", 18)
	}
	if err != nil {
		return err
	}
	return book.Write(to)
}

// periodOptions offer periods.
func (v *visit) periodOptions(periods []client.Period) (all []option) {
	for _, p := range periods {
		all = append(all, option{p.Id, v.texts.period(p)})
	}
	return all
}

// termOptions offer what a family of terms has.
func termOptions[T ~string](v *visit, family string, of ...T) (all []option) {
	for _, value := range of {
		all = append(all, option{string(value), v.texts.Term(family, value)})
	}
	return all
}
