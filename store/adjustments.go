package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// Adjustment is an adjustment with who entered it and what was decided about it.
type Adjustment struct {
	incentive.Adjustment
	Name      string // the participant's
	ReasonID  string
	Reason    string
	EnteredBy string
	EnteredAt time.Time
	Decision  string // "", "approved" or "rejected"
	DecidedBy string
	DecidedAt *time.Time
	TakenBy   string // the period that pays it, once one has
}

const adjustmentColumns = `
	SELECT a.id::text, a.participant_id, a.period_id, a.type, a.amount_minor, a.currency, coalesce(a.dispute_id::text, ''), ` +
	`coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = a.participant_id ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), ''),
		a.reason_id::text, coalesce(x.body, ''), a.entered_by, a.entered_at, coalesce(d.decision, ''), coalesce(d.decided_by, ''), d.decided_at, coalesce(t.period_id, '')
	FROM adjustment a JOIN free_text x ON x.id = a.reason_id LEFT JOIN adjustment_decision d ON d.adjustment_id = a.id LEFT JOIN adjustment_taken t ON t.adjustment_id = a.id`

func scanAdjustment(row pgx.CollectableRow) (a Adjustment, err error) {
	err = row.Scan(&a.ID, &a.ParticipantID, &a.PeriodID, &a.Type, &a.Amount.Minor, &a.Amount.Currency, &a.DisputeID, &a.Name,
		&a.ReasonID, &a.Reason, &a.EnteredBy, &a.EnteredAt, &a.Decision, &a.DecidedBy, &a.DecidedAt, &a.TakenBy)
	return a, err
}

// Adjustment returns an adjustment, of code CodeNotFound where there is none of that id.
func (s *Store) Adjustment(ctx context.Context, id string) (Adjustment, error) {
	return adjustment(ctx, s.pool, id)
}

func adjustment(ctx context.Context, q querier, id string) (Adjustment, error) {
	rows, err := q.Query(ctx, adjustmentColumns+` WHERE a.id = id_of($1)`, id)
	if err != nil {
		return Adjustment{}, fmt.Errorf("read adjustment %s: %w", id, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAdjustment)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, incentive.Errorf(incentive.CodeNotFound, "there is no adjustment %q", id)
	}
	return a, err
}

// WhichAdjustments chooses adjustments.
type WhichAdjustments struct {
	PeriodID string // that they concern; "" for any
	Decider  string // only those that wait for the decision of this person; "" for all
	Listing
}

// adjustmentOrders are how adjustments can be sorted.
var adjustmentOrders = orders{"name": {"lower(" + nameNow("a.participant_id") + ")"}, "amount": {"a.currency", "a.amount_minor"}, "type": {"a.type"}, "entered": {"a.entered_at"}, "decision": {"coalesce(d.decision, '')"}}

// Adjustments returns up to limit adjustments, the oldest first, after one of that id.
func (s *Store) Adjustments(ctx context.Context, which WhichAdjustments, after string, limit int) ([]Adjustment, error) {
	last := ""
	if after != "" {
		last = `FROM adjustment a LEFT JOIN adjustment_decision d ON d.adjustment_id = a.id WHERE a.id = @after::uuid`
	}
	goesOn, order, err := adjustmentOrders.seek(which.Listing, adjustmentOrders["entered"], []string{"a.id"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, adjustmentColumns+`
		WHERE (@period = '' OR a.period_id = @period)
		AND (@decider = '' OR d.adjustment_id IS NULL AND @decider NOT IN (a.entered_by, a.participant_id) AND EXISTS (SELECT FROM role_grant WHERE participant_id = @decider AND role = 'finance'))
		AND `+found("a.participant_id")+` AND `+goesOn+` `+order+` LIMIT @limit`,
		pgx.NamedArgs{"period": which.PeriodID, "decider": which.Decider, "search": anywhere(which.Search), "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list adjustments: %w", err)
	}
	return pgx.CollectRows(rows, scanAdjustment)
}

// AdjustmentsOf returns what the answers to a dispute grant, in order.
func (s *Store) AdjustmentsOf(ctx context.Context, disputeID string) ([]Adjustment, error) {
	rows, err := s.pool.Query(ctx, adjustmentColumns+` WHERE a.dispute_id = $1 ORDER BY a.entered_at, a.id`, disputeID)
	if err != nil {
		return nil, fmt.Errorf("list what dispute %s grants: %w", disputeID, err)
	}
	return pgx.CollectRows(rows, scanAdjustment)
}

// EnterAdjustment keeps an adjustment that somebody has entered and another person is to
// decide about. The same id again changes nothing.
func (s *Store) EnterAdjustment(ctx context.Context, a Adjustment) (Adjustment, error) {
	var kept Adjustment
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if err := enterAdjustment(ctx, tx, a); err != nil {
			return err
		}
		var err error
		kept, err = adjustment(ctx, tx, a.ID)
		return err
	})
	return kept, err
}

