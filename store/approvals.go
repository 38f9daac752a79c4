package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// FinanceQueue is the approval queue that anyone of finance may decide, where a
// participant has nobody above.
const FinanceQueue = "finance"

// StartApproving ends the dispute window and gives each statement to the participant's
// manager of the period's last day, or to finance where there is none. It returns the
// queues that wait for somebody.
func (s *Store) StartApproving(ctx context.Context, c PeriodCommand) (PeriodRevision, []string, error) {
	p, err := s.act(ctx, c, struct{}{}, func(tx pgx.Tx, p *PeriodRevision) error {
		p.WindowDeadline = nil
		_, err := tx.Exec(ctx, `
			INSERT INTO approval (period_id, revision, participant_id, level, statement_digest, approver_id)
			SELECT $1, $2, st.participant_id, 1, st.digest, (
				SELECT f.manager_id FROM snapshot_record r JOIN participant_fact f USING (record_id)
				WHERE r.snapshot_id = $3 AND r.kind = 'participant' AND f.participant_id = st.participant_id AND f.effective_from <= $5
				ORDER BY f.effective_from DESC LIMIT 1)
			FROM statement st WHERE st.run_id = $4`, p.ID, p.Revision, p.SnapshotID, p.RunID, p.EndsOn)
		if err != nil {
			return fmt.Errorf("hand out the statements of %s: %w", p.ID, err)
		}
		return nil
	})
	if err != nil {
		return p, nil, err
	}
	queues, err := s.OpenQueues(ctx, c.PeriodID, c.Revision)
	return p, queues, err
}

// OpenQueues lists the queues of a revision in which a statement waits for a decision.
func (s *Store) OpenQueues(ctx context.Context, periodID string, revision int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT coalesce(approver_id, $3) AS queue FROM approval WHERE period_id = $1 AND revision = $2 AND decision IS NULL ORDER BY queue`,
		periodID, revision, FinanceQueue)
	if err != nil {
		return nil, fmt.Errorf("list the approval queues of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Approval is one statement in an approval queue.
type Approval struct {
	ParticipantID string
	Name          string
	Queue         string
	Total         incentive.Money
	Digest        []byte
	Decision      string // "", "approved" or "rejected"
	DecidedBy     string
	DecidedAt     *time.Time
}

// Approvals returns up to limit approvals of a revision after a participant: of one
// queue, or ("") of all.
func (s *Store) Approvals(ctx context.Context, periodID string, revision int, queue, after string, limit int) ([]Approval, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT a.participant_id, `+nameAt("a.participant_id", "p.ends_on")+`, coalesce(a.approver_id, $3), st.total_minor, st.currency, a.statement_digest, coalesce(a.decision, ''), coalesce(a.decided_by, ''), a.decided_at
		FROM approval a JOIN period_revision r USING (period_id, revision) JOIN pay_period p ON p.id = a.period_id
		JOIN statement st ON st.run_id = r.run_id AND st.participant_id = a.participant_id AND st.digest = a.statement_digest
		WHERE a.period_id = $1 AND a.revision = $2 AND a.participant_id > $5 AND ($4 = '' OR coalesce(a.approver_id, $3) = $4)
		ORDER BY a.participant_id LIMIT $6`, periodID, revision, FinanceQueue, queue, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the approvals of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Approval, err error) {
		err = row.Scan(&a.ParticipantID, &a.Name, &a.Queue, &a.Total.Minor, &a.Total.Currency, &a.Digest, &a.Decision, &a.DecidedBy, &a.DecidedAt)
		return a, err
	})
}

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
	Decision  string // "approved" or "rejected"
	ReasonID  string
	DecidedBy string
	Items     []Decision // empty: every statement that waits in the queue now
}

// MaxDecisions is how many statements one decision set may name.
const MaxDecisions = 5000

