package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// CodeBankUnclear is why a person must look at a payout before anything else is done: the
// bank contradicts itself, its file or our records.
const CodeBankUnclear incentive.Code = "bank-unclear"

// CodeStatusFileUnknown is the code of a bank's file that is not here.
const CodeStatusFileUnknown incentive.Code = "status-file-unknown"

// StatusFile is what a bank said of payment files, as it came.
type StatusFile struct {
	ID         string
	Rail       string
	Name       string
	SHA256     []byte
	UploadedBy string
	UploadedAt time.Time
	Foreign    int // outcomes of payments that are not ours
	Prenotes   int // outcomes of prenotes
	AppliedAt  *time.Time
}

// PayoutOutcome is what a bank says of a payout or, without PayoutID, of each payout of
// the payment file MessageID of which it says nothing else.
type PayoutOutcome struct {
	PayoutID   string
	MessageID  string
	Trace      string  // by which the bank speaks of the payout, which NameTraced names
	Prenote    Prenote // that it is about instead
	State      string  // submitted, paid, refused or returned; "" where nothing follows
	Unclear    bool    // a person must look before anything else is done
	Code       string
	Reason     string
	Amount     incentive.Money // zero where the bank does not say
	Reversed   int64           // of a payment that stands: how much of Amount has come back, in its minor units
	On         incentive.Date  // zero where the bank does not say
	BadAccount bool            // of what is refused or returned: nothing can be paid to the account

	Correction *Destination // of a payment that stands: where its recipient's money goes as the bank has it now
}

// AppliedOutcome is what an outcome of a status file changed: Effect is the state into
// which the payout went, none, unclear, or a correction of its destination that somebody decides about.
type AppliedOutcome struct {
	PayoutID string
	PeriodID string
	Revision int
	State    string
	Code     string
	Reason   string
	Effect   string
}

// KeepStatusFile stores a bank's file, encrypted. A file whose content is here already is
// not stored again: what stands is returned.
func (s *Store) KeepStatusFile(ctx context.Context, f StatusFile, content []byte) (StatusFile, error) {
	digest := sha256.Sum256(content)
	version, sealed, err := s.keys.encrypt(content, statusFileSecret(digest[:]))
	if err != nil {
		return f, err
	}
	var id string
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO status_file (rail, name, sha256, key_version, content, uploaded_by) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (rail, sha256) DO NOTHING RETURNING id::text`, f.Rail, f.Name, digest[:], version, sealed, f.UploadedBy).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.QueryRow(ctx, `SELECT id::text FROM status_file WHERE rail = $1 AND sha256 = $2`, f.Rail, digest[:]).Scan(&id)
		}
		if err != nil {
			return fmt.Errorf("keep the bank's file %s: %w", f.Name, err)
		}
		return audit(ctx, tx, f.UploadedBy, "upload-status-file", "status-file/"+id, struct {
			Rail   string `json:"rail"`
			SHA256 string `json:"sha256"`
		}{f.Rail, fmt.Sprintf("%x", digest)})
	})
	if err != nil {
		return f, err
	}
	f, _, err = s.StatusFile(ctx, id)
	return f, err
}

func statusFileSecret(digest []byte) string { return fmt.Sprintf("status-file/%x", digest) }

// StatusFile returns a bank's file with its content.
func (s *Store) StatusFile(ctx context.Context, id string) (f StatusFile, content []byte, err error) {
	var version int
	var sealed []byte
	err = s.pool.QueryRow(ctx, `SELECT id::text, rail, name, sha256, uploaded_by, uploaded_at, foreign_outcomes, (SELECT count(*)::int FROM prenote_outcome o WHERE o.file_id = status_file.id), applied_at, key_version, content FROM status_file WHERE id = id_of($1)`, id).
		Scan(&f.ID, &f.Rail, &f.Name, &f.SHA256, &f.UploadedBy, &f.UploadedAt, &f.Foreign, &f.Prenotes, &f.AppliedAt, &version, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, nil, incentive.Errorf(CodeStatusFileUnknown, "there is no file of a bank %q", id)
	}
	if err != nil {
		return f, nil, fmt.Errorf("read the bank's file %s: %w", id, err)
	}
	content, err = s.keys.decryptFile(version, sealed, statusFileSecret(f.SHA256), f.SHA256)
	return f, content, err
}

// Outcomes returns what a status file changed, in its order.
func (s *Store) Outcomes(ctx context.Context, fileID string) ([]AppliedOutcome, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT o.id::text, o.period_id, o.revision, a.state, a.code, a.reason, a.effect FROM payout_outcome a JOIN payout o ON o.id = a.payout_id
		WHERE a.file_id = id_of($1) ORDER BY a.number, o.id`, fileID)
	if err != nil {
		return nil, fmt.Errorf("list the outcomes of the bank's file %s: %w", fileID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AppliedOutcome])
}

