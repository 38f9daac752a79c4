package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// CodeRecalled is why a payout failed or came back that finance has had its rail give back.
const CodeRecalled incentive.Code = "recalled"

// RecallState is where the recall of a payout stands.
type RecallState string

// The states of a recall.
const (
	RecallConfirmed RecallState = "confirmed" // by a second person
	RecallSent      RecallState = "sent"      // the rail has been asked, or is about to be
	RecallDone      RecallState = "done"
	RecallRefused   RecallState = "refused" // the rail does not give it back: the payout stands as before
	RecallUnclear   RecallState = "unclear" // the rail contradicts our record
)

// Recall is what a rail is asked to give back of what it has taken.
type Recall struct {
	ID        string // its key at the rail
	Amount    incentive.Money
	Reference string // of the attempt, by which the rail is looked up
	RailID    string
	State     RecallState
	Code      string // of why it was refused or is unclear
	SentAt    *time.Time
	Before    int64 // what earlier recalls have brought back of the attempt, in minor units
	Order     PaymentOrder
}

// recalledOf sums, by SQL of an attempt's payout and number, what recalls have brought back in
// part, and what one that is under way is to bring.
func recalledOf(payout, number string) (done, underWay string) {
	of := `FROM payout_recall rc WHERE rc.payout_id = ` + payout + ` AND rc.number = ` + number + ` AND `
	return `(SELECT coalesce(sum(rc.amount_minor), 0)::bigint ` + of + `rc.in_part)`, `(SELECT coalesce(sum(rc.amount_minor), 0)::bigint ` + of + `rc.state IN ('confirmed', 'sent'))`
}

// recallable refuses to take amount back of a payout of which the rail has less, or nothing to
// give back, or not any more; whole says that the rail knows no part. It returns the attempt.
func recallable(ctx context.Context, tx pgx.Tx, payoutID string, amount int64, whole bool) (number int, err error) {
	var state, reason, currency string
	var paid, before int64
	var underWay bool
	done, _ := recalledOf("a.payout_id", "a.number")
	err = tx.QueryRow(ctx, `
		SELECT o.state, o.reason, o.currency, o.amount_minor, a.number, `+done+`, EXISTS (SELECT FROM payout_recall r WHERE r.payout_id = o.id AND r.state IN ('confirmed', 'sent'))
		FROM payout o JOIN payout_attempt a ON a.payout_id = o.id AND a.state = 'confirmed' AND a.rail_id <> '' WHERE o.id = $1`, payoutID).
		Scan(&state, &reason, &currency, &paid, &number, &before, &underWay)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("look what of payout %s can be taken back: %w", payoutID, err)
	}
	left := incentive.Money{Minor: paid - before, Currency: incentive.Currency(currency)}
	switch {
	case err != nil || state != "paid" && state != "submitted" || state == "submitted" && !whole:
		return 0, incentive.Errorf(incentive.CodeConflict, "the rail has nothing of this payout that it could give back: it is not paid, or has come back")
	case reason == string(CodeBankUnclear):
		return 0, incentive.Errorf(incentive.CodeConflict, "it is unclear how this payout stands at the rail: look into that first, and clear it")
	case underWay:
		return 0, incentive.Errorf(incentive.CodeConflict, "the rail is being asked to give back of this payout already: wait for its answer")
	case amount <= 0 || amount > left.Minor:
		return 0, incentive.Errorf(incentive.CodeInvalid, "an amount from the smallest unit to %s can be taken back of this payout", left)
	case whole && amount != left.Minor:
		return 0, incentive.Errorf(incentive.CodeInvalid, "the rail gives back the whole of it or nothing: %s", left)
	}
	return number, nil
}

