package tremendous_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/tremendous/standin"
)

const executed = `{"event":"ORDERS.APPROVED","uuid":"9b6c0a3e","created_utc":"2026-11-01T10:00:00.000Z","payload":{"resource":{"id":"O1","type":"orders"},"meta":{}}}`

func TestParseEvents(t *testing.T) {
	t.Parallel()
	rail, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: "c", WebhookSecrets: []string{"old", "new"}})
	require.NoError(t, err)
	now := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	sign := func(body, secret string) []string { return []string{standin.Sign([]byte(body), secret)} }
	for name, c := range map[string]struct {
		header []string
		body   string
		now    time.Time
		taken  bool
	}{
		"by the old secret":      {sign(executed, "old"), executed, now, true},
		"by the new secret":      {sign(executed, "new"), executed, now, true},
		"three days late":        {sign(executed, "new"), executed, now.Add(72 * time.Hour), true},
		"five minutes early":     {sign(executed, "new"), executed, now.Add(-5 * time.Minute), true},
		"too early":              {sign(executed, "new"), executed, now.Add(-301 * time.Second), false},
		"by nobody's secret":     {sign(executed, "other"), executed, now, false},
		"by an empty secret":     {sign(executed, ""), executed, now, false},
		"altered":                {sign(executed, "new"), strings.Replace(executed, "O1", "O2", 1), now, false},
		"cut":                    {sign(executed, "new"), executed[:len(executed)-1], now, false},
		"half a signature":       {[]string{sign(executed, "new")[0][:40]}, executed, now, false},
		"no scheme":              {[]string{strings.TrimPrefix(sign(executed, "new")[0], "sha256=")}, executed, now, false},
		"another scheme":         {[]string{strings.Replace(sign(executed, "new")[0], "sha256", "sha1", 1)}, executed, now, false},
		"no signature":           {[]string{"sha256="}, executed, now, false},
		"no hexadecimal":         {[]string{"sha256=zz"}, executed, now, false},
		"no header":              {nil, executed, now, false},
		"two headers":            {append(sign(executed, "new"), sign(executed, "new")...), executed, now, false},
		"signed, but no JSON":    {sign("hello", "new"), "hello", now, false},
		"signed, but no event":   {sign(`{"uuid":"1"}`, "new"), `{"uuid":"1"}`, now, false},
		"signed, but no id":      {sign(`{"event":"ORDERS.CREATED"}`, "new"), `{"event":"ORDERS.CREATED"}`, now, false},
		"a time that is no time": {sign(`{"event":"a","uuid":"1","created_utc":"soon"}`, "new"), `{"event":"a","uuid":"1","created_utc":"soon"}`, now, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, err := rail.ParseEvents(http.Header{tremendous.SignatureHeader: c.header}, []byte(c.body), c.now)
			if !c.taken {
				require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
				require.Empty(t, events)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []payments.Event{{ID: "9b6c0a3e", Kind: "ORDERS.APPROVED", RailID: "O1", At: now}}, events)
		})
	}
	silent, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: "c"})
	require.NoError(t, err)
	_, err = silent.ParseEvents(http.Header{tremendous.SignatureHeader: sign(executed, "")}, []byte(executed), now)
	require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err), "without a secret nothing is authentic")
}

func FuzzParseEvents(f *testing.F) {
	rail, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: "c", WebhookSecrets: []string{secret}})
	require.NoError(f, err)
	now := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	f.Add("sha256=", executed)
	f.Add("", `{"event":1}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		// As it comes, and well signed.
		_, err := rail.ParseEvents(http.Header{tremendous.SignatureHeader: {header}}, []byte(body), now)
		require.False(t, err == nil && !strings.EqualFold(header, standin.Sign([]byte(body), secret)))
		events, err := rail.ParseEvents(http.Header{tremendous.SignatureHeader: {standin.Sign([]byte(body), secret)}}, []byte(body), now)
		if err != nil {
			require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
			return
		}
		require.Len(t, events, 1)
		require.NotEmpty(t, events[0].ID)
	})
}

// The stand-in's events pass the rail's checks, and are sent until they are taken.
func TestEventsOfTheStandIn(t *testing.T) {
	t.Parallel()
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
		if body, err := io.ReadAll(r.Body); err == nil {
			deliveries <- delivery{r.Header, body}
		}
	}))
	t.Cleanup(hook.Close)
	rail, server := setup(t, func(o *standin.Options) { o.WebhookURL, o.WebhookSecret = hook.URL, secret })
	in := instruction("event", 100_00, maria)
	made, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	take := func() payments.Event {
		d := <-deliveries
		events, err := rail.ParseEvents(d.header, d.body, time.Now())
		require.NoError(t, err)
		require.Len(t, events, 1)
		return events[0]
	}
	created := take()
	require.Equal(t, "ORDERS.CREATED", created.Kind)
	require.Equal(t, made.RailID, created.RailID)
	about := func(e payments.Event) string {
		reference, err := rail.ReferenceOf(t.Context(), e)
		require.NoError(t, err)
		return reference
	}
	require.Equal(t, in.Reference, about(created))
	require.NoError(t, server.Deliver(in.Reference, false))
	failed := take()
	require.Equal(t, "REWARDS.DELIVERY.FAILED", failed.Kind)
	require.Empty(t, about(failed), "how the e-mail fares is not the payout's affair")
	require.NoError(t, server.Cancel(in.Reference))
	canceled := take()
	require.Equal(t, "REWARDS.CANCELED", canceled.Kind)
	require.Equal(t, in.Reference, about(canceled))
	for _, unknown := range []payments.Event{{Kind: "ORDERS.CREATED", RailID: "x"}, {Kind: "REWARDS.CANCELED", RailID: "x"}, {Kind: "ORDERS.CREATED"}, {Kind: "INVOICES.PAID", RailID: "x"}} {
		require.Empty(t, about(unknown))
	}
	_, err = railAt(t, "http://127.0.0.1:1").ReferenceOf(t.Context(), created)
	requireError(t, err, payments.Unknown, "answer-lost")
	require.NoError(t, server.Send(t.Context(), 0))
	require.Equal(t, created, take(), "the same event again")
}
