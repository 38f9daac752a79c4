// Package standin behaves as Xendit's payouts API does for what Guerdon uses of it:
// payouts with their statuses, idempotency keys without end, the balance and callbacks.
// It keeps its state in memory. A fault plan makes it fail in chosen ways. It is for
// tests and for trying Guerdon out, and is never part of the production program.
package standin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"
)

const newPayouts = "/v2/payouts"

// Options say how a stand-in is set up. The zero value has no money.
type Options struct {
	APIKey        string            // the one key that is accepted; "": any
	Balances      map[string]string // what the account starts with in major units, by currency
	Automatic     bool              // a payout succeeds by itself, right after it was accepted
	CallbackURL   string            // where callbacks go; "": nowhere
	CallbackToken string
	CallbackRetry time.Duration    // the wait before a callback is sent again; 0: a millisecond
	Now           func() time.Time // nil: the machine's clock
}

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
	balances map[string]decimal.Decimal
	payouts  []*payout
	keys     map[string]kept
	callback []callback
	sent     int // callbacks before this one are delivered
	requests int
	faults   []*Fault
}

type kept struct {
	body   string
	payout *payout
}

type payout struct {
	ID                string            `json:"id"`
	Amount            json.Number       `json:"amount"`
	ChannelCode       string            `json:"channel_code"`
	ChannelProperties properties        `json:"channel_properties"`
	Currency          string            `json:"currency"`
	Description       string            `json:"description,omitempty"`
	ReferenceID       string            `json:"reference_id"`
	Status            string            `json:"status"`
	FailureCode       string            `json:"failure_code,omitempty"`
	Created           string            `json:"created"`
	Updated           string            `json:"updated"`
	EstimatedArrival  string            `json:"estimated_arrival_time"`
	BusinessID        string            `json:"business_id"`
	Metadata          map[string]string `json:"metadata,omitempty"`

	amount decimal.Decimal
}

type properties struct {
	AccountNumber     string `json:"account_number"`
	AccountHolderName string `json:"account_holder_name"`
	AccountType       string `json:"account_type,omitempty"`
}

// New returns a stand-in. Close it.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Server{
		options:  options,
		mux:      http.NewServeMux(),
		closing:  make(chan struct{}),
		woken:    make(chan struct{}, 1),
		balances: map[string]decimal.Decimal{},
		keys:     map[string]kept{},
	}
	for currency, amount := range options.Balances {
		s.balances[currency] = decimal.RequireFromString(amount)
	}
	s.mux.HandleFunc("POST "+newPayouts, s.gate(s.create))
	s.mux.HandleFunc("GET /v2/payouts", s.gate(s.list))
	s.mux.HandleFunc("GET /v2/payouts/{id}", s.gate(s.get))
	s.mux.HandleFunc("POST /v2/payouts/{id}/cancel", s.gate(s.cancel))
	s.mux.HandleFunc("GET /transactions", s.gate(s.report))
	s.mux.HandleFunc("GET /balance", s.gate(s.balance))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "The requested resource was not found")
	})
	if options.CallbackURL != "" {
		s.sender.Go(s.sendCallbacks)
	}
	return s
}

// Close stops sending callbacks and ends what is being held up.
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
		w.Header().Set("Request-Id", fmt.Sprintf("standin-%06d", s.requests))
		if key, _, basic := r.BasicAuth(); !basic || key == "" || s.options.APIKey != "" && key != s.options.APIKey {
			refuse(w, http.StatusUnauthorized, "INVALID_API_KEY", "API key format is invalid")
			return
		}
		handle(w, r)
	}
}

func answer(w http.ResponseWriter, object any) { _ = json.NewEncoder(w).Encode(object) }

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	answer(w, map[string]string{"error_code": code, "message": message})
}

