package standin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
)

func open(t *testing.T, options standin.Options) (*standin.Server, *httptest.Server) {
	t.Helper()
	s, err := standin.New(options)
	require.NoError(t, err)
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, s.Close())
	})
	return s, web
}

type reply struct {
	status   int
	replayed bool
	body     map[string]any
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// call makes a call as Stripe's own clients do.
func call(t *testing.T, web *httptest.Server, method, path, key string, form url.Values) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer sk_test")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := web.Client().Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	r := reply{status: response.StatusCode, replayed: response.Header.Get("Idempotent-Replayed") == "true"}
	require.NotEmpty(t, response.Header.Get("Request-Id"))
	require.NoError(t, json.NewDecoder(response.Body).Decode(&r.body))
	return r
}

func transferForm(group string) url.Values {
	return url.Values{"amount": {"1000"}, "currency": {"usd"}, "destination": {"acct_a"}, "transfer_group": {group}, "metadata[payout_id]": {"p1"}}
}

func usd(amount int64) map[string]int64 { return map[string]int64{"usd": amount} }

func TestTransfers(t *testing.T) {
	t.Parallel()
	_, web := open(t, standin.Options{Balances: usd(100_000), AnyAccount: true})
	made := call(t, web, "POST", "/v1/transfers", "k1", transferForm("g1"))
	require.Equal(t, 200, made.status)
	require.Equal(t, "g1", made.body["transfer_group"])
	require.Equal(t, map[string]any{"payout_id": "p1"}, made.body["metadata"])
	again := call(t, web, "POST", "/v1/transfers", "k1", transferForm("g1"))
	require.True(t, again.replayed)
	require.Equal(t, made.body, again.body)
	other := call(t, web, "POST", "/v1/transfers", "k1", transferForm("g2"))
	require.Equal(t, 400, other.status)
	require.Equal(t, "idempotency_error", other.body["error"].(map[string]any)["type"])
	require.Equal(t, made.body, call(t, web, "GET", "/v1/transfers/"+made.body["id"].(string), "", nil).body)
	require.Equal(t, 404, call(t, web, "GET", "/v1/transfers/tr_none", "", nil).status)
	// Without a key each call is a transfer of its own.
	for range 2 {
		require.Equal(t, 200, call(t, web, "POST", "/v1/transfers", "", transferForm("g3")).status)
	}
	page := call(t, web, "GET", "/v1/transfers?limit=2", "", nil).body
	require.Len(t, page["data"], 2)
	require.Equal(t, true, page["has_more"])
	last := page["data"].([]any)[1].(map[string]any)["id"].(string)
	page = call(t, web, "GET", "/v1/transfers?limit=2&starting_after="+last, "", nil).body
	require.Len(t, page["data"], 1)
	require.Equal(t, false, page["has_more"])
	require.Len(t, call(t, web, "GET", "/v1/transfers?transfer_group=g3", "", nil).body["data"], 2)
	require.Empty(t, call(t, web, "GET", "/v1/transfers?transfer_group=none", "", nil).body["data"])
	require.Empty(t, call(t, web, "GET", "/v1/transfers?destination=acct_none", "", nil).body["data"])
	available := call(t, web, "GET", "/v1/balance", "", nil).body["available"].([]any)[0].(map[string]any)
	require.Equal(t, 97_000.0, available["amount"])
}

