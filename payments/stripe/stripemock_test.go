package stripe_test

import (
	"bufio"
	"context"
	"io"
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

// startMock runs stripe-mock until the test ends, and returns the address that it has chosen.
func startMock(t *testing.T, program string) (address string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	mock := exec.CommandContext(ctx, program, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	says, err := mock.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, mock.Start())
	t.Cleanup(func() { stop(); _ = mock.Wait() }) // it is killed
	lines := bufio.NewScanner(says)
	for address == "" && lines.Scan() {
		_, address, _ = strings.Cut(lines.Text(), "Listening for HTTP at address: ")
	}
	require.NotEmpty(t, address, "stripe-mock ended before it listened")
	go func() { _, _ = io.Copy(io.Discard, says) }() // it writes a line for each request
	return address
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
	address := startMock(t, program)
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
