package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
)

// FileTemplate is one version of a template. Version 0 is the one that every company has.
type FileTemplate struct {
	Version  int
	Document string
	accounting.Template
}

// FileTemplate returns a version of a template: 0 is the latest.
func (s *Store) FileTemplate(ctx context.Context, name string, version int) (FileTemplate, error) {
	return fileTemplate(ctx, s.pool, name, version)
}

func fileTemplate(ctx context.Context, q querier, name string, version int) (t FileTemplate, err error) {
	err = q.QueryRow(ctx, `SELECT version, document FROM file_template WHERE name = $1 AND ($2 = 0 OR version = $2) ORDER BY version DESC LIMIT 1`, name, version).Scan(&t.Version, &t.Document)
	if errors.Is(err, pgx.ErrNoRows) {
		standard, known := accounting.Standard()[name]
		if !known || version > 0 {
			return t, incentive.Errorf(incentive.CodeNotFound, "there is no template %q of that version", name)
		}
		t.Document, err = standard, nil
	}
	if err != nil {
		return t, fmt.Errorf("read template %s: %w", name, err)
	}
	t.Template, err = accounting.Parse([]byte(t.Document))
	return t, err
}

// FileTemplates lists the latest version of every template, by name.
func (s *Store) FileTemplates(ctx context.Context) ([]FileTemplate, error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT name FROM file_template`)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	var all []FileTemplate
	names = append(names, slices.Collect(maps.Keys(accounting.Standard()))...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		t, err := s.FileTemplate(ctx, name, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// PutFileTemplate keeps a template as the next version of its name.
func (s *Store) PutFileTemplate(ctx context.Context, actor, document string) (FileTemplate, error) {
	t := FileTemplate{Document: document}
	var err error
	if t.Template, err = accounting.Parse([]byte(document)); err != nil {
		return t, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('template ' || $1))`, t.Name); err != nil {
			return err
		}
		before, err := fileTemplate(ctx, tx, t.Name, 0)
		if err == nil && before.Of != t.Of {
			return incentive.Errorf(incentive.CodeInvalid, "template %s is of a %s file: give one of a %s file another name", t.Name, before.Of, t.Of)
		}
		if err != nil && incentive.ErrorCode(err) != incentive.CodeNotFound {
			return err
		}
		t.Version = before.Version + 1
		if _, err := tx.Exec(ctx, `INSERT INTO file_template (name, version, document, set_by) VALUES ($1, $2, $3, $4)`, t.Name, t.Version, document, actor); err != nil {
			return fmt.Errorf("keep template %s: %w", t.Name, err)
		}
		return audit(ctx, tx, actor, "put-template", "template/"+t.Name, struct {
			Version  int    `json:"version"`
			Document string `json:"document_digest"`
		}{t.Version, fmt.Sprintf("%x", sha256.Sum256([]byte(document)))})
	})
	return t, err
}

// File is what a file turned out to be, as the audit chain records it.
type File struct {
	Kind     accounting.Kind    `json:"kind"`
	Template string             `json:"template"`
	Version  int                `json:"template_version"`
	Period   string             `json:"period,omitempty"`
	Revision int                `json:"revision,omitempty"`
	From     string             `json:"from,omitempty"`
	To       string             `json:"to,omitempty"`
	Currency incentive.Currency `json:"currency,omitempty"`
	Least    string             `json:"least,omitempty"`   // of contractors: the least that is in it
	Longest  int                `json:"longest,omitempty"` // of contract costs: the months of what is not in it
	Through  int64              `json:"through,omitempty"` // the last journal entry that counts, or of contract costs the last posted line
	People   int64              `json:"people,omitempty"`  // the last record of a participant that counts, or of contract costs of a transaction
	Rows     int                `json:"rows"`
	SHA256   incentive.Digest   `json:"sha256"`
}

// Name is what the file is called.
func (f File) Name() string {
	parts := []string{f.Template}
	if f.Period != "" {
		parts = append(parts, f.Period, fmt.Sprint(f.Revision))
	} else {
		parts = append(parts, f.From, f.To)
	}
	if f.Currency != "" {
		parts = append(parts, string(f.Currency))
	}
	return strings.Join(parts, "-") + ".csv"
}

// fileQuery reads the rows of a file. Its columns are named as the fields are; one that
// ends in _minor is in the row's currency.
type fileQuery struct {
	sql       string
	arguments []any
}

