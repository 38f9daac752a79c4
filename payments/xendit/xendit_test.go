package xendit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/railtest"
	"github.com/guerdon/guerdon/payments/xendit"
	"github.com/guerdon/guerdon/payments/xendit/standin"
)

const (
	apiKey = "xnd_development_key"
	token  = "callback-token"
)

// setup returns a rail on a stand-in with a million pesos and a billion rupiah.
func setup(t *testing.T, change ...func(*standin.Options)) (*xendit.Rail, *standin.Running) {
	t.Helper()
	options := standin.Options{APIKey: apiKey, Balances: map[string]string{"PHP": "1000000.00", "IDR": "1000000000"}}
	for _, c := range change {
		c(&options)
	}
	server, err := standin.Start("127.0.0.1:0", options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	return railAt(t, server.URL), server
}

// railAt opens a connection for each call: on one that is used again, the transport
// itself repeats a request that has a key, and hides the fault.
func railAt(t *testing.T, address string) *xendit.Rail {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	rail, err := xendit.New(xendit.Config{APIKey: apiKey, CallbackTokens: []string{token}, BaseURL: address, HTTPClient: &http.Client{
		Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	require.NoError(t, err)
	return rail
}

var (
	gcash = payments.Destination{"channel": "PH_GCASH", "account": "09171234567", "holder": "Maria Santos"}
	bca   = payments.Destination{"channel": "ID_BCA", "account": "1234567890", "holder": "Budi Hartono"}
)

func instruction(name string, minor int64, to payments.Destination) payments.Instruction {
	currency := incentive.Currency("PHP")
	if strings.HasPrefix(to["channel"], "ID_") {
		currency = "IDR"
	}
	return payments.Instruction{
		Key: "key-" + name, Reference: "reference-" + name, PayoutID: "payout-" + name, PeriodID: "sales-2026-10",
		Amount: incentive.Money{Minor: minor, Currency: currency}, Destination: to, Description: "Commission October 2026",
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	railtest.RunSuite(t, railtest.Subject{
		Rail: rail, Currency: "PHP", Good: payments.Destination{"channel": "ph_gcash", "account": "+63 917 123 4567", "holder": " Maria  Santos "},
		Bad: []payments.Destination{
			{"channel": "PH_GCASH", "account": "09171234567"},
			{"channel": "PH_GCASH", "account": "1234567890", "holder": "Maria Santos"},
			{"channel": "PH_NOBODY", "account": "09171234567", "holder": "Maria Santos"},
			{"channel": "ID_BCA", "account": "12ab567890", "holder": "Budi Hartono"},
			{"channel": "ID_BCA", "account": "1234567890", "holder": "Budi\u0000Hartono"},
			{"channel": "ID_BCA", "account": "1234567890", "holder": "Budi Hartono", "x": "something"},
		},
		Paid: server.Paid,
		Settle: func(reference string) error {
			return errors.Join(server.Move(reference, "REQUESTED", ""), server.Move(reference, "SUCCEEDED", ""))
		},
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]xendit.Config{
		"no key":               {},
		"an empty token":       {APIKey: "k", CallbackTokens: []string{"a", ""}},
		"another scheme":       {APIKey: "k", BaseURL: "ftp://x"},
		"no scheme":            {APIKey: "k", BaseURL: "api.xendit.co"},
		"in the clear":         {APIKey: "k", BaseURL: "http://api.xendit.co"},
		"with a password":      {APIKey: "k", BaseURL: "https://user:secret@api.xendit.co"},
		"with a query":         {APIKey: "k", BaseURL: "https://api.xendit.co?a=b"},
		"that is no address":   {APIKey: "k", BaseURL: "::"},
		"like this machine's":  {APIKey: "k", BaseURL: "http://localhost.example.com"},
		"of an open interface": {APIKey: "k", BaseURL: "http://0.0.0.0:1"},
	} {
		_, err := xendit.New(config)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
		require.NotContains(t, err.Error(), "secret")
	}
	for _, address := range []string{"", "https://api.xendit.co/", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"} {
		_, err := xendit.New(xendit.Config{APIKey: "k", BaseURL: address})
		require.NoError(t, err, address)
	}
}

func TestDestinations(t *testing.T) {
	t.Parallel()
	rail := railAt(t, "")
	for _, c := range []struct {
		channel, given, kept, masked string
	}{
		{"PH_GCASH", "0917-123-4567", "09171234567", "GCash …567"},
		{"PH_GCASH", "+639171234567", "09171234567", "GCash …567"},
		{"PH_GCASH", "639171234567", "09171234567", "GCash …567"},
		{"ID_DANA", "+62 812 3456 789", "08123456789", "Dana …789"},
		{"ID_DANA", "0812345678901", "0812345678901", "Dana …901"},
		{"ID_BCA", "123 456 7890", "1234567890", "Bank Central Asia …890"},
		{"ID_BCA", "00123", "00123", "Bank Central Asia …123"},
		{"PH_GCASH", "+628123456789", "", ""}, // a number of the other country
		{"ID_DANA", "09171234567", "", ""},
		{"ID_DANA", "0812345", "", ""},
		{"ID_BCA", "1234", "", ""},
		{"ID_BCA", strings.Repeat("1", 21), "", ""},
		{"ID_BCA", "+6281234567890", "", ""},
		{"ID_BCA", "١٢٣٤٥٦٧", "", ""}, // digits, but not these
	} {
		clean, masked, err := rail.ValidateDestination(payments.Destination{"channel": c.channel, "account": c.given, "holder": "Maria Santos"})
		if c.kept == "" {
			require.Equal(t, payments.CodeDestinationInvalid, incentive.ErrorCode(err), c.given)
			continue
		}
		require.NoError(t, err, c.given)
		require.Equal(t, c.kept, clean["account"])
		require.Equal(t, c.masked, masked)
	}
}

func TestEveryChannelCanBePaid(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for i, c := range xendit.Channels() {
		to := payments.Destination{"channel": c.Code, "account": "1234567890", "holder": "Maria Santos"}
		if c.Wallet {
			to["account"] = map[incentive.Currency]string{"IDR": "081234567890", "PHP": "09171234567"}[c.Currency]
		}
		clean, masked, err := rail.ValidateDestination(to)
		require.NoError(t, err, c.Code)
		require.Contains(t, masked, c.Name)
		in := instruction(c.Code, 20_000_00, clean)
		require.Equal(t, c.Currency, in.Amount.Currency)
		_, err = rail.Submit(t.Context(), in)
		require.NoError(t, err, c.Code)
		require.Equal(t, 1, server.Paid(in.Reference))
		in = instruction(fmt.Sprint("other currency ", i), 20_000_00, clean)
		in.Amount.Currency = map[incentive.Currency]incentive.Currency{"IDR": "PHP", "PHP": "IDR"}[c.Currency]
		_, err = rail.Submit(t.Context(), in)
		requireError(t, err, payments.Definite, "currency-not-supported")
	}
}

func requireError(t *testing.T, err error, class payments.Class, code string) {
	t.Helper()
	var e *payments.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, xendit.Name, e.Rail)
	require.Equal(t, class, e.Class, "%v", err)
	require.Equal(t, code, e.Code)
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	type sent struct{ method, path, key, user, body string }
	got := make(chan sent, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		body, err := io.ReadAll(r.Body)
		if err == nil {
			got <- sent{r.Method, r.URL.String(), r.Header.Get("Idempotency-Key"), user, string(body)}
		}
		_, _ = io.WriteString(w, `{"id":"disb-1","reference_id":"reference-a","channel_code":"ID_BCA","channel_properties":{"account_number":"1234567890"},"amount":1250000,"currency":"IDR","status":"ACCEPTED","updated":"2026-11-01T00:00:00.000Z"}`)
	}))
	t.Cleanup(server.Close)
	rail := railAt(t, server.URL+"/")
	for range 2 {
		result, err := rail.Submit(t.Context(), instruction("a", 1_250_000_00, bca))
		require.NoError(t, err)
		require.Equal(t, payments.Result{State: payments.Submitted, RailID: "disb-1", Amount: incentive.Money{Minor: 1_250_000_00, Currency: "IDR"}, At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, result)
	}
	first := <-got
	require.Equal(t, first, <-got, "the same instruction is the same request")
	require.Equal(t, sent{"POST", "/v2/payouts", "key-a", apiKey, `{"reference_id":"reference-a","channel_code":"ID_BCA","channel_properties":{"account_number":"1234567890","account_holder_name":"Budi Hartono"},` +
		`"amount":1250000,"currency":"IDR","description":"Commission October 2026","metadata":{"payout_id":"payout-a","period_id":"sales-2026-10"}}`}, first)
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for _, c := range []struct {
		minor int64
		to    payments.Destination
		code  string
	}{
		{10_000_00, bca, ""},                   // ten thousand rupiah
		{9_999_00, bca, "amount-too-small"},    //
		{10_000_50, bca, "amount-too-fine"},    // half a rupiah
		{1_00, gcash, ""},                      //
		{99, gcash, "amount-too-small"},        //
		{1_23, gcash, ""},                      // the centavo is paid
		{50_000_00, gcash, ""},                 //
		{50_000_01, gcash, "amount-too-large"}, // than InstaPay carries
		{50_000_01, payments.Destination{"channel": "PH_BDO", "account": "1234567890", "holder": "Maria Santos"}, ""},
		{20_000_001_00, payments.Destination{"channel": "ID_OVO", "account": "081234567890", "holder": "Budi Hartono"}, "amount-too-large"},
	} {
		in := instruction(fmt.Sprint(c.minor, c.to["channel"]), c.minor, c.to)
		result, err := rail.Submit(t.Context(), in)
		if c.code != "" {
			requireError(t, err, payments.Definite, c.code)
			require.Zero(t, server.Paid(in.Reference))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, in.Amount, result.Amount)
	}
	left, err := rail.Balance(t.Context(), "IDR")
	require.NoError(t, err)
	require.Equal(t, incentive.Money{Minor: 999_990_000_00, Currency: "IDR"}, left)
	none, err := rail.Balance(t.Context(), "EUR")
	require.NoError(t, err)
	require.Zero(t, none.Minor)
}

func TestEveryAmountArrivesWhole(t *testing.T) {
	t.Parallel()
	rail, server := setup(t, func(o *standin.Options) {
		o.Balances = map[string]string{"PHP": "90000000000000", "IDR": "90000000000000"}
	})
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		to, minor := payments.Destination{"channel": "PH_BDO", "account": "1234567890", "holder": "Maria Santos"}, rapid.Int64Range(1_00, 1_000_000_000_00).Draw(rt, "minor")
		if rapid.Bool().Draw(rt, "rupiah") {
			to, minor = bca, minor*100+10_000_00
		}
		n++
		in := instruction(fmt.Sprint("whole", n), minor, to)
		result, err := rail.Submit(t.Context(), in)
		require.NoError(rt, err)
		require.Equal(rt, in.Amount, result.Amount)
		require.Equal(rt, 1, server.Paid(in.Reference))
	})
}

func TestRefusedInstructions(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for name, c := range map[string]struct {
		change func(*payments.Instruction)
		code   string
	}{
		"no key":         {func(in *payments.Instruction) { in.Key = "" }, "key-invalid"},
		"long key":       {func(in *payments.Instruction) { in.Key = strings.Repeat("k", 101) }, "key-invalid"},
		"padded key":     {func(in *payments.Instruction) { in.Key = "k " }, "key-invalid"},
		"no reference":   {func(in *payments.Instruction) { in.Reference = "" }, "reference-invalid"},
		"long reference": {func(in *payments.Instruction) { in.Reference = strings.Repeat("r", 256) }, "reference-invalid"},
		"no destination": {func(in *payments.Instruction) { in.Destination = nil }, "destination-invalid"},
		"not a clean one": {func(in *payments.Instruction) {
			in.Destination = payments.Destination{"channel": "ph_gcash", "account": "09171234567", "holder": "Maria Santos"}
		}, "destination-invalid"},
		"another currency":  {func(in *payments.Instruction) { in.Amount.Currency = "USD" }, "currency-not-supported"},
		"the other country": {func(in *payments.Instruction) { in.Destination = bca }, "currency-not-supported"},
	} {
		in := instruction("refused", 10_000_00, gcash)
		c.change(&in)
		_, err := rail.Submit(t.Context(), in)
		var e *payments.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, payments.Definite, e.Class, name)
		require.Equal(t, c.code, e.Code, name)
		require.Zero(t, server.Paid(in.Reference), name)
	}
	_, err := rail.Lookup(t.Context(), "")
	requireError(t, err, payments.Definite, "reference-invalid")
}

// Every status of Xendit's, reached the way Xendit reaches it.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		moves    []string
		state    payments.State
		reversed bool
	}{
		{nil, payments.Submitted, false},
		{[]string{"PENDING_COMPLIANCE_ASSESSMENT"}, payments.Submitted, false},
		{[]string{"PENDING_COMPLIANCE_ASSESSMENT", "COMPLIANCE_REJECTED"}, payments.Refused, false},
		{[]string{"REQUESTED"}, payments.Submitted, false},
		{[]string{"REQUESTED", "SUCCEEDED"}, payments.Paid, false},
		{[]string{"REQUESTED", "SUCCEEDED", "REVERSED"}, payments.Returned, true},
		{[]string{"REQUESTED", "FAILED"}, payments.Refused, false},
		{[]string{"CANCELLED"}, payments.Refused, false},
	} {
		t.Run(strings.Join(c.moves, " "), func(t *testing.T) {
			t.Parallel()
			rail, server := setup(t)
			in := instruction("status", 100_00, gcash)
			_, err := rail.Submit(t.Context(), in)
			require.NoError(t, err)
			for _, status := range c.moves {
				require.NoError(t, server.Move(in.Reference, status, ""))
			}
			found, err := rail.Lookup(t.Context(), in.Reference)
			require.NoError(t, err)
			require.Equal(t, c.state, found.State)
			require.NoError(t, found.Matches(rail.Name(), in.Amount))
			require.Equal(t, c.reversed, found.Reversed == in.Amount.Minor)
			balance, err := rail.Balance(t.Context(), "PHP")
			require.NoError(t, err)
			back := c.state == payments.Refused || c.state == payments.Returned
			require.Equal(t, back, balance.Minor == 1_000_000_00, "the money of a payout that is not made comes back")
			require.Error(t, server.Move(in.Reference, "LOCKED", ""), "a status of cash that is picked up")
		})
	}
}

