package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// Import is one file that was read in, and what became of its rows.
type Import struct {
	ID          string
	Kind        string
	FileName    string
	SHA256      []byte
	Mapping     []byte
	ImportedBy  string
	ImportedAt  time.Time
	Added       int // first versions
	Changed     int // further versions
	Unchanged   int
	Skipped     int // left out by the mapping's own rule
	Quarantined int
	Columns     []string          // of the file
	Waiting     int               // quarantined rows that nothing became of yet
	Lookups     map[string][]byte // files that the mapping looks values up in; kept where rows are quarantined
}

// Quarantined is a row that an import could not take, and why, and what became of it.
type Quarantined struct {
	Position int // from 0
	FileName string
	Line     int
	Column   string
	Field    string
	Value    string
	Code     incentive.Code
	Reason   string
	Raw      string

	Outcome   string // RowTaken or RowLeftOut; "" while it waits
	TakenRaw  string // the row as it was taken
	DecidedBy string
	DecidedAt *time.Time
	LeftOut   string // why
}

// Codes of why a row is quarantined, beside those that reading it may give.
const (
	CodeUnknownParticipant incentive.Code = "unknown-participant"
	CodeUnknownPeriod      incentive.Code = "unknown-period"
	CodeUnknownTransaction incentive.Code = "unknown-transaction"
	CodeOverlap            incentive.Code = "overlap"
)

// loader writes one kind of record. The SQL takes a JSON array of rows, each with its
// number n, and returns for each n an outcome: "added", "changed", "unchanged", or why
// the row cannot be taken.
type loader struct {
	sql     string
	reasons map[string]string // outcome -> what to tell the user, with %s for the row's key
}

// versioned is the shape that every versioned kind shares: a row like the latest version
// of its key changes nothing, another one becomes the next version.
func versioned(table, columns, keys, same, invalid string) string {
	return `WITH given AS (SELECT * FROM json_to_recordset($1) AS g(` + columns + `)),
	latest AS (SELECT g.n, l.* FROM given g LEFT JOIN LATERAL (SELECT * FROM ` + table + ` t WHERE ` + keys + ` ORDER BY t.version DESC LIMIT 1) l ON true),
	judged AS (SELECT g.n, l.version, CASE ` + invalid + ` WHEN l.version IS NULL THEN 'added' WHEN ` + same + ` THEN 'unchanged' ELSE 'changed' END AS outcome
		FROM given g JOIN latest l ON l.n = g.n)`
}

// creditedShare is the SQL of the share of a given credit g, which may say the amount that it
// is of its transaction instead. A quotient is kept to 28 places.
const creditedShare = `coalesce(g.share, (SELECT round(g.amount::numeric(60, 30) / nullif(x.amount, 0), 28) FROM transaction x
	WHERE x.source = g.source AND x.transaction_id = g.transaction_id ORDER BY x.version DESC LIMIT 1))`

