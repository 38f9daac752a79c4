package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"time"
)

// wire is what lies between a house and the stand-in of a rail, and what goes wrong with the
// calls on it.
type wire struct {
	rail   *outside
	server *httptest.Server // where the house calls

	mu       sync.Mutex
	payees   map[string]*payee // by id: those of the cycle under way
	payeeOf  map[string]string // by our reference
	attempts map[string]int    // calls that have paid, or were to, by payee
	lookedUp map[string]int
	paying   int // calls of the cycle that were to pay
	storm    *storm
	began    time.Time      // of a storm
	recalls  []fault        // of the calls that take back, those that are still to come
	pending  map[string]int // calls by payee that may yet be carried out
	told     map[string]chan struct{}
}

func newWire(rail *outside) *wire {
	w := &wire{rail: rail, payeeOf: map[string]string{}}
	w.next(plan{})
	w.server = httptest.NewServer(w)
	return w
}

// next has the calls of a cycle go wrong as it is planned.
func (w *wire) next(p plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.payees, w.attempts, w.lookedUp, w.pending, w.told = map[string]*payee{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]chan struct{}{}
	for i := range p.Payees {
		if p.Payees[i].calls(w.rail.name) {
			w.payees[p.Payees[i].ID] = &p.Payees[i]
			w.told[p.Payees[i].ID] = make(chan struct{})
		}
	}
	w.paying, w.storm, w.began = 0, nil, time.Time{}
	w.recalls = p.Recalls
	if p.Storm != nil && p.Storm.Rail == w.rail.name {
		w.storm = p.Storm
	}
}

// calm ends what goes wrong with all calls at once.
func (w *wire) calm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.storm = nil
}

// raging is the storm that a call meets now; nil is none.
func (w *wire) raging() *storm {
	if w.storm == nil || w.paying < w.storm.After {
		return nil
	}
	if w.began.IsZero() {
		w.began = time.Now()
	}
	if w.storm.Kind == down && time.Since(w.began) > time.Duration(w.storm.Long)*time.Millisecond {
		w.storm = nil
	}
	return w.storm
}

// tell notes that we were told of a payee.
func (w *wire) tell(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.told[id]; c != nil {
		select {
		case <-c:
		default:
			close(c)
		}
	}
}

// mayStillPay reports whether a call is under way that may pay somebody yet.
func (w *wire) mayStillPay(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending[id] > 0
}

var (
	uuid      = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	reference = regexp.MustCompile(`(?:transfer_group=|"reference_id":"|"external_id":"|"poNumber":")(` + uuid.String() + `)`)
	takesBack = regexp.MustCompile(`/(reversals|cancel|reject)$`)
	someone   = regexp.MustCompile(`c[0-9]{4}r[0-9]{2}`)
)

// judge finds out what a call is about, and what goes wrong with it.
func (w *wire) judge(r *http.Request, body string) (id string, paying bool, f fault, raging *storm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	paying = w.rail.pays(r, body)
	if paying {
		id = someone.FindString(body)
		if found := reference.FindStringSubmatch(body); found != nil {
			w.payeeOf[found[1]] = id
		}
		w.paying++
	} else {
		for _, named := range uuid.FindAllString(r.URL.String()+body, -1) {
			if w.payeeOf[named] != "" {
				id = w.payeeOf[named]
			}
		}
	}
	if raging = w.raging(); raging != nil {
		return id, paying, none, raging
	}
	if takesBack.MatchString(r.URL.Path) && r.Method == http.MethodPost && len(w.recalls) > 0 {
		f, w.recalls = w.recalls[0], w.recalls[1:]
		return id, paying, f, nil
	}
	one := w.payees[id]
	if one == nil {
		return id, paying, none, nil
	}
	planned, done := one.LookUps, w.lookedUp
	if paying {
		planned, done = one.Faults, w.attempts
	}
	n := done[id]
	done[id]++
	if n < len(planned) {
		f = planned[n]
	}
	return id, paying, f, nil
}

// ServeHTTP carries a call to the stand-in, or what is left of it.
func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	id, paying, f, raging := w.judge(r, string(body))
	do := func() *httptest.ResponseRecorder {
		if (paying || takesBack.MatchString(r.URL.Path)) && f == twiceSent {
			w.rail.carry(r, body, false)
		}
		answer := w.rail.carry(r, body, raging != nil && raging.Kind == lockout)
		if paying && raging == nil {
			w.rail.has(string(body), w.payee(id))
		}
		return answer
	}
	if raging != nil && raging.Kind == down {
		fail(out, http.StatusServiceUnavailable)
		return
	}
	switch f {
	case dropBefore:
		panic(http.ErrAbortHandler)
	case silentBefore:
		<-r.Context().Done()
		return
	case tooMany:
		w.rail.tooMany(out)
		return
	case unavailable:
		fail(out, http.StatusServiceUnavailable)
		return
	case proxyBefore:
		proxyPage(out)
		return
	case late:
		w.count(id, 1)
		<-r.Context().Done()
		do()
		w.count(id, -1)
		return
	case keptBefore, keptAfter:
		w.rail.keep(string(body), f)
	}
	w.count(id, 1)
	answer := do()
	w.count(id, -1)
	switch f {
	case dropAfter:
		panic(http.ErrAbortHandler)
	case silentAfter:
		<-r.Context().Done()
		return
	case brokenAfter:
		fail(out, http.StatusInternalServerError)
		return
	case proxyAfter:
		proxyPage(out)
		return
	case eventFirst:
		if paying && tells(w.rail.name) {
			select {
			case <-w.toldOf(id):
			case <-time.After(1500 * time.Millisecond):
			}
		}
	}
	for name, values := range answer.Header() {
		out.Header()[name] = values
	}
	content := answer.Body.Bytes()
	switch f {
	case truncated:
		content = content[:len(content)/2]
	case twiceSaid:
		twice(out, answer.Code, content)
		return
	}
	out.Header().Del("Content-Length")
	out.WriteHeader(answer.Code)
	_, _ = out.Write(content) // whoever went away looks it up
}

func (w *wire) payee(id string) *payee {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.payees[id]
}

func (w *wire) toldOf(id string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told[id]
}

func (w *wire) count(id string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending[id] += n
}

// twice writes an answer twice on the connection.
func twice(out http.ResponseWriter, status int, content []byte) {
	raw, buffered, err := out.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = raw.Close() }()
	var answer bytes.Buffer
	fmt.Fprintf(&answer, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", status, http.StatusText(status), len(content))
	answer.Write(content)
	for range 2 {
		_, _ = buffered.Write(answer.Bytes())
	}
	_ = buffered.Flush()
}

func fail(out http.ResponseWriter, status int) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_, _ = io.WriteString(out, `{"message":"An error occurred on our side."}`)
}

func proxyPage(out http.ResponseWriter) {
	out.Header().Set("Content-Type", "text/html")
	out.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(out, "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>")
}
