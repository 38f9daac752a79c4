// Package answers reads the lists in which banks and payroll systems say what became of the
// payments of a file: CSV with a heading. No two write the same columns and words, so that a
// template says which are meant. With one, a rail of files whose bank answers so reads what it says.
package answers

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// largest is the most that a list may have, in bytes.
const largest = 64 << 20

// headingWithin is in how many rows at the top the heading is looked for: banks write their name
// and the day above it.
const headingWithin = 20

// Reads is a rail of files that also reads its bank's lists.
func Reads(rail payments.FileRail, t Template) (payments.FileRail, error) {
	currencies := rail.Capabilities().Currencies
	if t.amount != "" && t.currency == "" && len(currencies) != 1 {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the answers of %s have amounts, and the rail pays in several currencies: name the column of the currency, too", rail.Name())
	}
	r := &reader{FileRail: rail, template: t}
	if len(currencies) == 1 {
		r.currency = currencies[0]
	}
	return r, nil
}

type reader struct {
	payments.FileRail
	template Template
	currency incentive.Currency // of amounts beside which no currency stands
}

var _ payments.StatusReader = (*reader)(nil)

var (
	plainID = regexp.MustCompile(`^([0-9a-fA-F]{8})([0-9a-fA-F]{4})([0-9a-fA-F]{4})([0-9a-fA-F]{4})([0-9a-fA-F]{12})$`)
	grouped = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}(\.[0-9]+)?$`)
)

// ReadStatus reads a list. A row without a reference is a total or a remark, and says nothing.
func (r *reader) ReadStatus(ctx context.Context, file io.Reader) ([]payments.Outcome, error) {
	content, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err != nil {
		return nil, fmt.Errorf("read the bank's list: %w", err)
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	switch {
	case len(content) > largest:
		return nil, refused("it is longer than %d MB: ask the bank for several", largest>>20)
	case !utf8.Valid(content):
		return nil, refused("it is not in UTF-8: save it as CSV in UTF-8")
	}
	rows := csv.NewReader(bytes.NewReader(content))
	rows.Comma, rows.FieldsPerRecord = r.template.separator, -1
	var columns map[string]int
	var said []payments.Outcome
	for number := 1; ; number++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			return nil, refused("line %d: it is no row of CSV: a quotation mark is not closed, or stands within a cell", wrong.Line)
		}
		if err != nil {
			return nil, fmt.Errorf("read the bank's list: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if columns == nil {
			if columns = r.template.heading(row); columns == nil && number >= headingWithin {
				break
			}
			continue
		}
		outcome, says, err := r.outcome(row, columns)
		if err != nil {
			return nil, refused("line %d: %s", line, incentive.ErrorMessage(err))
		}
		if says {
			said = append(said, outcome)
		}
	}
	if columns == nil {
		return nil, refused("no row among the first %d has the columns %s", headingWithin, strings.Join(r.template.columns(), ", "))
	}
	return said, nil
}

func refused(format string, arguments ...any) error {
	return incentive.Errorf(payments.CodeStatusFileRefused, "the bank's list cannot be read: %s", fmt.Sprintf(format, arguments...))
}

// outcome is what a row says of a payment.
func (r *reader) outcome(row []string, columns map[string]int) (o payments.Outcome, says bool, err error) {
	t := r.template
	cell := func(column string) string {
		at, there := columns[column]
		if column == "" || !there || at >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[at])
	}
	o.Reference = cell(t.reference)
	if o.Reference == "" {
		return o, false, nil
	}
	if parts := plainID.FindStringSubmatch(o.Reference); parts != nil { // written without hyphens
		o.Reference = strings.ToLower(strings.Join(parts[1:], "-"))
	}
	word := cell(t.status)
	state, known := t.states[strings.ToLower(word)]
	if !known {
		return o, false, incentive.Errorf(incentive.CodeInvalid, "%q is no status that the template knows: it may be %s; write it there where the bank has a new one", word, strings.Join(t.words(), ", "))
	}
	o.State, o.Reason = state, cell(t.reason)
	if state == payments.Refused || state == payments.Returned {
		if o.Class, o.Code = payments.Definite, word; t.bad[strings.ToLower(word)] || t.bad[strings.ToLower(o.Reason)] {
			o.Class = payments.RecipientAction
		}
	}
	if text := cell(t.amount); text != "" {
		if o.Amount, err = r.money(text, cell(t.currency)); err != nil {
			return o, false, err
		}
	}
	if text := cell(t.on); text != "" {
		day, err := time.Parse(t.layout, text)
		if err != nil {
			return o, false, incentive.Errorf(incentive.CodeInvalid, "%q is no date as the template has them", text)
		}
		o.On = incentive.DateOf(day)
	}
	return o, true, nil
}

func (r *reader) money(text, currency string) (incentive.Money, error) {
	in := r.currency
	if r.template.currency != "" {
		var err error
		if in, err = incentive.ParseCurrency(strings.ToUpper(currency)); err != nil {
			return incentive.Money{}, err
		}
	}
	if grouped.MatchString(text) {
		text = strings.ReplaceAll(text, ",", "")
	}
	exact, err := incentive.ParseDecimal(text)
	if err != nil {
		return incentive.Money{}, err
	}
	return incentive.MoneyOf(exact, in)
}

// heading returns where the columns stand where a row is the heading, and nil of any other.
func (t Template) heading(row []string) map[string]int {
	at := map[string]int{}
	for i, cell := range row {
		name := strings.TrimSpace(cell)
		if _, twice := at[name]; !twice {
			at[name] = i
		}
	}
	for _, column := range t.columns() {
		if _, there := at[column]; !there {
			return nil
		}
	}
	return at
}

// columns are those that a list has.
func (t Template) columns() []string {
	return slices.DeleteFunc([]string{t.reference, t.status, t.reason, t.amount, t.currency, t.on}, func(column string) bool { return column == "" })
}
