package calculation

import (
	"encoding/json"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Explanation is the arithmetic of a line as data, in the order in which it was done.
type Explanation struct {
	Steps []Step `json:"steps"`
	// OfNoCredit is the part of the line that no single credit earned, such as a bonus.
	OfNoCredit *decimal.Decimal `json:"of_no_credit,omitempty"`
}

// Kind says what a step does.
type Kind string

// The kinds of step. What is earned begins at nothing; rate, tier, curve, rank, pool
// and bonus add to it, a closed gate makes it nothing, a multiplier multiplies it, floor and caps limit it,
// what was posted and a deduction are taken off it, and rounding makes it payable. A draw, a
// recovery, a carry-over and an excess are lines by themselves. The other kinds say where figures come from.
const (
	StepExchange   Kind = "exchange"   // Amount in Currency, of Count credits, times Rate or divided by Unit
	StepPaidIn     Kind = "paid_in"    // Amount times Rate or divided by Unit, rounded to the currency of the line
	StepMeasure    Kind = "measure"    // Result is the measure of Count credits
	StepObjective  Kind = "objective"  // Amount, the score of the objective Name, times Rate, its weight; without Amount it has no score yet
	StepAchieved   Kind = "achieved"   // Result is the sum of the Count objectives before it
	StepRatio      Kind = "ratio"      // Amount divided by Unit; nothing where Unit is nothing
	StepQuota      Kind = "quota"      // Amount of the quota, of which Rate where there is one, for Days (or months) of its OfDays
	StepRelief     Kind = "relief"     // of the quota Of, by the cause Name: Rate of Amount, or Amount for Days of its OfDays; it is taken off the quota
	StepAttainment Kind = "attainment" // Amount divided by Unit, the quota
	StepRate       Kind = "rate"       // Amount times Rate
	StepTier       Kind = "tier"       // Amount, which lies between From and To, times Rate
	StepBonus      Kind = "bonus"      // Result
	StepRank       Kind = "rank"       // Rate, the prizes of Tied places from Count on, divided by them; no Count wins nothing
	StepPool       Kind = "pool"       // Amount's part of Unit, of Rate, in minor units that add up
	StepBudget     Kind = "budget"     // Amount times Rate divided by Unit, all prizes, in minor units that add up
	StepWait       Kind = "wait"       // nothing, as the interval ends on the day Name
	StepGate       Kind = "gate"       // Open where Amount reaches From times Unit
	StepCap        Kind = "cap"        // Amount, but no more than Rate
	StepKey        Kind = "key"        // Amount against Unit lies between From and To
	StepScore      Kind = "score"      // Amount divided by Unit, the quota, times Rate, the weight
	StepCurve      Kind = "curve"      // Amount against Unit between the points (From, Low) and (To, High), of Rate
	StepFactor     Kind = "factor"     // Rate; Result is all factors so far
	StepMultiplier Kind = "multiplier" // Amount times Rate
	StepFloor      Kind = "floor"      // Amount, but no less than Rate
	StepCapEach    Kind = "cap_each"   // Amount less Unit, which Count credits earned above Rate
	StepPosted     Kind = "posted"     // Amount less Unit, which Count earlier periods posted
	StepDeduct     Kind = "deduct"     // Amount less Unit
	StepDraw       Kind = "draw"       // Amount against Rate, the draw, with Unit owed of which High at most is recovered
	StepHold       Kind = "hold"       // Rate of Amount, of Count credits, each rounded, is put off
	StepRelease    Kind = "release"    // Result, of Count credits, was put off and is paid
	StepForfeit    Kind = "forfeit"    // Result, of Count credits, was put off and is lost
	StepClawback   Kind = "clawback"   // Rate of Amount, which was paid for Name of Of, less Unit, which was taken back before
	StepInstalment Kind = "instalment" // Rate waits for later periods, and Unit waited before
	StepRecovery   Kind = "recovery"   // of Unit owed what Amount lies above Rate, High at most
	StepForgiven   Kind = "forgiven"   // Unit, which is owed when month Days has begun
	StepCarryOver  Kind = "carry_over" // what room Amount and Low, of before, leave below Rate, for Unit that waits
	StepExcess     Kind = "excess"     // what Amount goes beyond what Low, of before, leaves below Rate
	StepRounding   Kind = "rounding"   // Amount to minor units
	StepCorrection Kind = "correction" // Amount, which is due in the period Name, less Unit, which was posted of it
	StepAdjustment Kind = "adjustment" // Result, of the type Name
)

// Step is one step of an explanation. Amounts are in major units of the line's currency.
type Step struct {
	Kind     Kind             `json:"kind"`
	Name     string           `json:"name,omitempty"`  // of the quota, attribute or rounding that is used
	Of       string           `json:"of,omitempty"`    // the transaction's attribute that is measured
	Where    string           `json:"where,omitempty"` // the filter of the credits that count
	Since    string           `json:"since,omitempty"` // the first day that counts, where that is not the period's
	Until    string           `json:"until,omitempty"` // the last day, of a relief
	Count    int              `json:"count,omitempty"`
	Tied     int              `json:"tied,omitempty"`
	Days     int              `json:"days,omitempty"`
	OfDays   int              `json:"of_days,omitempty"`
	From     *decimal.Decimal `json:"from,omitempty"`
	To       *decimal.Decimal `json:"to,omitempty"`
	Above    bool             `json:"above,omitempty"` // From itself is not enough
	Low      *decimal.Decimal `json:"low,omitempty"`
	High     *decimal.Decimal `json:"high,omitempty"`
	Added    bool             `json:"added,omitempty"` // factors are added, not multiplied
	Amount   *decimal.Decimal `json:"amount,omitempty"`
	Unit     *decimal.Decimal `json:"unit,omitempty"`
	Rate     *decimal.Decimal `json:"rate,omitempty"`
	Open     *bool            `json:"open,omitempty"`
	Currency string           `json:"currency,omitempty"` // of what is exchanged, or rounded before it is
	Each     string           `json:"each,omitempty"`     // what is rounded, or what a quota is prorated by
	// Of an adjustment: the period it concerns, where another one pays it, and the dispute
	// that it answers.
	Period  string          `json:"period,omitempty"`
	Dispute string          `json:"dispute,omitempty"`
	Result  decimal.Decimal `json:"result"`
}

// ReadExplanation reads a line's explanation.
func ReadExplanation(line incentive.Line) (Explanation, error) {
	var e Explanation
	if err := json.Unmarshal(line.Explanation, &e); err != nil {
		return e, fmt.Errorf("read the explanation of %s: %w", line.Component, err)
	}
	return e, nil
}
