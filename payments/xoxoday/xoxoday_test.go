package xoxoday_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/railtest"
	"github.com/guerdon/guerdon/payments/xoxoday"
	"github.com/guerdon/guerdon/payments/xoxoday/standin"
)

const secret = "TEST_client_secret"

// setup returns a rail on a stand-in with a million rupees.
func setup(t *testing.T) (*xoxoday.Rail, *standin.Running) {
	t.Helper()
	server, err := standin.Start("127.0.0.1:0", standin.Options{ClientSecret: secret, Balance: "1000000.00"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	return railAt(t, server.URL, secret), server
}

func railAt(t *testing.T, address, secret string) *xoxoday.Rail {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	rail, err := xoxoday.New(xoxoday.Config{ClientID: "client", ClientSecret: secret, Currency: "INR", BaseURL: address, HTTPClient: &http.Client{
		Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	require.NoError(t, err)
	return rail
}

// plum answers every operation with a status and a body; tokens it gives freely.
func plum(t *testing.T, status int, body string) *xoxoday.Rail {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/oauth/token" {
			_, _ = io.WriteString(w, `{"access_token":"t"}`)
			return
		}
		if status == http.StatusTemporaryRedirect {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return railAt(t, server.URL, secret)
}

var asha = payments.Destination{"email": "asha.rao@example.com", "product": standin.Experience}

func instruction(name string, minor int64, to payments.Destination) payments.Instruction {
	return payments.Instruction{
		Key: "key-" + name, Reference: "reference-" + name, PayoutID: "payout-" + name, PeriodID: "sales-2026-10",
		Amount: incentive.Money{Minor: minor, Currency: "INR"}, Destination: to,
	}
}

func requireError(t *testing.T, err error, class payments.Class, code string) {
	t.Helper()
	var e *payments.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, xoxoday.Name, e.Rail)
	require.Equal(t, class, e.Class, "%v", err)
	require.Equal(t, code, e.Code)
}

func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Error("it failed", "error", err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), log.String()} {
		for _, hidden := range []string{secret, "token-1", asha["email"], "VOUCHER"} {
			require.NotContains(t, text, hidden)
		}
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	railtest.RunSuite(t, railtest.Subject{
		Rail: rail, Currency: "INR", Good: payments.Destination{"email": " asha.rao@Example.com ", "product": standin.Experience},
		Bad: []payments.Destination{
			{"email": "asha.rao@example.com"}, {"product": standin.GiftCard}, {"email": "asha.rao", "product": standin.GiftCard}, {"email": "asha@localhost", "product": standin.GiftCard},
			{"email": "Asha <asha@example.com>", "product": standin.GiftCard}, {"email": "asha@example.com,ravi@example.com", "product": standin.GiftCard},
			{"email": "asha@example.com", "product": "1007, 1008"}, {"email": "asha@example.com", "product": "01007"}, {"email": "asha@example.com", "product": "1007", "contact": "+91-4705000000"},
		},
		Paid: server.Paid,
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]xoxoday.Config{
		"no client":    {ClientSecret: "s", Currency: "INR"},
		"no secret":    {ClientID: "c", Currency: "INR"},
		"no currency":  {ClientID: "c", ClientSecret: "s"},
		"in the clear": {ClientID: "c", ClientSecret: "s", Currency: "INR", BaseURL: "http://accounts.xoxoday.com/chef"},
	} {
		_, err := xoxoday.New(config)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	got := make(chan string, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		got <- fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body)
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = io.WriteString(w, `{"access_token":"fresh","token_type":"bearer","expires_in":1296000}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"placeOrder":{"status":1,"data":{"orderId":6474256,"orderTotal":12.5,"currencyCode":"INR","orderStatus":"complete","deliveryStatus":"delivered","tag":"","vouchers":[{"voucherCode":"VOUCHER","pin":"VOUCHER"}]}}}}`)
	}))
	t.Cleanup(server.Close)
	result, err := railAt(t, server.URL+"/", secret).Submit(t.Context(), instruction("a", 12_50, payments.Destination{"email": "asha.rao@example.com", "product": "1007"}))
	require.NoError(t, err)
	require.Equal(t, payments.Result{State: payments.Paid, RailID: "6474256", Amount: incentive.Money{Minor: 12_50, Currency: "INR"}}, result)
	require.Equal(t, "POST /v1/oauth/token  client_id=client&client_secret="+secret+"&grant_type=client_credentials", <-got)
	require.Equal(t, `POST /v1/oauth/api Bearer fresh {"query":"plumProAPI.mutation.placeOrder","tag":"plumProAPI","variables":{"data":{"productId":1007,"quantity":1,"denomination":12.50,`+
		`"email":"asha.rao@example.com","poNumber":"reference-a","tag":"reference-a","notifyReceiverEmail":1,"notifyAdminEmail":0}}}`, <-got)
}

func TestRefusedInstructions(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for name, c := range map[string]struct {
		change func(*payments.Instruction)
		code   string
	}{
		"no reference":     {func(in *payments.Instruction) { in.Reference = "" }, "reference-invalid"},
		"padded reference": {func(in *payments.Instruction) { in.Reference = "r " }, "reference-invalid"},
		"long reference":   {func(in *payments.Instruction) { in.Reference = strings.Repeat("r", 65) }, "reference-invalid"},
		"no destination":   {func(in *payments.Instruction) { in.Destination = nil }, "destination-invalid"},
		"not a clean one": {func(in *payments.Instruction) {
			in.Destination = payments.Destination{"email": "asha@EXAMPLE.com", "product": standin.Experience}
		}, "destination-invalid"},
		"another currency": {func(in *payments.Instruction) { in.Amount.Currency = "USD" }, "currency-not-supported"},
	} {
		in := instruction("refused", 100_00, asha)
		c.change(&in)
		_, err := rail.Submit(t.Context(), in)
		requireError(t, err, payments.Definite, c.code)
		require.Zero(t, server.Paid(in.Reference), name)
	}
	_, err := rail.Lookup(t.Context(), "")
	requireError(t, err, payments.Definite, "reference-invalid")
}

func TestRefusalsOfXoxoday(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for name, c := range map[string]struct {
		minor int64
		to    payments.Destination
		class payments.Class
		code  string
	}{
		"not of these amounts": {200_00, payments.Destination{"email": "asha@example.com", "product": standin.GiftCard}, payments.Definite, "http-400"},
		"no such product":      {100_00, payments.Destination{"email": "asha@example.com", "product": "9"}, payments.Definite, "http-400"},
		"nobody there":         {100_00, payments.Destination{"email": "asha@example.invalid", "product": standin.GiftCard}, payments.Definite, "http-400"},
	} {
		_, err := rail.Submit(t.Context(), instruction(name, c.minor, c.to))
		requireError(t, err, c.class, c.code)
		require.Zero(t, server.Paid("reference-"+name))
	}
	wrong := railAt(t, server.URL, "another")
	_, err := wrong.Submit(t.Context(), instruction("wrong", 100_00, asha))
	requireError(t, err, payments.Configuration, "credentials-refused")
	requireNoSecret(t, err)

	poor, err := standin.Start("127.0.0.1:0", standin.Options{Balance: "99.99"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, poor.Stop(context.WithoutCancel(t.Context()))) })
	_, err = railAt(t, poor.URL, secret).Submit(t.Context(), instruction("poor", 100_00, asha))
	requireError(t, err, payments.InsufficientFunds, "http-402")
}

// A token that is over is replaced, and the order is placed once.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for i := range 3 {
		server.Expire()
		in := instruction(fmt.Sprint("token", i), 100_00, asha)
		_, err := rail.Submit(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, 1, server.Paid(in.Reference))
	}
	refused := plum(t, http.StatusUnauthorized, `{"error":"invalid_token"}`)
	_, err := refused.Submit(t.Context(), instruction("never", 100_00, asha))
	requireError(t, err, payments.Configuration, "http-401")
}