var loaders = map[string]loader{
	"participant": {sql: versioned("participant_fact",
		`n int, participant_id text, effective_from date, name text, email text, kind text, manager_id text, country text, pay_currency text, employed_until date, attributes jsonb`,
		`t.participant_id = g.participant_id AND t.effective_from = g.effective_from`,
		`(l.name, l.email, l.kind, l.country, l.pay_currency, l.attributes) = (g.name, g.email, g.kind, g.country, g.pay_currency, g.attributes)
			AND l.manager_id IS NOT DISTINCT FROM g.manager_id AND l.employed_until IS NOT DISTINCT FROM g.employed_until`,
		`WHEN g.manager_id IS NOT NULL AND NOT EXISTS (SELECT FROM participant p WHERE p.id = g.manager_id) THEN 'unknown-participant'`) + `,
	put AS (INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, employed_until, attributes)
		SELECT participant_id, effective_from, coalesce(version, 0) + 1, name, email, kind, manager_id, country, pay_currency, employed_until, attributes
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{string(CodeUnknownParticipant): "the manager of %s is not a participant: import the manager too"}},
	"transaction": {sql: versioned("transaction",
		`n int, source text, transaction_id text, date date, amount numeric, currency text, attributes jsonb, refund_of text`,
		`t.source = g.source AND t.transaction_id = g.transaction_id`,
		`(l.date, l.amount, l.currency, l.attributes, l.refund_of) = (g.date, g.amount, g.currency, g.attributes, coalesce(g.refund_of, ''))`,
		`WHEN g.refund_of = g.transaction_id THEN 'invalid'
		 WHEN g.refund_of <> '' AND NOT EXISTS (SELECT FROM transaction x WHERE x.source = g.source AND x.transaction_id = g.refund_of)
			AND NOT EXISTS (SELECT FROM given x WHERE x.source = g.source AND x.transaction_id = g.refund_of) THEN 'unknown-transaction'`) + `,
	put AS (INSERT INTO transaction (source, transaction_id, version, date, amount, currency, attributes, refund_of)
		SELECT source, transaction_id, coalesce(version, 0) + 1, date, amount, currency, attributes, coalesce(refund_of, '')
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{
			string(incentive.CodeInvalid):  "transaction %s gives itself back: a refund names another transaction",
			string(CodeUnknownTransaction): "there is no such transaction for refund %s to give back: import that one first"}},
	"credit": {sql: versioned("credit",
		`n int, source text, transaction_id text, participant_id text, role text, share numeric, amount numeric`,
		`t.source = g.source AND t.transaction_id = g.transaction_id AND t.participant_id = g.participant_id AND t.role = g.role`,
		`l.share = `+creditedShare,
		`WHEN NOT EXISTS (SELECT FROM participant p WHERE p.id = g.participant_id) THEN 'unknown-participant'
		 WHEN NOT EXISTS (SELECT FROM transaction x WHERE x.source = g.source AND x.transaction_id = g.transaction_id) THEN 'unknown-transaction'
		 WHEN g.share IS NULL AND coalesce(`+creditedShare+` NOT BETWEEN 0 AND 1, true) THEN 'invalid'`) + `,
	put AS (INSERT INTO credit (source, transaction_id, participant_id, role, version, share)
		SELECT source, transaction_id, participant_id, role, coalesce(version, 0) + 1, ` + creditedShare + `
		FROM given g JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{
			string(CodeUnknownParticipant): "there is no participant %s: import the participant first",
			string(incentive.CodeInvalid):  "the amount that %s is credited with is no part of the transaction's amount: it lies between nothing and all of it",
			string(CodeUnknownTransaction): "there is no such transaction for the credit of %s: import the transaction first"}},
	"quota": {sql: versioned("quota",
		`n int, participant_id text, measure text, starts_on date, ends_on date, amount numeric`,
		`t.participant_id = g.participant_id AND t.measure = g.measure AND t.starts_on = g.starts_on`,
		`(l.ends_on, l.amount) = (g.ends_on, g.amount)`,
		`WHEN NOT EXISTS (SELECT FROM participant p WHERE p.id = g.participant_id) THEN 'unknown-participant'
		 WHEN g.ends_on IS NULL THEN 'unknown-period'`) + `,
	put AS (INSERT INTO quota (participant_id, measure, starts_on, version, ends_on, amount)
		SELECT participant_id, measure, starts_on, coalesce(version, 0) + 1, ends_on, amount
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{
			string(CodeUnknownParticipant): "there is no participant %s: import the participant first",
			string(CodeUnknownPeriod):      "no period of the calendar starts on the day of the quota of %s: import the calendar first, or give the quota's last day"}},
	"exchange_rate": {sql: versioned("exchange_rate",
		`n int, rate_source text, from_currency text, to_currency text, date date, rate numeric`,
		`t.rate_source = g.rate_source AND t.from_currency = g.from_currency AND t.to_currency = g.to_currency AND t.date = g.date`,
		`l.rate = g.rate`, ``) + `,
	put AS (INSERT INTO exchange_rate (rate_source, from_currency, to_currency, date, version, rate)
		SELECT rate_source, from_currency, to_currency, date, coalesce(version, 0) + 1, rate
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`},
	"opportunity": {sql: versioned("opportunity",
		`n int, source text, opportunity_id text, participant_id text, name text, stage text, probability numeric, expected_close date, amount numeric, currency text, status text, attributes jsonb`,
		`t.source = g.source AND t.opportunity_id = g.opportunity_id`,
		`(l.participant_id, l.name, l.stage, l.probability, l.expected_close, l.amount, l.currency, l.status, l.attributes) = (g.participant_id, g.name, g.stage, g.probability, g.expected_close, g.amount, g.currency, g.status, g.attributes)`,
		`WHEN NOT EXISTS (SELECT FROM participant p WHERE p.id = g.participant_id) THEN 'unknown-participant'`) + `,
	put AS (INSERT INTO opportunity (source, opportunity_id, version, participant_id, name, stage, probability, expected_close, amount, currency, status, attributes)
		SELECT source, opportunity_id, coalesce(version, 0) + 1, participant_id, name, stage, probability, expected_close, amount, currency, status, attributes
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{string(CodeUnknownParticipant): "there is no participant %s: import the participant first"}},
	"assignment": {sql: versioned("assignment",
		`n int, participant_id text, plan_id text, calendar_id text, starts_on date, ends_on date`,
		`t.participant_id = g.participant_id AND t.plan_id = g.plan_id AND t.starts_on = g.starts_on`,
		`l.calendar_id = g.calendar_id AND l.ends_on IS NOT DISTINCT FROM g.ends_on`,
		`WHEN NOT EXISTS (SELECT FROM participant p WHERE p.id = g.participant_id) THEN 'unknown-participant'
		 WHEN NOT EXISTS (SELECT FROM calendar c WHERE c.id = g.calendar_id) THEN 'unknown-period'
		 WHEN l.version IS NULL AND EXISTS (SELECT FROM assignment a WHERE a.participant_id = g.participant_id AND a.plan_id = g.plan_id
			AND NOT EXISTS (SELECT FROM assignment n WHERE n.participant_id = a.participant_id AND n.plan_id = a.plan_id AND n.starts_on = a.starts_on AND n.version > a.version)
			AND daterange(a.starts_on, a.ends_on, '[]') && daterange(g.starts_on, g.ends_on, '[]')) THEN 'overlap'`) + `,
	put AS (INSERT INTO assignment (participant_id, plan_id, calendar_id, starts_on, version, ends_on)
		SELECT participant_id, plan_id, calendar_id, starts_on, coalesce(version, 0) + 1, ends_on
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{
			string(CodeUnknownParticipant): "there is no participant %s: import the participant first",
			string(CodeUnknownPeriod):      "there is no such calendar for the assignment of %s: import the calendar first",
			string(CodeOverlap):            "%s is assigned to the same plan on some of these days already: end that assignment first"}},
	"period": {sql: `WITH given AS (SELECT * FROM json_to_recordset($1) AS g(n int, id text, calendar_id text, code text, starts_on date, ends_on date)),
	judged AS (SELECT g.n, CASE
			WHEN p.id IS NOT NULL AND (p.starts_on, p.ends_on) = (g.starts_on, g.ends_on) THEN 'unchanged'
			WHEN p.id IS NOT NULL THEN 'conflict'
			WHEN EXISTS (SELECT FROM pay_period o WHERE o.calendar_id = g.calendar_id AND daterange(o.starts_on, o.ends_on, '[]') && daterange(g.starts_on, g.ends_on, '[]'))
				OR EXISTS (SELECT FROM given o WHERE o.n < g.n AND o.calendar_id = g.calendar_id AND daterange(o.starts_on, o.ends_on, '[]') && daterange(g.starts_on, g.ends_on, '[]')) THEN 'overlap'
			ELSE 'added' END AS outcome
		FROM given g LEFT JOIN pay_period p ON p.id = g.id),
	calendars AS (INSERT INTO calendar (id) SELECT DISTINCT calendar_id FROM given ON CONFLICT DO NOTHING RETURNING id),
	put AS (INSERT INTO pay_period (id, calendar_id, code, starts_on, ends_on)
		SELECT id, calendar_id, code, starts_on, ends_on FROM given JOIN judged USING (n) WHERE outcome = 'added' AND (SELECT count(*) FROM calendars) >= 0 ORDER BY n)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{
			string(CodeOverlap):            "period %s overlaps another period of its calendar",
			string(incentive.CodeConflict): "period %s stands in the calendar with other days, and a period's days never change"}},
	"holiday": {sql: `WITH given AS (SELECT * FROM json_to_recordset($1) AS g(n int, date date, name text)),
	judged AS (SELECT g.n, CASE WHEN h.date IS NULL THEN 'added' WHEN h.name = g.name THEN 'unchanged' ELSE 'changed' END AS outcome FROM given g LEFT JOIN holiday h USING (date)),
	put AS (INSERT INTO holiday (date, name) SELECT date, name FROM given ORDER BY n ON CONFLICT (date) DO UPDATE SET name = excluded.name)
	SELECT n, outcome FROM judged ORDER BY n`},
}

func init() { maps.Copy(loaders, groupLoaders()) }

// Loading is an import under way. It is used by one goroutine.
type Loading struct {
	tx     pgx.Tx
	result *Import
	held   []Quarantined

	entered hash.Hash // of what somebody enters; nil where files are read
}

// Load runs one import in one transaction: read is given a Loading to put what it reads
// into, and everything it took is there when Load returns, or nothing. Imports hold the
// data lock together, so that no period is locked in the middle of one.
func (s *Store) Load(ctx context.Context, i Import, read func(l *Loading) error) (Import, []Quarantined, error) {
	var l *Loading
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		result := i
		l = &Loading{tx: tx, result: &result}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock of a period to end: %w", err)
		}
		if err := read(l); err != nil {
			return err
		}
		result.Quarantined = len(l.held)
		err := tx.QueryRow(ctx, `
			INSERT INTO import (kind, file_name, sha256, mapping, imported_by, added, changed, unchanged, skipped, quarantined, columns)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11::text[], '{}')) RETURNING id::text, imported_at`,
			result.Kind, result.FileName, result.SHA256, result.Mapping, result.ImportedBy, result.Added, result.Changed, result.Unchanged, result.Skipped, result.Quarantined, result.Columns).
			Scan(&result.ID, &result.ImportedAt)
		if err != nil {
			return fmt.Errorf("record the import of %s: %w", result.FileName, err)
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"quarantine"}, []string{"import_id", "position", "file_name", "line", "column_name", "field", "value", "code", "reason", "raw"},
			pgx.CopyFromSlice(len(l.held), func(n int) ([]any, error) {
				q := l.held[n]
				return []any{result.ID, n, q.FileName, q.Line, q.Column, q.Field, q.Value, q.Code, q.Reason, q.Raw}, nil
			}))
		if err != nil {
			return fmt.Errorf("quarantine rows of %s: %w", result.FileName, err)
		}
		for i := range l.held {
			l.held[i].Position = i
		}
		if result.Waiting = len(l.held); result.Waiting > 0 {
			for _, name := range slices.Sorted(maps.Keys(result.Lookups)) {
				if _, err := tx.Exec(ctx, `INSERT INTO import_lookup (import_id, file_name, content) VALUES ($1, $2, $3)`, result.ID, name, result.Lookups[name]); err != nil {
					return fmt.Errorf("keep the lookup %s: %w", name, err)
				}
			}
		}
		return audit(ctx, tx, result.ImportedBy, "import", "import/"+result.ID, struct {
			Kind        string `json:"kind"`
			SHA256      string `json:"sha256"`
			Added       int    `json:"added"`
			Changed     int    `json:"changed"`
			Unchanged   int    `json:"unchanged"`
			Quarantined int    `json:"quarantined"`
		}{result.Kind, fmt.Sprintf("%x", result.SHA256), result.Added, result.Changed, result.Unchanged, result.Quarantined})
	})
	if err != nil {
		return Import{}, nil, err
	}
	return *l.result, l.held, nil
}

// Row is where a record stood in its file.
type Row struct {
	File   string
	Line   int
	Raw    string
	Key    string // what to call the record in a message
	Record any    // a struct whose JSON is what the kind's loader takes
}

// Columns notes the columns of the file.
func (l *Loading) Columns(names []string) { l.result.Columns = names }

// Skip counts rows that the mapping leaves out.
func (l *Loading) Skip(n int) { l.result.Skipped += n }

// Quarantine sets a row aside.
func (l *Loading) Quarantine(q Quarantined) { l.held = append(l.held, q) }

// Put writes rows of one kind. Rows that do not fit what is there are set aside. The rows
// of one call must have different keys.
func (l *Loading) Put(ctx context.Context, kind string, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := l.digestRows(rows); err != nil {
		return err
	}
	load := loaders[kind]
	records := make([]any, len(rows))
	for i, row := range rows {
		records[i] = row.Record
	}
	encoded, err := numbered(records)
	if err != nil {
		return err
	}
	if kind == "participant" {
		// A manager may stand further down in the file than the people below.
		_, err := l.tx.Exec(ctx, `INSERT INTO participant (id) SELECT DISTINCT participant_id FROM json_to_recordset($1) AS g(participant_id text) ON CONFLICT DO NOTHING`, encoded)
		if err != nil {
			return fmt.Errorf("write participants: %w", err)
		}
	}
	answers, err := l.tx.Query(ctx, load.sql, encoded)
	if err != nil {
		return fmt.Errorf("write rows of kind %s: %w", kind, err)
	}
	var n int
	var outcome string
	_, err = pgx.ForEachRow(answers, []any{&n, &outcome}, func() error {
		switch outcome {
		case "added":
			l.result.Added++
		case "changed":
			l.result.Changed++
		case "unchanged":
			l.result.Unchanged++
		default:
			row := rows[n]
			l.Quarantine(Quarantined{
				FileName: row.File,
				Line:     row.Line,
				Raw:      row.Raw,
				Code:     incentive.Code(outcome),
				Reason:   fmt.Sprintf(load.reasons[outcome], row.Key),
			})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write rows of kind %s: %w", kind, err)
	}
	return nil
}

// numbered encodes records as a JSON array whose members have their number as n.
func numbered(records []any) ([]byte, error) {
	out := []byte{'['}
	for i, record := range records {
		encoded, err := json.Marshal(record)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `{"n":%d,%s`, i, encoded[1:])
	}
	return append(out, ']'), nil
}

// PeriodEnd returns the last day of the calendar's period that starts on a day, and no
// day where none does.
func (l *Loading) PeriodEnd(ctx context.Context, calendarID string, startsOn incentive.Date) (incentive.Date, error) {
	var end incentive.Date
	err := l.tx.QueryRow(ctx, `SELECT ends_on FROM pay_period WHERE calendar_id = $1 AND starts_on = $2`, calendarID, startsOn).Scan(&end)
	if errors.Is(err, pgx.ErrNoRows) {
		return end, nil
	}
	return end, err
}

// PutPlan stores a plan's document as its next version, unless it is the latest already.
// The document must have been checked. A version cannot start before the one it follows.
func (s *Store) PutPlan(ctx context.Context, actor, planID string, effectiveFrom incentive.Date, document []byte) (version int, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1), pg_advisory_xact_lock(hashtext('plan ' || $2))`, dataLock, planID); err != nil {
			return err
		}
		var latest []byte
		var from incentive.Date
		err := tx.QueryRow(ctx, `SELECT version, effective_from, document FROM plan_version WHERE plan_id = $1 ORDER BY version DESC LIMIT 1`, planID).Scan(&version, &from, &latest)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if string(latest) == string(document) && from == effectiveFrom {
			return nil
		}
		if effectiveFrom.Before(from) {
			return incentive.Errorf(incentive.CodeInvalid, "version %d of plan %s starts on %s: a later version cannot start before it", version, planID, from)
		}
		version++
		if _, err := tx.Exec(ctx, `INSERT INTO plan_version (plan_id, version, effective_from, document) VALUES ($1, $2, $3, $4)`, planID, version, effectiveFrom, document); err != nil {
			return fmt.Errorf("keep plan %s: %w", planID, err)
		}
		subject := fmt.Sprintf("plan/%s/%d", planID, version)
		_, err = tx.Exec(ctx, `INSERT INTO notification (recipient, kind, subject, key) SELECT DISTINCT participant_id, $2::text, $3::text, concat_ws('/', $2, $3) FROM (`+plannedPeople+`) p WHERE plan_id = $1 ON CONFLICT DO NOTHING`,
			planID, notice.PlanToAccept, subject)
		if err != nil {
			return fmt.Errorf("tell everybody of plan %s: %w", planID, err)
		}
		return audit(ctx, tx, actor, "put-plan", "plan/"+planID, struct {
			Version int `json:"version"`
		}{version})
	})
	return version, err
}

// Plans returns every version of every plan, or of one.
func (s *Store) Plans(ctx context.Context, planID string) ([]incentive.PlanVersion, error) {
	rows, err := s.pool.Query(ctx, `SELECT plan_id, version, effective_from, document FROM plan_version WHERE $1 = '' OR plan_id = $1 ORDER BY plan_id, version`, planID)
	if err != nil {
		return nil, fmt.Errorf("read the plans: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[incentive.PlanVersion])
}
