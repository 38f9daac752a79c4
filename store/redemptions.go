package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// CodeRedemptionUnknown is the code of a redemption that is not here.
const CodeRedemptionUnknown incentive.Code = "redemption-unknown"

// RedemptionState is where a redemption stands.
type RedemptionState string

// The states of a redemption. Those before RedemptionPaid are under way.
const (
	RedemptionIntended  RedemptionState = "intended"  // asked for, and not sent to the rail
	RedemptionSent      RedemptionState = "sent"      // the call is about to be made, or was
	RedemptionUnknown   RedemptionState = "unknown"   // the answer was lost: to be looked up
	RedemptionSubmitted RedemptionState = "submitted" // the rail has it
	RedemptionPaid      RedemptionState = "paid"      // the reward is sent
	RedemptionRefused   RedemptionState = "refused"   // there is no reward, and the points are back
	RedemptionReturned  RedemptionState = "returned"  // the reward was given back, and the points are
)

// Redemption is a reward that somebody takes for points.
type Redemption struct {
	ID            string // idempotency key and reference at the rail, too
	ParticipantID string
	Name          string // the participant's
	Amount        incentive.Money
	Rail          string
	Reward        string            // its name in the catalogue
	Details       map[string]string // where it is sent, and which product: secret
	Masked        string
	State         RedemptionState
	Reason        string // why it waits, was refused, or came back: a code
	RailID        string
	AskedAt       time.Time
	SentAt        *time.Time
	FinishedAt    *time.Time
	GivenBackBy   string
}

// Ended reports whether nothing is to be done for it any more.
func (r Redemption) Ended() bool {
	return r.State == RedemptionPaid || r.State == RedemptionRefused || r.State == RedemptionReturned
}

const redemptionColumns = `r.id::text, r.participant_id, r.amount_minor, r.currency, r.rail, r.reward, r.masked, r.state, r.reason, r.rail_id, r.asked_at, r.sent_at, r.finished_at, coalesce(r.given_back_by, '')`

func (r *Redemption) columns() []any {
	return []any{&r.ID, &r.ParticipantID, &r.Amount.Minor, &r.Amount.Currency, &r.Rail, &r.Reward, &r.Masked, &r.State, &r.Reason, &r.RailID, &r.AskedAt, &r.SentAt, &r.FinishedAt, &r.GivenBackBy}
}

