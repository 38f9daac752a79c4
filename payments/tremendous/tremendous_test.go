package tremendous_test

import (
	"context"
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
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/tremendous/standin"
)

const (
	apiKey = "TEST_api_key"
	secret = "webhook-private-key"
)

// setup returns a rail on a stand-in with a million dollars.
func setup(t *testing.T, change ...func(*standin.Options)) (*tremendous.Rail, *standin.Running) {
	t.Helper()
	options := standin.Options{APIKey: apiKey, Balance: "1000000.00"}
	for _, c := range change {
		c(&options)
	}
	server, err := standin.Start("127.0.0.1:0", options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	return railAt(t, server.URL), server
}

func railAt(t *testing.T, address string) *tremendous.Rail {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	rail, err := tremendous.New(tremendous.Config{APIKey: apiKey, CampaignID: standin.Campaign, WebhookSecrets: []string{secret}, BaseURL: address, HTTPClient: &http.Client{
		Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	require.NoError(t, err)
	return rail
}

var maria = payments.Destination{"email": "maria.santos@example.com", "name": "Maria Santos"}

func instruction(name string, minor int64, to payments.Destination) payments.Instruction {
	return payments.Instruction{
		Key: "key-" + name, Reference: "reference-" + name, PayoutID: "payout-" + name, PeriodID: "sales-2026-10",
		Amount: incentive.Money{Minor: minor, Currency: "USD"}, Destination: to,
	}
}

func requireError(t *testing.T, err error, class payments.Class, code string) {
	t.Helper()
	var e *payments.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, tremendous.Name, e.Rail)
	require.Equal(t, class, e.Class, "%v", err)
	require.Equal(t, code, e.Code)
}

func TestContract(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	railtest.RunSuite(t, railtest.Subject{
		Rail: rail, Currency: "USD", Good: payments.Destination{"email": " maria.santos@Example.com ", "name": "Maria  Santos", "product": standin.GiftCard},
		Bad: []payments.Destination{
			{"email": "maria.santos"}, {"email": "maria@localhost"}, {"email": "Maria <maria@example.com>"}, {"email": "maria@example.com\r\nBcc: all@example.com"},
			{"email": "maria@example.com,paul@example.com"}, {"name": "Maria Santos"}, {"email": "maria@example.com", "product": "../funding_sources"},
			{"email": "maria@example.com", "name": "Maria\u0007Santos"}, {"email": "maria@example.com", "x": "something"}, {"email": strings.Repeat("a", 65) + "@example.com"},
		},
		Paid: server.Paid,
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]tremendous.Config{
		"no key":          {CampaignID: "c"},
		"no campaign":     {APIKey: "k"},
		"an empty secret": {APIKey: "k", CampaignID: "c", WebhookSecrets: []string{""}},
		"in the clear":    {APIKey: "k", CampaignID: "c", BaseURL: "http://www.tremendous.com/api/v2"},
		"no address":      {APIKey: "k", CampaignID: "c", BaseURL: "::"},
	} {
		_, err := tremendous.New(config)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
	}
	_, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: "c"})
	require.NoError(t, err)
}

func TestDestinationsAreMasked(t *testing.T) {
	t.Parallel()
	rail := railAt(t, "")
	for given, masked := range map[string]string{"maria@Example.COM": "m…@example.com", " o'neill+pay@a-b.co.uk": "o…@a-b.co.uk", "x@example.com": "x…@example.com"} {
		clean, shown, err := rail.ValidateDestination(payments.Destination{"email": given, "name": " ", "product": ""})
		require.NoError(t, err, given)
		require.Equal(t, masked, shown)
		require.Len(t, clean, 1, "what is empty is left out")
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	type sent struct{ method, path, authorization, body string }
	got := make(chan sent, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			got <- sent{r.Method, r.URL.String(), r.Header.Get("Authorization"), string(body)}
		}
		_, _ = io.WriteString(w, `{"order":{"id":"O1","external_id":"reference-a","status":"EXECUTED","created_at":"2026-11-01T00:00:00Z","rewards":[{"value":{"denomination":12.5,"currency_code":"USD"},"recipient":{"email":"maria.santos@example.com"}}]}}`)
	}))
	t.Cleanup(server.Close)
	rail := railAt(t, server.URL+"/")
	for _, to := range []payments.Destination{maria, {"email": "maria.santos@example.com", "product": "GIFTCARD0001"}} {
		result, err := rail.Submit(t.Context(), instruction("a", 12_50, to))
		require.NoError(t, err)
		require.Equal(t, payments.Result{State: payments.Paid, RailID: "O1", Amount: incentive.Money{Minor: 12_50, Currency: "USD"}, At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, result)
	}
	require.Equal(t, sent{"POST", "/orders", "Bearer " + apiKey, `{"external_id":"reference-a","payment":{"funding_source_id":"BALANCE"},"reward":{"campaign_id":"STANDINCAMPAIGN","value":{"denomination":12.50,"currency_code":"USD"},` +
		`"recipient":{"name":"Maria Santos","email":"maria.santos@example.com"},"delivery":{"method":"EMAIL"}}}`}, <-got)
	require.Contains(t, (<-got).body, `"products":["GIFTCARD0001"],`)
}

func TestRefusedInstructions(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	for name, c := range map[string]struct {
		change func(*payments.Instruction)
		code   string
	}{
		"no key":           {func(in *payments.Instruction) { in.Key = "" }, "key-invalid"},
		"no reference":     {func(in *payments.Instruction) { in.Reference = "" }, "reference-invalid"},
		"padded reference": {func(in *payments.Instruction) { in.Reference = "r " }, "reference-invalid"},
		"long reference":   {func(in *payments.Instruction) { in.Reference = strings.Repeat("r", 256) }, "reference-invalid"},
		"no destination":   {func(in *payments.Instruction) { in.Destination = nil }, "destination-invalid"},
		"not a clean one":  {func(in *payments.Instruction) { in.Destination = payments.Destination{"email": "maria@EXAMPLE.com"} }, "destination-invalid"},
		"three decimals":   {func(in *payments.Instruction) { in.Amount.Currency = "KWD" }, "currency-not-supported"},
	} {
		in := instruction("refused", 100, maria)
		c.change(&in)
		_, err := rail.Submit(t.Context(), in)
		requireError(t, err, payments.Definite, c.code)
		require.Zero(t, server.Paid(in.Reference), name)
	}
	_, err := rail.Lookup(t.Context(), "")
	requireError(t, err, payments.Definite, "reference-invalid")
}

func TestRefusalsOfTremendous(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	submit := func(rail *tremendous.Rail, name string, minor int64, to payments.Destination) error {
		in := instruction(name, minor, to)
		_, err := rail.Submit(t.Context(), in)
		require.Zero(t, server.Paid(in.Reference))
		return err
	}
	requireError(t, submit(rail, "poor", 1_000_000_01, maria), payments.InsufficientFunds, "http-402")
	requireError(t, submit(rail, "nowhere", 100, payments.Destination{"email": "maria@example.invalid"}), payments.RecipientAction, "reward.recipient")
	requireError(t, submit(rail, "product", 100, payments.Destination{"email": "maria@example.com", "product": "NOSUCHPRODUCT"}), payments.RecipientAction, "reward.products")
	requireError(t, submit(rail, "band", 2_000_01, payments.Destination{"email": "maria@example.com", "product": standin.GiftCard}), payments.RecipientAction, "reward.products")

	for name, c := range map[string]struct {
		config tremendous.Config
		code   string
	}{
		"key":      {tremendous.Config{APIKey: "other", CampaignID: standin.Campaign}, "http-401"},
		"campaign": {tremendous.Config{APIKey: apiKey, CampaignID: "NOBODYS"}, "reward.campaign_id"},
		"source":   {tremendous.Config{APIKey: apiKey, CampaignID: standin.Campaign, FundingSourceID: "NOBODYS"}, "payment.funding_source_id"},
	} {
		c.config.BaseURL = server.URL
		wrong, err := tremendous.New(c.config)
		require.NoError(t, err)
		requireError(t, submit(wrong, name, 100, maria), payments.Configuration, c.code)
	}
	euros := instruction("euros", 100, maria)
	euros.Amount.Currency = "EUR"
	_, err := rail.Submit(t.Context(), euros)
	requireError(t, err, payments.Definite, "reward.value")
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	rail, server := setup(t, func(o *standin.Options) { o.Approvals = true })
	decide := func(reference, decision string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/orders/"+reference+"/"+decision, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+apiKey)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	for decision, state := range map[string]payments.State{"approve": payments.Paid, "reject": payments.Refused} {
		in := instruction(decision, 100_00, maria)
		made, err := rail.Submit(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, payments.Submitted, made.State)
		decide(in.Reference, decision)
		found, err := rail.Lookup(t.Context(), in.Reference)
		require.NoError(t, err)
		require.Equal(t, state, found.State)
		require.Zero(t, found.Reversed)
		_, err = rail.Submit(t.Context(), in)
		require.Equal(t, decision == "approve", err == nil, "an order that was rejected is not paid by asking again: %v", err)
	}
	balance, err := rail.Balance(t.Context(), "USD")
	require.NoError(t, err)
	require.Equal(t, int64(999_900_00), balance.Minor)
}

// An e-mail that does not arrive changes nothing about the payout; a reward that is
// cancelled comes back.
func TestDeliveryIsNotPayment(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	in := instruction("bounced", 100_00, maria)
	made, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	for _, delivered := range []bool{false, true} {
		require.NoError(t, server.Deliver(in.Reference, delivered))
		found, err := rail.Lookup(t.Context(), in.Reference)
		require.NoError(t, err)
		require.Equal(t, made, found)
	}
	require.NoError(t, server.Cancel(in.Reference))
	found, err := rail.Lookup(t.Context(), in.Reference)
	require.NoError(t, err)
	require.Equal(t, payments.Returned, found.State)
	require.Equal(t, in.Amount.Minor, found.Reversed)
	balance, err := rail.Balance(t.Context(), "USD")
	require.NoError(t, err)
	require.Equal(t, int64(1_000_000_00), balance.Minor)
}

// Every way to lose an answer, and whether Tremendous took the order: the look-up tells
// the truth, and the same order is never placed twice.
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
			in := instruction("lost", 1_000_00, maria)
			_, err := rail.Submit(t.Context(), in)
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
			requireNoSecret(t, err)
			found, err := rail.Lookup(t.Context(), in.Reference)
			require.NoError(t, err)
			require.Equal(t, c.taken, found.Found())
			again, err := rail.Submit(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, payments.Paid, again.State)
			require.Equal(t, 1, server.Paid(in.Reference))

			server.SetFaults(standin.Fault{Kind: c.kind, Method: http.MethodGet, Path: "/"})
			_, err = rail.Lookup(t.Context(), in.Reference)
			require.Equal(t, c.class, payments.ClassOf(err), "a look-up that fails is no look-up that finds nothing: %v", err)
			_, err = rail.Balance(t.Context(), "USD")
			require.Equal(t, c.class, payments.ClassOf(err))
			_, err = rail.Products(t.Context(), "US", "USD")
			require.Equal(t, c.class, payments.ClassOf(err))
		})
	}
}

