package activities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/deploy/local/mailbox"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestNotifications is what people are told, sent as each of them wants it.
func TestNotifications(t *testing.T) {
	t.Parallel()
	s, database := storetest.NewWithURL(t)
	box, err := mailbox.Start(mailbox.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, box.Stop()) })
	posted := make(chan string, 10)
	status := http.StatusServiceUnavailable
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var said struct{ Text string }
		if json.NewDecoder(r.Body).Decode(&said) == nil && status == http.StatusOK {
			posted <- said.Text
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(hook.Close)
	at, err := url.Parse(hook.URL)
	require.NoError(t, err)
	sender := messenger.New(messenger.Config{SMTP: box.Address, From: "pay@example.com", Plain: true, WebhookHosts: only(at.Host)})

	ctx := t.Context()
	_, err = s.FirstAdministrator(ctx, "boss", "Example Ltd", "Asia/Jakarta", time.Hour)
	require.NoError(t, err)
	var rows []store.Row
	for i, id := range []string{"ann", "budi", "daily", "never", "nobody"} {
		record := map[string]any{"participant_id": id, "effective_from": "2020-01-01", "name": strings.ToUpper(id), "kind": "employee", "email": id + "@example.com", "country": "ID", "pay_currency": "IDR", "attributes": map[string]string{}}
		if id == "nobody" {
			record["email"] = ""
		}
		rows = append(rows, store.Row{File: "test", Line: i + 1, Key: id, Record: record})
	}
	_, refused, err := s.Load(ctx, store.Import{Kind: "participant", FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "boss"}, func(l *store.Loading) error { return l.Put(ctx, "participant", rows) })
	require.NoError(t, err)
	require.Empty(t, refused)
	for id, chosen := range map[string]store.Settings{
		"budi":  {Language: language.Indonesian, Messages: notice.AtOnce, Webhook: hook.URL + "/hook"},
		"daily": {Language: language.English, Messages: notice.Daily, ByEmail: true},
		"never": {Language: language.English, Messages: notice.Never, ByEmail: true, Webhook: hook.URL + "/hook"},
	} {
		require.NoError(t, s.SetSettings(ctx, id, chosen))
	}
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC) // ten in the morning in Jakarta
	a := &activities.Activities{Store: s, Messenger: sender, Pages: "https://pay.example.com", Quiet: time.Minute, Now: func() time.Time { return now }}
	var suite testsuite.WorkflowTestSuite
	environment := suite.NewTestActivityEnvironment()
	environment.RegisterActivity(a)
	send := func() {
		t.Helper()
		require.NoError(t, s.WriteMessages(ctx, now, a.Quiet, sender.Channels()...))
		ids, err := s.MessagesToSend(ctx, now, 100)
		require.NoError(t, err)
		for range 2 { // the second time there is nothing left to do
			for _, id := range ids {
				_, err := environment.ExecuteActivity(a.SendMessage, id)
				require.NoError(t, err)
			}
		}
	}
	tell := func(key string, people ...string) {
		t.Helper()
		for _, id := range people {
			require.NoError(t, s.Notify(ctx, store.Notification{Recipient: id, Kind: notice.PlanToAccept, Subject: "plan/p/1", Key: key}))
		}
	}
	to := func() (all []string) {
		for _, letter := range box.Letters() {
			all = append(all, letter.To)
		}
		return all
	}

	tell("1", "ann", "budi", "daily", "never", "nobody")
	tell("1", "ann") // once
	send()
	require.Empty(t, to(), "something else may come with it")
	tell("2", "ann")
	now = now.Add(time.Minute)
	send()
	require.Equal(t, []string{"ann@example.com"}, to())
	letter := box.Letters()[0].Text
	require.Contains(t, letter, "Subject: Example Ltd: 2 things for you")
	require.Contains(t, letter, "https://pay.example.com/plans/p/versions/1")
	require.Contains(t, letter, "Message-ID: <")
	require.Empty(t, posted, "the address did not answer")

	status = http.StatusOK
	now = now.Add(time.Minute)
	send()
	require.Len(t, posted, 1)
	require.Equal(t, "*Example Ltd: Ada skema insentif yang perlu Anda baca dan setujui.*", strings.SplitN(<-posted, "\n", 2)[0])
	require.Empty(t, posted)

	now = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC) // eight in the morning in Jakarta
	send()
	require.Equal(t, []string{"ann@example.com", "daily@example.com"}, to())

	box.Refuse(550)
	tell("3", "ann")
	send()
	now = now.Add(time.Hour)
	send()
	box.Refuse(0)
	now = now.Add(24 * time.Hour)
	send()
	require.Len(t, to(), 2, "what was refused for good is not tried again")
	box.Refuse(451)
	tell("4", "ann")
	send()
	now = now.Add(time.Minute)
	send()
	box.Refuse(0)
	now = now.Add(time.Minute)
	send()
	require.Len(t, to(), 3, "what was not taken for now is tried again")

	// Where it was taken and a crash kept us from noting that, it goes once more, as the same.
	storetest.Exec(t, database, `UPDATE guerdon.message SET state = 'waiting', sent_at = NULL WHERE recipient = 'daily' AND channel = 'email'`)
	send()
	var names []string
	for _, letter := range box.Letters() {
		if letter.To == "daily@example.com" {
			names = append(names, regexp.MustCompile(`(?m)^Message-ID: <[^>]+>`).FindString(letter.Text))
		}
	}
	require.Len(t, names, 2)
	require.NotEmpty(t, names[0])
	require.Equal(t, names[0], names[1])

	told, err := s.Notices(ctx, "ann", 0, 10)
	require.NoError(t, err)
	require.Len(t, told, 4, "all of it is on one's page")
	unseen, err := s.UnseenNotices(ctx, "ann")
	require.NoError(t, err)
	require.Equal(t, 4, unseen)
	require.NoError(t, s.SeeNotices(ctx, "ann", told[1].ID))
	require.NoError(t, s.SeeNotices(ctx, "ann", told[3].ID), "nobody sees less than before")
	unseen, err = s.UnseenNotices(ctx, "ann")
	require.NoError(t, err)
	require.Equal(t, 1, unseen)
}

