package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// What millions of rows go through is written here by hand: both ways in PostgreSQL's text
// format, in which a number is neither taken apart nor put together again.

// sale is a transaction with one of its credits, or none.
type sale struct {
	transaction incentive.Transaction
	credit      incentive.Credit
}

// compare orders by date, source and id, and by participant and role.
func (s *sale) compare(other *sale) int {
	if order := s.transaction.Date.Compare(other.transaction.Date); order != 0 {
		return order
	}
	return cmp.Or(strings.Compare(s.transaction.Source, other.transaction.Source), strings.Compare(s.transaction.ID, other.transaction.ID),
		strings.Compare(s.credit.ParticipantID, other.credit.ParticipantID), strings.Compare(s.credit.Role, other.credit.Role))
}

// salesReader reads transactions with their credits.
type salesReader struct {
	sales      [][]sale // piece by piece, so that more of them do not move those that are there
	count      int
	counts     func(t *incentive.Transaction) bool // says which are kept; nil keeps all
	texts      map[string]string                   // those that come again and again, once each
	attributes map[string]map[string]string        // the same; they are only read
	shares     map[string]decimal.Decimal          // the same
	dates      map[string]incentive.Date
}

func newSalesReader() *salesReader {
	return &salesReader{
		texts:      map[string]string{},
		attributes: map[string]map[string]string{},
		shares:     map[string]decimal.Decimal{},
		dates:      map[string]incentive.Date{},
	}
}

// rows reads what a query gives: of a transaction source, id, version, date, amount, currency,
// attributes (NULL for none) and what it refunds; of a credit participant, role, share and
// version, or NULL.
func (r *salesReader) rows(ctx context.Context, q querier, sql string, arguments ...any) (err error) {
	_, failed := eachRow(ctx, q, pgx.TextFormatCode, func(columns [][]byte) {
		if err == nil {
			err = r.take(columns)
		}
	}, sql, arguments...)
	return errorsIn(err, failed)
}

// eachRow does something with each row that a query gives, in one of PostgreSQL's formats, and
// returns how many there are.
func eachRow(ctx context.Context, q querier, format int16, do func(columns [][]byte), sql string, arguments ...any) (n int, err error) {
	rows, err := q.Query(ctx, sql, append([]any{pgx.QueryResultFormats{format}}, arguments...)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		do(rows.RawValues())
	}
	return n, rows.Err()
}

// take reads one row.
func (r *salesReader) take(column [][]byte) (err error) {
	s := r.next()
	t, c := &s.transaction, &s.credit
	t.Source, t.ID, t.Currency, t.RefundOf = r.text(column[0]), string(column[1]), incentive.Currency(r.text(column[5])), string(column[7])
	if t.Version, err = strconv.Atoi(string(column[2])); err != nil {
		return err
	}
	day, known := r.dates[string(column[3])]
	if !known {
		if day, err = incentive.ParseDate(string(column[3])); err != nil {
			return err
		}
		r.dates[string(column[3])] = day
	}
	t.Date = day
	if t.Amount, err = decimalOf(column[4]); err != nil {
		return err
	}
	if t.Attributes, err = r.attributesOf(column[6]); err != nil {
		return err
	}
	if r.counts != nil && !r.counts(t) {
		r.undo()
		return nil
	}
	if column[8] == nil {
		return nil
	}
	c.Transaction, c.ParticipantID, c.Role = t.TransactionKey, r.text(column[8]), r.text(column[9])
	if c.Share, err = r.share(column[10]); err == nil {
		c.Version, err = strconv.Atoi(string(column[11]))
	}
	return err
}

// next returns where the next sale goes.
func (r *salesReader) next() *sale {
	const least, most = 64, 4096 // sales of a piece
	n := len(r.sales) - 1
	if n < 0 || len(r.sales[n]) == cap(r.sales[n]) {
		r.sales = append(r.sales, make([]sale, 0, max(least, min(r.count, most))))
		n++
	}
	r.sales[n] = append(r.sales[n], sale{})
	r.count++
	return &r.sales[n][len(r.sales[n])-1]
}

// undo takes back what next returned last.
func (r *salesReader) undo() {
	last := &r.sales[len(r.sales)-1]
	*last = (*last)[:len(*last)-1]
	r.count--
}

// mostRemembered is how many different values of a kind a salesReader remembers.
const mostRemembered = 10_000

// share reads a credit's share; most people have the same few.
func (r *salesReader) share(b []byte) (decimal.Decimal, error) {
	share, known := r.shares[string(b)]
	if known {
		return share, nil
	}
	share, err := decimalOf(b)
	if err == nil && len(r.shares) < mostRemembered {
		r.shares[string(b)] = share
	}
	return share, err
}

