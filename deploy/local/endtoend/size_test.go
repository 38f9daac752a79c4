package endtoend

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// What a period may use of Temporal and the API, however many reps it has.
const (
	mostPeriodEvents = 500
	mostEvents       = 10_000
	mostListBytes    = 256 << 10
)

// big is a site with one large team of teams.
type big struct {
	*site
	reps, approvers int
	disputes        int
	aDispute        string // of all those
	bosses          []*client.Client
	began           time.Time
	took            []string
}

// TestSize takes a period of many reps from its facts to its archive and says what each
// step took, how long each kind of history became and what memory each process used.
// GUERDON_REPS says how many; docs/performance.md has figures.
func TestSize(t *testing.T) {
	b := &big{site: build(t), reps: setting(t, "GUERDON_REPS", 500)}
	b.approvers, b.disputes = max(1, b.reps*3/40), b.reps*3/20
	t.Cleanup(func() {
		t.Logf("%d reps, %d approvers, %d disputes\n%s", b.reps, b.approvers, b.disputes, strings.Join(b.took, "\n"))
	})
	b.began = time.Now()
	b.facts()
	b.toApproved()
	b.toClosed()
	b.lists()
	b.histories()
	for _, name := range processes.All[1:] {
		b.took = append(b.took, fmt.Sprintf("%-24s %6d MB at most", name, b.memory(name)))
	}
}

// step notes what a step took.
func (b *big) step(name string) {
	b.took = append(b.took, fmt.Sprintf("%-24s %7.1f s", name, time.Since(b.began).Seconds()))
	b.began = time.Now()
}

func (b *big) rep(n int) string      { return fmt.Sprintf("rep%06d", n+1) }
func (b *big) approver(n int) string { return fmt.Sprintf("boss%06d", n%b.approvers+1) }

