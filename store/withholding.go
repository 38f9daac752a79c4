package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// notEarned are the kinds of journal entries that move what a participant is owed without
// changing what they earned.
var notEarned = append([]string{"withhold"}, movements...)

// movements are the kinds of journal entries by which payouts leave and come back.
var movements = []string{"submit", "refused", "returned", "recalled"}

// withheld is what is kept, or given back, of what a period has made payable to somebody.
type withheld struct {
	of, participant string
	currency        incentive.Currency
	base, amount    int64
	rate            decimal.Decimal
}

// withhold keeps as tax what the policy says of what has become payable, or is not any more,
// since it was last looked at: of the period, and of earlier ones of its calendar, of which a
// dispute may have let something go. A period that was released before there were any
// rates keeps what it paid then. The caller holds payableLock.
func withhold(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, some []string, rules policy.Payouts) error {
	var ever bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM withholding w JOIN pay_period p ON p.id = w.of_period_id WHERE p.calendar_id = $1)`, p.CalendarID).Scan(&ever); err != nil {
		return fmt.Errorf("look for what was withheld: %w", err)
	}
	if !ever && len(rules.Withholding) == 0 {
		return nil
	}
	var changes []withheld
	err := collect(ctx, tx, &changes, `
		WITH earned AS (
			SELECT e.period_id, a.participant_id, a.currency, -sum(t.amount_minor) AS now, -coalesce(sum(t.amount_minor) FILTER (WHERE e.revision < $3), 0) AS earlier
			FROM ledger_account a JOIN posting t ON t.account_id = a.id JOIN journal_entry e ON e.id = t.entry_id JOIN pay_period period ON period.id = e.period_id
			WHERE a.kind = $4 AND period.calendar_id = $1 AND NOT e.kind = ANY($5) AND ($6::text[] IS NULL OR a.participant_id = ANY($6))
			GROUP BY e.period_id, a.participant_id, a.currency),
		known AS (SELECT of_period_id AS period_id, participant_id, currency, (array_agg(base_minor ORDER BY id DESC))[1] AS before, sum(amount_minor) AS kept FROM withholding GROUP BY of_period_id, participant_id, currency)
		SELECT e.period_id, e.participant_id, e.currency, e.now::bigint, coalesce(k.before, e.earlier)::bigint, coalesce(k.kept, 0)::bigint, coalesce(f.kind, ''), coalesce(f.country, ''), coalesce(f.attributes ->> $7, '') <> ''
		FROM earned e LEFT JOIN known k USING (period_id, participant_id, currency)
			LEFT JOIN `+factToday("e")+`
		WHERE e.now <> coalesce(k.before, e.earlier) AND (e.period_id = $2 OR k.kept IS NOT NULL) ORDER BY e.period_id, e.participant_id COLLATE "C", e.currency`,
		func(row pgx.CollectableRow) (w withheld, err error) {
			var before, kept int64
			var kind incentive.ParticipantKind
			var country string
			var details bool
			err = row.Scan(&w.of, &w.participant, &w.currency, &w.base, &before, &kept, &kind, &country, &details)
			w.rate = rules.RateOf(kind, country, details)
			w.amount = policy.Withheld(w.base, before, kept, w.rate) - kept
			return w, err
		}, p.CalendarID, p.ID, p.Revision, Payable, notEarned, some, taxDetails)
	if err != nil {
		return fmt.Errorf("read what has become payable by %s: %w", p.ID, err)
	}
	return noteWithheld(ctx, tx, p, supplement, changes)
}

// giveBackWithheld undoes what was kept with the approval of a revision, whose postings are
// taken back.
func giveBackWithheld(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	var back []withheld
	err := collect(ctx, tx, &back, `
		SELECT w.participant_id, w.currency, -sum(w.amount_minor)::bigint, (
			SELECT -coalesce(sum(t.amount_minor), 0)::bigint FROM ledger_account a JOIN posting t ON t.account_id = a.id JOIN journal_entry e ON e.id = t.entry_id
			WHERE a.kind = $3 AND a.participant_id = w.participant_id AND a.currency = w.currency AND e.period_id = $1 AND NOT e.kind = ANY($4))
		FROM withholding w WHERE w.period_id = $1 AND w.revision = $2 AND w.of_period_id = $1 GROUP BY w.participant_id, w.currency ORDER BY w.participant_id COLLATE "C", w.currency`,
		func(row pgx.CollectableRow) (w withheld, err error) {
			w.of = p.ID
			err = row.Scan(&w.participant, &w.currency, &w.amount, &w.base)
			return w, err
		}, p.ID, p.Revision, Payable, notEarned)
	if err != nil {
		return fmt.Errorf("read what was withheld by %s: %w", p.ID, err)
	}
	return noteWithheld(ctx, tx, p, 0, back)
}

// noteWithheld notes and posts what is withheld with a payout list.
func noteWithheld(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, all []withheld) error {
	var of, participants, currencies []string
	var bases, amounts []int64
	var rates []decimal.Decimal
	for _, w := range all {
		of, participants, currencies = append(of, w.of), append(participants, w.participant), append(currencies, string(w.currency))
		bases, amounts, rates = append(bases, w.base), append(amounts, w.amount), append(rates, w.rate)
	}
	var entries []entry
	err := collect(ctx, tx, &entries, `
		INSERT INTO withholding (period_id, revision, supplement, of_period_id, participant_id, currency, base_minor, rate, amount_minor)
		SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::numeric[], $9::bigint[]) RETURNING id, participant_id, amount_minor, currency`,
		func(row pgx.CollectableRow) (e entry, err error) {
			var id int64
			err = row.Scan(&id, &e.debit.participant, &e.amount.Minor, &e.amount.Currency)
			e.key, e.kind, e.periodID, e.revision = fmt.Sprintf("withhold/%d", id), "withhold", p.ID, p.Revision
			e.debit.kind, e.credit = Payable, account{kind: WithholdingPayable, participant: e.debit.participant}
			return e, err
		}, p.ID, p.Revision, supplement, of, participants, currencies, bases, rates, amounts)
	if err != nil {
		return fmt.Errorf("note what is withheld by %s: %w", p.ID, err)
	}
	return post(ctx, tx, entries...)
}
