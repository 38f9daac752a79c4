package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/plan"
)

// dataLock is shared by imports and taken alone by a lock, so that nothing slips into a
// snapshot by the order of commits.
const dataLock = 0x67756572_02

// The versions of records that a snapshot of a period takes. $1 is the snapshot, $2 and $3
// the first and last day that matter. Plan versions and participants that start later
// than the period cannot matter to it.
const (
	freezeAssignments = `INSERT INTO snapshot_record SELECT $1, 'assignment', record_id FROM (
		SELECT DISTINCT ON (participant_id, plan_id, starts_on) record_id, starts_on, ends_on
		FROM assignment WHERE calendar_id = $4 ORDER BY participant_id, plan_id, starts_on, version DESC) a
	WHERE starts_on <= $3::date AND (ends_on IS NULL OR ends_on >= $2::date)`
	freezePlans = `INSERT INTO snapshot_record SELECT $1, 'plan_version', record_id FROM plan_version v
	WHERE effective_from <= $2::date AND EXISTS (
		SELECT FROM snapshot_record r JOIN assignment a ON a.record_id = r.record_id
		WHERE r.snapshot_id = $1 AND r.kind = 'assignment' AND a.plan_id = v.plan_id)`
	freezeParticipants = `INSERT INTO snapshot_record SELECT $1, 'participant', record_id FROM (
		SELECT DISTINCT ON (participant_id, effective_from) record_id
		FROM participant_fact WHERE effective_from <= $2::date ORDER BY participant_id, effective_from, version DESC) p`
	// Quotas reach beyond the period, as a plan may look at a whole year's.
	freezeQuotas = `INSERT INTO snapshot_record SELECT $1, 'quota', record_id FROM (
		SELECT DISTINCT ON (participant_id, measure, starts_on) record_id, starts_on, ends_on
		FROM quota ORDER BY participant_id, measure, starts_on, version DESC) q
	WHERE starts_on <= $3::date AND ends_on >= $2::date`
	freezeTransactions = `INSERT INTO snapshot_record SELECT $1, 'transaction', record_id FROM transaction t
	WHERE date BETWEEN $2::date AND $3::date AND NOT EXISTS (
		SELECT FROM transaction later WHERE later.source = t.source AND later.transaction_id = t.transaction_id AND later.version > t.version)`
	freezeCredits = `INSERT INTO snapshot_record SELECT $1, 'credit', c.record_id FROM snapshot_record r
	JOIN transaction t ON t.record_id = r.record_id
	JOIN credit c ON c.source = t.source AND c.transaction_id = t.transaction_id
	WHERE r.snapshot_id = $1 AND r.kind = 'transaction' AND c.share <> 0 AND NOT EXISTS (
		SELECT FROM credit later WHERE later.source = c.source AND later.transaction_id = c.transaction_id
		AND later.participant_id = c.participant_id AND later.role = c.role AND later.version > c.version)`
	// $2 is the period's first day, $3 the first that matters, $4 the calendar, $5 the plans
	// that look back since then, and $6 those whose draws have a balance.
	freezePosted = `INSERT INTO snapshot_record SELECT $1, 'posted', l.id
	FROM pay_period p
	JOIN LATERAL (SELECT * FROM period_revision r WHERE r.period_id = p.id ORDER BY revision DESC LIMIT 1) r ON r.state = ANY($7)
	JOIN statement st ON st.run_id = r.run_id JOIN line l ON l.statement_id = st.id
	WHERE p.calendar_id = $4 AND p.ends_on < $2::date
		AND (l.plan_id = ANY($5) AND p.starts_on >= $3::date OR l.plan_id = ANY($6) AND l.component = $8)
		AND EXISTS (SELECT FROM snapshot_record r JOIN assignment a ON a.record_id = r.record_id
			WHERE r.snapshot_id = $1 AND r.kind = 'assignment' AND a.plan_id = l.plan_id AND a.participant_id = st.participant_id)`
)

// posts are the states in which a period's lines stand.
var posts = []incentive.State{incentive.Approved, incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed}

