package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// dataLock is shared by imports and taken alone by a lock, so that nothing slips into a
// snapshot by the order of commits.
const dataLock = 0x67756572_02

// taking is one kind of record that a snapshot takes: a query of their ids, in which $1 is
// the snapshot with what it has taken so far.
type taking struct {
	kind      string
	sql       string
	arguments []any // from $2 on
}

func (t taking) insert() string {
	return `INSERT INTO snapshot_record SELECT $1, '` + t.kind + `', record_id FROM (` + t.sql + `) taken`
}

// take takes records of several kinds into a snapshot, one after another, without waiting in between.
func take(ctx context.Context, tx pgx.Tx, id int64, all []taking) error {
	batch := &pgx.Batch{}
	for _, t := range all {
		batch.Queue(t.insert(), append([]any{id}, t.arguments...)...)
	}
	results := tx.SendBatch(ctx, batch)
	for _, t := range all {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return fmt.Errorf("freeze the records of kind %s: %w", t.kind, err)
		}
	}
	return results.Close()
}

// changed reports whether the records are others today than those in a snapshot.
func (t taking) changed(ctx context.Context, tx pgx.Tx, id int64) (changed bool, err error) {
	err = tx.QueryRow(ctx, `
		WITH today AS (`+t.sql+`), was AS (SELECT record_id FROM snapshot_record WHERE snapshot_id = $1 AND kind = '`+t.kind+`')
		SELECT EXISTS (TABLE today EXCEPT TABLE was) OR EXISTS (TABLE was EXCEPT TABLE today)`, append([]any{id}, t.arguments...)...).Scan(&changed)
	if err != nil {
		return false, fmt.Errorf("compare the records of kind %s: %w", t.kind, err)
	}
	return changed, nil
}

// narrow says whose records a snapshot takes that only some statements are calculated
// from. nil in it is everybody's, and so is all of the zero value.
type narrow struct {
	assigned   []string                     // their assignments
	known      []string                     // what is true of them
	measured   []string                     // their quotas, what was posted for them, and their adjustments
	credited   []string                     // their credits, with the transactions
	refunded   []string                     // with credited: whose transactions' refunds; nil is nobody's
	reaches    map[string]calculation.Reach // of the plans; nil: they are looked up
	uncredited bool                         // with credited: also the transactions that their source credits nobody with
	sold       []incentive.TransactionKey   // these of the transactions, and no others
}

// whose is the SQL by which only the records of ids are taken, with the arguments that it
// comes after.
func whose(column string, ids []string, arguments ...any) (sql string, with []any) {
	if ids == nil {
		return "", arguments
	}
	return fmt.Sprintf(" AND %s = ANY($%d)", column, len(arguments)+2), append(arguments, ids)
}

// takingStructure is what says who is on which plan, or has left one that still settles
// with them. Plan versions and participants that start later than the period cannot matter
// to it.
func takingStructure(ctx context.Context, q querier, p PeriodRevision, n narrow) ([]taking, error) {
	if n.reaches == nil {
		all, err := reaches(ctx, q, p)
		if err != nil {
			return nil, err
		}
		n.reaches = all
	}
	plans, since := settling(n.reaches)
	assigned, onPlans := whose("participant_id", n.assigned, p.StartsOn, p.EndsOn, p.CalendarID, plans, since)
	ofPeople, people := whose("participant_id", n.known, p.EndsOn)
	return []taking{
		{"assignment", `SELECT record_id FROM (
			SELECT DISTINCT ON (participant_id, plan_id, starts_on) record_id, plan_id, calendar_id, starts_on, ends_on
			FROM assignment WHERE true` + assigned + ` ORDER BY participant_id, plan_id, starts_on, version DESC) a
			WHERE calendar_id = $4 AND starts_on <= $3::date AND (ends_on IS NULL OR ends_on >= $2::date
				OR ` + stillSettles + `)`, onPlans},
		{"plan_version", `SELECT record_id FROM plan_version v WHERE effective_from <= $2::date AND EXISTS (
			SELECT FROM snapshot_record r JOIN assignment a ON a.record_id = r.record_id
			WHERE r.snapshot_id = $1 AND r.kind = 'assignment' AND a.plan_id = v.plan_id)`, []any{p.EndsOn}},
		{"participant", `SELECT record_id FROM (
			SELECT DISTINCT ON (participant_id, effective_from) record_id
			FROM participant_fact WHERE effective_from <= $2::date` + ofPeople + ` ORDER BY participant_id, effective_from, version DESC) p`, people},
	}, nil
}