// A balance that is too small fails the payout after Xendit has taken it.
func TestTooSmallABalance(t *testing.T) {
	t.Parallel()
	rail, server := setup(t, func(o *standin.Options) { o.Balances = map[string]string{"PHP": "99.99"} })
	in := instruction("poor", 100_00, gcash)
	result, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, payments.Submitted, result.State)
	found, err := rail.Lookup(t.Context(), in.Reference)
	require.NoError(t, err)
	require.Equal(t, payments.Refused, found.State)
	require.Zero(t, server.Paid(in.Reference))
	balance, err := rail.Balance(t.Context(), "PHP")
	require.NoError(t, err)
	require.Equal(t, int64(99_99), balance.Minor)
}

// Every way to lose an answer, and whether Xendit took the payout: the look-up tells the
// truth, and the same key never pays twice.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  standin.FaultKind
		class payments.Class
		taken bool
	}{
		{standin.Unavailable, payments.Unknown, false},
		{standin.DropBeforeCommit, payments.Unknown, false},
		{standin.CommitThenDrop, payments.Unknown, true},
		{standin.CommitThen500, payments.Unknown, true},
		{standin.Truncate, payments.Unknown, true},
		{standin.HTML, payments.Unknown, false},
		{standin.CommitThenHTML, payments.Unknown, true},
		{standin.Throttle, payments.Throttled, false},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			rail, server := setup(t)
			server.SetFaults(standin.Fault{Kind: c.kind, Times: 1})
			in := instruction("lost", 1_000_00, gcash)
			_, err := rail.Submit(t.Context(), in)
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			requireNoSecret(t, err)
			found, err := rail.Lookup(t.Context(), in.Reference)
			require.NoError(t, err)
			require.Equal(t, c.taken, found.Found())
			again, err := rail.Submit(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, payments.Submitted, again.State)
			require.Equal(t, 1, server.Paid(in.Reference))

			server.SetFaults(standin.Fault{Kind: c.kind, Method: http.MethodGet, Path: "/"})
			_, err = rail.Lookup(t.Context(), in.Reference)
			require.Equal(t, c.class, payments.ClassOf(err), "a look-up that fails is no look-up that finds nothing: %v", err)
			_, err = rail.Balance(t.Context(), "PHP")
			require.Equal(t, c.class, payments.ClassOf(err))
		})
	}
}

