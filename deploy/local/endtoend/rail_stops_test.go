package endtoend

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
)

// TestStoppedRail sends nothing by a rail that holds less than is to be paid, stops it in
// mid-run when its key expires, with no payout failed, and goes on, or sets aside what is
// left, when a person says so. Everybody is paid once.
func TestStoppedRail(t *testing.T) {
	t.Parallel()
	const january, total = "m-2026-01", fullTeam * (fullTeam + 1) / 2 * 100
	o, bank := fullOffice(t)
	ctx := t.Context()
	require.NoError(t, bank.Fund("usd", 1_000_00-1_000_000_00))
	o.calculate(january)
	o.approves(january, fullTeam)
	rehearsal, err := client.Read[client.Rehearsal](o.as("fin1").RehearseRelease(ctx, january))
	require.NoError(t, err)
	require.Len(t, rehearsal.Rails, 1)
	would := rehearsal.Rails[0]
	require.Equal(t, []any{"stripe", fullTeam, usd(total), usd(1_000_00), "balance-too-small"}, []any{would.Rail, would.Payouts, would.Total, *would.Available, *would.Problem})
	require.Empty(t, bank.Report(), "a rehearsal sends nothing")
	o.releases(january)
	stop := func(code string) (one client.RailStop) {
		t.Helper()
		require.Eventually(t, func() bool {
			list, err := client.Read[client.PayoutList](o.as("fin1").GetPayoutList(ctx, january, &client.GetPayoutListParams{}))
			require.NoError(t, err)
			if len(list.Stops) == 1 {
				one = list.Stops[0]
			}
			return one.Code == code
		}, time.Minute, 50*time.Millisecond, code)
		return one
	}
	stands := func() map[string]int {
		all, err := client.Read[client.Payouts](o.as("fin1").ListPayouts(ctx, january, &client.ListPayoutsParams{}))
		require.NoError(t, err)
		counts := map[string]int{}
		for _, one := range all.Payouts {
			counts[one.State]++
		}
		return counts
	}
	decide := func(decision client.RailStopDecisionRequestDecision) error {
		_, err := client.Read[client.RailAnswer](o.as("fin1").DecideRailStop(ctx, january, "stripe", &client.DecideRailStopParams{IdempotencyKey: client.NewKey()}, client.RailStopDecisionRequest{Decision: decision, Reason: "it is mended"}))
		return err
	}

	short := stop("balance-too-small")
	require.Equal(t, []incentive.Money{usd(1_000_00), usd(total)}, []incentive.Money{*short.Available, *short.Needed})
	require.Equal(t, map[string]int{"planned": fullTeam}, stands())
	require.Empty(t, bank.Report(), "nothing was sent")
	require.Equal(t, 1, o.needs(january, client.ChecklistItemItemStoppedRails))

	require.NoError(t, bank.Fund("usd", 100_000_00))
	require.NoError(t, bank.SetFaults(standin.Fault{Kind: standin.ExpiredKey, Method: http.MethodPost, Path: "/v1/transfers", Skip: 10}))
	require.NoError(t, decide(client.RailStopDecisionRequestDecisionResumed))
	stop("api_key_expired")
	require.Equal(t, map[string]int{"paid": 10, "planned": fullTeam - 10}, stands(), "no payout has failed")
	o.await(january, incentive.Disbursing)

	require.NoError(t, decide(client.RailStopDecisionRequestDecisionSetAside))
	o.await(january, incentive.Settling)
	require.Equal(t, map[string]int{"paid": 10, "failed": fullTeam - 10}, stands())
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(decide(client.RailStopDecisionRequestDecisionResumed)), "it is not stopped any more")

	require.NoError(t, bank.SetFaults())
	all, err := client.Read[client.Payouts](o.as("fin1").ListPayouts(ctx, january, &client.ListPayoutsParams{}))
	require.NoError(t, err)
	for _, one := range all.Payouts {
		if one.State == "failed" {
			require.Equal(t, "api_key_expired", one.Reason)
			_, err := client.Read[client.PayoutAnswer](o.as("fin1").RetryPayout(ctx, one.Id, &client.RetryPayoutParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: "there is a new key"}))
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return stands()["paid"] == fullTeam }, time.Minute, 50*time.Millisecond)
	for _, group := range bank.Report() {
		require.Len(t, group.Transfers, 1, group.TransferGroup)
	}
	require.NoError(t, o.act("fin1", january, client.ActRequestActClose))
	o.await(january, incentive.Closed)
	require.Equal(t, "0.00", o.ledger(store.Payable))
	require.Equal(t, "-1830.00", o.ledger(store.Cash))
}

// TestAStormOfErrors has a rail answer nothing but errors for an hour: it stops, no payout
// becomes an exception, and it goes on by itself. What was paid before its answer was lost is
// found, and everybody is paid once.
func TestAStormOfErrors(t *testing.T) {
	t.Parallel()
	const reps = 60
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	storm := []standin.Fault{
		{Kind: standin.CommitThenDrop, Method: http.MethodPost, Path: "/v1/transfers", Skip: 20, Times: 5},
		{Kind: standin.Unavailable, Method: http.MethodPost, Path: "/v1/transfers", Skip: 20},
		{Kind: standin.Unavailable, Method: http.MethodGet, Path: "/v1/transfers"},
	}
	require.NoError(t, bank.SetFaults(storm...))
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	h.release(reps)
	ctx := t.Context()
	stopped := func() int {
		stops, err := h.store.RailStops(ctx, period, 1)
		require.NoError(t, err)
		for _, stop := range stops {
			require.Equal(t, string(store.CodeRailAway), stop.Code)
		}
		return len(stops)
	}
	require.Eventually(t, func() bool { return stopped() == 1 }, time.Minute, 20*time.Millisecond)
	disbursement := activities.DisburseID(period, 1, stripe.Name)
	require.NoError(t, temporal.SkipTime(ctx, h.client, disbursement, "", time.Hour))
	require.Equal(t, 1, stopped(), "it is away still")
	require.Zero(t, h.count(`SELECT count(*) FROM guerdon.payout WHERE state NOT IN ('planned', 'paid')`), "no payout is an exception")
	require.Less(t, len(bank.Report()), reps)

	require.NoError(t, bank.SetFaults())
	require.NoError(t, temporal.SkipTime(ctx, h.client, disbursement, "", 10*time.Minute))
	h.closed(reps)
	once(t, bank, reps)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM guerdon.audit_event WHERE act = 'resume-rail' AND actor = 'system'`))
}
