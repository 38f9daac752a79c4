package store

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
)

// The attributes of a transaction that make what was earned on it a cost of obtaining a
// contract: over how many months it is amortised, from which month on (that of the
// transaction when absent), the contract's name (the transaction's when absent), and the month in which it ended before its time.
const (
	contractMonths = "contract_months"
	contractStart  = "contract_start"
	contractName   = "contract"
	contractEnded  = "contract_ended"
)

// monthForm is the SQL of how a month is written, or a day of it, or nothing.
const monthForm = `'^([0-9]{4}-(0[1-9]|1[0-2])(-[0-9]{2})?)?$'`

// readable says whether the terms of a contract can be read.
const readable = `(attributes->>'` + contractMonths + `' ~ '^[1-9][0-9]{0,2}$' AND coalesce(attributes->>'` + contractStart + `', '') ~ ` + monthForm + `)`

// untilLine returns the newest posted line and record of a transaction, or those that are named. All up to them are
// there for good: who is writing some is waited for.
func (s *Store) untilLine(ctx context.Context, line, record int64) (through, records int64, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE posted_line, transaction IN SHARE MODE`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT (SELECT coalesce(max(id), 0) FROM posted_line), (SELECT coalesce(max(record_id), 0) FROM transaction)`).Scan(&through, &records)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the end of the posted lines: %w", err)
	}
	if line > through || record > records {
		return 0, 0, incentive.Errorf(incentive.CodeInvalid, "the last posted line is %d, and the last record of a transaction %d: there is nothing after them yet", through, records)
	}
	return cmp.Or(line, through), cmp.Or(record, records), nil
}

// month is the SQL of a month's number: that of a text such as 2026-01-31, or of a date.
func month(text string) string {
	return `(left(` + text + `, 4)::int * 12 + substr(` + text + `, 6, 2)::int)`
}

// endings is the SQL of the contracts that ended before their time by what is known of their transactions up to a record, a parameter: in
// the month that the latest version says, or in that in which it was first said where this was later.
func endings(upTo string) string {
	return `
	SELECT DISTINCT ON (t.source, t.transaction_id) t.source, t.transaction_id, t.attributes->>'` + contractEnded + `' AS ended,
		(SELECT (min(f.recorded_at) AT TIME ZONE coalesce((SELECT time_zone FROM company), 'UTC'))::date FROM transaction f
			WHERE (f.source, f.transaction_id) = (t.source, t.transaction_id) AND f.attributes->>'` + contractEnded + `' = t.attributes->>'` + contractEnded + `') AS said_on
	FROM transaction t WHERE t.record_id <= ` + upTo + ` AND EXISTS (SELECT FROM transaction a WHERE (a.source, a.transaction_id) = (t.source, t.transaction_id) AND a.attributes ? '` + contractEnded + `')
	ORDER BY t.source, t.transaction_id, t.version DESC`
}

// costs are what approvals posted, and took back, up to line $1 on transactions of
// contracts: each of a day, as the journal has it. The terms of a contract are those that
// the calculation saw.
const costs = `
	SELECT c.source, c.transaction_id, t.date, t.attributes, st.currency, w.sign * c.shown_minor AS amount,
		CASE w.revision WHEN 1 THEN p.ends_on ELSE (w.posted_at AT TIME ZONE coalesce((SELECT time_zone FROM company), 'UTC'))::date END AS posted_on
	FROM posted_line w JOIN line l ON l.id = w.line_id JOIN statement st ON st.id = l.statement_id JOIN run r ON r.id = st.run_id JOIN pay_period p ON p.id = w.period_id
	JOIN contribution c ON c.line_id = w.line_id
	JOIN LATERAL (SELECT t.date, t.attributes FROM transaction t LEFT JOIN snapshot_record sr ON sr.snapshot_id = r.snapshot_id AND sr.kind = 'transaction' AND sr.record_id = t.record_id
		WHERE (t.source, t.transaction_id) = (c.source, c.transaction_id) AND t.recorded_at <= r.completed_at ORDER BY sr.record_id IS NULL, t.version DESC LIMIT 1) t ON true
	WHERE w.id <= $1 AND l.kind = 'earning' AND t.attributes ? '` + contractMonths + `'`

