package endtoend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/nacha/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// TestAnACHFile pays three people by a file and reads what the bank sends back: a return, found by trace and
// amount, and a notification of change. The comparison of the day agrees with it.
func TestAnACHFile(t *testing.T) {
	t.Parallel()
	rail, err := nacha.New(nacha.Config{Company: "Test", CompanyID: "1123456789", Bank: "021000021", BankName: "Bank of Examples", LeadDays: 1, Now: time.Now})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(3, rail.Name(), func(id string) map[string]string {
		return map[string]string{"holder": "Name " + id, "routing": "021000021", "account": "12345678" + id[len(id)-1:], "kind": "checking", "owner": "person"}
	})
	h.release(3)
	ctx := t.Context()
	file := h.takesToTheBank(rail.Name())
	sent, err := h.store.PaymentFile(ctx, file.ID)
	require.NoError(t, err)
	trace := func(participant string) string {
		t.Helper()
		found := h.texts(`SELECT t.trace FROM guerdon.payment_trace t JOIN guerdon.payout o ON o.id = t.payout_id WHERE o.participant_id = $1`, participant)
		require.Len(t, found, 1)
		return found[0]
	}
	hands := func(name string, content []byte) {
		t.Helper()
		f, err := h.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: name, UploadedBy: "fin2"}, content)
		require.NoError(t, err)
		require.NoError(t, workflows.ApplyStatusFile(ctx, h.client, f.ID))
	}
	today := incentive.DateOf(time.Now())
	back, err := standin.SendBack(sent.Content, today, standin.Answer{Trace: trace("rep0001"), Code: "R03"}, standin.Answer{Trace: trace("rep0002"), Code: "C01", Data: "98765432"})
	require.NoError(t, err)
	for range 2 { // the same file again changes nothing
		hands("back.ach", back)
	}
	stands := h.texts(`SELECT participant_id || ' ' || state || ' ' || reason FROM guerdon.payout ORDER BY participant_id`)
	require.Equal(t, []string{"rep0001 returned R03", "rep0002 submitted ", "rep0003 submitted "}, stands)
	corrections, err := h.store.DestinationCorrections(ctx, "", 10)
	require.NoError(t, err)
	require.Len(t, corrections, 1)
	require.Equal(t, "rep0002", corrections[0].ParticipantID)
	require.NoError(t, h.store.DecideCorrection(ctx, "fin", corrections[0].ID, true, ""))

	id, err := workflows.RunReconciliation(ctx, h.client, "today", activities.ReconcileInput{Rail: rail.Name(), Day: today, By: "fin"})
	require.NoError(t, err)
	found, totals, err := h.store.Reconciliation(ctx, id)
	require.NoError(t, err)
	require.Zero(t, found.Differences)
	require.Equal(t, 1, found.Agreed, "the return")
	require.Len(t, totals, 1)
	require.Equal(t, totals[0].Submitted, totals[0].InTransit)
	_, err = h.store.VerifyLedger(ctx)
	require.NoError(t, err)
	require.NoError(t, h.store.VerifyPayouts(ctx, period, 1))
}
