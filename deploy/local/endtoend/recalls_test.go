package endtoend

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
)

// TestRecalls takes a payout back from Stripe once its period is closed: a part, of which the
// answer is lost, nothing where the money is gone, and then the rest. Stripe tells of each.
func TestRecalls(t *testing.T) {
	t.Parallel()
	const january, secret = "m-2026-01", "whsec_x"
	e := newEar(t)
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 10_000_00}, AnyAccount: true,
		WebhookURL: e.at(stripe.Name), WebhookSecret: secret, WebhookRetry: 10 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{secret}, BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	o, ctx := officeWith(t, rail), t.Context()
	o.flat()
	e.listens(o.house, rail)
	_, err = o.store.SetDestination(ctx, "r1", store.Destination{ParticipantID: "r1", Rail: stripe.Name, Details: map[string]string{"account": "acct_r1"}, Masked: "acct_…"})
	require.NoError(t, err)
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toSettling(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActClose))
	o.await(january, incentive.Closed)
	payout := func() client.Payout {
		all, err := client.Read[client.Payouts](o.as("fin1").ListPayouts(ctx, january, &client.ListPayoutsParams{}))
		require.NoError(t, err)
		return all.Payouts[0]
	}
	id := payout().Id
	require.Equal(t, client.Recallable{Amount: usd(100_00), InPart: true}, *payout().Recallable)
	recall := func(cents int64) error {
		amount := usd(cents)
		answer, err := client.Read[client.PayoutAnswer](o.as("fin1").RecallPayout(ctx, id, &client.RecallPayoutParams{IdempotencyKey: client.NewKey()}, client.RecallRequest{Reason: "paid too much", Amount: &amount}))
		if err == nil {
			require.True(t, *answer.Waits)
		}
		return err
	}
	decide := func(who string) error {
		_, err := client.Read[client.PayoutAnswer](o.as(who).DecidePayout(ctx, id, &client.DecidePayoutParams{IdempotencyKey: client.NewKey()}, client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed}))
		return err
	}
	ends := func(cents int64, state store.RecallState) {
		t.Helper()
		require.NoError(t, recall(cents))
		require.Equal(t, "fin1", payout().Proposal.ProposedBy)
		require.Equal(t, store.CodePreparer, incentive.ErrorCode(decide("fin1")))
		require.NoError(t, decide("fin2"))
		require.NoError(t, decide("fin2"), "asked for again, nothing more is done")
		require.Eventually(t, func() bool {
			r := payout().Recall
			return r != nil && r.Amount == usd(cents) && r.State == string(state)
		}, 90*time.Second, 50*time.Millisecond, "%+v", payout().Recall)
	}
	back := func() int64 { return bank.Report()[0].Transfers[0].AmountReversed }

	require.NoError(t, bank.SetFaults(standin.Fault{Kind: standin.CommitThenDrop, Method: "POST", Path: "/v1/transfers/", Times: 1}, standin.Fault{Kind: standin.Unavailable, Method: "GET", Path: "/v1/transfers", Times: 1}))
	ends(40_00, store.RecallDone)
	require.EqualValues(t, 40_00, back(), "once, though its answer was lost")
	require.Equal(t, []any{"paid", usd(40_00), usd(60_00)}, []any{payout().State, *payout().Recalled, payout().Recallable.Amount})
	require.Equal(t, "-40.00", o.ledger(store.Payable))
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(recall(60_01)))

	require.NoError(t, bank.SetFaults(standin.Fault{Kind: standin.Insufficient, Method: "POST", Path: "/v1/transfers/", Times: 1}))
	ends(50_00, store.RecallRefused)
	require.EqualValues(t, 40_00, back())
	require.Equal(t, "balance_insufficient", payout().Recall.Code)
	require.Equal(t, "-40.00", o.ledger(store.Payable), "what is not given back is not owed again")

	ends(60_00, store.RecallDone)
	require.EqualValues(t, 100_00, back())
	require.Equal(t, []string{"cancelled", "recalled"}, []string{payout().State, payout().Reason})
	require.Equal(t, "-100.00", o.ledger(store.Payable))
	require.Equal(t, "0.00", o.ledger(store.Cash))
	told := o.effects(3)
	require.Zero(t, told["unclear"]+told["not-ours"], "%v", told)
	_, err = activities.Verify(ctx, o.store, january, 1)
	require.NoError(t, err)
	recordOf(t, o.client, "stripe-recall", "Recall")
}
