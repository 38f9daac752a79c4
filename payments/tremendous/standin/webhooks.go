package standin

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

type event struct {
	Event   string  `json:"event"`
	UUID    string  `json:"uuid"`
	Created string  `json:"created_utc"`
	Payload payload `json:"payload"`
}

type payload struct {
	Resource resource `json:"resource"`
}

type resource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

func (s *Server) notify(kind, object, id string) {
	s.events = append(s.events, event{kind, fmt.Sprintf("00000000-0000-4000-8000-%012d", len(s.events)+1), s.now(), payload{resource{id, object}}})
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// sendEvents sends events in order, each until it is taken.
func (s *Server) sendEvents() {
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
		waiting := s.sent < len(s.events)
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
			wake = time.After(max(s.options.WebhookRetry, time.Millisecond))
		}
		select {
		case <-s.woken:
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// Send sends an event by its number, from 0, whether or not it was taken before: twice,
// or out of order.
func (s *Server) Send(ctx context.Context, number int) error {
	s.mu.Lock()
	if number >= len(s.events) {
		s.mu.Unlock()
		return fmt.Errorf("there is no event %d", number)
	}
	body, err := json.Marshal(s.events[number])
	s.mu.Unlock()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Tremendous-Webhook-Signature", Sign(body, s.options.WebhookSecret))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook was answered by %s", response.Status)
	}
	return nil
}

// Sign returns the signature of an event's body, as its header carries it.
func Sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