func TestRefusedParameters(t *testing.T) {
	t.Parallel()
	s, web := open(t, standin.Options{Balances: usd(5_000)})
	require.NoError(t, s.AddAccount("acct_a"))
	for name, c := range map[string]struct {
		change func(url.Values)
		status int
		code   string
	}{
		"no amount":       {func(f url.Values) { f.Del("amount") }, 400, "parameter_missing"},
		"no number":       {func(f url.Values) { f.Set("amount", "10.5") }, 400, "parameter_invalid_integer"},
		"nothing":         {func(f url.Values) { f.Set("amount", "0") }, 400, "parameter_invalid_integer"},
		"less":            {func(f url.Values) { f.Set("amount", "-5") }, 400, "parameter_invalid_integer"},
		"no currency":     {func(f url.Values) { f.Del("currency") }, 400, "parameter_missing"},
		"other currency":  {func(f url.Values) { f.Set("currency", "zzz") }, 400, ""},
		"no destination":  {func(f url.Values) { f.Del("destination") }, 400, "parameter_missing"},
		"nobody":          {func(f url.Values) { f.Set("destination", "acct_nobody") }, 400, "resource_missing"},
		"unknown":         {func(f url.Values) { f.Set("payout", "x") }, 400, "parameter_unknown"},
		"large metadata":  {func(f url.Values) { f.Set("metadata[x]", strings.Repeat("x", 501)) }, 400, ""},
		"too much":        {func(f url.Values) { f.Set("amount", "5001") }, 400, "balance_insufficient"},
		"empty currency":  {func(f url.Values) { f.Set("currency", "eur") }, 400, "balance_insufficient"},
		"nothing is amis": {func(url.Values) {}, 200, ""},
	} {
		form := transferForm("g-" + name)
		c.change(form)
		got := call(t, web, "POST", "/v1/transfers", "", form)
		require.Equal(t, c.status, got.status, name)
		require.Equal(t, c.code, got.code(), name)
	}
	require.Equal(t, "parameter_unknown", call(t, web, "GET", "/v1/transfers?metadata[x]=1", "", nil).code())
	require.Equal(t, 404, call(t, web, "GET", "/v1/charges", "", nil).status)
	require.Equal(t, 400, call(t, web, "POST", "/v1/transfers", strings.Repeat("k", 256), transferForm("g")).status)
	// What was executed and refused is kept under its key, even once there is money.
	form := transferForm("late")
	form.Set("amount", "9000")
	require.Equal(t, "balance_insufficient", call(t, web, "POST", "/v1/transfers", "late", form).code())
	require.NoError(t, s.Fund("usd", 50_000))
	require.Equal(t, "balance_insufficient", call(t, web, "POST", "/v1/transfers", "late", form).code())
	require.Equal(t, 200, call(t, web, "POST", "/v1/transfers", "later", form).status)
}

func TestAccountsAreOnboardedBeforeTheyArePaid(t *testing.T) {
	t.Parallel()
	s, web := open(t, standin.Options{Balances: usd(5_000)})
	made := call(t, web, "POST", "/v1/accounts", "a", url.Values{"type": {"express"}, "country": {"DE"}, "capabilities[transfers][requested]": {"true"}, "settings[payouts][schedule][interval]": {"manual"}})
	require.Equal(t, 200, made.status)
	require.Equal(t, made.body["id"], call(t, web, "POST", "/v1/accounts", "a", url.Values{"type": {"express"}, "country": {"DE"}, "capabilities[transfers][requested]": {"true"}, "settings[payouts][schedule][interval]": {"manual"}}).body["id"])
	id := made.body["id"].(string)
	form := transferForm("g")
	form.Set("destination", id)
	require.Equal(t, "insufficient_capabilities_for_transfer", call(t, web, "POST", "/v1/transfers", "", form).code())
	link := call(t, web, "POST", "/v1/account_links", "", url.Values{"account": {id}, "type": {"account_onboarding"}, "refresh_url": {web.URL}, "return_url": {web.URL + "/v1/accounts/" + id}})
	require.Equal(t, 200, link.status)
	client := *web.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	visit, err := client.PostForm(link.body["url"].(string), url.Values{"say": {"everything"}})
	require.NoError(t, err)
	require.NoError(t, visit.Body.Close())
	require.Equal(t, http.StatusSeeOther, visit.StatusCode)
	require.Equal(t, web.URL+"/v1/accounts/"+id, visit.Header.Get("Location"))
	require.Equal(t, true, call(t, web, "GET", "/v1/accounts/"+id, "", nil).body["payouts_enabled"])
	require.Equal(t, 200, call(t, web, "POST", "/v1/transfers", "", form).status)
	require.Equal(t, 403, call(t, web, "GET", "/v1/accounts/acct_none", "", nil).status)
	require.Equal(t, 400, call(t, web, "POST", "/v1/accounts", "", url.Values{"type": {"standard"}}).status)
	require.Equal(t, 400, call(t, web, "POST", "/v1/accounts", "", url.Values{"type": {"express"}, "country": {"xx"}}).status)
	require.Equal(t, "parameter_missing", call(t, web, "POST", "/v1/account_links", "", url.Values{"account": {id}}).code())
	require.Error(t, s.Onboard("acct_none"))
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_790_000_000, 0)
	_, web := open(t, standin.Options{PerSecond: 3, AnyAccount: true, Balances: usd(9_000), Now: func() time.Time { return now }})
	for range 3 {
		require.Equal(t, 200, call(t, web, "GET", "/v1/balance", "", nil).status)
	}
	limited := call(t, web, "POST", "/v1/transfers", "k", transferForm("g"))
	require.Equal(t, 429, limited.status)
	require.Equal(t, "rate_limit", limited.code())
	now = now.Add(time.Second)
	require.Equal(t, 200, call(t, web, "POST", "/v1/transfers", "k", transferForm("g")).status, "a limited call leaves its key free")
}

