package stripe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/railtest"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
)

const (
	account = "acct_rep0001"
	secret  = "whsec_test"
)

// setup returns a rail on a stand-in with one account and 1,000,000.00 of two currencies.
func setup(t *testing.T, change ...func(*standin.Options)) (*stripe.Rail, *standin.Running) {
	t.Helper()
	options := standin.Options{APIKey: "sk_test_key", Balances: map[string]int64{"usd": 100_000_000, "isk": 100_000_000, "jpy": 1_000_000, "mga": 1_000_000, "kwd": 1_000_000}}
	for _, c := range change {
		c(&options)
	}
	server, err := standin.Start("127.0.0.1:0", options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, server.AddAccount(account))
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_key", WebhookSecrets: []string{secret}, BaseURL: server.URL, HTTPClient: client(t)})
	require.NoError(t, err)
	return rail, server
}

// client opens a connection for each call: on one that is used again, the transport
// itself repeats a request whose answer was lost, and hides the fault.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func instruction(name string, minor int64, currency incentive.Currency) payments.Instruction {
	return payments.Instruction{
		Key: "key-" + name, Reference: "reference-" + name, PayoutID: "payout-" + name, PeriodID: "sales-2026-10",
		Amount: incentive.Money{Minor: minor, Currency: currency}, Destination: payments.Destination{stripe.AccountDetail: account}, Description: "Commission October 2026",
	}
}

func paid(s *standin.Running, reference string) int {
	for _, g := range s.Report() {
		if g.TransferGroup == reference {
			return len(g.Transfers)
		}
	}
	return 0
}

func TestContract(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	railtest.RunSuite(t, railtest.Subject{
		Rail: rail, Currency: "USD", Good: payments.Destination{"account": " " + account + " "},
		Bad:  []payments.Destination{{"account": ""}, {"account": "acct_"}, {"account": "ba_123456789"}, {"account": "acct_12/../x"}, {"account": account, "x": "y"}},
		Paid: func(reference string) int { return paid(server, reference) },
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, config := range []stripe.Config{{}, {APIKey: "k", BaseURL: "ftp://x"}, {APIKey: "k", BaseURL: "::"}, {APIKey: "k", BaseURL: "stripe"}, {APIKey: "k", WebhookSecrets: []string{""}}} {
		_, err := stripe.New(config)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	}
	_, err := stripe.New(stripe.Config{APIKey: "k"})
	require.NoError(t, err)
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	type sent struct{ key, authorization, telemetry, body string }
	var got []sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		got = append(got, sent{r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), r.Header.Get("X-Stripe-Client-Telemetry"), r.PostForm.Encode()})
		_, _ = w.Write([]byte(`{"id":"tr_1","object":"transfer","amount":1234,"currency":"usd","destination":"` + account + `","transfer_group":"reference-a"}`))
	}))
	t.Cleanup(server.Close)
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_key", BaseURL: server.URL + "/"})
	require.NoError(t, err)
	for range 2 {
		_, err = rail.Submit(t.Context(), instruction("a", 1234, "USD"))
		require.NoError(t, err)
	}
	require.Equal(t, got[0], got[1])
	require.Equal(t, sent{"key-a", "Bearer sk_test_key", "", "amount=1234&currency=usd&description=Commission+October+2026&destination=acct_rep0001&metadata%5Bpayout_id%5D=payout-a&metadata%5Bperiod_id%5D=sales-2026-10&transfer_group=reference-a"}, got[0])
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for _, c := range []struct {
		minor    int64
		currency incentive.Currency
		units    int64 // at Stripe; 0: refused
	}{
		{1_050, "USD", 1_050}, {500, "JPY", 500}, {500, "ISK", 50_000}, {5_120, "KWD", 5_120},
		{5_124, "KWD", 0}, {500, "MGA", 0}, {500, "UGX", 0}, {1 << 62, "ISK", 0},
	} {
		in := instruction(string(c.currency)+time.Duration(c.minor).String(), c.minor, c.currency)
		result, err := rail.Submit(t.Context(), in)
		if c.units == 0 {
			require.Equal(t, payments.Definite, payments.ClassOf(err), c.currency)
			require.Zero(t, paid(server, in.Reference))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, in.Amount, result.Amount)
		found := false
		for _, g := range server.Report() {
			if g.TransferGroup == in.Reference {
				require.Equal(t, c.units, g.Transfers[0].Amount)
				found = true
			}
		}
		require.True(t, found)
	}
	left, err := rail.Balance(t.Context(), "ISK")
	require.NoError(t, err)
	require.Equal(t, int64(1_000_000-500), left.Minor)
	none, err := rail.Balance(t.Context(), "CHF")
	require.NoError(t, err)
	require.Zero(t, none.Minor)
}