// only are the hosts that a setting names.
func only(hosts ...string) func(context.Context) ([]string, error) {
	return func(context.Context) ([]string, error) { return hosts, nil }
}

// TestWebhookHosts are the only places to which messages go.
func TestWebhookHosts(t *testing.T) {
	t.Parallel()
	sender := messenger.New(messenger.Config{WebhookHosts: only("hooks.slack.com")})
	for address, allowed := range map[string]bool{
		"https://hooks.slack.com/services/T/B/x": true, "http://hooks.slack.com/services/T/B/x": false, "https://hooks.slack.com.evil.example/": false,
		"https://user@hooks.slack.com/": false, "https://169.254.169.254/latest": false, "hooks.slack.com": false, "": false, "https://hooks.slack.com:8443/": false,
	} {
		require.Equal(t, allowed, sender.CheckWebhook(t.Context(), address) == nil, address)
	}

	s := storetest.New(t)
	require.NoError(t, s.SetCompany(t.Context(), store.System, "Test", "UTC"))
	sender = messenger.New(messenger.Config{WebhookHosts: s.WebhookHosts})
	require.NoError(t, sender.CheckWebhook(t.Context(), "https://hooks.slack.com/x"))
	require.NoError(t, s.SetCompanySettings(t.Context(), store.System, "Test", "UTC", []string{"chat.example.com"}))
	require.NoError(t, sender.CheckWebhook(t.Context(), "https://chat.example.com/x"), "a setting counts at once")
	require.ErrorContains(t, sender.CheckWebhook(t.Context(), "https://hooks.slack.com/x"), "at chat.example.com only")
}
