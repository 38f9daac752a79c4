package endtoend

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/payments/tremendous"
	rewards "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/payments/xendit"
	wallets "github.com/guerdon/guerdon/payments/xendit/standin"
	"github.com/guerdon/guerdon/store"
)

// ear is an address at which rails tell what they have to tell, before anybody listens.
type ear struct{ *httptest.Server }

func newEar(t *testing.T) ear {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := ear{httptest.NewUnstartedServer(nil)}
	require.NoError(t, e.Listener.Close())
	e.Listener = listener
	t.Cleanup(func() { _ = listener.Close() })
	return e
}

func (e ear) at(rail string) string {
	return "http://" + e.Listener.Addr().String() + api.EventsPath + rail
}

// listens has the API of the house listen.
func (e ear) listens(h *house, rail payments.Rail) {
	h.t.Helper()
	rails, err := payments.NewRegistry(rail)
	require.NoError(h.t, err)
	surface, err := api.New(api.Config{Store: h.store, Client: h.client, Rails: rails, Log: slog.New(slog.DiscardHandler)})
	require.NoError(h.t, err)
	e.Config.Handler = surface
	e.Start()
	h.t.Cleanup(e.Close)
}

// stands is how the payout of a participant stands.
func (h *house) stands(participant string) string {
	h.t.Helper()
	payouts, err := h.store.Payouts(h.t.Context(), period, 1, []string{participant}, "", 10)
	require.NoError(h.t, err)
	require.Len(h.t, payouts, 1)
	return strings.TrimSpace(payouts[0].State + " " + payouts[0].Reason)
}

// reference is what the rail knows the payout of a participant by.
func (h *house) reference(participant string) (key string) {
	h.t.Helper()
	connection, err := pgx.Connect(h.t.Context(), h.databaseURL)
	require.NoError(h.t, err)
	defer connection.Close(context.Background())
	require.NoError(h.t, connection.QueryRow(h.t.Context(), `SELECT a.key::text FROM payout_attempt a JOIN payout o ON o.id = a.payout_id WHERE o.participant_id = $1`, participant).Scan(&key))
	return key
}

func (h *house) becomes(participant, stands string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.stands(participant) == stands }, 50*time.Second, 20*time.Millisecond, "%s should be %s, not %s", participant, stands, h.stands(participant))
}

// effects waits until so many events are applied, and counts them by what they led to.
func (h *house) effects(events int) map[string]int {
	h.t.Helper()
	require.Eventually(h.t, func() bool { return h.count(`SELECT count(*) FROM rail_event_outcome`) == events }, 50*time.Second, 20*time.Millisecond, "%d events", events)
	found := map[string]int{}
	for _, effect := range []string{"none", "not-ours", "submitted", "paid", "failed", "returned", "unclear"} {
		if n := h.count(`SELECT count(*) FROM rail_event_outcome WHERE effect = '` + effect + `'`); n > 0 {
			found[effect] = n
		}
	}
	return found
}