// ProposeRecall asks for a rail to give back what it has taken of a payout, or with an amount
// above zero a part of it, which somebody else confirms. whole says that the rail can give the
// whole back, also before it has paid it, and no part; other rails give back what they paid.
func (s *Store) ProposeRecall(ctx context.Context, actor, payoutID, reasonID string, amount incentive.Money, whole bool) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "taking a payout back needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		payee, _, _, err := lockPayout(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		var currency incentive.Currency
		var left int64
		if err := tx.QueryRow(ctx, `SELECT currency, amount_minor - (SELECT coalesce(sum(r.amount_minor), 0)::bigint FROM payout_recall r WHERE r.payout_id = o.id AND r.in_part AND r.times_back = o.times_back) FROM payout o WHERE id = $1`, payoutID).Scan(&currency, &left); err != nil {
			return fmt.Errorf("read payout %s: %w", payoutID, err)
		}
		if amount == (incentive.Money{}) {
			amount = incentive.Money{Minor: left, Currency: currency}
		}
		if amount.Currency != currency {
			return incentive.Errorf(incentive.CodeInvalid, "the payout is in %s: write an amount in that", currency)
		}
		if again, err := askedAlready(ctx, tx, payoutID, request{act: recallPayout, by: actor, reasonID: reasonID, amount: amount.Minor}); again || err != nil {
			return err
		}
		if _, err := recallable(ctx, tx, payoutID, amount.Minor, whole); err != nil {
			return err
		}
		return propose(ctx, tx, actor, payee, recallPayout, payoutID, reasonID, &amount.Minor)
	})
}