// ApplyOutcomes does, once, what a status file says: payouts move on, come back or become
// exceptions, with their postings. Whatever the order in which files come, the same is
// left in the end. Outcomes of payments that are not of the file's rail are counted only.
func (s *Store) ApplyOutcomes(ctx context.Context, fileID string, outcomes []PayoutOutcome) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var rail, by string
		var applied bool
		err := tx.QueryRow(ctx, `SELECT rail, uploaded_by, applied_at IS NOT NULL FROM status_file WHERE id = id_of($1) FOR UPDATE`, fileID).Scan(&rail, &by, &applied)
		if err != nil || applied {
			return err
		}
		named := []string{}
		for _, o := range outcomes {
			if o.PayoutID != "" {
				named = append(named, o.PayoutID)
			}
		}
		foreign, effects := 0, map[string]int{}
		for number, o := range outcomes {
			if o.Prenote.ID != "" {
				effect, err := s.answerPrenote(ctx, tx, fileID, number+1, rail, by, o)
				if err != nil {
					return err
				}
				effects["prenote-"+effect]++
				continue
			}
			payouts, err := concerned(ctx, tx, rail, o, named)
			if err != nil {
				return err
			}
			if len(payouts) == 0 {
				foreign++
			}
			if o.PayoutID == "" {
				o, payouts = ofTotal(o, payouts)
			}
			for _, payout := range payouts {
				effect, err := "", error(nil)
				if o.Correction != nil {
					effect, err = s.proposeCorrection(ctx, tx, fileID, number+1, by, payout.ParticipantID, payout.Rail, payout.DestinationID, o)
				} else {
					effect, err = settle(ctx, tx, payout, o)
				}
				if err != nil {
					return err
				}
				effects[effect]++
				_, err = tx.Exec(ctx, `INSERT INTO payout_outcome (file_id, number, payout_id, state, code, reason, said_on, effect) VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, $8)`,
					fileID, number+1, payout.ID, o.State, o.Code, o.Reason, o.On, effect)
				if err != nil {
					return fmt.Errorf("keep what the bank says of payout %s: %w", payout.ID, err)
				}
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE status_file SET foreign_outcomes = $2, applied_at = now() WHERE id = id_of($1)`, fileID, foreign); err != nil {
			return fmt.Errorf("note that the bank's file %s was applied: %w", fileID, err)
		}
		return audit(ctx, tx, by, "apply-status-file", "status-file/"+fileID, effects)
	})
}

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// SubmittedPayout is a payout that a rail has taken, with the reference to look it up by.
type SubmittedPayout struct {
	PayoutID  string
	Reference string
}

// SubmittedPayouts lists the payouts of a rail that it has taken and that are not paid.
func (s *Store) SubmittedPayouts(ctx context.Context, periodID string, revision int, rail string) ([]SubmittedPayout, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT o.id::text, a.key::text FROM payout o JOIN payout_attempt a ON a.payout_id = o.id AND a.state = 'confirmed'
		WHERE o.period_id = $1 AND o.revision = $2 AND o.rail = $3 AND o.batch > 0 AND o.state = 'submitted' ORDER BY o.id`, periodID, revision, rail)
	if err != nil {
		return nil, fmt.Errorf("list the submitted payouts of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[SubmittedPayout])
}

// SettlePayout does what a look-up at the rail says became of a submitted payout. Doing
// it again changes nothing.
func (s *Store) SettlePayout(ctx context.Context, o PayoutOutcome) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		submitted, err := lockOrders(ctx, tx, `WHERE o.id = $1 AND o.state = 'submitted'`, o.PayoutID)
		if err != nil || len(submitted) == 0 {
			return err
		}
		_, err = settle(ctx, tx, submitted[0], o)
		return err
	})
}

