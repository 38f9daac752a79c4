package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/language"
)

// KeepRun stores what a calculation over the period's snapshot gave, statements with their
// lines, contributions and explanations, and moves the period to calculated: all of it
// in one transaction. A repeated command changes nothing.
func (s *Store) KeepRun(ctx context.Context, c PeriodCommand, snapshotID int64, engineVersion string, result calculation.Result) (PeriodRevision, error) {
	statements := result.Statements
	digests := digestsOf(statements)
	first, err := s.reserve(ctx, statements)
	if err != nil {
		return PeriodRevision{}, err
	}
	var snapshotDigest []byte
	if err := s.pool.QueryRow(ctx, `SELECT digest FROM snapshot WHERE id = $1`, snapshotID).Scan(&snapshotDigest); err != nil {
		return PeriodRevision{}, fmt.Errorf("read snapshot %d: %w", snapshotID, err)
	}
	digest := incentive.RunDigest(incentive.Digest(snapshotDigest), engineVersion, digests)
	return s.act(ctx, c, runBody(digest, len(statements)), func(tx pgx.Tx, p *PeriodRevision) error {
		if p.SnapshotID == nil || *p.SnapshotID != snapshotID {
			return incentive.Errorf(CodeChangedMeantime, "the period has another snapshot than the one calculated")
		}
		var runID int64
		err := tx.QueryRow(ctx, `INSERT INTO run (snapshot_id, engine_version, digest, statements, uncredited) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			snapshotID, engineVersion, digest[:], len(statements), result.Uncredited).Scan(&runID)
		if err != nil {
			return fmt.Errorf("keep the run: %w", err)
		}
		p.RunID = &runID
		return keepStatements(ctx, tx, runID, first, statements, digests)
	})
}

// runBody is what the audit chain says of a run.
func runBody(digest incentive.Digest, statements int) any {
	return struct {
		RunDigest  string `json:"run_digest"`
		Statements int    `json:"statements"`
	}{fmt.Sprintf("%x", digest), statements}
}

// keepStatements writes statements down, with the numbers that are reserved for them.
func keepStatements(ctx context.Context, tx pgx.Tx, runID int64, first reserved, statements []incentive.Statement, digests []incentive.Digest) error {
	i := 0
	err := copyInto(ctx, tx, "statement", "id, run_id, participant_id, currency, total_minor, digest", func(c *copier) bool {
		if i == len(statements) {
			return false
		}
		c.number(first.statement + int64(i))
		c.number(runID)
		c.text(statements[i].ParticipantID)
		c.text(string(statements[i].Currency))
		c.number(statements[i].Total().Minor)
		c.bytes(digests[i][:])
		i++
		return true
	})
	if err != nil {
		return fmt.Errorf("keep statements: %w", err)
	}
	lines := lineCursor{statements: statements}
	err = copyInto(ctx, tx, "line", "id, statement_id, position, plan_id, plan_version, component, corrects, kind, unrounded, amount_minor, explanation", func(c *copier) bool {
		line := lines.next()
		if line == nil {
			return false
		}
		c.number(first.line + lines.passed)
		c.number(first.statement + int64(lines.statement))
		c.number(int64(lines.position))
		c.text(line.PlanID)
		c.number(int64(line.PlanVersion))
		c.text(line.Component)
		if line.Corrects == "" {
			c.null()
		} else {
			c.text(line.Corrects)
		}
		c.text(string(line.Kind))
		c.decimal(line.Unrounded)
		c.number(line.Amount.Minor)
		c.text(string(line.Explanation))
		return true
	})
	if err != nil {
		return fmt.Errorf("keep lines: %w", err)
	}
	lines = lineCursor{statements: statements}
	var line *incentive.Line
	part := 0
	err = copyInto(ctx, tx, "contribution", "line_id, position, source, transaction_id, participant_id, role, credited, amount, shown_minor", func(c *copier) bool {
		for line == nil || part == len(line.Contributions) {
			if line, part = lines.next(), 0; line == nil {
				return false
			}
		}
		one := &line.Contributions[part]
		c.number(first.line + lines.passed)
		c.number(int64(part))
		c.text(one.Transaction.Source)
		c.text(one.Transaction.ID)
		c.text(one.ParticipantID)
		c.text(one.Role)
		c.decimal(one.Credited)
		c.decimal(one.Amount)
		c.number(one.Shown.Minor)
		part++
		return true
	})
	if err != nil {
		return fmt.Errorf("keep contributions: %w", err)
	}
	return nil
}

// lineCursor goes through the lines of statements.
type lineCursor struct {
	statements          []incentive.Statement
	statement, position int   // where the present line is
	passed              int64 // how many lines come before it
	begun               bool
}

// next returns the next line, or nil after the last.
func (l *lineCursor) next() *incentive.Line {
	if l.begun {
		l.position++
		l.passed++
	}
	l.begun = true
	for ; l.statement < len(l.statements); l.statement, l.position = l.statement+1, 0 {
		if lines := l.statements[l.statement].Lines; l.position < len(lines) {
			return &lines[l.position]
		}
	}
	return nil
}

// reserved is where the numbers begin that some statements have for themselves.
type reserved struct{ statement, line int64 }

// reserve takes numbers for statements and their lines, each in a row, in a transaction of
// its own: others who draw numbers wait for each other. Where they are not used in the end, the
// gaps do no harm.
func (s *Store) reserve(ctx context.Context, statements []incentive.Statement) (first reserved, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		first, err = reserve(ctx, tx, statements)
		return err
	})
	return first, err
}

func reserve(ctx context.Context, tx pgx.Tx, statements []incentive.Statement) (first reserved, err error) {
	lines := 0
	for _, statement := range statements {
		lines += len(statement.Lines)
	}
	_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('reserve statements'))`)
	for table, of := range map[string]struct {
		n     int
		first *int64
	}{"statement": {len(statements), &first.statement}, "line": {lines, &first.line}} {
		if err == nil && of.n > 0 {
			err = tx.QueryRow(ctx, `
				SELECT setval(pg_get_serial_sequence($1, 'id'), nextval(pg_get_serial_sequence($1, 'id')) + $2 - 1) - $2 + 1`, table, of.n).Scan(of.first)
		}
	}
	if err != nil {
		return first, fmt.Errorf("number statements: %w", err)
	}
	return first, nil
}

// StoredStatement is a statement as it lies in the database.
type StoredStatement struct {
	incentive.Statement
	ID       int64
	RunID    int64
	Name     string // the participant's, at the end of the period
	TotalOf  incentive.Money
	Before   incentive.Money // what was posted of it when it was approved, or is now while it is not
	Digest   []byte
	State    incentive.State // the period's
	Revision int
}

// WhichStatements says which statements are listed, those of a revision's current run.
type WhichStatements struct {
	PeriodID string
	Revision int
	Visible  []string // participants; nil for all
	Listing
}

// Statements returns up to limit statements of the revision's current run, without lines,
// after a participant, of all participants or ("visible" not nil) of those given.
func (s *Store) Statements(ctx context.Context, periodID string, revision int, visible []string, after string, limit int) ([]StoredStatement, error) {
	return s.FindStatements(ctx, WhichStatements{PeriodID: periodID, Revision: revision, Visible: visible}, after, limit)
}

// FindStatements returns up to limit statements without lines after a participant's.
func (s *Store) FindStatements(ctx context.Context, of WhichStatements, after string, limit int) ([]StoredStatement, error) {
	name, names := sortingNames(of.Listing, of.Visible, "st.participant_id", endOfPeriod)
	from := ` FROM period_revision r JOIN pay_period p ON p.id = r.period_id JOIN statement st ON st.run_id = r.run_id` + names + `
		WHERE r.period_id = @period AND r.revision = @revision`
	last := ""
	if after != "" {
		last = from + ` AND st.participant_id = @after`
	}
	goesOn, order, err := orders{"name": {name}, "total": {"st.currency", "st.total_minor"}}.seek(of.Listing, nil, []string{"st.participant_id"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT st.id, st.run_id, r.period_id, st.participant_id, st.currency, st.total_minor, CASE
				WHEN r.state = ANY(@posts) THEN st.total_minor - coalesce((
					SELECT sum(w.sign * l.amount_minor) FROM posted_line w JOIN line l ON l.id = w.line_id JOIN statement x ON x.id = l.statement_id
					WHERE w.period_id = r.period_id AND w.revision = r.revision AND w.participant_id = st.participant_id AND x.currency = st.currency
						AND NOT EXISTS (SELECT FROM adjustment_taken t WHERE t.run_id = x.run_id)), 0)
				ELSE coalesce((
					SELECT sum(l.amount_minor) FROM standing_line s JOIN line l ON l.id = s.line_id JOIN statement x ON x.id = l.statement_id
					WHERE (s.earned_in = r.period_id OR s.stated_in = r.period_id) AND s.participant_id = st.participant_id AND x.currency = st.currency), 0) END::bigint,
			st.digest, r.state, r.revision, `+nameAt("st.participant_id", "p.ends_on")+from+`
			AND `+goesOn+` AND `+among("st.participant_id", of.Visible)+` AND `+found("st.participant_id")+` `+order+` LIMIT @limit`,
		plannedAnew, pgx.NamedArgs{"period": of.PeriodID, "revision": of.Revision, "after": after, "visible": of.Visible, "limit": limit, "posts": posts, "search": anywhere(of.Search)})
	if err != nil {
		return nil, fmt.Errorf("list the statements of %s: %w", of.PeriodID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (st StoredStatement, err error) {
		err = row.Scan(&st.ID, &st.RunID, &st.PeriodID, &st.ParticipantID, &st.Currency, &st.TotalOf.Minor, &st.Before.Minor, &st.Digest, &st.State, &st.Revision, &st.Name)
		st.TotalOf.Currency, st.Before.Currency = st.Currency, st.Currency
		return st, err
	})
}

// nameAt is the SQL of a participant's name as of a day.
func nameAt(participant, day string) string {
	return `coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = ` + participant + ` AND f.effective_from <= ` + day + `
		ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), ` + participant + `)`
}

// Statement returns one participant's statement of the revision's current run with its
// lines and contributions. It is of code CodeNotFound where there is none.
func (s *Store) Statement(ctx context.Context, periodID string, revision int, participantID string) (StoredStatement, error) {
	found, err := s.Statements(ctx, periodID, revision, []string{participantID}, "", 1)
	if err != nil {
		return StoredStatement{}, err
	}
	if len(found) == 0 {
		return StoredStatement{}, incentive.Errorf(incentive.CodeNotFound, "there is no statement of %q in period %q", participantID, periodID)
	}
	statement := found[0]
	filled, err := statementsOf(ctx, s.pool, statement.RunID, participantID)
	if err != nil {
		return StoredStatement{}, err
	}
	statement.Lines = filled[0].Lines
	return statement, nil
}

// NotPaid lists which of a participant's credits of the period the lines of a statement do
// not pay for, and why in a language.
func (s *Store) NotPaid(ctx context.Context, l language.Language, of StoredStatement) ([]calculation.Unpaid, error) {
	var credits []calculation.Credited
	var assignments []incentive.Assignment
	err := errorsIn(
		collect(ctx, s.pool, &credits, `
			SELECT t.source, t.transaction_id, t.date, c.role, t.amount * c.share
			FROM run JOIN snapshot sn ON sn.id = run.snapshot_id JOIN pay_period p ON p.id = sn.period_id
			JOIN credit c ON c.participant_id = $2 JOIN snapshot_record rc ON rc.snapshot_id = sn.id AND rc.kind = 'credit' AND rc.record_id = c.record_id
			JOIN transaction t ON t.source = c.source AND t.transaction_id = c.transaction_id
			JOIN snapshot_record rt ON rt.snapshot_id = sn.id AND rt.kind = 'transaction' AND rt.record_id = t.record_id
			WHERE run.id = $1 AND t.date BETWEEN p.starts_on AND p.ends_on AND t.refund_of = ''
			ORDER BY t.date, t.source COLLATE "C", t.transaction_id COLLATE "C", c.role COLLATE "C"`, func(row pgx.CollectableRow) (c calculation.Credited, err error) {
			err = row.Scan(&c.Transaction.Source, &c.Transaction.ID, &c.Date, &c.Role, &c.Amount)
			return c, err
		}, of.RunID, of.ParticipantID),
		collect(ctx, s.pool, &assignments, `
			SELECT a.participant_id, a.plan_id, a.starts_on, a.ends_on, a.version FROM run
			JOIN assignment a ON a.participant_id = $2 JOIN snapshot_record r ON r.snapshot_id = run.snapshot_id AND r.kind = 'assignment' AND r.record_id = a.record_id
			WHERE run.id = $1`, pgx.RowToStructByPos[incentive.Assignment], of.RunID, of.ParticipantID))
	if err != nil {
		return nil, fmt.Errorf("read what %s was credited with: %w", of.ParticipantID, err)
	}
	if len(credits) == 0 {
		return nil, nil
	}
	var plans []string
	var numbers []int
	for _, line := range of.Lines {
		plans, numbers = append(plans, line.PlanID), append(numbers, line.PlanVersion)
	}
	var versions []incentive.PlanVersion
	err = collect(ctx, s.pool, &versions, `SELECT plan_id, version, effective_from, document FROM plan_version WHERE (plan_id, version) IN (SELECT * FROM unnest($1::text[], $2::int[])) ORDER BY plan_id COLLATE "C", version`,
		pgx.RowToStructByPos[incentive.PlanVersion], plans, numbers)
	if err != nil {
		return nil, fmt.Errorf("read the plans of %s: %w", of.ParticipantID, err)
	}
	return calculation.NotPaid(l, of.Statement, credits, assignments, versions)
}

// RunStatements returns everything that a run stored, by participant.
func (s *Store) RunStatements(ctx context.Context, runID int64) ([]incentive.Statement, error) {
	return statementsOf(ctx, s.pool, runID, "")
}

func statementsOf(ctx context.Context, q querier, runID int64, participantID string) ([]incentive.Statement, error) {
	type storedLine struct {
		incentive.Line
		id, statementID int64
	}
	var lines []storedLine
	var ids []int64
	var statements []incentive.Statement
	err := collect(ctx, q, &statements, `
		SELECT st.id, sn.period_id, st.participant_id, st.currency FROM statement st JOIN run ON run.id = st.run_id JOIN snapshot sn ON sn.id = run.snapshot_id
		WHERE st.run_id = $1 AND ($2 = '' OR st.participant_id = $2) ORDER BY st.participant_id COLLATE "C"`, func(row pgx.CollectableRow) (st incentive.Statement, err error) {
		var id int64
		err = row.Scan(&id, &st.PeriodID, &st.ParticipantID, &st.Currency)
		ids = append(ids, id)
		return st, err
	}, runID, participantID)
	if err != nil {
		return nil, fmt.Errorf("read the statements of run %d: %w", runID, err)
	}
	byID := make(map[int64]*incentive.Statement, len(ids))
	for i, id := range ids {
		byID[id] = &statements[i]
	}
	err = collect(ctx, q, &lines, `
		SELECT id, statement_id, plan_id, plan_version, component, coalesce(corrects, ''), kind, unrounded, amount_minor, explanation::text FROM line
		WHERE statement_id = ANY($1) ORDER BY statement_id, position`, func(row pgx.CollectableRow) (l storedLine, err error) {
		var explanation string
		err = row.Scan(&l.id, &l.statementID, &l.PlanID, &l.PlanVersion, &l.Component, &l.Corrects, &l.Kind, &l.Unrounded, &l.Amount.Minor, &explanation)
		l.Explanation = json.RawMessage(explanation)
		l.Amount.Currency = byID[l.statementID].Currency
		return l, err
	}, ids)
	if err != nil {
		return nil, fmt.Errorf("read the lines of run %d: %w", runID, err)
	}
	lineIDs := make([]int64, len(lines))
	lineByID := make(map[int64]*incentive.Line, len(lines))
	for i := range lines {
		lineIDs[i] = lines[i].id
		statement := byID[lines[i].statementID]
		if statement.Lines == nil {
			statement.Lines = make([]incentive.Line, 0, 4)
		}
		lineByID[lines[i].id] = &lines[i].Line
	}
	if err := fillContributions(ctx, q, lineIDs, lineByID); err != nil {
		return nil, fmt.Errorf("read the contributions of run %d: %w", runID, err)
	}
	for i := range lines {
		statement := byID[lines[i].statementID]
		statement.Lines = append(statement.Lines, lines[i].Line)
	}
	return statements, nil
}

// fillContributions reads the contributions of lines into them.
func fillContributions(ctx context.Context, q querier, ids []int64, lines map[int64]*incentive.Line) error {
	rows, err := q.Query(ctx, `
		SELECT line_id, source, transaction_id, participant_id, role, credited, amount, shown_minor FROM contribution
		WHERE line_id = ANY($1) ORDER BY line_id, position`, ids)
	if err != nil {
		return err
	}
	var c incentive.Contribution
	var lineID int64
	var credited, amount decimal.Decimal
	_, err = pgx.ForEachRow(rows, []any{&lineID, &c.Transaction.Source, &c.Transaction.ID, &c.ParticipantID, &c.Role, &credited, &amount, &c.Shown.Minor}, func() error {
		line := lines[lineID]
		c.Credited, c.Amount, c.Shown.Currency = credited, amount, line.Amount.Currency
		line.Contributions = append(line.Contributions, c)
		return nil
	})
	return err
}

// Run is one calculation over a snapshot.
type Run struct {
	ID            int64
	SnapshotID    int64
	EngineVersion string
	Digest        []byte
}

// Run returns a stored run.
func (s *Store) Run(ctx context.Context, id int64) (Run, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, snapshot_id, engine_version, digest FROM run WHERE id = $1`, id)
	if err != nil {
		return Run{}, fmt.Errorf("read run %d: %w", id, err)
	}
	run, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Run])
	if errors.Is(err, pgx.ErrNoRows) {
		return run, incentive.Errorf(incentive.CodeNotFound, "there is no run %d", id)
	}
	return run, err
}

