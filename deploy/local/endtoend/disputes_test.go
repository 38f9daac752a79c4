package endtoend

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

func usd(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }

// raise disputes the commission of r1 in a period.
func (o *office) raise(period string) client.Dispute {
	o.t.Helper()
	plan, component := "flat", "commission"
	d, err := client.Read[client.Dispute](o.as("r1").RaiseDispute(o.t.Context(), &client.RaiseDisputeParams{IdempotencyKey: client.NewKey()}, client.DisputeRequest{
		Period: period, Type: client.DisputeRequestTypeCalculation, Plan: &plan, Component: &component, Expected: usd(12345), Comment: "my secret comment"}))
	require.NoError(o.t, err)
	return d
}

func (o *office) answer(id string, d client.Dispute, answer client.DisputeAnswerRequest) (string, error) {
	o.t.Helper()
	answer.Text = "a secret answer"
	state, err := client.Read[client.DisputeState](o.as(id).AnswerDispute(o.t.Context(), d.Id, &client.AnswerDisputeParams{IdempotencyKey: client.NewKey()}, answer))
	return state.State, err
}

// grant accepts a dispute and has the adjustment approved by somebody else. It returns
// the adjustment's id.
func (o *office) grant(d client.Dispute, minor int64) string {
	o.t.Helper()
	amount := usd(minor)
	state, err := o.answer("fin2", d, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActAccept, Amount: &amount})
	require.NoError(o.t, err)
	require.Equal(o.t, string(incentive.DisputeGranted), state)
	list, err := client.Read[client.Adjustments](o.as("fin3").ListAdjustments(o.t.Context(), &client.ListAdjustmentsParams{Period: &d.Period}))
	require.NoError(o.t, err)
	for _, a := range list.Adjustments {
		if a.Dispute != nil && *a.Dispute == d.Id {
			_, err := client.Read[client.Adjustment](o.as("fin1").DecideAdjustment(o.t.Context(), a.Id, &client.DecideAdjustmentParams{IdempotencyKey: client.NewKey()},
				client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecisionApproved}))
			require.NoError(o.t, err)
			return a.Id
		}
	}
	require.Fail(o.t, "no adjustment answers the dispute")
	return ""
}

func (o *office) dispute(id string) client.Dispute {
	o.t.Helper()
	d, err := client.Read[client.Dispute](o.as("r1").GetDispute(o.t.Context(), id))
	require.NoError(o.t, err)
	return d
}

// TestDisputes answers disputes in every way, before a period is paid and after it.
func TestDisputes(t *testing.T) {
	t.Parallel()
	o := flatOffice(t)
	ctx := t.Context()
	const january, february = "m-2026-01", "m-2026-02"
	require.NoError(t, o.store.Grant(ctx, "admin", "r1", []incentive.Role{incentive.Rep}))
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActPublish))

	d := o.raise(january)
	require.Nil(t, d.Handler, "nobody is above r1: finance")
	require.Eventually(t, func() bool { return o.dispute(d.Id).AnswerBy != nil }, time.Minute, 20*time.Millisecond, "an answer is promised")
	added, err := o.as("r1").AddEvidenceFile(ctx, client.NewKey(), d.Id, client.File{Name: "contract.txt", Content: strings.NewReader("the secret contract")})
	require.NoError(t, err)
	response, err := o.as("fin1").GetEvidence(ctx, d.Id, added.Id)
	require.NoError(t, err)
	require.Equal(t, `attachment; filename=contract.txt`, response.Header.Get("Content-Disposition"))
	require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
	content, err := client.Bytes(response, nil)
	require.NoError(t, err)
	require.Equal(t, "the secret contract", string(content))

	// A reminder, and the conversation.
	require.NoError(t, temporal.SkipTime(ctx, o.client, activities.DisputeID(d.Id), "", 4*24*time.Hour))
	require.Eventually(t, func() bool {
		told, err := o.store.Notifications(ctx, "fin1", 0, 100)
		require.NoError(t, err)
		return slices.ContainsFunc(told, func(n store.Notification) bool { return n.Kind == notice.DisputeReminder })
	}, time.Minute, 20*time.Millisecond)
	state, err := o.answer("fin2", d, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActAsk})
	require.NoError(t, err)
	require.Equal(t, string(incentive.DisputeWaiting), state)
	_, err = o.answer("fin2", d, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActAsk})
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))
	text := "a secret reply"
	_, err = client.Read[client.DisputeState](o.as("r1").ReplyToDispute(ctx, d.Id, &client.ReplyToDisputeParams{IdempotencyKey: client.NewKey()}, client.DisputeReply{Act: client.DisputeReplyActReply, Text: &text}))
	require.NoError(t, err)

	// Accepted: withdrawn, and calculated again with that adjustment and nothing else.
	o.deal("d2", "2026-01-11", "700")
	adjustment := o.grant(d, 1500)
	require.Equal(t, string(incentive.DisputeAccepted), o.dispute(d.Id).State)
	reason := "a dispute was accepted"
	_, err = client.Read[client.ActAnswer](o.as("fin1").ActOnPeriod(ctx, january, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, client.ActOnPeriodJSONRequestBody{Act: client.ActRequestActWithdraw, Reason: &reason}))
	require.NoError(t, err)
	changes := []client.Change{{Kind: client.ChangeKindAdjustment, Id: adjustment}}
	_, err = client.Read[client.ActAnswer](o.as("fin1").ActOnPeriod(ctx, january, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, client.ActOnPeriodJSONRequestBody{Act: client.ActRequestActRecalculate, Changes: &changes}))
	require.NoError(t, err)
	o.await(january, incentive.Calculated)
	results := o.results(january)
	require.Equal(t, "100.00", results["r1 flat commission"])
	require.Equal(t, "15.00", results["r1  Adjustment"])
	o.toClosed(january)
	require.Equal(t, "-115.00", o.ledger(store.Cash))

	// Late: rejected, and granted into the next period.
	rejected := o.raise(january)
	require.True(t, rejected.Late)
	state, err = o.answer("fin1", rejected, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActReject})
	require.NoError(t, err)
	require.Equal(t, string(incentive.DisputeRejected), state)
	late := o.raise(january)
	o.grant(late, 500)
	o.calculate(february)
	results = o.results(february)
	require.Equal(t, "5.00", results["r1  Adjustment"])
	require.Equal(t, "70.00", results["r1 flat commission"], "the deal that came after January's lock")
	s, err := client.Read[client.Statement](o.as("fin1").GetStatement(ctx, february, "r1", &client.GetStatementParams{}))
	require.NoError(t, err)
	require.Equal(t, "adjustment (dispute) of m-2026-01, by dispute "+late.Id+": 5", s.Lines[len(s.Lines)-1].InWords[0])
	o.toClosed(february)
	require.Equal(t, "-190.00", o.ledger(store.Cash))
	var replayed activities.Replayed
	require.Eventually(t, func() bool {
		replayed, err = worker.Replay(ctx, o.store, january, 1)
		return err == nil && replayed.Histories > 0 && replayed.Disputes == 3
	}, time.Minute, 100*time.Millisecond, "the period and its three disputes are archived")
	require.Empty(t, replayed.Unarchived)
	require.Empty(t, replayed.CutShort)
	record(t, o.client, "granted", activities.DisputeID(d.Id), activities.ArchiveDisputeID(d.Id))
	_, err = o.store.VerifyLedger(ctx)
	require.NoError(t, err)
	_, _, err = o.store.VerifyAudit(ctx)
	require.NoError(t, err)
}

