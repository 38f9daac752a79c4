package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeNothingChanged says that a named change is none: what the snapshot holds of it is
// what stands today.
const CodeNothingChanged incentive.Code = "nothing-changed"

// MaxChanges is how many changes one amendment may name.
const MaxChanges = 5000

// Change names what has changed since a snapshot was frozen: a transaction with its
// credits, all facts, quotas (with what they are relieved of) or assignments of a participant, a plan's version, what an
// earlier period posts, what is corrected of it, an adjustment that was approved, or a
// territory or team with its members and quotas.
type Change struct {
	Kind string // transaction, participant, quota, assignment, plan, posted, correction, adjustment, exchange_rate, territory or team
	ID   string // "<source>/<id>" of a transaction; otherwise of the participant, plan, period, adjustment or source of rates
	What string // new, changed or gone; empty where a change is only named
}

// Amendment is a list of changes that a recalculation takes over.
type Amendment struct {
	ID       string // a UUID
	PeriodID string
	Revision int
	By       string
	Changes  []Change
}

// keyed lists records r with the change that each belongs to, each looked up by its number.
func keyed(records string) string {
	of := func(key, table string) string {
		return `(SELECT ` + key + ` FROM ` + table + ` t WHERE t.record_id = r.record_id)`
	}
	return `(SELECT r.kind, r.record_id,
		CASE r.kind WHEN 'credit' THEN 'transaction' WHEN 'refunded' THEN 'transaction' WHEN 'paid' THEN 'posted' WHEN 'plan_version' THEN 'plan' WHEN 'relief' THEN 'quota'
			WHEN 'group' THEN ` + of("kind", "sales_group") + ` WHEN 'membership' THEN ` + of("kind", "membership") + ` WHEN 'group_quota' THEN ` + of("kind", "group_quota") + ` ELSE r.kind END AS change_kind,
		CASE r.kind WHEN 'transaction' THEN ` + of("source || '/' || transaction_id", "transaction") + ` WHEN 'refunded' THEN ` + of("source || '/' || transaction_id", "transaction") + `
			WHEN 'credit' THEN ` + of("source || '/' || transaction_id", "credit") + ` WHEN 'quota' THEN ` + of("participant_id", "quota") + ` WHEN 'relief' THEN ` + of("participant_id", "quota_relief") + ` WHEN 'objective' THEN ` + of("participant_id", "objective") + `
			WHEN 'participant' THEN ` + of("participant_id", "participant_fact") + ` WHEN 'assignment' THEN ` + of("participant_id", "assignment") + ` WHEN 'plan_version' THEN ` + of("plan_id", "plan_version") + `
			WHEN 'exchange_rate' THEN ` + of("rate_source", "exchange_rate") + ` WHEN 'group' THEN ` + of("group_id", "sales_group") + ` WHEN 'membership' THEN ` + of("group_id", "membership") + `
			WHEN 'group_quota' THEN ` + of("group_id", "group_quota") + ` WHEN 'adjustment' THEN ` + of("id::text", "adjustment") + `
			WHEN 'correction' THEN (SELECT period_id FROM snapshot s WHERE s.id = r.record_id)
			ELSE (SELECT earned_in FROM posted_line w WHERE w.line_id = r.record_id LIMIT 1) END AS change_id
	FROM (` + records + `) r)`
}

// recordsOf are a snapshot's records; which is the place of its id.
func recordsOf(which string) string {
	return `SELECT kind, record_id FROM snapshot_record WHERE kind <> 'corrected' AND snapshot_id = ` + which
}

// afresh freezes a period as it stands today beside the snapshot that it has, lets look see both
// as snapshots of these ids, and lets go of them again. Neither has of what was sold what
// nothing was said about since the period was first locked, which is most of it.
func afresh(ctx context.Context, tx pgx.Tx, p PeriodRevision, look func(tx pgx.Tx, was, today int64, since incentive.Date) error) error {
	_, since, _, err := snapshotHead(ctx, tx, *p.SnapshotID)
	if err != nil {
		return err
	}
	sold, err := saidSince(ctx, tx, p, since)
	if err != nil {
		return err
	}
	inner, err := tx.Begin(ctx) // a savepoint
	if err != nil {
		return err
	}
	return errorsIn(func() error {
		was := *p.SnapshotID
		today, err := numberSnapshot(ctx, inner)
		if err != nil {
			return err
		}
		back, err := freeze(ctx, inner, today, p, func(back incentive.Date) narrow {
			if back != since {
				return narrow{} // other days matter, whose transactions are all to be looked at
			}
			return narrow{sold: sold}
		})
		if err == nil && back == since {
			was, err = withOnly(ctx, inner, was, sold)
		}
		if err != nil {
			return err
		}
		return look(inner, was, today, back)
	}(), inner.Rollback(ctx))
}