// Whatever becomes of a token, nothing was ordered yet.
func TestNoTokenIsNoOrder(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{`<html>`: 502, `{}`: 200, `{"access_token":""}`: 200, `{"error":"wait"}`: 429, `<p>`: 403, `{"error":"down"}`: 503} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/oauth/token" {
				t.Error("something was ordered without a token")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(server.Close)
		_, err := railAt(t, server.URL, secret).Submit(t.Context(), instruction("none", 100_00, asha))
		requireError(t, err, payments.Throttled, "no-token")
	}
}

// Every way to lose an answer, and whether Xoxoday took the order: the look-up tells the
// truth. A second order would be a second payment, as the last lines show.
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
			in := instruction("lost", 1_000_00, asha)
			_, err := rail.Submit(t.Context(), in)
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			requireNoSecret(t, err)
			found, err := rail.Lookup(t.Context(), in.Reference)
			require.NoError(t, err)
			require.Equal(t, c.taken, found.Found())

			for _, operation := range []string{"getOrderDetails", "getBalance", "getVouchers"} {
				server.SetFaults(standin.Fault{Kind: c.kind, Contains: operation})
				switch operation {
				case "getOrderDetails":
					_, err = rail.Lookup(t.Context(), in.Reference)
				case "getBalance":
					_, err = rail.Balance(t.Context(), "INR")
				case "getVouchers":
					_, err = rail.Products(t.Context(), "IN", "INR")
				}
				require.Equal(t, c.class, payments.ClassOf(err), "a call that fails is no call that finds nothing: %s: %v", operation, err)
			}
		})
	}
	rail, server := setup(t)
	in := instruction("twice", 1_000_00, asha)
	for range 2 {
		_, err := rail.Submit(t.Context(), in)
		require.NoError(t, err)
	}
	require.Equal(t, 2, server.Paid(in.Reference), "Plum knows no order again: its capabilities say so")
	require.Zero(t, rail.Capabilities().DedupeWindow)
}

