package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	collecting "github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/payments/stripe"
	bank "github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/payments/tremendous"
	shop "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/payments/xendit"
	wallet "github.com/guerdon/guerdon/payments/xendit/standin"
	"github.com/guerdon/guerdon/payments/xoxoday"
	voucher "github.com/guerdon/guerdon/payments/xoxoday/standin"
)

// outside is a rail of single payouts as it is outside of a house: its stand-in, and what
// passes between them.
type outside struct {
	name     string
	currency incentive.Currency
	wire     *wire
	standin  http.Handler
	direct   *httptest.Server    // the stand-in past the wire
	asked    payments.SingleRail // the rail past the wire
	opening  incentive.Money     // what it holds at the beginning

	pays    func(r *http.Request, body string) bool
	busy    string                                  // what it answers to too many calls
	settle  func(reference string, fate fate) error // the rail does with a payment what it does in time
	reverse func(ctx context.Context, reference string) error
	paid    func(reference string) int
	letIn   func(p payee) error // opens an account for a payee
	keepAs  func(reference string, f fault)
	close   func()

	mu      sync.Mutex
	waiting map[string]*payee // payments that the rail has taken and does something with in time, by reference
}

// carry has the stand-in answer a call, with a key that it does not know where locked.
func (o *outside) carry(r *http.Request, body []byte, locked bool) *httptest.ResponseRecorder {
	inner := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	inner.Header = r.Header.Clone()
	if locked && inner.Header.Get("Authorization") != "" {
		inner.Header.Set("Authorization", "Bearer ended")
		if user, _, basic := r.BasicAuth(); basic && user != "" {
			inner.SetBasicAuth("ended", "")
		}
	}
	answer := httptest.NewRecorder()
	o.standin.ServeHTTP(answer, inner)
	return answer
}

func (o *outside) tooMany(out http.ResponseWriter) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusTooManyRequests)
	_, _ = out.Write([]byte(o.busy))
}

// keep has the rail answer all calls under a reference with one 500.
func (o *outside) keep(body string, f fault) {
	if found := reference.FindStringSubmatch(body); found != nil && o.keepAs != nil {
		o.keepAs(found[1], f)
	}
}

// has notes that the rail has a payment, with which it does something in time.
func (o *outside) has(body string, p *payee) {
	found := reference.FindStringSubmatch(body)
	if found == nil || p == nil || o.settle == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[found[1]] = p
}

// work does, until ctx ends, what the rail does in time.
func (o *outside) work(ctx context.Context) {
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	since := map[string]time.Time{}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		o.mu.Lock()
		for reference, p := range o.waiting {
			if since[reference].IsZero() {
				since[reference] = time.Now()
			}
			if p.Slow && time.Since(since[reference]) < 1500*time.Millisecond {
				continue
			}
			_ = o.settle(reference, p.ends()) // it was not taken, or is settled already
			delete(o.waiting, reference)
		}
		o.mu.Unlock()
	}
}

// opened is what each rail holds at the beginning, in major units.
const opened = 1_000_000_000

func money(currency incentive.Currency) incentive.Money {
	return incentive.Money{Minor: opened * 100, Currency: currency}
}

