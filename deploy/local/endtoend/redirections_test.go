package endtoend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// toSettling takes a calculated period, of people without a manager, until all that can be
// sent is.
func (o *office) toSettling(period string) {
	o.t.Helper()
	ctx := o.t.Context()
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActPublish))
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActEndWindow))
	o.await(period, incentive.Approving)
	finance := "finance"
	_, err := client.Read[client.DecisionAnswer](o.as("fin2").Decide(ctx, period, &client.DecideParams{IdempotencyKey: client.NewKey()}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved, Queue: &finance}))
	require.NoError(o.t, err)
	o.await(period, incentive.Approved)
	list, err := client.Read[client.PayoutList](o.as("fin3").GetPayoutList(ctx, period, &client.GetPayoutListParams{}))
	require.NoError(o.t, err)
	_, err = client.Read[client.ActAnswer](o.as("fin3").ReleasePeriod(ctx, period, &client.ReleasePeriodParams{IdempotencyKey: client.NewKey()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest}))
	require.NoError(o.t, err)
	o.await(period, incentive.Settling)
}

// TestRedirection pays somebody who had not said where to be paid when the payouts were
// released: one of finance asks for the destination that they name later, another one confirms
// it, and a rail that the release had nothing for pays it.
func TestRedirection(t *testing.T) {
	t.Parallel()
	const january = "m-2026-01"
	o, ctx := flatOffice(t), t.Context()
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toSettling(january)

	payout := func() client.Payout {
		all, err := client.Read[client.Payouts](o.as("fin1").ListPayouts(ctx, january, &client.ListPayoutsParams{}))
		require.NoError(t, err)
		require.Len(t, all.Payouts, 1)
		return all.Payouts[0]
	}
	held := payout()
	require.Equal(t, "held", held.State)
	require.Nil(t, held.Newer)
	redirect := func(id string, version int) error {
		_, err := client.Read[client.PayoutAnswer](o.as(id).RedirectPayout(ctx, held.Id, &client.RedirectPayoutParams{IdempotencyKey: client.NewKey()}, client.RedirectionRequest{Reason: "r1 has named an account", DestinationVersion: version}))
		return err
	}
	confirm := func(id string) error {
		_, err := client.Read[client.PayoutAnswer](o.as(id).DecidePayout(ctx, held.Id, &client.DecidePayoutParams{IdempotencyKey: client.NewKey()}, client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed}))
		return err
	}
	require.Equal(t, store.CodeNoDestination, incentive.ErrorCode(redirect("fin1", 1)))
	_, err := client.Read[client.Person](o.as("admin").PutRoles(ctx, "r1", &client.PutRolesParams{IdempotencyKey: client.NewKey()}, client.PutRolesJSONRequestBody{Roles: []client.RolesRoles{client.RolesRolesRep}}))
	require.NoError(t, err)
	_, err = client.Read[client.Destination](o.as("r1").PutDestination(ctx, "r1", &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
		client.PutDestinationJSONRequestBody{Rail: "payment-file", Details: map[string]string{"holder": "R One", "account": "DE89370400440532013000"}}))
	require.NoError(t, err)
	require.Equal(t, 1, payout().Newer.Version)
	require.NoError(t, redirect("fin1", 1))
	require.Equal(t, "fin1", payout().Redirection.ProposedBy)
	require.Equal(t, "held", payout().State, "nothing is sent yet")
	require.Equal(t, store.CodePreparer, incentive.ErrorCode(confirm("fin1")))
	require.NoError(t, confirm("fin2"))

	var files client.PaymentFiles
	require.Eventually(t, func() bool {
		files, err = client.Read[client.PaymentFiles](o.as("fin3").ListPaymentFiles(ctx, january, &client.ListPaymentFilesParams{}))
		require.NoError(t, err)
		return len(files.Files) == 1
	}, 30*time.Second, 50*time.Millisecond)
	for _, paid := range []bool{false, true} {
		_, err := client.Read[client.PaymentFile](o.as("fin3").ConfirmPaymentFile(ctx, files.Files[0].Id, &client.ConfirmPaymentFileParams{IdempotencyKey: client.NewKey()}, client.ConfirmPaymentFileJSONRequestBody{Paid: paid}))
		require.NoError(t, err)
	}
	require.Equal(t, "paid", payout().State)
	require.NoError(t, o.act("fin1", january, client.ActRequestActClose))
	o.await(january, incentive.Closed)
	require.Equal(t, "0.00", o.ledger(store.Payable))
	require.Equal(t, "-100.00", o.ledger(store.Cash))
}
