package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// PaymentFile is a file that a person takes to a bank or payroll system.
type PaymentFile struct {
	ID          string
	PeriodID    string
	Revision    int
	Supplement  int // the payout list that it pays
	Rail        string
	Currency    incentive.Currency
	Name        string
	MessageID   string
	Content     []byte
	SHA256      []byte
	Payouts     int
	TotalMinor  int64
	BuiltAt     time.Time
	ConfirmedBy string
	ConfirmedAt *time.Time
	Settled     bool              // none of its payouts waits to be carried out any more
	Unpaid      int               // payouts of its list that it did not pay, and that PayAgain can have another file pay
	EffectiveOn incentive.Date    // when the bank is asked to pay; zero where the file does not say
	Traces      map[string]string // by payout, where the bank speaks of payments by numbers: kept, not read
}

// KeepPaymentFile stores the one file of a run, rail and currency and returns what
// stands, without the content: a file built before is kept as it was. While the period is on hold it refuses
// with incentive.CodeOnHold.
func (s *Store) KeepPaymentFile(ctx context.Context, f PaymentFile) (PaymentFile, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if err := refuseOnHold(ctx, tx, f.PeriodID, f.Revision); err != nil {
			return err
		}
		if err := refuseSendingLocked(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO payment_file (period_id, revision, supplement, rail, currency, name, message_id, content, sha256, payouts, total_minor, effective_on)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (period_id, revision, supplement, rail, currency) DO NOTHING`,
			f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency, f.Name, f.MessageID, f.Content, f.SHA256, f.Payouts, f.TotalMinor, f.EffectiveOn)
		if err != nil {
			return fmt.Errorf("keep payment file %s: %w", f.Name, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		_, err = tx.Exec(ctx, `SELECT FROM payout WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND rail = $4 AND currency = $5 AND state = 'planned' ORDER BY id FOR UPDATE`,
			f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency)
		if err != nil {
			return fmt.Errorf("lock what payment file %s pays: %w", f.Name, err)
		}
		tag, err = tx.Exec(ctx, `
			INSERT INTO payout_attempt (payout_id, number, state)
			SELECT o.id, 1, 'intended' FROM payout o
			WHERE o.period_id = $1 AND o.revision = $2 AND o.supplement = $3 AND o.rail = $4 AND o.currency = $5 AND o.state = 'planned' AND o.batch > 0 AND NOT `+notPayable+`
			ON CONFLICT DO NOTHING`, f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency)
		if err != nil {
			return fmt.Errorf("write down the attempts of payment file %s: %w", f.Name, err)
		}
		if planned := tag.RowsAffected(); planned != int64(f.Payouts) {
			return fmt.Errorf("%d payouts are planned, and payment file %s holds %d: it must be built again", planned, f.Name, f.Payouts)
		}
		traced := slices.Sorted(maps.Keys(f.Traces))
		numbers := make([]string, len(traced))
		for i, payout := range traced {
			numbers[i] = f.Traces[payout]
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO payment_trace (file_id, payout_id, trace) SELECT f.id, t.payout, t.trace FROM payment_file f, unnest($2::text[]::uuid[], $3::text[]) t (payout, trace) WHERE f.message_id = $1`, f.MessageID, traced, numbers)
		if err != nil {
			return fmt.Errorf("write down the numbers of payment file %s: %w", f.Name, err)
		}
		return audit(ctx, tx, System, "build-file", incentive.PeriodSubject(f.PeriodID, f.Revision), struct {
			Rail   string `json:"rail"`
			SHA256 string `json:"sha256"`
		}{f.Rail, fmt.Sprintf("%x", f.SHA256)})
	})
	if err != nil {
		return f, err
	}
	rows, err := s.pool.Query(ctx, paymentFileColumns+` WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND rail = $4 AND currency = $5`, f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency)
	if err != nil {
		return f, fmt.Errorf("read payment file %s: %w", f.Name, err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PaymentFile])
}

// paymentFileColumns has an empty content: that of a large period has megabytes.
var paymentFileColumns = `SELECT id::text, period_id, revision, supplement, rail, currency, name, message_id, ''::bytea, ` + paymentFileRest

var paymentFileRest = `sha256, payouts, total_minor, built_at, coalesce(confirmed_by, ''), confirmed_at, ` + settledFile + `, ` + unpaidByFile + `, effective_on, NULL::jsonb FROM payment_file f`

