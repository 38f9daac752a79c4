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
	o.loadAs("admin", "participant", map[string]any{"participant_id": "r1", "effective_from": "2025-01-01", "name": "R One", "email": "", "kind": "employee", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
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
