package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestTerritories freezes territories with their members and quotas where a plan asks for
// them, and takes a change of one over by name.
func TestTerritories(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	fact := func(kind string, records ...map[string]any) store.Import {
		t.Helper()
		return load(t, b.Store, kind, records...)
	}
	require.Equal(t, 2, fact("territory",
		map[string]any{"territory_id": "west", "effective_from": "2026-01-01", "name": "West", "parent_id": "us", "attributes": map[string]string{"region": "west"}},
		map[string]any{"territory_id": "us", "effective_from": "2026-01-01", "name": "US", "attributes": map[string]string{}}).Added, "a parent may come later in the file")
	require.Equal(t, 1, fact("territory", map[string]any{"territory_id": "x", "effective_from": "2026-01-01", "name": "X", "parent_id": "nowhere", "attributes": map[string]string{}}).Quarantined)
	member := map[string]any{"territory_id": "west", "participant_id": "ann", "starts_on": "2026-01-01", "role": "rep", "share": "0.5"}
	require.Equal(t, 1, fact("territory_member", member).Added)
	require.Equal(t, 1, fact("territory_member", member).Unchanged)
	require.Equal(t, 1, fact("territory_member", map[string]any{"territory_id": "west", "participant_id": "ann", "starts_on": "2026-02-01", "role": "lead", "share": "1"}).Quarantined, "nobody is a member twice at a time")
	require.Equal(t, 1, fact("territory_member", map[string]any{"territory_id": "east", "participant_id": "ann", "starts_on": "2026-01-01", "role": "rep", "share": "1"}).Quarantined)
	require.Equal(t, 1, fact("team_quota", map[string]any{"team_id": "west", "measure": "m", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "1"}).Quarantined, "a territory is no team")
	require.Equal(t, 1, fact("territory_quota", map[string]any{"territory_id": "west", "measure": "m", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "1000"}).Added)
	b.plan("flat", "credits: [{territory: {members: all}}]\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%}]")
	load(t, b.Store, "transaction", map[string]any{"source": "crm", "transaction_id": "o1", "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{"region": "west"}})
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	require.Equal(t, []string{"commission 50.00"}, b.lines(monthOf(1), "ann"))

	member["share"] = "0.8"
	require.Equal(t, 1, fact("territory_member", member).Changed)
	changes, err := b.PendingChanges(t.Context(), monthOf(1), 0, store.Change{}, 10)
	require.NoError(t, err)
	require.Equal(t, []store.Change{{Kind: "territory", ID: "west", What: "changed"}}, changes)
	b.amend(monthOf(1), changes...)
	require.Equal(t, []string{"commission 80.00"}, b.lines(monthOf(1), "ann"))

	groups, err := b.Groups(t.Context(), incentive.KindTerritory, incentive.MustParseDate("2026-01-31"), "", 10)
	require.NoError(t, err)
	require.Len(t, groups, 2)
	require.Equal(t, "west", groups[1].ID)
	require.Equal(t, 1, groups[1].Members)
	_, _, _, err = b.Group(t.Context(), incentive.GroupKey{Kind: incentive.KindTeam, ID: "west"})
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
}