func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Error("it failed", "error", err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), log.String()} {
		for _, secret := range []string{apiKey, token, gcash["account"], gcash["holder"]} {
			require.NotContains(t, text, secret)
		}
	}
}

func TestTimeOutWhileTheRequestIsUnderWay(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	release := make(chan struct{})
	server.SetFaults(standin.Fault{Kind: standin.Delay, Times: 1, Release: release})
	in := instruction("slow", 1_000_00, gcash)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := rail.Submit(ctx, in); first <- err }()
	require.Eventually(t, func() bool { return server.Held() == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	err := <-first
	require.Equal(t, payments.Unknown, payments.ClassOf(err))
	require.ErrorIs(t, err, context.Canceled)
	found, err := rail.Lookup(t.Context(), in.Reference)
	require.NoError(t, err)
	require.False(t, found.Found(), "nothing yet: absent is no proof while a request is under way")
	_, err = rail.Submit(t.Context(), in)
	require.NoError(t, err)
	close(release)
	require.Eventually(t, func() bool { return server.Held() == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, server.Stop(t.Context()))
	require.Equal(t, 1, server.Paid(in.Reference), "the late request has the same key")
}

// Xendit answers a key it has seen with DUPLICATE_ERROR, for one body or for any: what
// stands under the reference decides.
func TestDuplicateKeys(t *testing.T) {
	t.Parallel()
	mine := `{"id":"disb-1","reference_id":"reference-twice","channel_code":"PH_GCASH","channel_properties":{"account_number":"09171234567"},"amount":100,"currency":"PHP","status":"%s","failure_code":"INVALID_DESTINATION","created":"2026-11-01T00:00:00Z"}`
	for name, c := range map[string]struct {
		status int
		list   string
		class  payments.Class
		state  payments.State
	}{
		"the same payout":          {200, `{"data":[` + fmt.Sprintf(mine, "ACCEPTED") + `]}`, "", payments.Submitted},
		"the same payout, paid":    {200, `{"data":[` + fmt.Sprintf(mine, "SUCCEEDED") + `]}`, "", payments.Paid},
		"the same payout, failed":  {200, `{"data":[` + fmt.Sprintf(mine, "FAILED") + `]}`, payments.RecipientAction, ""},
		"nothing":                  {200, `{"data":[]}`, payments.Alarm, ""},
		"another amount":           {200, `{"data":[` + strings.Replace(fmt.Sprintf(mine, "ACCEPTED"), ":100,", ":101,", 1) + `]}`, payments.Alarm, ""},
		"another account":          {200, `{"data":[` + strings.Replace(fmt.Sprintf(mine, "ACCEPTED"), "0917", "0918", 1) + `]}`, payments.Alarm, ""},
		"another channel":          {200, `{"data":[` + strings.Replace(fmt.Sprintf(mine, "ACCEPTED"), "PH_GCASH", "PH_PAYMAYA", 1) + `]}`, payments.Alarm, ""},
		"two":                      {200, `{"data":[` + fmt.Sprintf(mine, "ACCEPTED") + `,` + fmt.Sprintf(mine, "FAILED") + `]}`, payments.Alarm, ""},
		"a look-up that fails":     {500, `{"error_code":"SERVER_ERROR"}`, payments.Unknown, ""},
		"a look-up that is denied": {403, `{"error_code":"REQUEST_FORBIDDEN_ERROR"}`, payments.Unknown, ""},
		"a look-up that waits":     {429, `{"error_code":"RATE_LIMIT_EXCEEDED"}`, payments.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusConflict)
					_, _ = io.WriteString(w, `{"error_code":"DUPLICATE_ERROR"}`)
					return
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.list)
			}))
			t.Cleanup(server.Close)
			result, err := railAt(t, server.URL).Submit(t.Context(), instruction("twice", 100_00, gcash))
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			require.Equal(t, c.state, result.State)
		})
	}
}

