package endtoend

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
	"github.com/guerdon/guerdon/payments/answers"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// TestThePeriodAfterAReturn holds what would go to an account from which the last payment came back, through the
// API: it goes on once its owner has said that the account is right, and what goes to another account is paid.
func TestThePeriodAfterAReturn(t *testing.T) {
	t.Parallel()
	template, err := answers.Parse([]byte("reference: Ref\nstatus: Status\nreason: Remarks\npaid: [Done]\nrefused: [Failed]\nreturned: [Returned]\naccount: [Account closed]\n"))
	require.NoError(t, err)
	rail, err := answers.Reads(paymentfile.New("payment-file", "Test"), template)
	require.NoError(t, err)
	o, ctx := officeWith(t, rail), t.Context()
	o.flat()
	_, err = o.store.PutPolicy(ctx, "admin", "m", "payouts: {change_waits_days: 0}")
	require.NoError(t, err)
	require.NoError(t, o.store.Grant(ctx, "admin", "r1", []incentive.Role{incentive.Rep}))
	names := func(account string) {
		t.Helper()
		_, err := client.Read[client.Destination](o.as("r1").PutDestination(ctx, "r1", &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
			client.DestinationRequest{Rail: rail.Name(), Details: map[string]string{"holder": "R", "account": account}}))
		require.NoError(t, err)
	}
	approves := func(period string) {
		t.Helper()
		o.calculate(period)
		require.NoError(t, o.act("fin1", period, client.ActRequestActPublish))
		require.NoError(t, o.act("fin1", period, client.ActRequestActEndWindow))
		o.await(period, incentive.Approving)
		finance := "finance"
		_, err := client.Read[client.DecisionAnswer](o.as("fin2").Decide(ctx, period, &client.DecideParams{IdempotencyKey: client.NewKey()}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved, Queue: &finance}))
		require.NoError(t, err)
		o.await(period, incentive.Approved)
	}
	releases := func(period string) {
		t.Helper()
		list, err := client.Read[client.PayoutList](o.as("fin3").GetPayoutList(ctx, period, &client.GetPayoutListParams{}))
		require.NoError(t, err)
		_, err = client.Read[client.ActAnswer](o.as("fin3").ReleasePeriod(ctx, period, &client.ReleasePeriodParams{IdempotencyKey: client.NewKey()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest}))
		require.NoError(t, err)
	}
	payout := func(period string) client.Payout {
		t.Helper()
		list, err := client.Read[client.Payouts](o.as("fin1").ListPayouts(ctx, period, &client.ListPayoutsParams{}))
		require.NoError(t, err)
		require.Len(t, list.Payouts, 1)
		return list.Payouts[0]
	}
	sends := func(period string) {
		t.Helper()
		var files client.PaymentFiles
		require.Eventually(t, func() bool {
			files, err = client.Read[client.PaymentFiles](o.as("fin3").ListPaymentFiles(ctx, period, &client.ListPaymentFilesParams{}))
			require.NoError(t, err)
			return len(files.Files) == 1
		}, time.Minute, 20*time.Millisecond)
		_, err = client.Read[client.PaymentFile](o.as("fin3").ConfirmPaymentFile(ctx, files.Files[0].Id, &client.ConfirmPaymentFileParams{IdempotencyKey: client.NewKey()}, client.ConfirmPaymentFileJSONRequestBody{}))
		require.NoError(t, err)
	}
	says := func(period, status, remarks string) {
		t.Helper()
		f, err := o.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: "list.csv", UploadedBy: "fin2"}, fmt.Appendf(nil, "Ref,Status,Remarks\n%s,%s,%s\n", payout(period).Id, status, remarks))
		require.NoError(t, err)
		require.NoError(t, workflows.ApplyStatusFile(ctx, o.client, f.ID))
	}
	account := func() client.Method {
		t.Helper()
		set, err := client.Read[client.Methods](o.as("r1").GetMethods(ctx, "r1"))
		require.NoError(t, err)
		return set.Methods[0]
	}
	comesBack := func(period string) {
		t.Helper()
		says(period, "Returned", "account CLOSED")
		require.Equal(t, []string{"returned", "refused", "Returned"}, []string{payout(period).State, *account().Standing, *account().RefusedCode})
		_, err = client.Read[client.PayoutAnswer](o.as("fin1").CancelPayout(ctx, payout(period).Id, &client.CancelPayoutParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: "the next period pays it"}))
		require.NoError(t, err)
	}

	names("DE89 3704 0044 0532 0130 00")
	o.deal("d1", "2026-01-10", "1000")
	approves("m-2026-01")
	releases("m-2026-01")
	sends("m-2026-01")
	require.Nil(t, account().Standing)
	comesBack("m-2026-01")

	o.deal("d2", "2026-02-10", "1000")
	approves("m-2026-02")
	held := payout("m-2026-02")
	require.Equal(t, []string{"200.00", "held", string(policy.AccountRefused)}, []string{held.Amount.Amount(), held.State, held.Reason})
	_, err = client.Read[client.Methods](o.as("fin1").ConfirmAccount(ctx, "r1", account().Id, &client.ConfirmAccountParams{IdempotencyKey: client.NewKey()}))
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), "its owner alone knows")
	require.Equal(t, "held", payout("m-2026-02").State)
	confirmed, err := client.Read[client.Methods](o.as("r1").ConfirmAccount(ctx, "r1", account().Id, &client.ConfirmAccountParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	require.Nil(t, confirmed.Methods[0].Standing)
	require.Equal(t, "planned", payout("m-2026-02").State)
	releases("m-2026-02")
	sends("m-2026-02")
	comesBack("m-2026-02")

	names("GB33 BUKB 2020 1555 5555 55")
	require.Nil(t, account().Standing)
	approves("m-2026-03")
	require.Equal(t, []string{"200.00", "planned"}, []string{payout("m-2026-03").Amount.Amount(), payout("m-2026-03").State})
	releases("m-2026-03")
	sends("m-2026-03")
	says("m-2026-03", "Done", "")
	o.await("m-2026-03", incentive.Settling)
	require.Equal(t, "paid", payout("m-2026-03").State)
	_, err = activities.Verify(ctx, o.store, "m-2026-03", 0)
	require.NoError(t, err)
}
