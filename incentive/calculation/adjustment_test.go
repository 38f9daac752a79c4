package calculation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// TestAdjustments gives each adjustment a line of its own, after the plan's, also to
// somebody who is on no plan any more.
func TestAdjustments(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 10%}").person("r1", "").deal("r1", 1, "100")
	before := c.Digest()
	c.Adjustments = []incentive.Adjustment{
		{ID: "1", ParticipantID: "left", PeriodID: "m-2026-02", Type: incentive.WriteOff, Amount: incentive.Money{Minor: 500, Currency: "EUR"}},
		{ID: "2", ParticipantID: "r1", PeriodID: c.Period.ID, Type: incentive.Goodwill, Amount: incentive.Money{Minor: -123, Currency: "USD"}},
		{ID: "3", ParticipantID: "r1", PeriodID: "m-2026-02", Type: incentive.OfDispute, Amount: incentive.Money{Minor: 7, Currency: "USD"}, DisputeID: "9"},
	}
	require.NotEqual(t, before, c.Digest())
	all := c.statements(t)
	require.Len(t, all, 2)
	require.Equal(t, "left", all[0].ParticipantID)
	require.Equal(t, "5.00 EUR", all[0].Total().String())
	require.Equal(t, "8.84 USD", all[1].Total().String())
	var words []string
	for _, s := range all {
		for _, line := range s.Lines {
			require.NoError(t, CheckLine(line))
			if line.PlanID != "" {
				continue
			}
			require.Equal(t, AdjustmentComponent, line.Component)
			e, err := ReadExplanation(line)
			require.NoError(t, err)
			words = append(words, e.Steps[0].String())
		}
	}
	require.Equal(t, []string{"adjustment (write-off) of m-2026-02: 5", "adjustment (goodwill): -1.23", "adjustment (dispute) of m-2026-02, by dispute 9: 0.07"}, words)

	tampered := all[1].Lines[1]
	tampered.Amount.Minor++
	require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(tampered)))

	c.Adjustments[1].Amount.Currency = "EUR"
	_, err := Calculate(t.Context(), c.Snapshot)
	require.Equal(t, CodeCurrencyDiffers, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "an adjustment of r1 is in EUR")
}