// saidSince lists the transactions in the days of a period's snapshot about which, or about whose
// credits, something was said since the period was first locked. Records are numbered as they come, and no
// import goes on while a period is locked.
func saidSince(ctx context.Context, q querier, p PeriodRevision, since incentive.Date) ([]incentive.TransactionKey, error) {
	var transaction, credit int64 // the newest that it has
	err := q.QueryRow(ctx, `
		SELECT coalesce((SELECT max(record_id) FROM snapshot_record r WHERE r.snapshot_id = l.id AND r.kind = 'transaction'), 0),
			coalesce((SELECT max(record_id) FROM snapshot_record r WHERE r.snapshot_id = l.id AND r.kind = 'credit'), 0)
		FROM (SELECT min(id) AS id FROM snapshot WHERE period_id = $1) l`, p.ID).Scan(&transaction, &credit)
	if err != nil {
		return nil, fmt.Errorf("read what %s was locked with: %w", p.ID, err)
	}
	keys := []incentive.TransactionKey{} // never nil, which is all
	err = collect(ctx, q, &keys, `
		SELECT source, transaction_id FROM (
			SELECT source, transaction_id FROM transaction WHERE record_id > $3
			UNION SELECT source, refund_of FROM transaction WHERE record_id > $3 AND refund_of <> ''
			UNION SELECT source, transaction_id FROM credit WHERE record_id > $4) said
		WHERE EXISTS (SELECT FROM transaction t WHERE t.source = said.source AND t.transaction_id = said.transaction_id AND t.date BETWEEN $1 AND $2)`,
		pgx.RowToStructByPos[incentive.TransactionKey], since, p.EndsOn, transaction, credit)
	if err != nil {
		return nil, fmt.Errorf("find what was said since %s was locked: %w", p.ID, err)
	}
	return keys, nil
}

// numberSnapshot returns the id of a new snapshot.
func numberSnapshot(ctx context.Context, q querier) (id int64, err error) {
	if err = q.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))`).Scan(&id); err != nil {
		return 0, fmt.Errorf("number a snapshot: %w", err)
	}
	return id, nil
}

// withOnly makes a snapshot of another one, with these of its transactions alone, and returns its id.
func withOnly(ctx context.Context, tx pgx.Tx, id int64, sold []incentive.TransactionKey) (copied int64, err error) {
	if copied, err = numberSnapshot(ctx, tx); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO snapshot_record SELECT $1::bigint, kind, record_id FROM snapshot_record WHERE snapshot_id = $2 AND (kind < 'credit' OR kind > 'credit' AND kind < 'transaction' OR kind > 'transaction')`, copied, id)
	if err != nil {
		return 0, fmt.Errorf("copy snapshot %d: %w", id, err)
	}
	return copied, withOnlySold(ctx, tx, id, copied, sold)
}

// withOnlySold takes into a copy of a snapshot these of its transactions, with their credits.
func withOnlySold(ctx context.Context, tx pgx.Tx, id, copied int64, sold []incentive.TransactionKey) error {
	sources, ids := unzip(sold)
	_, err := tx.Exec(ctx, `
		WITH sold AS MATERIALIZED (SELECT * FROM unnest($3::text[], $4::text[]) AS k(source, transaction_id)),
		spoken AS MATERIALIZED (
			SELECT 'transaction' AS kind, t.record_id FROM sold CROSS JOIN LATERAL (SELECT record_id FROM transaction t WHERE t.source = sold.source AND t.transaction_id = sold.transaction_id OFFSET 0) t
			UNION ALL SELECT 'credit', c.record_id FROM sold CROSS JOIN LATERAL (SELECT record_id FROM credit c WHERE c.source = sold.source AND c.transaction_id = sold.transaction_id OFFSET 0) c)
		INSERT INTO snapshot_record SELECT $1::bigint, r.kind, r.record_id FROM spoken CROSS JOIN LATERAL (
			SELECT kind, record_id FROM snapshot_record r WHERE r.snapshot_id = $2 AND r.kind = spoken.kind AND r.record_id = spoken.record_id OFFSET 0) r`, copied, id, sources, ids)
	if err != nil {
		return fmt.Errorf("copy what was sold of snapshot %d: %w", id, err)
	}
	return nil
}