func TestTimeOutWhileTheRequestIsUnderWay(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	release := make(chan struct{})
	server.SetFaults(standin.Fault{Kind: standin.Delay, Times: 1, Release: release})
	in := instruction("slow", 1_000_00, asha)
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
	close(release)
	require.NoError(t, server.Stop(t.Context()))
	require.Equal(t, 1, server.Paid(in.Reference))
}

const good = `{"data":{"placeOrder":{"status":1,"data":{"orderId":7,"orderTotal":10.0,"currencyCode":"INR","orderStatus":"complete","tag":"reference-odd"}}}}`

// Answers that a good Xoxoday never gives.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
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
		"not complete yet":      {200, with("complete", "pending"), ""},
		"an amount in quotes":   {200, with("10.0", `"10"`), ""},
		"nothing":               {200, ``, payments.Unknown},
		"null":                  {200, `null`, payments.Unknown},
		"empty object":          {200, `{}`, payments.Unknown},
		"list":                  {200, `[]`, payments.Unknown},
		"half":                  {200, good[:len(good)/2], payments.Unknown},
		"very long":             {200, `{"x":"` + strings.Repeat("a", 8<<20) + `"}`, payments.Unknown},
		"accepted":              {202, good, payments.Unknown},
		"redirect":              {307, good, payments.Unknown},
		"another operation":     {200, with("placeOrder", "getBalance"), payments.Unknown},
		"no success":            {200, with(`"status":1`, `"status":0`), payments.Unknown},
		"no order":              {200, `{"data":{"placeOrder":{"status":1}}}`, payments.Unknown},
		"a null for an order":   {200, `{"data":{"placeOrder":{"status":1,"data":null}}}`, payments.Unknown},
		"no id":                 {200, with(`7`, `null`), payments.Unknown},
		"an id that is none":    {200, with(`7`, `0.5`), payments.Unknown},
		"an endless amount":     {200, with(`10.0`, `1e999999999`), payments.Unknown},
		"a third decimal":       {200, with(`10.0`, `10.001`), payments.Unknown},
		"no amount":             {200, with(`10.0`, `null`), payments.Unknown},
		"an unheard-of money":   {200, with(`INR`, `XXX`), payments.Unknown},
		"other amount":          {200, with(`10.0`, `10.01`), payments.Alarm},
		"other currency":        {200, with(`INR`, `USD`), payments.Alarm},
		"other tag":             {200, with(`reference-odd`, `reference-even`), payments.Alarm},
		"other number":          {200, with(`"tag":"reference-odd"`, `"poNumber":"reference-even"`), payments.Alarm},
		"an unheard-of status":  {200, with(`complete`, `cancelled`), payments.Alarm},
		"a number used before":  {422, `{"errorInfo":"poNumber"}`, payments.Unknown},
		"a proxy that refuses":  {400, `<html>Bad Request</html>`, payments.Unknown},
		"a proxy that forbids":  {403, `{"message":"no"}`, payments.Unknown},
		"refused":               {400, `{"error":"x","errorId":"a b"}`, payments.Definite},
		"forbidden":             {403, `{"error":"x"}`, payments.Configuration},
		"not known":             {404, `{"error":"x"}`, payments.Definite},
		"too many":              {429, `{"error":"x"}`, payments.Throttled},
		"a server that failed":  {500, `{"error":"x"}`, payments.Unknown},
		"a gateway that failed": {502, `{"error":"x"}`, payments.Unknown},
		"an unheard-of refusal": {418, `{"error":"x"}`, payments.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := plum(t, c.status, c.body).Submit(t.Context(), instruction("odd", 10_00, asha))
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			if err != nil {
				requireNoSecret(t, err)
			}
		})
	}
}