// freeze takes into a snapshot all that a calculation of the period depends on, and
// returns the first day whose transactions matter.
func freeze(ctx context.Context, tx pgx.Tx, id int64, p PeriodRevision) (since incentive.Date, err error) {
	take := func(sql string, arguments ...any) error {
		if _, err := tx.Exec(ctx, sql, append([]any{id}, arguments...)...); err != nil {
			return fmt.Errorf("freeze the records of %s: %w", p.ID, err)
		}
		return nil
	}
	err = errorsIn(take(freezeAssignments, p.StartsOn, p.EndsOn, p.CalendarID), take(freezePlans, p.EndsOn), take(freezeParticipants, p.EndsOn))
	if err != nil {
		return since, err
	}
	soFar, err := loadSnapshot(ctx, tx, id, p.Period, since)
	if err != nil {
		return since, err
	}
	back, err := calculation.LooksBack(soFar)
	if err != nil {
		return since, err
	}
	if len(back.Cumulative)+len(back.Draws) > 0 {
		if err := earlierPosted(ctx, tx, p); err != nil {
			return since, err
		}
		if err := take(freezePosted, p.StartsOn, back.Since, p.CalendarID, back.Cumulative, back.Draws, posts, plan.DrawComponent); err != nil {
			return since, err
		}
	}
	// A plan may hold a month against the whole year's goal, whatever is left of it.
	const longestGoal = 366
	lastGoal := p.EndsOn
	if len(back.Cumulative) > 0 {
		lastGoal = back.Since.AddDays(longestGoal)
		if lastGoal.Before(p.EndsOn) {
			lastGoal = p.EndsOn
		}
	}
	return back.Since, errorsIn(take(freezeQuotas, back.Since, lastGoal), take(freezeTransactions, back.Since, p.EndsOn), take(freezeCredits))
}

