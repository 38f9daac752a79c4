package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Decisions about a statement.
const (
	DecisionApproved    = "approved"
	DecisionRejected    = "rejected"    // to finance, who mend it or give it out again
	DecisionReturned    = "returned"    // to the level below, or from the first one to finance
	DecisionResubmitted = "resubmitted" // by finance, of a rejected statement that is right
)

// Decision is what somebody decides about one statement, named by its digest.
type Decision struct {
	ParticipantID string
	Digest        []byte
}

// DecisionSet is what an Update of an approval workflow names: a decision about many
// statements, kept before it is applied.
type DecisionSet struct {
	ID        string // a UUID
	PeriodID  string
	Revision  int
	Queue     string
	Decision  string
	ReasonID  string
	DecidedBy string
	Items     []Decision // empty: every statement that waits in the queue now, but not one's own
}

// MaxDecisions is how many statements one decision set may name.
const MaxDecisions = 5000

// KeepDecisionSet stores a decision set before it is applied. The same id again changes
// nothing.
func (s *Store) KeepDecisionSet(ctx context.Context, set DecisionSet) error {
	if len(set.Items) > MaxDecisions {
		return incentive.Errorf(incentive.CodeInvalid, "%d statements are too many for one decision: at most %d", len(set.Items), MaxDecisions)
	}
	if set.Decision != DecisionApproved && set.ReasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "only an approval needs no reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO decision_set (id, period_id, revision, approver, decision, reason_id, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
			set.ID, set.PeriodID, set.Revision, set.Queue, set.Decision, orNull(set.ReasonID), set.DecidedBy)
		if constraint(err) == "decision_set_decision_check" {
			return incentive.Errorf(incentive.CodeInvalid, `%q is not a decision: write "approved", "rejected", "returned" or "resubmitted"`, set.Decision)
		}
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if len(set.Items) == 0 {
			_, err = tx.Exec(ctx, `
				INSERT INTO decision_set_item SELECT DISTINCT $1::uuid, participant_id, statement_digest FROM current_approval
				WHERE period_id = $2 AND revision = $3 AND participant_id <> $8 AND (decision IS NULL AND opened_at IS NOT NULL AND `+queueOf("current_approval")+` = $5 AND $7 <> 'resubmitted'
					OR decision = 'rejected' AND $5 = $4 AND $7 = 'resubmitted') ORDER BY participant_id LIMIT $6`,
				set.ID, set.PeriodID, set.Revision, FinanceQueue, set.Queue, MaxDecisions, set.Decision, set.DecidedBy)
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"decision_set_item"}, []string{"set_id", "participant_id", "statement_digest"},
			pgx.CopyFromSlice(len(set.Items), func(i int) ([]any, error) {
				return []any{set.ID, set.Items[i].ParticipantID, set.Items[i].Digest}, nil
			}))
		if constraint(err) == "decision_set_item_pkey" {
			return incentive.Errorf(incentive.CodeInvalid, "a statement is named twice in one decision")
		}
		return err
	})
}

// DecisionResult is what became of a decision set.
type DecisionResult struct {
	Applied  int      // statements decided by this set
	Refused  int      // statements that changed, were decided already or wait elsewhere
	LeftHere int      // still waiting in this queue
	Last     bool     // every statement of the period is approved
	Opened   []string // queues in which statements wait now because of it
}

// The effect of each decision on approvals. $1 is the set, $2 who decides, $3 the reason,
// $4 and $5 the period, $6 the queue, $7 the finance queue, and $8 whose delegate decides.
const (
	chosen = `decision_set_item i WHERE i.set_id = $1 AND a.period_id = $4 AND a.revision = $5 AND a.participant_id = i.participant_id AND a.statement_digest = i.statement_digest
		AND EXISTS (SELECT FROM current_approval c WHERE c.period_id = $4 AND c.revision = $5 AND c.participant_id = a.participant_id AND c.statement_digest = a.statement_digest)`
	waits     = chosen + ` AND a.decision IS NULL AND a.opened_at IS NOT NULL AND coalesce(a.approver_id, $7) = $6` // few, as they are named
	decideAll = `decision = d.decision, decided_by = $2, decided_at = now(), reason_id = $3, on_behalf_of = $8 FROM decision_set d, `
)

