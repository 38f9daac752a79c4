package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// callback is what is sent for a payout that came to an end.
type callback struct {
	Event      string          `json:"event"`
	BusinessID string          `json:"business_id"`
	Created    string          `json:"created"`
	Data       json.RawMessage `json:"data"`
}

func (s *Server) notify(event string, p *payout) {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // payouts are made of strings
	}
	s.callback = append(s.callback, callback{Event: event, BusinessID: p.BusinessID, Created: s.now(), Data: data})
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// sendCallbacks sends callbacks in order, each until it is taken.
func (s *Server) sendCallbacks() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.sender.Go(func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	})
	for {
		s.mu.Lock()
		waiting := s.sent < len(s.callback)
		number := s.sent
		s.mu.Unlock()
		wake := (<-chan time.Time)(nil)
		if waiting {
			if s.Send(ctx, number) == nil {
				s.mu.Lock()
				s.sent++
				s.mu.Unlock()
				continue
			}
			wake = time.After(max(s.options.CallbackRetry, time.Millisecond))
		}
		select {
		case <-s.woken:
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// Send sends a callback by its number, from 0, whether or not it was taken before: twice,
// or out of order.
func (s *Server) Send(ctx context.Context, number int) error {
	s.mu.Lock()
	if number >= len(s.callback) {
		s.mu.Unlock()
		return fmt.Errorf("there is no callback %d", number)
	}
	body, err := json.Marshal(s.callback[number])
	s.mu.Unlock()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.CallbackURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Callback-Token", s.options.CallbackToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the callback was answered by %s", response.Status)
	}
	return nil
}
