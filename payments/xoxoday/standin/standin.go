// Package standin behaves as Xoxoday's Plum does for what the rail uses of it, and fails
// when told to. As Plum, it places the same order as often as it is asked to.
package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/shopspring/decimal"
)

// Options say how a stand-in behaves.
type Options struct {
	ClientSecret string // "": any
	Balance      string // "" is nothing
	Currency     string // of the account and of the products; "" is INR
}

// The products that there are.
const (
	GiftCard   = "1007" // of 100, 500 or 1000, in India
	Experience = "2001" // from 1 to 50000, in India
	Recharge   = "3001" // needs a telephone number
	Abroad     = "4001" // in the United Arab Emirates
)

type product struct {
	ID         int64       `json:"productId"`
	Name       string      `json:"name"`
	Category   string      `json:"categories"`
	Currency   string      `json:"currencyCode"`
	Country    string      `json:"countryCode"`
	Smallest   json.Number `json:"minValue"`
	Largest    json.Number `json:"maxValue"`
	Fixed      string      `json:"valueDenominations"`
	NeedsPhone bool        `json:"isPhoneNumberMandatory"`
}

var catalogue = []product{
	{1007, "Gift card of a shop", "eCommerce", "", "IN", "0", "0", "100,500, 1000", false},
	{2001, "An evening out", "experience", "", "IN", "1", "50000", "", false},
	{3001, "A recharge", "recharge", "", "IN", "10", "500", "", true},
	{4001, "A shop abroad", "eCommerce", "", "AE", "10", "500", "", false},
}

func (p product) covers(amount decimal.Decimal) bool {
	if p.Fixed != "" {
		return slices.ContainsFunc(strings.Split(p.Fixed, ","), func(f string) bool { return decimal.RequireFromString(strings.TrimSpace(f)).Equal(amount) })
	}
	return amount.GreaterThanOrEqual(decimal.RequireFromString(p.Smallest.String())) && amount.LessThanOrEqual(decimal.RequireFromString(p.Largest.String()))
}

// Server is a stand-in. It is an http.Handler.
type Server struct {
	options Options
	mux     *http.ServeMux
	closing chan struct{}
	ending  sync.Once
	held    atomic.Int64

	mu      sync.Mutex
	balance decimal.Decimal
	orders  []order
	tokens  int
	faults  []*Fault
}

type order struct {
	ID       int64       `json:"orderId"`
	Number   string      `json:"-"`
	Tag      string      `json:"tag"`
	Total    json.Number `json:"orderTotal"`
	Charged  json.Number `json:"amountCharged"`
	Currency string      `json:"currencyCode"`
	Status   string      `json:"orderStatus"`
	Delivery string      `json:"deliveryStatus"`
	Vouchers []voucher   `json:"vouchers"`
}

type voucher struct {
	Code string `json:"voucherCode"`
	Pin  string `json:"pin"`
}

// New returns a stand-in. Close it.
func New(options Options) *Server {
	if options.Balance == "" {
		options.Balance = "0"
	}
	if options.Currency == "" {
		options.Currency = "INR"
	}
	s := &Server{options: options, mux: http.NewServeMux(), closing: make(chan struct{}), balance: decimal.RequireFromString(options.Balance)}
	s.mux.HandleFunc("POST /v1/oauth/token", s.token)
	s.mux.HandleFunc("POST /v1/oauth/api", s.api)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "No such address") })
	return s
}

// Close ends what is being held up.
func (s *Server) Close() { s.ending.Do(func() { close(s.closing) }) }

// refuse answers with an error.
func refuse(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message, "errorId": "PLUM-1"})
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.FormValue("grant_type") != "client_credentials" || r.FormValue("client_id") == "" || s.options.ClientSecret != "" && r.FormValue("client_secret") != s.options.ClientSecret {
		refuse(w, http.StatusBadRequest, "invalid_client")
		return
	}
	s.tokens++
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.current(), "token_type": "bearer", "expires_in": 1296000})
}