// TestWhatStripeTells has Stripe's events come before its answers, late, twice, out of
// order, forged, and about what is not ours. None moves a payout by its own word.
func TestWhatStripeTells(t *testing.T) {
	t.Parallel()
	const secret = "whsec_x"
	e := newEar(t)
	answers := make(chan struct{})
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true,
		WebhookURL: e.at(stripe.Name), WebhookSecret: secret, WebhookRetry: 10 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	require.NoError(t, bank.SetFaults(standin.Fault{Kind: standin.CommitThenDelay, Wait: time.Hour, Release: answers}))
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{secret}, BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(4, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	e.listens(h, rail)
	h.release(4)
	ctx := t.Context()

	require.Equal(t, map[string]int{"paid": 4}, h.effects(4), "no answer has come yet")
	close(answers)
	h.await(period, incentive.Settling)
	events := bank.Events()
	for i := range events { // again, the newest first
		require.NoError(t, bank.Send(ctx, events[len(events)-1-i]))
	}
	require.Equal(t, 4, h.count(`SELECT count(*) FROM rail_event`), "an event is kept once")
	once(t, bank, 4)
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)

	back := func(participant string, cents int64) {
		reference := h.reference(participant)
		found, err := rail.Lookup(ctx, reference)
		require.NoError(t, err)
		_, err = rail.Reverse(ctx, found.RailID, usd(cents), "back-"+participant)
		require.NoError(t, err)
	}
	back("rep0001", 101)
	h.becomes("rep0001", "returned returned")
	back("rep0002", 100)
	h.becomes("rep0002", "paid bank-unclear")
	_, err = rail.Submit(ctx, payments.Instruction{Key: "k", Reference: "not one of ours", Amount: usd(500), Destination: payments.Destination{"account": "acct_x"}})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"paid": 4, "returned": 1, "unclear": 1, "not-ours": 1}, h.effects(7))

	forged, err := standin.Start("127.0.0.1:0", standin.Options{AnyAccount: true, Balances: map[string]int64{"usd": 1_000_00}, WebhookURL: e.at(stripe.Name), WebhookSecret: "another", WebhookRetry: time.Hour})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, forged.Stop(context.Background())) })
	elsewhere, err := stripe.New(stripe.Config{APIKey: "k", BaseURL: forged.URL})
	require.NoError(t, err)
	_, err = elsewhere.Submit(ctx, payments.Instruction{Key: "k", Reference: h.reference("rep0003"), Amount: usd(303), Destination: payments.Destination{"account": "acct_x"}})
	require.NoError(t, err)
	require.ErrorContains(t, forged.Send(ctx, forged.Events()[0]), "400")
	require.Equal(t, 7, h.count(`SELECT count(*) FROM rail_event`))
	require.Equal(t, "paid", h.stands("rep0003"))

	p, err := h.store.PeriodRevision(ctx, period, 1)
	require.NoError(t, err)
	require.Equal(t, incentive.Closed, p.State)
	_, err = activities.Verify(ctx, h.store, period, 1)
	require.NoError(t, err)
	balances, err := h.store.Balances(ctx, "", 0)
	require.NoError(t, err)
	for _, b := range balances {
		switch b.Kind {
		case store.CommissionExpense:
			require.EqualValues(t, 1004, b.Minor)
		case store.Payable:
			require.EqualValues(t, -101, b.Minor, "what came back is owed again")
		case store.Cash:
			require.EqualValues(t, -903, b.Minor)
		default:
			require.Zero(t, b.Minor, "%s", b.Kind)
		}
	}
}

// TestWhatComesBackAfterTheClose takes a payout back once its period is closed: it is an
// exception, reversed in the ledger on that day. The period sends nothing any more; given up,
// the next payout of the calendar pays it.
func TestWhatComesBackAfterTheClose(t *testing.T) {
	t.Parallel()
	const january, february, secret = "m-2026-01", "m-2026-02", "whsec_x"
	e := newEar(t)
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 10_000_00}, AnyAccount: true,
		WebhookURL: e.at(stripe.Name), WebhookSecret: secret, WebhookRetry: 10 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{secret}, BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	o, ctx := officeWith(t, rail), t.Context()
	o.flat()
	e.listens(o.house, rail)
	names := func(account string) {
		_, err := o.store.SetDestination(ctx, "r1", store.Destination{ParticipantID: "r1", Rail: stripe.Name, Details: map[string]string{"account": account}, Masked: "acct_…"})
		require.NoError(t, err)
	}
	names("acct_old")
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toSettling(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActClose))
	o.await(january, incentive.Closed)
	exceptions := func() []client.PayoutException {
		list, err := client.Read[client.PayoutExceptions](o.as("fin1").ListExceptions(ctx, &client.ListExceptionsParams{}))
		require.NoError(t, err)
		return list.Exceptions
	}
	require.Empty(t, exceptions())

	found, err := rail.Lookup(ctx, o.reference("r1"))
	require.NoError(t, err)
	_, err = rail.Reverse(ctx, found.RailID, usd(100_00), "back")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(exceptions()) == 1 }, 50*time.Second, 20*time.Millisecond)
	x := exceptions()[0]
	require.Equal(t, []string{january, "closed", "returned", "100.00"}, []string{x.Period, x.PeriodState, x.Payout.State, x.Payout.Amount.Amount()})
	require.NotNil(t, x.ReversedOn, "on the day that it came back")
	require.Equal(t, "-100.00", o.ledger(store.Payable), "it is owed again")
	require.Equal(t, "0.00", o.ledger(store.Cash))
	names("acct_new")
	reason := client.Reason{Reason: "the account is closed"}
	_, err = client.Read[client.PayoutAnswer](o.as("fin1").RetryPayout(ctx, x.Payout.Id, &client.RetryPayoutParams{IdempotencyKey: client.NewKey()}, reason))
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err))
	_, err = client.Read[client.PayoutAnswer](o.as("fin1").RedirectPayout(ctx, x.Payout.Id, &client.RedirectPayoutParams{IdempotencyKey: client.NewKey()}, client.RedirectionRequest{Reason: reason.Reason, DestinationVersion: 2}))
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "the next period pays it")
	_, err = client.Read[client.PayoutAnswer](o.as("fin1").CancelPayout(ctx, x.Payout.Id, &client.CancelPayoutParams{IdempotencyKey: client.NewKey()}, reason))
	require.NoError(t, err)
	require.Empty(t, exceptions())
	o.await(january, incentive.Closed)

	o.deal("d2", "2026-02-10", "2000")
	o.calculate(february)
	o.toSettling(february)
	require.Equal(t, []string{"300.00: 200.00 earned, 100.00 carried, paid"}, o.payouts(february))
	require.Equal(t, "0.00", o.ledger(store.Payable))
	require.Equal(t, "-300.00", o.ledger(store.Cash))
	_, err = o.store.VerifyLedger(ctx)
	require.NoError(t, err)
}