func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Error("it failed", "error", err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), log.String()} {
		for _, hidden := range []string{apiKey, secret, maria["email"], maria["name"]} {
			require.NotContains(t, text, hidden)
		}
	}
}

func TestTimeOutWhileTheRequestIsUnderWay(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	release := make(chan struct{})
	server.SetFaults(standin.Fault{Kind: standin.Delay, Times: 1, Release: release})
	in := instruction("slow", 1_000_00, maria)
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
	require.NoError(t, server.Stop(t.Context()))
	require.Equal(t, 1, server.Paid(in.Reference), "the late request is the same order")
}

// Answers that a good Tremendous never gives.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	good := `{"order":{"id":"O1","external_id":"reference-odd","status":"EXECUTED","created_at":"2026-11-01T00:00:00Z","payment":{"total":10.0},"rewards":[{"value":{"denomination":10.0,"currency_code":"USD"},"recipient":{"email":"Maria.Santos@example.com"}}]}}`
	with := func(old, replaced string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, replaced, 1)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		class  payments.Class
	}{
		"good":                 {200, good, ""},
		"known already":        {201, good, ""},
		"nothing":              {200, ``, payments.Unknown},
		"null":                 {200, `null`, payments.Unknown},
		"empty object":         {200, `{}`, payments.Unknown},
		"list":                 {200, `[]`, payments.Unknown},
		"half":                 {200, good[:len(good)/2], payments.Unknown},
		"very long":            {200, `{"x":"` + strings.Repeat("a", 8<<20) + `"}`, payments.Unknown},
		"accepted":             {202, good, payments.Unknown},
		"redirect":             {307, good, payments.Unknown},
		"no id":                {200, with(`"O1"`, `""`), payments.Unknown},
		"no reward":            {200, with(`"rewards":[`, `"rewards":[],"others":[`), payments.Unknown},
		"two rewards":          {200, with(`"rewards":[{`, `"rewards":[{},{`), payments.Unknown},
		"an endless amount":    {200, with(`"denomination":10.0`, `"denomination":1e999999999`), payments.Unknown},
		"a third decimal":      {200, with(`"denomination":10.0`, `"denomination":10.001`), payments.Unknown},
		"an unheard-of money":  {200, with(`USD`, `XXX`), payments.Unknown},
		"other amount":         {200, with(`"denomination":10.0`, `"denomination":10.01`), payments.Alarm},
		"other currency":       {200, with(`USD`, `EUR`), payments.Alarm},
		"other reference":      {200, with(`reference-odd`, `reference-even`), payments.Alarm},
		"other recipient":      {200, with(`Maria.Santos`, `paul.santos`), payments.Alarm},
		"an unheard-of status": {200, with(`EXECUTED`, `CONTEMPLATED`), payments.Alarm},
		"a part given back":    {200, with(`"total":10.0`, `"total":10.0,"refund":{"total":9.0}`), payments.Alarm},
		"a refund of nothing":  {200, with(`"total":10.0`, `"total":10.0,"refund":{"total":0}`), ""},
		"an unreadable refund": {200, with(`"total":10.0`, `"total":10.0,"refund":{}`), payments.Unknown},
		"failed":               {200, with(`EXECUTED`, `FAILED`), payments.Definite},
		"cancelled":            {200, with(`EXECUTED`, `CANCELED`), payments.Definite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.status == http.StatusTemporaryRedirect {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			_, err := railAt(t, server.URL).Submit(t.Context(), instruction("odd", 10_00, maria))
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
	other := `{"id":"O1","external_id":"other","status":"EXECUTED","rewards":[{"value":{"denomination":1,"currency_code":"USD"}}]}`
	mine := strings.Replace(other, "other", "mine", 1)
	for body, class := range map[string]payments.Class{
		`{"orders":[]}`:                          "",
		`{"orders":[` + other + `]}`:             payments.Alarm,
		`{"orders":[` + mine + `,` + mine + `]}`: payments.Alarm,
		`{"orders":null}`:                        payments.Unknown,
		`{}`:                                     payments.Unknown,
		`null`:                                   payments.Unknown,
		`{"order":` + mine + `}`:                 payments.Unknown,
		`{"orders":[{"external_id":"mine"}]}`:    payments.Unknown,
		`<html>Sign in to this network to continue.`: payments.Unknown,
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

func TestBalanceIsOfOneCurrency(t *testing.T) {
	t.Parallel()
	source := `{"funding_source":{"id":"S","status":"active","meta":{"available_amount":12.349,"currency_code":"USD"}}}`
	for name, c := range map[string]struct {
		body  string
		minor int64 // -1: an error; -2: none in that currency
	}{
		"whole cents only":       {source, 12_34},
		"of another currency":    {strings.Replace(source, "USD", "EUR", 1), -2},
		"of another that fails":  {strings.NewReplacer("USD", "EUR", "active", "failed").Replace(source), 0},
		"of a source that fails": {strings.Replace(source, "active", "failed", 1), 0},
		"a credit card":          {`{"funding_source":{"id":"S","method":"credit_card","meta":{}}}`, -1},
		"no source":              {`{}`, -1},
		"no amount":              {strings.Replace(source, "12.349", "null", 1), -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.body) }))
			t.Cleanup(server.Close)
			money, err := railAt(t, server.URL).Balance(t.Context(), "USD")
			if c.minor == -2 {
				var none *payments.Error
				require.ErrorAs(t, err, &none)
				require.Equal(t, []any{payments.Definite, payments.CurrencyNotHeld}, []any{none.Class, none.Code})
				return
			}
			if c.minor == -1 {
				require.Equal(t, payments.Unknown, payments.ClassOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, incentive.Money{Minor: c.minor, Currency: "USD"}, money)
		})
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	rail, _ := setup(t)
	products, err := rail.Products(t.Context(), "US", "USD")
	require.NoError(t, err)
	var ids []string
	for _, p := range products {
		ids = append(ids, p.ID)
		_, _, err := rail.ValidateDestination(payments.Destination{"email": "maria@example.com", "product": p.ID})
		require.NoError(t, err, "whatever is in the catalogue can be chosen")
	}
	require.Equal(t, []string{standin.Charity, standin.Experience, standin.GiftCard}, ids, "by name")
	require.Equal(t, payments.Product{
		ID: standin.Experience, Name: "An evening out", Kind: payments.GiftCard, Category: "merchant_card", Currencies: []incentive.Currency{"USD", "EUR"}, Countries: []string{"US", "DE"},
		Bands: []payments.Band{{Smallest: "10.00", Largest: "500.00"}},
	}, products[1])
	none, err := rail.Products(t.Context(), "US", "EUR")
	require.NoError(t, err)
	require.Len(t, none, 1)
	none, err = rail.Products(t.Context(), "FR", "EUR")
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestEveryAmountArrivesWhole(t *testing.T) {
	t.Parallel()
	rail, server := setup(t, func(o *standin.Options) { o.Balance = "90000000000000" })
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		in := instruction(fmt.Sprint("whole", n), rapid.Int64Range(1, 1_000_000_000_00).Draw(rt, "minor"), maria)
		result, err := rail.Submit(t.Context(), in)
		require.NoError(rt, err)
		require.Equal(rt, in.Amount, result.Amount)
		require.Equal(rt, 1, server.Paid(in.Reference))
	})
}