// beginRecall writes a recall down that a second person has confirmed. What the rail can do is
// looked at when it is asked.
func beginRecall(ctx context.Context, tx pgx.Tx, payoutID, id string, amount int64) error {
	if err := refuseSendingLocked(ctx, tx); err != nil {
		return err
	}
	var state string
	if err := tx.QueryRow(ctx, `SELECT state FROM payout WHERE id = $1`, payoutID).Scan(&state); err != nil {
		return fmt.Errorf("read payout %s: %w", payoutID, err)
	}
	number, err := recallable(ctx, tx, payoutID, amount, state == "submitted")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO payout_recall (id, payout_id, number, times_back, amount_minor) SELECT $1, id, $3, times_back, $4 FROM payout WHERE id = $2`, id, payoutID, number, amount)
	if err != nil {
		return fmt.Errorf("write the recall of payout %s down: %w", payoutID, err)
	}
	return nil
}

// OpenRecalls returns the recalls whose end is not known, of any payout, with their rails.
func (s *Store) OpenRecalls(ctx context.Context) (rails map[string]string, err error) {
	rows, err := s.pool.Query(ctx, `SELECT r.id::text, o.rail FROM payout_recall r JOIN payout o ON o.id = r.payout_id WHERE r.state IN ('confirmed', 'sent')`)
	if err != nil {
		return nil, fmt.Errorf("list open recalls: %w", err)
	}
	rails = map[string]string{}
	var id, rail string
	if _, err = pgx.ForEachRow(rows, []any{&id, &rail}, func() error { rails[id] = rail; return nil }); err != nil {
		err = fmt.Errorf("list open recalls: %w", err)
	}
	return rails, err
}

// Recall returns a recall.
func (s *Store) Recall(ctx context.Context, id string) (r Recall, err error) {
	done, _ := recalledOf("r.payout_id", "r.number")
	columns := append([]any{&r.ID, &r.Amount.Minor, &r.Amount.Currency, &r.Reference, &r.RailID, &r.State, &r.Code, &r.SentAt, &r.Before}, r.Order.columns()...)
	err = s.pool.QueryRow(ctx, `
		SELECT r.id::text, r.amount_minor, o.currency, a.key::text, a.rail_id, r.state, r.code, r.sent_at, `+done+`, `+orderColumns+`
		FROM payout_recall r JOIN payout o ON o.id = r.payout_id JOIN payout_attempt a ON a.payout_id = r.payout_id AND a.number = r.number WHERE r.id = id_of($1)`, id).Scan(columns...)
	if err != nil {
		err = fmt.Errorf("read recall %s: %w", id, err)
	}
	return r, err
}

// SendRecall notes, before the call, that the rail is about to be asked. The time of the first
// call stays. sent is false where the end of the recall is known.
func (s *Store) SendRecall(ctx context.Context, id string) (sent bool, err error) {
	tag, err := s.pool.Exec(ctx, `UPDATE payout_recall SET state = 'sent', sent_at = coalesce(sent_at, now()) WHERE id = id_of($1) AND state IN ('confirmed', 'sent')`, id)
	if err != nil {
		return false, fmt.Errorf("send recall %s: %w", id, err)
	}
	return tag.RowsAffected() > 0, nil
}

// FinishRecall notes, once, what came of a recall: done with what the rail says of the payout
// since, refused, or unclear, which a person looks into. A part that came back is owed again
// while the payout stays paid; a whole that came back makes the payout an exception, or where
// parts had come back before, and may have been paid again, ends it.
func (s *Store) FinishRecall(ctx context.Context, id string, state RecallState, code string, o PayoutOutcome) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var payoutID string
		var askedBy []string
		var timesBack int
		var amount int64
		err := tx.QueryRow(ctx, `SELECT r.payout_id::text, ARRAY[d.proposed_by, d.decided_by], r.times_back, r.amount_minor FROM payout_recall r JOIN proposal_decision d ON d.proposal_id = r.id WHERE r.id = id_of($1)`, id).
			Scan(&payoutID, &askedBy, &timesBack, &amount)
		if err != nil {
			return fmt.Errorf("read recall %s: %w", id, err)
		}
		// The attempt is locked before its payout, as whoever submits it does.
		if _, err := tx.Exec(ctx, `SELECT FROM payout_attempt WHERE payout_id = $1 ORDER BY number FOR UPDATE`, payoutID); err != nil {
			return fmt.Errorf("lock the attempts of payout %s: %w", payoutID, err)
		}
		orders, err := lockOrders(ctx, tx, `WHERE o.id = $1`, payoutID)
		if err != nil {
			return err
		}
		payout := orders[0]
		part := state == RecallDone && o.State == "paid" && payout.State == "paid" && payout.TimesBack == timesBack
		tag, err := tx.Exec(ctx, `UPDATE payout_recall SET state = $2, in_part = $3, code = $4, finished_at = now() WHERE id = id_of($1) AND state IN ('confirmed', 'sent')`, id, state, part, code)
		if err != nil {
			return fmt.Errorf("finish recall %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		switch {
		case part:
			back := entry{
				key:      payout.posting("recalled") + "/" + id,
				kind:     "recalled",
				periodID: payout.PeriodID,
				revision: payout.Revision,
				amount:   incentive.Money{Minor: amount, Currency: payout.Amount.Currency},
				debit:    account{kind: Cash},
				credit:   account{kind: Payable, participant: payout.ParticipantID},
			}
			err = post(ctx, tx, back)
		case state == RecallDone && o.State != "paid":
			_, err = settle(ctx, tx, payout, o)
		case state == RecallUnclear:
			_, err = unclear(ctx, tx, payout)
		}
		if err != nil {
			return err
		}
		if err := tellOfRecall(ctx, tx, id, state, payout, askedBy); err != nil {
			return err
		}
		return audit(ctx, tx, System, "end-recall", "payout/"+payoutID, struct {
			RecallID string      `json:"recall_id"`
			State    RecallState `json:"state"`
			Code     string      `json:"code,omitempty"`
		}{id, state, code})
	})
}

// tellOfRecall tells those of finance who had a payout taken back how that ended, and whoever
// was paid where something came back.
func tellOfRecall(ctx context.Context, tx pgx.Tx, id string, state RecallState, payout PaymentOrder, askedBy []string) error {
	kinds := map[RecallState]notice.Kind{RecallDone: notice.RecallDone, RecallRefused: notice.RecallRefused, RecallUnclear: notice.RecallUnclear}
	told := Notification{Kind: kinds[state], Subject: "payout/" + payout.ID, Key: "recall/" + id}
	for _, told.Recipient = range askedBy {
		if err := notify(ctx, tx, told); err != nil {
			return err
		}
	}
	if state != RecallDone {
		return nil
	}
	told.Recipient, told.Kind = payout.ParticipantID, notice.PayoutTakenBack
	return notify(ctx, tx, told)
}
