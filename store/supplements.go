package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// supplemented are the states in which a period pays by a supplementary payout list what
// a dispute still brings.
var supplemented = []incentive.State{incentive.Released, incentive.Disbursing, incentive.Settling}

// lockStanding returns the revision of a period that stands, which neither moves on nor
// plans payouts meanwhile.
func lockStanding(ctx context.Context, tx pgx.Tx, periodID string) (PeriodRevision, error) {
	p, err := standingRevision(ctx, tx, periodID, " FOR UPDATE OF r")
	if err != nil {
		return p, err
	}
	return p, lockPayable(ctx, tx)
}

// planAgain plans the payouts of participants anew on the payout list that is not released
// yet. Where all are, and the period is not closed, another one begins, if it pays anybody
// anything. The caller has locked the revision.
func planAgain(ctx context.Context, tx pgx.Tx, p PeriodRevision, participants ...string) error {
	supplement, waits, err := listToRelease(ctx, tx, p)
	if err != nil || !waits && !slices.Contains(supplemented, p.State) {
		return err
	}
	if !waits {
		err := tx.QueryRow(ctx, `INSERT INTO payout_list (period_id, revision, supplement, digest) SELECT $1, $2, max(supplement) + 1, '' FROM payout_list WHERE period_id = $1 AND revision = $2 RETURNING supplement`,
			p.ID, p.Revision).Scan(&supplement)
		if err != nil {
			return fmt.Errorf("start a supplementary payout list of %s: %w", p.ID, err)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM payout WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND participant_id = ANY($4)`, p.ID, p.Revision, supplement, participants); err != nil {
		return fmt.Errorf("plan payouts of %s again: %w", p.ID, err)
	}
	if err := planPayouts(ctx, tx, p, supplement, participants); err != nil || supplement == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM payout_list l WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND NOT EXISTS (
			SELECT FROM payout o WHERE o.period_id = l.period_id AND o.revision = l.revision AND o.supplement = l.supplement)`, p.ID, p.Revision, supplement)
	if err != nil {
		return fmt.Errorf("drop an empty payout list of %s: %w", p.ID, err)
	}
	return nil
}

// paySupplement pays an adjustment that was approved after the release of its period, and
// before the close, in that period: it is posted by a statement of its own, and planned on
// a supplementary payout list. Where the period is not that far, or closed, nothing happens.
func paySupplement(ctx context.Context, tx pgx.Tx, a Adjustment) error {
	p, err := lockStanding(ctx, tx, a.PeriodID)
	if incentive.ErrorCode(err) == incentive.CodeNotFound || err == nil && !slices.Contains(supplemented, p.State) {
		return nil
	}
	if err != nil {
		return err
	}
	statement, err := supplementary(a, p.ID)
	if err != nil {
		return err
	}
	digests := []incentive.Digest{statement.Digest()}
	var frozen []byte
	if err := tx.QueryRow(ctx, `SELECT digest FROM snapshot WHERE id = $1`, p.SnapshotID).Scan(&frozen); err != nil {
		return fmt.Errorf("read the snapshot of %s: %w", p.ID, err)
	}
	digest := incentive.RunDigest(incentive.Digest(frozen), calculation.EngineVersion, digests)
	var runID int64
	err = tx.QueryRow(ctx, `INSERT INTO run (snapshot_id, engine_version, digest, statements) VALUES ($1, $2, $3, 1) RETURNING id`, p.SnapshotID, calculation.EngineVersion, digest[:]).Scan(&runID)
	if err != nil {
		return fmt.Errorf("keep the supplementary run of %s: %w", p.ID, err)
	}
	statements := []incentive.Statement{statement}
	first, err := reserve(ctx, tx, statements)
	if err != nil {
		return err
	}
	if err := keepStatements(ctx, tx, runID, first, statements, digests); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO adjustment_taken (adjustment_id, period_id, run_id) VALUES ($1, $2, $3)`, a.ID, p.ID, runID); err != nil {
		return fmt.Errorf("take adjustment %s: %w", a.ID, err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO posted_line (line_id, participant_id, stated_in, earned_in, period_id, revision, sign)
		SELECT l.id, st.participant_id, $1, $1, $1, $2, 1 FROM statement st JOIN line l ON l.statement_id = st.id WHERE st.run_id = $3`, p.ID, p.Revision, runID)
	if err != nil {
		return fmt.Errorf("note the posted line of adjustment %s: %w", a.ID, err)
	}
	err = post(ctx, tx, entry{key: "supplement/" + a.ID, kind: "supplement", periodID: p.ID, revision: p.Revision,
		debit: account{kind: CommissionExpense}, credit: account{kind: Payable, participant: a.ParticipantID}, amount: a.Amount})
	if err != nil {
		return err
	}
	err = audit(ctx, tx, System, "supplement", incentive.PeriodSubject(p.ID, p.Revision), struct {
		Adjustment string `json:"adjustment"`
		RunDigest  string `json:"run_digest"`
	}{a.ID, fmt.Sprintf("%x", digest)})
	if err != nil {
		return err
	}
	return planAgain(ctx, tx, p, a.ParticipantID)
}

// supplementary is the statement by which a released period pays an adjustment.
func supplementary(a Adjustment, periodID string) (incentive.Statement, error) {
	line, err := calculation.AdjustmentLine(a.Adjustment, periodID)
	return incentive.Statement{ParticipantID: a.ParticipantID, PeriodID: periodID, Currency: a.Amount.Currency, Lines: []incentive.Line{line}}, err
}
