package endtoend

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
)

// setting is a number that the environment may set.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// throttled counts the calls that a rail refused because there were too many.
type throttled struct {
	calls, refused atomic.Int64
	each           func(calls int64) // what else is done at each call; nil is nothing
}

func (c *throttled) RoundTrip(r *http.Request) (*http.Response, error) {
	if calls := c.calls.Add(1); c.each != nil {
		c.each(calls)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusTooManyRequests {
		c.refused.Add(1)
	}
	return answer, err
}

// TestPayoutSpeed pays GUERDON_PAYOUTS payouts (600 if nothing is said) and says how fast
// that was beside as many activities that do nothing, 20,000 at most, in the same batches on the same server.
// GUERDON_PAYOUTS_PER_SECOND is what the rail allows. docs/performance.md has figures.
func TestPayoutSpeed(t *testing.T) {
	payouts, perSecond := setting(t, "GUERDON_PAYOUTS", 600), setting(t, "GUERDON_PAYOUTS_PER_SECOND", 0)
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1 << 50}, AnyAccount: true, PerSecond: float64(perSecond)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	var seen throttled
	allowed := float64(perSecond)
	if perSecond == 0 {
		allowed = 100_000 // as good as no limit: 0 would be the rail's own
	}
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, BaseURL: bank.URL, PerSecond: allowed, HTTPClient: &http.Client{Transport: &seen}})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(payouts, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })

	idle := min(payouts, 20_000)
	began := time.Now()
	bare(t, h.client, idle)
	nothing := time.Since(began)

	h.release(payouts)
	var paying sync.Mutex
	var memory []int
	seen.each = func(calls int64) {
		if quarter := int64(max(1, payouts/4)); calls%quarter == 0 {
			paying.Lock()
			defer paying.Unlock()
			memory = append(memory, memoryOf("VmRSS:"))
		}
	}
	began = time.Now()
	h.awaitWithin(4*time.Hour, period, incentive.Settling)
	paid := time.Since(began)
	each := func(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }
	t.Logf("%d payouts in %.1f s, %.0f a second; %d activities that do nothing %.1f s, %.0f a second: ratio %.2f; %d calls, %d refused as too many",
		payouts, paid.Seconds(), each(payouts, paid), idle, nothing.Seconds(), each(idle, nothing), each(payouts, paid)/each(idle, nothing), seen.calls.Load(), seen.refused.Load())

	once(t, bank, payouts)
	most := int64(0)
	for page := []byte(nil); ; {
		answer, err := h.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{NextPageToken: page})
		require.NoError(t, err)
		for _, one := range answer.Executions {
			most = max(most, one.HistoryLength)
		}
		if page = answer.NextPageToken; len(page) == 0 {
			break
		}
	}
	paying.Lock()
	t.Logf("the longest history has %d events; after each quarter of the calls worker, Temporal server and rail, which keeps what it was asked, took together %d kB, and at most %d kB",
		most, memory, memoryOf("VmHWM:"))
	if of := len(memory); payouts >= 50_000 && of >= 4 { // of fewer the garbage says more
		require.Less(t, memory[of-1]-memory[of/2-1], payouts/2*leftBehind, "memory does not grow with what is paid")
	}
	paying.Unlock()
	require.Positive(t, most)
	require.Less(t, most, int64(mostEvents))
	if perSecond > 0 {
		require.LessOrEqual(t, seen.refused.Load(), seen.calls.Load()/100, "a limit that is kept is hardly ever met")
	}
	h.closed(payouts)
}

// bare runs activities that do nothing, in batches as a disbursement has them.
func bare(t *testing.T, c client.Client, n int) {
	t.Helper()
	const queue, batch, batches, together = "bare", 500, 8, 50
	w := sdkworker.New(c, queue, sdkworker.Options{})
	w.RegisterActivity(doNothing)
	parent := func(ctx workflow.Context) error {
		return atMost(ctx, batches, (n+batch-1)/batch, func(ctx workflow.Context, number int) workflow.Future {
			return workflow.ExecuteChildWorkflow(ctx, "bare-batch", min(batch, n-number*batch))
		})
	}
	child := func(ctx workflow.Context, n int) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		return atMost(ctx, together, n, func(ctx workflow.Context, _ int) workflow.Future {
			return workflow.ExecuteActivity(ctx, doNothing)
		})
	}
	w.RegisterWorkflowWithOptions(parent, workflow.RegisterOptions{Name: "bare"})
	w.RegisterWorkflowWithOptions(child, workflow.RegisterOptions{Name: "bare-batch"})
	require.NoError(t, w.Start())
	defer w.Stop()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, "bare")
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
}

// leftBehind is what a payout may leave in memory, in kB: what the stand-in keeps of it.
const leftBehind = 8

// memoryOf is the resident memory of this process now (VmRSS:), or the most that it ever took
// (VmHWM:), in kB; 0 where it is not known.
func memoryOf(what string) (kB int) {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), what)
	_, _ = fmt.Sscan(rest, &kB)
	return kB
}

func doNothing(context.Context) error { return nil }

// atMost does something n times, so many at a time.
func atMost(ctx workflow.Context, together, n int, do func(ctx workflow.Context, number int) workflow.Future) error {
	slots := workflow.NewSemaphore(ctx, int64(together))
	left := n
	var failed error
	for number := range n {
		if err := slots.Acquire(ctx, 1); err != nil {
			return err
		}
		workflow.Go(ctx, func(ctx workflow.Context) {
			if err := do(ctx, number).Get(ctx, nil); err != nil {
				failed = err
			}
			slots.Release(1)
			left--
		})
	}
	if err := workflow.Await(ctx, func() bool { return left == 0 }); err != nil {
		return err
	}
	return failed
}
