package endtoend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// TestEstimatesFollowByThemselves sells in an open month, while nobody but the worker looks: whose
// deal it is, their manager and whom they pass in a contest all follow. Then it asks what a deal
// would bring, closes it, and reads in the statement what was not paid and why.
func TestEstimatesFollowByThemselves(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const january = "m-2026-01"
	person := func(id, manager string) map[string]any {
		one := map[string]any{"participant_id": id, "effective_from": "2025-01-01", "name": id, "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}}
		if manager != "" {
			one["manager_id"] = manager
		}
		return one
	}
	o.loadAs("admin", "participant", person("m1", ""), person("r1", "m1"), person("r2", "m1"))
	o.loadAs("admin", "period", map[string]any{"id": january, "calendar_id": "m", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
	require.NoError(t, o.store.Grant(t.Context(), "admin", "r1", []incentive.Role{incentive.Rep}))
	for _, id := range []string{"r1", "r2"} {
		o.loadAs("admin", "assignment", map[string]any{"participant_id": id, "plan_id": "reps", "calendar_id": "m", "starts_on": "2026-01-01"})
	}
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "m1", "plan_id": "managers", "calendar_id": "m", "starts_on": "2026-01-01"})
	o.plan(`language: 1
plan: reps
name: Reps
currency: USD
reads: {transaction: {product: text}}
components:
  - {name: commission, measure: {sum: credits, where: transaction.product == "cloud"}, rate: 10%, gate: {on: amount, at_least: 1000}, cap: 500}
  - {name: prize, measure: {sum: credits, where: transaction.product == "cloud"}, ranking: {on: amount, prizes: [100, 50], ties: share}}
`)
	o.plan("language: 1\nplan: managers\nname: Managers\ncurrency: USD\ncomponents: [{name: override, override: {level: 1}, measure: {sum: credits}, rate: 1%}]\n")
	sells := func(id, deal, product, amount string) {
		o.loadAs("admin", "transaction", map[string]any{"source": "crm", "transaction_id": deal, "date": "2026-01-10", "amount": amount, "currency": "USD", "attributes": map[string]string{"product": product}})
		o.loadAs("admin", "credit", map[string]any{"source": "crm", "transaction_id": deal, "participant_id": id, "role": "owner", "share": "1"})
	}
	sells("r1", "d1", "cloud", "2000")
	sells("r2", "d2", "cloud", "1500")
	_, err := client.Read[client.Period](o.as("fin1").OpenPeriod(t.Context(), january, &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)

	finance := o.as("fin1")
	stands := func(want map[string]string) {
		t.Helper()
		began := time.Now()
		var found map[string]string
		require.Eventually(t, func() bool {
			all, err := client.Read[client.Estimates](finance.ListEstimates(t.Context(), january, &client.ListEstimatesParams{}))
			require.NoError(t, err)
			found = map[string]string{}
			for _, e := range all.Estimates {
				found[e.Person] = e.Total.Amount()
			}
			for id, total := range want {
				if found[id] != total {
					return false
				}
			}
			return true
		}, time.Minute, 20*time.Millisecond, "%v is wanted, and %v stands", want, &found)
		t.Logf("everybody followed within %s", time.Since(began).Round(10*time.Millisecond))
	}
	stands(map[string]string{"r1": "300.00", "r2": "200.00", "m1": "35.00"})
	sells("r2", "d3", "cloud", "1000")
	stands(map[string]string{"r1": "250.00", "r2": "350.00", "m1": "45.00"}) // r1, who sold nothing since, is passed

	deals := []client.Deal{{Amount: "1000", Attributes: &map[string]string{"product": "cloud"}}}
	asked, err := client.Read[client.WhatIf](o.as("r1").WhatIf(t.Context(), january, "r1", &client.WhatIfParams{IdempotencyKey: client.NewKey()}, client.WhatIfRequest{Deals: &deals}))
	require.NoError(t, err)
	require.Equal(t, []string{"250.00", "400.00", "150.00"}, []string{asked.Before.Total.Amount(), asked.After.Total.Amount(), asked.Difference.Amount()}, "a tenth, and the first prize again")
	require.Contains(t, asked.After.Lines[0].InWords, "2 credits: 3000 × 0.1 = 300")
	sells("r1", "d4", "cloud", "1000")
	stands(map[string]string{"r1": "400.00", "r2": "300.00", "m1": "55.00"})

	sells("r1", "d5", "training", "700")
	sells("r1", "d6", "cloud", "9000")
	require.NoError(t, o.act("fin1", january, client.ActRequestActLock))
	o.await(january, incentive.Calculated)
	statement, err := client.Read[client.Statement](finance.GetStatement(t.Context(), january, "r1", &client.GetStatementParams{}))
	require.NoError(t, err)
	require.Equal(t, "600.00", statement.Total.Amount(), "no more than 500, and the first prize")
	require.Len(t, statement.NotPaid, 1)
	require.Equal(t, "d5", statement.NotPaid[0].Transaction)
	require.Equal(t, client.NotPaidReasonWhy("not-measured"), statement.NotPaid[0].Reasons[0].Why)
	require.Equal(t, `it counts only where product is "cloud"`, statement.NotPaid[0].Reasons[0].InWords)
}