// RunOf is one calculation of a period.
type RunOf struct {
	ID         int64
	SnapshotID int64
	Statements int
	At         time.Time
	Current    bool                         // the one that the period shows
	Totals     map[incentive.Currency]int64 // what its statements come to, in minor units
}

// Runs lists the runs of a revision, oldest first.
func (s *Store) Runs(ctx context.Context, periodID string, revision int) ([]RunOf, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT run.id, run.snapshot_id, run.statements, run.completed_at, coalesce(run.id = r.run_id, false)
		FROM run JOIN snapshot sn ON sn.id = run.snapshot_id
		JOIN period_revision r ON r.period_id = sn.period_id AND r.revision = sn.revision
		WHERE sn.period_id = $1 AND sn.revision = $2 ORDER BY run.id`, periodID, revision)
	if err != nil {
		return nil, fmt.Errorf("list the runs of %s: %w", periodID, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r RunOf, err error) {
		err = row.Scan(&r.ID, &r.SnapshotID, &r.Statements, &r.At, &r.Current)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the runs of %s: %w", periodID, err)
	}
	for i := range all {
		if all[i].Totals, err = s.runTotals.of(all[i].ID, func() (map[incentive.Currency]int64, error) { return s.totalsOf(ctx, all[i].ID) }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// totalsOf adds up what a run's statements come to.
func (s *Store) totalsOf(ctx context.Context, run int64) (totals map[incentive.Currency]int64, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT coalesce(jsonb_object_agg(currency, total), '{}') FROM (SELECT currency, sum(total_minor) AS total FROM statement WHERE run_id = $1 GROUP BY currency) sums`, run).Scan(&totals)
	if err != nil {
		return nil, fmt.Errorf("add up what run %d pays: %w", run, err)
	}
	return totals, nil
}

