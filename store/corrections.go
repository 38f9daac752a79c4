package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// CorrectionMonths is how far back a lock looks for what was wrong or came late. What is
// older is corrected by reopening its period.
const CorrectionMonths = 24

// correctable is an earlier period that was paid, with the snapshot that says what was
// posted of it.
type correctable struct {
	PeriodRevision
	base int64
	own  bool // base is a correction in the very snapshot of the period that corrects
	anew bool // an earlier revision of the period that corrects had corrected it
}

// correctables lists the periods of p's calendar that p may correct, oldest first. Not
// among them is what is under way again, as that takes what came late by itself.
func correctables(ctx context.Context, q querier, p PeriodRevision) ([]correctable, error) {
	var all []correctable
	err := collect(ctx, q, &all, `
		WITH correction AS (
			SELECT k.period_id, k.id, o.period_id = $1 AND o.revision = $2 AS own
			FROM snapshot k JOIN snapshot_record m ON m.kind = 'correction' AND m.record_id = k.id JOIN period_revision o ON o.snapshot_id = m.snapshot_id
			WHERE o.period_id = $1 AND o.revision = $2 OR o.period_id <> $1 AND o.state = ANY($6) AND NOT EXISTS (
				SELECT FROM period_revision later WHERE later.period_id = o.period_id AND later.revision > o.revision AND later.state = ANY($6)))
		SELECT c.id, c.calendar_id, c.code, c.starts_on, c.ends_on, r.revision, greatest(r.snapshot_id, last.id), coalesce(last.own AND last.id > r.snapshot_id, false),
			EXISTS (SELECT FROM standing_line s WHERE s.earned_in = c.id AND s.stated_in = $1)
		FROM pay_period c JOIN period_revision r ON r.period_id = c.id
		LEFT JOIN LATERAL (SELECT id, own FROM correction WHERE correction.period_id = c.id ORDER BY id DESC LIMIT 1) last ON true
		WHERE c.calendar_id = $3 AND c.ends_on < $4::date AND c.starts_on >= $4::date - make_interval(months => $5)
			AND r.state IN ('released', 'disbursing', 'settling', 'closed')
			AND NOT EXISTS (SELECT FROM period_revision later WHERE later.period_id = c.id AND later.revision > r.revision AND later.state <> 'cancelled')
		ORDER BY c.starts_on`, func(row pgx.CollectableRow) (c correctable, err error) {
		err = row.Scan(&c.ID, &c.CalendarID, &c.Code, &c.StartsOn, &c.EndsOn, &c.Revision, &c.base, &c.own, &c.anew)
		return c, err
	}, p.ID, p.Revision, p.CalendarID, p.StartsOn, CorrectionMonths, posts)
	if err != nil {
		return nil, fmt.Errorf("look for closed periods before %s: %w", p.ID, err)
	}
	return all, nil
}

// takings is what a snapshot of a closed period takes by the facts of today: the plans are
// those of its base, but for plans that nobody was on.
func (c correctable) takings(ctx context.Context, tx pgx.Tx, back calculation.LookBack) (structure, rest []taking, err error) {
	if structure, err = takingStructure(ctx, tx, c.PeriodRevision, narrow{}); err != nil {
		return nil, nil, err
	}
	for i, t := range structure {
		if t.kind == "plan_version" {
			structure[i].sql = `SELECT v.record_id FROM (` + t.sql + `) t JOIN plan_version v USING (record_id)
				LEFT JOIN (SELECT plan_id, array_agg(v.record_id) AS versions FROM snapshot_record r JOIN plan_version v USING (record_id)
					WHERE r.snapshot_id = $3 AND r.kind = 'plan_version' GROUP BY plan_id) was USING (plan_id)
				WHERE was.versions IS NULL OR v.record_id = ANY(was.versions)`
			structure[i].arguments = append(t.arguments, c.base)
		}
	}
	rest = takingFacts(c.PeriodRevision, back, narrow{})
	if looksAtPosted(back) {
		rest = append(rest, takingPosted(c.PeriodRevision, back, narrow{}))
	}
	return structure, rest, nil
}

// takingCorrected is what stands posted of a closed period, but for what the period that
// corrects it has posted itself.
func takingCorrected(closed, by string) taking {
	return taking{"corrected", `SELECT line_id AS record_id FROM standing_line WHERE earned_in = $2 AND stated_in <> $3`, []any{closed, by}}
}