func TestRefusedInstructions(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for name, change := range map[string]func(*payments.Instruction){
		"no key":       func(in *payments.Instruction) { in.Key = "" },
		"long key":     func(in *payments.Instruction) { in.Key = strings.Repeat("k", 256) },
		"padded key":   func(in *payments.Instruction) { in.Key = " k" },
		"no reference": func(in *payments.Instruction) { in.Reference = "" },
		"no account":   func(in *payments.Instruction) { in.Destination = nil },
	} {
		in := instruction("refused", 100, "USD")
		change(&in)
		_, err := rail.Submit(t.Context(), in)
		require.Equal(t, payments.Definite, payments.ClassOf(err), name)
	}
	_, err := rail.Lookup(t.Context(), "")
	require.Error(t, err, "an empty reference would find everybody's transfers")
	require.Empty(t, server.Report())
}

// Every way to lose an answer, and whether Stripe paid: the attempt is unknown, and the
// look-up tells the truth.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  standin.FaultKind
		class payments.Class
		paid  bool
		again payments.Class // what the same key and body come to afterwards; "" is success
	}{
		{standin.FailBeforeCommit, payments.Unknown, false, payments.Unknown},
		{standin.Unavailable, payments.Unknown, false, ""},
		{standin.DropBeforeCommit, payments.Unknown, false, ""},
		{standin.CommitThenDrop, payments.Unknown, true, ""},
		{standin.CommitThen500, payments.Unknown, true, payments.Unknown},
		{standin.Truncate, payments.Unknown, true, ""},
		{standin.HTML, payments.Unknown, false, ""},
		{standin.CommitThenHTML, payments.Unknown, true, ""},
		{standin.Throttle, payments.Throttled, false, ""},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			rail, server := setup(t)
			require.NoError(t, server.SetFaults(standin.Fault{Kind: c.kind, Times: 1}))
			in := instruction("lost", 1_000, "USD")
			_, err := rail.Submit(t.Context(), in)
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			require.NotContains(t, err.Error(), account)
			found, err := rail.Lookup(t.Context(), in.Reference)
			require.NoError(t, err)
			require.Equal(t, c.paid, found.Found())
			_, err = rail.Submit(t.Context(), in)
			require.Equal(t, c.again, payments.ClassOf(err), "%v", err)
			require.Equal(t, c.paid || c.again == "", paid(server, in.Reference) == 1)
		})
	}
}

func TestTimeOutWhileTheRequestIsUnderWay(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	release := make(chan struct{})
	require.NoError(t, server.SetFaults(standin.Fault{Kind: standin.Delay, Times: 1, Release: release}))
	in := instruction("slow", 1_000, "USD")
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := rail.Submit(ctx, in); first <- err }()
	// The second call learns that the first holds the key, or comes before it and is
	// itself held up; ask until the key is in flight.
	require.Eventually(t, func() bool { return server.InFlight() == 1 }, 10*time.Second, time.Millisecond)
	_, err := rail.Submit(t.Context(), in)
	require.Equal(t, payments.InProgress, payments.ClassOf(err))
	cancel()
	require.Equal(t, payments.Unknown, payments.ClassOf(<-first))
	found, err := rail.Lookup(t.Context(), in.Reference)
	require.NoError(t, err)
	require.False(t, found.Found(), "nothing yet: absent is no proof while a request is under way")
	close(release)
	require.Eventually(t, func() bool { return paid(server, in.Reference) == 1 }, 10*time.Second, time.Millisecond)
	_, err = rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 1, paid(server, in.Reference))
}

func TestRefusalsOfStripe(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	_, err := rail.Submit(t.Context(), instruction("poor", 100_000_001, "USD"))
	require.Equal(t, payments.InsufficientFunds, payments.ClassOf(err))
	stranger := instruction("stranger", 100, "USD")
	stranger.Destination = payments.Destination{stripe.AccountDetail: "acct_nobody"}
	_, err = rail.Submit(t.Context(), stranger)
	require.Equal(t, payments.Definite, payments.ClassOf(err))
	require.NoError(t, server.Disable(account))
	_, err = rail.Submit(t.Context(), instruction("closed", 100, "USD"))
	require.Equal(t, payments.RecipientAction, payments.ClassOf(err))
	require.NoError(t, server.Onboard(account))
	_, err = rail.Submit(t.Context(), instruction("closed", 100, "USD"))
	require.NoError(t, err, "what was refused before it was executed is not kept under the key")

	wrong, err := stripe.New(stripe.Config{APIKey: "sk_test_other", BaseURL: server.URL})
	require.NoError(t, err)
	_, err = wrong.Submit(t.Context(), instruction("key", 100, "USD"))
	require.Equal(t, payments.Configuration, payments.ClassOf(err))
	_, err = wrong.Balance(t.Context(), "USD")
	require.Equal(t, payments.Configuration, payments.ClassOf(err))
}