func (r *salesReader) text(b []byte) string {
	text, known := r.texts[string(b)]
	if !known {
		text = string(b)
		r.texts[text] = text
	}
	return text
}

func (r *salesReader) attributesOf(b []byte) (map[string]string, error) {
	if b == nil {
		return nil, nil
	}
	all, known := r.attributes[string(b)]
	if known {
		return all, nil
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for name, value := range all {
		delete(all, name)
		all[r.text([]byte(name))] = value
	}
	if len(r.attributes) < mostRemembered {
		r.attributes[string(b)] = all
	}
	return all, nil
}

// inOrder returns what was read, each once, in the order in which deals climb tiers.
func (r *salesReader) inOrder() ([]incentive.Transaction, []incentive.Credit) {
	order := make([]*sale, 0, r.count)
	for _, piece := range r.sales {
		for i := range piece {
			order = append(order, &piece[i])
		}
	}
	slices.SortFunc(order, (*sale).compare)
	transactions, credits := make([]incentive.Transaction, 0, len(order)), make([]incentive.Credit, 0, len(order))
	for i, s := range order {
		if i > 0 && order[i-1].compare(s) == 0 {
			continue
		}
		if n := len(transactions); n == 0 || transactions[n-1].TransactionKey != s.transaction.TransactionKey {
			transactions = append(transactions, s.transaction)
		}
		if s.credit.ParticipantID != "" {
			credits = append(credits, s.credit)
		}
	}
	return transactions, credits
}

// decimalOf reads a number as PostgreSQL writes it.
func decimalOf(text []byte) (decimal.Decimal, error) {
	const digitsOfInt64 = 18
	if bytes.IndexByte(text, '.') > 0 {
		text = bytes.TrimRight(text, "0") // of a quotient PostgreSQL keeps many
	}
	if len(text) > digitsOfInt64 {
		return decimal.NewFromString(string(text))
	}
	value, places, negative := int64(0), int32(0), false
	point := -1
	for i, b := range text {
		switch {
		case b >= '0' && b <= '9':
			value = value*10 + int64(b-'0')
		case b == '.' && point < 0:
			point = i
		case b == '-' && i == 0:
			negative = true
		default:
			return decimal.NewFromString(string(text))
		}
	}
	if point >= 0 {
		places = int32(len(text) - point - 1)
	}
	if negative {
		value = -value
	}
	return decimal.New(value, -places), nil
}

// copier puts rows together for a COPY, field by field, and hands them on as they are read.
type copier struct {
	next  func(c *copier) (more bool) // writes one row
	ready bytes.Buffer
	begun bool // a row is
	ended bool
}

// copyInto copies into columns of a table what next writes, row by row, until it writes none.
func copyInto(ctx context.Context, tx pgx.Tx, table, columns string, next func(c *copier) (more bool)) error {
	_, err := tx.Conn().PgConn().CopyFrom(ctx, &copier{next: next}, "COPY "+table+" ("+columns+") FROM STDIN")
	return err
}

// Read hands on whole rows, as many as there is room for, and of the last one a part.
func (c *copier) Read(into []byte) (int, error) {
	for !c.ended && c.ready.Len() < len(into) {
		c.begun = false
		if !c.next(c) {
			c.ended = true
			break
		}
		c.ready.WriteByte('\n')
	}
	if c.ready.Len() == 0 {
		return 0, io.EOF
	}
	return c.ready.Read(into)
}

func (c *copier) separate() {
	if c.begun {
		c.ready.WriteByte('\t')
	}
	c.begun = true
}

func (c *copier) number(n int64) {
	c.separate()
	c.ready.Write(strconv.AppendInt(c.ready.AvailableBuffer(), n, 10))
}

func (c *copier) decimal(d decimal.Decimal) {
	c.separate()
	c.ready.Write(incentive.AppendDecimal(c.ready.AvailableBuffer(), d))
}

// escaped writes what a text of a COPY may not hold as it is.
var escaped = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

func (c *copier) text(s string) {
	c.separate()
	_, _ = escaped.WriteString(&c.ready, s) // a buffer takes all
}

func (c *copier) null() {
	c.separate()
	c.ready.WriteString(`\N`)
}

func (c *copier) bytes(b []byte) {
	c.separate()
	c.ready.WriteString(`\\x`)
	c.ready.Write(hex.AppendEncode(c.ready.AvailableBuffer(), b))
}