// changed reports whether a closed period would be calculated from something else today.
func (c correctable) changed(ctx context.Context, tx pgx.Tx, by string) (bool, error) {
	back, err := looksBack(ctx, tx, c.base, c.PeriodRevision)
	if err != nil {
		return false, err
	}
	structure, rest, err := c.takings(ctx, tx, back)
	if err != nil {
		return false, err
	}
	if c.own {
		rest = append(rest, takingCorrected(c.ID, by))
	}
	for _, t := range slices.Concat(structure, rest) {
		if changed, err := t.changed(ctx, tx, c.base); changed || err != nil {
			return changed, err
		}
	}
	return false, nil
}

// correction returns the snapshot by which p corrects a closed period: a new one, the one
// that p has already, or 0 where there is nothing to correct.
func (c correctable) correction(ctx context.Context, tx pgx.Tx, p PeriodRevision) (id int64, err error) {
	changed, err := c.changed(ctx, tx, p.ID)
	switch {
	case err != nil:
		return 0, fmt.Errorf("look for what has changed in %s: %w", c.ID, err)
	case c.own && !changed:
		return c.base, nil
	case !changed && !c.anew:
		return 0, nil
	}
	if err := tx.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))`).Scan(&id); err != nil {
		return 0, fmt.Errorf("number the snapshot: %w", err)
	}
	structure, _, err := c.takings(ctx, tx, calculation.LookBack{})
	if err != nil {
		return 0, err
	}
	if err := take(ctx, tx, id, structure); err != nil {
		return 0, err
	}
	back, err := looksBack(ctx, tx, id, c.PeriodRevision)
	if err != nil {
		return 0, err
	}
	_, rest, err := c.takings(ctx, tx, back)
	if err != nil {
		return 0, err
	}
	if err := take(ctx, tx, id, append(rest, takingCorrected(c.ID, p.ID))); err != nil {
		return 0, err
	}
	snapshot, err := loadSnapshot(ctx, tx, id, c.Period, back.Since)
	if err != nil {
		return 0, err
	}
	digest := snapshot.Digest()
	_, err = tx.Exec(ctx, `INSERT INTO snapshot (id, period_id, revision, digest, since) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)`, id, c.ID, c.Revision, digest[:], back.Since)
	if err != nil {
		return 0, fmt.Errorf("keep the correction of %s: %w", c.ID, err)
	}
	return id, nil
}

// freezeCorrections takes into p's snapshot those closed periods that are to be corrected
// and that takes chooses.
func freezeCorrections(ctx context.Context, tx pgx.Tx, id int64, p PeriodRevision, takes func(periodID string) bool) error {
	all, err := correctables(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, c := range all {
		if !takes(c.ID) {
			continue
		}
		correction, err := c.correction(ctx, tx, p)
		if err != nil {
			return err
		}
		if correction == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO snapshot_record VALUES ($1, 'correction', $2)`, id, correction); err != nil {
			return fmt.Errorf("freeze the correction of %s: %w", c.ID, err)
		}
	}
	return nil
}

