package standin

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// FaultKind is a way to fail.
type FaultKind string

// The ways to fail.
const (
	Unavailable      FaultKind = "unavailable"        // 503, nothing done
	DropBeforeCommit FaultKind = "drop_before_commit" // the connection breaks, nothing done
	CommitThenDrop   FaultKind = "commit_then_drop"   // done, then the connection breaks
	CommitThen500    FaultKind = "commit_then_500"    // done, then a 500
	Delay            FaultKind = "delay"              // nothing happens until Release, then it is done
	Throttle         FaultKind = "429"                // too many requests, nothing done
	Truncate         FaultKind = "truncate"           // done, and half of the answer comes, with its status
	HTML             FaultKind = "html_502"           // a proxy's page, nothing done
	CommitThenHTML   FaultKind = "commit_then_html_502"
)

// Fault is one line of a fault plan: a way to fail and the requests that do. The first
// line that matches a request decides.
type Fault struct {
	Kind     FaultKind
	Contains string          // in the request's body; "": placeOrder
	Times    int             // how often; 0: always
	Release  <-chan struct{} // ends a delay

	done int
}

// SetFaults replaces the fault plan.
func (s *Server) SetFaults(plan ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	for _, f := range plan {
		if f.Contains == "" {
			f.Contains = "placeOrder"
		}
		s.faults = append(s.faults, &f)
	}
}

func (s *Server) fault(body string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if strings.Contains(body, f.Contains) && (f.Times == 0 || f.done < f.Times) {
			f.done++
			return f
		}
	}
	return nil
}

// recorder keeps an answer until the fault plan says what becomes of it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header         { return a.header }
func (a *recorder) WriteHeader(status int)      { a.status = status }
func (a *recorder) Write(b []byte) (int, error) { return a.body.Write(b) }

// ServeHTTP answers as the API would, with the faults that are planned.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var kind FaultKind
	if f := s.fault(string(body)); f != nil {
		kind = f.Kind
		if kind == Delay {
			s.held.Add(1)
			select {
			case <-f.Release:
			case <-s.closing:
			}
			s.held.Add(-1)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	switch kind {
	case Unavailable:
		refuse(w, http.StatusServiceUnavailable, "Service unavailable.")
		return
	case DropBeforeCommit:
		panic(http.ErrAbortHandler)
	case Throttle:
		refuse(w, http.StatusTooManyRequests, "Too many requests")
		return
	case HTML:
		proxyPage(w)
		return
	}
	a := &recorder{header: w.Header(), status: http.StatusOK}
	s.mux.ServeHTTP(a, r)
	switch kind {
	case CommitThenDrop:
		panic(http.ErrAbortHandler)
	case CommitThen500:
		refuse(w, http.StatusInternalServerError, "An error occurred on our side.")
		return
	case CommitThenHTML:
		proxyPage(w)
		return
	case Truncate:
		a.body.Truncate(a.body.Len() / 2)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a client that went away looks up
}

// Held counts the requests that a delay holds now.
func (s *Server) Held() int { return int(s.held.Load()) }

func proxyPage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>")
}
