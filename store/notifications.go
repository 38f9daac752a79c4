package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// Notification tells somebody that something waits for them, or has been answered. It
// carries ids only: whoever shows it looks up what there is to say.
type Notification struct {
	ID        int64
	Recipient string // a participant's id
	Kind      notice.Kind
	Subject   string // what it is about, such as "dispute/<id>"
	Key       string // a recipient is told the same key once
	CreatedAt time.Time
}

// Notify tells people. What they have been told is not told again.
func (s *Store) Notify(ctx context.Context, all ...Notification) error {
	return notify(ctx, s.pool, all...)
}

func notify(ctx context.Context, q querier, all ...Notification) error {
	for _, n := range all {
		_, err := q.Exec(ctx, `INSERT INTO notification (recipient, kind, subject, key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, n.Recipient, n.Kind, n.Subject, n.Key)
		if err != nil {
			return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Subject, err)
		}
	}
	return nil
}

// notifyRole tells everybody who has a role, but for one.
func notifyRole(ctx context.Context, q querier, role incentive.Role, but string, n Notification) error {
	_, err := q.Exec(ctx, `
		INSERT INTO notification (recipient, kind, subject, key) SELECT participant_id, $3, $4, $5 FROM role_grant WHERE role = $1 AND participant_id <> $2 ORDER BY participant_id ON CONFLICT DO NOTHING`,
		role, but, n.Kind, n.Subject, n.Key)
	if err != nil {
		return fmt.Errorf("tell %s of %s: %w", role, n.Subject, err)
	}
	return nil
}

// notices reads what notifications say. It is completed by a condition on n.
var notices = `
	SELECT n.id, n.kind, n.subject, n.recipient, CASE WHEN d.id IS NOT NULL THEN ` + nameAt("d.participant_id", "company_today()") + ` WHEN r.id IS NOT NULL THEN ` + nameAt("r.participant_id", "company_today()") + ` WHEN e.id IS NOT NULL THEN ` + nameAt("e.participant_id", "company_today()") + ` WHEN w.id IS NOT NULL THEN ` + nameAt("w.participant_id", "company_today()") + ` WHEN o.id IS NOT NULL THEN ` + nameAt("o.participant_id", "company_today()") + ` ELSE '' END,
		p.id, p.code, p.starts_on, p.ends_on, n.created_at, n.id <= coalesce(s.seen, 0)
	FROM notification n
	LEFT JOIN person_setting s ON s.participant_id = n.recipient
	LEFT JOIN dispute d ON n.subject LIKE 'dispute/%' AND d.id::text = split_part(n.subject, '/', 2)
	LEFT JOIN redemption r ON n.subject LIKE 'redemption/%' AND r.id::text = split_part(n.subject, '/', 2)
	LEFT JOIN entered_deal e ON n.subject LIKE 'deal/%' AND e.id::text = split_part(n.subject, '/', 2)
	LEFT JOIN relief_proposal w ON n.subject LIKE 'relief/%' AND w.id::text = split_part(n.subject, '/', 2)
	LEFT JOIN payout o ON n.subject LIKE 'payout/%' AND o.id::text = split_part(n.subject, '/', 2)
	LEFT JOIN pay_period p ON p.id = coalesce(d.period_id, o.period_id, CASE WHEN n.subject LIKE 'pay-period/%' THEN split_part(n.subject, '/', 2) END) `

func scanNotice(row pgx.CollectableRow) (n notice.Notice, err error) {
	var period, code *string
	var starts, ends *incentive.Date
	if err = row.Scan(&n.ID, &n.Kind, &n.Subject, &n.To, &n.Name, &period, &code, &starts, &ends, &n.CreatedAt, &n.Seen); err == nil && code != nil {
		n.Period = &notice.Period{ID: *period, Code: *code, StartsOn: *starts, EndsOn: *ends}
	}
	return n, err
}

// Notices returns up to limit notices of a recipient before one (0 for the latest), the
// latest first.
func (s *Store) Notices(ctx context.Context, recipient string, before int64, limit int) ([]notice.Notice, error) {
	rows, err := s.pool.Query(ctx, notices+`WHERE n.recipient = $1 AND ($2 = 0 OR n.id < $2) ORDER BY n.id DESC LIMIT $3`, recipient, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list what %s was told: %w", recipient, err)
	}
	return pgx.CollectRows(rows, scanNotice)
}

// SeeNotices notes that somebody has seen what they were told up to a notification. They
// never see less than before.
func (s *Store) SeeNotices(ctx context.Context, recipient string, upTo int64) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO person_setting (participant_id, language, seen) VALUES ($1, '', $2)
		ON CONFLICT (participant_id) DO UPDATE SET seen = greatest(person_setting.seen, excluded.seen)`, recipient, upTo)
	if err != nil {
		return fmt.Errorf("note what %s has seen: %w", recipient, err)
	}
	return nil
}

// UnseenNotices is how much somebody was told and has not seen, 100 at most.
func (s *Store) UnseenNotices(ctx context.Context, recipient string) (n int, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*) FROM (SELECT FROM notification WHERE recipient = $1 AND id > coalesce((SELECT seen FROM person_setting WHERE participant_id = $1), 0) LIMIT 100) unseen`, recipient).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what %s has not seen: %w", recipient, err)
	}
	return n, nil
}

// Notifications returns up to limit notifications of a recipient after one, in order.
func (s *Store) Notifications(ctx context.Context, recipient string, after int64, limit int) ([]Notification, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, recipient, kind, subject, key, created_at FROM notification WHERE recipient = $1 AND id > $2 ORDER BY id LIMIT $3`, recipient, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the notifications of %s: %w", recipient, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Notification])
}