// loadCorrections reads the corrections of a snapshot and, into one that corrects, what
// stood posted of its period.
func loadCorrections(ctx context.Context, q querier, id int64, snapshot *incentive.Snapshot) error {
	type found struct {
		id     int64
		period incentive.Period
		since  incentive.Date
	}
	var all []found
	err := collect(ctx, q, &all, `
		SELECT s.id, p.id, p.calendar_id, p.code, p.starts_on, p.ends_on, s.revision, s.since
		FROM snapshot_record r JOIN snapshot s ON s.id = r.record_id JOIN pay_period p ON p.id = s.period_id
		WHERE r.snapshot_id = $1 AND r.kind = 'correction' ORDER BY p.starts_on`, func(row pgx.CollectableRow) (f found, err error) {
		err = row.Scan(&f.id, &f.period.ID, &f.period.CalendarID, &f.period.Code, &f.period.StartsOn, &f.period.EndsOn, &f.period.Revision, &f.since)
		return f, err
	}, id)
	if err != nil {
		return err
	}
	for _, f := range all {
		correction, err := loadSnapshot(ctx, q, f.id, f.period, f.since)
		if err != nil {
			return err
		}
		snapshot.Corrections = append(snapshot.Corrections, correction)
	}
	type standing struct {
		incentive.Line
		id            int64
		participantID string
	}
	var lines []standing
	err = collect(ctx, q, &lines, `
		SELECT l.id, st.participant_id, l.plan_id, l.plan_version, l.component, l.kind, l.unrounded, l.amount_minor, st.currency
		FROM snapshot_record r JOIN line l ON l.id = r.record_id JOIN statement st ON st.id = l.statement_id
		WHERE r.snapshot_id = $1 AND r.kind = 'corrected' ORDER BY st.participant_id COLLATE "C", l.id`, func(row pgx.CollectableRow) (l standing, err error) {
		err = row.Scan(&l.id, &l.participantID, &l.PlanID, &l.PlanVersion, &l.Component, &l.Kind, &l.Unrounded, &l.Amount.Minor, &l.Amount.Currency)
		l.Explanation = json.RawMessage("{}")
		return l, err
	}, id)
	if err != nil {
		return err
	}
	ids, byID := make([]int64, len(lines)), make(map[int64]*incentive.Line, len(lines))
	for i := range lines {
		ids[i], byID[lines[i].id] = lines[i].id, &lines[i].Line
	}
	if err := fillContributions(ctx, q, ids, byID); err != nil {
		return err
	}
	for _, l := range lines {
		if n := len(snapshot.Corrected); n == 0 || snapshot.Corrected[n-1].ParticipantID != l.participantID {
			snapshot.Corrected = append(snapshot.Corrected, incentive.Statement{
				PeriodID:      snapshot.Period.ID,
				ParticipantID: l.participantID,
				Currency:      l.Amount.Currency,
			})
		}
		of := &snapshot.Corrected[len(snapshot.Corrected)-1]
		of.Lines = append(of.Lines, l.Line)
	}
	return nil
}

// refuseOverCorrected refuses a period that corrects others of which something else stands
// posted now.
func refuseOverCorrected(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	type corrected struct {
		ID       int64
		PeriodID string
	}
	var all []corrected
	err := collect(ctx, tx, &all, `SELECT s.id, s.period_id FROM snapshot_record r JOIN snapshot s ON s.id = r.record_id WHERE r.snapshot_id = $1 AND r.kind = 'correction' ORDER BY s.id`,
		pgx.RowToStructByPos[corrected], *p.SnapshotID)
	if err != nil {
		return fmt.Errorf("read what %s corrects: %w", p.ID, err)
	}
	for _, c := range all {
		changed, err := takingCorrected(c.PeriodID, p.ID).changed(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if changed {
			return incentive.Errorf(CodeEarlierChanged, "what is posted of %s has changed since %s was locked to correct it: recalculate it with the change correction:%s", c.PeriodID, p.ID, c.PeriodID)
		}
	}
	return nil
}

// LateChange is a change of a closed period that the next lock corrects.
type LateChange struct {
	PeriodID string // the closed one
	Change
}

// LateData returns up to limit changes after one that a lock of a period today would
// correct of earlier ones, by first day of those, kind and id.
func (s *Store) LateData(ctx context.Context, periodID string, after LateChange, limit int) ([]LateChange, error) {
	found := []LateChange{}
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		p, err := periodRevision(ctx, tx, periodID, 0, "")
		if err != nil {
			return err
		}
		all, err := correctables(ctx, tx, p)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(c correctable) bool { return c.ID == after.PeriodID }); i > 0 {
			all = all[i:]
		}
		for _, c := range all {
			inner, err := tx.Begin(ctx) // a savepoint: nothing of this is kept
			if err != nil {
				return err
			}
			id, err := c.correction(ctx, inner, p)
			var changes []Change
			if err == nil && id != 0 && len(found) < limit {
				from := Change{}
				if c.ID == after.PeriodID {
					from = after.Change
				}
				changes, err = differing(ctx, inner, c.base, id, []string{"correction", "adjustment"}, from, limit-len(found))
			}
			if err := errorsIn(err, inner.Rollback(ctx)); err != nil {
				return err
			}
			for _, change := range changes {
				found = append(found, LateChange{c.ID, change})
			}
		}
		return nil
	})
	return found, err
}