func TestErrorCarriesWhatSupportNeeds(t *testing.T) {
	t.Parallel()
	_, err := plum(t, 400, `{"error":"of Asha Rao","errorInfo":"of Asha Rao","errorId":"PLUM-77"}`).Submit(t.Context(), instruction("odd", 10_00, asha))
	var e *payments.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "PLUM-77", e.RequestID)
	require.NotContains(t, e.Error(), "Asha")
}

// Only Xoxoday itself can say that there is no order.
func TestLookupTakesNothingOnTrust(t *testing.T) {
	t.Parallel()
	details := strings.Replace(strings.Replace(good, "placeOrder", "getOrderDetails", 1), "reference-odd", "mine", 1)
	for body, c := range map[string]struct {
		status int
		class  payments.Class
		state  payments.State
	}{
		details: {200, "", payments.Paid},
		`{"data":{"getOrderDetails":{"status":1,"data":null}}}`: {200, "", payments.Absent},
		`{"data":{"getOrderDetails":{"status":1,"data":{}}}}`:   {200, "", payments.Absent},
		`{"error":"no such order"}`:                             {404, "", payments.Absent},
		`{"error":"not like this"}`:                             {400, payments.Definite, ""},
		`<html>Not Found</html>`:                                {404, payments.Unknown, ""},
		`{"data":{"getOrderDetails":{"status":0}}}`:             {200, payments.Unknown, ""},
		`{"data":{"getOrderDetails":{"status":1}}}`:             {200, payments.Unknown, ""},
		`{"data":{"getOrderDetails":{"status":1,"data":[]}}}`:   {200, payments.Unknown, ""},
		`{"data":{}}`: {200, payments.Unknown, ""},
		`null`:        {200, payments.Unknown, ""},
		`<html>Sign in to this network to continue.`: {200, payments.Unknown, ""},
		strings.Replace(details, "mine", "other", 1): {200, payments.Alarm, ""},
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			result, err := plum(t, c.status, body).Lookup(t.Context(), "mine")
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			require.Equal(t, c.state, result.State)
		})
	}
}

