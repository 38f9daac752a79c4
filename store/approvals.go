package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// FinanceQueue is the approval queue that anyone of finance may decide, where a
// participant has nobody above.
const FinanceQueue = "finance"

// queueOf is the SQL of the queue that an approval is in, as an index has it.
func queueOf(approval string) string {
	return "coalesce(" + approval + ".approver_id, '" + FinanceQueue + "')"
}

// StartApproving ends the dispute window and gives each statement to those whom the
// calendar's policy asks, by the hierarchy of the period's last day. What was approved
// before, of a statement that is the same still, stays approved. It returns the queues
// that wait for somebody.
func (s *Store) StartApproving(ctx context.Context, c PeriodCommand) (PeriodRevision, []string, error) {
	p, err := s.act(ctx, c, struct{}{}, func(tx pgx.Tx, p *PeriodRevision) error {
		p.WindowDeadline = nil
		return handOut(ctx, tx, *p)
	})
	if err != nil {
		return p, nil, err
	}
	queues, err := s.OpenQueues(ctx, c.PeriodID, c.Revision)
	return p, queues, err
}

// handedOut is a statement with what decides about its path.
type handedOut struct {
	participantID string
	digest        []byte
	figures       policy.Figures
	shown         *incentive.Money
	median        int64
}

// handOut writes the approvals of every statement that has none yet, or was rejected.
func handOut(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	rules, err := policyOf(ctx, tx, p.CalendarID)
	if err != nil {
		return err
	}
	people, err := hierarchyOf(ctx, tx, p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM approval a WHERE period_id = $1 AND revision = $2 AND EXISTS (
			SELECT FROM approval r WHERE r.period_id = $1 AND r.revision = $2 AND r.participant_id = a.participant_id AND r.statement_digest = a.statement_digest AND r.decision = 'rejected')`,
		p.ID, p.Revision)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE approval SET opened_at = now() WHERE period_id = $1 AND revision = $2 AND decision IS NULL AND opened_at IS NOT NULL`, p.ID, p.Revision)
	}
	if err != nil {
		return fmt.Errorf("let what waits of %s start again: %w", p.ID, err)
	}
	var statements []handedOut
	err = collect(ctx, tx, &statements, `
		WITH before AS (
			SELECT st.participant_id, st.currency, st.total_minor FROM (
				SELECT r.run_id FROM pay_period p JOIN period_revision r ON r.period_id = p.id
				WHERE p.calendar_id = $3 AND p.ends_on < $4 AND r.run_id IS NOT NULL AND r.state <> 'cancelled' ORDER BY p.ends_on DESC, r.revision DESC LIMIT 1) last
			JOIN statement st ON st.run_id = last.run_id
		), median AS (
			SELECT currency, percentile_disc(0.5) WITHIN GROUP (ORDER BY total_minor) AS minor FROM statement WHERE run_id = $5 GROUP BY currency)
		SELECT st.participant_id, st.digest, st.total_minor, st.currency, before.total_minor, shown.total_minor, median.minor
		FROM statement st JOIN median USING (currency) LEFT JOIN before USING (participant_id, currency)
		LEFT JOIN LATERAL (
			SELECT s.total_minor FROM approval a JOIN statement s ON s.participant_id = a.participant_id AND s.digest = a.statement_digest AND s.currency = st.currency
			JOIN run ON run.id = s.run_id JOIN snapshot sn ON sn.id = run.snapshot_id AND sn.period_id = $1 AND sn.revision = $2
			WHERE a.period_id = $1 AND a.revision = $2 AND a.participant_id = st.participant_id ORDER BY s.id DESC LIMIT 1) shown ON true
		WHERE st.run_id = $5 AND NOT EXISTS (
			SELECT FROM approval a WHERE a.period_id = $1 AND a.revision = $2 AND a.participant_id = st.participant_id AND a.statement_digest = st.digest)
		ORDER BY st.id`, func(row pgx.CollectableRow) (st handedOut, err error) {
		var before, shown *int64
		err = row.Scan(&st.participantID, &st.digest, &st.figures.Total.Minor, &st.figures.Total.Currency, &before, &shown, &st.median)
		st.figures.Before, st.shown = moneyOrNil(before, st.figures.Total.Currency), moneyOrNil(shown, st.figures.Total.Currency)
		return st, err
	}, p.ID, p.Revision, p.CalendarID, p.StartsOn, p.RunID)
	if err != nil {
		return fmt.Errorf("read the statements of %s: %w", p.ID, err)
	}
	var approvals, reviews [][]any
	var now time.Time
	if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&now); err != nil {
		return err
	}
	for _, st := range statements {
		approvers := people.path(st.participantID, rules.Approvals.Path(st.figures))
		if len(approvers) == 0 {
			approvals = append(approvals, []any{p.ID, p.Revision, st.participantID, 1, st.digest, nil, now, "approved", now, true})
		}
		for i, approver := range approvers {
			row := []any{p.ID, p.Revision, st.participantID, i + 1, st.digest, orNull(approver), nil, nil, nil, false}
			if i == 0 {
				row[6] = now
			}
			approvals = append(approvals, row)
		}
		var before, shown *int64
		if st.figures.Before != nil {
			before = &st.figures.Before.Minor
		}
		if st.shown != nil && *st.shown != st.figures.Total {
			shown = &st.shown.Minor
		}
		reasons := []string{}
		for _, reason := range rules.Outliers.Reasons(st.figures, st.median, st.shown) {
			reasons = append(reasons, string(reason))
		}
		reviews = append(reviews, []any{p.ID, p.Revision, st.participantID, st.digest, before, shown, reasons})
	}
	// A rejected statement that comes again unchanged has its review already.
	if _, err := tx.Exec(ctx, `DELETE FROM statement_review v WHERE period_id = $1 AND revision = $2 AND NOT EXISTS (
		SELECT FROM approval a WHERE a.period_id = $1 AND a.revision = $2 AND a.participant_id = v.participant_id AND a.statement_digest = v.statement_digest)`, p.ID, p.Revision); err != nil {
		return fmt.Errorf("review the statements of %s: %w", p.ID, err)
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"approval"}, []string{"period_id", "revision", "participant_id", "level", "statement_digest", "approver_id", "opened_at", "decision", "decided_at", "automatic"}, pgx.CopyFromRows(approvals))
	if err != nil {
		return fmt.Errorf("hand out the statements of %s: %w", p.ID, err)
	}
	if err := analyze(ctx, tx, "approval"); err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"statement_review"}, []string{"period_id", "revision", "participant_id", "statement_digest", "before_minor", "shown_minor", "reasons"}, pgx.CopyFromRows(reviews))
	if err != nil {
		return fmt.Errorf("review the statements of %s: %w", p.ID, err)
	}
	queues, err := openQueues(ctx, tx, p.ID, p.Revision)
	if err != nil {
		return err
	}
	if _, err := tellApprovers(ctx, tx, p, "approvals-waiting", queues...); err != nil {
		return err
	}
	return audit(ctx, tx, System, "hand-out", incentive.PeriodSubject(p.ID, p.Revision), struct {
		Policy     int `json:"policy_version"`
		Statements int `json:"statements"`
		Approvals  int `json:"approvals"`
	}{rules.Version, len(statements), len(approvals)})
}

