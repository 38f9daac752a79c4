package endtoend

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

const heldAgainstQuota = `language: 1
plan: quota
name: Quota
currency: USD
components:
  - name: commission
    measure: {sum: credits}
    rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 5%}, {rate: 10%}]}
`

// TestARelievedQuota pays a month of which a part of the quota was taken off, and has the next one
// correct it, as more was taken off once the month was closed.
func TestARelievedQuota(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.loadAs("admin", "participant", map[string]any{"participant_id": "r1", "effective_from": "2025-01-01", "name": "R One", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	o.loadAs("admin", "period",
		map[string]any{"id": "m-2026-01", "calendar_id": "m", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"},
		map[string]any{"id": "m-2026-02", "calendar_id": "m", "code": "2026-02", "starts_on": "2026-02-01", "ends_on": "2026-02-28"})
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "r1", "plan_id": "quota", "calendar_id": "m", "starts_on": "2026-01-01"})
	o.loadAs("admin", "quota", map[string]any{"participant_id": "r1", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "365000"})
	for id, deal := range map[string][]string{"d1": {"2026-01-10", "31000"}, "d2": {"2026-02-10", "28000"}} {
		o.loadAs("admin", "transaction", map[string]any{"source": "crm", "transaction_id": id, "date": deal[0], "amount": deal[1], "currency": "USD", "attributes": map[string]string{}})
		o.loadAs("admin", "credit", map[string]any{"source": "crm", "transaction_id": id, "participant_id": "r1", "role": "owner", "share": "1"})
	}
	o.plan(heldAgainstQuota)
	relieve := func(share string) {
		reason := "ten days of leave"
		_, err := client.Read[client.Entered](o.as("fin1").EnterRecords(t.Context(), &client.EnterRecordsParams{IdempotencyKey: client.NewKey()}, client.EntryRequest{Kind: "quota_relief", Reason: &reason,
			Records: []client.Entry{{Fields: map[string]string{"participant_id": "r1", "measure": "sales", "starts_on": "2026-01-11", "ends_on": "2026-01-20", "cause": "leave", "share": share}}}}))
		require.NoError(t, err)
	}
	relieve("50%")
	o.calculate("m-2026-01")
	require.Equal(t, "1800.00", o.results("m-2026-01")["r1 quota commission"], "26,000 at 5 % and 5,000 at 10 %")
	o.toClosed("m-2026-01")
	relieve("100%")
	_, err := client.Read[client.Period](o.as("fin1").OpenPeriod(t.Context(), "m-2026-02", &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	require.NoError(t, o.act("fin1", "m-2026-02", client.ActRequestActLock))
	o.await("m-2026-02", incentive.Calculated)
	o.toClosed("m-2026-02")
	statement, err := client.Read[client.Statement](o.as("r1").GetStatement(t.Context(), "m-2026-02", "r1", &client.GetStatementParams{}))
	require.NoError(t, err)
	require.Equal(t, "1650.00", statement.Total.Amount(), "28,000 at 5 %, and 5,000 of January at 10 % in the place of 5 %")
}