// Difference is somebody whose statement differs between two runs. Nil means that a run
// has no statement of theirs.
type Difference struct {
	ParticipantID string
	Name          string
	Before, After *incentive.Money
}

// Differences returns up to limit participants after one whose statements differ, in
// anything, between two runs of the period, of any of its revisions. A run of another
// period is of code CodeNotFound.
func (s *Store) Differences(ctx context.Context, p PeriodRevision, before, after int64, afterID string, limit int) ([]Difference, error) {
	if err := s.runsOf(ctx, p, before, after); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT coalesce(b.participant_id, a.participant_id) AS id, `+nameAt(`coalesce(b.participant_id, a.participant_id)`, `$3`)+`, b.total_minor, b.currency, a.total_minor, a.currency
		FROM (SELECT * FROM statement WHERE run_id = $1) b FULL JOIN (SELECT * FROM statement WHERE run_id = $2) a ON a.participant_id = b.participant_id
		WHERE b.digest IS DISTINCT FROM a.digest AND coalesce(b.participant_id, a.participant_id) > $4 ORDER BY 1 LIMIT $5`, before, after, p.EndsOn, afterID, limit)
	if err != nil {
		return nil, fmt.Errorf("compare runs %d and %d: %w", before, after, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Difference, err error) {
		var was, is *int64
		var wasIn, isIn *incentive.Currency
		err = row.Scan(&d.ParticipantID, &d.Name, &was, &wasIn, &is, &isIn)
		if was != nil {
			d.Before = &incentive.Money{Minor: *was, Currency: *wasIn}
		}
		if is != nil {
			d.After = &incentive.Money{Minor: *is, Currency: *isIn}
		}
		return d, err
	})
}

// runsOf refuses runs that are not the period's.
func (s *Store) runsOf(ctx context.Context, p PeriodRevision, before, after int64) error {
	var known int
	err := s.pool.QueryRow(ctx, `
		SELECT count(*) FROM run JOIN snapshot sn ON sn.id = run.snapshot_id WHERE sn.period_id = $1 AND run.id IN ($2, $3)`, p.ID, before, after).Scan(&known)
	if err != nil {
		return fmt.Errorf("look for runs %d and %d: %w", before, after, err)
	}
	if known != 2 && (before != after || known != 1) {
		return incentive.Errorf(incentive.CodeNotFound, "%s has no two runs %d and %d: list its runs", p.ID, before, after)
	}
	return nil
}

// Distributions returns how what a run pays is distributed, by currency, and what differs from
// another run, 0 for none. A run of another period is of code CodeNotFound.
func (s *Store) Distributions(ctx context.Context, p PeriodRevision, run, from int64) ([]calculation.Distribution, error) {
	if err := s.runsOf(ctx, p, cmp.Or(from, run), run); err != nil {
		return nil, err
	}
	return s.distributions.of([2]int64{run, from}, func() ([]calculation.Distribution, error) { return s.distributionsOf(ctx, run, from) })
}

func (s *Store) distributionsOf(ctx context.Context, run, from int64) ([]calculation.Distribution, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT a.currency, a.total_minor, b.currency, b.total_minor
		FROM (SELECT * FROM statement WHERE run_id = $1) a FULL JOIN (SELECT * FROM statement WHERE run_id = $2) b ON a.participant_id = b.participant_id`, run, from)
	if err != nil {
		return nil, fmt.Errorf("read what run %d pays: %w", run, err)
	}
	var paid []incentive.Money
	var changes []calculation.Change
	var isIn, wasIn *incentive.Currency
	var is, was *int64
	_, err = pgx.ForEachRow(rows, []any{&isIn, &is, &wasIn, &was}, func() error {
		if isIn != nil {
			paid = append(paid, incentive.Money{Minor: *is, Currency: *isIn})
		}
		if from == 0 {
			return nil
		}
		if wasIn != nil && isIn != nil && *wasIn == *isIn {
			changes = append(changes, calculation.Change{Before: incentive.Money{Minor: *was, Currency: *wasIn}, After: incentive.Money{Minor: *is, Currency: *isIn}})
			return nil
		}
		if wasIn != nil {
			changes = append(changes, calculation.Change{Before: incentive.Money{Minor: *was, Currency: *wasIn}, After: incentive.Money{Currency: *wasIn}})
		}
		if isIn != nil {
			changes = append(changes, calculation.Change{Before: incentive.Money{Currency: *isIn}, After: incentive.Money{Minor: *is, Currency: *isIn}})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what run %d pays: %w", run, err)
	}
	return calculation.Distributions(paid, changes), nil
}
