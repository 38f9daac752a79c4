package plan

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

// Clawback takes back what a component paid for a transaction that is refunded or, where
// its source says so, cancelled. A refund is a transaction that names the one it gives
// back; it is no credit of the component's, whose measure stays what it was.
type Clawback struct {
	Months      int    // after the transaction, in which its refund or cancellation takes back
	CancelledOn string // the transaction's attribute that holds the day of its cancellation; "" for refunds alone
	Prorated    bool   // only for the days of the months that were left
	Instalments int    // the periods over which it is taken
}

// ClawedBack names the line of what a component takes back.
func ClawedBack(component string) string { return component + ", clawed back" }

// InInstalments names the line of what a component will take back of it later, and of what
// it takes of that.
func InInstalments(component string) string { return component + ", clawed back in instalments" }

func (r *reader) clawback(node *yaml.Node) *Clawback {
	c := &Clawback{Instalments: 1}
	r.Mapping(node, "a clawback", fields{
		"within_months": document.Needed(r.months(&c.Months)),
		"cancelled_on":  document.Optional(r.cancelledOn(&c.CancelledOn)),
		"prorated":      document.Optional(r.Yes(&c.Prorated)),
		"instalments":   document.Optional(r.instalments(&c.Instalments)),
	})
	return c
}

func (r *reader) cancelledOn(into *string) func(*yaml.Node) {
	return func(node *yaml.Node) {
		name, found := strings.CutPrefix(node.Value, "transaction.")
		if !found || r.reads.Transaction[name] != Text {
			r.On(node, "name an attribute of the transaction that holds a day as a text, as in cancelled_on: transaction.cancelled_on, and declare it under \"reads\"")
		}
		*into = name
	}
}

// Cancelled returns the day on which a transaction was cancelled, zero where it was not.
func (c Clawback) Cancelled(t *incentive.Transaction) (day incentive.Date, err error) {
	text := t.Attributes[c.CancelledOn]
	if c.CancelledOn == "" || text == "" {
		return day, nil
	}
	if day, err = incentive.ParseDate(text); err != nil {
		return day, incentive.Errorf(incentive.CodeInvalid, "%q of transaction %s of %s is %q, and the plan reads a day there, such as 2026-01-31", c.CancelledOn, t.ID, t.Source, text)
	}
	return day, nil
}

func (c Clawback) describe(l language.Language) string {
	when := l.Word("refunded")
	if c.CancelledOn != "" {
		when = l.Sprintf("refunded, or cancelled on its %s,", c.CancelledOn)
	}
	months := l.Sprintf("%d months", c.Months)
	if c.Months == 1 {
		months = l.Word("a month")
	}
	share := l.Word("what was paid for it is taken back")
	if c.Prorated {
		share = l.Word("what was paid for it is taken back for the days of that time that are left")
	}
	if c.Instalments > 1 {
		share += l.Sprintf(", in %d periods", c.Instalments)
	}
	return l.Sprintf("Where a transaction is %s within %s, %s, and in part where it is refunded in part.", when, months, share)
}
