package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Codes about sending at all.
const (
	CodeSendingLocked incentive.Code = "sending-locked" // nothing is sent until finance has compared the rails with our record
	CodeNotCompared   incentive.Code = "not-compared"   // a rail's day is still to be compared, or a difference to be explained
	// CodeRestored is of a payout that was not sent by a record that was restored: a person, who
	// can ask the rail, decides.
	CodeRestored incentive.Code = "restored"
)

// Why nothing is sent.
const (
	Restored        = "restored"         // the database is not the one from which payouts were sent
	ForeignPayments = "foreign-payments" // a rail has payments by our references that are not on record
)

// SendingLock is why nothing is sent by any rail.
type SendingLock struct {
	Code     string
	Rail     string // of ForeignPayments
	Payments int    // of ForeignPayments: how many
	At       time.Time
	ToDo     []RailDay // what is still to be compared, or to be explained
}

// RailDay is a day of a rail.
type RailDay struct {
	Rail string
	Day  incentive.Date
}

var errSendingLocked = incentive.Errorf(CodeSendingLocked, "nothing is sent from a database that was restored, or that lacks what a rail has done, until finance has compared both and clears it")

// refuseSendingLocked lets nothing be sent while sending is locked.
func refuseSendingLocked(ctx context.Context, q querier) error {
	var locked bool
	if err := q.QueryRow(ctx, `SELECT sending_locked()`).Scan(&locked); err != nil {
		return fmt.Errorf("look whether payouts may be sent: %w", err)
	}
	if locked {
		return errSendingLocked
	}
	return nil
}

// SendingLock returns why nothing is sent: nil where payouts may be. A database that was
// restored is noted, once, by whoever asks first.
func (s *Store) SendingLock(ctx context.Context) (*SendingLock, error) {
	if err := refuseSendingLocked(ctx, s.pool); incentive.ErrorCode(err) != CodeSendingLocked {
		return nil, err
	}
	err := s.inTx(ctx, func(tx pgx.Tx) error { return lockSending(ctx, tx, SendingLock{Code: Restored}) })
	if err != nil {
		return nil, err
	}
	var lock SendingLock
	var last *time.Time
	err = s.pool.QueryRow(ctx, `SELECT code, rail, payments, locked_at, sent_last FROM sending_lock l WHERE locked_at > (SELECT max(cleared_at) FROM sending_clearance) ORDER BY id LIMIT 1`).
		Scan(&lock.Code, &lock.Rail, &lock.Payments, &lock.At, &last)
	if err != nil {
		return nil, fmt.Errorf("read why nothing is sent: %w", err)
	}
	if last == nil {
		return &lock, nil // nothing was ever sent
	}
	err = collect(ctx, s.pool, &lock.ToDo, `
		WITH company AS (SELECT coalesce((SELECT nullif(time_zone, '') FROM company), 'UTC') AS zone)
		SELECT rail, day::date FROM company,
			(SELECT DISTINCT rail FROM payout o WHERE batch > 0 AND NOT EXISTS (SELECT FROM payment_file f WHERE f.rail = o.rail)) used,
			generate_series(($1::timestamptz AT TIME ZONE zone)::date, ($2::timestamptz AT TIME ZONE zone)::date, interval '1 day') day
		WHERE NOT EXISTS (SELECT FROM (`+reconciliationColumns+`) r WHERE r.rail = used.rail AND r.day = day::date AND r.run_at > $2 AND NOT r.superseded AND r.open = 0)
		ORDER BY rail, day`, pgx.RowToStructByPos[RailDay], *last, lock.At)
	if err != nil {
		err = fmt.Errorf("list what is to be compared: %w", err)
	}
	return &lock, err
}

// LockSending has nothing be sent until finance clears it, for a rail has payments that are not
// on record.
func (s *Store) LockSending(ctx context.Context, rail string, payments int) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		return lockSending(ctx, tx, SendingLock{Code: ForeignPayments, Rail: rail, Payments: payments})
	})
}