// Answers that a good Xendit never gives.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	good := `{"id":"disb-1","reference_id":"reference-odd","channel_code":"PH_GCASH","channel_properties":{"account_number":"09171234567"},"amount":100.00,"currency":"PHP","status":"ACCEPTED","created":"2026-11-01T00:00:00Z"}`
	with := func(old, replaced string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, replaced, 1)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		class  payments.Class
	}{
		"good":                  {200, good, ""},
		"nothing":               {200, ``, payments.Unknown},
		"null":                  {200, `null`, payments.Unknown},
		"empty object":          {200, `{}`, payments.Unknown},
		"list":                  {200, `[]`, payments.Unknown},
		"half":                  {200, good[:len(good)/2], payments.Unknown},
		"two objects":           {200, good + good, payments.Unknown},
		"very long":             {200, `{"id":"` + strings.Repeat("a", 1<<20) + `"}`, payments.Unknown},
		"created":               {201, good, payments.Unknown},
		"redirect":              {307, good, payments.Unknown},
		"no id":                 {200, with(`disb-1`, ``), payments.Unknown},
		"no amount":             {200, with(`"amount":100.00,`, ``), payments.Unknown},
		"an endless amount":     {200, with(`100.00`, `1e999999999`), payments.Unknown},
		"a third decimal":       {200, with(`100.00`, `100.001`), payments.Unknown},
		"an unheard-of money":   {200, with(`PHP`, `XXX`), payments.Unknown},
		"other amount":          {200, with(`100.00`, `100.01`), payments.Alarm},
		"other currency":        {200, with(`PHP`, `IDR`), payments.Alarm},
		"other reference":       {200, with(`reference-odd`, `reference-even`), payments.Alarm},
		"other channel":         {200, with(`PH_GCASH`, `PH_BDO`), payments.Alarm},
		"other account":         {200, with(`09171234567`, `09171234568`), payments.Alarm},
		"an unheard-of status":  {200, with(`ACCEPTED`, `CONTEMPLATED`), payments.Alarm},
		"failed, of the holder": {200, with(`"ACCEPTED"`, `"FAILED","failure_code":"INVALID_DESTINATION"`), payments.RecipientAction},
		"rejected":              {200, with(`ACCEPTED`, `COMPLIANCE_REJECTED`), payments.Definite},
		"cancelled":             {200, with(`ACCEPTED`, `CANCELLED`), payments.Definite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.status == http.StatusTemporaryRedirect {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			_, err := railAt(t, server.URL).Submit(t.Context(), instruction("odd", 100_00, gcash))
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			if err != nil {
				requireNoSecret(t, err)
			}
		})
	}
}

