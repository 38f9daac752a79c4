package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
)

// TestPendingChangesAreTheSame looks at what was said since a lock alone and finds what comparing everything
// does, after each of many facts, also once some of them were taken over and the period was opened anew.
func TestPendingChangesAreTheSame(t *testing.T) {
	t.Parallel()
	const february = "monthly-2026-02"
	for name, plan := range map[string]string{
		"by itself":    "components: [{name: commission, measure: {sum: credits}, rate: 10%}]",
		"with a draw":  "components: [{name: commission, measure: {sum: credits}, rate: 10%}]\ndraw: {amount: 100, kind: recoverable}",
		"of the year":  "components: [{name: commission, measure: {sum: credits}, cumulative: {over: year, pays: true_up}, rate: 10%}]",
		"with a quota": "components: [{name: commission, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, tiers: [{rate: 5%}]}}]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.plan("kept", plan)
			b.put("participant", participant("carl", "boss"))
			b.put("participant", participant("dora", "boss"))
			quota := func(who, from, to, amount string) {
				b.put("quota", map[string]any{"participant_id": who, "measure": "sales", "starts_on": from, "ends_on": to, "amount": amount})
			}
			for _, who := range []string{"bob", "carl", "dora"} {
				b.assign(who, "kept", "2026-01-01")
				for _, month := range [][2]string{{"2026-01-01", "2026-01-31"}, {"2026-02-01", "2026-02-28"}, {"2026-03-01", "2026-03-31"}} {
					quota(who, month[0], month[1], "1000")
				}
				b.dealOf(who, "j-"+who, "2026-01-10", "100")
				b.dealOf(who, "f-"+who, "2026-02-10", "200")
			}
			b.deal("a", "2026-02-03", "300")
			january := monthOf(1)
			b.open(january)
			b.calculate(january)
			b.approve(january)
			b.open(february)
			b.calculate(february)

			whole := 0
			same := func(what string) []store.Change {
				t.Helper()
				all, told, err := b.DifferingAltogether(t.Context(), february)
				require.NoError(t, err)
				if !told {
					whole++
				}
				found, err := b.PendingChanges(t.Context(), february, 0, store.Change{}, 1000)
				require.NoError(t, err)
				require.Equal(t, all, found, what)
				return found
			}
			require.Empty(t, same("nothing"))
			b.dealOf("bob", "f-bob", "2026-02-11", "250")
			b.dealOf("bob", "new", "2026-02-28", "50")
			b.dealOf("bob", "later", "2026-03-01", "50")
			require.Len(t, same("deals"), 2)
			b.put("participant", map[string]any{"participant_id": "carl", "effective_from": "2026-02-10", "name": "Another", "email": "", "kind": "employee", "country": "ID", "pay_currency": "USD", "manager_id": "boss", "attributes": map[string]string{}})
			b.put("participant", participant("new", "boss"))
			b.put("participant", map[string]any{"participant_id": "dora", "effective_from": "2026-03-10", "name": "Later", "email": "", "kind": "employee", "country": "ID", "pay_currency": "USD", "attributes": map[string]string{}})
			require.Len(t, same("people"), 4)
			quota("dora", "2026-02-01", "2026-02-28", "2000")
			quota("dora", "2026-04-01", "2026-04-30", "2000")
			quota("new", "2026-02-01", "2026-02-28", "2000")
			require.Len(t, same("quotas"), 6)
			require.Zero(t, whole, "no more was looked at than of whom something was said")
			b.assign("new", "kept", "2026-02-01")
			require.Contains(t, same("somebody else is on the plan"), store.Change{Kind: "assignment", ID: "new", What: "new"})
			b.put("assignment", map[string]any{"participant_id": "dora", "plan_id": "kept", "calendar_id": "monthly", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
			require.Contains(t, same("somebody has left it"), store.Change{Kind: "assignment", ID: "dora", What: "gone"})
			b.put("assignment", map[string]any{"participant_id": "ann", "plan_id": "flat", "calendar_id": "monthly", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
			b.assign("ann", "kept", "2026-02-01")
			require.Contains(t, same("nobody is on a plan any more"), store.Change{Kind: "plan", ID: "flat", What: "gone"})
			b.amend(february, store.Change{Kind: "participant", ID: "new"}, store.Change{Kind: "assignment", ID: "new"}, store.Change{Kind: "quota", ID: "new"}, store.Change{Kind: "transaction", ID: "crm/f-bob"})
			require.NotContains(t, same("some were taken over"), store.Change{Kind: "assignment", ID: "new", What: "new"})
			whole = 0
			b.plan("kept", strings.NewReplacer("10%", "11%", "5%", "6%").Replace(plan))
			require.Contains(t, same("a version of a plan"), store.Change{Kind: "plan", ID: "kept", What: "changed"})
			require.Equal(t, 1, whole, "it may be about everybody")
		})
	}
}