func enterAdjustment(ctx context.Context, tx pgx.Tx, a Adjustment) error {
	if err := a.Check(a.EnteredBy); err != nil {
		return err
	}
	if a.ReasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "say why: an adjustment needs a reason")
	}
	var paidIn *incentive.Currency
	err := tx.QueryRow(ctx, `
		SELECT (SELECT f.pay_currency FROM participant_fact f WHERE f.participant_id = $2 AND f.effective_from <= p.ends_on ORDER BY f.effective_from DESC, f.version DESC LIMIT 1)
		FROM pay_period p WHERE p.id = $1`, a.PeriodID, a.ParticipantID).Scan(&paidIn)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return incentive.Errorf(incentive.CodeNotFound, "there is no period %q in any calendar", a.PeriodID)
	case err != nil:
		return fmt.Errorf("look for %s in %s: %w", a.ParticipantID, a.PeriodID, err)
	case paidIn == nil:
		return incentive.Errorf(incentive.CodeNotFound, "there is no participant %q in period %s", a.ParticipantID, a.PeriodID)
	case *paidIn != a.Amount.Currency:
		return incentive.Errorf(incentive.CodeInvalid, "%s is paid in %s, so an adjustment cannot be in %s", a.ParticipantID, *paidIn, a.Amount.Currency)
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO adjustment (id, period_id, participant_id, type, amount_minor, currency, reason_id, dispute_id, entered_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
		a.ID, a.PeriodID, a.ParticipantID, a.Type, a.Amount.Minor, a.Amount.Currency, a.ReasonID, orNull(a.DisputeID), a.EnteredBy)
	if err != nil {
		return fmt.Errorf("enter an adjustment of %s: %w", a.ParticipantID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	waiting := Notification{Kind: notice.AdjustmentWaiting, Subject: "adjustment/" + a.ID, Key: string(notice.AdjustmentWaiting) + "/" + a.ID}
	if err := notifyRole(ctx, tx, incentive.Finance, a.EnteredBy, waiting); err != nil {
		return err
	}
	return audit(ctx, tx, a.EnteredBy, "enter-adjustment", "adjustment/"+a.ID, struct {
		Period   string `json:"period"`
		Type     string `json:"type"`
		Dispute  string `json:"dispute,omitempty"`
		ReasonID string `json:"reason_id"`
	}{a.PeriodID, string(a.Type), a.DisputeID, a.ReasonID})
}

// DecideAdjustment approves or rejects an adjustment, once.
func (s *Store) DecideAdjustment(ctx context.Context, actor, id, decision, reasonID string) (Adjustment, error) {
	var decided Adjustment
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		a, err := adjustment(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := a.CheckDecision(a.EnteredBy, actor); err != nil {
			return err
		}
		if decision == "rejected" && reasonID == "" {
			return incentive.Errorf(CodeReasonMissing, "say why: a rejection needs a reason")
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO adjustment_decision (adjustment_id, participant_id, entered_by, decision, decided_by, reason_id) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (adjustment_id) DO NOTHING`, id, a.ParticipantID, a.EnteredBy, decision, actor, orNull(reasonID))
		if err != nil {
			return fmt.Errorf("decide on adjustment %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return incentive.Errorf(incentive.CodeConflict, "somebody has decided on this adjustment already")
		}
		if err := audit(ctx, tx, actor, decision, "adjustment/"+id, reasonBody{reasonID}); err != nil {
			return err
		}
		if a.DisputeID != "" {
			if err := settleGrant(ctx, tx, a, decision); err != nil {
				return err
			}
		}
		decided, err = adjustment(ctx, tx, id)
		return err
	})
	return decided, err
}

// final are the states in which a period is not calculated again: what is approved for it
// only now, the next one pays, but for what a supplement of the period does.
var final = []incentive.State{incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed}

// takingAdjustments is what was approved of a period, and of the earlier periods of its
// calendar for which it came too late.
func takingAdjustments(p PeriodRevision, n narrow) taking {
	of, arguments := whose("a.participant_id", n.measured, p.ID, p.CalendarID, p.StartsOn, final)
	return taking{"adjustment", `SELECT a.record_id
		FROM adjustment a JOIN adjustment_decision d ON d.adjustment_id = a.id AND d.decision = 'approved' JOIN pay_period p ON p.id = a.period_id
		LEFT JOIN adjustment_taken t ON t.adjustment_id = a.id
		WHERE (t.period_id = $2 OR t.period_id IS NULL AND (a.period_id = $2 OR p.calendar_id = $3 AND p.ends_on < $4
			AND (SELECT r.state FROM period_revision r WHERE r.period_id = p.id ORDER BY r.state = 'cancelled', r.revision DESC LIMIT 1) = ANY($5)))` + of, arguments}
}

// takeAdjustments notes that a period pays the adjustments of a snapshot, and no other
// period does.
func takeAdjustments(ctx context.Context, tx pgx.Tx, id int64, periodID string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO adjustment_taken (adjustment_id, period_id) SELECT a.id, $2 FROM snapshot_record r JOIN adjustment a USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'adjustment'
		AND NOT EXISTS (SELECT FROM adjustment_taken t WHERE t.adjustment_id = a.id AND t.period_id = $2)`, id, periodID)
	if err != nil {
		return fmt.Errorf("take the adjustments of %s: %w", periodID, err)
	}
	return nil
}

// letAdjustmentsGo gives back what only a cancelled revision would have paid.
func letAdjustmentsGo(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM adjustment_taken t WHERE t.period_id = $1 AND t.run_id IS NULL AND NOT EXISTS (
			SELECT FROM period_revision r JOIN snapshot_record k ON k.snapshot_id = r.snapshot_id AND k.kind = 'adjustment' JOIN adjustment a USING (record_id)
			WHERE r.period_id = $1 AND r.revision <> $2 AND r.state <> 'cancelled' AND a.id = t.adjustment_id)`, p.ID, p.Revision)
	if err != nil {
		return fmt.Errorf("let the adjustments of %s go: %w", p.ID, err)
	}
	return nil
}