// A list that ignores the filter, or is none, must pass neither for a find nor for
// nothing found.
func TestLookupTakesNothingOnTrust(t *testing.T) {
	t.Parallel()
	other := `{"id":"disb-1","reference_id":"other","amount":1,"currency":"PHP","status":"SUCCEEDED"}`
	for body, class := range map[string]payments.Class{
		`{"data":[]}`:                        "",
		`{"data":[` + other + `]}`:           payments.Alarm,
		`{"data":[],"has_more":true}`:        payments.Alarm,
		`{"data":null}`:                      payments.Unknown,
		`{}`:                                 payments.Unknown,
		`null`:                               payments.Unknown,
		`{"data":{}}`:                        payments.Unknown,
		`{"data":[{"reference_id":"mine"}]}`: payments.Unknown,
		strings.Replace(other, "other", "mine", 1):       payments.Unknown,
		`{"data":[` + other + `],"links":[],"x":"y"`:     payments.Unknown,
		`<html>Sign in to this network to continue.`:     payments.Unknown,
		`{"error_code":"DATA_NOT_FOUND","message":"no"}`: payments.Unknown,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
			t.Cleanup(server.Close)
			result, err := railAt(t, server.URL).Lookup(t.Context(), "mine")
			require.Equal(t, class, payments.ClassOf(err), "%v", err)
			require.Equal(t, class == "", result.State == payments.Absent)
		})
	}
}