// Redeem takes points of a participant for a reward, which is to be ordered then: those first that
// expire first. With an ID that is there already it changes nothing, and returns what stands: who asks again has not had
// the answer. Its error is of code CodePointsFew where there are not as many.
func (s *Store) Redeem(ctx context.Context, actor string, r Redemption) (Redemption, error) {
	plain, err := json.Marshal(r.Details)
	if err != nil {
		return r, err
	}
	version, sealed, err := s.keys.encrypt(plain, "destination/"+r.ParticipantID)
	if err != nil {
		return r, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT FROM participant WHERE id = $1 FOR UPDATE`, r.ParticipantID); err != nil {
			return fmt.Errorf("lock the points of %s: %w", r.ParticipantID, err)
		}
		if r.ID != "" {
			err := tx.QueryRow(ctx, `SELECT `+redemptionColumns+` FROM redemption r WHERE r.id = $1::text::uuid AND r.participant_id = $2`, r.ID, r.ParticipantID).Scan(r.columns()...)
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
		}
		var lots []lot
		err := collect(ctx, tx, &lots, `SELECT * FROM (`+pointsLeft+` AND p.participant_id = $1 AND p.currency = $2) l WHERE expires_on IS NULL OR expires_on > company_today() ORDER BY expires_on, id`, pgx.RowToStructByPos[lot], r.ParticipantID, r.Amount.Currency)
		if err != nil {
			return fmt.Errorf("read the points of %s: %w", r.ParticipantID, err)
		}
		var has int64
		for _, l := range lots {
			has += l.Minor
		}
		if r.Amount.Minor <= 0 || has < r.Amount.Minor {
			return incentive.Errorf(CodePointsFew, "this takes %d points, and there are %d", r.Amount.Minor, has)
		}
		err = tx.QueryRow(ctx, `
			INSERT INTO redemption AS r (id, participant_id, currency, amount_minor, rail, reward, masked, key_version, details) VALUES (coalesce(nullif($9, '')::uuid, gen_random_uuid()), $1, $2, $3, $4, $5, $6, $7, $8) RETURNING `+redemptionColumns,
			r.ParticipantID, r.Amount.Currency, r.Amount.Minor, r.Rail, r.Reward, r.Masked, version, sealed, r.ID).Scan(r.columns()...)
		if err != nil {
			return fmt.Errorf("keep a redemption of %s: %w", r.ParticipantID, err)
		}
		left := r.Amount.Minor
		for _, l := range lots {
			if l.Minor = min(l.Minor, left); l.Minor == 0 {
				break
			}
			left -= l.Minor
			if err := r.use(ctx, tx, "redeemed", l); err != nil {
				return err
			}
		}
		return audit(ctx, tx, actor, "redeem", "redemption/"+r.ID, struct {
			Participant string          `json:"participant"`
			Amount      incentive.Money `json:"amount"`
			Rail        string          `json:"rail"`
		}{r.ParticipantID, r.Amount, r.Rail})
	})
	return r, err
}

// use notes what becomes of points by a redemption, and posts it to the period in which they were
// earned: redeemed or back.
func (r Redemption) use(ctx context.Context, tx pgx.Tx, kind string, l lot) error {
	tag, err := tx.Exec(ctx, `INSERT INTO points_use (points_id, kind, redemption_id, amount_minor) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, l.ID, kind, r.ID, l.Minor)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	e := entry{kind: "redeem", periodID: l.PeriodID, revision: l.Revision, amount: incentive.Money{Minor: l.Minor, Currency: r.Amount.Currency},
		debit: account{kind: Points, participant: r.ParticipantID}, credit: account{kind: Clearing, rail: r.Rail}}
	if kind == "back" {
		e.kind, e.debit, e.credit = "redeem back", e.credit, e.debit
		if r.State == RedemptionPaid {
			e.debit = account{kind: Cash}
		}
	}
	e.key = fmt.Sprintf("%s/%s/%d", e.kind, r.ID, l.ID)
	return post(ctx, tx, e)
}

// lotsOf are the points that a redemption took.
func (r Redemption) lotsOf(ctx context.Context, tx pgx.Tx) (lots []lot, err error) {
	err = collect(ctx, tx, &lots, `
		SELECT p.id, p.participant_id, p.currency, o.period_id, o.revision, u.amount_minor, p.expires_on
		FROM points_use u JOIN points p ON p.id = u.points_id JOIN payout o ON o.id = p.payout_id WHERE u.redemption_id = $1 AND u.kind = 'redeemed' ORDER BY p.id`, pgx.RowToStructByPos[lot], r.ID)
	if err != nil {
		err = fmt.Errorf("read the points of redemption %s: %w", r.ID, err)
	}
	return lots, err
}

func lockRedemption(ctx context.Context, tx pgx.Tx, id string) (r Redemption, err error) {
	err = pgx.ErrNoRows
	if uuidText.MatchString(id) {
		err = tx.QueryRow(ctx, `SELECT `+redemptionColumns+` FROM redemption r WHERE r.id = $1 FOR UPDATE`, id).Scan(r.columns()...)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return r, incentive.Errorf(CodeRedemptionUnknown, "there is no redemption %q", id)
	}
	if err != nil {
		return r, fmt.Errorf("read redemption %s: %w", id, err)
	}
	return r, nil
}

// BeginRedemption returns a redemption with its secret details, and notes before the call that it is
// sent: fresh is true where nothing can have been sent before. While sending is locked it refuses
// with CodeSendingLocked.
func (s *Store) BeginRedemption(ctx context.Context, id string) (r Redemption, fresh bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) (err error) {
		if r, err = lockRedemption(ctx, tx, id); err != nil {
			return err
		}
		if r.State == RedemptionIntended {
			if err := refuseSendingLocked(ctx, tx); err != nil {
				return err
			}
			fresh = true
			if err := tx.QueryRow(ctx, `UPDATE redemption SET state = 'sent', sent_at = now(), reason = '' WHERE id = $1 RETURNING state, sent_at, reason`, id).Scan(&r.State, &r.SentAt, &r.Reason); err != nil {
				return fmt.Errorf("send redemption %s: %w", id, err)
			}
		}
		var version int
		var sealed []byte
		if err := tx.QueryRow(ctx, `SELECT key_version, details FROM redemption WHERE id = $1`, id).Scan(&version, &sealed); err != nil {
			return fmt.Errorf("read redemption %s: %w", id, err)
		}
		plain, err := s.keys.decrypt(version, sealed, "destination/"+r.ParticipantID)
		if err != nil {
			return err
		}
		return json.Unmarshal(plain, &r.Details)
	})
	return r, fresh, err
}