// TestAnEventIsNoProof looks up what an event claims: what the rail knows nothing of, or
// contradicts, pays nobody.
func TestAnEventIsNoProof(t *testing.T) {
	t.Parallel()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{Balances: map[string]int64{"usd": 1_000_00}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "k", BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(1, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	h.release(1)
	ctx := t.Context()
	h.becomes("rep0001", "failed resource_missing")
	rails, err := payments.NewRegistry(rail)
	require.NoError(t, err)
	now := time.Now()
	a := &activities.Activities{Store: h.store, Rails: rails, Client: h.client, Now: func() time.Time { return now }}
	event, err := h.store.KeepRailEvent(ctx, store.RailEvent{Rail: stripe.Name, EventID: "evt_1", Kind: "transfer.created", Reference: h.reference("rep0001"), Claims: "paid"}, []byte("{}"))
	require.NoError(t, err)
	require.ErrorContains(t, a.ApplyRailEvent(ctx, event.Number), "does not know yet")
	now = now.Add(time.Hour)
	closed, err := stripe.New(stripe.Config{APIKey: "k", BaseURL: "http://127.0.0.1:1"})
	require.NoError(t, err)
	gone, err := payments.NewRegistry(closed)
	require.NoError(t, err)
	bankrupt := &activities.Activities{Store: h.store, Rails: gone, Client: h.client, Now: a.Now}
	require.ErrorContains(t, bankrupt.ApplyRailEvent(ctx, event.Number), "did not answer")
	require.NoError(t, a.ApplyRailEvent(ctx, event.Number))
	require.NoError(t, bankrupt.ApplyRailEvent(ctx, event.Number), "once it is applied nobody is asked")
	require.Equal(t, "failed resource_missing", h.stands("rep0001"))
	require.Equal(t, map[string]int{"none": 1}, h.effects(1))

	// Somebody pays twice under the reference, past Guerdon.
	require.NoError(t, bank.AddAccount("acct_x"))
	for _, key := range []string{"k1", "k2"} {
		_, err := rail.Submit(ctx, payments.Instruction{Key: key, Reference: h.reference("rep0001"), Amount: usd(101), Destination: payments.Destination{"account": "acct_x"}})
		require.NoError(t, err)
	}
	event, err = h.store.KeepRailEvent(ctx, store.RailEvent{Rail: stripe.Name, EventID: "evt_2", Kind: "transfer.created", Reference: h.reference("rep0001"), Claims: "paid"}, []byte("{}"))
	require.NoError(t, err)
	require.NoError(t, a.ApplyRailEvent(ctx, event.Number))
	require.Equal(t, "failed bank-unclear", h.stands("rep0001"), "a person looks")
	require.Equal(t, map[string]int{"none": 1, "unclear": 1}, h.effects(2))
}

// TestWhatTremendousTells settles orders by what Tremendous tells of them, which names
// them by its own ids.
func TestWhatTremendousTells(t *testing.T) {
	t.Parallel()
	const key, secret = "TEST_x", "private"
	e := newEar(t)
	shop, err := rewards.Start("127.0.0.1:0", rewards.Options{APIKey: key, Balance: "1000", Approvals: true, WebhookURL: e.at(tremendous.Name), WebhookSecret: secret, WebhookRetry: 10 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	rail, err := tremendous.New(tremendous.Config{APIKey: key, CampaignID: rewards.Campaign, WebhookSecrets: []string{secret}, BaseURL: shop.URL, PerSecond: 1000})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(2, rail.Name(), func(id string) map[string]string { return map[string]string{"email": id + "@example.com"} })
	e.listens(h, rail)
	h.release(2)
	h.await(period, incentive.Settling)
	ctx := t.Context()
	for participant, decision := range map[string]string{"rep0001": "approve", "rep0002": "reject"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, shop.URL+"/orders/"+h.reference(participant)+"/"+decision, strings.NewReader(""))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+key)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	h.becomes("rep0001", "paid")
	h.becomes("rep0002", "failed refused")
	h.givesUp("rep0002")
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)
	require.NoError(t, shop.Deliver(h.reference("rep0001"), false))
	require.NoError(t, shop.Cancel(h.reference("rep0001")))
	h.becomes("rep0001", "returned returned")
	for n := range 6 {
		require.NoError(t, shop.Send(ctx, 5-n))
	}
	h.effects(6)
	require.Equal(t, "returned returned", h.stands("rep0001"))
	_, err = activities.Verify(ctx, h.store, period, 1)
	require.NoError(t, err)
}

// TestWhatXenditTells settles payouts by Xendit's callbacks.
func TestWhatXenditTells(t *testing.T) {
	t.Parallel()
	const key, token = "xnd_x", "callback-token"
	e := newEar(t)
	bank, err := wallets.Start("127.0.0.1:0", wallets.Options{APIKey: key, Balances: map[string]string{"PHP": "100000"}, CallbackURL: e.at(xendit.Name), CallbackToken: token, CallbackRetry: 10 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := xendit.New(xendit.Config{APIKey: key, CallbackTokens: []string{"older", token}, BaseURL: bank.URL, PerSecond: 1000})
	require.NoError(t, err)
	h := start(t, rail)
	h.currency = "PHP"
	h.company(2, rail.Name(), func(id string) map[string]string {
		return map[string]string{"channel": "PH_GCASH", "account": "09171234567", "holder": "Name " + id}
	})
	e.listens(h, rail)
	h.release(2)
	h.await(period, incentive.Settling)
	for participant, status := range map[string]string{"rep0001": "SUCCEEDED", "rep0002": "FAILED"} {
		require.NoError(t, bank.Move(h.reference(participant), "REQUESTED", ""))
		require.NoError(t, bank.Move(h.reference(participant), status, map[string]string{"FAILED": "INVALID_DESTINATION"}[status]))
	}
	h.becomes("rep0001", "paid")
	h.becomes("rep0002", "failed INVALID_DESTINATION")
	h.givesUp("rep0002")
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)
	require.NoError(t, bank.Move(h.reference("rep0001"), "REVERSED", ""))
	h.becomes("rep0001", "returned returned")
	for n := range 3 {
		require.NoError(t, bank.Send(t.Context(), 2-n))
	}
	require.Equal(t, map[string]int{"paid": 1, "failed": 1, "returned": 1}, h.effects(3))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.at(xendit.Name), strings.NewReader(fmt.Sprintf(`{"event":"payout.succeeded","data":{"id":"x","reference_id":%q}}`, h.reference("rep0001"))))
	require.NoError(t, err)
	request.Header.Set(xendit.TokenHeader, "another")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.Equal(t, 3, h.count(`SELECT count(*) FROM rail_event`))
	_, err = activities.Verify(t.Context(), h.store, period, 1)
	require.NoError(t, err)
	recordOf(t, h.client, "xendit-rail-event", "RailEvent")
}

// givesUp cancels a participant's payout, and waits for the end of the disbursement.
func (h *house) givesUp(participant string) {
	h.t.Helper()
	ctx := h.t.Context()
	payouts, err := h.store.Payouts(ctx, period, 1, []string{participant}, "", 10)
	require.NoError(h.t, err)
	reason, err := h.store.WriteText(ctx, "fin", "it was refused")
	require.NoError(h.t, err)
	require.NoError(h.t, h.store.CancelPayout(ctx, "fin", payouts[0].ID, reason))
	disbursement := activities.DisburseID(period, 1, payouts[0].Rail)
	require.NoError(h.t, h.client.SignalWorkflow(ctx, disbursement, "", activities.RetrySignal, nil))
	require.NoError(h.t, h.client.GetWorkflow(ctx, disbursement, "").Get(ctx, nil))
}