// TestSupplementByFile pays a supplement while the first payment file is still on its way:
// the disbursement that looks after it hears of the second one.
func TestSupplementByFile(t *testing.T) {
	t.Parallel()
	o := flatOffice(t)
	ctx := t.Context()
	const january = "m-2026-01"
	o.loadAs("admin", "participant", map[string]any{"participant_id": "r2", "effective_from": "2025-01-01", "name": "R Two", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "r2", "plan_id": "flat", "calendar_id": "m", "starts_on": "2026-01-01"})
	for n, id := range []string{"r1", "r2"} {
		require.NoError(t, o.store.Grant(ctx, "admin", id, []incentive.Role{incentive.Rep}))
		_, err := client.Read[client.Destination](o.as(id).PutDestination(ctx, id, &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
			client.PutDestinationJSONRequestBody{Rail: "payment-file", Details: map[string]string{"holder": id, "account": iban(n)}}))
		require.NoError(t, err)
	}
	o.deal("d1", "2026-01-10", "1000")
	_, _, err := o.store.Load(ctx, store.Import{Kind: "transaction", FileName: "deals", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "admin"}, func(l *store.Loading) error {
		return l.Put(ctx, "credit", []store.Row{{Key: "d1", Record: map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "r2", "role": "helper", "share": "0.5"}}})
	})
	require.NoError(t, err)
	o.calculate(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActPublish))
	d := o.raise(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActEndWindow))
	require.Equal(t, 2, o.decides(january, "fin3", store.FinanceQueue, client.DecisionRequestDecisionApproved).Applied)
	o.await(january, incentive.Approved)
	files := func(n int) []client.PaymentFile {
		var list client.PaymentFiles
		require.Eventually(t, func() bool {
			list, err = client.Read[client.PaymentFiles](o.as("fin2").ListPaymentFiles(ctx, january, &client.ListPaymentFilesParams{}))
			require.NoError(t, err)
			return len(list.Files) == n
		}, time.Minute, 20*time.Millisecond, "%d files", n)
		return list.Files
	}
	confirm := func(f client.PaymentFile, paid bool) {
		_, err := client.Read[client.PaymentFile](o.as("fin2").ConfirmPaymentFile(ctx, f.Id, &client.ConfirmPaymentFileParams{IdempotencyKey: client.NewKey()}, client.ConfirmPaymentFileJSONRequestBody{Paid: paid}))
		require.NoError(t, err)
	}
	o.releases(january)
	first := files(1)[0]
	require.Equal(t, usd(5000), first.Total, "of r2; what r1 disputes is held")
	confirm(first, false)
	o.await(january, incentive.Settling)
	_, err = o.answer("fin1", d, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActReject})
	require.NoError(t, err)
	require.Equal(t, 1, o.releases(january).Supplement)
	both := files(2)
	require.Equal(t, []incentive.Money{usd(5000), usd(10000)}, []incentive.Money{both[0].Total, both[1].Total})
	confirm(both[1], false)
	o.await(january, incentive.Settling)
	confirm(both[1], true)
	both = files(2)
	require.Equal(t, []bool{false, true}, []bool{both[0].Settled, both[1].Settled})
	require.Equal(t, store.CodePayoutsOpen, incentive.ErrorCode(o.act("fin1", january, client.ActRequestActClose)))
	confirm(both[0], true)
	require.NoError(t, o.act("fin1", january, client.ActRequestActClose))
	require.Equal(t, "-150.00", o.ledger(store.Cash))
	require.Eventually(t, func() bool {
		replayed, err := worker.Replay(ctx, o.store, january, 1)
		return err == nil && replayed.Histories > 0 && len(replayed.CutShort) == 0
	}, time.Minute, 100*time.Millisecond)
	record(t, o.client, "supplement", activities.PayPeriodID(january, 1), activities.DisburseID(january, 1, "payment-file"))
}