// smallest and largest are the limits of amounts by currency and kind of channel.
var (
	smallest = map[string]decimal.Decimal{"IDR": decimal.NewFromInt(10_000), "PHP": decimal.NewFromInt(1)}
	wallets  = map[string]decimal.Decimal{
		"ID_DANA": decimal.NewFromInt(20_000_000), "ID_GOPAY": decimal.NewFromInt(20_000_000), "ID_LINKAJA": decimal.NewFromInt(20_000_000),
		"ID_OVO": decimal.NewFromInt(20_000_000), "ID_SHOPEEPAY": decimal.NewFromInt(20_000_000), "PH_GCASH": decimal.NewFromInt(50_000), "PH_PAYMAYA": decimal.NewFromInt(50_000),
	}
	currencies  = map[string]string{"ID_": "IDR", "PH_": "PHP"}
	channelCode = regexp.MustCompile(`^(ID|PH)_[A-Z]{2,20}$`)
	digits      = regexp.MustCompile(`^\+?[0-9]{5,20}$`)
)

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_JSON_FORMAT", "The request body could not be read")
		return
	}
	var asked payout
	if err := json.Unmarshal(content, &asked); err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_JSON_FORMAT", "The request body is not a valid JSON format")
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 100 {
		refuse(w, http.StatusBadRequest, "API_VALIDATION_ERROR", "Idempotency-key is required, at most 100 characters")
		return
	}
	if before, seen := s.keys[key]; seen {
		if before.body != string(content) {
			refuse(w, http.StatusConflict, "DUPLICATE_ERROR", "Idempotency key has been used before. Use a unique idempotency key and try again.")
			return
		}
		answer(w, before.payout)
		return
	}
	if code, message := check(&asked); code != "" {
		refuse(w, http.StatusBadRequest, code, message)
		return
	}
	now := s.now()
	p := &asked
	p.ID, p.Status, p.FailureCode = fmt.Sprintf("disb-standin-%06d", len(s.payouts)+1), "ACCEPTED", ""
	p.Created, p.Updated, p.EstimatedArrival, p.BusinessID = now, now, now, "standin"
	s.payouts = append(s.payouts, p)
	first := *p
	s.keys[key] = kept{string(content), &first}
	// Xendit takes a payout that the balance does not cover, and fails it.
	if s.balances[p.Currency].LessThan(p.amount) {
		p.amount = decimal.Zero
		s.to(p, "FAILED", "INSUFFICIENT_BALANCE")
	}
	s.balances[p.Currency] = s.balances[p.Currency].Sub(p.amount)
	if s.options.Automatic && p.Status == "ACCEPTED" {
		s.to(p, "REQUESTED", "")
		s.to(p, "SUCCEEDED", "")
	}
	answer(w, &first)
}

// check refuses what Xendit would not take.
func check(p *payout) (code, message string) {
	switch {
	case p.ReferenceID == "" || len(p.ReferenceID) > 255:
		return "API_VALIDATION_ERROR", "reference_id is required"
	case !channelCode.MatchString(p.ChannelCode):
		return "CHANNEL_CODE_NOT_SUPPORTED", "The channel code is not supported"
	case !digits.MatchString(p.ChannelProperties.AccountNumber):
		return "RECIPIENT_ACCOUNT_NUMBER_ERROR", "The account number is not valid"
	case p.ChannelProperties.AccountHolderName == "":
		return "API_VALIDATION_ERROR", "channel_properties.account_holder_name is required"
	case p.Currency != currencies[p.ChannelCode[:3]]:
		return "API_VALIDATION_ERROR", "currency is not that of the channel"
	}
	var err error
	if p.amount, err = decimal.NewFromString(p.Amount.String()); err != nil {
		return "API_VALIDATION_ERROR", "amount is not a number"
	}
	if places := int32(2); p.Currency == "IDR" && !p.amount.IsInteger() || !p.amount.Equal(p.amount.Truncate(places)) {
		return "API_VALIDATION_ERROR", "amount has too many decimal places"
	}
	if p.amount.LessThan(smallest[p.Currency]) {
		return "MINIMUM_TRANSFER_LIMIT_ERROR", "The transfer amount requested is lower than the prescribed minimum"
	}
	if largest, limited := wallets[p.ChannelCode]; limited && p.amount.GreaterThan(largest) {
		return "MAXIMUM_TRANSFER_LIMIT_ERROR", "The transfer amount requested is higher than the prescribed maximum"
	}
	return "", ""
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	reference := r.URL.Query().Get("reference_id")
	if reference == "" {
		refuse(w, http.StatusBadRequest, "API_VALIDATION_ERROR", "reference_id is required")
		return
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = 10
	}
	found := []*payout{}
	for _, p := range slices.Backward(s.payouts) {
		if p.ReferenceID == reference {
			found = append(found, p)
		}
	}
	answer(w, map[string]any{"data": found[:min(limit, len(found))], "has_more": len(found) > limit, "links": []string{}})
}