// RedemptionWaits notes why a redemption waits: with nothing sent (the rail carried nothing out), or
// with an answer that was lost. With forPerson finance is told. One whose end is known stays as it is.
func (s *Store) RedemptionWaits(ctx context.Context, id string, sent bool, code string, forPerson bool) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		r, err := lockRedemption(ctx, tx, id)
		if err != nil || r.State != RedemptionSent && r.State != RedemptionUnknown {
			return err
		}
		state := RedemptionUnknown
		if !sent {
			state = RedemptionIntended
		}
		if _, err := tx.Exec(ctx, `UPDATE redemption SET state = $2, reason = $3, sent_at = CASE WHEN $4 THEN sent_at END WHERE id = $1`, id, state, code, sent); err != nil {
			return fmt.Errorf("let redemption %s wait: %w", id, err)
		}
		if !forPerson {
			return nil
		}
		return notifyRole(ctx, tx, incentive.Finance, "", Notification{
			Kind:    notice.RedemptionWaits,
			Subject: "redemption/" + id,
			Key:     string(notice.RedemptionWaits) + "/" + id,
		})
	})
}

// SettleRedemption notes what the rail says of a redemption, submitted, paid, refused or returned, with
// its postings: once, and no way back from an end but that what was paid is returned.
func (s *Store) SettleRedemption(ctx context.Context, id string, state RedemptionState, railID, code string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		r, err := lockRedemption(ctx, tx, id)
		if err != nil {
			return err
		}
		return r.settle(ctx, tx, state, railID, code)
	})
}

func (r Redemption) settle(ctx context.Context, tx pgx.Tx, state RedemptionState, railID, code string) error {
	if state == r.State || r.Ended() && !(r.State == RedemptionPaid && state == RedemptionReturned) {
		return nil
	}
	tell := notice.RewardRefused
	switch state {
	case RedemptionPaid:
		tell = notice.RewardSent
		lots, err := r.lotsOf(ctx, tx)
		if err != nil {
			return err
		}
		for _, l := range lots {
			err := post(ctx, tx, entry{
				key:      fmt.Sprintf("redeemed/%s/%d", r.ID, l.ID),
				kind:     "redeemed",
				periodID: l.PeriodID,
				revision: l.Revision,
				amount:   incentive.Money{Minor: l.Minor, Currency: l.Currency},
				debit:    account{kind: Clearing, rail: r.Rail},
				credit:   account{kind: Cash},
			})
			if err != nil {
				return err
			}
		}
	case RedemptionRefused, RedemptionReturned:
		if _, err := tx.Exec(ctx, `SELECT FROM participant WHERE id = $1 FOR UPDATE`, r.ParticipantID); err != nil {
			return fmt.Errorf("lock the points of %s: %w", r.ParticipantID, err)
		}
		lots, err := r.lotsOf(ctx, tx)
		if err != nil {
			return err
		}
		for _, l := range lots {
			if err := r.use(ctx, tx, "back", l); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(ctx, `
		UPDATE redemption SET state = $2, rail_id = CASE WHEN $3 = '' THEN rail_id ELSE $3 END, reason = $4, finished_at = CASE WHEN $2 = 'submitted' THEN finished_at ELSE now() END WHERE id = $1`, r.ID, state, railID, code)
	if err != nil {
		return fmt.Errorf("move redemption %s to %s: %w", r.ID, state, err)
	}
	if state == RedemptionSubmitted {
		return nil
	}
	return notify(ctx, tx, Notification{Recipient: r.ParticipantID, Kind: tell, Subject: "points/" + r.ParticipantID, Key: string(tell) + "/" + r.ID})
}

// GiveBackPoints lets one of finance, who is not the participant, end a redemption of which the rail knows
// nothing: the points are back. It is for one that waits and was sent, if at all, so long ago that
// nothing can be under way any more.
func (s *Store) GiveBackPoints(ctx context.Context, actor, id, reasonID string) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "say why: points are given back with a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		r, err := lockRedemption(ctx, tx, id)
		if err != nil {
			return err
		}
		if r.ParticipantID == actor {
			return incentive.Errorf(incentive.CodeOwnPay, "nobody gives themselves their points back")
		}
		if r.State != RedemptionIntended && r.State != RedemptionUnknown || r.Reason == "" {
			return incentive.Errorf(incentive.CodeConflict, "points are given back only of a reward that waits for a person")
		}
		if _, err := tx.Exec(ctx, `UPDATE redemption SET given_back_by = $2, reason_id = $3 WHERE id = $1`, id, actor, reasonID); err != nil {
			return fmt.Errorf("give back the points of redemption %s: %w", id, err)
		}
		if err := r.settle(ctx, tx, RedemptionRefused, "", r.Reason); err != nil {
			return err
		}
		return audit(ctx, tx, actor, "give-back-points", "redemption/"+id, reasonBody{reasonID})
	})
}