// Channel is by what a message goes.
type Channel string

// The channels.
const (
	ByEmail   Channel = "email"
	ByWebhook Channel = "webhook"
)

// Message is one message to somebody, with what it takes to write it.
type Message struct {
	ID        string
	Channel   Channel
	Recipient Person
	Address   string // an e-mail address, or that of a webhook
	Company   string
	Attempts  int // so far
	Notices   []notice.Notice
}

// WriteMessages looks at what is to be sent of what people are told, and writes the messages
// whose time has come: one for each recipient and channel, with all that there is. quiet is
// how long more is waited for, and channels those that there are.
func (s *Store) WriteMessages(ctx context.Context, now time.Time, quiet time.Duration, channels ...Channel) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('write messages'))`); err != nil {
			return err
		}
		if err := setDue(ctx, tx, now, quiet); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			WITH recipients AS (SELECT recipient FROM notification_due WHERE due <= $1 GROUP BY recipient ORDER BY min(due), recipient LIMIT 500),
			gone AS (DELETE FROM notification_due WHERE recipient IN (SELECT recipient FROM recipients) AND due IS NOT NULL RETURNING notification_id, recipient),
			wanted AS (
				SELECT g.recipient, array_agg(g.notification_id ORDER BY g.notification_id) AS notifications, coalesce(s.messages, 'at-once') AS messages, coalesce(s.by_email, true) AS by_email, coalesce(s.webhook, '') AS webhook,
					coalesce((SELECT email FROM participant_fact f WHERE f.participant_id = g.recipient ORDER BY effective_from DESC, version DESC LIMIT 1), '') AS email
				FROM gone g LEFT JOIN person_setting s ON s.participant_id = g.recipient GROUP BY g.recipient, s.messages, s.by_email, s.webhook)
			INSERT INTO message (recipient, channel, notifications, next_at, written_at)
			SELECT recipient, 'email', notifications, $1, $1 FROM wanted WHERE messages <> 'never' AND by_email AND email <> '' AND 'email' = ANY ($2)
			UNION ALL SELECT recipient, 'webhook', notifications, $1, $1 FROM wanted WHERE messages <> 'never' AND webhook <> '' AND 'webhook' = ANY ($2)
			ORDER BY 1, 2`, now, channels)
		if err != nil {
			return fmt.Errorf("write messages: %w", err)
		}
		return nil
	})
}