// path names who approves a participant's statement, level after level; "" is finance.
// Two levels in a row of the same queue are one.
func (h hierarchy) path(participantID string, levels []policy.Approver) []string {
	var path []string
	for _, by := range levels {
		approver := ""
		switch by {
		case policy.ByManager:
			approver = h.above(participantID)
		case policy.ByManagerOfManager:
			if manager := h.above(participantID); manager != "" {
				approver = h.above(manager)
			}
		}
		if approver == participantID {
			approver = ""
		}
		if len(path) == 0 || path[len(path)-1] != approver {
			path = append(path, approver)
		}
	}
	return path
}

// OpenQueues lists the queues of a revision in which a statement waits for a decision.
func (s *Store) OpenQueues(ctx context.Context, periodID string, revision int) ([]string, error) {
	return openQueues(ctx, s.pool, periodID, revision)
}

func openQueues(ctx context.Context, q querier, periodID string, revision int) ([]string, error) {
	rows, err := q.Query(ctx, `
		SELECT DISTINCT coalesce(approver_id, $3) AS queue FROM current_approval
		WHERE period_id = $1 AND revision = $2 AND decision IS NULL AND opened_at IS NOT NULL ORDER BY queue`, periodID, revision, FinanceQueue)
	if err != nil {
		return nil, fmt.Errorf("list the approval queues of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Queue is how far an approval queue has come.
type Queue struct {
	Queue   string // a participant's id, or FinanceQueue
	Name    string // the participant's; "" of finance
	Waiting int
	Decided int
	Since   *time.Time // the longest that something has been waiting
}

// standingApprovals is the FROM and WHERE of the approvals of revision $2 of period $1 whose statements stand: those that
// current_approval has, in a form by which PostgreSQL reads all of a period at once.
const standingApprovals = `approval WHERE period_id = $1 AND revision = $2 AND EXISTS (
	SELECT FROM statement st WHERE st.run_id = (SELECT run_id FROM period_revision WHERE period_id = $1 AND revision = $2)
		AND st.participant_id = approval.participant_id AND st.digest = approval.statement_digest)`

// Queues returns up to limit queues of a revision after one, with what waits and what was
// decided there.
func (s *Store) Queues(ctx context.Context, periodID string, revision int, after string, limit int) ([]Queue, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT queue, CASE WHEN queue = $3 THEN '' ELSE `+nameAt("queue", "company_today()")+` END, waiting, decided, since FROM (
			SELECT coalesce(approver_id, $3) AS queue, count(*) FILTER (WHERE decision IS NULL)::int AS waiting, count(decision)::int AS decided, min(opened_at) FILTER (WHERE decision IS NULL) AS since
			FROM `+standingApprovals+` AND opened_at IS NOT NULL AND NOT automatic GROUP BY 1) q
		WHERE queue > $4 ORDER BY queue LIMIT $5`, periodID, revision, FinanceQueue, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the approval queues of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Queue])
}

// Waiting is how much waits in one queue, and since when.
func (s *Store) Waiting(ctx context.Context, periodID string, revision int, queue string) (count int, since time.Time, err error) {
	var oldest *time.Time
	err = s.pool.QueryRow(ctx, `
		SELECT count(*)::int, min(a.opened_at) FROM current_approval a JOIN period_revision r USING (period_id, revision)
		WHERE period_id = $1 AND revision = $2 AND r.state = 'approving' AND a.decision IS NULL AND a.opened_at IS NOT NULL AND `+queueOf("a")+` = $3`,
		periodID, revision, queue).Scan(&count, &oldest)
	if err != nil {
		return 0, since, fmt.Errorf("look at the approval queue %s of %s: %w", queue, periodID, err)
	}
	if oldest != nil {
		since = *oldest
	}
	return count, since, nil
}

// RemindApprovers tells whoever decides in a queue that statements wait still.
func (s *Store) RemindApprovers(ctx context.Context, periodID string, revision int, queue string) error {
	p, err := s.PeriodRevision(ctx, periodID, revision)
	if err != nil {
		return err
	}
	_, err = tellApprovers(ctx, s.pool, p, "approvals-reminder", queue)
	return err
}

// tellApprovers tells those who decide in queues, and their delegates, of something, each
// at most once a day for a period, and returns how many were told.
func tellApprovers(ctx context.Context, q querier, p PeriodRevision, kind string, queues ...string) (told int, err error) {
	tag, err := q.Exec(ctx, `
		INSERT INTO notification (recipient, kind, subject, key)
		SELECT person, $1::text, $2::text, concat_ws('/', $1, $2, company_today()) FROM (
			SELECT unnest($3::text[]) AS person
			UNION SELECT delegate_id FROM delegation_in_force WHERE delegator_id = ANY ($3)
			UNION SELECT participant_id FROM role_grant WHERE role = 'finance' AND $4 = ANY ($3)) people
		WHERE person <> $4 ORDER BY person ON CONFLICT DO NOTHING`, kind, incentive.PeriodSubject(p.ID, p.Revision), queues, FinanceQueue)
	if err != nil {
		return 0, fmt.Errorf("tell the approvers of %s: %w", p.ID, err)
	}
	return int(tag.RowsAffected()), nil
}

// Approval is one statement in an approval queue.
type Approval struct {
	ParticipantID string
	Name          string
	Level         int
	Queue         string
	Total         incentive.Money
	Before        *incentive.Money // the total of the period before
	Shown         *incentive.Money // the total when it was last handed out, where it was another
	Reasons       []string         // why it stands out: policy.Reason
	Digest        []byte
	Decision      string // "", "approved" or "rejected"
	DecidedBy     string
	OnBehalfOf    string
	DecidedAt     *time.Time
}

// ApprovalKey is where a list of approvals goes on.
type ApprovalKey struct {
	ParticipantID string
	Level         int
}

// WhichApprovals says which approvals of a revision are listed.
type WhichApprovals struct {
	PeriodID string
	Revision int
	Queue    string
	Waiting  bool // only those that nobody has decided
	Listing
}

// approvalOrders are how approvals can be sorted: by change, against the period before;
// by attention, those that stand out first.
var approvalOrders = orders{"name": {"lower(" + nameAt("a.participant_id", "p.ends_on") + ")"}, "total": {"a.currency", "a.total_minor"}, "before": {"a.currency", "coalesce(v.before_minor, 0)"},
	"change": {"a.currency", "a.total_minor - coalesce(v.before_minor, 0)"}, "decision": {"coalesce(a.decision, '')"}, "attention": {"coalesce(v.reasons, '{}') = '{}'"}}

// Approvals returns up to limit approvals of a revision's queue after one: those that wait
// and those that were decided.
func (s *Store) Approvals(ctx context.Context, periodID string, revision int, queue string, after ApprovalKey, limit int) ([]Approval, error) {
	return s.FindApprovals(ctx, WhichApprovals{PeriodID: periodID, Revision: revision, Queue: queue}, after, limit)
}

// FindApprovals returns up to limit approvals after one.
func (s *Store) FindApprovals(ctx context.Context, of WhichApprovals, after ApprovalKey, limit int) ([]Approval, error) {
	const from = ` FROM current_approval a JOIN pay_period p ON p.id = a.period_id LEFT JOIN statement_review v USING (period_id, revision, participant_id, statement_digest)
		WHERE a.period_id = @period AND a.revision = @revision`
	last := ""
	if after.ParticipantID != "" {
		last = from + ` AND a.participant_id = @participant AND a.level = @level`
	}
	goesOn, order, err := approvalOrders.seek(of.Listing, nil, []string{"a.participant_id", "a.level"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT a.participant_id, `+nameAt("a.participant_id", "p.ends_on")+`, a.level, coalesce(a.approver_id, @finance), a.total_minor, a.currency, v.before_minor, v.shown_minor, coalesce(v.reasons, '{}'),
			a.statement_digest, coalesce(a.decision, ''), coalesce(a.decided_by, ''), coalesce(a.on_behalf_of, ''), a.decided_at`+from+`
			AND a.opened_at IS NOT NULL AND NOT a.automatic AND coalesce(a.approver_id, @finance) = @queue AND (NOT @waiting OR a.decision IS NULL)
			AND `+found("a.participant_id")+` AND `+goesOn+` `+order+` LIMIT @limit`,
		pgx.NamedArgs{"period": of.PeriodID, "revision": of.Revision, "finance": FinanceQueue, "queue": of.Queue, "waiting": of.Waiting, "search": anywhere(of.Search),
			"participant": after.ParticipantID, "level": after.Level, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the approvals of %s: %w", of.PeriodID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Approval, err error) {
		var before, shown *int64
		err = row.Scan(&a.ParticipantID, &a.Name, &a.Level, &a.Queue, &a.Total.Minor, &a.Total.Currency, &before, &shown, &a.Reasons, &a.Digest, &a.Decision, &a.DecidedBy, &a.OnBehalfOf, &a.DecidedAt)
		a.Before, a.Shown = moneyOrNil(before, a.Total.Currency), moneyOrNil(shown, a.Total.Currency)
		return a, err
	})
}

func moneyOrNil(minor *int64, currency incentive.Currency) *incentive.Money {
	if minor == nil {
		return nil
	}
	return &incentive.Money{Minor: *minor, Currency: currency}
}

// unapprove takes postings of approval and planned payouts of a revision back. What was
// posted is reversed, never removed; what was approved stays so for a statement that comes
// again unchanged.
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
			if from == DrawReceivable || from == HoldbackReserve || from == ClawbackReceivable {
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
	if err := giveBackWithheld(ctx, tx, p); err != nil {
		return err
	}
	if err := unpostLines(ctx, tx, p); err != nil {
		return err
	}
	for _, sql := range []string{
		`DELETE FROM payout WHERE period_id = $1 AND revision = $2`,
		`DELETE FROM payout_list WHERE period_id = $1 AND revision = $2`,
	} {
		if _, err := tx.Exec(ctx, sql, p.ID, p.Revision); err != nil {
			return fmt.Errorf("take back the approvals of %s: %w", p.ID, err)
		}
	}
	return nil
}
