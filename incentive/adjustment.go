package incentive

import "slices"

// AdjustmentType says what an adjustment is for.
type AdjustmentType string

// The types of adjustment.
const (
	Correction AdjustmentType = "correction" // a mistake that no fact shows
	OfDispute  AdjustmentType = "dispute"    // what a dispute's resolution grants
	Goodwill   AdjustmentType = "goodwill"
	WriteOff   AdjustmentType = "write-off" // of what a participant owes
)

// AdjustmentTypes lists every type.
var AdjustmentTypes = []AdjustmentType{Correction, OfDispute, Goodwill, WriteOff}

// Adjustment is an amount that a person has entered for a participant, and another one
// approved.
type Adjustment struct {
	ID            string         `json:"id"`
	ParticipantID string         `json:"participant_id"`
	PeriodID      string         `json:"period_id"` // the period it concerns: the one that pays it, or an earlier one
	Type          AdjustmentType `json:"type"`
	Amount        Money          `json:"amount"`
	DisputeID     string         `json:"dispute_id"` // "" for none
}

// Codes of refusals about adjustments.
const (
	CodeOwnPay      Code = "own-pay"      // nobody decides on their own pay
	CodeOwnDecision Code = "own-decision" // nobody approves what they entered
)

// Check refuses an adjustment that enteredBy cannot enter.
func (a Adjustment) Check(enteredBy string) error {
	switch {
	case !slices.Contains(AdjustmentTypes, a.Type):
		return Errorf(CodeInvalid, "%q is no type of adjustment: write one of %v", a.Type, AdjustmentTypes)
	case (a.Type == OfDispute) != (a.DisputeID != ""):
		return Errorf(CodeInvalid, "an adjustment of type %q comes from the answer to a dispute", OfDispute)
	case a.Amount.Minor == 0:
		return Errorf(CodeInvalid, "an adjustment of nothing adjusts nothing")
	case a.ParticipantID == enteredBy:
		return Errorf(CodeOwnPay, "nobody adjusts their own pay")
	}
	return nil
}

// CheckDecision refuses whoever may not approve or reject an adjustment that enteredBy
// has entered.
func (a Adjustment) CheckDecision(enteredBy, decidedBy string) error {
	switch decidedBy {
	case a.ParticipantID:
		return Errorf(CodeOwnPay, "nobody decides on their own pay")
	case enteredBy:
		return Errorf(CodeOwnDecision, "you entered this adjustment, so somebody else must decide on it")
	}
	return nil
}