// setDue says of what is new when its message is due, as its recipient wants it.
func setDue(ctx context.Context, tx pgx.Tx, now time.Time, quiet time.Duration) error {
	type wish struct {
		Recipient string
		Timing    notice.Timing
		Zone      string
		Sent      []time.Time
	}
	var wishes []wish
	err := collect(ctx, tx, &wishes, `
		SELECT r.recipient, coalesce(s.messages, 'at-once'), coalesce(nullif(s.time_zone, ''), (SELECT time_zone FROM company), 'UTC'),
			ARRAY(SELECT DISTINCT written_at FROM message m WHERE m.recipient = r.recipient AND written_at > $1::timestamptz - interval '1 hour')
		FROM (SELECT DISTINCT recipient FROM (SELECT recipient FROM notification_due WHERE due IS NULL ORDER BY notification_id LIMIT 2000) fresh) r LEFT JOIN person_setting s ON s.participant_id = r.recipient
		ORDER BY r.recipient`, pgx.RowToStructByPos[wish], now)
	if err != nil {
		return fmt.Errorf("look at how people want messages: %w", err)
	}
	recipients, due := make([]string, len(wishes)), make([]time.Time, len(wishes))
	for i, w := range wishes {
		zone, err := time.LoadLocation(w.Zone)
		if err != nil {
			zone = time.UTC
		}
		recipients[i], due[i] = w.Recipient, w.Timing.Due(now, zone, quiet, w.Sent)
	}
	_, err = tx.Exec(ctx, `
		UPDATE notification_due n SET due = w.due FROM unnest($1::text[], $2::timestamptz[]) AS w (recipient, due) WHERE n.recipient = w.recipient AND n.due IS NULL`, recipients, due)
	if err != nil {
		return fmt.Errorf("say when messages are due: %w", err)
	}
	return nil
}

// MessagesToSend lists up to limit messages whose turn it is.
func (s *Store) MessagesToSend(ctx context.Context, now time.Time, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text FROM message WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT $2`, now, limit)
	if err != nil {
		return nil, fmt.Errorf("list messages to send: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Message returns a message; waits is false where it is not its turn, or no more.
func (s *Store) Message(ctx context.Context, id string, now time.Time) (m Message, waits bool, err error) {
	var recipient string
	var ids []int64
	err = s.pool.QueryRow(ctx, `
		SELECT m.id::text, m.channel, m.recipient, m.notifications, m.state = 'waiting' AND m.next_at <= $2, m.attempts, coalesce((SELECT name FROM company), ''),
			coalesce(CASE WHEN m.channel = 'webhook' THEN (SELECT webhook FROM person_setting WHERE participant_id = m.recipient)
				ELSE (SELECT email FROM participant_fact f WHERE f.participant_id = m.recipient ORDER BY effective_from DESC, version DESC LIMIT 1) END, '')
		FROM message m WHERE m.id = id_of($1)`, id, now).Scan(&m.ID, &m.Channel, &recipient, &ids, &waits, &m.Attempts, &m.Company, &m.Address)
	if err != nil {
		return m, false, fmt.Errorf("read message %s: %w", id, err)
	}
	if m.Recipient, err = s.Person(ctx, recipient); err != nil {
		return m, false, err
	}
	rows, err := s.pool.Query(ctx, notices+`WHERE n.id = ANY ($1) ORDER BY n.id`, ids)
	if err != nil {
		return m, false, fmt.Errorf("read what message %s tells: %w", id, err)
	}
	m.Notices, err = pgx.CollectRows(rows, scanNotice)
	return m, waits, err
}

// MessageSent notes that a message was taken.
func (s *Store) MessageSent(ctx context.Context, id string, at time.Time) error {
	return s.messageTried(ctx, id, `state = 'sent', sent_at = $2, error_code = ''`, at)
}

// MessageRefused notes that a message was not taken: it is tried again at a time, or with
// none given up.
func (s *Store) MessageRefused(ctx context.Context, id, code string, again time.Time) error {
	if again.IsZero() {
		return s.messageTried(ctx, id, `state = 'failed', error_code = $2`, code)
	}
	return s.messageTried(ctx, id, `next_at = $3, error_code = $2`, code, again)
}

func (s *Store) messageTried(ctx context.Context, id, set string, arguments ...any) error {
	_, err := s.pool.Exec(ctx, `UPDATE message SET attempts = attempts + 1, `+set+` WHERE id = id_of($1) AND state = 'waiting'`, append([]any{id}, arguments...)...)
	if err != nil {
		return fmt.Errorf("note what became of message %s: %w", id, err)
	}
	return nil
}
