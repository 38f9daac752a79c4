// Package standin behaves as Tremendous's API does for what Guerdon uses of it: orders
// that are idempotent by their external id, approvals, cancelled rewards, the balance,
// the catalogue and signed webhooks. It keeps its state in memory. A fault plan makes it
// fail in chosen ways. It is for tests and for trying Guerdon out, and is never part of
// the production program.
package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"
)

const newOrders = "/orders"

// Options say how a stand-in is set up. The zero value has no money.
type Options struct {
	APIKey        string // the one key that is accepted; "": any
	Currency      string // of the balance; "": USD
	Balance       string // in major units; "": 0
	Approvals     bool   // an order waits until somebody approves it
	WebhookURL    string // where events go; "": nowhere
	WebhookSecret string
	WebhookRetry  time.Duration    // the wait before an event is sent again; 0: a millisecond
	Now           func() time.Time // nil: the machine's clock
}

// Campaign is the one campaign that there is.
const Campaign = "STANDINCAMPAIGN"

// The products that there are.
const (
	GiftCard   = "GIFTCARD0001" // 1 to 2,000 dollars, in the United States
	Experience = "EXPERIENCE01" // 10 to 500 dollars or euros, in the United States and Germany
	Charity    = "CHARITY00001" // any amount of dollars, in the United States
)

// Server is a stand-in. It is an http.Handler.
type Server struct {
	options Options
	mux     *http.ServeMux
	closing chan struct{}
	ending  sync.Once
	held    atomic.Int64
	sender  sync.WaitGroup
	woken   chan struct{}

	mu       sync.Mutex
	balance  decimal.Decimal
	orders   []*order
	events   []event
	sent     int // events before this one are delivered
	requests int
	faults   []*Fault
}

type order struct {
	ID         string   `json:"id"`
	ExternalID string   `json:"external_id"`
	CampaignID string   `json:"campaign_id"`
	CreatedAt  string   `json:"created_at"`
	Status     string   `json:"status"`
	Channel    string   `json:"channel"`
	Payment    payment  `json:"payment"`
	Rewards    []reward `json:"rewards"`

	asked    request
	redeemed bool
}

type payment struct {
	Subtotal json.Number `json:"subtotal"`
	Total    json.Number `json:"total"`
	Fees     json.Number `json:"fees"`
	Discount json.Number `json:"discount"`
	Currency string      `json:"currency_code"`
	Refund   *refund     `json:"refund,omitempty"`
}

type refund struct {
	Total json.Number `json:"total"`
}

type reward struct {
	ID        string    `json:"id"`
	OrderID   string    `json:"order_id"`
	CreatedAt string    `json:"created_at"`
	Value     value     `json:"value"`
	Recipient recipient `json:"recipient"`
	Delivery  delivery  `json:"delivery"`
}

type value struct {
	Denomination json.Number `json:"denomination"`
	Currency     string      `json:"currency_code"`
}

type recipient struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

type delivery struct {
	Method string `json:"method"`
	Status string `json:"status,omitempty"`
}

type request struct {
	ExternalID string `json:"external_id"`
	Payment    struct {
		FundingSourceID string `json:"funding_source_id"`
	} `json:"payment"`
	Reward struct {
		CampaignID string    `json:"campaign_id"`
		Products   []string  `json:"products"`
		Value      value     `json:"value"`
		Recipient  recipient `json:"recipient"`
		Delivery   delivery  `json:"delivery"`
	} `json:"reward"`
}

// New returns a stand-in. Close it.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Currency == "" {
		options.Currency = "USD"
	}
	if options.Balance == "" {
		options.Balance = "0"
	}
	s := &Server{
		options: options,
		mux:     http.NewServeMux(),
		closing: make(chan struct{}),
		woken:   make(chan struct{}, 1),
		balance: decimal.RequireFromString(options.Balance),
	}
	s.mux.HandleFunc("POST "+newOrders, s.gate(s.create))
	s.mux.HandleFunc("GET /orders", s.gate(s.list))
	s.mux.HandleFunc("GET /orders/{id}", s.gate(s.get))
	s.mux.HandleFunc("POST /orders/{id}/approve", s.gate(s.approve))
	s.mux.HandleFunc("POST /orders/{id}/reject", s.gate(s.reject))
	s.mux.HandleFunc("GET /rewards/{id}", s.gate(s.getReward))
	s.mux.HandleFunc("POST /rewards/{id}/cancel", s.gate(s.cancelReward))
	s.mux.HandleFunc("GET /funding_sources/{id}", s.gate(s.source))
	s.mux.HandleFunc("GET /products", s.gate(s.products))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "Not found") })
	if options.WebhookURL != "" {
		s.sender.Go(s.sendEvents)
	}
	return s
}

// Close stops sending events and ends what is being held up.
func (s *Server) Close() {
	s.ending.Do(func() { close(s.closing) })
	s.sender.Wait()
}