// stillSettles is the SQL of the assignments a that have ended, to plans $5 which settle with
// whoever left them on the days $6 or later.
const stillSettles = `EXISTS (SELECT FROM unnest($5::text[], $6::date[]) AS settles(plan_id, since) WHERE settles.plan_id = a.plan_id AND a.ends_on >= settles.since)`

// settling lists the plans that settle with those who left them, and with whom.
func settling(reaches map[string]calculation.Reach) (plans []string, since []incentive.Date) {
	for id, r := range reaches {
		if !r.SettlesSince.IsZero() {
			plans, since = append(plans, id), append(since, r.SettlesSince)
		}
	}
	return plans, since
}

// takingPosted is what earlier periods posted that plans of this one look back at: since
// back.Since and, where a line has a balance, always.
func takingPosted(p PeriodRevision, back calculation.LookBack, n narrow) taking {
	var plans, components []string
	for _, b := range back.Balances {
		plans, components = append(plans, b.PlanID), append(components, b.Component)
	}
	of, arguments := whose("s.participant_id", n.measured, p.StartsOn, back.Since, p.CalendarID, back.Cumulative, plans, components, p.ID)
	return taking{"posted", `SELECT l.id AS record_id
		FROM pay_period p JOIN standing_line s ON s.earned_in = p.id JOIN line l ON l.id = s.line_id
		WHERE p.calendar_id = $4 AND p.ends_on < $2::date AND s.stated_in <> $8
			AND (l.plan_id = ANY($5) AND p.starts_on >= $3::date OR (l.plan_id, l.component) IN (SELECT * FROM unnest($6::text[], $7::text[])))
			AND EXISTS (SELECT FROM snapshot_record r JOIN assignment a ON a.record_id = r.record_id
				WHERE r.snapshot_id = $1 AND r.kind = 'assignment' AND a.plan_id = l.plan_id AND a.participant_id = s.participant_id)` + of, arguments}
}

// takingPaid is what earlier periods paid by components that take back, and what they took.
func takingPaid(p PeriodRevision, back calculation.LookBack, n narrow) taking {
	var plans, components []string
	for _, c := range back.Clawbacks {
		plans, components = append(plans, c.PlanID, c.PlanID), append(components, c.Component, c.Line)
	}
	of, arguments := whose("s.participant_id", n.measured, p.StartsOn, back.ClawbacksSince, p.CalendarID, plans, components)
	return taking{"paid", `SELECT l.id AS record_id
		FROM pay_period p JOIN standing_line s ON s.earned_in = p.id JOIN line l ON l.id = s.line_id
		WHERE p.calendar_id = $4 AND p.ends_on BETWEEN $3::date AND $2::date - 1 AND (l.plan_id, l.component) IN (SELECT * FROM unnest($5::text[], $6::text[]))
			AND EXISTS (SELECT FROM snapshot_record r JOIN assignment a ON a.record_id = r.record_id
				WHERE r.snapshot_id = $1 AND r.kind = 'assignment' AND a.plan_id = l.plan_id AND a.participant_id = s.participant_id)` + of, arguments}
}

