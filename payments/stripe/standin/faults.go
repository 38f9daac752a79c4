package standin

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
)

// FaultKind is a way to fail.
type FaultKind string

// The ways to fail. Those that are about committing are for requests that change
// something; the rest are for every request.
const (
	FailBeforeCommit FaultKind = "fail_before_commit" // 500, nothing done; kept under the key, so that a retry gets the same 500
	Unavailable      FaultKind = "unavailable"        // 503 before execution; the key stays free
	DropBeforeCommit FaultKind = "drop_before_commit" // the connection breaks, nothing done; the key stays free
	CommitThenDrop   FaultKind = "commit_then_drop"   // done, then the connection breaks
	CommitThen500    FaultKind = "commit_then_500"    // done, then a 500 that stays under the key
	Delay            FaultKind = "delay"              // the key is taken, then nothing happens for Wait, then it is done
	CommitThenDelay  FaultKind = "commit_then_delay"  // done, and the answer comes after Wait
	Throttle         FaultKind = "429"                // too many requests; the key stays free
	ExpiredKey       FaultKind = "expired_key"        // 401 as the API key has expired, nothing done; the idempotency key stays free
	Truncate         FaultKind = "truncate"           // done, and half of the answer comes, with status 200
	HTML             FaultKind = "html_502"           // a proxy's page, nothing done; the key stays free
	CommitThenHTML   FaultKind = "commit_then_html_502"
	Insufficient     FaultKind = "balance_insufficient" // refused, as whoever is to give has too little; nothing done, the key stays free
)

// Fault is one line of a fault plan: a way to fail and the requests that do. The first
// line that matches a request decides. The zero Method and Path mean new transfers.
type Fault struct {
	Kind          FaultKind     `json:"kind"`
	Method        string        `json:"method,omitempty"`
	Path          string        `json:"path,omitempty"`           // a prefix
	TransferGroup string        `json:"transfer_group,omitempty"` // "": any
	Skip          int           `json:"skip,omitempty"`           // matching requests that pass first
	Times         int           `json:"times,omitempty"`          // how often; 0: always
	EachTimes     int           `json:"each_times,omitempty"`     // how often for each transfer group; 0: always
	Probability   float64       `json:"probability,omitempty"`    // 0: certain
	Wait          time.Duration `json:"wait,omitempty"`           // nanoseconds
	// Release ends a delay instead of Wait, where it is not nil.
	Release <-chan struct{} `json:"-"`

	number, passed, done int
}

// SetFaults replaces the fault plan.
func (s *Server) SetFaults(plan ...Fault) error {
	faults := make([]*Fault, 0, len(plan))
	for i, f := range plan {
		switch f.Kind {
		case FailBeforeCommit, Unavailable, DropBeforeCommit, CommitThenDrop, CommitThen500, Delay, CommitThenDelay, Throttle, ExpiredKey, Truncate, HTML, CommitThenHTML, Insufficient:
		default:
			return fmt.Errorf("fault %d: %q is not a way to fail", i+1, f.Kind)
		}
		if f.Probability < 0 || f.Probability > 1 {
			return fmt.Errorf("fault %d: a probability is between 0 and 1", i+1)
		}
		if f.Method == "" && f.Path == "" {
			f.Method, f.Path = http.MethodPost, "/v1/transfers"
		}
		f.number = i
		faults = append(faults, &f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
	s.seen = map[string]int{}
	return nil
}

func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	if a, open := s.gate(r); !open {
		a.write(w)
		return
	}
	var plan []Fault
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&plan); err != nil {
		refuse(http.StatusBadRequest, "", "", "A fault plan is a list of faults: %v", err).write(w)
		return
	}
	if err := s.SetFaults(plan...); err != nil {
		refuse(http.StatusBadRequest, "", "", "%v", err).write(w)
		return
	}
	ok(map[string]int{"faults": len(plan)}).write(w)
}

// fault picks the fault of a request; nil is none. Chance depends on the seed, the
// transfer group and how often it came, never on which request was quicker.
func (s *Server) fault(method, path, group string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Method != "" && f.Method != method || !strings.HasPrefix(path, f.Path) || f.TransferGroup != "" && f.TransferGroup != group {
			continue
		}
		if f.Times > 0 && f.done >= f.Times {
			continue
		}
		seenBefore := fmt.Sprintf("%d %s %s", f.number, method, group)
		s.seen[seenBefore]++
		if f.EachTimes > 0 && s.seen[seenBefore] > f.EachTimes {
			continue
		}
		if f.Probability > 0 {
			sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d", s.options.Seed, seenBefore, s.seen[seenBefore]))
			if float64(binary.BigEndian.Uint64(sum[:]))/math.MaxUint64 >= f.Probability {
				continue
			}
		}
		if f.passed < f.Skip {
			f.passed++
			continue
		}
		f.done++
		return f
	}
	return nil
}

func (f *Fault) is(kind FaultKind) bool { return f != nil && f.Kind == kind }

// unexecuted answers a request that is never executed.
func (f *Fault) unexecuted(s *Server, w http.ResponseWriter) bool {
	switch {
	case f.is(Unavailable):
		a := broken()
		a.Status = http.StatusServiceUnavailable
		a.write(w)
	case f.is(DropBeforeCommit):
		panic(http.ErrAbortHandler)
	case f.is(Throttle):
		tooMany().write(w)
	case f.is(ExpiredKey):
		refuse(http.StatusUnauthorized, "api_key_expired", "", "Expired API Key provided.").write(w)
	case f.is(Insufficient):
		refuse(http.StatusBadRequest, sdk.ErrorCodeBalanceInsufficient, "", "Insufficient funds.").write(w)
	case f.is(HTML):
		proxyPage(w)
	default:
		return false
	}
	return true
}

// before answers or holds up a request that changes nothing.
func (f *Fault) before(s *Server, w http.ResponseWriter) bool {
	if f.is(FailBeforeCommit) {
		broken().write(w)
		return true
	}
	if f.unexecuted(s, w) {
		return true
	}
	f.hold(s)
	return false
}

func (f *Fault) hold(s *Server) {
	if f.is(Delay) {
		f.wait(s)
	}
}

func (f *Fault) wait(s *Server) {
	var over <-chan time.Time
	if f.Release == nil {
		over = time.After(f.Wait)
	}
	select {
	case <-f.Release:
	case <-over:
	case <-s.closing:
	}
}

// after writes an answer as the fault lets it through.
func (f *Fault) after(s *Server, w http.ResponseWriter, a answer) {
	switch {
	case f.is(CommitThenDrop):
		panic(http.ErrAbortHandler)
	case f.is(CommitThenDelay):
		f.wait(s)
	case f.is(Truncate):
		a.Body = a.Body[:len(a.Body)/2]
	case f.is(CommitThenHTML):
		proxyPage(w)
		return
	}
	a.write(w)
}

func proxyPage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"))
}
