package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeEarlierChanged says that what a period took from earlier ones is not what those
// post any more: it has to be calculated again.
const CodeEarlierChanged incentive.Code = "predecessor-changed"

// CodeCountedSince says that an approval cannot be taken back, as a later one counts what
// it posted.
const CodeCountedSince incentive.Code = "counted-since"

// postLines notes that the lines of a revision stand, in the place of everything that
// earlier revisions of the period posted and that was corrected of it since, and posts the
// differences to the ledger. The key names the approval.
func postLines(ctx context.Context, tx pgx.Tx, p PeriodRevision, key string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO posted_line (line_id, participant_id, stated_in, earned_in, period_id, revision, sign)
		SELECT line_id, participant_id, stated_in, earned_in, $1, $2::integer, -1 FROM standing_line WHERE earned_in = $1 OR stated_in = $1
		UNION ALL
		SELECT l.id, st.participant_id, $1, coalesce(l.corrects, $1), $1, $2::integer, 1 FROM statement st JOIN line l ON l.statement_id = st.id WHERE st.run_id = $3 ORDER BY 1`, p.ID, p.Revision, p.RunID)
	if err != nil {
		return fmt.Errorf("note the posted lines of %s: %w", p.ID, err)
	}
	var differences []entry
	err = collect(ctx, tx, &differences, `
		SELECT w.participant_id, l.kind, sum(w.sign * l.amount_minor)::bigint, st.currency
		FROM posted_line w JOIN line l ON l.id = w.line_id JOIN statement st ON st.id = l.statement_id
		WHERE w.period_id = $1 AND w.revision = $2 GROUP BY w.participant_id, l.kind, st.currency ORDER BY w.participant_id COLLATE "C", l.kind, st.currency`, func(row pgx.CollectableRow) (e entry, err error) {
		var kind incentive.LineKind
		err = row.Scan(&e.credit.participant, &kind, &e.amount.Minor, &e.amount.Currency)
		e.key = fmt.Sprintf("%s/%s/%s", key, e.credit.participant, e.amount.Currency)
		e.kind, e.periodID, e.revision = "approve", p.ID, p.Revision
		if p.Revision == 1 {
			e.effectiveOn = p.EndsOn // what a later one changes belongs to the day of its approval
		}
		e.debit.kind, e.credit.kind = CommissionExpense, Payable
		switch kind {
		case incentive.DrawOf:
			e.key += "/draw"
			e.debit = account{kind: DrawReceivable, participant: e.credit.participant}
		case incentive.Holdback:
			e.key += "/holdback"
			e.debit = account{kind: HoldbackReserve, participant: e.credit.participant}
		case incentive.Clawback:
			e.key += "/clawback"
			e.debit = account{kind: ClawbackReceivable, participant: e.credit.participant}
		}
		return e, err
	}, p.ID, p.Revision)
	if err != nil {
		return fmt.Errorf("read the differences of %s: %w", p.ID, err)
	}
	return post(ctx, tx, differences...)
}

// unpostLines notes that an approval was taken back: what it posted stands no longer, and
// what it took the place of stands again.
func unpostLines(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	var counted *string
	err := tx.QueryRow(ctx, `
		SELECT min(own.earned_in) FROM (
			SELECT line_id, earned_in FROM posted_line WHERE period_id = $1 AND revision = $2 GROUP BY line_id, earned_in HAVING sum(sign) = 1) own
		WHERE NOT EXISTS (SELECT FROM standing_line s WHERE s.line_id = own.line_id)`, p.ID, p.Revision).Scan(&counted)
	if err != nil {
		return fmt.Errorf("look at the posted lines of %s: %w", p.ID, err)
	}
	if counted != nil {
		return incentive.Errorf(CodeCountedSince, "%s was approved again since, and counts what this period corrected of it: go on, and reopen this period once it is closed", *counted)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO posted_line (line_id, participant_id, stated_in, earned_in, period_id, revision, sign)
		SELECT line_id, participant_id, stated_in, earned_in, $1, $2::integer, -sum(sign) FROM posted_line WHERE period_id = $1 AND revision = $2
		GROUP BY line_id, participant_id, stated_in, earned_in HAVING sum(sign) <> 0 ORDER BY line_id`, p.ID, p.Revision)
	if err != nil {
		return fmt.Errorf("take back the posted lines of %s: %w", p.ID, err)
	}
	return nil
}

// refuseOverChanged refuses a period that was calculated from what earlier ones posted,
// where those post something else now.
func refuseOverChanged(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	if err := refuseOverCorrected(ctx, tx, p); err != nil {
		return err
	}
	back, err := looksBack(ctx, tx, *p.SnapshotID, p)
	if err != nil || !looksAtPosted(back) {
		return err
	}
	changed, err := takingPosted(p, back, narrow{}).changed(ctx, tx, *p.SnapshotID)
	if err == nil && !changed && len(back.Clawbacks) > 0 {
		changed, err = takingPaid(p, back, narrow{}).changed(ctx, tx, *p.SnapshotID)
	}
	if err != nil {
		return err
	}
	if changed {
		return incentive.Errorf(CodeEarlierChanged, "what earlier periods post has changed since %s was locked: recalculate it with the changes of kind posted", p.ID)
	}
	return nil
}