// takingRefunded is, of the transactions before the period that components may take back,
// those that are cancelled or refunded, with their refunds, and those that were taken back
// before, as that may be undone.
func takingRefunded(p PeriodRevision, back calculation.LookBack, n narrow) taking {
	lines := make([]string, len(back.Clawbacks))
	for i, c := range back.Clawbacks {
		lines[i] = c.Line
	}
	const standing = `t.date >= $2::date AND t.date < $3::date AND NOT EXISTS (
		SELECT FROM transaction later WHERE later.source = t.source AND later.transaction_id = t.transaction_id AND later.version > t.version)`
	const refund = `SELECT source, refund_of AS transaction_id FROM transaction WHERE refund_of <> '' AND date BETWEEN $2::date AND $4::date`
	const taken = `SELECT c.source, c.transaction_id FROM snapshot_record r JOIN line l ON l.id = r.record_id JOIN contribution c ON c.line_id = l.id
		WHERE r.snapshot_id = $1 AND r.kind = 'paid' AND l.component = ANY($6)`
	given := `SELECT source, transaction_id FROM transaction t WHERE attributes ?| $5 AND ` + standing + ` UNION ` + refund + ` UNION ` + taken
	if n.measured != nil {
		// Of few people it reads few rows: what was paid for is looked up one by one.
		given = `SELECT c.source, c.transaction_id FROM snapshot_record r JOIN contribution c ON c.line_id = r.record_id
			CROSS JOIN LATERAL (SELECT t.attributes FROM transaction t WHERE t.source = c.source AND t.transaction_id = c.transaction_id ORDER BY t.version DESC LIMIT 1) t
			WHERE r.snapshot_id = $1 AND r.kind = 'paid' AND (t.attributes ?| $5
				OR EXISTS (SELECT FROM transaction f WHERE f.source = c.source AND f.refund_of = c.transaction_id AND f.refund_of <> '' AND f.date <= $4::date))
			UNION SELECT t.source, t.transaction_id FROM snapshot_record r JOIN transaction t USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'transaction'
			UNION ` + taken
	}
	return taking{"refunded", `WITH given AS (` + given + `)
		SELECT t.record_id FROM given g JOIN transaction t USING (source, transaction_id) WHERE ` + standing + `
		UNION SELECT t.record_id FROM given g JOIN transaction t ON t.source = g.source AND t.refund_of = g.transaction_id AND t.refund_of <> '' WHERE ` + standing,
		[]any{back.ClawbacksSince, p.StartsOn, p.EndsOn, back.Cancelled, lines}}
}

// lastGoal is the last day on which a quota may begin that matters to a period.
func lastGoal(p PeriodRevision, back calculation.LookBack) incentive.Date {
	// A plan may hold a month against the whole year's goal, whatever is left of it.
	const longestGoal = 366
	if whole := back.Since.AddDays(longestGoal); len(back.Cumulative) > 0 && whole.After(p.EndsOn) {
		return whole
	}
	return p.EndsOn
}

// takingFacts is what was sold and expected, and what currencies were worth, from the first day that matters on.
func takingFacts(p PeriodRevision, back calculation.LookBack, n narrow) []taking {
	lastGoal := lastGoal(p, back)
	measured, quotas := whose("participant_id", n.measured, back.Since, lastGoal)
	credited, credits := whose("c.participant_id", n.credited)
	return []taking{
		{"exchange_rate", `SELECT record_id FROM (
			SELECT DISTINCT ON (rate_source, from_currency, to_currency, date) record_id
			FROM exchange_rate WHERE rate_source = ANY($2) AND date BETWEEN $3::date AND $4::date ORDER BY rate_source, from_currency, to_currency, date, version DESC) e`,
			[]any{back.Rates, back.RatesSince, p.EndsOn}},
		// Quotas reach beyond the period, as a plan may look at a whole year's.
		{"quota", `SELECT record_id FROM (
			SELECT DISTINCT ON (participant_id, measure, starts_on) record_id, starts_on, ends_on
			FROM quota WHERE true` + measured + ` ORDER BY participant_id, measure, starts_on, version DESC) q
			WHERE starts_on <= $3::date AND ends_on >= $2::date`, quotas},
		takingReliefs(back, lastGoal, n),
		takingObjectives(p, n),
		takingTransactions(p, back, n),
		{"credit", `SELECT c.record_id FROM snapshot_record r
			JOIN transaction t ON t.record_id = r.record_id
			JOIN credit c ON c.source = t.source AND c.transaction_id = t.transaction_id
			WHERE r.snapshot_id = $1 AND r.kind = 'transaction' AND ` + standingCredit + credited, credits},
	}
}

// standingCredit is the SQL of a credit c that still is one.
const standingCredit = `c.share <> 0 AND NOT EXISTS (
	SELECT FROM credit later WHERE later.source = c.source AND later.transaction_id = c.transaction_id
	AND later.participant_id = c.participant_id AND later.role = c.role AND later.version > c.version)`