// KeepDecisionSet stores a decision set before it is applied. The same id again changes
// nothing.
func (s *Store) KeepDecisionSet(ctx context.Context, set DecisionSet) error {
	if len(set.Items) > MaxDecisions {
		return incentive.Errorf(incentive.CodeInvalid, "%d statements are too many for one decision: at most %d", len(set.Items), MaxDecisions)
	}
	if set.Decision != "approved" && set.Decision != "rejected" {
		return incentive.Errorf(incentive.CodeInvalid, `%q is not a decision: write "approved" or "rejected"`, set.Decision)
	}
	if set.Decision == "rejected" && set.ReasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "a rejection needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO decision_set (id, period_id, revision, level, approver, decision, reason_id, decided_by) VALUES ($1, $2, $3, 1, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
			set.ID, set.PeriodID, set.Revision, set.Queue, set.Decision, orNull(set.ReasonID), set.DecidedBy)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if len(set.Items) == 0 {
			_, err = tx.Exec(ctx, `
				INSERT INTO decision_set_item SELECT $1, participant_id, statement_digest FROM approval
				WHERE period_id = $2 AND revision = $3 AND decision IS NULL AND coalesce(approver_id, $4) = $5 ORDER BY participant_id LIMIT $6`,
				set.ID, set.PeriodID, set.Revision, FinanceQueue, set.Queue, MaxDecisions)
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
	Applied   int // statements decided by this set
	Refused   int // statements that changed, were decided already or wait elsewhere
	LeftHere  int // still waiting in this queue
	LeftInAll int // still waiting in the period, all queues together
}