// contractCostRows are the months from $2 to $3 of contracts longer than $4 months. What an
// approval posts is one layer: it is amortised evenly over the months of its contract that
// are left, that of the posting included, so that what was written of earlier months stays.
// A layer has come down by its share to the month, rounded half away from zero, less what
// it had come down by before: its months add up to it. What is left of it when its contract
// ends before its time is written off in that month.
var contractCostRows = `
	WITH ending AS (SELECT source, transaction_id, greatest(` + month("ended") + `, ` + month("said_on::text") + `) AS ends FROM (` + endings("$5") + `) e WHERE ended <> ''),
	layer AS (
		SELECT coalesce(nullif(attributes->>'` + contractName + `', ''), source || '/' || transaction_id) AS contract, currency, amount, posted, greatest(posted, starts) AS begins,
			greatest(1, months - greatest(0, posted - starts)) AS months, CASE WHEN e.ends IS NOT NULL THEN greatest(posted, e.ends) END AS ends
		FROM (SELECT c.*, CASE WHEN ` + readable + ` THEN (attributes->>'` + contractMonths + `')::int END AS months, (extract(year FROM posted_on) * 12 + extract(month FROM posted_on))::int AS posted,
				CASE WHEN ` + readable + ` AND attributes->>'` + contractStart + `' <> '' THEN ` + month(`(attributes->>'`+contractStart+`')`) + `
				ELSE (extract(year FROM date) * 12 + extract(month FROM date))::int END AS starts
			FROM (` + costs + `) c) c LEFT JOIN (SELECT source AS s, transaction_id AS t, ends FROM ending) e ON (e.s, e.t) = (c.source, c.transaction_id)
		WHERE months > $4),
	shown AS (SELECT month::date AS month, (extract(year FROM month) * 12 + extract(month FROM month))::int AS number
		FROM generate_series(date_trunc('month', $2::date), date_trunc('month', $3::date), interval '1 month') month),
	down AS (
		SELECT contract, currency, amount, posted, month, number, ends,
			CASE WHEN number > ends THEN amount ELSE sign(amount) * div(2 * abs(amount)::numeric * least(months, greatest(0, number - begins)) + months, 2 * months) END AS before,
			CASE WHEN number >= ends THEN amount ELSE sign(amount) * div(2 * abs(amount)::numeric * least(months, greatest(0, number - begins + 1)) + months, 2 * months) END AS after
		FROM layer JOIN shown ON number >= posted)
	SELECT contract, month, currency, opening AS opening_minor, capitalised AS capitalised_minor, amortised AS amortised_minor, written_off AS written_off_minor, opening + capitalised - amortised - written_off AS closing_minor
	FROM (SELECT contract, month, currency, coalesce(sum(amount - before) FILTER (WHERE posted < number), 0)::bigint AS opening,
			coalesce(sum(amount) FILTER (WHERE posted = number), 0)::bigint AS capitalised,
			coalesce(sum(after - before) FILTER (WHERE number IS DISTINCT FROM ends), 0)::bigint AS amortised, coalesce(sum(after - before) FILTER (WHERE number = ends), 0)::bigint AS written_off
		FROM down GROUP BY contract, month, currency) x
	WHERE opening <> 0 OR capitalised <> 0 OR amortised <> 0 OR written_off <> 0 ORDER BY month, contract COLLATE "C", currency`

// contractCostsQuery reads the schedule of what it cost to obtain contracts. Terms that
// cannot be read stop the file: left out, their cost would be missing in it. What was
// posted on such and taken back since comes to nothing and stops none.
func contractCostsQuery(ctx context.Context, tx pgx.Tx, r accounting.Request, through, records int64) (fileQuery, error) {
	var transaction, months, start string
	err := tx.QueryRow(ctx, `SELECT source || '/' || transaction_id, attributes->>'`+contractMonths+`', coalesce(attributes->>'`+contractStart+`', '') FROM (`+costs+`) c
		WHERE NOT `+readable+` GROUP BY 1, 2, 3 HAVING sum(amount) <> 0 ORDER BY 1 LIMIT 1`, through).Scan(&transaction, &months, &start)
	if err == nil {
		return fileQuery{}, incentive.Errorf(incentive.CodeInvalid, "transaction %s has %s %q and %s %q: import it again with 1 to 999 months and a month such as 2026-01, and calculate what it is in again", transaction, contractMonths, months, contractStart, start)
	}
	if err != pgx.ErrNoRows {
		return fileQuery{}, err
	}
	var ended string
	err = tx.QueryRow(ctx, `SELECT source || '/' || transaction_id, ended FROM (`+endings("$1")+`) e WHERE ended !~ `+monthForm+` ORDER BY 1 LIMIT 1`, records).Scan(&transaction, &ended)
	if err == nil {
		return fileQuery{}, incentive.Errorf(incentive.CodeInvalid, "transaction %s has %s %q: import it again with a month such as 2026-01", transaction, contractEnded, ended)
	}
	if err != pgx.ErrNoRows {
		return fileQuery{}, err
	}
	return fileQuery{contractCostRows, []any{through, r.From, r.To, r.Longest, records}}, nil
}