// takingTransactions is what was sold.
func takingTransactions(p PeriodRevision, back calculation.LookBack, n narrow) taking {
	const standing = `t.date BETWEEN $2::date AND $3::date AND NOT EXISTS (
		SELECT FROM transaction later WHERE later.source = t.source AND later.transaction_id = t.transaction_id AND later.version > t.version)`
	between := []any{back.Since, p.EndsOn}
	if n.sold != nil {
		sources, ids := unzip(n.sold)
		return taking{"transaction", `SELECT t.record_id FROM (SELECT * FROM unnest($4::text[], $5::text[])) AS k(source, transaction_id) JOIN transaction t USING (source, transaction_id) WHERE ` + standing, append(between, sources, ids)}
	}
	if n.credited == nil {
		return taking{"transaction", `SELECT record_id FROM transaction t WHERE ` + standing, between}
	}
	credited, arguments := whose("c.participant_id", n.credited, between...)
	// Of few people it reads few rows: the latest versions are looked up one by one, as
	// PostgreSQL would rather read whole tables to find them.
	sql := `SELECT t.record_id FROM (
			SELECT DISTINCT c.source, c.transaction_id FROM credit c WHERE c.share <> 0` + credited + ` AND c.version = (
				SELECT max(later.version) FROM credit later WHERE later.source = c.source AND later.transaction_id = c.transaction_id
				AND later.participant_id = c.participant_id AND later.role = c.role)) k
		CROSS JOIN LATERAL (
			SELECT t.record_id, t.date FROM transaction t WHERE t.source = k.source AND t.transaction_id = k.transaction_id ORDER BY t.version DESC LIMIT 1) t
		WHERE t.date BETWEEN $2::date AND $3::date`
	takesBack := n.refunded != nil
	if takesBack {
		var refunded string
		refunded, arguments = whose("c.participant_id", n.refunded, arguments...)
		sql += ` UNION SELECT t.record_id FROM credit c JOIN transaction t ON t.source = c.source AND t.refund_of = c.transaction_id AND t.refund_of <> ''
			WHERE c.share <> 0` + refunded + ` AND ` + standing
	}
	if n.uncredited {
		sql += ` UNION SELECT t.record_id FROM transaction t WHERE ` + standing + `
			AND (NOT EXISTS (SELECT FROM credit c WHERE c.source = t.source AND c.transaction_id = t.transaction_id AND ` + standingCredit + `)
				OR ` + fmt.Sprint(takesBack) + ` AND t.refund_of <> '' AND NOT EXISTS (SELECT FROM credit c WHERE c.source = t.source AND c.transaction_id = t.refund_of AND ` + standingCredit + `))`
	}
	return taking{"transaction", sql, arguments}
}

// posts are the states in which a period's lines stand.
var posts = []incentive.State{incentive.Approved, incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed}

// unzip lists the sources and the ids of transactions.
func unzip(keys []incentive.TransactionKey) (sources, ids []string) {
	for _, k := range keys {
		sources, ids = append(sources, k.Source), append(ids, k.ID)
	}
	return sources, ids
}

// nothingLeftOut is a whole snapshot.
func nothingLeftOut(incentive.Date) narrow { return narrow{} }

// freeze takes into a snapshot all that a calculation of the period depends on, and returns the
// first day whose transactions matter. only may leave out some of what was sold from that day on.
func freeze(ctx context.Context, tx pgx.Tx, id int64, p PeriodRevision, only func(since incentive.Date) narrow) (since incentive.Date, err error) {
	back, err := takeStructure(ctx, tx, id, p, narrow{})
	if err == nil && looksAtPosted(back) {
		err = earlierPosted(ctx, tx, p)
	}
	if err != nil {
		return since, err
	}
	if err := takeRest(ctx, tx, id, p, back, only(back.Since)); err != nil {
		return since, err
	}
	return back.Since, freezeCorrections(ctx, tx, id, p, func(string) bool { return true })
}

