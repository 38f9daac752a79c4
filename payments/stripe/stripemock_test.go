package stripe_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/stripe"
)

// noted keeps what was asked for, with the status of the answer.
type noted struct {
	mu    sync.Mutex
	calls []string
	said  string
}

var anyID = regexp.MustCompile(`/(acct|tr)_[A-Za-z0-9]+`)

func (n *noted) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = append(n.calls, answer.Status+" "+r.Method+" "+anyID.ReplaceAllString(r.URL.Path, "/{id}"))
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		n.said += string(body)
		answer.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	return answer, nil
}

// freeAddress is an address of this machine at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// TestRequestsKeepToStripesOpenAPI sends every request that the rail makes to stripe-mock, which
// holds them against the OpenAPI document that Stripe publishes. What its answers say is made
// up; what the rail makes of answers is shown by the stand-in. Its program is built by
//
//	go install github.com/stripe/stripe-mock@v0.203.0
func TestRequestsKeepToStripesOpenAPI(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("stripe-mock")
	if err != nil && os.Getenv("GUERDON_NO_SKIP") == "" {
		t.Skip("stripe-mock is absent")
	}
	require.NoError(t, err)
	address := freeAddress(t)
	ctx, stop := context.WithCancel(context.Background())
	mock := exec.CommandContext(ctx, program, "-http-addr", address, "-https-addr", freeAddress(t))
	require.NoError(t, mock.Start())
	t.Cleanup(func() { stop(); _ = mock.Wait() }) // it is killed
	require.Eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, 30*time.Second, 20*time.Millisecond)

	seen := &noted{}
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_key", BaseURL: "http://" + address, HTTPClient: &http.Client{Transport: seen}})
	require.NoError(t, err)
	in := instruction("mock", 1_234, "USD")
	amount := incentive.Money{Minor: 100, Currency: "USD"}
	for _, call := range []func() error{
		func() error { _, err := rail.Submit(t.Context(), in); return err },
		func() error { _, err := rail.Lookup(t.Context(), in.Reference); return err },
		func() error {
			return rail.List(t.Context(), time.Now().Add(-time.Hour), time.Now(), func(payments.Listed) error { return nil })
		},
		func() error { _, err := rail.Balance(t.Context(), "USD"); return err },
		func() error { _, err := rail.Reverse(t.Context(), "tr_123", amount, "key-reverse"); return err },
		func() error {
			_, err := rail.OpenAccount(t.Context(), payments.Recipient{ID: "ann", Email: "ann@example.com", Country: "US"}, "key-account")
			return err
		},
		func() error {
			_, err := rail.OnboardingLink(t.Context(), account, "https://guerdon.example/account", "https://guerdon.example/account/again")
			return err
		},
		func() error { _, err := rail.Standing(t.Context(), account); return err },
	} {
		err := call()
		require.NotContains(t, []payments.Class{payments.Definite, payments.Configuration, payments.Throttled}, payments.ClassOf(err), "%v %s", err, seen.said)
	}
	require.Equal(t, []string{
		"200 OK POST /v1/transfers", "200 OK GET /v1/transfers", "200 OK GET /v1/transfers", "200 OK GET /v1/balance", "200 OK POST /v1/transfers/{id}/reversals",
		"200 OK POST /v1/accounts", "200 OK POST /v1/account_links", "200 OK GET /v1/accounts/{id}",
	}, seen.calls, "%s", seen.said)

	// It does hold requests against the document.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/v1/transfers", strings.NewReader("amount=1&currency=usd&destination=acct_1&nobody_knows=this"))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer sk_test_key")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
}