// ofFile is the SQL of whether a payout o is on the list of which a payment_file f was built.
const ofFile = `(f.period_id, f.revision, f.supplement, f.rail, f.currency) = (o.period_id, o.revision, o.supplement, o.rail, o.currency)`

// filed is the SQL of whether a payment file was built of the list of a payout o.
const filed = `EXISTS (SELECT FROM payment_file f WHERE ` + ofFile + `)`

// settledFile is the SQL of a payment_file f of which no payout waits to be carried out.
const settledFile = `NOT EXISTS (SELECT FROM payout o WHERE o.batch > 0 AND o.state IN ('planned', 'submitted') AND ` + ofFile + `)`

// unpaid is the SQL of a payout o of a payment file's list that neither is paid nor may have been: its bank has refused it or sent
// it back, or it was left out of the file; and nobody has asked anything about it.
var unpaid = `o.batch > 0 AND o.state IN ('failed', 'returned') AND o.reason <> '` + string(CodeBankUnclear) + `' AND ` + noLiveAttempt("o.id") + `
	AND NOT EXISTS (SELECT FROM payout_proposal pp WHERE pp.payout_id = o.id AND ` + undecidedProposal + `) AND NOT EXISTS (SELECT FROM payout_redirection r WHERE r.payout_id = o.id AND ` + undecided + `)`

// unpaidByFile is the SQL of how many payouts of a payment_file f's list are unpaid while its period can pay them.
var unpaidByFile = `(SELECT count(*)::int FROM payout o JOIN period_revision p USING (period_id, revision)
	WHERE ` + ofFile + ` AND p.state IN ('released', 'disbursing', 'settling') AND ` + unpaid + `)`

// PayAgain has the period of a payment file pay what the file did not: its unpaid payouts are given up, and what is owed to those whose they
// are is planned anew, by the policy and to the destinations of now, on the payout list of the period that is to be released. Whoever has that
// done does not release it. Asked again by the same person it changes nothing.
func (s *Store) PayAgain(ctx context.Context, actor, fileID, reasonID string) (PaymentFile, error) {
	if reasonID == "" {
		return PaymentFile{}, incentive.Errorf(CodeReasonMissing, "to pay by another file needs a reason")
	}
	f, err := s.PaymentFile(ctx, fileID)
	if err != nil {
		return PaymentFile{}, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		p, err := lockStanding(ctx, tx, f.PeriodID)
		if err != nil {
			return err
		}
		if p.Revision != f.Revision || !slices.Contains(supplemented, p.State) {
			return incentive.Errorf(incentive.CodeConflict, "this is possible until the period is closed: after that cancel the payouts, and the next period pays them")
		}
		rows, err := tx.Query(ctx, `
			UPDATE payout SET state = 'cancelled', again_by = $6, again_reason_id = $7::text::uuid WHERE id IN (
				SELECT o.id FROM payout o WHERE (o.period_id, o.revision, o.supplement, o.rail, o.currency) = ($1, $2, $3, $4, $5) AND `+unpaid+` ORDER BY o.id FOR UPDATE)
			RETURNING participant_id`, f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency, actor, reasonID)
		if err != nil {
			return fmt.Errorf("give up what payment file %s did not pay: %w", fileID, err)
		}
		whose, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("give up what payment file %s did not pay: %w", fileID, err)
		}
		if len(whose) == 0 {
			var again bool
			err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM payout o WHERE (period_id, revision, supplement, rail, currency, again_by) = ($1, $2, $3, $4, $5, $6))`, f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency, actor).Scan(&again)
			if err == nil && !again {
				err = incentive.Errorf(incentive.CodeConflict, "there is nothing that this file did not pay and that can be paid by another one now")
			}
			return err
		}
		slices.Sort(whose)
		if err := planAgain(ctx, tx, p, slices.Compact(whose)...); err != nil {
			return err
		}
		return audit(ctx, tx, actor, "pay-again", "payment-file/"+f.ID, struct {
			ReasonID string `json:"reason_id"`
			Payouts  int    `json:"payouts"`
		}{reasonID, len(whose)})
	})
	if err != nil {
		return PaymentFile{}, err
	}
	return s.PaymentFile(ctx, f.ID)
}

// PaymentFiles returns up to limit payment files of a revision after a file's id, without
// their content, by payout list, rail and currency.
func (s *Store) PaymentFiles(ctx context.Context, periodID string, revision int, after string, limit int) ([]PaymentFile, error) {
	rows, err := s.pool.Query(ctx, paymentFileColumns+`
		WHERE period_id = $1 AND revision = $2 AND ($3 = '' OR (supplement, rail, currency) > (SELECT f.supplement, f.rail, f.currency FROM payment_file f WHERE f.id = id_of($3))) ORDER BY supplement, rail, currency LIMIT $4`,
		periodID, revision, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the payment files of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PaymentFile])
}

// FilesOfRail returns a revision's payment files by one rail, one for each payout list and
// currency, without their content.
func (s *Store) FilesOfRail(ctx context.Context, periodID string, revision int, rail string) ([]PaymentFile, error) {
	rows, err := s.pool.Query(ctx, paymentFileColumns+` WHERE period_id = $1 AND revision = $2 AND rail = $3 ORDER BY supplement, currency`, periodID, revision, rail)
	if err != nil {
		return nil, fmt.Errorf("list the payment files of %s by %s: %w", periodID, rail, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PaymentFile])
}

// PaymentFile returns one payment file, of code CodeFileUnknown where there is none.
func (s *Store) PaymentFile(ctx context.Context, id string) (PaymentFile, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id::text, period_id, revision, supplement, rail, currency, name, message_id, content, `+paymentFileRest+` WHERE id = id_of($1)`, id)
	if err != nil {
		return PaymentFile{}, fmt.Errorf("read payment file %s: %w", id, err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PaymentFile])
	if errors.Is(err, pgx.ErrNoRows) {
		return f, incentive.Errorf(CodeFileUnknown, "there is no payment file %q", id)
	}
	return f, err
}

