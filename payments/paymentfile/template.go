package paymentfile

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
	"github.com/guerdon/guerdon/payments/lines"
)

// Template says how a bank or payroll system wants its file. It is made by Parse.
type Template struct{ lines.Template }

// The fields of a template's lines beside those of any rail.
const (
	periodField   = "period"
	revisionField = "revision"
	currencyField = "currency"
	companyField  = "company"
	holderField   = "holder"
	bankField     = "bank"
	accountField  = "account"
)

var known = lines.Known{
	File:    []string{lines.Message, lines.Date, periodField, revisionField, currencyField, companyField, lines.Count, lines.Total},
	Payment: []string{lines.Number, lines.Date, lines.Reference, holderField, bankField, accountField, lines.Amount, currencyField, periodField},
	Limited: []string{holderField, accountField},
}

// Parse reads and checks a template. Its error is a document.Problems.
func Parse(text []byte) (t Template, err error) {
	r := &document.Reader{}
	root, ok := r.Root(text, "a template")
	if !ok {
		return t, r.Err()
	}
	var payment *yaml.Node
	r.Mapping(root, "a template", t.Fields(r, known, &payment))
	if payment != nil {
		t.Complete(r, payment, []string{holderField, accountField, lines.Amount, lines.Reference})
	}
	return t, r.Err()
}

// Written is how a rail writes its files: by a template, with the day in a zone.
type Written struct {
	Template Template
	Zone     *time.Location   // of the day that a file bears
	Now      func() time.Time // the clock that dates files
}

// By returns the rail as it writes its files by a template.
func (r *Rail) By(w Written) *Rail {
	by := *r
	by.written = &w
	return &by
}

// refusal says why the company's bank cannot be told of a cleaned destination, "" when it can. Without
// a template there is nothing that it could not.
func (w *Written) refusal(d payments.Destination) string {
	if w == nil {
		return ""
	}
	for _, one := range []struct{ field, detail string }{{holderField, HolderDetail}, {accountField, AccountDetail}} {
		if longest := w.Template.Longest(one.field); longest > 0 && utf8.RuneCountInString(d[one.detail]) > longest {
			return fmt.Sprintf("the company's bank takes no %s of more than %d characters", one.detail, longest)
		}
	}
	if w.Template.Has(bankField) && d[BankDetail] == "" && !bankaccount.LooksLikeIBAN(d[AccountDetail]) {
		return "the company's bank asks for the bank of an account that is no IBAN"
	}
	return ""
}

// file writes contents that were checked.
func (w *Written) file(c Contents) []byte {
	day := w.Now().In(w.Zone).Format(w.Template.Layout)
	of := map[string]string{lines.Message: c.MessageID, lines.Date: day, periodField: c.PeriodID, revisionField: strconv.Itoa(c.Revision), currencyField: string(c.Currency), companyField: c.Company,
		lines.Count: strconv.Itoa(len(c.Payments)), lines.Total: c.Total.Amount()}
	var each []map[string]string
	for i, p := range c.Payments {
		each = append(each, map[string]string{lines.Number: strconv.Itoa(i + 1), lines.Date: day, lines.Reference: p.PayoutID, holderField: p.Holder, bankField: p.Bank, accountField: p.Account,
			lines.Amount: p.Amount.Amount(), currencyField: string(c.Currency), periodField: c.PeriodID})
	}
	return w.Template.Write(of, each)
}
