package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// AttemptState is where one attempt to make a payout stands.
type AttemptState string

// The states of an attempt.
const (
	Intended  AttemptState = "intended"  // in a payment file that nobody has taken to the bank
	Sent      AttemptState = "sent"      // the call is about to be made, or was
	Confirmed AttemptState = "confirmed" // the rail has it
	Rejected  AttemptState = "rejected"  // the rail says that it did not and will not pay
	Unknown   AttemptState = "unknown"   // the answer was lost: to be looked up

	ReturnedAttempt AttemptState = "returned" // the rail had paid, and it came back
)

// Attempt is one attempt to make a payout.
type Attempt struct {
	PayoutID   string
	Number     int
	Key        string // a UUID: idempotency key and reference at the rail
	State      AttemptState
	RailID     string
	SentAt     *time.Time
	IntendedAt time.Time
}

// PaymentOrder is what of a payout its sending and its settlement go by.
type PaymentOrder struct {
	ID            string
	PeriodID      string
	Revision      int
	ParticipantID string
	Amount        incentive.Money
	Rail          string
	DestinationID int64 // 0 where there is none yet
	State         string
	TimesBack     int // how often what the rail had taken came back
}

const orderColumns = `o.id::text, o.period_id, o.revision, o.participant_id, o.amount_minor, o.currency, o.rail, coalesce(o.destination_id, 0), o.state, o.times_back`

func (o *PaymentOrder) columns() []any {
	return []any{&o.ID, &o.PeriodID, &o.Revision, &o.ParticipantID, &o.Amount.Minor, &o.Amount.Currency, &o.Rail, &o.DestinationID, &o.State, &o.TimesBack}
}

// lockOrders locks and returns the payouts o that where, which may begin with a join, selects.
func lockOrders(ctx context.Context, tx pgx.Tx, where string, arguments ...any) ([]PaymentOrder, error) {
	rows, err := tx.Query(ctx, `SELECT `+orderColumns+` FROM payout o `+where+` ORDER BY o.id FOR UPDATE OF o`, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	orders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o PaymentOrder, err error) { return o, row.Scan(o.columns()...) })
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	return orders, nil
}

// BegunAttempt is an attempt of which the call can be made.
type BegunAttempt struct {
	Attempt
	New   bool // it has just been written down: nothing can have been sent
	Order PaymentOrder
	To    Destination
}

// BeginAttempt returns the payout's live attempt, writing a new one down when there is
// none: before the call, so that whatever is killed, what may have been sent is known.
// The attempt's number and key come from here alone, so that however often Temporal
// runs an activity again, the key stays the same. A payout that is not planned any more
// has no attempt to make: live is false. While the period is on hold it refuses with
// incentive.CodeOnHold, while the rail is stopped with CodeRailStopped, and while sending is locked
// with CodeSendingLocked.
func (s *Store) BeginAttempt(ctx context.Context, payoutID string) (begun BegunAttempt, live bool, err error) {
	o := &begun.Order
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var onHold, locked bool
		err := tx.QueryRow(ctx, `
			SELECT r.on_hold, sending_locked(), `+orderColumns+` FROM payout o JOIN period_revision r USING (period_id, revision) WHERE o.id = $1 FOR SHARE OF r FOR UPDATE OF o`, payoutID).
			Scan(append([]any{&onHold, &locked}, o.columns()...)...)
		if err != nil {
			return fmt.Errorf("read payout %s: %w", payoutID, err)
		}
		if onHold {
			return errOnHold
		}
		if locked {
			return errSendingLocked
		}
		if live = o.State == "planned"; !live {
			return nil
		}
		if err := refuseStopped(ctx, tx, o.PeriodID, o.Revision, o.Rail); err != nil {
			return err
		}
		if begun.To, err = s.destination(ctx, tx, o.DestinationID); err != nil {
			return err
		}
		if held, err := holdNotReady(ctx, tx, payoutID, begun.To); err != nil || held {
			live = false
			return err
		}
		rows, err := tx.Query(ctx, `
			INSERT INTO payout_attempt (payout_id, number, state, sent_at)
			SELECT $1, coalesce(max(number), 0) + 1, 'sent', now() FROM payout_attempt WHERE payout_id = $1
			ON CONFLICT (payout_id) WHERE state NOT IN ('rejected', 'returned') DO UPDATE SET state = 'sent', sent_at = now() WHERE payout_attempt.state = 'intended'
			RETURNING `+attemptColumns, payoutID)
		if err != nil {
			return fmt.Errorf("write down an attempt of payout %s: %w", payoutID, err)
		}
		begun.Attempt, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
		begun.New = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			begun.Attempt, err = liveAttempt(ctx, tx, payoutID)
		}
		return err
	})
	return begun, live, err
}

