package tremendous

import (
	"encoding/json"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// order is an order as Tremendous answers with it.
type order struct {
	ID         string    `json:"id"`
	ExternalID string    `json:"external_id"`
	Status     string    `json:"status"`
	CreatedAt  time.Time `json:"created_at"`
	Payment    struct {
		Total  number `json:"total"`
		Refund *struct {
			Total number `json:"total"`
		} `json:"refund"`
	} `json:"payment"`
	Rewards []reward `json:"rewards"`
}

// reward is the one reward of an order. How its e-mail fared is not the payout's affair:
// a reward that could not be delivered is sent again, never ordered again.
type reward struct {
	ID        string    `json:"id"`
	Value     value     `json:"value"`
	Recipient recipient `json:"recipient"`
}

type value struct {
	Denomination number `json:"denomination"`
	CurrencyCode string `json:"currency_code"`
}

type recipient struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

// states is the one table of what each status means.
var states = map[string]payments.State{
	"OPEN":                              payments.Submitted,
	"CART":                              payments.Submitted, // an older word for OPEN
	"PENDING APPROVAL":                  payments.Submitted,
	"PENDING INTERNAL PAYMENT APPROVAL": payments.Submitted,
	"PENDING SETTLEMENT":                payments.Submitted,
	"EXECUTED":                          payments.Paid,
	"FAILED":                            payments.Refused,
	"CANCELED":                          payments.Refused, // or returned, where money came back
}

// result reads an order. One without id, or with another number of rewards than one, is
// not an order of ours; a status that is not in the table is for a person.
func (o order) result() (payments.Result, error) {
	if o.ID == "" || len(o.Rewards) != 1 {
		return payments.Result{}, unreadable("Tremendous's answer is not an order with one reward", nil)
	}
	worth := o.Rewards[0].Value
	currency, err := incentive.ParseCurrency(worth.CurrencyCode)
	if err != nil {
		return payments.Result{}, unreadable("Tremendous's answer has a currency that cannot be read", err)
	}
	amount, err := worth.Denomination.in(currency)
	if err != nil {
		return payments.Result{}, unreadable("Tremendous's answer has an amount that cannot be read", err)
	}
	state, known := states[o.Status]
	if !known {
		return payments.Result{}, alarm("status-unknown", "Tremendous gives the order a status that is not known here")
	}
	result := payments.Result{State: state, RailID: o.ID, Amount: amount, At: o.CreatedAt.UTC()}
	back, err := o.cameBack()
	if err != nil {
		return payments.Result{}, err
	}
	if back {
		result.State, result.Reversed = payments.Returned, amount.Minor
	}
	return result, nil
}

// cameBack reports whether what was paid for the order came back. The one reward of an
// order is cancelled whole, but its fee may stay: a refund of anything else than the
// whole is for a person.
func (o order) cameBack() (bool, error) {
	if o.Payment.Refund == nil {
		return false, nil
	}
	total, err := incentive.ParseDecimal(string(o.Payment.Total))
	if err != nil {
		return false, unreadable("Tremendous's answer has an amount that cannot be read", err)
	}
	refund, err := incentive.ParseDecimal(string(o.Payment.Refund.Total))
	if err != nil {
		return false, unreadable("Tremendous's answer has an amount that cannot be read", err)
	}
	switch {
	case refund.IsZero():
		return false, nil
	case refund.Equal(total):
		return true, nil
	default:
		return false, alarm("refund-differs", "Tremendous gave back a part of what the order cost")
	}
}

// number is an amount in major units, as Tremendous writes amounts: a JSON number, kept
// as its digits.
type number string

// MarshalJSON writes the digits.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// UnmarshalJSON keeps the digits.
func (n *number) UnmarshalJSON(data []byte) error {
	var digits json.Number
	if err := json.Unmarshal(data, &digits); err != nil {
		return err
	}
	*n = number(digits)
	return nil
}

func (n number) in(c incentive.Currency) (incentive.Money, error) {
	amount, err := incentive.ParseDecimal(string(n))
	if err != nil {
		return incentive.Money{}, err
	}
	return incentive.MoneyOf(amount, c)
}
