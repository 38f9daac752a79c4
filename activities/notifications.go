package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

const (
	// messagesAtOnce is how many messages are sent beside each other.
	messagesAtOnce = 50
	// lookEvery and lookFor say how often it is looked for messages, and for how long before
	// the workflow hears that there are none.
	lookEvery = 2 * time.Second
	lookFor   = 40 * time.Second
	// mostTries of a message, over about a day.
	mostTries = 30
)

// NextMessages returns the ids of messages to send now. It waits for some for a while.
func (a *Activities) NextMessages(ctx context.Context) ([]string, error) {
	if a.Messenger == nil {
		return nil, nil
	}
	for end := time.Now().Add(lookFor); ; {
		if err := a.Store.WriteMessages(ctx, a.Now(), a.Quiet, a.Messenger.Channels()...); err != nil {
			return nil, err
		}
		ids, err := a.Store.MessagesToSend(ctx, a.Now(), messagesAtOnce)
		if err != nil || len(ids) > 0 || time.Now().After(end) {
			return ids, err
		}
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return nil, nil
		case <-time.After(lookEvery):
		}
	}
}

// SendMessage sends a message once more, if it still waits. What becomes of it is kept: a
// message that is not taken now is among the next ones later.
func (a *Activities) SendMessage(ctx context.Context, id string) error {
	m, waits, err := a.Store.Message(ctx, id, a.Now())
	if err != nil || !waits {
		return err
	}
	l := m.Recipient.Language
	if l == "" {
		l = language.English
	}
	text := notice.Compose(l, m.Company, m.Recipient.Name, a.Pages, m.Notices)
	if m.Channel == store.ByWebhook {
		err = a.Messenger.Webhook(ctx, m.Address, text)
	} else {
		err = a.Messenger.Email(ctx, m.ID, m.Address, l, text)
	}
	switch code := incentive.ErrorCode(err); {
	case err == nil:
		return a.Store.MessageSent(ctx, id, a.Now())
	case ctx.Err() != nil:
		return ctx.Err()
	case code == messenger.CodeNotNow && m.Attempts+1 < mostTries:
		pause := min(time.Minute<<min(m.Attempts, 10), time.Hour)
		return a.Store.MessageRefused(ctx, id, string(code), a.Now().Add(pause))
	default:
		return a.Store.MessageRefused(ctx, id, string(code), time.Time{})
	}
}
