package calculation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/guerdon/guerdon/incentive"
)

// payable is what a participant's statement comes from.
type payable struct {
	participantID string
	assignments   []incentive.Assignment
	late          []incentive.Line // differences of earlier periods
	adjustments   []incentive.Adjustment
}

// withAdjustments adds the differences of earlier periods and the adjustments, which are by
// participant, to the assignments of each participant. Some have nothing else.
func withAdjustments(onPlans [][]incentive.Assignment, late map[string][]incentive.Line, adjustments []incentive.Adjustment) []payable {
	groups := make([]payable, len(onPlans))
	for i, assignments := range onPlans {
		groups[i] = payable{participantID: assignments[0].ParticipantID, assignments: assignments}
	}
	of := func(participantID string) *payable {
		i, found := slices.BinarySearchFunc(groups, participantID, func(g payable, id string) int { return cmp.Compare(g.participantID, id) })
		if !found {
			groups = slices.Insert(groups, i, payable{participantID: participantID})
		}
		return &groups[i]
	}
	for participantID, lines := range late {
		of(participantID).late = lines
	}
	for _, a := range adjustments {
		group := of(a.ParticipantID)
		group.adjustments = append(group.adjustments, a)
	}
	return groups
}

// AdjustmentComponent stands where other lines name a component: an adjustment
// is of no plan.
const AdjustmentComponent = "Adjustment"

// AdjustmentLine is the line of an adjustment in a statement of a period.
func AdjustmentLine(a incentive.Adjustment, periodID string) (incentive.Line, error) {
	amount := a.Amount.Decimal()
	step := Step{Kind: StepAdjustment, Name: string(a.Type), Dispute: a.DisputeID, Result: amount}
	if a.PeriodID != periodID {
		step.Period = a.PeriodID
	}
	explanation, err := json.Marshal(Explanation{Steps: []Step{step}, OfNoCredit: &amount})
	if err != nil {
		return incentive.Line{}, fmt.Errorf("write the explanation of adjustment %s: %w", a.ID, err)
	}
	return incentive.Line{Component: AdjustmentComponent, Kind: incentive.Earning, Unrounded: amount, Amount: a.Amount, Explanation: explanation}, nil
}
