package calculation

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

func TestObjectivesPayByTheirScores(t *testing.T) {
	t.Parallel()
	day := incentive.MustParseDate
	score := decimal.RequireFromString("0.875")
	snapshot := incentive.Snapshot{
		Period: incentive.Period{ID: "m-2026-01", CalendarID: "m", Code: "2026-01", StartsOn: day("2026-01-01"), EndsOn: day("2026-01-31"), Revision: 1}, Since: day("2026-01-01"),
		Participants: []incentive.Participant{{ID: "p", EffectiveFrom: day("2025-01-01"), Kind: incentive.Employee, PayCurrency: "USD"}},
		Objectives:   []incentive.Objective{{ParticipantID: "p", PeriodID: "m-2026-01", Name: "Launch", Weight: decimal.RequireFromString("0.4"), Score: &score, Version: 1}, {ParticipantID: "p", PeriodID: "m-2026-01", Name: "Training", Weight: decimal.RequireFromString("0.6"), Version: 1}},
		Assignments:  []incentive.Assignment{{ParticipantID: "p", PlanID: "mbo", StartsOn: day("2026-01-01"), Version: 1}},
		PlanVersions: []incentive.PlanVersion{{PlanID: "mbo", Version: 1, EffectiveFrom: day("2026-01-01"), Document: []byte(`{language: 1, plan: mbo, name: MBO, currency: USD, components: [{name: Bonus, measure: {objectives: all}, curve: {on: amount, of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}}]}`)}},
	}
	statements, err := Calculate(t.Context(), snapshot)
	require.NoError(t, err)
	line := statements[0].Lines[0]
	require.Equal(t, incentive.Money{Minor: 35000, Currency: "USD"}, line.Amount)
	require.NoError(t, CheckLine(line))
	e, err := ReadExplanation(line)
	require.NoError(t, err)
	require.Equal(t, "objective Launch: scored 0.875, weighing 0.4, counts 0.35", e.Steps[0].String())
	require.Equal(t, "objective Training: it has no score yet", e.Steps[1].String())

	digest := snapshot.Digest()
	better := decimal.RequireFromString("0.876")
	snapshot.Objectives[0].Score = &better
	require.NotEqual(t, digest, snapshot.Digest(), "the snapshot's digest covers scores")

	wrong := line
	e.Steps[0].Amount = &better
	wrong.Explanation, err = json.Marshal(e)
	require.NoError(t, err)
	require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(wrong)), "a score that does not give what it counts is found")

	missing := snapshot
	missing.PlanVersions = []incentive.PlanVersion{{PlanID: "mbo", Version: 1, EffectiveFrom: day("2026-01-01"), Document: []byte(`{language: 1, plan: mbo, name: MBO, currency: USD, components: [{name: Bonus, measure: {objective: Sales school}, curve: {on: amount, of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}}]}`)}}
	_, err = Calculate(t.Context(), missing)
	require.Equal(t, CodeNoObjective, incentive.ErrorCode(err))
}