func TestBalanceIsOfOneCurrency(t *testing.T) {
	t.Parallel()
	for wallet, minor := range map[string]int64{
		`{"value":5870.029,"currency":"INR"}`: 5870_02, `{"value":5870.02,"currency":"USD"}`: 0, `{"value":null,"currency":"INR"}`: -1, `{}`: -1, `null`: -1,
	} {
		money, err := plum(t, 200, `{"data":{"getBalance":{"status":1,"data":`+wallet+`}}}`).Balance(t.Context(), "INR")
		if minor == -1 {
			require.Equal(t, payments.Unknown, payments.ClassOf(err), wallet)
			continue
		}
		require.NoError(t, err, wallet)
		require.Equal(t, incentive.Money{Minor: minor, Currency: "INR"}, money)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	rail, _ := setup(t)
	products, err := rail.Products(t.Context(), "IN", "INR")
	require.NoError(t, err)
	require.Equal(t, []payments.Product{
		{ID: standin.Experience, Name: "An evening out", Kind: payments.Experience, Category: "experience", Currencies: []incentive.Currency{"INR"}, Countries: []string{"IN"}, Bands: []payments.Band{{Smallest: "1", Largest: "50000"}}},
		{ID: standin.GiftCard, Name: "Gift card of a shop", Kind: payments.GiftCard, Category: "eCommerce", Currencies: []incentive.Currency{"INR"}, Countries: []string{"IN"},
			Bands: []payments.Band{{Smallest: "100", Largest: "100"}, {Smallest: "500", Largest: "500"}, {Smallest: "1000", Largest: "1000"}}},
	}, products, "by name, without what needs a telephone number or is had elsewhere")
	for _, p := range products {
		_, _, err := rail.ValidateDestination(payments.Destination{"email": "asha@example.com", "product": p.ID})
		require.NoError(t, err, "whatever is in the catalogue can be chosen")
	}
	for country, currency := range map[string]incentive.Currency{"IN": "USD", "DE": "INR"} {
		none, err := rail.Products(t.Context(), country, currency)
		require.NoError(t, err)
		require.Empty(t, none)
	}
}

// The catalogue is read to its end, and one without end is given up.
func TestCatalogueHasPages(t *testing.T) {
	t.Parallel()
	page := make([]map[string]any, 100)
	for i := range page {
		page[i] = map[string]any{"productId": i + 1, "name": "A card", "currencyCode": "INR", "countryCode": "IN", "minValue": 1, "maxValue": 2}
	}
	full, err := json.Marshal(map[string]any{"data": map[string]any{"getVouchers": map[string]any{"status": 1, "data": page}}})
	require.NoError(t, err)
	products, err := plum(t, 200, string(full)).Products(t.Context(), "IN", "INR")
	require.NoError(t, err)
	require.Len(t, products, 200*100)
}

func TestNoEventIsTaken(t *testing.T) {
	t.Parallel()
	rail := railAt(t, "", secret)
	_, err := rail.ParseEvents(http.Header{"Authorization": {secret}}, []byte(`{"orderId":7}`), time.Unix(1_800_000_000, 0))
	require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
}

// Whatever an answer is, the rail reads it without a panic, gives an error of its own and
// never says paid of another amount.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"error":"x","errorId":"y"}`, good, strings.Replace(good, "placeOrder", "getOrderDetails", 1), `{"data":{"getBalance":{"status":1,"data":{"value":1,"currency":"INR"}}}}`, `{"data":{"getVouchers":{"status":1,"data":[{"productId":1}]}}}`} {
		for _, status := range []int{200, 400, 401, 404, 422, 500} {
			f.Add(status, seed)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		rail, err := xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: secret, Currency: "INR", BaseURL: "http://localhost", HTTPClient: &http.Client{Transport: answering{status, body}}})
		require.NoError(t, err)
		in := instruction("odd", 10_00, asha)
		result, err := rail.Submit(t.Context(), in)
		requireRailError(t, err)
		if err == nil {
			require.Equal(t, in.Amount, result.Amount)
		}
		_, err = rail.Lookup(t.Context(), in.Reference)
		requireRailError(t, err)
		_, err = rail.Balance(t.Context(), "INR")
		requireRailError(t, err)
		_, err = rail.Products(t.Context(), "IN", "INR")
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
	require.Regexp(t, `^[A-Za-z0-9_.-]+$`, e.Code)
	require.LessOrEqual(t, len(e.Error()), 300, "an answer would reach Temporal's history")
}

type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := a.status, a.body
	if r.URL.Path == "/v1/oauth/token" {
		status, body = http.StatusOK, `{"access_token":"t"}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}