var effects = map[string]string{
	DecisionApproved: `
		WITH decided AS (UPDATE approval a SET ` + decideAll + waits + ` AND d.id = $1 RETURNING a.participant_id, a.statement_digest, a.level),
		opened AS (
			UPDATE approval a SET opened_at = now() FROM decided d WHERE a.period_id = $4 AND a.revision = $5 AND a.participant_id = d.participant_id AND a.statement_digest = d.statement_digest AND a.level = d.level + 1
			RETURNING coalesce(a.approver_id, $7) AS queue)
		SELECT (SELECT count(*)::int FROM decided), ARRAY(SELECT DISTINCT queue FROM opened ORDER BY 1)`,
	DecisionRejected: `
		WITH decided AS (UPDATE approval a SET ` + decideAll + waits + ` AND d.id = $1 RETURNING a.participant_id) SELECT (SELECT count(*)::int FROM decided), '{}'::text[]`,
	DecisionReturned: `
		WITH decided AS (
			UPDATE approval a SET opened_at = CASE WHEN a.level > 1 THEN NULL ELSE a.opened_at END, decision = CASE WHEN a.level = 1 THEN 'rejected' END,
				decided_by = CASE WHEN a.level = 1 THEN $2 END, decided_at = CASE WHEN a.level = 1 THEN now() END, reason_id = $3, on_behalf_of = $8 FROM ` + waits + ` RETURNING a.participant_id, a.statement_digest, a.level),
		opened AS (
			UPDATE approval a SET opened_at = now(), decision = NULL, decided_by = NULL, decided_at = NULL, reason_id = $3, on_behalf_of = NULL
			FROM decided d WHERE a.period_id = $4 AND a.revision = $5 AND a.participant_id = d.participant_id AND a.statement_digest = d.statement_digest AND a.level = d.level - 1
			RETURNING coalesce(a.approver_id, $7) AS queue)
		SELECT (SELECT count(*)::int FROM decided), ARRAY(SELECT DISTINCT queue FROM opened ORDER BY 1)`,
	DecisionResubmitted: `
		WITH again AS (
			UPDATE approval a SET decision = NULL, decided_by = NULL, decided_at = NULL, reason_id = $3, on_behalf_of = NULL, opened_at = CASE WHEN a.level = 1 THEN now() END
			FROM ` + chosen + ` AND $6 = $7 AND $2::text IS NOT NULL AND $8::text IS NULL AND EXISTS (
				SELECT FROM approval r WHERE r.period_id = $4 AND r.revision = $5 AND r.participant_id = a.participant_id AND r.statement_digest = a.statement_digest AND r.decision = 'rejected')
			RETURNING a.participant_id, a.level, coalesce(a.approver_id, $7) AS queue)
		SELECT (SELECT count(DISTINCT participant_id)::int FROM again), ARRAY(SELECT DISTINCT queue FROM again WHERE level = 1 ORDER BY 1)`,
}