// WhichRedemptions are those of a participant ("": of everybody) and, with Waiting, those that wait for a person.
type WhichRedemptions struct {
	ParticipantID string
	Waiting       bool
}

// Redemptions returns up to limit redemptions before one ("": the latest), the latest first, without their
// secret details.
func (s *Store) Redemptions(ctx context.Context, which WhichRedemptions, before string, limit int) (all []Redemption, err error) {
	err = collect(ctx, s.pool, &all, `
		SELECT `+redemptionColumns+`, coalesce(f.name, '') FROM redemption r LEFT JOIN `+factToday("r")+`
		WHERE $1 IN ('', r.participant_id) AND (NOT $2 OR r.state IN ('intended', 'unknown') AND r.reason <> '')
			AND ($3 = '' OR (r.asked_at, r.id) < (SELECT b.asked_at, b.id FROM redemption b WHERE b.id = id_of($3))) ORDER BY r.asked_at DESC, r.id DESC LIMIT $4`,
		func(row pgx.CollectableRow) (r Redemption, err error) {
			return r, row.Scan(append(r.columns(), &r.Name)...)
		}, which.ParticipantID, which.Waiting, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list redemptions: %w", err)
	}
	return all, nil
}

// Redemption returns one redemption, without its secret details.
func (s *Store) Redemption(ctx context.Context, id string) (r Redemption, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) (err error) {
		r, err = lockRedemption(ctx, tx, id)
		return err
	})
	return r, err
}

// RunningRedemption is one that is under way.
type RunningRedemption struct{ ID, Rail string }

// RunningRedemptions lists up to limit redemptions under way after one, by id.
func (s *Store) RunningRedemptions(ctx context.Context, after string, limit int) (all []RunningRedemption, err error) {
	err = collect(ctx, s.pool, &all, `SELECT id::text, rail FROM redemption WHERE state IN ('intended', 'sent', 'unknown', 'submitted') AND ($1 = '' OR id > $1::text::uuid) ORDER BY id LIMIT $2`,
		pgx.RowToStructByPos[RunningRedemption], after, limit)
	if err != nil {
		return nil, fmt.Errorf("list redemptions under way: %w", err)
	}
	return all, nil
}

// RedemptionOf returns the redemption that an event of a rail names, "" where there is none.
func (s *Store) RedemptionOf(ctx context.Context, rail, reference, railID string) (id string, err error) {
	var ids []string
	err = collect(ctx, s.pool, &ids, `SELECT id::text FROM redemption WHERE rail = $1 AND (id = id_of($2) OR $2 = '' AND rail_id <> '' AND rail_id = $3)`, pgx.RowTo[string], rail, reference, railID)
	if err != nil {
		return "", fmt.Errorf("find a redemption of %s: %w", rail, err)
	}
	if len(ids) != 1 {
		return "", nil
	}
	return ids[0], nil
}