// concerned locks and returns the released payouts of the rail that an outcome is about.
func concerned(ctx context.Context, tx pgx.Tx, rail string, o PayoutOutcome, named []string) ([]PaymentOrder, error) {
	which, arguments := ` WHERE o.rail = $1 AND o.batch > 0 AND o.id = $2::text::uuid`, []any{rail, o.PayoutID}
	switch {
	case o.PayoutID == "":
		// What is in the file has an attempt since the file was built.
		which = ` JOIN payment_file f ON ` + ofFile + `
			WHERE o.rail = $1 AND o.batch > 0 AND f.message_id = $2 AND NOT o.id::text = ANY($3) AND EXISTS (SELECT FROM payout_attempt a WHERE a.payout_id = o.id)`
		arguments = []any{rail, o.MessageID, named}
	case !uuidText.MatchString(o.PayoutID):
		return nil, nil
	}
	return lockOrders(ctx, tx, which, arguments...)
}

// ofTotal says what an outcome of a whole file means for each of its payouts. The bank
// may have left those out that it refused before; any other total is for a person.
func ofTotal(o PayoutOutcome, payouts []PaymentOrder) (PayoutOutcome, []PaymentOrder) {
	total := o.Amount
	o.Amount = incentive.Money{}
	if total == o.Amount {
		return o, payouts
	}
	sum := func(some []PaymentOrder) (sum incentive.Money) {
		for _, payout := range some {
			sum = incentive.Money{Minor: sum.Minor + payout.Amount.Minor, Currency: payout.Amount.Currency}
		}
		return sum
	}
	var left []PaymentOrder
	for _, payout := range payouts {
		if payout.State != "failed" && payout.State != "cancelled" {
			left = append(left, payout)
		}
	}
	if sum(left) == total {
		return o, left
	}
	o.Unclear = o.Unclear || sum(payouts) != total
	return o, payouts
}

