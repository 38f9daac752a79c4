package xendit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// payout is a payout as Xendit answers with it.
type payout struct {
	ID                string            `json:"id"`
	ReferenceID       string            `json:"reference_id"`
	ChannelCode       string            `json:"channel_code"`
	ChannelProperties channelProperties `json:"channel_properties"`
	Amount            number            `json:"amount"`
	Currency          string            `json:"currency"`
	Status            string            `json:"status"`
	FailureCode       string            `json:"failure_code"`
	Created           time.Time         `json:"created"`
	Updated           time.Time         `json:"updated"`
}

// states is the one table of what each status means.
var states = map[string]payments.State{
	"ACCEPTED":                      payments.Submitted,
	"PENDING_COMPLIANCE_ASSESSMENT": payments.Submitted,
	"REQUESTED":                     payments.Submitted,
	"SUCCEEDED":                     payments.Paid,
	"REVERSED":                      payments.Returned,
	"FAILED":                        payments.Refused,
	"CANCELLED":                     payments.Refused,
	"COMPLIANCE_REJECTED":           payments.Refused,
}

// result reads a payout. One without id or amount is no payout at all; a status that is
// not in the table is for a person, who is told by Xendit what it means.
func (p payout) result() (payments.Result, error) {
	currency, err := incentive.ParseCurrency(p.Currency)
	if err != nil || p.ID == "" {
		return payments.Result{}, unreadable("Xendit's answer is not a payout", err)
	}
	amount, err := p.Amount.exactly(currency)
	if err != nil {
		return payments.Result{}, unreadable("Xendit's answer has an amount that cannot be read", err)
	}
	state, known := states[p.Status]
	if !known {
		return payments.Result{}, alarm("status-unknown", "Xendit gives the payout a status that is not known here")
	}
	result := payments.Result{State: state, RailID: p.ID, Amount: amount, At: p.Updated.UTC()}
	if p.Updated.IsZero() {
		result.At = p.Created.UTC()
	}
	switch state {
	case payments.Returned:
		result.Reversed = amount.Minor // Xendit knows no reversal of a part
	case payments.Refused:
		why := p.failure()
		result.Class, result.Code = why.Class, why.Code
	}
	return result, nil
}

// transaction is a line of Xendit's report. Product is the payout's id.
type transaction struct {
	ID          string    `json:"id"`
	ProductID   string    `json:"product_id"`
	ReferenceID string    `json:"reference_id"`
	Status      string    `json:"status"`
	Amount      number    `json:"amount"`
	Currency    string    `json:"currency"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
}

// reported is the one table of what each status in the report means.
var reported = map[string]payments.State{
	"PENDING":  payments.Submitted,
	"SUCCESS":  payments.Paid,
	"REVERSED": payments.Returned,
	"FAILED":   payments.Refused,
	"VOIDED":   payments.Refused,
}

// listed reads a line of the report; what cannot be read has no state.
func (t transaction) listed() payments.Listed {
	l := payments.Listed{Reference: t.ReferenceID, Result: payments.Result{RailID: t.ProductID, At: t.Updated.UTC()}}
	currency, err := incentive.ParseCurrency(t.Currency)
	if err != nil {
		return l
	}
	if l.Amount, err = t.Amount.exactly(currency); err != nil {
		return l
	}
	if l.State = reported[t.Status]; l.State == payments.Returned {
		l.Reversed = l.Amount.Minor
	}
	return l
}

// failure is the error of a payout that Xendit took and will not make.
func (p payout) failure() *payments.Error {
	if p.Status != "FAILED" {
		return refuse(p.Status, fmt.Sprintf("Xendit has a payout with this key, which was %s", strings.ToLower(strings.ReplaceAll(p.Status, "_", " "))))
	}
	for _, f := range failures {
		if f.code == p.FailureCode {
			return &payments.Error{Class: f.class, Rail: Name, Code: f.code, Message: f.message}
		}
	}
	return refuse(plainCode(p.FailureCode), "Xendit could not make the payout")
}

// number is an amount in major units, as Xendit writes amounts: a JSON number, kept as
// its digits.
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

// toXendit writes an amount. Xendit takes the rupiah whole, although ISO 4217 gives it
// two decimal places.
func toXendit(m incentive.Money) (number, error) {
	if m.Currency == "IDR" {
		if m.Minor%100 != 0 {
			return "", refuse("amount-too-fine", "Xendit pays whole rupiah only")
		}
		return number(decimal.New(m.Minor, -2).StringFixed(0)), nil
	}
	return number(m.Amount()), nil
}

func (n number) exactly(c incentive.Currency) (incentive.Money, error) {
	amount, err := incentive.ParseDecimal(string(n))
	if err != nil {
		return incentive.Money{}, err
	}
	return incentive.MoneyOf(amount, c)
}

// atMost is the amount in whole minor units: what is left over cannot be paid out.
func (n number) atMost(c incentive.Currency) (incentive.Money, error) {
	amount, err := incentive.ParseDecimal(string(n))
	if err != nil {
		return incentive.Money{}, err
	}
	return incentive.Down.Round(amount, c)
}