// MakeFile writes a file for payroll or accounting, and records who took it, with its
// digest. The same request, with the journal entry through which it counts, gives the
// same bytes again.
func (s *Store) MakeFile(ctx context.Context, actor string, r accounting.Request, w io.Writer) (File, error) {
	f := File{Kind: r.Kind, Period: r.Period, Currency: r.Currency}
	name := r.Template
	if name == "" {
		name = string(r.Kind)
	}
	t, err := s.FileTemplate(ctx, name, r.Version)
	if err != nil {
		return f, err
	}
	if t.Of != r.Kind {
		return f, incentive.Errorf(incentive.CodeInvalid, "template %s is of a %s file, not of a %s file", name, t.Of, r.Kind)
	}
	f.Template, f.Version = t.Name, t.Version
	if r.Kind == accounting.YearEnd || r.Kind == accounting.Contractors {
		r.From, r.To = incentive.Date{Year: r.Year, Month: time.January, Day: 1}, incentive.Date{Year: r.Year, Month: time.December, Day: 31}
	}
	if r.Kind != accounting.Payroll {
		if r.To.Before(r.From) {
			return f, incentive.Errorf(incentive.CodeInvalid, "%s is before %s: say the first day and then the last", r.To, r.From)
		}
		f.From, f.To = r.From.String(), r.To.String()
		if r.Kind == accounting.ContractCosts {
			f.Longest = r.Longest
			f.Through, f.People, err = s.untilLine(ctx, r.Through, r.People)
		} else {
			f.Through, f.People, err = s.until(ctx, r.Through, r.People)
		}
		if err != nil {
			return f, err
		}
	}
	if r.Kind == accounting.Contractors {
		f.Currency, f.Least = r.Least.Currency, r.Least.Amount()
	}
	digest := sha256.New()
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var query fileQuery
		switch r.Kind {
		case accounting.Payroll:
			query, f.Revision, err = payrollQuery(ctx, tx, r, t.Each)
		case accounting.Journal:
			query = journalQuery(r, f.Through, t.Each)
		case accounting.Register:
			query = fileQuery{registerRows, []any{r.From, r.To, f.Through, f.People, Payable, Clearing}}
		case accounting.YearEnd:
			query = fileQuery{yearEndRows, []any{r.From, r.To, f.Through, f.People, r.Year, Payable, []AccountKind{Clearing, Cash}}}
		case accounting.Contractors:
			query = fileQuery{contractorRows, []any{r.From, r.To, f.Through, f.People, r.Year, r.Least.Currency, r.Least.Minor, WithholdingPayable}}
		case accounting.ContractCosts:
			query, err = contractCostsQuery(ctx, tx, r, f.Through, f.People)
		}
		if err != nil {
			return err
		}
		f.Rows, err = writeRows(ctx, tx, query, t.Template, io.MultiWriter(w, digest))
		return err
	})
	if err != nil {
		return f, fmt.Errorf("make the %s file: %w", r.Kind, err)
	}
	f.SHA256 = incentive.Digest(digest.Sum(nil))
	return f, s.inTx(ctx, func(tx pgx.Tx) error { return audit(ctx, tx, actor, "export", "file/"+string(r.Kind), f) })
}

// paidRows are what participants were paid and gave back from $1 to $2, by the journal up
// to entry $3.
const paidRows = `
		SELECT o.participant_id, p.currency, CASE e.kind WHEN 'paid' THEN 1 ELSE -1 END * abs(p.amount_minor) AS amount
		FROM journal_entry e JOIN posting p ON p.entry_id = e.id AND p.position = 0 JOIN payout o ON o.id::text = split_part(e.key, '/', 2)
		WHERE e.kind IN ('paid', 'returned', 'recalled') AND e.effective_on BETWEEN $1::date AND $2::date AND e.id <= $3`

// contractorRows are what contractors were paid in a year in currency $6, with what was kept
// as tax of their pay in it, where both come to $7 or more or tax was kept, which is reported of
// any amount. $8 is withholding payable.
const contractorRows = `
	WITH paid AS (` + paidRows + `),
	kept AS (
		SELECT a.participant_id, p.currency, -p.amount_minor AS amount FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id AND a.kind = $8
		WHERE e.effective_on BETWEEN $1::date AND $2::date AND e.id <= $3),
	x AS (
		SELECT participant_id, currency, sum(amount + withheld)::bigint AS amount, sum(withheld)::bigint AS withheld, $2::date AS known_on
		FROM (SELECT participant_id, currency, amount, 0 AS withheld FROM paid UNION ALL SELECT participant_id, currency, 0, amount FROM kept) both_of_them
		WHERE currency = $6 GROUP BY participant_id, currency)
	SELECT ` + known + `$5::bigint AS year, x.currency, x.amount AS amount_minor, x.withheld AS withheld_minor FROM x` + knownByRecord + `
	WHERE f.kind = 'contractor' AND (x.amount > 0 AND x.amount >= $7 OR x.withheld > 0) ORDER BY x.participant_id COLLATE "C"`

