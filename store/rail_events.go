package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeRailEventUnknown is the code of an event of a rail that is not here.
const CodeRailEventUnknown incentive.Code = "rail-event-unknown"

// RailEvent is something that a rail told us, and what it led to.
type RailEvent struct {
	Number     int64
	Rail       string
	EventID    string // the rail's
	Kind       string // in the rail's own words
	Reference  string // the key of the attempt, where the event names one
	RailID     string // the rail's id of what the event is about
	Account    string // the recipient's at the rail, where the event is about one
	Claims     string // the state that the event speaks of: no proof
	HappenedAt time.Time
	ReceivedAt time.Time
	PayoutID   string // "" before it is applied, and where it is about no payout of ours
	Effect     string // the state into which the payout went, none, not-ours or unclear; "" before it is applied
}

// Applied reports whether what the event led to is known.
func (e RailEvent) Applied() bool { return e.Effect != "" }

// KeepRailEvent stores an authenticated event of a rail once, with its content encrypted,
// and returns what stands. An event that speaks of a payout as it stands already is applied
// with that: a rail tells most of what we know from its answers.
func (s *Store) KeepRailEvent(ctx context.Context, e RailEvent, content []byte) (RailEvent, error) {
	version, sealed, err := s.keys.encrypt(content, railEventSecret(e))
	if err != nil {
		return e, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO rail_event (rail, event_id, kind, reference, rail_id, account, claims, happened_at, key_version, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT DO NOTHING`, e.Rail, e.EventID, e.Kind, e.Reference, e.RailID, e.Account, e.Claims, e.HappenedAt, version, sealed)
		if err != nil {
			return fmt.Errorf("keep event %s of %s: %w", e.EventID, e.Rail, err)
		}
		if e, err = railEvent(ctx, tx, `e.rail = $1 AND e.event_id = $2`, e.Rail, e.EventID); err != nil || e.Applied() || e.Claims == "" {
			return err
		}
		a, err := attemptOf(ctx, tx, e.Rail, e.Reference, e.RailID)
		if incentive.ErrorCode(err) == incentive.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		var known bool
		err = tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM payout o WHERE o.id = $1 AND o.state = $2) AND NOT EXISTS (SELECT FROM payout_attempt a WHERE a.payout_id = $1 AND a.number > $3)`, a.PayoutID, e.Claims, a.Number).Scan(&known)
		if err != nil {
			return fmt.Errorf("look at payout %s: %w", a.PayoutID, err)
		}
		if known {
			e.PayoutID, e.Effect = a.PayoutID, "none"
			return applied(ctx, tx, e)
		}
		return nil
	})
	return e, err
}

func railEventSecret(e RailEvent) string { return "rail-event/" + e.Rail + "/" + e.EventID }

const railEventColumns = `
	SELECT e.number, e.rail, e.event_id, e.kind, e.reference, e.rail_id, e.account, e.claims, coalesce(e.happened_at, e.received_at), e.received_at, coalesce(x.payout_id::text, ''), coalesce(x.effect, '')
	FROM rail_event e LEFT JOIN rail_event_outcome x ON x.event = e.number`