// current is the one token that is valid.
func (s *Server) current() string { return fmt.Sprint("token-", s.tokens) }

// Expire ends the token that is valid.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
}

func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+s.current() {
		refuse(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	var asked struct {
		Query     string `json:"query"`
		Variables struct {
			Data json.RawMessage `json:"data"`
		} `json:"variables"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "The request is not JSON")
		return
	}
	operation := asked.Query[strings.LastIndexByte(asked.Query, '.')+1:]
	do, known := map[string]func(http.ResponseWriter, json.RawMessage) any{"placeOrder": s.place, "getOrderDetails": s.details, "getVouchers": s.vouchers, "getBalance": s.wallet}[operation]
	if !known {
		refuse(w, http.StatusBadRequest, "No such operation")
		return
	}
	if data := do(w, asked.Variables.Data); data != nil {
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{operation: map[string]any{"status": 1, "data": data}}})
	}
}

func (s *Server) place(w http.ResponseWriter, data json.RawMessage) any {
	var asked struct {
		Product      int64       `json:"productId"`
		Quantity     int         `json:"quantity"`
		Denomination json.Number `json:"denomination"`
		Email        string      `json:"email"`
		Number       string      `json:"poNumber"`
		Tag          string      `json:"tag"`
	}
	if err := json.Unmarshal(data, &asked); err != nil || asked.Quantity != 1 || asked.Number == "" {
		refuse(w, http.StatusBadRequest, "The order cannot be read")
		return nil
	}
	amount, err := decimal.NewFromString(asked.Denomination.String())
	i := slices.IndexFunc(catalogue, func(p product) bool { return p.ID == asked.Product })
	if err != nil || i < 0 || catalogue[i].NeedsPhone || !catalogue[i].covers(amount) || strings.HasSuffix(asked.Email, ".invalid") {
		refuse(w, http.StatusBadRequest, "The order cannot be placed")
		return nil
	}
	if s.balance.LessThan(amount) {
		refuse(w, http.StatusPaymentRequired, "The balance is too small")
		return nil
	}
	s.balance = s.balance.Sub(amount)
	total := json.Number(amount.String())
	o := order{
		ID:       int64(6474256 + len(s.orders)),
		Number:   asked.Number,
		Tag:      asked.Tag,
		Total:    total,
		Charged:  total,
		Currency: s.options.Currency,
		Status:   "complete",
		Delivery: "delivered",
		Vouchers: []voucher{{"VOUCHER-CODE", "VOUCHER-PIN"}},
	}
	s.orders = append(s.orders, o)
	return o
}

// details finds the last order of a number.
func (s *Server) details(w http.ResponseWriter, data json.RawMessage) any {
	var asked struct {
		Number string `json:"poNumber"`
	}
	_ = json.Unmarshal(data, &asked) // what cannot be read names no order
	for _, o := range slices.Backward(s.orders) {
		if o.Number == asked.Number {
			return o
		}
	}
	refuse(w, http.StatusNotFound, "No such order")
	return nil
}

func (s *Server) vouchers(_ http.ResponseWriter, data json.RawMessage) any {
	var asked struct {
		Limit int `json:"limit"`
		Page  int `json:"page"`
	}
	_ = json.Unmarshal(data, &asked) // what cannot be read asks for nothing
	from := min(len(catalogue), asked.Limit*max(asked.Page-1, 0))
	page := slices.Clone(catalogue[from:min(len(catalogue), from+asked.Limit)])
	for i := range page {
		page[i].Currency = s.options.Currency
	}
	return page
}

func (s *Server) wallet(http.ResponseWriter, json.RawMessage) any {
	return map[string]any{"points": 0, "value": json.Number(s.balance.String()), "currency": s.options.Currency}
}

// Paid counts the orders of a number.
func (s *Server) Paid(number string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, o := range s.orders {
		if o.Number == number {
			n++
		}
	}
	return n
}

// Orders counts all orders.
func (s *Server) Orders() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.orders)
}
