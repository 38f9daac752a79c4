package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Duty is one part that people had in a revision of a period.
type Duty struct {
	PeriodID string
	Revision int
	Part     string // prepared, adjusted, approved, released, confirmed, closed
	Person   string
	Times    int
	LastAt   time.Time
}

// DutyConflict is two duties in one hand that belong in two, or that somebody had about
// themselves.
type DutyConflict struct {
	Rule     string
	Person   string
	PeriodID string // "" where it is of none
	Revision int
	Subject  string // what it is about, as the audit chain calls it
	At       *time.Time
}

// DutyRules are the rules that a report of duties goes by, in their order.
var DutyRules = []string{"prepared-and-released", "approved-and-released", "approved-own-pay", "adjusted-own-pay", "decided-own-adjustment", "redirected-and-confirmed", "destination-of-another", "gave-own-role", "gave-role-and-released", "combined-roles"}

// duties is the SQL of who had which part in which revision, of what was done in the days from
// $1 to $2. Those who approved are many, and more only where they matter.
func duties(more string) string {
	return `
	WITH duty AS (
		SELECT period_id, revision, 'prepared' AS part, actor AS person, acted_at AS at FROM period_act WHERE act IN ('lock', 'recalculate') AND actor <> 'system'
		UNION ALL SELECT x.period_id, r.revision, 'adjusted', x.entered_by, x.entered_at FROM adjustment x JOIN period_revision r ON r.period_id = x.period_id
		UNION ALL SELECT period_id, revision, 'released', released_by, released_at FROM payout_list WHERE released_by IS NOT NULL
		UNION ALL SELECT period_id, revision, 'confirmed', confirmed_by, confirmed_at FROM payment_file WHERE confirmed_by IS NOT NULL
		UNION ALL SELECT period_id, revision, 'closed', actor, acted_at FROM period_act WHERE act = 'close'` + more + `
	), within AS (SELECT * FROM duty WHERE at >= $1 AND at < $2) `
}

// Duties returns who had which part in the periods that were worked on from one moment on and
// before another.
func (s *Store) Duties(ctx context.Context, from, until time.Time) ([]Duty, error) {
	rows, err := s.pool.Query(ctx, duties(` UNION ALL SELECT period_id, revision, 'approved', decided_by, decided_at FROM approval WHERE decision = 'approved'`)+`
		SELECT period_id, revision, part, person, count(*)::int, max(at) FROM within GROUP BY 1, 2, 3, 4
		ORDER BY period_id DESC, revision DESC, array_position(ARRAY['prepared', 'adjusted', 'approved', 'released', 'confirmed', 'closed'], part), person`, from, until)
	if err != nil {
		return nil, fmt.Errorf("list duties: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Duty])
}

// DutyConflicts looks for duties in one hand that belong in two, from one moment on and before
// another. The program refuses nearly all of them; the report does not trust it, and reads what
// is stored.
func (s *Store) DutyConflicts(ctx context.Context, from, until time.Time) ([]DutyConflict, error) {
	rows, err := s.pool.Query(ctx, duties("")+`, found AS (
		SELECT 'prepared-and-released' AS rule, r.person, r.period_id, r.revision, 'pay-period/' || r.period_id || '/' || r.revision AS subject, max(r.at) AS at
		FROM within r JOIN duty p USING (period_id, revision, person) WHERE r.part = 'released' AND p.part IN ('prepared', 'adjusted') GROUP BY 1, 2, 3, 4, 5
		UNION ALL SELECT 'approved-and-released', r.person, r.period_id, r.revision, 'pay-period/' || r.period_id || '/' || r.revision, max(r.at)
		FROM within r JOIN approval a ON a.period_id = r.period_id AND a.revision = r.revision AND a.decided_by = r.person AND a.decision = 'approved' AND a.approver_id IS NULL WHERE r.part = 'released' GROUP BY 1, 2, 3, 4, 5
		UNION ALL SELECT 'approved-own-pay', decided_by, period_id, revision, 'statement/' || participant_id, decided_at FROM approval WHERE decided_by = participant_id AND decided_at >= $1 AND decided_at < $2
		UNION ALL SELECT 'adjusted-own-pay', entered_by, period_id, 0, 'adjustment/' || id, entered_at FROM adjustment WHERE entered_by = participant_id AND entered_at >= $1 AND entered_at < $2
		UNION ALL SELECT 'decided-own-adjustment', d.decided_by, x.period_id, 0, 'adjustment/' || x.id, d.decided_at FROM adjustment x JOIN adjustment_decision d ON d.adjustment_id = x.id
		WHERE d.decided_by IN (x.entered_by, x.participant_id) AND d.decided_at >= $1 AND d.decided_at < $2
		UNION ALL SELECT 'redirected-and-confirmed', d.decided_by, o.period_id, o.revision, 'payout/' || o.id, d.decided_at FROM payout_redirection r JOIN redirection_decision d ON d.redirection_id = r.id JOIN payout o ON o.id = r.payout_id
		WHERE d.decided_by IN (r.proposed_by, r.participant_id) AND d.decided_at >= $1 AND d.decided_at < $2
		UNION ALL SELECT 'destination-of-another', set_by, '', 0, 'participant/' || participant_id, set_at FROM destination WHERE set_by <> participant_id AND set_at >= $1 AND set_at < $2
		UNION ALL SELECT 'gave-own-role', actor, '', 0, subject, at FROM audit_event g WHERE act = 'grant-roles' AND subject = 'participant/' || actor AND at >= $1 AND at < $2
			AND EXISTS (SELECT FROM audit_event before WHERE before.act = 'grant-roles' AND before.number < g.number) -- the first administrator has nobody else
		UNION ALL SELECT 'gave-role-and-released', r.person, r.period_id, r.revision, 'pay-period/' || r.period_id || '/' || r.revision, max(g.at) FROM within r JOIN audit_event g ON g.actor = r.person AND g.act = 'grant-roles' AND g.at >= $1 AND g.at < $2
		WHERE r.part IN ('prepared', 'released') GROUP BY 1, 2, 3, 4, 5
		UNION ALL SELECT 'combined-roles', participant_id, '', 0, 'participant/' || participant_id, max(granted_at) FROM role_grant GROUP BY participant_id
		HAVING count(*) FILTER (WHERE role IN ('finance', 'administrator', 'auditor')) > 1 OR (bool_or(role = 'auditor') AND count(*) > 1)
	) SELECT * FROM found ORDER BY array_position($3::text[], rule), period_id DESC, person, subject`, from, until, DutyRules)
	if err != nil {
		return nil, fmt.Errorf("look for conflicts of duties: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DutyConflict])
}
