package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeFilesToday is the code of a file more than the bank takes on a day: it is built on the next.
const CodeFilesToday incentive.Code = "files-today"

// traces is how many trace numbers there are before they begin anew.
const traces = 10_000_000 - 1

// FileNumber is what tells a file apart from others of its day, and its payments from all others.
type FileNumber struct {
	Number int   // of the day, from 1
	First  int64 // of its first payment, from 1
}

// NumberFile gives a file of a rail its number on a day, and its payments theirs; asked again on the day for no
// more payments it says the same. Its error is of code CodeFilesToday where there are aDay files already.
func (s *Store) NumberFile(ctx context.Context, rail, purpose string, day incentive.Date, payments, aDay int) (n FileNumber, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('file-number/' || $1, 0))`, rail); err != nil {
			return fmt.Errorf("wait for other files of %s: %w", rail, err)
		}
		err := tx.QueryRow(ctx, `SELECT number, first_trace FROM file_number WHERE rail = $1 AND purpose = $2 AND day = $3 AND payments >= $4`, rail, purpose, day, payments).Scan(&n.Number, &n.First)
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		var next int64
		err = tx.QueryRow(ctx, `SELECT coalesce(max(number) FILTER (WHERE day = $2), 0) + 1, coalesce(max(first_trace + payments), 1) FROM file_number WHERE rail = $1`, rail, day).Scan(&n.Number, &next)
		if err != nil {
			return fmt.Errorf("read the numbers of files of %s: %w", rail, err)
		}
		if n.Number > aDay {
			return incentive.Errorf(CodeFilesToday, "the bank takes %d files a day, and there are as many: the next is built tomorrow", aDay)
		}
		// The numbers within a file rise, so that it begins anew where they would not.
		if used := (next - 1) % (traces + 1); used+int64(payments) > traces {
			next += traces + 1 - used
		}
		n.First = next
		_, err = tx.Exec(ctx, `
			INSERT INTO file_number (rail, purpose, day, number, first_trace, payments) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (rail, purpose) DO UPDATE SET day = excluded.day, number = excluded.number, first_trace = excluded.first_trace, payments = excluded.payments`, rail, purpose, day, n.Number, n.First, payments)
		return err
	})
	if err != nil && incentive.ErrorCode(err) == incentive.CodeInternal {
		err = fmt.Errorf("number a file of %s: %w", rail, err)
	}
	return n, err
}

// NameTraced says of outcomes which payouts, or prenotes, they are about where the bank speaks of these by
// trace numbers: of those that had one, the latest, and one of the amount that the bank names
// before others. An outcome of none of ours stays as it is.
func (s *Store) NameTraced(ctx context.Context, rail string, outcomes []PayoutOutcome) error {
	var numbers []int
	var traced []string
	var minor []int64
	for i, o := range outcomes {
		if o.PayoutID == "" && o.Trace != "" {
			numbers, traced, minor = append(numbers, i), append(traced, o.Trace), append(minor, o.Amount.Minor)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT ON (said.number) said.number, ours.payout, ours.prenote, ours.destination
		FROM unnest($2::int[], $3::text[], $4::bigint[]) said (number, trace, minor) JOIN LATERAL (
			SELECT t.payout_id::text AS payout, '' AS prenote, 0::bigint AS destination, o.amount_minor, f.built_at
			FROM payment_trace t JOIN payment_file f ON f.id = t.file_id AND f.rail = $1 JOIN payout o ON o.id = t.payout_id WHERE t.trace = said.trace
			UNION ALL
			SELECT '', t.id::text, t.destination_id, 0, f.built_at FROM prenote t JOIN prenote_file f ON f.id = t.file_id AND f.rail = $1 WHERE t.trace = said.trace) ours ON true
		ORDER BY said.number, ours.amount_minor = said.minor DESC, ours.built_at DESC`, rail, numbers, traced, minor)
	if err != nil {
		return fmt.Errorf("find what a bank of %s speaks of: %w", rail, err)
	}
	var number int
	var payout string
	var prenote Prenote
	if _, err = pgx.ForEachRow(rows, []any{&number, &payout, &prenote.ID, &prenote.DestinationID}, func() error {
		outcomes[number].PayoutID, outcomes[number].Prenote = payout, prenote
		return nil
	}); err != nil {
		return fmt.Errorf("find what a bank of %s speaks of: %w", rail, err)
	}
	return nil
}

// PresumePaid notes, as of a day, that what was submitted by a payment file counts as paid, since its bank
// has said nothing else. What the bank left unclear waits for a person. Doing it again changes nothing.
func (s *Store) PresumePaid(ctx context.Context, fileID string, on incentive.Date) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		payouts, err := lockOrders(ctx, tx, ` JOIN payment_file f ON `+ofFile+`
			WHERE f.id = id_of($1) AND f.confirmed_at IS NOT NULL AND o.batch > 0 AND o.state = 'submitted' AND o.reason <> $2`, fileID, CodeBankUnclear)
		if err != nil || len(payouts) == 0 {
			return err
		}
		if err := moveOn(ctx, tx, true, on, payouts...); err != nil {
			return err
		}
		return audit(ctx, tx, System, "presume-paid", "payment-file/"+fileID, struct {
			Payouts int `json:"payouts"`
		}{len(payouts)})
	})
}