// takeStructure takes into a snapshot what says who is on which plan, and returns what the
// plans, and those of a draft, need of the time before the period.
func takeStructure(ctx context.Context, tx pgx.Tx, id int64, p PeriodRevision, n narrow, draft ...incentive.PlanVersion) (calculation.LookBack, error) {
	structure, err := takingStructure(ctx, tx, p, n)
	if err != nil {
		return calculation.LookBack{}, err
	}
	if err := take(ctx, tx, id, structure); err != nil {
		return calculation.LookBack{}, err
	}
	return looksBack(ctx, tx, id, p, draft...)
}

// takeRest takes into a snapshot everything but its structure.
func takeRest(ctx context.Context, tx pgx.Tx, id int64, p PeriodRevision, back calculation.LookBack, n narrow) error {
	rest := append(takingFacts(p, back, n), takingAdjustments(p, n))
	if back.Groups {
		rest = append(rest, takingGroups(p, back)...)
	}
	return take(ctx, tx, id, append(rest, takingEarlier(p, back, n)...))
}

// takingEarlier is what a period takes of earlier ones.
func takingEarlier(p PeriodRevision, back calculation.LookBack, n narrow) (all []taking) {
	if looksAtPosted(back) {
		all = append(all, takingPosted(p, back, n))
	}
	if len(back.Clawbacks) > 0 && (n.credited == nil || n.refunded != nil) {
		all = append(all, takingPaid(p, back, n), takingRefunded(p, back, n))
	}
	return all
}

// looksAtPosted reports whether plans need what earlier periods posted.
func looksAtPosted(back calculation.LookBack) bool {
	return len(back.Cumulative)+len(back.Balances) > 0
}

// looksBack says what the plans of a snapshot need of the time before the period. Who is
// on them matters only where an interval begins with somebody's first day on the plan.
func looksBack(ctx context.Context, q querier, id int64, p PeriodRevision, draft ...incentive.PlanVersion) (calculation.LookBack, error) {
	snapshot := incentive.Snapshot{Period: p.Period}
	if err := loadPlanVersions(ctx, q, id, &snapshot); err != nil {
		return calculation.LookBack{}, fmt.Errorf("read the plans of snapshot %d: %w", id, err)
	}
	snapshot.PlanVersions = append(snapshot.PlanVersions, draft...)
	for _, v := range snapshot.PlanVersions {
		snapshot.Assignments = append(snapshot.Assignments, incentive.Assignment{PlanID: v.PlanID, StartsOn: p.StartsOn})
	}
	back, err := calculation.LooksBack(snapshot)
	if err != nil || len(back.Cumulative) == 0 {
		return back, err
	}
	err = collect(ctx, q, &snapshot.Assignments, `
		SELECT DISTINCT ON (plan_id, starts_on, ends_on) participant_id, plan_id, starts_on, ends_on, version
		FROM snapshot_record r JOIN assignment USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'assignment'`, pgx.RowToStructByPos[incentive.Assignment], id)
	if err != nil {
		return back, fmt.Errorf("read the assignments of snapshot %d: %w", id, err)
	}
	return calculation.LooksBack(snapshot)
}

// earlierPosted refuses a period whose plans need what the one before it posts, while that
// one may still change.
func earlierPosted(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	var before string
	err := tx.QueryRow(ctx, `
		SELECT p.id FROM pay_period p
		JOIN period_revision r ON r.period_id = p.id
		WHERE p.calendar_id = $1 AND p.ends_on < $2 AND r.state <> ALL($3) AND r.state <> 'cancelled' ORDER BY p.ends_on DESC LIMIT 1`,
		p.CalendarID, p.StartsOn, posts).Scan(&before)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the period before %s: %w", p.ID, err)
	}
	return incentive.Errorf(CodeEarlierOpen, "a plan of this period looks back at what %s posts, which is not approved yet: approve that one first", before)
}