// ApplyDecisions applies a kept decision set, once. Deciding on one's own pay, or on a
// period that one prepared, is refused as a whole.
func (s *Store) ApplyDecisions(ctx context.Context, setID string) (DecisionResult, error) {
	var result DecisionResult
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		result = DecisionResult{}
		set := DecisionSet{ID: setID}
		err := tx.QueryRow(ctx, `SELECT period_id, revision, approver, decision, coalesce(reason_id::text, ''), decided_by FROM decision_set WHERE id = $1`, setID).
			Scan(&set.PeriodID, &set.Revision, &set.Queue, &set.Decision, &set.ReasonID, &set.DecidedBy)
		if err != nil {
			return fmt.Errorf("read decision set %s: %w", setID, err)
		}
		p, err := periodRevision(ctx, tx, set.PeriodID, set.Revision, " FOR UPDATE OF r")
		if err != nil {
			return err
		}
		subject := "decision-set/" + setID
		applied, done, err := appliedBefore(ctx, tx, subject)
		if err != nil {
			return err
		}
		if !done {
			if err := refuseDecisions(ctx, tx, p, set); err != nil {
				return err
			}
		}
		var items []Decision
		err = collect(ctx, tx, &items, `SELECT participant_id, statement_digest FROM decision_set_item WHERE set_id = $1 ORDER BY participant_id COLLATE "C"`, pgx.RowToStructByPos[Decision], setID)
		if err != nil {
			return err
		}
		result.Applied = applied
		if !done {
			err = tx.QueryRow(ctx, `
				WITH decided AS (
					UPDATE approval a SET decision = $2, decided_by = $3, decided_at = now(), reason_id = $4
					FROM decision_set_item i
					WHERE i.set_id = $1 AND a.period_id = $5 AND a.revision = $6 AND a.participant_id = i.participant_id AND a.statement_digest = i.statement_digest
					AND a.decision IS NULL AND coalesce(a.approver_id, $8) = $7
					RETURNING a.participant_id)
				SELECT count(*)::int FROM decided`,
				setID, set.Decision, set.DecidedBy, orNull(set.ReasonID), set.PeriodID, set.Revision, set.Queue, FinanceQueue).Scan(&result.Applied)
			if err != nil {
				return fmt.Errorf("apply decision set %s: %w", setID, err)
			}
		}
		result.Refused = len(items) - result.Applied
		if !done {
			root := sha256.New()
			for _, item := range items {
				fmt.Fprintf(root, "%d:%s:%x;", len(item.ParticipantID), item.ParticipantID, item.Digest)
			}
			err = audit(ctx, tx, set.DecidedBy, set.Decision, subject, struct {
				Period   string `json:"period"`
				Revision int    `json:"revision"`
				Named    int    `json:"named"`
				Applied  int    `json:"applied"`
				Items    string `json:"items_digest"`
				ReasonID string `json:"reason_id,omitempty"`
			}{set.PeriodID, set.Revision, len(items), result.Applied, fmt.Sprintf("%x", root.Sum(nil)), set.ReasonID})
			if err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE decision IS NULL AND coalesce(approver_id, $4) = $3)::int, count(*) FILTER (WHERE decision IS DISTINCT FROM 'approved')::int
			FROM approval WHERE period_id = $1 AND revision = $2`, set.PeriodID, set.Revision, set.Queue, FinanceQueue).Scan(&result.LeftHere, &result.LeftInAll)
	})
	return result, err
}

// appliedBefore says how many statements a set decided, if it was applied already: its
// answer may have been lost, and whatever happened since, it is that answer.
func appliedBefore(ctx context.Context, q querier, subject string) (applied int, done bool, err error) {
	err = q.QueryRow(ctx, `SELECT (body::json->>'applied')::int FROM audit_event WHERE subject = $1`, subject).Scan(&applied)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for %s: %w", subject, err)
	}
	return applied, true, nil
}

// refuseDecisions refuses a set as a whole.
func refuseDecisions(ctx context.Context, tx pgx.Tx, p PeriodRevision, set DecisionSet) error {
	if _, err := incentive.Next(p.State, p.OnHold, incentive.ApproveLast); err != nil {
		return err
	}
	if err := refusePreparer(ctx, tx, set.PeriodID, set.Revision, set.DecidedBy, toApprove); err != nil {
		return err
	}
	if set.Decision == "approved" {
		if err := refuseOverChanged(ctx, tx, p); err != nil {
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

// unapprove lets approvals, postings of approval and planned payouts of a revision fall
// away. What was posted is reversed, never removed.
func unapprove(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	if err := lockPayable(ctx, tx); err != nil {
		return err
	}
	var approved []entry
	err := collect(ctx, tx, &approved, `
		SELECT e.key, a.participant_id, other.kind, pst.amount_minor, pst.currency
		FROM journal_entry e JOIN posting pst ON pst.entry_id = e.id JOIN ledger_account a ON a.id = pst.account_id
		JOIN posting opposite ON opposite.entry_id = e.id AND opposite.account_id <> a.id JOIN ledger_account other ON other.id = opposite.account_id
		WHERE e.period_id = $1 AND e.revision = $2 AND e.kind = 'approve' AND a.kind = $3
		AND NOT EXISTS (SELECT FROM journal_entry reversal WHERE reversal.key = 'reverse/' || e.key) ORDER BY e.id`,
		func(row pgx.CollectableRow) (e entry, err error) {
			var participant string
			var from AccountKind
			err = row.Scan(&e.key, &participant, &from, &e.amount.Minor, &e.amount.Currency)
			e.key, e.kind, e.periodID, e.revision = "reverse/"+e.key, "reverse approval", p.ID, p.Revision
			e.debit, e.credit = account{kind: from}, account{kind: Payable, participant: participant}
			if from == DrawReceivable || from == HoldbackReserve {
				e.debit.participant = participant
			}
			return e, err
		}, p.ID, p.Revision, Payable)
	if err != nil {
		return fmt.Errorf("read the approved statements of %s: %w", p.ID, err)
	}
	if err := post(ctx, tx, approved...); err != nil {
		return err
	}
	if err := takeBackHeld(ctx, tx, p); err != nil {
		return err
	}
	if err := unpostLines(ctx, tx, p); err != nil {
		return err
	}
	for _, sql := range []string{
		`DELETE FROM payout WHERE period_id = $1 AND revision = $2`,
		`DELETE FROM payout_list WHERE period_id = $1 AND revision = $2`,
		`DELETE FROM approval WHERE period_id = $1 AND revision = $2`,
	} {
		if _, err := tx.Exec(ctx, sql, p.ID, p.Revision); err != nil {
			return fmt.Errorf("take back the approvals of %s: %w", p.ID, err)
		}
	}
	return nil
}