// PendingChanges returns up to limit changes after one since the revision's snapshot was
// frozen, by kind and id: what a lock today would freeze otherwise.
func (s *Store) PendingChanges(ctx context.Context, periodID string, revision int, after Change, limit int) ([]Change, error) {
	var changes []Change
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		p, err := periodRevision(ctx, tx, periodID, revision, "")
		if err != nil {
			return err
		}
		if p.SnapshotID == nil {
			return incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s: changes are counted from the lock on", p.State)
		}
		return sinceLock(ctx, tx, p, func(tx pgx.Tx, was, today int64) error {
			changes, err = differing(ctx, tx, was, today, []string{}, after, limit)
			return err
		})
	})
	return changes, err
}

// differing returns up to limit changes after one between two snapshots, by kind and id,
// but for those of some kinds.
func differing(ctx context.Context, q querier, was, today int64, but []string, after Change, limit int) (changes []Change, err error) {
	before, now := recordsOf("$1"), recordsOf("$2")
	err = collect(ctx, q, &changes, `
		WITH others AS MATERIALIZED ((`+before+` EXCEPT `+now+`) UNION ALL (`+now+` EXCEPT `+before+`)),
			differing AS MATERIALIZED (SELECT DISTINCT change_kind, change_id FROM `+keyed(`TABLE others`)+` o),
			was AS (SELECT * FROM `+keyed(before)+` k WHERE EXISTS (SELECT FROM others)),
			today AS (SELECT * FROM `+keyed(now)+` k WHERE EXISTS (SELECT FROM others))
			SELECT d.change_kind, d.change_id, CASE
				WHEN NOT EXISTS (SELECT FROM was WHERE was.change_kind = d.change_kind AND was.change_id = d.change_id) THEN 'new'
				WHEN NOT EXISTS (SELECT FROM today WHERE today.change_kind = d.change_kind AND today.change_id = d.change_id) THEN 'gone'
				ELSE 'changed' END
			FROM differing d WHERE d.change_kind <> ALL($6) AND (d.change_kind, d.change_id) > ($3, $4) ORDER BY 1, 2 LIMIT $5`, pgx.RowToStructByPos[Change], was, today, after.Kind, after.ID, limit, but)
	return changes, err
}

// KeepAmendment stores a list of changes before a recalculation takes them over. The same
// id again changes nothing.
func (s *Store) KeepAmendment(ctx context.Context, a Amendment) error {
	if len(a.Changes) > MaxChanges {
		return incentive.Errorf(incentive.CodeInvalid, "%d changes are too many for one recalculation: at most %d", len(a.Changes), MaxChanges)
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO amendment (id, period_id, revision, created_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, a.ID, a.PeriodID, a.Revision, a.By)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"amendment_item"}, []string{"amendment_id", "kind", "id"}, pgx.CopyFromSlice(len(a.Changes), func(i int) ([]any, error) {
			return []any{a.ID, a.Changes[i].Kind, a.Changes[i].ID}, nil
		}))
		switch constraint(err) {
		case "amendment_item_pkey":
			return incentive.Errorf(incentive.CodeInvalid, "a change is named twice")
		case "amendment_item_kind_check":
			return incentive.Errorf(incentive.CodeInvalid, "a change is of a transaction, participant, quota, assignment, plan, adjustment, the exchange rates of a source, a territory, a team, or of what is posted or corrected of a period")
		}
		if err != nil {
			return fmt.Errorf("keep an amendment: %w", err)
		}
		return nil
	})
}