// report lists transactions, the newest first.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > 50 {
		refuse(w, http.StatusBadRequest, "API_VALIDATION_ERROR", "limit is a number from 1 to 50")
		return
	}
	from, gte := time.Parse(time.RFC3339Nano, query.Get("created[gte]"))
	until, lte := time.Parse(time.RFC3339Nano, query.Get("created[lte]"))
	if gte != nil || lte != nil || query.Get("types") != "DISBURSEMENT" {
		refuse(w, http.StatusBadRequest, "API_VALIDATION_ERROR", "this stand-in knows the disbursements of a time")
		return
	}
	status := map[string]string{"SUCCEEDED": "SUCCESS", "REVERSED": "REVERSED", "FAILED": "FAILED", "CANCELLED": "VOIDED", "COMPLIANCE_REJECTED": "FAILED"}
	found, after := []map[string]any{}, query.Get("after_id")
	for _, p := range slices.Backward(s.payouts) {
		id := "txn-" + p.ID
		if after != "" {
			if id == after {
				after = ""
			}
			continue
		}
		if made, err := time.Parse(time.RFC3339Nano, p.Created); err == nil && !made.Before(from) && !made.After(until) {
			found = append(found, map[string]any{"id": id, "product_id": p.ID, "type": "DISBURSEMENT", "status": cmp.Or(status[p.Status], "PENDING"), "reference_id": p.ReferenceID,
				"currency": p.Currency, "amount": p.Amount, "cashflow": "MONEY_OUT", "created": p.Created, "updated": p.Updated})
		}
	}
	answer(w, map[string]any{"data": found[:min(limit, len(found))], "has_more": len(found) > limit, "links": []string{}})
}

func (s *Server) find(id string) *payout {
	for _, p := range s.payouts {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	p := s.find(r.PathValue("id"))
	if p == nil {
		refuse(w, http.StatusNotFound, "DATA_NOT_FOUND", "The payout was not found")
		return
	}
	answer(w, p)
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) {
	p := s.find(r.PathValue("id"))
	switch {
	case p == nil:
		refuse(w, http.StatusNotFound, "DATA_NOT_FOUND", "The payout was not found")
	case p.Status != "ACCEPTED":
		refuse(w, http.StatusBadRequest, "CANCELLATION_NOT_ALLOWED", "The payout has been sent")
	default:
		s.to(p, "CANCELLED", "")
		answer(w, p)
	}
}

func (s *Server) balance(w http.ResponseWriter, r *http.Request) {
	answer(w, map[string]json.Number{"balance": json.Number(s.balances[r.URL.Query().Get("currency")].String())})
}

// moves are the statuses that may follow each.
var moves = map[string][]string{
	"ACCEPTED":                      {"PENDING_COMPLIANCE_ASSESSMENT", "REQUESTED", "FAILED", "CANCELLED"},
	"PENDING_COMPLIANCE_ASSESSMENT": {"ACCEPTED", "REQUESTED", "COMPLIANCE_REJECTED"},
	"REQUESTED":                     {"SUCCEEDED", "FAILED"},
	"SUCCEEDED":                     {"REVERSED"},
}

// Move gives the payout of a reference another status, as time would. The failure code is
// for FAILED.
func (s *Server) Move(reference, status, failureCode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range slices.Backward(s.payouts) {
		if p.ReferenceID != reference {
			continue
		}
		if !slices.Contains(moves[p.Status], status) {
			return fmt.Errorf("a payout does not move from %s to %s", p.Status, status)
		}
		s.to(p, status, failureCode)
		return nil
	}
	return fmt.Errorf("there is no payout %q", reference)
}

// to moves a payout. The money of one that is not made comes back.
func (s *Server) to(p *payout, status, failureCode string) {
	p.Status, p.FailureCode, p.Updated = status, failureCode, s.now()
	switch status {
	case "FAILED", "CANCELLED", "COMPLIANCE_REJECTED", "REVERSED":
		s.balances[p.Currency] = s.balances[p.Currency].Add(p.amount)
	}
	switch status {
	case "SUCCEEDED", "FAILED", "REVERSED":
		s.notify("payout."+strings.ToLower(status), p)
	}
}

func (s *Server) now() string { return s.options.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// Paid counts the payouts under a reference that took money, whatever became of it.
func (s *Server) Paid(reference string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.payouts {
		if p.ReferenceID == reference && p.amount.IsPositive() {
			n++
		}
	}
	return n
}
