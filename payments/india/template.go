package india

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/mapping"
)

// Mode is a way in which banks in India move money.
type Mode string

// The modes.
const (
	NEFT Mode = "neft"
	RTGS Mode = "rtgs"
	IMPS Mode = "imps"
	UPI  Mode = "upi"
)

// Template says how a bank wants its bulk file. It is made by Parse.
type Template struct {
	separator string
	extension string
	layout    string // of dates, for package time
	header    []cell
	payment   []cell
	trailer   []cell
	modes     []mode // the first that fits a payment is taken
}

// cell is what stands between two separators: a field, or a text that is always the same.
type cell struct {
	text    string
	field   string
	longest int // characters; 0: any number
}

// mode is a mode that the bank takes in the file.
type mode struct {
	of          Mode
	written     string // as the bank writes it
	least, most int64  // minor units; 0: no limit
}

// The fields of a template's lines.
const (
	messageField   = "message"
	dateField      = "date"
	countField     = "count"
	totalField     = "total"
	numberField    = "number"
	modeField      = "mode"
	bankField      = "bank"
	accountField   = "account"
	holderField    = "holder"
	amountField    = "amount"
	referenceField = "reference"
)

var (
	fileFields    = []string{messageField, dateField, countField, totalField}
	paymentFields = []string{numberField, dateField, modeField, bankField, accountField, holderField, amountField, referenceField}
)

var (
	fieldForm     = regexp.MustCompile(`^\{([a-z]+)(?::([1-9][0-9]{0,2}))?\}$`)
	extensionForm = regexp.MustCompile(`^[a-z0-9]{1,8}$`)
)

type reader struct{ document.Reader }

// Parse reads and checks a template. Its error is a document.Problems.
func Parse(text []byte) (Template, error) {
	r := &reader{}
	t := Template{separator: ",", extension: "csv", layout: "02/01/2006"}
	root, ok := r.Root(text, "a template")
	if !ok {
		return t, r.Err()
	}
	var payment *yaml.Node
	r.Mapping(root, "a template", map[string]document.Field{
		"separator": document.Optional(document.Choice(&r.Reader, &t.separator, ",", "|", "~", "^", "\t")),
		"extension": document.Optional(func(n *yaml.Node) {
			if t.extension = n.Value; !extensionForm.MatchString(n.Value) {
				r.On(n, "an extension has 1 to 8 small letters and digits, such as csv or txt")
			}
		}),
		"dates": document.Optional(func(n *yaml.Node) {
			layout, err := mapping.DateLayout(n.Value)
			if err != nil {
				r.On(n, "%s", err)
			}
			t.layout = layout
		}),
		"header":  document.Optional(r.line(&t.header, fileFields)),
		"payment": document.Needed(func(n *yaml.Node) { payment = n; r.line(&t.payment, paymentFields)(n) }),
		"trailer": document.Optional(r.line(&t.trailer, fileFields)),
		"modes": document.Needed(func(n *yaml.Node) {
			r.Each(n, "\"modes\"", func(item *yaml.Node) { t.modes = append(t.modes, r.mode(item)) })
		}),
	})
	if payment != nil {
		r.complete(payment, t)
	}
	return t, r.Err()
}

// line reads the cells of a line.
func (r *reader) line(into *[]cell, fields []string) func(*yaml.Node) {
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
				if c.longest > 0 && c.field != holderField && c.field != accountField {
					r.On(item, "only {holder} and {account} can be limited to so many characters")
				}
			case strings.ContainsAny(item.Value, "{}"):
				r.On(item, "%q is no field of this line: it may have {%s}", item.Value, strings.Join(fields, "}, {"))
			default:
				r.plain(item)
			}
			*into = append(*into, c)
		})
	}
}

// plain refuses a text that could not stand between separators, without quotes.
func (r *reader) plain(n *yaml.Node) {
	if strings.ContainsFunc(n.Value, func(c rune) bool { return c < ' ' || c > '~' || c == '"' }) {
		r.On(n, "a text has letters, digits and signs of ASCII, and no quotes")
	}
}

// mode reads a mode with its limits.
func (r *reader) mode(n *yaml.Node) (m mode) {
	limit := func(into *int64) func(*yaml.Node) {
		return func(n *yaml.Node) {
			amount, err := incentive.ParseDecimal(n.Value)
			if err == nil {
				var money incentive.Money
				money, err = incentive.MoneyOf(amount, "INR")
				*into = money.Minor
			}
			if err != nil || *into <= 0 {
				r.On(n, "%q is not an amount of rupees, such as 500000", n.Value)
			}
		}
	}
	r.Mapping(n, "a mode", map[string]document.Field{
		"mode": document.Needed(document.Choice(&r.Reader, &m.of, NEFT, RTGS, IMPS, UPI)),
		"written": document.Optional(func(n *yaml.Node) {
			r.Text(&m.written)(n)
			r.plain(n)
		}),
		"from":  document.Optional(limit(&m.least)),
		"up_to": document.Optional(limit(&m.most)),
	})
	if m.written == "" {
		m.written = strings.ToUpper(string(m.of))
	}
	if m.most > 0 && m.most < m.least {
		r.On(n, "the mode takes no amount: up_to is below from")
	}
	return m
}

// complete says what the line of a payment lacks, and what would be taken for two cells.
func (r *reader) complete(n *yaml.Node, t Template) {
	times := map[string]int{}
	written := []string{t.layout}
	for _, c := range slices.Concat(t.header, t.payment, t.trailer) {
		written = append(written, c.text)
	}
	for _, c := range t.payment {
		times[c.field]++
	}
	needed := []string{accountField, amountField, referenceField}
	for _, m := range t.modes {
		written = append(written, m.written)
		if m.of != UPI && !slices.Contains(needed, bankField) {
			needed = append(needed, bankField)
		}
	}
	for _, field := range needed {
		if times[field] != 1 {
			r.On(n, "a payment's line has {%s} once", field)
		}
	}
	for _, text := range written {
		if strings.Contains(text, t.separator) {
			r.On(n, "%q holds the separator: a bank would read two columns", text)
		}
	}
}