// gate refuses a request before anything looks at it, and holds the state for the rest.
func (s *Server) gate(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests++
		w.Header().Set("X-Request-Id", fmt.Sprintf("standin-%06d", s.requests))
		if key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !bearer || key == "" || s.options.APIKey != "" && key != s.options.APIKey {
			refuse(w, http.StatusUnauthorized, "Unauthorized")
			return
		}
		handle(w, r)
	}
}

func answer(w http.ResponseWriter, object any) { _ = json.NewEncoder(w).Encode(object) }

// refuse answers with an error that names the fields of the request that were wrong, from
// the outermost to the innermost.
func refuse(w http.ResponseWriter, status int, message string, path ...string) {
	payload := any("is invalid")
	for _, name := range slices.Backward(path) {
		payload = map[string]any{name: payload}
	}
	if len(path) == 0 {
		payload = map[string]any{}
	}
	w.WriteHeader(status)
	answer(w, map[string]any{"errors": map[string]any{"message": message, "payload": payload}})
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var asked request
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "The request body is not JSON")
		return
	}
	if before := s.find(asked.ExternalID); asked.ExternalID != "" && before != nil {
		if !reflect.DeepEqual(before.asked, asked) {
			refuse(w, http.StatusConflict, "An order with this external_id exists", "external_id")
			return
		}
		w.WriteHeader(http.StatusCreated)
		answer(w, map[string]any{"order": before})
		return
	}
	amount, status, path := s.check(asked)
	if status != 0 {
		refuse(w, status, "Order failed: validation failure", path...)
		return
	}
	if s.balance.LessThan(amount) {
		refuse(w, http.StatusPaymentRequired, "Order failed: insufficient funds", "payment")
		return
	}
	s.balance = s.balance.Sub(amount)
	n, now, cost := len(s.orders)+1, s.now(), json.Number(amount.String())
	o := &order{
		ID:         fmt.Sprintf("ORDER%07d", n),
		ExternalID: asked.ExternalID,
		CampaignID: asked.Reward.CampaignID,
		CreatedAt:  now,
		Status:     "EXECUTED",
		Channel:    "API",
		asked:      asked,
		Payment:    payment{Subtotal: cost, Total: cost, Fees: "0", Discount: "0", Currency: s.options.Currency},
		Rewards: []reward{{
			ID: fmt.Sprintf("REWARD%06d", n), OrderID: fmt.Sprintf("ORDER%07d", n), CreatedAt: now, Value: asked.Reward.Value,
			Recipient: asked.Reward.Recipient, Delivery: delivery{asked.Reward.Delivery.Method, "SCHEDULED"},
		}},
	}
	if s.options.Approvals {
		o.Status, o.Rewards[0].Delivery.Status = "PENDING APPROVAL", "PENDING"
	}
	s.orders = append(s.orders, o)
	s.notify("ORDERS.CREATED", "orders", o.ID)
	answer(w, map[string]any{"order": o})
}

// check refuses what Tremendous would not take.
func (s *Server) check(asked request) (amount decimal.Decimal, status int, path []string) {
	amount, err := decimal.NewFromString(asked.Reward.Value.Denomination.String())
	switch {
	case asked.Payment.FundingSourceID != "BALANCE":
		return amount, http.StatusBadRequest, []string{"payment", "funding_source_id"}
	case asked.Reward.CampaignID != Campaign:
		return amount, http.StatusBadRequest, []string{"reward", "campaign_id"}
	case err != nil || !amount.IsPositive() || !amount.Equal(amount.Truncate(2)):
		return amount, http.StatusBadRequest, []string{"reward", "value", "denomination"}
	case asked.Reward.Value.Currency != s.options.Currency:
		return amount, http.StatusBadRequest, []string{"reward", "value", "currency_code"}
	case !strings.Contains(asked.Reward.Recipient.Email, "@") || strings.HasSuffix(asked.Reward.Recipient.Email, ".invalid"):
		return amount, http.StatusBadRequest, []string{"reward", "recipient", "email"}
	case asked.Reward.Delivery.Method != "EMAIL":
		return amount, http.StatusBadRequest, []string{"reward", "delivery", "method"}
	}
	for _, id := range asked.Reward.Products {
		i := slices.IndexFunc(catalogue, func(p product) bool { return p.ID == id })
		if i < 0 || !slices.Contains(catalogue[i].Currencies, asked.Reward.Value.Currency) || !catalogue[i].covers(amount) {
			return amount, http.StatusBadRequest, []string{"reward", "products"}
		}
	}
	return amount, 0, nil
}