// earlierPosted refuses a period whose plans need what the one before it posts, while that
// one may still change.
func earlierPosted(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	var before string
	err := tx.QueryRow(ctx, `
		SELECT p.id FROM pay_period p
		LEFT JOIN LATERAL (SELECT * FROM period_revision r WHERE r.period_id = p.id ORDER BY revision DESC LIMIT 1) r ON true
		WHERE p.calendar_id = $1 AND p.ends_on < $2 AND r.state IS NOT NULL AND r.state <> ALL($3) AND r.state <> 'cancelled' ORDER BY p.ends_on DESC LIMIT 1`,
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
		var id int64
		if err := tx.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))`).Scan(&id); err != nil {
			return fmt.Errorf("number the snapshot: %w", err)
		}
		p, err := periodRevision(ctx, tx, c.PeriodID, c.Revision, " FOR UPDATE OF r")
		if err != nil {
			return err
		}
		since, err := freeze(ctx, tx, id, p)
		if err != nil {
			return err
		}
		snapshot, err := loadSnapshot(ctx, tx, id, p.Period, since)
		if err != nil {
			return err
		}
		digest := snapshot.Digest()
		p, done, err := move(ctx, tx, c, struct {
			SnapshotDigest string `json:"snapshot_digest"`
			Transactions   int    `json:"transactions"`
			Credits        int    `json:"credits"`
			Participants   int    `json:"participants"`
		}{fmt.Sprintf("%x", digest), len(snapshot.Transactions), len(snapshot.Credits), len(snapshot.Participants)})
		if err != nil {
			return err
		}
		if !done {
			locked = p
			return errAlreadyDone // rolls the spare snapshot back
		}
		if _, err := tx.Exec(ctx, `INSERT INTO snapshot (id, period_id, revision, digest, since) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)`, id, c.PeriodID, c.Revision, digest[:], since); err != nil {
			return fmt.Errorf("keep the snapshot of %s: %w", c.PeriodID, err)
		}
		p.SnapshotID, p.Problem = &id, ""
		locked = p
		return keep(ctx, tx, p)
	})
	if err == errAlreadyDone {
		err = nil
	}
	return locked, err
}

// errAlreadyDone ends a transaction whose work turned out to be done.
var errAlreadyDone = fmt.Errorf("already done")

// Snapshot returns a frozen snapshot and the digest it was given when it was frozen.
func (s *Store) Snapshot(ctx context.Context, id int64) (incentive.Snapshot, []byte, error) {
	var p incentive.Period
	var digest []byte
	var since incentive.Date
	err := s.pool.QueryRow(ctx, `
		SELECT p.id, p.calendar_id, p.code, p.starts_on, p.ends_on, s.revision, s.digest, coalesce(s.since, p.starts_on)
		FROM snapshot s JOIN pay_period p ON p.id = s.period_id WHERE s.id = $1`, id).
		Scan(&p.ID, &p.CalendarID, &p.Code, &p.StartsOn, &p.EndsOn, &p.Revision, &digest, &since)
	if err != nil {
		return incentive.Snapshot{}, nil, fmt.Errorf("read snapshot %d: %w", id, err)
	}
	snapshot, err := loadSnapshot(ctx, s.pool, id, p, since)
	return snapshot, digest, err
}

func loadSnapshot(ctx context.Context, q querier, id int64, period incentive.Period, since incentive.Date) (incentive.Snapshot, error) {
	snapshot := incentive.Snapshot{Period: period, Since: since}
	err := errorsIn(
		collect(ctx, q, &snapshot.Participants, `
			SELECT participant_id, effective_from, name, email, f.kind, coalesce(manager_id, ''), country, pay_currency, employed_until, attributes
			FROM snapshot_record r JOIN participant_fact f USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'participant'
			ORDER BY participant_id COLLATE "C", effective_from`, func(row pgx.CollectableRow) (p incentive.Participant, err error) {
			err = row.Scan(&p.ID, &p.EffectiveFrom, &p.Name, &p.Email, &p.Kind, &p.ManagerID, &p.Country, &p.PayCurrency, &p.EmployedUntil, &p.Attributes)
			return p, err
		}, id),
		collect(ctx, q, &snapshot.Transactions, `
			SELECT source, transaction_id, version, date, amount, currency, attributes
			FROM snapshot_record r JOIN transaction USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'transaction'
			ORDER BY date, source COLLATE "C", transaction_id COLLATE "C"`, func(row pgx.CollectableRow) (t incentive.Transaction, err error) {
			err = row.Scan(&t.Source, &t.ID, &t.Version, &t.Date, &t.Amount, &t.Currency, &t.Attributes)
			return t, err
		}, id),
		collect(ctx, q, &snapshot.Credits, `
			SELECT source, transaction_id, participant_id, role, share, version
			FROM snapshot_record r JOIN credit USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'credit'
			ORDER BY source COLLATE "C", transaction_id COLLATE "C", participant_id COLLATE "C", role COLLATE "C"`, func(row pgx.CollectableRow) (c incentive.Credit, err error) {
			err = row.Scan(&c.Transaction.Source, &c.Transaction.ID, &c.ParticipantID, &c.Role, &c.Share, &c.Version)
			return c, err
		}, id),
		collect(ctx, q, &snapshot.Quotas, `
			SELECT participant_id, measure, starts_on, ends_on, amount, version
			FROM snapshot_record r JOIN quota USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'quota'
			ORDER BY participant_id COLLATE "C", measure COLLATE "C", starts_on`, pgx.RowToStructByPos[incentive.Quota], id),
		collect(ctx, q, &snapshot.Assignments, `
			SELECT participant_id, plan_id, starts_on, ends_on, version
			FROM snapshot_record r JOIN assignment USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'assignment'
			ORDER BY participant_id COLLATE "C", plan_id COLLATE "C", starts_on`, pgx.RowToStructByPos[incentive.Assignment], id),
		collect(ctx, q, &snapshot.PlanVersions, `
			SELECT plan_id, version, effective_from, document
			FROM snapshot_record r JOIN plan_version USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'plan_version'
			ORDER BY plan_id COLLATE "C", version`, pgx.RowToStructByPos[incentive.PlanVersion], id),
		collect(ctx, q, &snapshot.Posted, `
			SELECT st.participant_id, l.plan_id, l.component, p.id, p.starts_on, p.ends_on, l.amount_minor, st.currency
			FROM snapshot_record r JOIN line l ON l.id = r.record_id JOIN statement st ON st.id = l.statement_id
			JOIN run ON run.id = st.run_id JOIN snapshot s ON s.id = run.snapshot_id JOIN pay_period p ON p.id = s.period_id
			WHERE r.snapshot_id = $1 AND r.kind = 'posted'
			ORDER BY st.participant_id COLLATE "C", l.plan_id COLLATE "C", l.component COLLATE "C", p.starts_on`, func(row pgx.CollectableRow) (l incentive.Posted, err error) {
			err = row.Scan(&l.ParticipantID, &l.PlanID, &l.Component, &l.PeriodID, &l.StartsOn, &l.EndsOn, &l.Amount.Minor, &l.Amount.Currency)
			return l, err
		}, id),
	)
	if err != nil {
		return snapshot, fmt.Errorf("read snapshot %d: %w", id, err)
	}
	return snapshot, nil
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

// errorsIn returns the first error.
func errorsIn(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
