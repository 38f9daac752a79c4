package endtoend

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// TestAPeriodInShards takes a period to its end that is calculated in shards, with a contest
// among people of all of them: calculated as a whole it gives the same run, and what calculated it
// is archived.
func TestAPeriodInShards(t *testing.T) {
	t.Parallel()
	const reps = 5
	h := startWith(t, worker.Config{CreditsPerShard: 2}, func(*store.Store) []payments.Rail {
		return []payments.Rail{paymentfile.New("payment-file", "Test company")}
	})
	h.company(reps, "payment-file", func(id string) map[string]string {
		return map[string]string{"holder": "Name " + id, "account": "DE89370400440532013000"}
	})
	_, err := h.store.PutPlan(t.Context(), "fin", "contest", incentive.MustParseDate("2026-01-01"),
		[]byte("language: 1\nplan: contest\nname: Contest\ncurrency: USD\ncomponents: [{name: prize, measure: {sum: credits}, ranking: {on: amount, prizes: [40, 20], ties: share}}]\n"))
	require.NoError(t, err)
	h.prizes = 6000
	for _, id := range []string{"rep0001", "rep0003", "rep0005"} {
		h.load("assignment", map[string]any{"participant_id": id, "plan_id": "contest", "calendar_id": "monthly", "starts_on": "2026-01-01"})
	}
	h.release(reps)
	p, err := h.store.PeriodRevision(t.Context(), period, 1)
	require.NoError(t, err)
	calculation := activities.CalculationID(period, 1, *p.RunID)
	h.paidByFile(1505 + h.prizes)
	h.closed(reps)
	require.Equal(t, 1, h.count("SELECT count(*) FROM guerdon.archived_history WHERE workflow_id = '"+calculation+"'"))
	record(t, h.client, "shards", calculation, activities.PayPeriodID(period, 1))
}
