package endtoend

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/deploy/local/mailbox"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// TestMessages are sent by the workflow that a worker starts: once each, what comes together as one.
func TestMessages(t *testing.T) {
	t.Parallel()
	box, err := mailbox.Start(mailbox.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, box.Stop()) })
	nowhere := func(context.Context) ([]string, error) { return nil, nil }
	sender := messenger.New(messenger.Config{SMTP: box.Address, From: "pay@example.com", Plain: true, WebhookHosts: nowhere})
	h := startWith(t, worker.Config{Messenger: sender, Quiet: time.Second}, func(*store.Store) []payments.Rail { return nil })
	ctx := t.Context()
	_, err = h.store.FirstAdministrator(ctx, "boss", "Example Ltd", "UTC", time.Hour)
	require.NoError(t, err)
	var rows []store.Row
	for i, id := range []string{"ann", "budi"} {
		rows = append(rows, store.Row{File: "test", Line: i + 1, Key: id, Record: map[string]any{"participant_id": id, "effective_from": "2020-01-01", "name": "Name rep " + id, "kind": "employee", "email": id + "@example.com", "country": "ID", "pay_currency": "IDR", "attributes": map[string]string{}}})
	}
	_, refused, err := h.store.Load(ctx, store.Import{Kind: "participant", FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "boss"}, func(l *store.Loading) error { return l.Put(ctx, "participant", rows) })
	require.NoError(t, err)
	require.Empty(t, refused)
	tell := func(key string, people ...string) {
		t.Helper()
		for _, id := range people {
			require.NoError(t, h.store.Notify(ctx, store.Notification{Recipient: id, Kind: notice.PlanToAccept, Subject: "plan/p/1", Key: key}))
		}
	}
	comes := func(letters int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(box.Letters()) >= letters }, 30*time.Second, 50*time.Millisecond)
	}

	tell("1", "ann", "ann", "budi")
	comes(2)
	tell("1", "ann") // who was told
	tell("2", "budi")
	tell("3", "budi")
	comes(3)
	var to []string
	for _, letter := range box.Letters() {
		to = append(to, letter.To)
	}
	require.ElementsMatch(t, []string{"ann@example.com", "budi@example.com", "budi@example.com"}, to)
	require.Contains(t, box.Letters()[2].Text, "Subject: Example Ltd: 2 things for you")
	recordOf(t, h.client, "notifications", "Notifications", enums.WORKFLOW_EXECUTION_STATUS_RUNNING)
}
