package endtoend

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

func TestMain(m *testing.M) {
	processes.RunIfAsked()
	os.Exit(m.Run())
}

// site is a house whose parts are processes, each of which can be killed and started
// again, with a bank outside that stays.
type site struct {
	*office
	*processes.House
	bank *standin.Running
}

// build starts every process of a house.
func build(t *testing.T) *site {
	t.Helper()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: processes.APIKey, Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	h, err := processes.Build(t.Context(), processes.Options{Rails: map[string]string{stripe.Name: bank.URL, processes.PaymentFile: ""}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return &site{House: h, bank: bank, office: &office{house: &house{t: t, currency: "USD", store: h.Store, client: h.Client, databaseURL: h.DatabaseURL}, url: h.URL}}
}

// TestARestoredBackup puts a house back as it was while a period was paid, with all that was paid
// since at the rail and not on record. Nothing is sent until finance has compared the rail and
// cleared it, and nothing that the rail may have paid is sent again by itself then.
func TestARestoredBackup(t *testing.T) {
	t.Parallel()
	const reps = 200
	s, ctx := build(t), t.Context()
	s.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	require.NoError(t, s.bank.SetFaults(standin.Fault{Kind: standin.Unavailable, Method: http.MethodPost, Path: "/v1/transfers", Skip: 20}))
	s.release(reps)
	require.Eventually(t, func() bool {
		stops, err := s.store.RailStops(ctx, period, 1)
		require.NoError(t, err)
		return len(stops) == 1
	}, time.Minute, 20*time.Millisecond, "what is paid afterwards is not on record in the backup")
	data, backup := filepath.Join(s.Directory, "postgres"), filepath.Join(s.Directory, "backup")
	down := func() {
		for _, name := range slices.Backward(processes.All) {
			s.kill(name)
		}
	}
	up := func() {
		for _, name := range processes.All {
			s.start(name)
		}
	}
	down()
	require.NoError(t, exec.Command("cp", "-a", data, backup).Run())
	up()
	require.NoError(t, s.bank.SetFaults())
	err := s.store.DecideRailStop(ctx, "fin", period, 1, stripe.Name, true, s.writes("it answers again"))
	require.Contains(t, []incentive.Code{"", incentive.CodeConflict}, incentive.ErrorCode(err), "it may have gone on by itself")
	require.NoError(t, workflows.TellDisbursement(ctx, s.client, period, 1, stripe.Name))
	s.await(period, incentive.Settling)
	require.Len(t, s.bank.Report(), reps)

	down()
	require.NoError(t, os.RemoveAll(data))
	require.NoError(t, os.Rename(backup, data))
	up()
	require.NoError(t, s.store.Grant(ctx, "fin", "fin", []incentive.Role{incentive.Finance}))
	token, err := s.store.NewToken(ctx, "fin", "fin", "test", time.Hour)
	require.NoError(t, err)
	finance, err := client.New(s.url, token)
	require.NoError(t, err)
	var is client.Sending
	require.Eventually(t, func() bool {
		is, err = client.Read[client.Sending](finance.GetSending(ctx))
		return err == nil && is.Locked
	}, time.Minute, 50*time.Millisecond)
	require.Equal(t, client.SendingCodeForeignPayments, *is.Code)
	require.Equal(t, stripe.Name, *is.Rail)
	require.Greater(t, *is.Payments, 50)
	clears := func() error {
		_, err := client.Read[client.Sending](finance.ClearSending(ctx, &client.ClearSendingParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: "all is compared"}))
		return err
	}
	require.Equal(t, store.CodeNotCompared, incentive.ErrorCode(clears()))
	for _, one := range is.ToCompare {
		found, err := client.Read[client.Reconciliation](finance.Reconcile(ctx, &client.ReconcileParams{IdempotencyKey: client.NewKey()}, client.ReconciliationRequest(one)))
		require.NoError(t, err)
		if found.Differences == 0 {
			continue
		}
		numbers := make([]int, found.Differences)
		for i := range numbers {
			numbers[i] = i + 1
		}
		_, err = client.Read[client.Reconciliation](finance.ExplainDifferences(ctx, found.Id, &client.ExplainDifferencesParams{IdempotencyKey: client.NewKey()}, client.ExplanationRequest{Differences: numbers, Reason: "it was paid after the backup"}))
		require.NoError(t, err)
	}
	require.NoError(t, clears())
	require.Eventually(t, func() bool {
		return s.count(`SELECT count(*) FROM guerdon.payout WHERE state IN ('planned', 'submitted')`) == 0
	}, 2*time.Minute, 50*time.Millisecond, "what has an attempt is looked up")
	waits := s.count(`SELECT count(*) FROM guerdon.payout WHERE state = 'failed' AND reason = 'restored'`)
	require.Equal(t, *is.Payments, waits, "and a person decides about the rest")
	require.Equal(t, reps-waits, s.count(`SELECT count(*) FROM guerdon.payout WHERE state = 'paid'`))
	once(t, s.bank, reps)
}

// writes keeps a reason.
func (s *site) writes(reason string) string {
	s.t.Helper()
	id, err := s.store.WriteText(s.t.Context(), "fin", reason)
	require.NoError(s.t, err)
	return id
}

// start starts a process again.
func (s *site) start(name string) {
	s.t.Helper()
	require.NoError(s.t, s.Start(s.t.Context(), name))
}

// kill kills a process.
func (s *site) kill(name string) {
	s.t.Helper()
	require.NoError(s.t, s.Kill(s.t.Context(), name))
}