// openOutside opens the rails of single payouts. letters is where they tell what they do.
func openOutside(letters string) (map[string]*outside, error) {
	all := map[string]*outside{}
	plain := func(handler http.Handler, path, contains string) (http.Handler, func(*http.Request, string) bool) {
		return handler, func(r *http.Request, body string) bool {
			return r.Method == http.MethodPost && r.URL.Path == path && strings.Contains(body, contains)
		}
	}

	stripes, err := bank.New(bank.Options{
		APIKey:        processes.APIKey,
		Balances:      map[string]int64{"usd": opened * 100},
		WebhookURL:    letters + stripe.Name,
		WebhookSecret: processes.Secret,
		WebhookRetry:  20 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	o := &outside{
		name:     stripe.Name,
		currency: "USD",
		opening:  money("USD"),
		busy:     `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Request rate limit exceeded."}}`,
	}
	o.standin, o.pays = plain(stripes, "/v1/transfers", "")
	o.paid = func(reference string) int { return stripes.Paid(reference) }
	o.letIn = func(p payee) error {
		if p.Fate == refused {
			return nil
		}
		return stripes.AddAccount("acct_" + p.ID)
	}
	kept := []bank.Fault{}
	var keeping sync.Mutex
	o.keepAs = func(reference string, f fault) {
		keeping.Lock()
		defer keeping.Unlock()
		kind := bank.FailBeforeCommit
		if f == keptAfter {
			kind = bank.CommitThen500
		}
		kept = append(kept, bank.Fault{Kind: kind, Method: http.MethodPost, Path: "/v1/transfers", TransferGroup: reference, Times: 1})
		_ = stripes.SetFaults(kept...) // each is one that it knows
	}
	o.close = func() { _ = stripes.Close() }
	all[o.name] = o

	rewards := shop.New(shop.Options{
		APIKey:        processes.APIKey,
		Balance:       fmt.Sprint(opened),
		Approvals:     true,
		WebhookURL:    letters + tremendous.Name,
		WebhookSecret: processes.Secret,
		WebhookRetry:  20 * time.Millisecond,
	})
	o = &outside{name: tremendous.Name, currency: "USD", opening: money("USD"), busy: `{"errors":{"message":"Too many requests","payload":{}}}`}
	o.standin, o.pays = plain(rewards, "/orders", "")
	o.paid, o.close = rewards.Paid, rewards.Close
	approve := o
	o.settle = func(reference string, f fate) error {
		decision := map[fate]string{paid: "approve", returned: "approve", refused: "reject"}[f]
		call := httptest.NewRequest(http.MethodPost, "/orders/"+reference+"/"+decision, nil)
		call.Header.Set("Authorization", "Bearer "+processes.APIKey)
		if answer := approve.carry(call, nil, false); answer.Code != http.StatusOK {
			return fmt.Errorf("%s %s: %s", decision, reference, answer.Body)
		}
		return nil
	}
	o.reverse = func(_ context.Context, reference string) error { return rewards.Cancel(reference) }
	all[o.name] = o

	wallets := wallet.New(wallet.Options{
		APIKey:        processes.APIKey,
		Balances:      map[string]string{"PHP": fmt.Sprint(opened)},
		CallbackURL:   letters + xendit.Name,
		CallbackToken: processes.Secret,
		CallbackRetry: 20 * time.Millisecond,
	})
	o = &outside{name: xendit.Name, currency: "PHP", opening: money("PHP"), busy: `{"error_code":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded."}`}
	o.standin, o.pays = plain(wallets, "/v2/payouts", "")
	o.paid, o.close = wallets.Paid, wallets.Close
	o.settle = func(reference string, f fate) error {
		if err := wallets.Move(reference, "REQUESTED", ""); err != nil {
			return err
		}
		if f == refused {
			return wallets.Move(reference, "FAILED", "INVALID_DESTINATION")
		}
		return wallets.Move(reference, "SUCCEEDED", "")
	}
	o.reverse = func(_ context.Context, reference string) error { return wallets.Move(reference, "REVERSED", "") }
	all[o.name] = o

	vouchers := voucher.New(voucher.Options{ClientSecret: processes.APIKey, Balance: fmt.Sprint(opened), Currency: "INR"})
	o = &outside{name: xoxoday.Name, currency: "INR", opening: money("INR"), busy: `{"error":"Too many requests","errorId":"PLUM-2"}`}
	o.standin, o.pays = plain(vouchers, "/v1/oauth/api", "placeOrder")
	o.paid, o.close = vouchers.Paid, vouchers.Close
	all[o.name] = o

	direct := map[string]string{}
	for name, o := range all {
		o.waiting = map[string]*payee{}
		o.direct = httptest.NewServer(o.standin)
		direct[name] = o.direct.URL
		o.wire = newWire(o)
	}
	registry, err := processes.Registry(direct, nil)
	if err != nil {
		return nil, err
	}
	for name, o := range all {
		if o.asked, err = registry.Single(name); err != nil {
			return nil, err
		}
	}
	s := all[stripe.Name]
	s.reverse = func(ctx context.Context, reference string) error {
		found, err := s.asked.Lookup(ctx, reference)
		if err != nil {
			return err
		}
		_, err = s.asked.(payments.Reverser).Reverse(ctx, found.RailID, found.Amount, "back-"+reference)
		return err
	}
	return all, nil
}

// shut ends a rail.
func (o *outside) shut() {
	o.wire.server.Close()
	o.direct.Close()
	o.close()
}

// fund fills up, or with an amount below zero empties, a rail that has a balance to speak of.
func (o *outside) fund(minor int64) error {
	return o.standin.(*bank.Server).Fund("usd", minor)
}

// forget has a rail forget a key, as it does in time.
func (o *outside) forget(key string) {
	if s, keeps := o.standin.(*bank.Server); keeps {
		s.ForgetKey(key)
	}
}

// destination is where a payee is paid.
func destination(p payee) payments.Destination {
	address := p.ID + "@example.com"
	if p.Fate == refused {
		address = p.ID + "@example.invalid" // which nobody orders anything for
	}
	switch p.Rail {
	case stripe.Name:
		return payments.Destination{"account": "acct_" + p.ID}
	case tremendous.Name: // which refuses by its own decision
		return payments.Destination{"email": p.ID + "@example.com"}
	case xendit.Name:
		return payments.Destination{"channel": "PH_GCASH", "account": "09171234567", "holder": "Name " + p.ID}
	case xoxoday.Name:
		return payments.Destination{xoxoday.EmailDetail: address, xoxoday.ProductDetail: voucher.Experience}
	case incentive.PointsRail:
		return payments.Destination{collecting.ToDetail: collecting.Own}
	case processes.PaymentFile:
		return payments.Destination{"holder": "Name " + p.ID, "account": "DE89370400440532013000"}
	case processes.ISO20022:
		return payments.Destination{"holder": "Name " + p.ID, "account": "987654321", "bank": "USABA021000021"}
	case processes.SEPA:
		return payments.Destination{"holder": "Name " + p.ID, "account": "NL91ABNA0417164300"}
	case processes.NACHA:
		return payments.Destination{"holder": "Name " + p.ID, "routing": "021000021", "account": "987654321", "kind": "checking", "owner": "person"}
	case processes.NACHATried: // an account of their own, as each is tried
		return payments.Destination{"holder": "Name " + p.ID, "routing": "021000021", "account": strings.NewReplacer("c", "7", "r", "").Replace(p.ID), "kind": "checking", "owner": "person"}
	default:
		return payments.Destination{"holder": "Name " + p.ID, "account": "012345678901", "bank": "HDFC0000001"}
	}
}
