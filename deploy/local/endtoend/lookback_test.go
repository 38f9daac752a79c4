package endtoend

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

const lookingBack = `language: 1
plan: looking-back
name: Looking back
currency: USD
components:
  - name: commission
    measure: {sum: credits}
    cumulative: {over: year, pays: true_up}
    rate_table: {on: amount, retroactive: true, tiers: [{up_to: 1000, rate: 10%}, {rate: 20%}]}
draw: {amount: 100, kind: recoverable}
`

// TestLookingBack pays two months of which the second settles up with the first: a year's
// table, and a draw with its balance in the ledger.
func TestLookingBack(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.loadAs("admin", "participant", map[string]any{"participant_id": "r1", "effective_from": "2025-01-01", "name": "R One", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	o.loadAs("admin", "period",
		map[string]any{"id": "m-2026-01", "calendar_id": "m", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"},
		map[string]any{"id": "m-2026-02", "calendar_id": "m", "code": "2026-02", "starts_on": "2026-02-01", "ends_on": "2026-02-28"})
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "r1", "plan_id": "looking-back", "calendar_id": "m", "starts_on": "2026-01-01"})
	for id, deal := range map[string][]string{"d1": {"2026-01-10", "600"}, "d2": {"2026-02-10", "1400"}} {
		o.loadAs("admin", "transaction", map[string]any{"source": "crm", "transaction_id": id, "date": deal[0], "amount": deal[1], "currency": "USD", "attributes": map[string]string{}})
		o.loadAs("admin", "credit", map[string]any{"source": "crm", "transaction_id": id, "participant_id": "r1", "role": "owner", "share": "1"})
	}
	o.plan(lookingBack)
	o.calculate("m-2026-01")
	require.Equal(t, "60.00", o.results("m-2026-01")["r1 looking-back commission"])
	require.Equal(t, "40.00", o.results("m-2026-01")["r1 looking-back Draw"])

	_, err := client.Read[client.Period](o.as("fin1").OpenPeriod(t.Context(), "m-2026-02", &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	err = o.act("fin1", "m-2026-02", client.ActRequestActLock)
	require.Equal(t, store.CodeEarlierOpen, incentive.ErrorCode(err), "January may still change")
	require.ErrorContains(t, err, "m-2026-01")

	owed := func() int64 {
		balances, err := o.store.Balances(t.Context(), "", 0)
		require.NoError(t, err)
		for _, b := range balances {
			if b.Kind == store.DrawReceivable {
				return b.Minor
			}
		}
		return 0
	}
	o.toClosed("m-2026-01")
	require.EqualValues(t, 4000, owed())
	require.NoError(t, o.act("fin1", "m-2026-02", client.ActRequestActLock))
	o.await("m-2026-02", incentive.Calculated)
	require.Equal(t, "340.00", o.results("m-2026-02")["r1 looking-back commission"], "20 % of 2000, less what January was paid")
	require.Equal(t, "-40.00", o.results("m-2026-02")["r1 looking-back Draw"])
	o.toClosed("m-2026-02")
	require.Zero(t, owed(), "recovered")
}

// TestAmendedSnapshot calculates a period again with one of two changes that came in after
// the lock, and nothing else.
func TestAmendedSnapshot(t *testing.T) {
	t.Parallel()
	const period = "m-2026-01"
	o := openOffice(t)
	o.loadAs("admin", "participant", map[string]any{"participant_id": "r1", "effective_from": "2025-01-01", "name": "R One", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	o.loadAs("admin", "period", map[string]any{"id": period, "calendar_id": "m", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "r1", "plan_id": "flat", "calendar_id": "m", "starts_on": "2026-01-01"})
	deal := func(id, amount, share string) {
		_, _, err := o.store.Load(t.Context(), store.Import{Kind: "transaction", FileName: "deals", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "admin"}, func(l *store.Loading) error {
			err := l.Put(t.Context(), "transaction", []store.Row{{Key: id, Record: map[string]any{"source": "crm", "transaction_id": id, "date": "2026-01-10", "amount": amount, "currency": "USD", "attributes": map[string]string{}}}})
			if err != nil {
				return err
			}
			return l.Put(t.Context(), "credit", []store.Row{{Key: id, Record: map[string]any{"source": "crm", "transaction_id": id, "participant_id": "r1", "role": "owner", "share": share}}})
		})
		require.NoError(t, err)
	}
	deal("d1", "100", "1")
	deal("d2", "1000", "1")
	deal("d3", "50", "1")
	o.plan("language: 1\nplan: flat\nname: Flat\ncurrency: USD\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%}]\n")
	o.calculate(period)
	require.Equal(t, "115.00", o.results(period)["r1 flat commission"])
	changes := func() []client.Change {
		list, err := client.Read[client.Changes](o.as("fin1").ListChanges(t.Context(), period, &client.ListChangesParams{}))
		require.NoError(t, err)
		return list.Changes
	}
	require.Empty(t, changes())
	deal("d1", "200", "0.5") // changed, and split
	deal("d3", "50", "0")    // no longer theirs
	deal("d4", "7000", "1")  // new
	found := map[string]string{}
	for _, change := range changes() {
		found[string(change.Kind)+":"+change.Id] = *change.What
	}
	require.Equal(t, map[string]string{"transaction:crm/d1": "changed", "transaction:crm/d3": "changed", "transaction:crm/d4": "new"}, found)

	recalculate := func(ids ...string) error {
		var named []client.Change
		for _, id := range ids {
			named = append(named, client.Change{Kind: client.ChangeKindTransaction, Id: id})
		}
		body := client.ActOnPeriodJSONRequestBody{Act: client.ActRequestActRecalculate}
		if len(named) > 0 {
			body.Changes = &named
		}
		_, err := client.Read[client.ActAnswer](o.as("fin1").ActOnPeriod(t.Context(), period, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, body))
		if err == nil {
			o.await(period, incentive.Calculated)
		}
		return err
	}
	require.Equal(t, store.CodeNothingChanged, incentive.ErrorCode(recalculate("crm/d2")))
	require.Equal(t, store.CodeNothingChanged, incentive.ErrorCode(recalculate("crm/unknown")))
	require.NoError(t, recalculate("crm/d1", "crm/d3"))
	require.Equal(t, "110.00", o.results(period)["r1 flat commission"], "half of 200, and 1000; the new deal does not slip in")
	require.NoError(t, recalculate())
	require.Equal(t, "110.00", o.results(period)["r1 flat commission"], "the same snapshot gives the same")
	require.NoError(t, recalculate("crm/d4"))
	require.Equal(t, "810.00", o.results(period)["r1 flat commission"])
	require.Empty(t, changes())

	runs, err := client.Read[client.Runs](o.as("fin2").ListRuns(t.Context(), period, &client.ListRunsParams{}))
	require.NoError(t, err)
	require.Len(t, runs.Runs, 4)
	require.True(t, runs.Runs[3].Current)
	differ := func(from, to int) []client.Difference {
		list, err := client.Read[client.Differences](o.as("fin2").ListDifferences(t.Context(), period, &client.ListDifferencesParams{From: runs.Runs[from].Id, To: runs.Runs[to].Id}))
		require.NoError(t, err)
		return list.Differences
	}
	require.Empty(t, differ(1, 2), "calculated again over the same snapshot")
	changed := differ(0, 3)
	require.Len(t, changed, 1)
	require.Equal(t, "115.00 USD", changed[0].Before.String())
	require.Equal(t, "810.00 USD", changed[0].After.String())
	_, err = client.Read[client.Differences](o.as("fin2").ListDifferences(t.Context(), period, &client.ListDifferencesParams{From: 1, To: 999_999}))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
	o.toClosed(period)
}