// Recalculate locks a calculated period again: over the same snapshot or, with an
// amendment, over one in which exactly the named changes are taken over as they stand
// today. A named change that is none is refused with CodeNothingChanged.
func (s *Store) Recalculate(ctx context.Context, c PeriodCommand, amendmentID string) (PeriodRevision, error) {
	if amendmentID == "" {
		return s.act(ctx, c, reasonBody{c.ReasonID}, func(tx pgx.Tx, p *PeriodRevision) error { return refuseApprover(ctx, tx, *p, c.Actor) })
	}
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
			return nil // done before: what it named has changed since
		}
		if err := refuseApprover(ctx, tx, p, c.Actor); err != nil {
			return err
		}
		var id int64
		if err := tx.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))`).Scan(&id); err != nil {
			return fmt.Errorf("number the snapshot: %w", err)
		}
		since, err := amend(ctx, tx, p, id, amendmentID)
		if err != nil {
			return err
		}
		snapshot, err := loadSnapshot(ctx, tx, id, p.Period, since)
		if err != nil {
			return err
		}
		digest, before := snapshot.Digest(), *p.SnapshotID
		p, _, err = move(ctx, tx, c, struct {
			SnapshotDigest string `json:"snapshot_digest"`
			Amends         int64  `json:"amends_snapshot"`
			Amendment      string `json:"amendment"`
		}{fmt.Sprintf("%x", digest), before, amendmentID})
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

// amend makes snapshot id of the period's snapshot and the named changes.
func amend(ctx context.Context, tx pgx.Tx, p PeriodRevision, id int64, amendmentID string) (since incentive.Date, err error) {
	if err := tx.QueryRow(ctx, `SELECT coalesce(since, $2) FROM snapshot WHERE id = $1`, *p.SnapshotID, p.StartsOn).Scan(&since); err != nil {
		return since, fmt.Errorf("read the snapshot of %s: %w", p.ID, err)
	}
	type record struct {
		Kind     string
		RecordID int64
	}
	var taken []record
	var unchanged []Change
	err = afresh(ctx, tx, p, func(tx pgx.Tx, was, today int64, back incentive.Date) error {
		if back.Before(since) {
			return incentive.Errorf(incentive.CodeConflict, "a plan now looks back to %s, and the snapshot begins on %s: cancel the period and open it again", back, since)
		}
		return errorsIn(
			collect(ctx, tx, &taken, `SELECT k.kind, k.record_id FROM `+keyed(recordsOf(`$1`))+` k JOIN amendment_item i ON i.kind = k.change_kind AND i.id = k.change_id WHERE i.amendment_id = $2 AND k.kind <> 'correction'`,
				pgx.RowToStructByPos[record], today, amendmentID),
			collect(ctx, tx, &unchanged, `
				WITH was AS (SELECT * FROM `+keyed(recordsOf(`$1`))+` k), today AS (SELECT * FROM `+keyed(recordsOf(`$2`))+` k)
				SELECT i.kind, i.id, '' FROM amendment_item i WHERE i.amendment_id = $3
					AND NOT EXISTS (SELECT FROM was WHERE was.change_kind = i.kind AND was.change_id = i.id AND NOT EXISTS (
						SELECT FROM today WHERE today.kind = was.kind AND today.record_id = was.record_id))
					AND NOT EXISTS (SELECT FROM today WHERE today.change_kind = i.kind AND today.change_id = i.id AND NOT EXISTS (
						SELECT FROM was WHERE today.kind = was.kind AND today.record_id = was.record_id))
				ORDER BY 1, 2 LIMIT 1`, pgx.RowToStructByPos[Change], was, today, amendmentID))
	})
	if err != nil {
		return since, err
	}
	if len(unchanged) > 0 {
		return since, incentive.Errorf(CodeNothingChanged, "%s %s has not changed since the period was locked, or does not belong to it", unchanged[0].Kind, unchanged[0].ID)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO snapshot_record SELECT $1, r.kind, r.record_id FROM snapshot_record r WHERE r.snapshot_id = $2 AND NOT EXISTS (
			SELECT FROM `+keyed(recordsOf(`$2`))+` k JOIN amendment_item i ON i.kind = k.change_kind AND i.id = k.change_id
			WHERE i.amendment_id = $3 AND k.kind = r.kind AND k.record_id = r.record_id)`, id, *p.SnapshotID, amendmentID)
	if err != nil {
		return since, fmt.Errorf("carry the snapshot of %s over: %w", p.ID, err)
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"snapshot_record"}, []string{"snapshot_id", "kind", "record_id"}, pgx.CopyFromSlice(len(taken), func(i int) ([]any, error) {
		return []any{id, taken[i].Kind, taken[i].RecordID}, nil
	}))
	if err != nil {
		return since, fmt.Errorf("amend the snapshot of %s: %w", p.ID, err)
	}
	// A correction is a snapshot of its own, which today's went away with.
	var corrected []string
	err = collect(ctx, tx, &corrected, `SELECT id FROM amendment_item WHERE amendment_id = $1 AND kind = 'correction'`, pgx.RowTo[string], amendmentID)
	if err != nil {
		return since, fmt.Errorf("read what is corrected in %s: %w", p.ID, err)
	}
	return since, freezeCorrections(ctx, tx, id, p, func(periodID string) bool { return slices.Contains(corrected, periodID) })
}

// refuseApprover refuses somebody whose approvals of the revision stand: they would have
// prepared what they approved.
func refuseApprover(ctx context.Context, tx pgx.Tx, p PeriodRevision, actor string) error {
	var approved bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM approval WHERE period_id = $1 AND revision = $2 AND decision = 'approved' AND decided_by = $3)`, p.ID, p.Revision, actor).Scan(&approved)
	if err != nil {
		return fmt.Errorf("look for approvals of %s: %w", p.ID, err)
	}
	if approved {
		return incentive.Errorf(CodeApprover, "you have approved statements of this period: somebody else recalculates it")
	}
	return nil
}
