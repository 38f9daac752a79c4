package endtoend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/nacha/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
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
	today, err := h.store.Today(ctx, time.Now())
	require.NoError(t, err)
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

// TestPrenotes has accounts tried before they are paid, through the API: one that the bank sends back is not
// paid, the other one is from the third banking day on.
func TestPrenotes(t *testing.T) {
	t.Parallel()
	rail, err := nacha.New(nacha.Config{Company: "Test", CompanyID: "1123456789", Bank: "021000021", BankName: "Bank of Examples", LeadDays: 1, Prenotes: true, Now: time.Now})
	require.NoError(t, err)
	o, ctx := officeWith(t, rail), t.Context()
	o.flat()
	names := func(account string) {
		t.Helper()
		_, err := client.Read[client.Destination](o.as("r1").PutDestination(ctx, "r1", &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
			client.DestinationRequest{Rail: rail.Name(), Details: map[string]string{"holder": "Rep", "routing": "021000021", "account": account, "kind": "savings"}}))
		require.NoError(t, err)
	}
	standing := func() string {
		t.Helper()
		set, err := client.Read[client.Methods](o.as("r1").GetMethods(ctx, "r1"))
		require.NoError(t, err)
		return *set.Methods[0].Standing
	}
	tries := func() (client.PrenoteFile, []byte) {
		t.Helper()
		f, err := client.Read[client.PrenoteFile](o.as("fin1").BuildPrenotes(ctx, &client.BuildPrenotesParams{IdempotencyKey: client.NewKey()}, client.PrenotesRequest{Rail: rail.Name()}))
		require.NoError(t, err)
		require.Equal(t, 1, f.Accounts)
		again, err := client.Read[client.PrenoteFile](o.as("fin1").BuildPrenotes(ctx, &client.BuildPrenotesParams{IdempotencyKey: client.NewKey()}, client.PrenotesRequest{Rail: rail.Name()}))
		require.NoError(t, err, "who asks again has not had the answer")
		require.Equal(t, f, again)
		content, err := client.Bytes(o.as("aud").GetPrenotes(ctx, f.Id))
		require.NoError(t, err)
		f, err = client.Read[client.PrenoteFile](o.as("fin1").ConfirmPrenotes(ctx, f.Id, &client.ConfirmPrenotesParams{IdempotencyKey: client.NewKey()}))
		require.NoError(t, err)
		require.Equal(t, "fin1", *f.ConfirmedBy)
		return f, content
	}
	o.loadAs("admin", "participant", map[string]any{"participant_id": "aud", "effective_from": "1990-01-01", "name": "aud", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	require.NoError(t, o.store.Grant(ctx, "admin", "aud", []incentive.Role{incentive.Auditor}))

	require.NoError(t, o.store.Grant(ctx, "admin", "r1", []incentive.Role{incentive.Rep}))
	names("11112222")
	require.Equal(t, "open", standing())
	_, content := tries()
	require.Equal(t, "submitted", standing())
	trace := o.texts(`SELECT trace FROM guerdon.prenote`)[0]
	back, err := standin.SendBack(content, incentive.DateOf(time.Now()), standin.Answer{Trace: trace, Code: "R03"})
	require.NoError(t, err)
	f, err := o.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: "back.ach", UploadedBy: "fin2"}, back)
	require.NoError(t, err)
	require.NoError(t, workflows.ApplyStatusFile(ctx, o.client, f.ID))
	require.Equal(t, "refused", standing())
	_, err = client.Read[client.PrenoteFile](o.as("fin1").BuildPrenotes(ctx, &client.BuildPrenotesParams{IdempotencyKey: client.NewKey()}, client.PrenotesRequest{Rail: rail.Name()}))
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))

	names("33334444")
	second, _ := tries()
	require.False(t, second.TriedOn.Before(incentive.DateOf(time.Now()).AddDays(3)))
	require.Equal(t, "submitted", standing())
	require.NoError(t, workflows.StartPrenotes(ctx, o.client, second.Id), "starting twice changes nothing")
	storetest.Exec(t, o.databaseURL, `UPDATE guerdon.prenote_file SET tried_on = '2026-01-02'`)
	require.NoError(t, temporal.SkipTime(ctx, o.client, activities.PrenotesID(second.Id), "", 14*24*time.Hour), "the days are over")
	require.Eventually(t, func() bool { return standing() == "ready" }, time.Minute, 20*time.Millisecond)
	list, err := client.Read[client.Prenotes](o.as("aud").ListPrenotes(ctx, &client.ListPrenotesParams{}))
	require.NoError(t, err)
	require.Equal(t, []client.PrenotesToWrite{{Rail: rail.Name(), Accounts: 0}}, list.ToWrite)
	require.NotNil(t, list.Files[0].PassedAt)
	require.Equal(t, []int{0, 1}, []int{list.Files[0].Back, list.Files[1].Back})
	_, _, err = o.store.VerifyAudit(ctx)
	require.NoError(t, err)
	record(t, o.client, "ach", activities.PrenotesID(second.Id))
}