// ApplyDecisions applies a kept decision set, once. Deciding on one's own pay, on a
// period that one prepared, or in a queue that is nobody's of the decider's, is refused as
// a whole.
func (s *Store) ApplyDecisions(ctx context.Context, setID string) (DecisionResult, error) {
	var result DecisionResult
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		result = DecisionResult{}
		set, err := decisionSet(ctx, tx, setID)
		if err != nil {
			return err
		}
		p, err := periodRevision(ctx, tx, set.PeriodID, set.Revision, " FOR UPDATE OF r")
		if err != nil {
			return err
		}
		applied, done, err := doneBefore(ctx, tx, subjectOf(setID), "applied")
		if err != nil {
			return err
		}
		if !done {
			if err := refuseDecisions(ctx, tx, p, set); err != nil {
				return err
			}
		}
		if result.Applied = applied; done {
			result.Opened, err = openQueues(ctx, tx, set.PeriodID, set.Revision)
		} else {
			err = tx.QueryRow(ctx, effects[set.Decision], setID, set.DecidedBy, orNull(set.ReasonID), set.PeriodID, set.Revision, set.Queue, FinanceQueue, onBehalf(set)).Scan(&result.Applied, &result.Opened)
			if err == nil {
				_, err = tellApprovers(ctx, tx, p, "approvals-waiting", result.Opened...)
			}
		}
		if err != nil {
			return fmt.Errorf("apply decision set %s: %w", setID, err)
		}
		if !done {
			root := sha256.New()
			for _, item := range set.Items {
				fmt.Fprintf(root, "%d:%s:%x;", len(item.ParticipantID), item.ParticipantID, item.Digest)
			}
			err = audit(ctx, tx, set.DecidedBy, set.Decision, subjectOf(setID), struct {
				Period   string `json:"period"`
				Revision int    `json:"revision"`
				Queue    string `json:"queue"`
				Named    int    `json:"named"`
				Applied  int    `json:"applied"`
				Items    string `json:"items_digest"`
				ReasonID string `json:"reason_id,omitempty"`
			}{set.PeriodID, set.Revision, set.Queue, len(set.Items), result.Applied, fmt.Sprintf("%x", root.Sum(nil)), set.ReasonID})
			if err != nil {
				return err
			}
		}
		if err := result.rest(ctx, tx, set); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM current_approval WHERE period_id = $1 AND revision = $2 AND decision IS DISTINCT FROM 'approved')`, p.ID, p.Revision).Scan(&result.Last)
		if err != nil {
			return fmt.Errorf("look whether %s is approved: %w", p.ID, err)
		}
		return nil
	})
	return result, err
}

// DecisionsApplied returns what became of a decision set, and done, if it was applied.
func (s *Store) DecisionsApplied(ctx context.Context, setID string) (result DecisionResult, done bool, err error) {
	result.Applied, done, err = doneBefore(ctx, s.pool, subjectOf(setID), "applied")
	if err != nil || !done {
		return DecisionResult{}, false, err
	}
	set, err := decisionSet(ctx, s.pool, setID)
	if err != nil {
		return DecisionResult{}, false, err
	}
	return result, true, result.rest(ctx, s.pool, set)
}

// rest fills in what a set that was applied has left.
func (r *DecisionResult) rest(ctx context.Context, q querier, set DecisionSet) error {
	r.Refused = len(set.Items) - r.Applied
	err := q.QueryRow(ctx, `
		SELECT count(*)::int FROM current_approval WHERE period_id = $1 AND revision = $2 AND decision IS NULL AND opened_at IS NOT NULL AND `+queueOf("current_approval")+` = $3`,
		set.PeriodID, set.Revision, set.Queue).Scan(&r.LeftHere)
	if err != nil {
		return fmt.Errorf("count what decision set %s left: %w", set.ID, err)
	}
	return nil
}

func subjectOf(setID string) string { return "decision-set/" + setID }

func decisionSet(ctx context.Context, q querier, id string) (DecisionSet, error) {
	set := DecisionSet{ID: id}
	err := q.QueryRow(ctx, `SELECT period_id, revision, approver, decision, coalesce(reason_id::text, ''), decided_by FROM decision_set WHERE id = $1`, id).
		Scan(&set.PeriodID, &set.Revision, &set.Queue, &set.Decision, &set.ReasonID, &set.DecidedBy)
	if err == nil {
		err = collect(ctx, q, &set.Items, `SELECT participant_id, statement_digest FROM decision_set_item WHERE set_id = $1 ORDER BY participant_id COLLATE "C"`, pgx.RowToStructByPos[Decision], id)
	}
	if err != nil {
		return DecisionSet{}, fmt.Errorf("read decision set %s: %w", id, err)
	}
	return set, nil
}

// doneBefore says how many statements an act changed, by the record of the act, if it was
// done already: its answer may have been lost, and whatever happened since, it is that
// answer.
func doneBefore(ctx context.Context, q querier, subject, count string) (changed int, done bool, err error) {
	err = q.QueryRow(ctx, `SELECT (body::json->>$2)::int FROM audit_event WHERE subject = $1`, subject, count).Scan(&changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for %s: %w", subject, err)
	}
	return changed, true, nil
}

// onBehalf returns whose delegate decides, or nil.
func onBehalf(set DecisionSet) *string {
	if set.Queue == FinanceQueue || set.Queue == set.DecidedBy {
		return nil
	}
	return &set.Queue
}

// refuseDecisions refuses a set as a whole.
func refuseDecisions(ctx context.Context, tx pgx.Tx, p PeriodRevision, set DecisionSet) error {
	if _, err := incentive.Next(p.State, p.OnHold, incentive.ApproveLast); err != nil {
		return err
	}
	if set.Decision != DecisionResubmitted {
		if err := refusePreparer(ctx, tx, set.PeriodID, set.Revision, set.DecidedBy, toApprove); err != nil {
			return err
		}
	}
	if set.Decision == DecisionApproved {
		if err := refuseOverChanged(ctx, tx, p); err != nil {
			return err
		}
	}
	if onBehalf(set) != nil {
		if err := refuseNoDelegate(ctx, tx, set.Queue, set.DecidedBy); err != nil {
			return err
		}
	}
	var own bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM decision_set_item WHERE set_id = $1 AND participant_id = $2)`, set.ID, set.DecidedBy).Scan(&own); err != nil {
		return err
	}
	if own {
		return incentive.Errorf(CodeOwnPay, "nobody decides on their own pay: leave your statement out")
	}
	return nil
}

