package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// quiet is after how long a stream without news says that it is there.
const quiet = 15 * time.Second

// newsroom spreads what the database tells to all streams, over one connection that
// stands while there is any.
type newsroom struct {
	store   *store.Store
	channel string

	mutex   sync.Mutex
	streams map[chan string]bool
	stop    context.CancelFunc
	closed  bool
}

// join gives a stream its news, until leave. A stream that is too slow misses some, and is
// told so by nothing: every page reads the record again anyway.
func (n *newsroom) join(ctx context.Context) (news chan string, leave func(), err error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.closed {
		return nil, nil, incentive.Errorf(codeBusy, "the server is about to stop: try again")
	}
	if n.stop == nil {
		listener, err := n.store.Listen(ctx, n.channel)
		if err != nil {
			return nil, nil, err
		}
		var listening context.Context
		listening, n.stop = context.WithCancel(context.Background())
		go n.listen(listening, listener)
	}
	news = make(chan string, 64)
	n.streams[news] = true
	return news, func() { n.leave(news) }, nil
}

func (n *newsroom) leave(news chan string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !n.streams[news] {
		return
	}
	delete(n.streams, news)
	close(news)
	if len(n.streams) == 0 && n.stop != nil {
		n.stop()
		n.stop = nil
	}
}

// listen spreads news until ctx ends or the connection does, which ends every stream:
// a browser then comes again by itself.
func (n *newsroom) listen(ctx context.Context, listener *store.Listener) {
	defer listener.Close()
	for {
		told, err := listener.Wait(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			n.end(false)
			return
		}
		n.mutex.Lock()
		for news := range n.streams {
			select {
			case news <- told:
			default:
			}
		}
		n.mutex.Unlock()
	}
}

// end ends every stream, and (for good) lets none begin again.
func (n *newsroom) end(forGood bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.closed = n.closed || forGood
	for news := range n.streams {
		delete(n.streams, news)
		close(news)
	}
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
}

// stream writes events to one caller.
type stream struct {
	context.Context
	news  chan string
	leave func()
	event func(told string) string // "" where the caller may not see it
}

// StreamEstimates tells the caller which of the estimates that they may see change.
func (s *server) StreamEstimates(ctx context.Context, _ spec.StreamEstimatesRequestObject) (spec.StreamEstimatesResponseObject, error) {
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	people, err := s.visible(ctx, today)
	if err != nil {
		return nil, err
	}
	news, leave, err := s.news.join(ctx)
	if err != nil {
		return nil, err
	}
	return stream{ctx, news, leave, func(told string) string {
		period, person, _ := strings.Cut(told, " ")
		if people != nil && !slices.Contains(people, person) {
			return ""
		}
		return fmt.Sprintf("event: estimate\ndata: {\"period\":%q,\"person\":%q}\n\n", period, person)
	}}, nil
}

// StreamAudit tells the caller of each new link of the audit chain.
func (s *server) StreamAudit(ctx context.Context, _ spec.StreamAuditRequestObject) (spec.StreamAuditResponseObject, error) {
	news, leave, err := s.acts.join(ctx)
	if err != nil {
		return nil, err
	}
	return stream{ctx, news, leave, func(subject string) string {
		return fmt.Sprintf("event: audit\ndata: {\"subject\":%q}\n\n", subject)
	}}, nil
}

// VisitStreamEstimatesResponse writes the events.
func (s stream) VisitStreamEstimatesResponse(w http.ResponseWriter) error { return s.write(w) }

// VisitStreamAuditResponse writes the events.
func (s stream) VisitStreamAuditResponse(w http.ResponseWriter) error { return s.write(w) }

// write writes events until the caller goes or the server stops.
func (s stream) write(w http.ResponseWriter) error {
	defer s.leave()
	controller := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	ticker := time.NewTicker(quiet)
	defer ticker.Stop()
	say := func(text string) bool {
		_, err := fmt.Fprint(w, text)
		return err == nil && controller.Flush() == nil // otherwise the caller has gone
	}
	for more := say(": here\n\n"); more; {
		select {
		case <-s.Done():
			return nil
		case <-ticker.C:
			more = say(": still here\n\n")
		case told, open := <-s.news:
			if !open {
				return nil
			}
			if event := s.event(told); event != "" {
				more = say(event)
			}
		}
	}
	return nil
}