// LockPeriod freezes everything that a calculation of the period depends on, together,
// and returns the snapshot's digest.
func (s *Store) LockPeriod(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	var locked PeriodRevision
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for imports to end: %w", err)
		}
		p, next, err := mayMove(ctx, tx, c)
		if err != nil {
			return err
		}
		locked = p
		if next == "" {
			return nil
		}
		var id int64
		if err := tx.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))`).Scan(&id); err != nil {
			return fmt.Errorf("number the snapshot: %w", err)
		}
		since, err := freeze(ctx, tx, id, p, nothingLeftOut)
		if err != nil {
			return err
		}
		snapshot, err := loadSnapshot(ctx, tx, id, p.Period, since)
		if err != nil {
			return err
		}
		digest := snapshot.Digest()
		p, _, err = move(ctx, tx, c, struct {
			SnapshotDigest string `json:"snapshot_digest"`
			Transactions   int    `json:"transactions"`
			Credits        int    `json:"credits"`
			Participants   int    `json:"participants"`
		}{fmt.Sprintf("%x", digest), len(snapshot.Transactions), len(snapshot.Credits), len(snapshot.Participants)})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO snapshot (id, period_id, revision, digest, since) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)`, id, c.PeriodID, c.Revision, digest[:], since); err != nil {
			return fmt.Errorf("keep the snapshot of %s: %w", c.PeriodID, err)
		}
		if err := takeAdjustments(ctx, tx, id, c.PeriodID); err != nil {
			return err
		}
		p.SnapshotID, p.Problem = &id, ""
		locked = p
		return keep(ctx, tx, p)
	})
	return locked, err
}

// Snapshot returns a frozen snapshot and the digest it was given when it was frozen.
func (s *Store) Snapshot(ctx context.Context, id int64) (incentive.Snapshot, []byte, error) {
	p, since, digest, err := snapshotHead(ctx, s.pool, id)
	if err != nil {
		return incentive.Snapshot{}, nil, err
	}
	snapshot, err := loadSnapshot(ctx, s.pool, id, p, since)
	return snapshot, digest, err
}

// snapshotHead returns the period of a snapshot, the first day that matters, and the digest.
func snapshotHead(ctx context.Context, q querier, id int64) (p incentive.Period, since incentive.Date, digest []byte, err error) {
	err = q.QueryRow(ctx, `
		SELECT p.id, p.calendar_id, p.code, p.starts_on, p.ends_on, s.revision, s.digest, coalesce(s.since, p.starts_on)
		FROM snapshot s JOIN pay_period p ON p.id = s.period_id WHERE s.id = $1`, id).
		Scan(&p.ID, &p.CalendarID, &p.Code, &p.StartsOn, &p.EndsOn, &p.Revision, &digest, &since)
	if err != nil {
		return p, since, nil, fmt.Errorf("read snapshot %d: %w", id, err)
	}
	return p, since, digest, nil
}

func loadSnapshot(ctx context.Context, q querier, id int64, period incentive.Period, since incentive.Date) (incentive.Snapshot, error) {
	snapshot, err := loadAllButSales(ctx, q, id, period, since)
	if err == nil {
		err = loadSales(ctx, q, id, &snapshot)
	}
	if err == nil {
		err = loadCorrections(ctx, q, id, &snapshot)
	}
	if err != nil {
		return snapshot, fmt.Errorf("read snapshot %d: %w", id, err)
	}
	return snapshot, nil
}

func scanTransaction(row pgx.CollectableRow) (t incentive.Transaction, err error) {
	err = row.Scan(&t.Source, &t.ID, &t.Version, &t.Date, &t.Amount, &t.Currency, &t.Attributes, &t.RefundOf)
	return t, err
}