// lockSending notes why nothing is sent, unless that is noted.
func lockSending(ctx context.Context, tx pgx.Tx, lock SendingLock) error {
	if _, err := tx.Exec(ctx, `LOCK TABLE sending_lock IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return fmt.Errorf("lock sending: %w", err)
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO sending_lock (code, rail, payments, sent_last) SELECT $1, $2, $3, (SELECT max(sent_at) FROM payout_attempt)
		WHERE NOT EXISTS (SELECT FROM sending_lock WHERE locked_at > (SELECT max(cleared_at) FROM sending_clearance))`, lock.Code, lock.Rail, lock.Payments)
	if err != nil {
		return fmt.Errorf("note that sending is locked: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return audit(ctx, tx, System, "lock-sending", "sending", struct {
		Code     string `json:"code"`
		Rail     string `json:"rail,omitempty"`
		Payments int    `json:"payments,omitempty"`
	}{lock.Code, lock.Rail, lock.Payments})
}

// ClearSending lets payouts be sent again from this database. Each day of each rail that is
// called must have been compared since it was locked, and every difference explained. What was
// to be sent, and was not by the record, waits for a person.
func (s *Store) ClearSending(ctx context.Context, actor, reasonID string) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "say why: sending is cleared with a reason")
	}
	lock, err := s.SendingLock(ctx)
	if err != nil {
		return err
	}
	if lock == nil {
		return incentive.Errorf(incentive.CodeConflict, "sending is not locked")
	}
	if len(lock.ToDo) > 0 {
		next := lock.ToDo[0]
		return incentive.Errorf(CodeNotCompared, "%d days of rails are still to be compared, or have differences that nobody has explained: the next is %s of %s", len(lock.ToDo), next.Day, next.Rail)
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		// What was paid after the backup is planned again, and its attempt is not on record: only a
		// person can tell. What has an attempt is looked up.
		if _, err := tx.Exec(ctx, `
			UPDATE payout o SET state = 'failed', reason = $1 WHERE state = 'planned' AND batch > 0
			AND `+noLiveAttempt("o.id"), CodeRestored); err != nil {
			return fmt.Errorf("set what was not sent aside: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE redemption SET state = 'unknown', sent_at = now(), reason = $1 WHERE state = 'intended'`, CodeRestored); err != nil {
			return fmt.Errorf("set rewards that were not sent aside: %w", err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO sending_clearance (database, cleared_by, reason_id, cleared_at) VALUES (database_now(), $1, $2, clock_timestamp())`, actor, reasonID); err != nil {
			return fmt.Errorf("clear sending: %w", err)
		}
		return audit(ctx, tx, actor, "clear-sending", "sending", reasonBody{reasonID})
	})
}

// LastSent returns when something was last sent by a rail, or sending was last cleared if that
// was later; zero where nothing ever was.
func (s *Store) LastSent(ctx context.Context, rail string) (at time.Time, err error) {
	var last *time.Time
	err = s.pool.QueryRow(ctx, `
		SELECT greatest(max(sent_at), (SELECT max(cleared_at) FROM sending_clearance WHERE cleared_by IS NOT NULL)) FROM (
			SELECT a.sent_at FROM payout_attempt a JOIN payout o ON o.id = a.payout_id WHERE o.rail = $1
			UNION ALL SELECT sent_at FROM redemption WHERE rail = $1) sent
		HAVING max(sent_at) IS NOT NULL`, rail).Scan(&last)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, nil
	}
	if err != nil {
		return at, fmt.Errorf("look when %s was last sent to: %w", rail, err)
	}
	return *last, nil
}

// NotOnRecord counts the references of a rail's payments that have the form of ours and are of
// no attempt.
func (s *Store) NotOnRecord(ctx context.Context, rail string, references []string) (n int, err error) {
	var ours []string
	for _, r := range references {
		if uuidText.MatchString(r) {
			ours = append(ours, r)
		}
	}
	err = s.pool.QueryRow(ctx, `SELECT count(*)::int FROM unnest($1::text[]::uuid[]) r (key) WHERE NOT EXISTS (SELECT FROM payout_attempt a WHERE a.key = r.key) AND NOT EXISTS (SELECT FROM redemption p WHERE p.id = r.key)`, ours).Scan(&n)
	if err != nil {
		err = fmt.Errorf("look for what %s names: %w", rail, err)
	}
	return n, err
}