var errOnHold = incentive.Errorf(incentive.CodeOnHold, "the period is on hold: resume it first")

// refuseOnHold lets nothing new be submitted while a period is on hold. Whoever puts it
// on hold waits for the transactions that were let through.
func refuseOnHold(ctx context.Context, tx pgx.Tx, periodID string, revision int) error {
	var onHold bool
	if err := tx.QueryRow(ctx, `SELECT on_hold FROM period_revision WHERE period_id = $1 AND revision = $2 FOR SHARE`, periodID, revision).Scan(&onHold); err != nil {
		return fmt.Errorf("look whether %s is on hold: %w", periodID, err)
	}
	if onHold {
		return errOnHold
	}
	return nil
}

const attemptColumns = `payout_id::text, number, key::text, state, rail_id, sent_at, intended_at`

// noLiveAttempt is the SQL of a payout, by its id, without an attempt that may have paid.
func noLiveAttempt(payoutID string) string {
	return `NOT EXISTS (SELECT FROM payout_attempt live WHERE live.payout_id = ` + payoutID + ` AND live.state NOT IN ('rejected', 'returned'))`
}

func liveAttempt(ctx context.Context, q querier, payoutID string) (Attempt, error) {
	rows, err := q.Query(ctx, `SELECT `+attemptColumns+` FROM payout_attempt WHERE payout_id = $1 AND state NOT IN ('rejected', 'returned')`, payoutID)
	if err != nil {
		return Attempt{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
}

func lastAttempt(ctx context.Context, q querier, payoutID string) (Attempt, error) {
	rows, err := q.Query(ctx, `SELECT `+attemptColumns+` FROM payout_attempt WHERE payout_id = $1 ORDER BY number DESC LIMIT 1`, payoutID)
	if err != nil {
		return Attempt{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
}

// SendAgain notes, before the call, that an attempt is about to be sent again. The time of the first
// call stays: it is the age of the rail's idempotency key. An attempt whose end is known
// meanwhile is not sent again.
func (s *Store) SendAgain(ctx context.Context, a Attempt) error {
	tag, err := s.pool.Exec(ctx, `UPDATE payout_attempt SET state = 'sent' WHERE payout_id = $1 AND number = $2 AND state IN ('sent', 'unknown')`, a.PayoutID, a.Number)
	if err != nil {
		return fmt.Errorf("send payout %s again: %w", a.PayoutID, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("send payout %s again: its attempt has gone on meanwhile", a.PayoutID)
	}
	return nil
}

// MarkUnknown notes that the answer to a call was lost.
func (s *Store) MarkUnknown(ctx context.Context, a Attempt) error {
	_, err := s.pool.Exec(ctx, `UPDATE payout_attempt SET state = 'unknown' WHERE payout_id = $1 AND number = $2 AND state = 'sent'`, a.PayoutID, a.Number)
	if err != nil {
		return fmt.Errorf("mark payout %s as unknown: %w", a.PayoutID, err)
	}
	return nil
}

// Confirm notes that the rail has the payout, and with paid that the money is there,
// with the postings of both. Doing it again changes nothing.
func (s *Store) Confirm(ctx context.Context, a Attempt, railID string, paid bool) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE payout_attempt SET state = 'confirmed', rail_id = $3, sent_at = coalesce(sent_at, now()), finished_at = now()
			WHERE payout_id = $1 AND number = $2 AND state IN ('intended', 'sent', 'unknown')`, a.PayoutID, a.Number, railID)
		if err != nil {
			return fmt.Errorf("confirm payout %s: %w", a.PayoutID, err)
		}
		return advance(ctx, tx, paid, `o.id = $1`, a.PayoutID)
	})
}

// advance moves planned payouts to submitted and, with paid, submitted ones to paid, and
// posts what that means. where selects them from payout o.
func advance(ctx context.Context, tx pgx.Tx, paid bool, where string, arguments ...any) error {
	payouts, err := lockOrders(ctx, tx, `WHERE o.state IN ('planned', 'submitted') AND `+where, arguments...)
	if err != nil {
		return err
	}
	return moveOn(ctx, tx, paid, incentive.Date{}, payouts...)
}

// moveOn moves payouts to submitted or, with paid, to paid, as of a day or of today.
func moveOn(ctx context.Context, tx pgx.Tx, paid bool, on incentive.Date, payouts ...PaymentOrder) error {
	if err := postPayment(ctx, tx, paid, on, payouts...); err != nil {
		return err
	}
	state := "submitted"
	if paid {
		state = "paid"
	}
	ids := make([]string, len(payouts))
	for i, o := range payouts {
		ids[i] = o.ID
	}
	if _, err := tx.Exec(ctx, `UPDATE payout SET state = $2, reason = '' WHERE id = ANY($1::uuid[])`, ids, state); err != nil {
		return fmt.Errorf("move payouts to %s: %w", state, err)
	}
	return nil
}

// postPayment posts that payouts were submitted and, with paid, that they were paid.
func postPayment(ctx context.Context, tx pgx.Tx, paid bool, on incentive.Date, payouts ...PaymentOrder) error {
	var entries []entry
	for _, o := range payouts {
		base := entry{periodID: o.PeriodID, revision: o.Revision, amount: o.Amount, effectiveOn: on}
		clearing := account{kind: Clearing, rail: o.Rail}
		if o.State != "submitted" && o.State != "paid" {
			submit := base
			submit.key, submit.kind = o.posting("submit"), "submit"
			submit.debit, submit.credit = account{kind: Payable, participant: o.ParticipantID}, clearing
			entries = append(entries, submit)
		}
		if paid {
			settle := base
			settle.key, settle.kind = o.posting("paid"), "paid"
			settle.debit, settle.credit = clearing, account{kind: Cash}
			if o.Rail == incentive.PointsRail { // what is paid is owed on
				settle.credit = account{kind: Points, participant: o.ParticipantID}
			}
			entries = append(entries, settle)
		}
	}
	return post(ctx, tx, entries...)
}

// posting is the key of a journal entry of a payout: once more for each time that the
// money came back.
func (o PaymentOrder) posting(kind string) string {
	if o.TimesBack == 0 {
		return kind + "/" + o.ID
	}
	return fmt.Sprintf("%s/%s/%d", kind, o.ID, o.TimesBack)
}

// Reject notes that the rail did not and will not pay this attempt, and why. The payout
// fails and waits for a person.
func (s *Store) Reject(ctx context.Context, a Attempt, code string) error {
	return s.fail(ctx, a, code, false)
}

// RejectAccount is Reject for a reason of the account: nothing more is sent there until its owner names it
// again, or finance sends a payout there.
func (s *Store) RejectAccount(ctx context.Context, a Attempt, code string) error {
	return s.fail(ctx, a, code, true)
}

func (s *Store) fail(ctx context.Context, a Attempt, code string, badAccount bool) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if rejected, err := reject(ctx, tx, a, code); err != nil || !rejected {
			return err
		}
		failed, err := lockOrders(ctx, tx, `WHERE o.id = $1 AND o.state = 'planned'`, a.PayoutID)
		if err != nil || len(failed) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE payout SET state = 'failed', reason = $2 WHERE id = $1`, a.PayoutID, code); err != nil {
			return fmt.Errorf("fail payout %s: %w", a.PayoutID, err)
		}
		if badAccount {
			return refuseAccount(ctx, tx, failed[0], a.Number, code)
		}
		return nil
	})
}

// reject notes that the rail did not and will not pay an attempt, unless its end is known.
func reject(ctx context.Context, tx pgx.Tx, a Attempt, code string) (rejected bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE payout_attempt SET state = 'rejected', error_code = $3, sent_at = coalesce(sent_at, now()), finished_at = now()
		WHERE payout_id = $1 AND number = $2 AND state IN ('intended', 'sent', 'unknown')`, a.PayoutID, a.Number, code)
	if err != nil {
		return false, fmt.Errorf("reject payout %s: %w", a.PayoutID, err)
	}
	return tag.RowsAffected() > 0, nil
}

// SetAside makes a payout whose attempt stays unknown an exception for a person. The
// attempt stays live, so that nothing can pay it a second time.
func (s *Store) SetAside(ctx context.Context, payoutID, code string) error {
	_, err := s.pool.Exec(ctx, `UPDATE payout SET state = 'failed', reason = $2 WHERE id = $1 AND state = 'planned'`, payoutID, code)
	if err != nil {
		return fmt.Errorf("set payout %s aside: %w", payoutID, err)
	}
	return nil
}
