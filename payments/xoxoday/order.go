package xoxoday

import (
	"encoding/json"
	"regexp"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// order is an order as Xoxoday answers with it. The codes of its vouchers go to the
// participant by e-mail and are not read here. How that e-mail fared is not the payout's
// affair: a reward that was not delivered is sent again, never ordered again.
type order struct {
	ID       json.Number `json:"orderId"`
	Number   string      `json:"poNumber"`
	Tag      string      `json:"tag"`
	Total    json.Number `json:"orderTotal"`
	Currency string      `json:"currencyCode"`
	Status   string      `json:"orderStatus"`
}

// states is the one table of what each status means. Xoxoday documents no other: what
// becomes of the money of an order that is cancelled, say, is for a person.
var states = map[string]payments.State{
	"pending":    payments.Submitted,
	"processing": payments.Submitted,
	"complete":   payments.Paid,
}

var orderID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// result reads the order of a reference. One that says it is of another is an alarm.
func (o order) result(reference string) (payments.Result, error) {
	if !orderID.MatchString(o.ID.String()) {
		return payments.Result{}, unreadable("Xoxoday's answer is not an order", nil)
	}
	if o.Number != "" && o.Number != reference || o.Tag != "" && o.Tag != reference {
		return payments.Result{}, alarm("order-differs", "Xoxoday answered with an order other than the one asked for")
	}
	currency, err := incentive.ParseCurrency(o.Currency)
	if err != nil {
		return payments.Result{}, unreadable("Xoxoday's answer has a currency that cannot be read", err)
	}
	total, err := incentive.ParseDecimal(o.Total.String())
	if err != nil {
		return payments.Result{}, unreadable("Xoxoday's answer has an amount that cannot be read", err)
	}
	amount, err := incentive.MoneyOf(total, currency)
	if err != nil {
		return payments.Result{}, unreadable("Xoxoday's answer has an amount that cannot be read", err)
	}
	state, known := states[o.Status]
	if !known {
		return payments.Result{}, alarm("status-unknown", "Xoxoday gives the order a status that is not known here")
	}
	return payments.Result{State: state, RailID: o.ID.String(), Amount: amount}, nil
}
