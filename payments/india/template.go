package india

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/payments/lines"
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
	lines.Template
	modes []mode // the first that fits a payment is taken
}

// mode is a mode that the bank takes in the file.
type mode struct {
	of          Mode
	written     string // as the bank writes it
	least, most int64  // minor units; 0: no limit
}

// The fields of a payment's line beside those of any rail.
const (
	modeField    = "mode"
	bankField    = "bank"
	accountField = "account"
	holderField  = "holder"
)

var known = lines.Known{
	File:    []string{lines.Message, lines.Date, lines.Count, lines.Total},
	Payment: []string{lines.Number, lines.Date, modeField, bankField, accountField, holderField, lines.Amount, lines.Reference},
	Limited: []string{holderField, accountField},
}

type reader struct{ document.Reader }

// Parse reads and checks a template. Its error is a document.Problems.
func Parse(text []byte) (t Template, err error) {
	r := &reader{}
	root, ok := r.Root(text, "a template")
	if !ok {
		return t, r.Err()
	}
	var payment *yaml.Node
	fields := t.Fields(&r.Reader, known, &payment)
	fields["modes"] = document.Needed(func(n *yaml.Node) {
		r.Each(n, "\"modes\"", func(item *yaml.Node) { t.modes = append(t.modes, r.mode(item)) })
	})
	r.Mapping(root, "a template", fields)
	if payment != nil {
		needed, written := []string{accountField, lines.Amount, lines.Reference}, []string{}
		for _, m := range t.modes {
			written = append(written, m.written)
			if m.of != UPI && !slices.Contains(needed, bankField) {
				needed = append(needed, bankField)
			}
		}
		t.Complete(&r.Reader, payment, needed, written...)
	}
	return t, r.Err()
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
			lines.Plain(&r.Reader, n)
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