// Whatever an answer is, the rail reads it without a panic, gives an error of its own and
// never says paid of another amount.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"orders":[]}`, `{"errors":{"message":"x","payload":{"reward":{"recipient":{"email":"x"}}}}}`, `{"error":{"payload":{"payment":1}}}`,
		`{"order":{"id":"O1","external_id":"reference-fuzz","status":"EXECUTED","rewards":[{"value":{"denomination":100,"currency_code":"USD"},"recipient":{"email":"maria.santos@example.com"}}]}}`,
	} {
		for _, status := range []int{200, 201, 400, 409, 500} {
			f.Add(status, seed)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		rail, err := tremendous.New(tremendous.Config{APIKey: apiKey, CampaignID: "c", BaseURL: "http://localhost", HTTPClient: &http.Client{Transport: answering{status, body}}})
		require.NoError(t, err)
		in := instruction("fuzz", 100_00, maria)
		result, err := rail.Submit(t.Context(), in)
		requireRailError(t, err)
		if err == nil {
			require.Equal(t, in.Amount, result.Amount)
		}
		_, err = rail.Lookup(t.Context(), in.Reference)
		requireRailError(t, err)
		_, err = rail.Balance(t.Context(), "USD")
		requireRailError(t, err)
		_, err = rail.Products(t.Context(), "US", "USD")
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
	require.Regexp(t, `^[A-Za-z0-9_.-]*$`, e.Code)
	require.LessOrEqual(t, len(e.Error()), 300, "an answer would reach Temporal's history")
}

type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}
