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
	adjustments   []incentive.Adjustment
}

// withAdjustments adds the adjustments, which are by participant, to the assignments of
// each participant. Some have an adjustment alone.
func withAdjustments(onPlans [][]incentive.Assignment, adjustments []incentive.Adjustment) []payable {
	groups := make([]payable, len(onPlans))
	for i, assignments := range onPlans {
		groups[i] = payable{participantID: assignments[0].ParticipantID, assignments: assignments}
	}
	for _, a := range adjustments {
		i, found := slices.BinarySearchFunc(groups, a.ParticipantID, func(g payable, id string) int { return cmp.Compare(g.participantID, id) })
		if !found {
			groups = slices.Insert(groups, i, payable{participantID: a.ParticipantID})
		}
		groups[i].adjustments = append(groups[i].adjustments, a)
	}
	return groups
}

// AdjustmentComponent stands where other lines name a component: an adjustment
// is of no plan.
const AdjustmentComponent = "Adjustment"

// adjustment is the line of an adjustment.
func (f *facts) adjustment(a incentive.Adjustment) (incentive.Line, error) {
	amount := a.Amount.Decimal()
	step := Step{Kind: StepAdjustment, Name: string(a.Type), Dispute: a.DisputeID, Result: amount}
	if a.PeriodID != f.period.ID {
		step.Period = a.PeriodID
	}
	explanation, err := json.Marshal(Explanation{Steps: []Step{step}, OfNoCredit: &amount})
	if err != nil {
		return incentive.Line{}, fmt.Errorf("write the explanation of adjustment %s: %w", a.ID, err)
	}
	return incentive.Line{Component: AdjustmentComponent, Kind: incentive.Earning, Unrounded: amount, Amount: a.Amount, Explanation: explanation}, nil
}
