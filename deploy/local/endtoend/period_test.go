// Package endtoend runs whole pay periods on a real PostgreSQL and a real Temporal server.
package endtoend

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
	"github.com/guerdon/guerdon/worker"
	"github.com/guerdon/guerdon/workflows"
)

// house is everything that runs: PostgreSQL, Temporal, a worker and a company.
type house struct {
	t           *testing.T
	store       *store.Store
	client      client.Client
	databaseURL string
	currency    string // of the company that is made
	prizes      int64  // what its contests pay in all, in minor units
}

func start(t *testing.T, rails ...payments.Rail) *house {
	t.Helper()
	return startOver(t, func(*store.Store) []payments.Rail { return rails })
}

// startOver starts a house of which some rails work on its store.
func startOver(t *testing.T, railsOver func(*store.Store) []payments.Rail) *house {
	t.Helper()
	return startWith(t, worker.Config{}, railsOver)
}

// startWith starts a house whose worker is set up otherwise; without railsOver its rails are those of config.
func startWith(t *testing.T, config worker.Config, railsOver func(*store.Store) []payments.Rail) *house {
	t.Helper()
	s, url := storetest.NewWithURL(t)
	server, err := temporal.Start(t.Context(), temporal.Options{DatabaseURL: url, UIPort: -1, TimeSkipping: true, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	c, err := client.Dial(client.Options{HostPort: server.Address(), Namespace: server.Namespace(), Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	if railsOver != nil {
		config.Rails, err = payments.NewRegistry(railsOver(s)...)
		require.NoError(t, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	config.Client, config.Namespace, config.Store, config.Log = c, server.Namespace(), s, slog.New(slog.DiscardHandler)
	go func() { ended <- worker.Run(ctx, config) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	h := &house{t: t, store: s, client: c, databaseURL: url, currency: "USD"}
	t.Cleanup(h.tellsNothing)
	return h
}

// count asks the database, past the store.
func (h *house) count(sql string) (n int) {
	h.t.Helper()
	connection, err := pgx.Connect(h.t.Context(), h.databaseURL)
	require.NoError(h.t, err)
	defer connection.Close(context.Background())
	require.NoError(h.t, connection.QueryRow(h.t.Context(), sql).Scan(&n))
	return n
}

// texts asks the database, past the store.
func (h *house) texts(sql string, arguments ...any) []string {
	h.t.Helper()
	connection, err := pgx.Connect(h.t.Context(), h.databaseURL)
	require.NoError(h.t, err)
	defer connection.Close(context.Background())
	rows, err := connection.Query(h.t.Context(), sql, arguments...)
	require.NoError(h.t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(h.t, err)
	return found
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func (h *house) load(kind string, records ...map[string]any) {
	h.t.Helper()
	h.loadAs("fin", kind, records...)
}

func (h *house) loadAs(by, kind string, records ...map[string]any) {
	h.t.Helper()
	rows := make([]store.Row, len(records))
	for i, record := range records {
		rows[i] = store.Row{File: "test", Line: i + 1, Key: "it", Record: record}
	}
	done, held, err := h.store.Load(h.t.Context(), store.Import{Kind: kind, FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: by}, func(l *store.Loading) error {
		return l.Put(h.t.Context(), kind, rows)
	})
	require.NoError(h.t, err)
	require.Empty(h.t, held)
	require.Equal(h.t, len(records), done.Added)
}

// do sends an act to a period's workflow and returns its answer.
func (h *house) do(period string, act incentive.Act, actor string, digest []byte, reason string) workflows.Answer {
	h.t.Helper()
	if reason != "" {
		id, err := h.store.WriteText(h.t.Context(), actor, reason)
		require.NoError(h.t, err)
		reason = id
	}
	handle, err := h.client.UpdateWorkflow(h.t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: activities.PayPeriodID(period, 1), UpdateName: string(act), WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{workflows.ActInput{Actor: actor, PayoutListDigest: digest, ReasonID: reason}},
	})
	require.NoError(h.t, err)
	var a workflows.Answer
	require.NoError(h.t, handle.Get(h.t.Context(), &a))
	return a
}

// await waits until a period is in a state.
func (h *house) await(period string, want incentive.State) {
	h.t.Helper()
	h.awaitWithin(2*time.Minute, period, want)
}

func (h *house) awaitWithin(limit time.Duration, period string, want incentive.State) {
	h.t.Helper()
	var last incentive.State
	require.Eventually(h.t, func() bool {
		p, err := h.store.PeriodRevision(h.t.Context(), period, 0)
		require.NoError(h.t, err)
		last = p.State
		return last == want
	}, limit, 20*time.Millisecond, "the period should be %s", want)
}

func (h *house) decide(period, queue, decision string) workflows.DecideAnswer {
	h.t.Helper()
	set := store.DecisionSet{ID: newUUID(), PeriodID: period, Revision: 1, Queue: queue, Decision: decision, DecidedBy: queue}
	if queue == store.FinanceQueue {
		set.DecidedBy = "fin3"
	}
	require.NoError(h.t, h.store.KeepDecisionSet(h.t.Context(), set))
	handle, err := h.client.UpdateWorkflow(h.t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: activities.ApprovalID(period, 1, queue), UpdateName: workflows.DecideUpdate, WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{set.ID},
	})
	require.NoError(h.t, err)
	var a workflows.DecideAnswer
	require.NoError(h.t, handle.Get(h.t.Context(), &a))
	return a
}

const plan = `language: 1
plan: simple
name: Simple commission
currency: USD
reads:
  participant: {commission_rate: number}
components:
  - name: commission
    measure: {sum: credits}
    rate: participant.commission_rate
`

// company fills the house with reps of one manager, each with one deal and a destination
// on the rail. The nth rep's commission is n dollars and a cent.
func (h *house) company(reps int, rail string, details func(id string) map[string]string) {
	h.t.Helper()
	ctx := h.t.Context()
	require.NoError(h.t, h.store.SetCompany(ctx, store.System, "Test", "Asia/Jakarta"))
	var people, deals, credits, assignments []map[string]any
	person := func(id, manager string) {
		row := map[string]any{"participant_id": id, "effective_from": "2026-01-01", "name": "Name " + id, "email": id + "@example.com", "kind": "contractor",
			"country": "DE", "pay_currency": h.currency, "attributes": map[string]string{"commission_rate": "0.1"}}
		if manager != "" {
			row["manager_id"] = manager
		}
		people = append(people, row)
	}
	person("fin", "")
	person("fin2", "")
	person("fin3", "")
	person("boss", "")
	for n := range reps {
		id := fmt.Sprintf("rep%04d", n+1)
		person(id, "boss")
		deals = append(deals, map[string]any{"source": "crm", "transaction_id": id, "date": "2026-10-05", "amount": fmt.Sprintf("%d.1", (n+1)*10), "currency": h.currency, "attributes": map[string]string{}})
		credits = append(credits, map[string]any{"source": "crm", "transaction_id": id, "participant_id": id, "role": "owner", "share": "1"})
		assignments = append(assignments, map[string]any{"participant_id": id, "plan_id": "simple", "calendar_id": "monthly", "starts_on": "2026-01-01"})
	}
	h.load("participant", people...)
	h.load("period", map[string]any{"id": period, "calendar_id": "monthly", "code": "2026-10", "starts_on": "2026-10-01", "ends_on": "2026-10-31"})
	h.load("transaction", deals...)
	h.load("credit", credits...)
	h.load("assignment", assignments...)
	_, err := h.store.PutPlan(ctx, "fin", "simple", incentive.MustParseDate("2026-01-01"), []byte(strings.Replace(plan, "USD", h.currency, 1)))
	require.NoError(h.t, err)
	for _, a := range assignments {
		id := a["participant_id"].(string)
		_, err := h.store.SetDestination(ctx, id, store.Destination{ParticipantID: id, Rail: rail, Masked: "…", Details: details(id)})
		require.NoError(h.t, err)
	}
}

const period = "monthly-2026-10"

// release drives the period from open to released.
func (h *house) release(reps int) {
	t, ctx := h.t, h.t.Context()
	t.Helper()
	_, err := h.store.OpenPeriod(ctx, "fin", period)
	require.NoError(t, err)
	require.NoError(t, workflows.StartPayPeriod(ctx, h.client, period, 1))
	require.NoError(t, workflows.StartPayPeriod(ctx, h.client, period, 1), "starting twice changes nothing")
	require.Empty(t, h.do(period, incentive.Lock, "fin", nil, "").Code)
	h.await(period, incentive.Calculated)
	require.Empty(t, h.do(period, incentive.Publish, "fin", nil, "").Code)
	require.NoError(t, temporal.SkipTime(ctx, h.client, activities.PayPeriodID(period, 1), "", 15*24*time.Hour))
	h.await(period, incentive.Approving)
	for left := reps; left > 0; left -= store.MaxDecisions {
		answer := h.decide(period, "boss", "approved")
		require.Empty(t, answer.Code, answer.Message)
		require.Equal(t, min(left, store.MaxDecisions), answer.Applied)
	}
	h.await(period, incentive.Approved)
	list, err := h.store.PayoutList(ctx, period, 1)
	require.NoError(t, err)
	require.Equal(t, store.CodePreparer, h.do(period, incentive.Release, "fin", list.Digest, "").Code, "who locked does not release")
	require.Equal(t, store.CodeChangedMeantime, h.do(period, incentive.Release, "fin2", []byte("another"), "").Code)
	require.Equal(t, incentive.Released, h.do(period, incentive.Release, "fin2", list.Digest, "").State)
}

// closed closes the period and checks everything that must hold then.
func (h *house) closed(reps int) {
	t, ctx := h.t, h.t.Context()
	t.Helper()
	h.await(period, incentive.Settling)
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)
	proof, err := activities.Verify(ctx, h.store, period, 1)
	require.NoError(t, err)
	require.Equal(t, reps, proof.Statements)
	require.Eventually(t, func() bool {
		replayed, err := worker.Replay(ctx, h.store, period, 1)
		require.NoError(t, err)
		require.Empty(t, replayed.CutShort)
		return replayed.Histories >= 3
	}, time.Minute, 100*time.Millisecond, "period, approval and disbursement are archived, and replay")
	require.Equal(t, 3*reps, proof.JournalEntries, "each approved, submitted and paid")
	total := int64(reps*(reps+1)/2*100+reps) + h.prizes
	balances, err := h.store.Balances(ctx, "", 0)
	require.NoError(t, err)
	for _, b := range balances {
		switch b.Kind {
		case store.CommissionExpense:
			require.Equal(t, total, b.Minor)
		case store.Cash:
			require.Equal(t, -total, b.Minor)
		default:
			require.Zero(t, b.Minor, "%s is empty once all is paid", b.Kind)
		}
	}
}

// paidByFile takes the payment file of the period, which comes to so much, to the bank.
func (h *house) paidByFile(minor int64) {
	t, ctx := h.t, h.t.Context()
	t.Helper()
	var files []store.PaymentFile
	require.Eventually(t, func() bool {
		var err error
		files, err = h.store.PaymentFiles(ctx, period, 1, "", 100)
		require.NoError(t, err)
		return len(files) == 1
	}, 30*time.Second, 20*time.Millisecond)
	require.EqualValues(t, minor, files[0].TotalMinor)
	for _, paid := range []bool{false, true} {
		handle, err := h.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			WorkflowID: activities.DisburseID(period, 1, "payment-file"), UpdateName: workflows.ConfirmFileUpdate, WaitForStage: client.WorkflowUpdateStageCompleted,
			Args: []any{workflows.ConfirmFileInput{Actor: "fin2", FileID: files[0].ID, Paid: paid}},
		})
		require.NoError(t, err)
		var a workflows.Answer
		require.NoError(t, handle.Get(ctx, &a))
		require.Empty(t, a.Code, a.Message)
	}
}

func TestAPeriodByPaymentFile(t *testing.T) {
	t.Parallel()
	const reason = "a reason that only finance should read"
	h := start(t, paymentfile.New("payment-file", "Test company"))
	h.company(2, "payment-file", func(id string) map[string]string {
		return map[string]string{"holder": "Name " + id, "account": "DE89370400440532013000"}
	})
	h.release(2)
	require.Empty(t, h.do(period, incentive.Hold, "fin", nil, reason).Code)
	require.Empty(t, h.do(period, incentive.Resume, "fin", nil, "").Code)
	h.paidByFile(302)
	h.closed(2)
	record(t, h.client, "payment-file", activities.PayPeriodID(period, 1), activities.ApprovalID(period, 1, "boss"), activities.DisburseID(period, 1, "payment-file"), activities.ArchiveID(period, 1))
}

// TestOnHoldInMidDisbursement puts a period on hold while 500 payouts are made, and
// resumes it.
func TestOnHoldInMidDisbursement(t *testing.T) {
	t.Parallel()
	const reps = 500
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	h.release(reps)
	ctx := t.Context()
	require.Eventually(t, func() bool { return len(bank.Report()) >= 60 }, time.Minute, 5*time.Millisecond)
	require.Empty(t, h.do(period, incentive.Hold, "fin", nil, "something looks wrong").Code)
	begun := h.count("SELECT count(*) FROM guerdon.payout_attempt")
	require.Less(t, begun, reps)
	require.Eventually(t, func() bool {
		looks := 0
		events := h.client.GetWorkflowHistory(ctx, activities.DisburseID(period, 1, stripe.Name), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			if event.EventType == enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED {
				looks++
			}
		}
		return looks == 2 // it has seen that the period is on hold, and waits
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, begun, h.count("SELECT count(*) FROM guerdon.payout_attempt"), "nothing new is submitted")
	require.Equal(t, begun, h.count("SELECT count(*) FROM guerdon.payout WHERE state = 'paid'"), "what was under way has ended")
	require.Len(t, bank.Report(), begun)
	require.Empty(t, h.do(period, incentive.Resume, "fin", nil, "").Code)
	h.closed(reps)
	once(t, bank, reps)
}

// TestEachPayoutOnceThroughFaults pays two batches at a rail that loses answers after
// paying, answers 5xx, breaks connections and throttles.
func TestEachPayoutOnceThroughFaults(t *testing.T) {
	t.Parallel()
	const reps = 600
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true, Seed: 7})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	require.NoError(t, bank.SetFaults(
		standin.Fault{Kind: standin.CommitThenDrop, Method: "POST", Path: "/v1/transfers", Probability: 0.05, Times: 20},
		standin.Fault{Kind: standin.Truncate, Method: "POST", Path: "/v1/transfers", Probability: 0.05, Times: 20},
		standin.Fault{Kind: standin.DropBeforeCommit, Method: "POST", Path: "/v1/transfers", Probability: 0.05, Times: 20},
		standin.Fault{Kind: standin.Throttle, Method: "POST", Path: "/v1/transfers", Probability: 0.05, Times: 20},
		standin.Fault{Kind: standin.HTML, Method: "POST", Path: "/v1/transfers", Probability: 0.05, Times: 20},
	))
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	h.release(reps)
	h.closed(reps)
	once(t, bank, reps)
	record(t, h.client, "stripe", activities.DisburseID(period, 1, stripe.Name), activities.BatchID(period, 1, stripe.Name, 2))
}
