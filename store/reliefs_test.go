package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReliefs follows a relief from the estimate over a lock and a recalculation that takes a
// revision of it over to the correction of a closed period.
func TestReliefs(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	b.plan("flat", "components: [{name: Bonus, measure: {sum: credits}, curve: {on: attainment, quota: sales, of: 1000, points: [{at: 0, pays: 0}, {at: 10, pays: 10}]}}]")
	b.put("quota", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "36500"})
	relieve := func(from, to, part, of string) {
		t.Helper()
		b.put("quota_relief", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": from, "ends_on": to, "cause": "leave", part: of})
	}
	b.deal("d1", "2026-01-10", "1550")
	b.open(january)
	require.Equal(t, "500.00, booked 500.00", b.estimate(january), "1550 of 3100")
	relieve("2026-01-01", "2026-01-31", "share", "0.5")
	require.Equal(t, "1000.00, booked 1000.00", b.estimate(january), "a relief touches the estimate")
	relieve("2026-02-01", "2026-02-28", "share", "1")
	relieve("2026-01-10", "2026-01-20", "amount", "775")
	relieve("2026-01-10", "2026-01-20", "amount", "0")
	require.Equal(t, "1000.00, booked 1000.00", b.estimate(january), "another month's, and one that is taken back")
	require.Equal(t, 1, load(t, b.Store, "quota_relief", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "cause": "leave", "share": "0.5"}).Unchanged)
	require.Equal(t, 1, load(t, b.Store, "quota_relief", map[string]any{"participant_id": "nobody", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "cause": "leave", "share": "0.5"}).Quarantined)

	b.calculate(january)
	require.Equal(t, "1000.00", b.total(january))
	relieve("2026-01-01", "2026-01-31", "amount", "620")
	changes, err := b.PendingChanges(t.Context(), january, 1, store.Change{}, 10)
	require.NoError(t, err)
	require.Equal(t, []store.Change{{Kind: "quota", ID: "ann", What: "changed"}}, changes)
	b.amend(january, store.Change{Kind: "quota", ID: "ann"})
	require.Equal(t, "625.00", b.total(january), "1550 of 2480")
	b.proved(january)

	all, err := b.Reliefs(t.Context(), store.ReliefsOf{Person: "ann"}, nil, 1)
	require.NoError(t, err)
	require.Equal(t, "2026-02-01", all[0].StartsOn.String())
	last := all[0]
	all, err = b.Reliefs(t.Context(), store.ReliefsOf{}, &store.ReliefKey{StartsOn: last.StartsOn, Person: last.ParticipantID, Measure: last.Measure, Cause: string(last.Cause)}, 10)
	require.NoError(t, err)
	require.Len(t, all, 1, "what is taken back is none")
	require.Equal(t, 2, all[0].Version)
	require.Equal(t, "620", all[0].Amount.String())
	all, err = b.Reliefs(t.Context(), store.ReliefsOf{Search: "ann", Measure: "sales", On: incentive.MustParseDate("2026-02-10")}, nil, 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	h, err := b.ParticipantHistory(t.Context(), "ann")
	require.NoError(t, err)
	require.Len(t, h.Reliefs, 2)

	b.approve(january)
	b.pay(january)
	b.shut(january)
	relieve("2026-01-01", "2026-01-31", "amount", "1550")
	b.deal("d2", "2026-02-10", "100")
	b.open(monthOf(2))
	b.calculate(monthOf(2))
	require.Equal(t, []string{"Bonus 0.00", "Bonus of monthly-2026-01 375.00"}, b.lines(monthOf(2), "ann"), "of February nothing is left, and January is corrected: 1550 of 1550")
	b.proved(monthOf(2))
}
