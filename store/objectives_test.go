package store_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

func TestObjectivesAreScoredUntilTheLock(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	b.plan("flat", "components: [{name: Bonus, measure: {objectives: all}, curve: {on: amount, of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}}]")
	b.open(january)
	reason, err := b.WriteText(t.Context(), "fin", "seen at the launch")
	require.NoError(t, err)
	set := func(by, name, weight, score, reason string) (store.Objective, error) {
		o := store.Objective{EnteredBy: by, ReasonID: reason, Objective: incentive.Objective{ParticipantID: "ann", PeriodID: january, Name: name, Weight: decimal.RequireFromString(weight)}}
		if score != "" {
			exact := decimal.RequireFromString(score)
			o.Score = &exact
		}
		return b.SetObjective(t.Context(), o)
	}
	for _, refused := range []struct {
		by, name, weight, score, reason string
		code                            incentive.Code
	}{
		{"ann", "Launch", "0.4", "", "", incentive.CodeOwnPay},
		{"fin", " ", "0.4", "", "", incentive.CodeInvalid},
		{"fin", "Launch", "1.1", "", "", incentive.CodeInvalid},
		{"fin", "Launch", "0.4", "0.9", "", store.CodeReasonMissing},
		{"fin", "Launch", "0.4", "11", reason, incentive.CodeInvalid},
	} {
		_, err := set(refused.by, refused.name, refused.weight, refused.score, refused.reason)
		require.Equal(t, refused.code, incentive.ErrorCode(err), "%v", refused)
	}
	_, err = set("fin", "Launch", "0.4", "", "")
	require.NoError(t, err)
	_, err = set("fin", "Training", "0.6", "", "")
	require.NoError(t, err)
	_, err = set("fin", "Third", "0.1", "", "")
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), "together they weigh no more than everything")
	require.Equal(t, "0.00, booked 0.00", b.estimate(january))
	require.Equal(t, 2, b.unscored(january))

	worth := func() string {
		p, err := b.PeriodRevision(t.Context(), january, 0)
		require.NoError(t, err)
		all, err := b.ObjectiveWorth(t.Context(), p, "ann")
		require.NoError(t, err)
		return fmt.Sprint(all["Launch"].Amount(), " ", all["Training"].Amount())
	}
	require.Equal(t, "400.00 600.00", worth(), "before anybody scores them")
	second, err := set("fin", "Launch", "0.4", "0.875", reason)
	require.NoError(t, err)
	require.Equal(t, 2, second.Version)
	require.Equal(t, "350.00, booked 350.00", b.estimate(january), "a score touches the estimate")
	require.Equal(t, "350.00 600.00", worth(), "what is scored is worth what it brings")
	_, err = set("fin", "Training", "0.6", "1.05", reason)
	require.NoError(t, err)
	require.Equal(t, "980.00, booked 980.00", b.estimate(january))
	require.Zero(t, b.unscored(january))

	b.calculate(january)
	require.Equal(t, "980.00", b.total(january), "what is calculated is what was estimated")
	_, err = set("fin", "Training", "0.6", "1.10", reason)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))
	all, err := b.Objectives(t.Context(), store.WhichObjectives{PeriodID: january, Visible: []string{"ann"}}, [2]string{}, 10)
	require.NoError(t, err)
	require.Len(t, all, 2)
	others, err := b.Objectives(t.Context(), store.WhichObjectives{PeriodID: january, Visible: []string{"fin"}}, [2]string{}, 10)
	require.NoError(t, err)
	require.Empty(t, others)
}

// unscored is how many objectives the checklist says lack a score.
func (b *books) unscored(period string) int {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	items, err := b.Checklist(b.Context(), p)
	require.NoError(b, err)
	for _, item := range items {
		if item.Item == store.ItemObjectives {
			return item.Count
		}
	}
	require.Fail(b, "the checklist does not ask for objectives")
	return 0
}
