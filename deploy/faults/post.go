package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"time"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/payments/xendit"
)

// postOffice takes what rails tell by webhooks, and brings it when the plan says: at once,
// at the end, twice, and with letters that no rail has written.
type postOffice struct {
	server *httptest.Server

	mu     sync.Mutex
	house  string // the API's address
	rails  map[string]*outside
	stacks map[string]int // letters about each payee
	later  []letter
	under  int     // letters that are on their way
	failed []error // what was answered otherwise than it must be
	came   int
	forged int
}

type letter struct {
	rail   string
	header http.Header
	body   []byte
}

func openPostOffice() *postOffice {
	p := &postOffice{stacks: map[string]int{}}
	p.server = httptest.NewServer(p)
	return p
}

// ServeHTTP takes a letter.
func (p *postOffice) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	l := letter{path.Base(r.URL.Path), r.Header.Clone(), body}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came++
	about := p.about(l)
	way := post{}
	if one := p.rails[l.rail].wire.payee(about); one != nil && p.stacks[about] < len(one.Letters) {
		way = one.Letters[p.stacks[about]]
		p.stacks[about]++
	}
	if way.Forged {
		p.forged++
		p.send(l.forge(), http.StatusBadRequest, "", 0)
	}
	switch {
	case way.Last:
		p.later = append(p.later, l)
	case way.Late:
		p.send(l, http.StatusOK, about, time.Second)
	default:
		p.send(l, http.StatusOK, about, 0)
	}
	if way.Twice {
		p.later = append(p.later, l)
	}
}

// about names the payee of a letter: by our reference, or by the payee's own name in it.
func (p *postOffice) about(l letter) string {
	w := p.rails[l.rail].wire
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, named := range uuid.FindAllString(string(l.body), -1) {
		if w.payeeOf[named] != "" {
			return w.payeeOf[named]
		}
	}
	return someone.FindString(string(l.body))
}

// forge writes a letter that the rail has not: with another body, or another token.
func (l letter) forge() letter {
	l.header, l.body = l.header.Clone(), bytes.Clone(l.body)
	if l.rail == xendit.Name { // which signs nothing
		l.header.Set(xendit.TokenHeader, "another")
		return l
	}
	l.body = append(l.body, ' ')
	return l
}

// send has a letter brought after a while, and the wire told of whom it is about. The caller
// holds mu.
func (p *postOffice) send(l letter, want int, about string, after time.Duration) {
	p.under++
	tell := p.rails[l.rail].wire.tell
	go func() {
		time.Sleep(after)
		p.bring(l, want)
		tell(about)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.under--
	}()
}

// bring brings a letter until it is answered.
func (p *postOffice) bring(l letter, want int) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	answered := 0
	for ctx.Err() == nil {
		p.mu.Lock()
		address := p.house + api.EventsPath + l.rail
		p.mu.Unlock()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(l.body))
		if err != nil {
			break
		}
		for name, values := range l.header {
			request.Header[name] = values
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answered = answer.StatusCode; answered == want || answered < 500 && want >= 300 {
				break
			}
		}
		select { // as rails do
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	if answered != want {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.failed = append(p.failed, fmt.Errorf("a letter of %s was answered %d, and not %d: %s", l.rail, answered, want, l.body))
	}
}

// next begins a cycle at a house.
func (p *postOffice) next(house string, rails map[string]*outside) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.house, p.rails, p.stacks, p.later, p.failed = house, rails, map[string]int{}, nil, nil
}

// empty brings what was held back, the last first, and returns when everything has come.
func (p *postOffice) empty(ctx context.Context) []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.later) > 0 {
		last := len(p.later) - 1
		p.send(p.later[last], http.StatusOK, "", 0)
		p.later = p.later[:last]
	}
	for p.under > 0 && ctx.Err() == nil {
		p.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		p.mu.Lock()
	}
	return p.failed
}
