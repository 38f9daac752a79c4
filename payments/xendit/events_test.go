package xendit_test

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
	"github.com/guerdon/guerdon/payments/xendit"
	"github.com/guerdon/guerdon/payments/xendit/standin"
)

const succeeded = `{"event":"payout.succeeded","business_id":"b","created":"2026-11-01T10:00:00Z","data":{"id":"disb-1","reference_id":"reference-a","status":"SUCCEEDED","updated":"2026-11-01T09:59:59.000Z"}}`

func TestParseEvents(t *testing.T) {
	t.Parallel()
	rail, err := xendit.New(xendit.Config{APIKey: "k", CallbackTokens: []string{"old", "new"}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		tokens []string
		body   string
		taken  bool
	}{
		"by the old token":       {[]string{"old"}, succeeded, true},
		"by the new token":       {[]string{"new"}, succeeded, true},
		"by nobody's token":      {[]string{"other"}, succeeded, false},
		"by an empty token":      {[]string{""}, succeeded, false},
		"by the API key":         {[]string{"k"}, succeeded, false},
		"by part of a token":     {[]string{"ne"}, succeeded, false},
		"by more than a token":   {[]string{"newer"}, succeeded, false},
		"no token":               {nil, succeeded, false},
		"two tokens":             {[]string{"new", "new"}, succeeded, false},
		"no body":                {[]string{"new"}, ``, false},
		"no JSON":                {[]string{"new"}, `hello`, false},
		"half a body":            {[]string{"new"}, succeeded[:len(succeeded)-1], false},
		"no event":               {[]string{"new"}, strings.Replace(succeeded, "payout.succeeded", "", 1), false},
		"no payout":              {[]string{"new"}, `{"event":"payout.succeeded","data":{}}`, false},
		"a time that is no time": {[]string{"new"}, strings.Replace(succeeded, "2026-11-01T10", "yesterday", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, err := rail.ParseEvents(http.Header{xendit.TokenHeader: c.tokens}, []byte(c.body), time.Time{})
			if !c.taken {
				require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
				require.Empty(t, events)
				require.NotContains(t, err.Error(), "new")
				return
			}
			require.NoError(t, err)
			require.Equal(t, []payments.Event{{ID: "payout.succeeded/disb-1/2026-11-01T09:59:59.000Z", Kind: "payout.succeeded", Reference: "reference-a", RailID: "disb-1", Claims: payments.Paid, At: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)}}, events)
		})
	}
	silent, err := xendit.New(xendit.Config{APIKey: "k"})
	require.NoError(t, err)
	_, err = silent.ParseEvents(http.Header{xendit.TokenHeader: {""}}, []byte(succeeded), time.Time{})
	require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err), "without a token nothing is authentic")
}

func FuzzParseEvents(f *testing.F) {
	rail, err := xendit.New(xendit.Config{APIKey: "k", CallbackTokens: []string{token}})
	require.NoError(f, err)
	f.Add("", succeeded)
	f.Add(token, `{"event":1}`)
	f.Fuzz(func(t *testing.T, given, body string) {
		_, err := rail.ParseEvents(http.Header{xendit.TokenHeader: {given}}, []byte(body), time.Time{})
		require.False(t, err == nil && given != token)
		events, err := rail.ParseEvents(http.Header{xendit.TokenHeader: {token}}, []byte(body), time.Time{})
		if err != nil {
			require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
			return
		}
		require.Len(t, events, 1)
		require.NotEmpty(t, events[0].ID)
	})
}

// The stand-in's callbacks pass the rail's checks, and are sent until they are taken.
func TestCallbacksOfTheStandIn(t *testing.T) {
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
	rail, server := setup(t, func(o *standin.Options) { o.CallbackURL, o.CallbackToken, o.Automatic = hook.URL, token, true })
	in := instruction("event", 100_00, gcash)
	made, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, payments.Submitted, made.State)
	take := func() payments.Event {
		d := <-deliveries
		events, err := rail.ParseEvents(d.header, d.body, time.Now())
		require.NoError(t, err)
		require.Len(t, events, 1)
		return events[0]
	}
	first := take()
	require.Equal(t, "payout.succeeded", first.Kind)
	require.Equal(t, in.Reference, first.Reference)
	require.Equal(t, made.RailID, first.RailID)
	found, err := rail.Lookup(t.Context(), first.Reference)
	require.NoError(t, err)
	require.Equal(t, payments.Paid, found.State)
	require.NoError(t, server.Move(in.Reference, "REVERSED", ""))
	require.Equal(t, "payout.reversed", take().Kind)
	require.NoError(t, server.Send(t.Context(), 0))
	require.Equal(t, first, take(), "the same event again")
}
