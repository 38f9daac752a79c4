package incentive

import (
	"encoding/json"

	"github.com/shopspring/decimal"
)

// Statement is what a participant earned in a period, with the reason for every cent.
// Its lines are in the order of the plan (plan id, then the document's components).
type Statement struct {
	PeriodID      string   `json:"period_id"`
	ParticipantID string   `json:"participant_id"`
	Currency      Currency `json:"currency"`
	Lines         []Line   `json:"lines"`
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
	Earning  LineKind = "earning"  // commission expense
	DrawOf   LineKind = "draw"     // an advance that is to be recovered, or its recovery
	Holdback LineKind = "holdback" // what is earned and put off, or its payment
	Clawback LineKind = "clawback" // what is to be taken back later on, or its recovery
)

// Line is one component's result for one participant and period, rounded once unless
// the plan says otherwise.
type Line struct {
	PlanID        string          `json:"plan_id"`
	PlanVersion   int             `json:"plan_version"`
	Component     string          `json:"component"`
	Corrects      string          `json:"corrects,omitempty"` // the earlier period that the line is a difference of
	Kind          LineKind        `json:"kind"`
	Unrounded     decimal.Decimal `json:"unrounded"` // major units; the contributions sum exactly to it
	Amount        Money           `json:"amount"`
	Explanation   json.RawMessage `json:"explanation"` // a calculation.Explanation: the arithmetic as data
	Contributions []Contribution  `json:"contributions"`
}

// Contribution is one credit's part of a line.
type Contribution struct {
	Transaction   TransactionKey  `json:"transaction"`
	ParticipantID string          `json:"participant_id"` // whose credit: the line's own participant, or a report of theirs
	Role          string          `json:"role"`           // the credit's role
	Credited      decimal.Decimal `json:"credited"`       // the credit in major units of the transaction
	Amount        decimal.Decimal `json:"amount"`         // its part of the line, unrounded
	Shown         Money           `json:"shown"`          // its part of the line's Amount, by largest remainder
}
