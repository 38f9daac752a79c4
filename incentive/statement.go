package incentive

import (
	"encoding/json"

	"github.com/shopspring/decimal"
)

// Statement is what a participant earned in a period, with the reason for every cent.
// Its lines are in the order of the plan (plan id, then the document's components).
type Statement struct {
	PeriodID      string
	ParticipantID string
	Currency      Currency
	Lines         []Line
}

// Total returns the sum of the lines, in the statement's currency.
func (s Statement) Total() Money {
	total := Money{Currency: s.Currency}
	for _, line := range s.Lines {
		total.Minor += line.Amount.Minor
	}
	return total
}

// LineKind says what a line is in the ledger.
type LineKind string

// The kinds of line.
const (
	Earning LineKind = "earning" // commission expense
	DrawOf  LineKind = "draw"    // an advance that is to be recovered, or its recovery
)

// Line is one component's result for one participant and period, rounded once unless
// the plan says otherwise.
type Line struct {
	PlanID        string
	PlanVersion   int
	Component     string
	Kind          LineKind
	Unrounded     decimal.Decimal // major units; the contributions sum exactly to it
	Amount        Money
	Explanation   json.RawMessage // a calculation.Explanation: the arithmetic as data
	Contributions []Contribution
}

// Contribution is one credit's part of a line.
type Contribution struct {
	Transaction   TransactionKey
	ParticipantID string          // whose credit: the line's own participant, or a report of theirs
	Role          string          // the credit's role
	Credited      decimal.Decimal // the credit in major units of the transaction
	Amount        decimal.Decimal // its part of the line, unrounded
	Shown         Money           // its part of the line's Amount, by largest remainder
}