// Past the window Stripe has forgotten the key: this is why nothing is sent again then.
func TestKeysEndAfterADay(t *testing.T) {
	t.Parallel()
	clock := newClock()
	rail, server := setup(t, func(o *standin.Options) { o.Now = clock.Now })
	in := instruction("old", 1_000, "USD")
	_, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	clock.Add(rail.Capabilities().DedupeWindow - time.Second)
	_, err = rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 1, paid(server, in.Reference))
	clock.Add(time.Second)
	_, err = rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 2, paid(server, in.Reference))
	_, err = rail.Lookup(t.Context(), in.Reference)
	require.Equal(t, payments.Alarm, payments.ClassOf(err), "two transfers under one reference")
}

func TestReverse(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	in := instruction("back", 1_000, "USD")
	made, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	part := incentive.Money{Minor: 400, Currency: "USD"}
	for range 2 {
		back, err := rail.Reverse(t.Context(), made.RailID, part, "back-1")
		require.NoError(t, err)
		require.Equal(t, part, back.Amount)
	}
	found, err := rail.Lookup(t.Context(), in.Reference)
	require.NoError(t, err)
	require.Equal(t, payments.Paid, found.State)
	require.Equal(t, int64(400), found.Reversed)
	_, err = rail.Reverse(t.Context(), made.RailID, incentive.Money{Minor: 601, Currency: "USD"}, "back-2")
	require.Equal(t, payments.Definite, payments.ClassOf(err))
	_, err = rail.Reverse(t.Context(), made.RailID, incentive.Money{Minor: 600, Currency: "USD"}, "back-3")
	require.NoError(t, err)
	found, err = rail.Lookup(t.Context(), in.Reference)
	require.NoError(t, err)
	require.Equal(t, payments.Returned, found.State)
	_, err = rail.Reverse(t.Context(), "tr_none", part, "back-4")
	require.Equal(t, payments.Definite, payments.ClassOf(err))
	require.Equal(t, int64(1_000), server.Report()[0].Transfers[0].AmountReversed)
}

// Answers that a good Stripe never gives.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	good := `"object":"transfer","amount":1000,"currency":"usd","destination":"` + account + `","transfer_group":"reference-odd"`
	for name, c := range map[string]struct {
		status int
		body   string
		class  payments.Class
	}{
		"empty object":      {200, `{}`, payments.Unknown},
		"null":              {200, `null`, payments.Unknown},
		"list":              {200, `[]`, payments.Unknown},
		"nothing":           {200, ``, payments.Unknown},
		"redirect":          {307, ``, payments.Unknown},
		"other object":      {200, `{"id":"ch_1","object":"charge"}`, payments.Unknown},
		"no currency":       {200, `{"id":"tr_1","object":"transfer","amount":1000}`, payments.Unknown},
		"other amount":      {200, `{"id":"tr_1",` + strings.Replace(good, "1000", "1001", 1) + `}`, payments.Alarm},
		"other currency":    {200, `{"id":"tr_1",` + strings.Replace(good, "usd", "eur", 1) + `}`, payments.Alarm},
		"other group":       {200, `{"id":"tr_1",` + strings.Replace(good, "-odd", "-even", 1) + `}`, payments.Alarm},
		"other destination": {200, `{"id":"tr_1",` + strings.Replace(good, account, "acct_other", 1) + `}`, payments.Alarm},
		"good":              {200, `{"id":"tr_1",` + good + `}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.status == http.StatusTemporaryRedirect {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(server.Close)
			rail, err := stripe.New(stripe.Config{APIKey: "k", BaseURL: server.URL})
			require.NoError(t, err)
			_, err = rail.Submit(t.Context(), instruction("odd", 1_000, "USD"))
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			if c.status == http.StatusTemporaryRedirect || name == "empty object" || name == "list" {
				_, err = rail.Balance(t.Context(), "USD")
				require.Equal(t, payments.Unknown, payments.ClassOf(err))
			}
		})
	}
}

// A list that ignores the filter must not pass for a find.
func TestLookupChecksTheReference(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"object":"list","data":[{"id":"tr_1","object":"transfer","amount":1,"currency":"usd","transfer_group":"other"}]}`))
	}))
	t.Cleanup(server.Close)
	rail, err := stripe.New(stripe.Config{APIKey: "k", BaseURL: server.URL})
	require.NoError(t, err)
	_, err = rail.Lookup(t.Context(), "mine")
	require.Equal(t, payments.Alarm, payments.ClassOf(err))
}