// find finds an order by its id or its external id.
func (s *Server) find(id string) *order {
	for _, o := range s.orders {
		if o.ID == id || o.ExternalID == id {
			return o
		}
	}
	return nil
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 500 {
		limit = 10
	}
	query := r.URL.Query()
	from, _ := time.Parse(time.RFC3339Nano, query.Get("created_at[gte]"))
	until, err := time.Parse(time.RFC3339Nano, query.Get("created_at[lte]"))
	bounded := err == nil
	found, external := []*order{}, query.Get("external_id")
	for _, o := range slices.Backward(s.orders) {
		made, _ := time.Parse(time.RFC3339Nano, o.CreatedAt)
		if (external == "" || o.ExternalID == external) && !made.Before(from) && (!bounded || !made.After(until)) {
			found = append(found, o)
		}
	}
	offset, _ := strconv.Atoi(query.Get("offset"))
	page := found[min(max(0, offset), len(found)):]
	answer(w, map[string]any{"orders": page[:min(limit, len(page))], "total_count": len(found)})
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	if o := s.find(r.PathValue("id")); o != nil {
		answer(w, map[string]any{"order": o})
		return
	}
	refuse(w, http.StatusNotFound, "Order not found")
}

func (s *Server) getReward(w http.ResponseWriter, r *http.Request) {
	for _, o := range s.orders {
		if o.Rewards[0].ID == r.PathValue("id") {
			answer(w, map[string]any{"reward": o.Rewards[0]})
			return
		}
	}
	refuse(w, http.StatusNotFound, "Reward not found")
}

func (s *Server) cancelReward(w http.ResponseWriter, r *http.Request) {
	for _, o := range s.orders {
		if o.Rewards[0].ID != r.PathValue("id") {
			continue
		}
		if o.Status != "EXECUTED" || o.redeemed {
			refuse(w, http.StatusUnprocessableEntity, "The reward cannot be canceled")
			return
		}
		s.giveBack(o)
		answer(w, map[string]any{"reward": o.Rewards[0]})
		return
	}
	refuse(w, http.StatusNotFound, "Reward not found")
}

func (s *Server) approve(w http.ResponseWriter, r *http.Request) { s.decide(w, r, "EXECUTED") }

func (s *Server) reject(w http.ResponseWriter, r *http.Request) { s.decide(w, r, "CANCELED") }

func (s *Server) decide(w http.ResponseWriter, r *http.Request, status string) {
	o := s.find(r.PathValue("id"))
	switch {
	case o == nil:
		refuse(w, http.StatusNotFound, "Order not found")
		return
	case o.Status != "PENDING APPROVAL":
		refuse(w, http.StatusUnprocessableEntity, "The order is not waiting for approval")
		return
	case status == "EXECUTED":
		o.Rewards[0].Delivery.Status = "SCHEDULED"
		s.notify("ORDERS.APPROVED", "orders", o.ID)
	default:
		s.balance = s.balance.Add(decimal.RequireFromString(o.Payment.Total.String()))
		s.notify("ORDERS.CANCELED", "orders", o.ID)
	}
	o.Status = status
	answer(w, map[string]any{"order": o})
}

func (s *Server) source(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != "BALANCE" {
		refuse(w, http.StatusNotFound, "Funding source not found")
		return
	}
	answer(w, map[string]any{"funding_source": map[string]any{
		"id": "STANDINBALANCE", "method": "balance", "status": "active",
		"meta": map[string]any{"available_amount": json.Number(s.balance.String()), "currency_code": s.options.Currency},
	}})
}

// Deliver says how the e-mail of an order's reward fared.
func (s *Server) Deliver(externalID string, delivered bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.find(externalID)
	if o == nil || o.Status != "EXECUTED" {
		return fmt.Errorf("there is no order %q to deliver", externalID)
	}
	status := map[bool]string{true: "SUCCEEDED", false: "FAILED"}[delivered]
	o.Rewards[0].Delivery.Status = status
	s.notify("REWARDS.DELIVERY."+status, "rewards", o.Rewards[0].ID)
	return nil
}

// Cancel cancels the reward of an order that was carried out, and gives back its money.
func (s *Server) Cancel(externalID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.find(externalID)
	if o == nil || o.Status != "EXECUTED" {
		return fmt.Errorf("there is no order %q to cancel", externalID)
	}
	s.giveBack(o)
	return nil
}

func (s *Server) giveBack(o *order) {
	o.Status, o.Payment.Refund = "CANCELED", &refund{o.Payment.Total}
	s.balance = s.balance.Add(decimal.RequireFromString(o.Payment.Total.String()))
	s.notify("REWARDS.CANCELED", "rewards", o.Rewards[0].ID)
}

// Redeem has the recipient take the reward of an order, which is not cancelled after that.
func (s *Server) Redeem(externalID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.find(externalID)
	if o == nil || o.Status != "EXECUTED" {
		return fmt.Errorf("there is no order %q to redeem", externalID)
	}
	o.redeemed = true
	return nil
}

func (s *Server) now() string { return s.options.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// Paid counts the orders under an external id.
func (s *Server) Paid(externalID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, o := range s.orders {
		if o.ExternalID == externalID {
			n++
		}
	}
	return n
}