// ConfirmFile notes, once, that a person has taken the file to the bank (paid false), or
// that the bank has carried it out (paid true). No file of a period on hold is taken.
func (s *Store) ConfirmFile(ctx context.Context, actor, fileID string, paid bool) (PaymentFile, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var periodID, rail, currency string
		var revision, supplement int
		var confirmed bool
		err := tx.QueryRow(ctx, `SELECT period_id, revision, supplement, rail, currency, confirmed_at IS NOT NULL FROM payment_file WHERE id = id_of($1) FOR UPDATE`, fileID).
			Scan(&periodID, &revision, &supplement, &rail, &currency, &confirmed)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(CodeFileUnknown, "there is no payment file %q", fileID)
		}
		if err != nil {
			return fmt.Errorf("read payment file %s: %w", fileID, err)
		}
		if err := refusePreparer(ctx, tx, periodID, revision, actor, "confirm the payment file of"); err != nil {
			return err
		}
		if paid && !confirmed {
			return incentive.Errorf(incentive.CodeConflict, "the file has not been confirmed as taken to the bank yet")
		}
		act, subject := "confirm-file", "payment-file/"+fileID
		if paid {
			act = "settle-file"
		}
		var done bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit_event WHERE subject = $1 AND act = $2)`, subject, act).Scan(&done); err != nil || done {
			return err
		}
		if !paid {
			if err := refuseOnHold(ctx, tx, periodID, revision); err != nil {
				return err
			}
			if err := refuseSendingLocked(ctx, tx); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE payment_file SET confirmed_by = $2, confirmed_at = now() WHERE id = id_of($1) AND confirmed_at IS NULL`, fileID, actor)
			if err != nil {
				return fmt.Errorf("confirm payment file %s: %w", fileID, err)
			}
			_, err = tx.Exec(ctx, `
				UPDATE payout_attempt a SET state = 'confirmed', rail_id = f.message_id, sent_at = now(), finished_at = now()
				FROM payout o JOIN payment_file f USING (period_id, revision, supplement, rail, currency)
				WHERE f.id = id_of($1) AND a.payout_id = o.id AND a.state = 'intended' AND o.batch > 0`, fileID)
			if err != nil {
				return fmt.Errorf("confirm the payouts of payment file %s: %w", fileID, err)
			}
		}
		inFile := `o.period_id = $1 AND o.revision = $2 AND o.supplement = $3 AND o.rail = $4 AND o.currency = $5 AND o.batch > 0`
		if err := advance(ctx, tx, paid, inFile, periodID, revision, supplement, rail, currency); err != nil {
			return err
		}
		return audit(ctx, tx, actor, act, subject, struct{}{})
	})
	if err != nil {
		return PaymentFile{}, err
	}
	return s.PaymentFile(ctx, fileID)
}