// until returns the newest journal entry and record of a participant, or those that are
// named. All up to them are there for good: who is writing some is waited for.
func (s *Store) until(ctx context.Context, entry, record int64) (through, people int64, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE journal_entry, participant_fact IN SHARE MODE`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT (SELECT coalesce(max(id), 0) FROM journal_entry), (SELECT coalesce(max(record_id), 0) FROM participant_fact)`).Scan(&through, &people)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the end of the journal: %w", err)
	}
	if entry > through || record > people {
		return 0, 0, incentive.Errorf(incentive.CodeInvalid, "the journal ends with entry %d, and what is known of participants with record %d: there is nothing after them yet", through, people)
	}
	return cmp.Or(entry, through), cmp.Or(record, people), nil
}

// writeRows writes what a query reads.
func writeRows(ctx context.Context, tx pgx.Tx, query fileQuery, t accounting.Template, w io.Writer) (int, error) {
	into, err := accounting.NewWriter(w, t)
	if err != nil {
		return 0, err
	}
	rows, err := tx.Query(ctx, query.sql, query.arguments...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns := rows.FieldDescriptions()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return 0, err
		}
		row := accounting.Row{Fields: map[string]any{}, Attributes: map[string]string{}}
		for i, column := range columns {
			switch v := values[i].(type) {
			case time.Time:
				row.Fields[column.Name] = incentive.DateOf(v)
			case map[string]any:
				for name, value := range v {
					row.Attributes[name], _ = value.(string)
				}
			default:
				row.Fields[column.Name] = v
			}
		}
		currency, _ := row.Fields["currency"].(string)
		for name, value := range row.Fields {
			if minor, isAmount := strings.CutSuffix(name, "_minor"); isAmount && value != nil {
				row.Fields[minor] = incentive.Money{Minor: value.(int64), Currency: incentive.Currency(currency)}
			}
		}
		if err := into.Write(row); err != nil {
			return 0, err
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	return into.Rows, into.Flush()
}

// What is known of a participant: by the snapshot of a period, or by what was recorded
// until a record and true on a day.
const (
	knownBySnapshot = ` LEFT JOIN LATERAL (SELECT f.* FROM participant_fact f JOIN snapshot_record sr ON sr.snapshot_id = $3 AND sr.kind = 'participant' AND sr.record_id = f.record_id
		WHERE f.participant_id = x.participant_id ORDER BY f.effective_from DESC LIMIT 1) f ON true `
	knownByRecord = ` LEFT JOIN LATERAL (SELECT f.* FROM participant_fact f WHERE f.participant_id = x.participant_id AND f.effective_from <= x.known_on AND f.record_id <= $4
		ORDER BY f.effective_from DESC, f.version DESC LIMIT 1) f ON true `
	known = `x.participant_id AS participant, f.name, f.email, f.kind AS participant_kind, f.country, f.attributes, `
)

// payrollQuery reads what the approval of a released revision has added to what people
// earned and, with a row for each participant, what the release pays them.
func payrollQuery(ctx context.Context, tx pgx.Tx, r accounting.Request, each accounting.Each) (fileQuery, int, error) {
	p, err := periodRevision(ctx, tx, r.Period, r.Revision, "")
	if err != nil {
		return fileQuery{}, 0, err
	}
	var released bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM payout_list WHERE period_id = $1 AND revision = $2 AND released_at IS NOT NULL)`, p.ID, p.Revision).Scan(&released)
	if err != nil {
		return fileQuery{}, 0, err
	}
	if !released {
		return fileQuery{}, 0, incentive.Errorf(incentive.CodeNotAllowedNow, "%s is %s: payroll takes over a period once it is released", p.ID, p.State)
	}
	earned := `SELECT w.participant_id, st.currency, l.plan_id, l.component, l.kind, sum(w.sign * l.amount_minor)::bigint AS amount
		FROM posted_line w JOIN line l ON l.id = w.line_id JOIN statement st ON st.id = l.statement_id
		WHERE w.period_id = $1 AND w.revision = $2 GROUP BY w.participant_id, st.currency, l.plan_id, l.component, l.kind`
	columns := known + `$1::text AS period, $4::date AS period_start, $5::date AS period_end, $2::bigint AS revision, x.currency, `
	sql := `SELECT ` + columns + `x.plan_id AS plan, x.component, x.kind AS line_kind, x.amount AS amount_minor
		FROM (` + earned + `) x` + knownBySnapshot + `WHERE x.amount <> 0 ORDER BY x.participant_id COLLATE "C", x.currency, x.plan_id COLLATE "C", x.component COLLATE "C", x.kind`
	if each == accounting.EachParticipant {
		sql = `SELECT ` + columns + `x.amount AS amount_minor, x.withheld AS withheld_minor, x.to_pay AS to_pay_minor
			FROM (SELECT participant_id, currency, coalesce(e.amount, 0)::bigint AS amount, coalesce(o.amount_minor, 0)::bigint AS to_pay, coalesce(h.amount_minor, 0)::bigint AS withheld
				FROM (SELECT participant_id, currency, sum(amount) AS amount FROM (` + earned + `) lines GROUP BY participant_id, currency) e
				FULL JOIN (SELECT participant_id, currency, sum(amount_minor)::bigint AS amount_minor FROM payout WHERE period_id = $1 AND revision = $2 GROUP BY participant_id, currency) o USING (participant_id, currency)
				FULL JOIN (SELECT participant_id, currency, sum(amount_minor)::bigint AS amount_minor FROM withholding WHERE period_id = $1 AND revision = $2 GROUP BY participant_id, currency) h USING (participant_id, currency)) x` + knownBySnapshot + `
			WHERE x.amount <> 0 OR x.to_pay <> 0 OR x.withheld <> 0 ORDER BY x.participant_id COLLATE "C", x.currency`
	}
	return fileQuery{sql, []any{p.ID, p.Revision, p.SnapshotID, p.StartsOn, p.EndsOn}}, p.Revision, nil
}

// journalQuery reads postings of some days, or their totals by day, kind of entry, period
// and account. A total's number is that of its first entry.
func journalQuery(r accounting.Request, through int64, each accounting.Each) fileQuery {
	const (
		postings = ` FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id
			WHERE e.effective_on BETWEEN $1 AND $2 AND e.id <= $3 AND ($4 = '' OR p.currency = $4)`
		columns = `x.number || '-' || x.currency AS number, x.effective_on AS date, x.entry_kind AS kind, x.period_id AS period, x.revision::bigint AS revision,
			x.period_id || ', revision ' || x.revision || ': ' || x.entry_kind || ' (' || x.currency || ')' AS description, concat_ws(' ', x.kind, nullif(x.rail, '')) AS account, x.rail, x.currency,
			x.amount AS amount_minor, CASE WHEN x.amount > 0 THEN x.amount END AS debit_minor, CASE WHEN x.amount < 0 THEN -x.amount END AS credit_minor`
	)
	sql := `SELECT ` + columns + ` FROM (
		SELECT min(min(e.id)) OVER (PARTITION BY e.effective_on, e.kind, e.period_id, e.revision, p.currency) AS number,
			e.effective_on, e.kind AS entry_kind, e.period_id, e.revision, a.kind, a.rail, p.currency, sum(p.amount_minor)::bigint AS amount` + postings + `
		GROUP BY e.effective_on, e.kind, e.period_id, e.revision, a.kind, a.rail, p.currency) x
		WHERE x.amount <> 0 ORDER BY x.effective_on, x.number, x.currency, x.amount < 0, x.kind, x.rail`
	if each == accounting.EachPosting {
		sql = `SELECT ` + columns + `, x.participant_id AS participant FROM (
			SELECT e.id AS number, e.effective_on, e.kind AS entry_kind, e.period_id, e.revision, a.kind, a.rail, a.participant_id, p.currency, p.amount_minor AS amount, p.position` + postings + `) x
			ORDER BY x.effective_on, x.number, x.position`
	}
	return fileQuery{sql, []any{r.From, r.To, through, r.Currency}}
}

// registerRows are the payments that were handed to rails on some days, each with what
// became of it: $4 is payable, $6 clearing.
const registerRows = `
	SELECT ` + known + `x.payout, x.period_id AS period, x.revision::bigint AS revision, x.currency, x.amount AS amount_minor, x.rail, x.reference, x.rail_id, x.known_on AS submitted_on,
		paid.effective_on AS paid_on, back.effective_on AS came_back_on, parts.minor AS recalled_minor, coalesce(back.kind, paid.kind, 'submitted') AS stands
	FROM (
		SELECT s.id, substr(s.key, length('submit/') + 1) AS payment, split_part(s.key, '/', 2) AS payout, owed.participant_id, s.period_id, s.revision, p.currency, p.amount_minor AS amount, over.rail,
			a.key::text AS reference, a.rail_id, s.effective_on AS known_on
		FROM journal_entry s
		JOIN posting p ON p.entry_id = s.id JOIN ledger_account owed ON owed.id = p.account_id AND owed.kind = $5
		JOIN posting q ON q.entry_id = s.id JOIN ledger_account over ON over.id = q.account_id AND over.kind = $6
		LEFT JOIN LATERAL (SELECT key, rail_id FROM payout_attempt a WHERE a.payout_id::text = split_part(s.key, '/', 2) AND a.intended_at <= s.posted_at ORDER BY a.number DESC LIMIT 1) a ON true
		WHERE s.kind = 'submit' AND s.effective_on BETWEEN $1 AND $2 AND s.id <= $3) x
	LEFT JOIN journal_entry paid ON paid.key = 'paid/' || x.payment AND paid.id <= $3
	LEFT JOIN journal_entry back ON back.key IN ('returned/' || x.payment, 'refused/' || x.payment) AND back.id <= $3
	LEFT JOIN LATERAL (SELECT nullif(sum(p.amount_minor)::bigint, 0) AS minor FROM payout_recall r JOIN journal_entry e ON e.key = 'recalled/' || x.payment || '/' || r.id JOIN posting p ON p.entry_id = e.id AND p.position = 0
		WHERE r.payout_id::text = x.payout AND r.in_part AND e.id <= $3) parts ON true` + knownByRecord + `
	ORDER BY x.known_on, x.id`

// yearEndRows are each participant's totals of a year: $6 is payable, $7 what takes
// payments away from it. What one was owed at the end is what one was owed at the start
// and all that came to it, less what was paid or is on its way.
const yearEndRows = `
	WITH moved AS (
		SELECT owed.participant_id, p.currency, e.effective_on < $1::date AS before, CASE WHEN other.kind = ANY($7) THEN 'sent' ELSE other.kind END AS kind, -p.amount_minor AS amount
		FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN ledger_account owed ON owed.id = p.account_id AND owed.kind = $6
		JOIN posting q ON q.entry_id = e.id AND q.position <> p.position JOIN ledger_account other ON other.id = q.account_id
		WHERE e.effective_on <= $2::date AND e.id <= $3),
	paid AS (` + paidRows + `),
	totals AS (
		SELECT participant_id, currency, 1 AS position, 'owed at the start' AS total, amount FROM moved WHERE before
		UNION ALL
		SELECT participant_id, currency, CASE kind WHEN 'commission expense' THEN 2 ELSE 3 END,
			CASE kind WHEN 'commission expense' THEN 'earned' WHEN 'draw receivable' THEN 'draws' WHEN 'holdback reserve' THEN 'held back' WHEN 'clawback receivable' THEN 'taken back later' WHEN 'payable held' THEN 'disputed' WHEN 'withholding payable' THEN 'kept as tax' ELSE kind END, amount FROM moved WHERE NOT before AND kind <> 'sent'
		UNION ALL
		SELECT participant_id, currency, 4, 'paid', amount FROM paid
		UNION ALL
		SELECT participant_id, currency, 5, 'on its way', -amount FROM moved WHERE NOT before AND kind = 'sent'
		UNION ALL
		SELECT participant_id, currency, 5, 'on its way', -amount FROM paid
		UNION ALL
		SELECT participant_id, currency, 6, 'owed at the end', amount FROM moved),
	x AS (
		SELECT participant_id, currency, position, total, sum(amount)::bigint AS amount, $2::date AS known_on
		FROM totals GROUP BY participant_id, currency, position, total)
	SELECT ` + known + `$5::bigint AS year, x.currency, x.total, x.amount AS amount_minor FROM x` + knownByRecord + `
	WHERE x.amount <> 0 ORDER BY x.participant_id COLLATE "C", x.currency, x.position, x.total COLLATE "C"`
