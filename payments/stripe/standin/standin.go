// Package standin behaves as Stripe's API does for what Guerdon uses of it: connected
// accounts, transfers, reversals, the balance and webhooks, with idempotency keys that
// last 24 hours. It keeps its state in memory or, with a journal, on disk, where it
// survives the death of its process. A fault plan makes it fail in chosen ways. It is for
// tests and for trying Guerdon out, and is never part of the production program.
package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"golang.org/x/time/rate"
)

// Options say how a stand-in is set up. The zero value is an empty, fast Stripe.
type Options struct {
	APIKey        string           // the one key that is accepted; "": any
	Balances      map[string]int64 // what the platform starts with, by lower-case currency, in Stripe's units
	AnyAccount    bool             // a transfer to an account that was never made makes it, ready to be paid
	PerSecond     float64          // calls that are answered; 0: no limit
	Journal       string           // the file that keeps the state; "": memory only
	WebhookURL    string           // where events go; "": nowhere
	WebhookSecret string
	WebhookRetry  time.Duration    // the wait before an event is sent again, doubled each time up to a minute; 0: a second
	Seed          uint64           // of faults with a probability
	Now           func() time.Time // nil: the machine's clock
}

// Server is a stand-in. It is an http.Handler.
type Server struct {
	options Options
	mux     *http.ServeMux
	limit   *rate.Limiter
	closing chan struct{}
	ending  sync.Once
	hooks   *sender

	mu       sync.Mutex
	journal  *journal // nil without one
	balances map[string]int64
	accounts map[string]*account
	transfer map[string]*transfer
	order    []*transfer // as they were made
	groups   map[string][]*transfer
	keys     map[string]*keptAnswer
	inFlight map[string]bool
	events   []*event
	sent     int // events before this one are delivered
	faults   []*Fault
	seen     map[string]int // requests by fault and transfer group
	requests int
}

// New returns a stand-in in the state its journal holds, if it has one. Close it.
func New(options Options) (*Server, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Server{
		options:  options,
		mux:      http.NewServeMux(),
		closing:  make(chan struct{}),
		balances: map[string]int64{},
		accounts: map[string]*account{},
		transfer: map[string]*transfer{},
		groups:   map[string][]*transfer{},
		keys:     map[string]*keptAnswer{},
		inFlight: map[string]bool{},
		seen:     map[string]int{},
	}
	if options.PerSecond > 0 {
		s.limit = rate.NewLimiter(rate.Limit(options.PerSecond), max(1, int(options.PerSecond)))
	}
	s.mux.HandleFunc("POST /v1/transfers", s.post(s.createTransfer))
	s.mux.HandleFunc("GET /v1/transfers", s.get(s.listTransfers))
	s.mux.HandleFunc("GET /v1/transfers/{id}", s.get(s.getTransfer))
	s.mux.HandleFunc("POST /v1/transfers/{id}/reversals", s.post(s.reverseTransfer))
	s.mux.HandleFunc("GET /v1/balance", s.get(s.getBalance))
	s.mux.HandleFunc("POST /v1/accounts", s.post(s.createAccount))
	s.mux.HandleFunc("GET /v1/accounts/{id}", s.get(s.getAccount))
	s.mux.HandleFunc("POST /v1/account_links", s.post(s.createAccountLink))
	s.mux.HandleFunc("GET /standin/onboarding/{id}", s.showOnboarding)
	s.mux.HandleFunc("POST /standin/onboarding/{id}", s.onboard)
	s.mux.HandleFunc("GET /standin/report", s.getReport)
	s.mux.HandleFunc("PUT /standin/faults", s.putFaults)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(http.StatusNotFound, "", "", "Unrecognized request URL (%s: %s).", r.Method, r.URL.Path).write(w)
	})
	fresh := true
	if options.Journal != "" {
		var err error
		if s.journal, fresh, err = openJournal(options.Journal, s.apply); err != nil {
			return nil, err
		}
	}
	if fresh {
		opening := entry{Balances: options.Balances}
		if err := s.commit(opening); err != nil {
			return nil, err
		}
	}
	if options.WebhookURL != "" {
		s.hooks = startSender(s)
	}
	return s, nil
}

// Close stops sending events, ends what is being held up, and closes the journal. Let
// the requests under way end first.
func (s *Server) Close() error {
	s.end()
	if s.hooks != nil {
		<-s.hooks.done
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	j := s.journal
	s.journal = nil
	return j.close()
}

// end lets go of everything that waits.
func (s *Server) end() { s.ending.Do(func() { close(s.closing) }) }

// ServeHTTP answers as Stripe's API would.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	w.Header().Set("Request-Id", fmt.Sprintf("req_standin%06d", s.requests))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Stripe-Version", sdk.APIVersion)
	s.mux.ServeHTTP(w, r)
}

// answer is what a request gets.
type answer struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

func (a answer) write(w http.ResponseWriter) {
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a client that went away has its answer kept under its key
}

func ok(object any) answer {
	body, err := json.Marshal(object)
	if err != nil {
		panic(err) // objects are made of strings and numbers
	}
	return answer{Status: http.StatusOK, Body: body}
}

type apiError struct {
	Type    sdk.ErrorType `json:"type"`
	Code    sdk.ErrorCode `json:"code,omitempty"`
	Param   string        `json:"param,omitempty"`
	Message string        `json:"message"`
}

func refuse(status int, code sdk.ErrorCode, param, format string, arguments ...any) answer {
	return refuseAs(status, sdk.ErrorTypeInvalidRequest, code, param, format, arguments...)
}

func refuseAs(status int, kind sdk.ErrorType, code sdk.ErrorCode, param, format string, arguments ...any) answer {
	a := ok(map[string]apiError{"error": {Type: kind, Code: code, Param: param, Message: fmt.Sprintf(format, arguments...)}})
	a.Status = status
	return a
}

// gate refuses a request before anything looks at it.
func (s *Server) gate(r *http.Request) (answer, bool) {
	key, _, _ := r.BasicAuth()
	if bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		key = bearer
	}
	if key == "" {
		return refuse(http.StatusUnauthorized, "", "", "You did not provide an API key."), false
	}
	if s.options.APIKey != "" && key != s.options.APIKey {
		return refuse(http.StatusUnauthorized, "", "", "Invalid API Key provided."), false
	}
	if s.limit != nil && !s.limit.AllowN(s.options.Now(), 1) {
		return tooMany(), false
	}
	return answer{}, true
}

func tooMany() answer {
	return refuse(http.StatusTooManyRequests, sdk.ErrorCodeRateLimit, "", "Request rate limit exceeded.")
}

func (s *Server) get(handle func(*http.Request, url.Values) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a, open := s.gate(r); !open {
			a.write(w)
			return
		}
		query := r.URL.Query()
		f := s.fault(r.Method, r.URL.Path, query.Get("transfer_group"))
		if f.before(s, w) {
			return
		}
		s.mu.Lock()
		a := handle(r, query)
		s.mu.Unlock()
		f.after(s, w, a)
	}
}

// unknownParameter refuses a parameter that this stand-in would silently ignore.
func unknownParameter(values url.Values, known ...string) (answer, bool) {
next:
	for name := range values {
		for _, k := range known {
			if name == k || strings.HasSuffix(k, "[") && strings.HasPrefix(name, k) {
				continue next
			}
		}
		return refuse(http.StatusBadRequest, sdk.ErrorCodeParameterUnknown, name, "Received unknown parameter: %s", name), true
	}
	return answer{}, false
}