// many loads n records of a kind, some at a time.
func (b *big) many(kind string, n int, record func(n int) map[string]any) {
	b.t.Helper()
	const atATime = 5000
	_, held, err := b.store.Load(b.t.Context(), store.Import{Kind: kind, FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "fin1"}, func(l *store.Loading) error {
		for chunk := range slices.Chunk(make([]struct{}, n), atATime) {
			rows := make([]store.Row, len(chunk))
			for i := range rows {
				n--
				rows[i] = store.Row{File: "test", Line: n + 1, Key: "it", Record: record(n)}
			}
			if err := l.Put(b.t.Context(), kind, rows); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(b.t, err)
	require.Empty(b.t, held)
}

// together does something n times, eight at a time.
func (b *big) together(n int, do func(n int) error) {
	b.t.Helper()
	work, failed := make(chan int), make(chan error, n)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range work {
				if err := do(n); err != nil {
					failed <- err
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	all.Wait()
	close(failed)
	require.NoError(b.t, <-failed)
}

// facts fills the house: each rep has five deals, and a destination in a payment file.
func (b *big) facts() {
	const deals = 5
	t, ctx := b.t, b.t.Context()
	require.NoError(t, b.store.SetCompany(ctx, store.System, "Test", "Asia/Jakarta"))
	person := func(id string) map[string]any {
		return map[string]any{"participant_id": id, "effective_from": "2026-01-01", "name": "Name " + id, "email": id + "@example.com", "kind": "contractor",
			"country": "DE", "pay_currency": "USD", "attributes": map[string]string{"commission_rate": "0.1"}}
	}
	b.loadAs("fin1", "participant", person("fin1"), person("fin2"))
	b.many("participant", b.approvers, func(n int) map[string]any { return person(b.approver(n)) })
	b.many("participant", b.reps, func(n int) map[string]any {
		p := person(b.rep(n))
		p["manager_id"] = b.approver(n)
		return p
	})
	b.loadAs("fin1", "period", map[string]any{"id": period, "calendar_id": "monthly", "code": "2026-10", "starts_on": "2026-10-01", "ends_on": "2026-10-31"})
	b.many("transaction", deals*b.reps, func(n int) map[string]any {
		return map[string]any{"source": "crm", "transaction_id": strconv.Itoa(n), "date": "2026-10-05", "amount": fmt.Sprint(n%1000 + 1), "currency": "USD", "attributes": map[string]string{"product": "a"}}
	})
	b.many("credit", deals*b.reps, func(n int) map[string]any {
		return map[string]any{"source": "crm", "transaction_id": strconv.Itoa(n), "participant_id": b.rep(n % b.reps), "role": "owner", "share": "1"}
	})
	b.many("assignment", b.reps, func(n int) map[string]any {
		return map[string]any{"participant_id": b.rep(n), "plan_id": "simple", "calendar_id": "monthly", "starts_on": "2026-01-01"}
	})
	_, err := b.store.PutPlan(ctx, "fin1", "simple", incentive.MustParseDate("2026-01-01"), []byte(plan))
	require.NoError(t, err)
	b.together(b.reps, func(n int) error {
		id := b.rep(n)
		_, err := b.store.SetDestination(ctx, id, store.Destination{ParticipantID: id, Rail: "payment-file", Masked: "…", Details: map[string]string{"holder": "Name " + id, "account": "DE89370400440532013000"}})
		return err
	})
	for _, id := range []string{"fin1", "fin2"} {
		require.NoError(t, b.store.Grant(ctx, "fin1", id, []incentive.Role{incentive.Finance}))
	}
	b.together(b.approvers, func(n int) error {
		return b.store.Grant(ctx, "fin1", b.approver(n), []incentive.Role{incentive.Manager})
	})
	b.together(b.disputes, func(n int) error {
		return b.store.Grant(ctx, "fin1", b.rep(n), []incentive.Role{incentive.Rep})
	})
	b.bosses = make([]*client.Client, b.approvers)
	b.together(b.approvers, func(n int) (err error) {
		b.bosses[n], err = b.signIn(b.approver(n))
		return err
	})
	b.step("facts are loaded")
}

// signIn returns somebody's client; as may not be used together.
func (b *big) signIn(id string) (*client.Client, error) {
	token, err := b.store.NewToken(b.t.Context(), "fin1", id, "test", 24*time.Hour)
	if err != nil {
		return nil, err
	}
	return client.New(b.url, token)
}

// disputed has disputes raised by their reps and rejected by those reps' managers.
func (b *big) disputed() {
	ctx := b.t.Context()
	plan, component := "simple", "commission"
	raised := make([]client.Dispute, b.disputes)
	b.together(b.disputes, func(n int) error {
		rep, err := b.signIn(b.rep(n))
		if err != nil {
			return err
		}
		raised[n], err = ask[client.Dispute](ctx, func(key string) (*http.Response, error) {
			return rep.RaiseDispute(ctx, &client.RaiseDisputeParams{IdempotencyKey: key}, client.DisputeRequest{
				Period: period, Type: client.DisputeRequestTypeCalculation, Plan: &plan, Component: &component, Expected: usd(1), Comment: "too little"})
		})
		return err
	})
	b.step("disputes raised")
	b.together(b.disputes, func(n int) error {
		answer, err := ask[client.DisputeState](ctx, func(key string) (*http.Response, error) {
			return b.bosses[n%b.approvers].AnswerDispute(ctx, raised[n].Id, &client.AnswerDisputeParams{IdempotencyKey: key},
				client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActReject, Text: "it is right"})
		})
		if err == nil && answer.State != string(incentive.DisputeRejected) {
			err = fmt.Errorf("dispute %s is %s", raised[n].Id, answer.State)
		}
		return err
	})
	b.step("disputes answered")
	b.aDispute = raised[0].Id
}

// send repeats a command until it is answered.
func send[T any](b *big, call func(key string) (*http.Response, error)) T {
	b.t.Helper()
	answer, err := ask[T](b.t.Context(), call)
	require.NoError(b.t, err)
	return answer
}

func (b *big) act(c *client.Client, act client.ActRequestAct) {
	b.t.Helper()
	send[client.ActAnswer](b, func(key string) (*http.Response, error) {
		return c.ActOnPeriod(b.t.Context(), period, &client.ActOnPeriodParams{IdempotencyKey: key}, client.ActOnPeriodJSONRequestBody{Act: act})
	})
}

// reach waits for a state, however long it takes.
func (b *big) reach(state incentive.State) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		p, err := b.store.PeriodRevision(b.t.Context(), period, 1)
		require.NoError(b.t, err)
		return p.State == state
	}, time.Hour, 100*time.Millisecond, "the period should be %s", state)
}

func (b *big) toApproved() {
	t, ctx := b.t, b.t.Context()
	fin1 := b.as("fin1")
	send[client.Period](b, func(key string) (*http.Response, error) {
		return fin1.OpenPeriod(ctx, period, &client.OpenPeriodParams{IdempotencyKey: key})
	})
	b.act(fin1, client.ActRequestActLock)
	b.step("locked")
	b.reach(incentive.Calculated)
	b.step("calculated")
	b.act(fin1, client.ActRequestActPublish)
	b.step("published")
	b.disputed()
	b.act(fin1, client.ActRequestActEndWindow)
	b.step("handed out for approval")
	decided := make([]int, b.approvers)
	b.together(b.approvers, func(n int) error {
		d, err := ask[client.DecisionAnswer](ctx, func(key string) (*http.Response, error) {
			return b.bosses[n].Decide(ctx, period, &client.DecideParams{IdempotencyKey: key}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved})
		})
		decided[n] = d.Applied
		return err
	})
	all := 0
	for _, n := range decided {
		all += n
	}
	require.Equal(t, b.reps, all)
	b.step("decided about")
	b.reach(incentive.Approved)
	b.step("posted and planned")
}