// settle does what an outcome means for a payout, and returns its effect. Refused gives
// way to paid and paid to returned, whichever is said first; a bank that says both of the
// first two, or what does not fit the payout, leaves the payout to a person.
func settle(ctx context.Context, tx pgx.Tx, payout PaymentOrder, o PayoutOutcome) (effect string, err error) {
	attempt, err := lastAttempt(ctx, tx, payout.ID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", err
	}
	sent := err == nil
	differs := o.Amount != (incentive.Money{}) && o.Amount != payout.Amount
	reversed := attempt.State == Rejected || attempt.State == ReturnedAttempt
	if o.Unclear || o.State == "" || differs || !sent || payout.State == "cancelled" && o.State == "paid" {
		return unclear(ctx, tx, payout)
	}
	switch o.State {
	case "submitted", "paid":
		if payout.State == "paid" || payout.State == "returned" || o.State == payout.State || o.State == "submitted" && reversed {
			return "none", nil
		}
		if err := finish(ctx, tx, attempt, Confirmed, ""); err != nil {
			return "", err
		}
		if err := moveOn(ctx, tx, o.State == "paid", o.On, payout); err != nil {
			return "", err
		}
		if reversed {
			return unclear(ctx, tx, payout) // refused, and then paid
		}
		return o.State, nil
	case "refused":
		if reversed {
			return "none", nil
		}
		if payout.State == "paid" {
			var said bool
			err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM payout_outcome WHERE payout_id = $1 AND state = 'paid')`, payout.ID).Scan(&said)
			if err != nil {
				return "", fmt.Errorf("look for what the bank said of payout %s: %w", payout.ID, err)
			}
			if said {
				return unclear(ctx, tx, payout)
			}
		}
		if err := finish(ctx, tx, attempt, Rejected, o.Code); err != nil {
			return "", err
		}
		return "failed", comeBack(ctx, tx, payout, attempt, "failed", o)
	default: // returned
		if payout.State == "returned" || payout.State == "cancelled" {
			return "none", nil
		}
		if payout.State != "failed" {
			// Nobody is told that they were paid with what has come back already.
			if err := postPayment(ctx, tx, true, o.On, payout); err != nil {
				return "", err
			}
			payout.State = "paid"
		}
		if err := finish(ctx, tx, attempt, ReturnedAttempt, o.Code); err != nil {
			return "", err
		}
		return "returned", comeBack(ctx, tx, payout, attempt, "returned", o)
	}
}

// unclear leaves a payout as it is, for a person to look at.
func unclear(ctx context.Context, tx pgx.Tx, payout PaymentOrder) (effect string, err error) {
	if _, err := tx.Exec(ctx, `UPDATE payout SET reason = $2 WHERE id = $1`, payout.ID, CodeBankUnclear); err != nil {
		return "", fmt.Errorf("mark payout %s: %w", payout.ID, err)
	}
	return "unclear", nil
}

func finish(ctx context.Context, tx pgx.Tx, a Attempt, state AttemptState, code string) error {
	_, err := tx.Exec(ctx, `
		UPDATE payout_attempt SET state = $3, error_code = $4, sent_at = coalesce(sent_at, now()), finished_at = coalesce(finished_at, now()) WHERE payout_id = $1 AND number = $2`,
		a.PayoutID, a.Number, state, code)
	if err != nil {
		return fmt.Errorf("move the attempt of payout %s to %s: %w", a.PayoutID, state, err)
	}
	return nil
}

// comeBack makes a payout an exception and reverses what is posted of it: the participant
// is owed the amount again. Where parts of it were recalled before, only the rest is reversed,
// and the payout has ended: the next one pays what is owed. Where the account is why, nothing more is sent there.
func comeBack(ctx context.Context, tx pgx.Tx, payout PaymentOrder, attempt Attempt, state string, o PayoutOutcome) error {
	back := entry{kind: "refused", periodID: payout.PeriodID, revision: payout.Revision, amount: payout.Amount, effectiveOn: o.On,
		debit: account{kind: Clearing, rail: payout.Rail}, credit: account{kind: Payable, participant: payout.ParticipantID}}
	if payout.State == "paid" {
		back.kind, back.debit = "returned", account{kind: Cash}
	}
	back.key = payout.posting(back.kind)
	var before int64
	var recalling bool
	err := tx.QueryRow(ctx, `SELECT coalesce(sum(amount_minor) FILTER (WHERE in_part AND times_back = $2), 0)::bigint, coalesce(bool_or(state = 'sent'), false) FROM payout_recall WHERE payout_id = $1`, payout.ID, payout.TimesBack).
		Scan(&before, &recalling)
	if err != nil {
		return fmt.Errorf("sum what was recalled of payout %s: %w", payout.ID, err)
	}
	if back.amount.Minor -= before; before > 0 {
		state = "cancelled"
	}
	if recalling {
		o.Code = string(CodeRecalled)
	}
	times := 0
	if payout.State == "submitted" || payout.State == "paid" {
		if err := post(ctx, tx, back); err != nil {
			return err
		}
		times = 1
	}
	_, err = tx.Exec(ctx, `UPDATE payout SET state = $2, reason = $3, times_back = times_back + $4 WHERE id = $1`, payout.ID, state, o.Code, times)
	if err != nil {
		return fmt.Errorf("move payout %s to %s: %w", payout.ID, state, err)
	}
	if o.BadAccount {
		if err := refuseAccount(ctx, tx, payout, attempt.Number, o.Code); err != nil {
			return err
		}
	}
	if state != "returned" || recalling {
		return nil
	}
	return notify(ctx, tx, Notification{Recipient: payout.ParticipantID, Kind: notice.PayoutCameBack, Subject: "payout/" + payout.ID, Key: payout.posting("came-back")})
}