func railEvent(ctx context.Context, q querier, where string, arguments ...any) (RailEvent, error) {
	rows, err := q.Query(ctx, railEventColumns+` WHERE `+where, arguments...)
	if err != nil {
		return RailEvent{}, fmt.Errorf("read an event of a rail: %w", err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[RailEvent])
	if errors.Is(err, pgx.ErrNoRows) {
		return e, incentive.Errorf(CodeRailEventUnknown, "there is no such event of a rail")
	}
	return e, err
}

// RailEvent returns an event of a rail.
func (s *Store) RailEvent(ctx context.Context, number int64) (RailEvent, error) {
	return railEvent(ctx, s.pool, `e.number = $1`, number)
}

// RailEventContent returns an event as it came.
func (s *Store) RailEventContent(ctx context.Context, number int64) ([]byte, error) {
	e, err := s.RailEvent(ctx, number)
	if err != nil {
		return nil, err
	}
	var version int
	var sealed []byte
	if err := s.pool.QueryRow(ctx, `SELECT key_version, content FROM rail_event WHERE number = $1`, number).Scan(&version, &sealed); err != nil {
		return nil, fmt.Errorf("read event %d: %w", number, err)
	}
	return s.keys.decrypt(version, sealed, railEventSecret(e))
}

// AttemptOf returns the attempt on a rail that an event names by our reference or by the
// rail's id, of code CodeNotFound where there is none.
func (s *Store) AttemptOf(ctx context.Context, rail, reference, railID string) (Attempt, error) {
	return attemptOf(ctx, s.pool, rail, reference, railID)
}

func attemptOf(ctx context.Context, q querier, rail, reference, railID string) (Attempt, error) {
	which, named := `a.key = $2::text::uuid`, reference
	switch {
	case uuidText.MatchString(reference):
	case reference == "" && railID != "":
		which, named = `a.rail_id = $2 AND a.rail_id <> ''`, railID
	default:
		return Attempt{}, incentive.Errorf(incentive.CodeNotFound, "no attempt has the reference %q", reference)
	}
	rows, err := q.Query(ctx, `
		SELECT a.payout_id::text, a.number, a.key::text, a.state, a.rail_id, a.sent_at, a.intended_at FROM payout_attempt a JOIN payout o ON o.id = a.payout_id
		WHERE o.rail = $1 AND `+which, rail, named)
	if err != nil {
		return Attempt{}, fmt.Errorf("find an attempt of %s: %w", rail, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
	if errors.Is(err, pgx.ErrNoRows) {
		return a, incentive.Errorf(incentive.CodeNotFound, "no attempt has the reference %q", named)
	}
	return a, err
}

// PutRailEventAside notes that an event changes nothing: it is about no attempt of ours
// (not-ours), or about nothing that concerns payouts (none).
func (s *Store) PutRailEventAside(ctx context.Context, number int64, effect string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error { return applied(ctx, tx, RailEvent{Number: number, Effect: effect}) })
}

func applied(ctx context.Context, tx pgx.Tx, e RailEvent) error {
	_, err := tx.Exec(ctx, `INSERT INTO rail_event_outcome (event, payout_id, effect) VALUES ($1, $2::text::uuid, $3) ON CONFLICT DO NOTHING`, e.Number, orNull(e.PayoutID), e.Effect)
	if err != nil {
		return fmt.Errorf("note what event %d led to: %w", e.Number, err)
	}
	return nil
}

// ApplyRailEvent does, once, what a look-up at the rail says of the attempt that an event
// is about, with what the rail calls it, and returns the payout and the effect. An attempt
// that another one has followed changes nothing any more: what the rail then says of it
// that is not on record is for a person.
func (s *Store) ApplyRailEvent(ctx context.Context, number int64, a Attempt, railID string, o PayoutOutcome) (payout PaymentOrder, effect string, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		e, err := railEvent(ctx, tx, `e.number = $1`, number)
		if err != nil {
			return err
		}
		if payout, effect = (PaymentOrder{}), e.Effect; e.Applied() {
			return nil
		}
		// Attempts are locked before their payout, as whoever submits it does.
		rows, err := tx.Query(ctx, `SELECT number, state FROM payout_attempt WHERE payout_id = $1 ORDER BY number FOR UPDATE`, a.PayoutID)
		if err != nil {
			return err
		}
		last := 0
		var state AttemptState
		_, err = pgx.ForEachRow(rows, []any{&last, &state}, func() error {
			if last == a.Number {
				a.State = state
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the attempts of payout %s: %w", a.PayoutID, err)
		}
		orders, err := lockOrders(ctx, tx, `WHERE o.id = $1`, a.PayoutID)
		if err != nil {
			return err
		}
		payout = orders[0]                           // an attempt has one
		if o.State != "returned" && o.Reversed > 0 { // in part: by what we asked for, or it is unclear
			done, underWay := recalledOf("$1", "$2")
			var known, asked int64
			if err := tx.QueryRow(ctx, `SELECT `+done+`, `+underWay, a.PayoutID, a.Number).Scan(&known, &asked); err != nil {
				return fmt.Errorf("sum what was recalled of payout %s: %w", a.PayoutID, err)
			}
			o.Unclear = o.Unclear || o.Reversed != known && o.Reversed != known+asked
		}
		switch over := a.Number < last; {
		case over && (a.State == Rejected && o.State == "refused" || a.State == ReturnedAttempt && o.State == "returned"):
			effect = "none"
		case over, o.State == "refused" && payout.State == "paid": // by the rail's own word
			effect, err = unclear(ctx, tx, payout)
		default:
			effect, err = settle(ctx, tx, payout, o)
		}
		if err != nil {
			return err
		}
		if effect == "unclear" { // and nothing more is sent for it
			if _, err := tx.Exec(ctx, `UPDATE payout SET state = 'failed' WHERE id = $1 AND state = 'planned'`, payout.ID); err != nil {
				return fmt.Errorf("set payout %s aside: %w", payout.ID, err)
			}
		}
		_, err = tx.Exec(ctx, `UPDATE payout_attempt SET rail_id = $3 WHERE payout_id = $1 AND number = $2 AND rail_id = ''`, a.PayoutID, a.Number, railID)
		if err != nil {
			return fmt.Errorf("note what the rail calls payout %s: %w", a.PayoutID, err)
		}
		return applied(ctx, tx, RailEvent{Number: number, PayoutID: payout.ID, Effect: effect})
	})
	return payout, effect, err
}
