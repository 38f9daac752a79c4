package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"
)

type event struct {
	ID         string          `json:"id"`
	Object     string          `json:"object"`
	Account    string          `json:"account,omitempty"`
	APIVersion string          `json:"api_version"`
	Created    int64           `json:"created"`
	Data       eventData       `json:"data"`
	Livemode   bool            `json:"livemode"`
	Pending    int             `json:"pending_webhooks"`
	Request    json.RawMessage `json:"request"`
	Type       string          `json:"type"`
}

type eventData struct {
	Object json.RawMessage `json:"object"`
}

func (s *Server) newEvent(kind, account string, object any) *event {
	return &event{
		ID: fmt.Sprintf("evt_standin%06d", len(s.events)+1), Object: "event", Account: account, APIVersion: sdk.APIVersion, Created: s.options.Now().Unix(),
		Data: eventData{Object: ok(object).Body}, Pending: 1, Request: json.RawMessage("null"), Type: kind,
	}
}

// sender sends events in order, each until it is taken, as long as the server lives; an
// event not taken before it died is sent by the next.
type sender struct {
	woken chan struct{}
	done  chan struct{}
}

func startSender(s *Server) *sender {
	h := &sender{woken: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-s.closing
		cancel()
	}()
	go func() {
		defer close(h.done)
		h.run(ctx, s)
	}()
	h.wake()
	return h
}

func (h *sender) wake() {
	select {
	case h.woken <- struct{}{}:
	default:
	}
}

func (h *sender) run(ctx context.Context, s *Server) {
	base := s.options.WebhookRetry
	if base <= 0 {
		base = time.Second
	}
	wait := base
	for {
		next := s.undelivered()
		if next == nil {
			select {
			case <-h.woken:
				continue
			case <-ctx.Done():
				return
			}
		}
		if s.send(ctx, next) == nil && s.markDelivered(next.ID) == nil {
			wait = base
			continue
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, time.Minute)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) undelivered() *event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == len(s.events) {
		return nil
	}
	return s.events[s.sent]
}

func (s *Server) markDelivered(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(entry{Delivered: id})
}

var hookClient = &http.Client{Timeout: 10 * time.Second}

// send sends an event once, signed now.
func (s *Server) send(ctx context.Context, e *event) error {
	payload, err := json.Marshal(e)
	if err != nil {
		return err
	}
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: s.options.WebhookSecret, Timestamp: s.options.Now()})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.WebhookURL, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Stripe-Signature", signed.Header)
	response, err := hookClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered %s", response.Status)
	}
	return nil
}

// Events lists the ids of all events, the oldest first.
func (s *Server) Events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, len(s.events))
	for i, e := range s.events {
		ids[i] = e.ID
	}
	return ids
}

// Send sends an event now, whether or not it was taken before: twice, or out of order.
func (s *Server) Send(ctx context.Context, id string) error {
	s.mu.Lock()
	var found *event
	for _, e := range s.events {
		if e.ID == id {
			found = e
		}
	}
	s.mu.Unlock()
	if found == nil {
		return fmt.Errorf("the stand-in has no event %q", id)
	}
	return s.send(ctx, found)
}
