package stripe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
)

const transferCreated = `{"id":"evt_1","object":"event","type":"transfer.created","api_version":"2026-10-28.endive","created":1790000000,
	"data":{"object":{"id":"tr_1","object":"transfer","transfer_group":"reference-a"}}}`

func signed(payload, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(payload), Secret: secret, Timestamp: at}).Header
}

func TestParseEvents(t *testing.T) {
	t.Parallel()
	rail, err := stripe.New(stripe.Config{APIKey: "k", WebhookSecrets: []string{"old", "new"}})
	require.NoError(t, err)
	now := time.Unix(1_790_000_100, 0)
	body := transferCreated
	for name, c := range map[string]struct {
		header []string
		body   string
		taken  bool
	}{
		"by the old secret":         {[]string{signed(body, "old", now)}, body, true},
		"by the new secret":         {[]string{signed(body, "new", now)}, body, true},
		"one of two signatures":     {[]string{signed(body, "new", now) + ",v1=00,v0=11"}, body, true},
		"five minutes old":          {[]string{signed(body, "new", now.Add(-5*time.Minute))}, body, true},
		"five minutes ahead":        {[]string{signed(body, "new", now.Add(5*time.Minute))}, body, true},
		"too old":                   {[]string{signed(body, "new", now.Add(-301*time.Second))}, body, false},
		"too far ahead":             {[]string{signed(body, "new", now.Add(301*time.Second))}, body, false},
		"two days ahead":            {[]string{signed(body, "new", now.Add(48*time.Hour))}, body, false},
		"by nobody's secret":        {[]string{signed(body, "other", now)}, body, false},
		"by an empty secret":        {[]string{signed(body, "", now)}, body, false},
		"altered":                   {[]string{signed(body, "new", now)}, strings.Replace(body, "tr_1", "tr_2", 1), false},
		"cut":                       {[]string{signed(body, "new", now)}, body[:len(body)-1], false},
		"no header":                 {nil, body, false},
		"two headers":               {[]string{signed(body, "new", now), signed(body, "new", now)}, body, false},
		"two times":                 {[]string{"t=1790000100," + signed(body, "new", now)}, body, false},
		"no time":                   {[]string{strings.SplitN(signed(body, "new", now), ",", 2)[1]}, body, false},
		"a time that is none":       {[]string{"t=x,v1=00"}, body, false},
		"a time out of this world":  {[]string{"t=9223372036854775807,v1=00"}, body, false},
		"signed, but no event":      {[]string{signed(`{"id":"evt_1","object":"charge"}`, "new", now)}, `{"id":"evt_1","object":"charge"}`, false},
		"signed, but no data":       {[]string{signed(`{"id":"evt_1","object":"event"}`, "new", now)}, `{"id":"evt_1","object":"event"}`, false},
		"signed, but no JSON":       {[]string{signed(`hello`, "new", now)}, `hello`, false},
		"signed, but no id":         {[]string{signed(`{"object":"event","data":{"object":{}}}`, "new", now)}, `{"object":"event","data":{"object":{}}}`, false},
		"only signed by version v0": {[]string{strings.Replace(signed(body, "new", now), "v1=", "v0=", 1)}, body, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, err := rail.ParseEvents(http.Header{stripe.SignatureHeader: c.header}, []byte(c.body), now)
			if !c.taken {
				require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
				require.Empty(t, events)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []payments.Event{{ID: "evt_1", Kind: "transfer.created", Reference: "reference-a", RailID: "tr_1", Claims: payments.Paid, At: time.Unix(1_790_000_000, 0).UTC()}}, events)
		})
	}
	unsigned, err := stripe.New(stripe.Config{APIKey: "k"})
	require.NoError(t, err)
	_, err = unsigned.ParseEvents(http.Header{stripe.SignatureHeader: {signed(body, "", now)}}, []byte(body), now)
	require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err), "without a secret nothing is authentic")
}

func FuzzParseEvents(f *testing.F) {
	rail, err := stripe.New(stripe.Config{APIKey: "k", WebhookSecrets: []string{secret}})
	require.NoError(f, err)
	now := time.Unix(1_790_000_100, 0)
	f.Add(signed(transferCreated, secret, now), transferCreated)
	f.Add("t=,v1=", "{}")
	f.Fuzz(func(t *testing.T, header, body string) {
		// As it comes, and well signed: neither may panic.
		_, err := rail.ParseEvents(http.Header{stripe.SignatureHeader: {header}}, []byte(body), now)
		if err == nil {
			require.NoError(t, webhook.ValidatePayloadIgnoringTolerance([]byte(body), header, secret))
		}
		_, err = rail.ParseEvents(http.Header{stripe.SignatureHeader: {signed(body, secret, now)}}, []byte(body), now)
		if err != nil {
			require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
		}
	})
}

// The stand-in's events pass the rail's checks, and are sent until they are taken.
func TestEventsOfTheStandIn(t *testing.T) {
	t.Parallel()
	clock := newClock()
	type delivery struct {
		header http.Header
		body   []byte
	}
	deliveries, failures := make(chan delivery, 16), make(chan struct{}, 1)
	failures <- struct{}{}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-failures:
			w.WriteHeader(http.StatusInternalServerError)
			return
		default:
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		deliveries <- delivery{r.Header, body}
	}))
	t.Cleanup(hook.Close)
	rail, server := setup(t, func(o *standin.Options) {
		o.Now, o.WebhookURL, o.WebhookSecret, o.WebhookRetry = clock.Now, hook.URL, secret, time.Millisecond
	})
	made, err := rail.Submit(t.Context(), instruction("event", 1_000, "USD"))
	require.NoError(t, err)
	require.NoError(t, server.Onboard(account))
	take := func() payments.Event {
		d := <-deliveries
		events, err := rail.ParseEvents(d.header, d.body, clock.Now())
		require.NoError(t, err)
		require.Len(t, events, 1)
		return events[0]
	}
	created := take()
	require.Equal(t, "transfer.created", created.Kind)
	require.Equal(t, "reference-event", created.Reference)
	require.Equal(t, made.RailID, created.RailID)
	updated := take()
	require.Equal(t, "account.updated", updated.Kind)
	require.Equal(t, account, updated.Account)
	require.NoError(t, server.Send(t.Context(), server.Events()[0]))
	require.Equal(t, created, take(), "the same event again")
}