func TestBalanceIsWhatCanBePaid(t *testing.T) {
	t.Parallel()
	for body, minor := range map[string]int64{`{"balance":12.345}`: 12_34, `{"balance":0}`: 0, `{"balance":-3.999}`: -3_99, `{"balance":"12.34"}`: 12_34, `{}`: -1, `{"balance":null}`: -1, `{"balance":1e3}`: -1, `[]`: -1} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
			t.Cleanup(server.Close)
			money, err := railAt(t, server.URL).Balance(t.Context(), "PHP")
			if minor == -1 {
				require.Equal(t, payments.Unknown, payments.ClassOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, incentive.Money{Minor: minor, Currency: "PHP"}, money)
		})
	}
}

// Whatever an answer is, the rail reads it without a panic, gives an error of its own and
// never says paid of another amount.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"data":[]}`, `{"error_code":"DUPLICATE_ERROR"}`, `{"id":"disb-1","reference_id":"reference-fuzz","channel_code":"PH_GCASH","channel_properties":{"account_number":"09171234567"},"amount":100,"currency":"PHP","status":"SUCCEEDED"}`} {
		for _, status := range []int{200, 400, 409, 500} {
			f.Add(status, seed)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		rail, err := xendit.New(xendit.Config{APIKey: apiKey, BaseURL: "http://localhost", HTTPClient: &http.Client{Transport: answering{status, body}}})
		require.NoError(t, err)
		in := instruction("fuzz", 100_00, gcash)
		result, err := rail.Submit(t.Context(), in)
		requireRailError(t, err)
		if err == nil {
			require.Equal(t, in.Amount, result.Amount)
		}
		_, err = rail.Lookup(t.Context(), in.Reference)
		requireRailError(t, err)
		_, err = rail.Balance(t.Context(), "PHP")
		requireRailError(t, err)
	})
}

func requireRailError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var e *payments.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, payments.Classes(), e.Class)
	require.Regexp(t, `^[A-Za-z0-9_-]*$`, e.Code)
	encoded, err := json.Marshal(e.Error())
	require.NoError(t, err)
	require.LessOrEqual(t, len(encoded), 300, "an answer would reach Temporal's history")
}

type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}