// Uncredited returns what of a period's snapshot says whom rules credit with what was sold, and
// of that only what its source credits nobody with: none where its run has found nobody missing.
func (s *Store) Uncredited(ctx context.Context, p PeriodRevision) (incentive.Snapshot, error) {
	period, since, _, err := snapshotHead(ctx, s.pool, *p.SnapshotID)
	if err != nil {
		return incentive.Snapshot{}, err
	}
	var none bool
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM run WHERE id = $1 AND snapshot_id = $2 AND uncredited = 0)`, p.RunID, *p.SnapshotID).Scan(&none); err != nil || none {
		return incentive.Snapshot{Period: period}, err
	}
	snapshot, err := loadAllButSales(ctx, s.pool, *p.SnapshotID, period, since)
	if err != nil {
		return snapshot, err
	}
	err = collect(ctx, s.pool, &snapshot.Transactions, `
		SELECT source, transaction_id, version, date, amount, currency, attributes, refund_of
		FROM snapshot_record r JOIN transaction t USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'transaction' AND NOT EXISTS (
			SELECT FROM credit c JOIN snapshot_record rc USING (record_id) WHERE rc.snapshot_id = $1 AND rc.kind = 'credit' AND c.source = t.source AND c.transaction_id = t.transaction_id)
		ORDER BY date, source COLLATE "C", transaction_id COLLATE "C"`, scanTransaction, *p.SnapshotID)
	if err != nil {
		return snapshot, fmt.Errorf("read what nobody is credited with in snapshot %d: %w", *p.SnapshotID, err)
	}
	return snapshot, nil
}

// loadSales reads transactions and credits.
func loadSales(ctx context.Context, q querier, id int64, snapshot *incentive.Snapshot) error {
	return errorsIn(
		collect(ctx, q, &snapshot.Transactions, `
			SELECT source, transaction_id, version, date, amount, currency, attributes, refund_of
			FROM (SELECT record_id FROM snapshot_record WHERE snapshot_id = $1 AND kind = 'transaction'
				UNION SELECT record_id FROM snapshot_record WHERE snapshot_id = $1 AND kind = 'refunded') r JOIN transaction USING (record_id)
			ORDER BY date, source COLLATE "C", transaction_id COLLATE "C"`, scanTransaction, id),
		collect(ctx, q, &snapshot.Credits, `
			SELECT source, transaction_id, participant_id, role, share, version
			FROM snapshot_record r JOIN credit USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'credit'
			ORDER BY source COLLATE "C", transaction_id COLLATE "C", participant_id COLLATE "C", role COLLATE "C"`, func(row pgx.CollectableRow) (c incentive.Credit, err error) {
			err = row.Scan(&c.Transaction.Source, &c.Transaction.ID, &c.ParticipantID, &c.Role, &c.Share, &c.Version)
			return c, err
		}, id),
	)
}

// loadAllButSales reads what is the same for every shard of a calculation: all that does not
// grow with what was sold.
func loadAllButSales(ctx context.Context, q querier, id int64, period incentive.Period, since incentive.Date) (incentive.Snapshot, error) {
	snapshot := incentive.Snapshot{Period: period, Since: since}
	err := errorsIn(
		collect(ctx, q, &snapshot.Participants, `
			SELECT participant_id, effective_from, name, email, f.kind, coalesce(manager_id, ''), country, pay_currency, employed_until, attributes
			FROM snapshot_record r JOIN participant_fact f USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'participant'
			ORDER BY participant_id COLLATE "C", effective_from`, func(row pgx.CollectableRow) (p incentive.Participant, err error) {
			err = row.Scan(&p.ID, &p.EffectiveFrom, &p.Name, &p.Email, &p.Kind, &p.ManagerID, &p.Country, &p.PayCurrency, &p.EmployedUntil, &p.Attributes)
			return p, err
		}, id),
		collect(ctx, q, &snapshot.Quotas, `
			SELECT participant_id, measure, starts_on, ends_on, amount, version
			FROM snapshot_record r JOIN quota USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'quota'
			ORDER BY participant_id COLLATE "C", measure COLLATE "C", starts_on`, pgx.RowToStructByPos[incentive.Quota], id),
		loadReliefs(ctx, q, id, &snapshot),
		collect(ctx, q, &snapshot.Objectives, `
			SELECT participant_id, period_id, name, weight, score, version
			FROM snapshot_record r JOIN objective USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'objective'
			ORDER BY participant_id COLLATE "C", name COLLATE "C"`, pgx.RowToStructByPos[incentive.Objective], id),
		loadPlans(ctx, q, id, &snapshot),
		loadGroups(ctx, q, id, &snapshot),
		collect(ctx, q, &snapshot.Rates, `
			SELECT rate_source, from_currency, to_currency, date, rate, version
			FROM snapshot_record r JOIN exchange_rate USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'exchange_rate'
			ORDER BY rate_source COLLATE "C", from_currency COLLATE "C", to_currency COLLATE "C", date`, pgx.RowToStructByPos[incentive.ExchangeRate], id),
		collect(ctx, q, &snapshot.Posted, `
			WITH refunded AS (SELECT source, transaction_id FROM snapshot_record r JOIN transaction USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'refunded')
			SELECT st.participant_id, l.plan_id, l.component, p.id, p.starts_on, p.ends_on, l.amount_minor, st.currency,
				(SELECT jsonb_agg(jsonb_build_object('transaction', jsonb_build_object('source', c.source, 'id', c.transaction_id),
					'participant_id', c.participant_id, 'role', c.role, 'shown_minor', c.shown_minor) ORDER BY c.position)
				FROM contribution c WHERE c.line_id = l.id AND (l.kind = 'holdback' OR r.paid AND (c.source, c.transaction_id) IN (TABLE refunded)))
			FROM (SELECT record_id, bool_or(kind = 'paid') AS paid FROM snapshot_record WHERE snapshot_id = $1 AND kind IN ('posted', 'paid') GROUP BY record_id) r
			JOIN line l ON l.id = r.record_id JOIN statement st ON st.id = l.statement_id
			JOIN run ON run.id = st.run_id JOIN snapshot s ON s.id = run.snapshot_id JOIN pay_period p ON p.id = coalesce(l.corrects, s.period_id)
			ORDER BY st.participant_id COLLATE "C", l.plan_id COLLATE "C", l.component COLLATE "C", p.starts_on, l.id`, func(row pgx.CollectableRow) (l incentive.Posted, err error) {
			err = row.Scan(&l.ParticipantID, &l.PlanID, &l.Component, &l.PeriodID, &l.StartsOn, &l.EndsOn, &l.Amount.Minor, &l.Amount.Currency, &l.Contributions)
			return l, err
		}, id),
		collect(ctx, q, &snapshot.Adjustments, `
			SELECT a.id::text, a.participant_id, a.period_id, a.type, a.amount_minor, a.currency, coalesce(a.dispute_id::text, '')
			FROM snapshot_record r JOIN adjustment a USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'adjustment'
			ORDER BY a.participant_id COLLATE "C", a.id`, func(row pgx.CollectableRow) (a incentive.Adjustment, err error) {
			err = row.Scan(&a.ID, &a.ParticipantID, &a.PeriodID, &a.Type, &a.Amount.Minor, &a.Amount.Currency, &a.DisputeID)
			return a, err
		}, id),
	)
	return snapshot, err
}

// loadPlans reads who is on which plan.
func loadPlans(ctx context.Context, q querier, id int64, snapshot *incentive.Snapshot) error {
	return errorsIn(
		collect(ctx, q, &snapshot.Assignments, `
			SELECT participant_id, plan_id, starts_on, ends_on, version
			FROM snapshot_record r JOIN assignment USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'assignment'
			ORDER BY participant_id COLLATE "C", plan_id COLLATE "C", starts_on`, pgx.RowToStructByPos[incentive.Assignment], id),
		loadPlanVersions(ctx, q, id, snapshot),
	)
}

func loadPlanVersions(ctx context.Context, q querier, id int64, snapshot *incentive.Snapshot) error {
	return collect(ctx, q, &snapshot.PlanVersions, `
		SELECT plan_id, version, effective_from, document
		FROM snapshot_record r JOIN plan_version USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'plan_version'
		ORDER BY plan_id COLLATE "C", version`, pgx.RowToStructByPos[incentive.PlanVersion], id)
}

// collect reads all rows of a query into into.
func collect[T any](ctx context.Context, q querier, into *[]T, sql string, scan pgx.RowToFunc[T], arguments ...any) error {
	rows, err := q.Query(ctx, sql, arguments...)
	if err != nil {
		return err
	}
	*into, err = pgx.CollectRows(rows, scan)
	return err
}

// analyze has PostgreSQL know what a table holds now. Otherwise it plans for an empty one until it looks
// by itself, up to a minute later, and what reads thousands of new rows takes the square of their number.
func analyze(ctx context.Context, tx pgx.Tx, table string) error {
	if _, err := tx.Exec(ctx, `ANALYZE `+pgx.Identifier{table}.Sanitize()); err != nil {
		return fmt.Errorf("analyze %s: %w", table, err)
	}
	return nil
}

// errorsIn returns the first error.
func errorsIn(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