func (b *big) toClosed() {
	t, ctx := b.t, b.t.Context()
	fin1, fin2 := b.as("fin1"), b.as("fin2")
	list := send[client.PayoutList](b, func(string) (*http.Response, error) {
		return fin2.GetPayoutList(ctx, period, &client.GetPayoutListParams{})
	})
	send[client.ActAnswer](b, func(key string) (*http.Response, error) {
		return fin2.ReleasePeriod(ctx, period, &client.ReleasePeriodParams{IdempotencyKey: key}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest})
	})
	b.step("released")
	var file store.PaymentFile
	require.Eventually(t, func() bool {
		files, err := b.store.PaymentFiles(ctx, period, 1, "", 100)
		require.NoError(t, err)
		if len(files) == 1 {
			file = files[0]
		}
		return len(files) == 1
	}, time.Hour, 100*time.Millisecond)
	require.Equal(t, b.reps, file.Payouts)
	b.step("written into a file")
	for what, paid := range []bool{false, true} {
		send[client.PaymentFile](b, func(key string) (*http.Response, error) {
			return fin2.ConfirmPaymentFile(ctx, file.ID, &client.ConfirmPaymentFileParams{IdempotencyKey: key}, client.ConfirmPaymentFileJSONRequestBody{Paid: paid})
		})
		b.step([]string{"taken to the bank", "carried out by it"}[what])
	}
	b.reach(incentive.Settling)
	b.act(fin1, client.ActRequestActClose)
	b.step("closed")
	require.Eventually(t, func() bool {
		events, err := b.store.AuditEvents(ctx, "archive/"+period+"/1", 0, 1)
		require.NoError(t, err)
		return len(events) == 1
	}, time.Hour, 100*time.Millisecond)
	b.step("archived")
	replayed, err := worker.Replay(ctx, b.store, period, 1)
	require.NoError(t, err)
	require.Equal(t, b.approvers+2, replayed.Histories, "the period, its approval queues and its disbursement")
	b.step("histories replayed")
	proof, err := activities.Verify(ctx, b.store, period, 1)
	require.NoError(t, err)
	require.Equal(t, b.reps, proof.Statements)
	b.step("verified")
}

// lists reads the first page of everything that can be listed.
func (b *big) lists() {
	t := b.t
	token, err := b.store.NewToken(t.Context(), "fin1", "fin1", "test", time.Hour)
	require.NoError(t, err)
	slowest, at := time.Duration(0), ""
	for path, grows := range map[string]bool{
		"/people": true, "/periods": false, "/plans": false, "/periods/" + period + "/statements": true, "/periods/" + period + "/approvals?queue=" + b.approver(0): false,
		"/periods/" + period + "/approvals?queue=finance": false, "/periods/" + period + "/payouts": true, "/periods/" + period + "/payout-list": false, "/periods/" + period + "/payment-files": false,
		"/periods/" + period + "/acts": false, "/periods/" + period + "/runs": false, "/periods/" + period + "/changes": false, "/ledger/balances": false, "/audit": true, "/adjustments": false, "/disputes": b.disputes > 100,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/api/v1"+path, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		began := time.Now()
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", path, body)
		require.Less(t, len(body), mostListBytes, "%s", path)
		if took := time.Since(began); took > slowest {
			slowest, at = took, path
		}
		var page struct{ Next any }
		require.NoError(t, json.Unmarshal(body, &page))
		if grows {
			require.NotNil(t, page.Next, "%s has another page", path)
		}
	}
	b.took = append(b.took, fmt.Sprintf("%-24s %7.3f s (%s)", "slowest list", slowest.Seconds(), at))
	b.began = time.Now()
}

// histories looks for the longest history of each kind of workflow.
func (b *big) histories() {
	type size struct{ workflows, events, bytes int }
	largest := map[string]size{}
	_, err := b.store.Histories(b.t.Context(), store.Archived{PeriodID: period, Revision: 1}, func(h store.History) error {
		var whole struct{ Events []json.RawMessage }
		if err := json.Unmarshal(h.JSON, &whole); err != nil {
			return err
		}
		kind, _, _ := strings.Cut(h.WorkflowID, "/")
		was := largest[kind]
		largest[kind] = size{was.workflows + 1, max(was.events, len(whole.Events)), max(was.bytes, len(h.JSON))}
		return nil
	})
	require.NoError(b.t, err)
	for _, kind := range []string{"pay-period", "approval", "disburse"} {
		is := largest[kind]
		b.took = append(b.took, fmt.Sprintf("%-24s %6d workflows, the largest of %d events and %d bytes", kind, is.workflows, is.events, is.bytes))
		require.Less(b.t, is.events, mostEvents)
	}
	require.Less(b.t, largest["pay-period"].events, mostPeriodEvents)
	d, err := b.client.DescribeWorkflowExecution(b.t.Context(), activities.DisputeID(b.aDispute), "")
	require.NoError(b.t, err)
	is := d.WorkflowExecutionInfo
	b.took = append(b.took, fmt.Sprintf("%-24s %6d workflows, one of %d events and %d bytes", "dispute", b.disputes, is.HistoryLength, is.HistorySizeBytes))
	require.Less(b.t, is.HistoryLength, int64(mostPeriodEvents))
}

// memory is the most that a process has used, in megabytes.
func (b *big) memory(name string) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.Process(name)))
	require.NoError(b.t, err)
	for line := range strings.Lines(string(status)) {
		if rest, is := strings.CutPrefix(line, "VmHWM:"); is {
			kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
			require.NoError(b.t, err)
			return kilobytes / 1024
		}
	}
	b.t.Fatalf("%s does not say what it used", name)
	return 0
}