func TestFaultPlan(t *testing.T) {
	t.Parallel()
	s, web := open(t, standin.Options{AnyAccount: true, Balances: usd(1_000_000)})
	statuses := func(group string, n int) (got []int) {
		for range n {
			got = append(got, call(t, web, "POST", "/v1/transfers", "", transferForm(group)).status)
		}
		return got
	}
	require.NoError(t, s.SetFaults(standin.Fault{Kind: standin.Throttle, TransferGroup: "a", Skip: 1, Times: 2}, standin.Fault{Kind: standin.Unavailable, TransferGroup: "b", EachTimes: 1}))
	require.Equal(t, []int{200, 429, 429, 200}, statuses("a", 4))
	require.Equal(t, []int{503, 200}, statuses("b", 2))
	require.Equal(t, []int{200}, statuses("c", 1))
	require.NoError(t, s.SetFaults(standin.Fault{Kind: standin.FailBeforeCommit, Method: "GET", Path: "/v1/balance"}))
	require.Equal(t, 500, call(t, web, "GET", "/v1/balance", "", nil).status)
	require.Equal(t, []int{200}, statuses("a", 1))
	require.Error(t, s.SetFaults(standin.Fault{Kind: "explode"}))
	require.Error(t, s.SetFaults(standin.Fault{Kind: standin.HTML, Probability: 1.5}))

	put := func(body string) int {
		request, err := http.NewRequestWithContext(t.Context(), "PUT", web.URL+"/standin/faults", strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer sk_test")
		response, err := web.Client().Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, 200, put(`[{"kind":"429","times":1}]`))
	require.Equal(t, []int{429, 200}, statuses("d", 2))
	require.Equal(t, 400, put(`[{"kind":"explode"}]`))
	require.Equal(t, 400, put(`{`))
}

func TestChanceDependsOnTheSeedAlone(t *testing.T) {
	t.Parallel()
	failed := func(seed uint64) (groups []int) {
		s, web := open(t, standin.Options{AnyAccount: true, Balances: usd(1_000_000), Seed: seed})
		require.NoError(t, s.SetFaults(standin.Fault{Kind: standin.Unavailable, Probability: 0.3}))
		statuses := make([]int, 100)
		var wait sync.WaitGroup
		for i := range statuses {
			wait.Go(func() {
				statuses[i] = call(t, web, "POST", "/v1/transfers", "", transferForm(strconv.Itoa(i))).status
			})
		}
		wait.Wait()
		for i, status := range statuses {
			if status == 503 {
				groups = append(groups, i)
			}
		}
		return groups
	}
	first := failed(1)
	require.Equal(t, first, failed(1))
	require.NotEqual(t, first, failed(2))
	require.Greater(t, len(first), 10)
	require.Less(t, len(first), 60)
}

// pay drives one payout the way a careful caller does: the same key until it is known
// what became of it, and a look-up after every answer that leaves it open.
func pay(ctx context.Context, rail *stripe.Rail, name string) error {
	in := payments.Instruction{
		Key: "key-" + name, Reference: name, PayoutID: name, PeriodID: "p", Amount: incentive.Money{Minor: 1_000, Currency: "USD"},
		Destination: payments.Destination{stripe.AccountDetail: "acct_a"},
	}
	for range 100 {
		_, err := rail.Submit(ctx, in)
		if err == nil {
			return nil
		}
		if !payments.ClassOf(err).Handling().Retry {
			return err
		}
		if payments.ClassOf(err).Handling().MayHavePaid {
			if found, err := rail.Lookup(ctx, in.Reference); err == nil && found.Found() {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is still unknown", name)
}

func railOn(t *testing.T, base string) *stripe.Rail {
	transport := &http.Transport{DisableKeepAlives: true}
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test", BaseURL: base, HTTPClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	return rail
}

// Under all faults at once every payout is made exactly once.
func TestSoak(t *testing.T) {
	t.Parallel()
	const payouts = 400
	s, web := open(t, standin.Options{AnyAccount: true, Balances: usd(payouts * 1_000), Seed: 7})
	web.Config.ErrorLog = nil
	require.NoError(t, s.SetFaults(
		standin.Fault{Kind: standin.CommitThenDrop, Probability: 0.1}, standin.Fault{Kind: standin.DropBeforeCommit, Probability: 0.1}, standin.Fault{Kind: standin.CommitThen500, Probability: 0.05},
		standin.Fault{Kind: standin.Truncate, Probability: 0.1}, standin.Fault{Kind: standin.HTML, Probability: 0.1}, standin.Fault{Kind: standin.CommitThenHTML, Probability: 0.05},
		standin.Fault{Kind: standin.Unavailable, Probability: 0.1}, standin.Fault{Kind: standin.Throttle, Probability: 0.1},
		standin.Fault{Kind: standin.Unavailable, Method: "GET", Path: "/v1/transfers", Probability: 0.2},
	))
	rail := railOn(t, web.URL)
	var wait sync.WaitGroup
	failures := make([]error, payouts)
	slots := make(chan struct{}, 16)
	for i := range payouts {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			failures[i] = pay(t.Context(), rail, fmt.Sprintf("payout-%03d", i))
		})
	}
	wait.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.NoError(t, s.SetFaults())
	requireOnce(t, s.Report(), payouts)
	left, err := rail.Balance(t.Context(), "USD")
	require.NoError(t, err)
	require.Zero(t, left.Minor)
}

func requireOnce(t *testing.T, report []standin.Group, payouts int) {
	t.Helper()
	require.Len(t, report, payouts)
	for _, g := range report {
		require.Len(t, g.Transfers, 1, g.TransferGroup)
		require.Equal(t, int64(1_000), g.Transfers[0].Amount)
		require.Equal(t, g.TransferGroup, g.Transfers[0].Metadata["payout_id"])
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stripe.journal")
	options := standin.Options{Journal: path, Balances: usd(5_000), AnyAccount: true}
	first, err := standin.New(options)
	require.NoError(t, err)
	web := httptest.NewServer(first)
	made := call(t, web, "POST", "/v1/transfers", "k", transferForm("g"))
	require.Equal(t, 200, call(t, web, "POST", "/v1/transfers/"+made.body["id"].(string)+"/reversals", "r", url.Values{"amount": {"250"}}).status)
	_, err = standin.New(options)
	require.ErrorContains(t, err, "in use by another process")
	web.Close()
	require.NoError(t, first.Close())

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	// A death in the middle of a line: what it says was never answered.
	require.NoError(t, os.WriteFile(path, append(content, `{"transfer":{"id":"tr_stand`...), 0o600))
	second, web := open(t, options)
	require.True(t, call(t, web, "POST", "/v1/transfers", "k", transferForm("g")).replayed)
	require.Equal(t, first.Report(), second.Report())
	require.Equal(t, int64(250), second.Report()[0].Transfers[0].AmountReversed)
	balance := call(t, web, "GET", "/v1/balance", "", nil).body["available"].([]any)[0].(map[string]any)
	require.Equal(t, 4_250.0, balance["amount"], "what it starts with counts once")
	require.Equal(t, first.Events(), second.Events())
	require.Equal(t, 200, call(t, web, "POST", "/v1/transfers", "k2", transferForm("g2")).status)

	damaged := filepath.Join(t.TempDir(), "damaged.journal")
	require.NoError(t, os.WriteFile(damaged, append([]byte("not an entry\n"), content...), 0o600))
	_, err = standin.New(standin.Options{Journal: damaged})
	require.ErrorContains(t, err, "line 1")
	_, err = standin.New(standin.Options{Journal: filepath.Join(t.TempDir(), "no", "such", "folder")})
	require.Error(t, err)
}

// serveJournal makes the test binary a process that runs a stand-in until it is killed.
const serveJournal = "GUERDON_TEST_STANDIN_JOURNAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(serveJournal); path != "" {
		s, err := standin.Start("127.0.0.1:0", standin.Options{Journal: path, Balances: usd(200_000), AnyAccount: true})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(s.URL)
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, at the latest
		return
	}
	os.Exit(m.Run())
}

// Killed again and again while it pays 200 payouts, the stand-in forgets nothing it
// answered and pays nothing twice.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	const payouts = 200
	path := filepath.Join(t.TempDir(), "stripe.journal")
	launch := func() (*exec.Cmd, string) {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), serveJournal+"="+path)
		stdin, err := command.StdinPipe()
		require.NoError(t, err)
		t.Cleanup(func() { _ = stdin.Close() })
		stdout, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		line, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		return command, strings.TrimSpace(line)
	}
	answered := map[string]bool{}
	for round := 0; len(answered) < payouts; round++ {
		command, base := launch()
		rail := railOn(t, base)
		// The process dies while other calls are under way.
		target := min(payouts, len(answered)+35)
		var mu sync.Mutex
		var wait sync.WaitGroup
		killed := false
		work := make(chan string, payouts)
		for i := range payouts {
			if name := fmt.Sprintf("payout-%03d", i); !answered[name] {
				work <- name
			}
		}
		close(work)
		for range 8 {
			wait.Go(func() {
				for name := range work {
					in := payments.Instruction{
						Key: "key-" + name, Reference: name, PayoutID: name, PeriodID: "p", Amount: incentive.Money{Minor: 1_000, Currency: "USD"},
						Destination: payments.Destination{stripe.AccountDetail: "acct_a"},
					}
					_, err := rail.Submit(t.Context(), in)
					mu.Lock()
					if err == nil {
						answered[name] = true
					}
					if len(answered) >= target && !killed {
						killed = true
						_ = command.Process.Kill()
					}
					stop := killed
					mu.Unlock()
					if stop {
						return
					}
				}
			})
		}
		wait.Wait()
		_ = command.Process.Kill()
		_ = command.Wait()
		require.Less(t, round, 20)
	}
	s, err := standin.New(standin.Options{Journal: path})
	require.NoError(t, err)
	requireOnce(t, s.Report(), payouts)
	require.NoError(t, s.Close())
}

func TestReportOverHTTP(t *testing.T) {
	t.Parallel()
	s, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test", AnyAccount: true, Balances: usd(1_000)})
	require.NoError(t, err)
	require.NoError(t, pay(t.Context(), railOn(t, s.URL), "one"))
	get := func(key string) (int, []standin.Group) {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/standin/report", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+key)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		var report []standin.Group
		_ = json.NewDecoder(response.Body).Decode(&report)
		return response.StatusCode, report
	}
	status, report := get("sk_test")
	require.Equal(t, 200, status)
	require.Equal(t, s.Report(), report)
	status, _ = get("other")
	require.Equal(t, 401, status)
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "stopping twice is no harm")
	_, err = standin.Start("999.0.0.1:0", standin.Options{})
	require.Error(t, err)
}
