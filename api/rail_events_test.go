package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"
	"go.temporal.io/api/serviceerror"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/tremendous/standin"
)

// TestWebhooks takes in what rails tell, and nothing from anybody else.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	const secret = "whsec_test"
	called, err := stripe.New(stripe.Config{APIKey: "k", WebhookSecrets: []string{"older", secret}})
	require.NoError(t, err)
	rewards, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: "c", WebhookSecrets: []string{secret}})
	require.NoError(t, err)
	s := open(t, time.Second, called, rewards)
	send := func(path, body string, header http.Header) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header = header
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(answer)
	}
	signed := func(body, secret string, at time.Time) http.Header {
		return http.Header{stripe.SignatureHeader: {webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: secret, Timestamp: at}).Header}}
	}
	event := func(id string) string {
		return `{"id":"` + id + `","object":"event","type":"transfer.reversed","created":1790000000,"data":{"object":{"id":"tr_1","object":"transfer","transfer_group":"0"}}}`
	}
	now := time.Now()
	for name, c := range map[string]struct {
		path, body string
		header     http.Header
		status     int
		code       string
	}{
		"forged":                  {"/webhooks/stripe", event("a"), signed(event("a"), "another", now), 400, "event-refused"},
		"unsigned":                {"/webhooks/stripe", event("a"), nil, 400, "event-refused"},
		"altered":                 {"/webhooks/stripe", event("b"), signed(event("a"), secret, now), 400, "event-refused"},
		"too old":                 {"/webhooks/stripe", event("a"), signed(event("a"), secret, now.Add(-310*time.Second)), 400, "event-refused"},
		"of two days ahead":       {"/webhooks/stripe", event("a"), signed(event("a"), secret, now.Add(48*time.Hour)), 400, "event-refused"},
		"another rail's":          {"/webhooks/tremendous", event("a"), signed(event("a"), secret, now), 400, "event-refused"},
		"too large":               {"/webhooks/stripe", strings.Repeat("x", largestEvent+1), signed("x", secret, now), 413, "too-large"},
		"a rail that is not here": {"/webhooks/xendit", event("a"), nil, 404, "not-found"},
		"a rail of files":         {"/webhooks/payment-file", event("a"), nil, 404, "not-found"},
		"an id that is none":      {"/webhooks/stripe", event(`a\u0000`), signed(event(`a\u0000`), secret, now), 400, "event-refused"},
		"an id without end":       {"/webhooks/stripe", event(strings.Repeat("a", 256)), signed(event(strings.Repeat("a", 256)), secret, now), 400, "event-refused"},
	} {
		status, answer := send(c.path, c.body, c.header)
		require.Equal(t, c.status, status, "%s: %s", name, answer)
		require.Contains(t, answer, `"`+c.code+`"`, name)
	}
	_, err = s.store.RailEvent(t.Context(), 1)
	require.Error(t, err, "nothing of it is kept")
	require.Empty(t, s.room.started)

	s.room.refuse = serviceerror.NewUnavailable("away")
	status, _ := send("/webhooks/stripe", event("evt_1"), signed(event("evt_1"), secret, now))
	require.Equal(t, 500, status, "the rail is to send it again")
	s.room.refuse = nil
	for _, key := range []string{secret, "older"} {
		status, answer := send("/webhooks/stripe", event("evt_1"), signed(event("evt_1"), key, time.Now()))
		require.Equal(t, 200, status, answer)
		require.Empty(t, answer)
	}
	require.Equal(t, []string{activities.RailEventID("stripe", "evt_1"), activities.RailEventID("stripe", "evt_1")}, s.room.started, "until it is applied, and then as one workflow")
	kept, err := s.store.RailEvent(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, []string{"stripe", "evt_1", "transfer.reversed", "0", "tr_1", ""}, []string{kept.Rail, kept.EventID, kept.Kind, kept.Reference, kept.RailID, kept.Effect})
	content, err := s.store.RailEventContent(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, event("evt_1"), string(content))
	require.NoError(t, s.store.PutRailEventAside(t.Context(), kept.Number, "not-ours"))
	status, _ = send("/webhooks/stripe", event("evt_1"), signed(event("evt_1"), secret, now))
	require.Equal(t, 200, status)
	require.Len(t, s.room.started, 2, "what was applied is not applied again")

	reward := `{"event":"ORDERS.APPROVED","uuid":"9b6c","created_utc":"2026-11-01T10:00:00Z","payload":{"resource":{"id":"O1"}}}`
	status, answer := send("/webhooks/tremendous", reward, http.Header{tremendous.SignatureHeader: {standin.Sign([]byte(reward), secret)}})
	require.Equal(t, 200, status, answer)
	require.Equal(t, activities.RailEventID("tremendous", "9b6c"), s.room.started[2])

	require.Eventually(t, func() bool {
		status, _ := send("/webhooks/stripe", "", nil)
		return status == http.StatusTooManyRequests
	}, time.Minute, time.Nanosecond, "nobody may send without end")
}