// NotApproved counts the statements of a revision that have not passed every level.
func (s *Store) NotApproved(ctx context.Context, p PeriodRevision) (int, error) {
	return notApproved(ctx, s.pool, p)
}

// notApproved counts the statements of a revision that have not passed every level.
func notApproved(ctx context.Context, q querier, p PeriodRevision) (count int, err error) {
	err = q.QueryRow(ctx, `
		SELECT count(*)::int FROM statement st LEFT JOIN (
			SELECT participant_id, statement_digest, bool_and(decision IS NOT DISTINCT FROM 'approved') AS all_levels FROM approval
			WHERE period_id = $1 AND revision = $2 GROUP BY 1, 2) a ON a.participant_id = st.participant_id AND a.statement_digest = st.digest
		WHERE st.run_id = $3 AND a.all_levels IS NOT TRUE`, p.ID, p.Revision, p.RunID).Scan(&count)
	if err != nil {
		err = fmt.Errorf("count what is not approved of %s: %w", p.ID, err)
	}
	return count, err
}

// Reassigned returns how many statements were moved with a key, and done, if they were.
func (s *Store) Reassigned(ctx context.Context, key string) (moved int, done bool, err error) {
	return doneBefore(ctx, s.pool, "reassignment/"+key, "moved")
}

// Reassign moves what waits in a queue to another one, once for a key: by finance when
// somebody is away without a delegate or has left, or, to "", by the system to whoever is
// above. Nobody is given their own statement; that goes to finance. It returns the queues
// that have something waiting now because of it.
func (s *Store) Reassign(ctx context.Context, r Reassignment) (moved int, opened []string, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		p, err := periodRevision(ctx, tx, r.PeriodID, r.Revision, " FOR UPDATE OF r")
		if err != nil {
			return err
		}
		subject := "reassignment/" + r.Key
		var done bool
		if moved, done, err = doneBefore(ctx, tx, subject, "moved"); err != nil {
			return err
		}
		if done {
			opened, err = openQueues(ctx, tx, r.PeriodID, r.Revision)
			return err
		}
		if p.State != incentive.Approving { // on hold or not: nothing is decided by it
			return incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s, and nothing of it waits for approval", p.State)
		}
		to := r.To
		switch {
		case r.Actor == System:
			people, err := hierarchyOf(ctx, tx, p)
			if err != nil {
				return err
			}
			if to = people.above(r.From); to == "" {
				to = FinanceQueue
			}
		case to == r.From:
			return incentive.Errorf(incentive.CodeInvalid, "these statements wait for %s already", r.From)
		case to != FinanceQueue:
			if err := refuseNoApprover(ctx, tx, to); err != nil {
				return err
			}
		}
		err = tx.QueryRow(ctx, `
			WITH moved AS (
				UPDATE approval a SET approver_id = CASE WHEN $5 IN ($6, a.participant_id) THEN NULL ELSE $5 END, opened_at = now()
				FROM current_approval c WHERE (c.period_id, c.revision, c.participant_id, c.level, c.statement_digest) = (a.period_id, a.revision, a.participant_id, a.level, a.statement_digest)
				AND a.period_id = $1 AND a.revision = $2 AND a.decision IS NULL AND a.opened_at IS NOT NULL AND coalesce(a.approver_id, $6) = $3 AND ($4::timestamptz IS NULL OR a.opened_at <= $4)
				RETURNING coalesce(a.approver_id, $6) AS queue)
			SELECT (SELECT count(*)::int FROM moved), ARRAY(SELECT DISTINCT queue FROM moved ORDER BY 1)`,
			r.PeriodID, r.Revision, r.From, r.OpenedBy, to, FinanceQueue).Scan(&moved, &opened)
		if err != nil {
			return fmt.Errorf("reassign the queue %s of %s: %w", r.From, r.PeriodID, err)
		}
		if moved == 0 {
			return nil
		}
		if _, err := tellApprovers(ctx, tx, p, "approvals-waiting", opened...); err != nil {
			return err
		}
		return audit(ctx, tx, r.Actor, "reassign", subject, struct {
			Period   string `json:"period"`
			Revision int    `json:"revision"`
			From     string `json:"from"`
			To       string `json:"to"`
			Moved    int    `json:"moved"`
			ReasonID string `json:"reason_id,omitempty"`
		}{r.PeriodID, r.Revision, r.From, to, moved, r.ReasonID})
	})
	return moved, opened, err
}
