package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Timeline says which links of the audit chain are wanted; its zero value: all, the oldest first.
type Timeline struct {
	// Subject is what was acted on, such as pay-period/m-2026-01/1, a kind of these with a slash
	// at its end, such as rail/, or a statement as statement/<period>/<revision>/<participant>,
	// which is everything about it: acts of its period, and of that participant's disputes, adjustments,
	// payouts, decisions and proofs in it.
	Subject  string
	Parts    bool // of a period: with its disputes, adjustments, payouts, decisions, proofs, samples and files
	Actor    string
	Act      string
	From, To incentive.Date // days in the company's zone; zero: unbounded
	Newest   bool           // first
}

// AuditTimeline returns up to limit links beyond the one with a number, in the order asked for
// (0: from its beginning). A subject that cannot be is refused with code CodeInvalid.
func (s *Store) AuditTimeline(ctx context.Context, which Timeline, after int64, limit int) ([]AuditEvent, error) {
	var where []string
	var arguments []any
	with := func(condition string, values ...any) {
		for i, value := range values {
			arguments = append(arguments, value)
			condition = strings.ReplaceAll(condition, "?"+strconv.Itoa(i+1), "$"+strconv.Itoa(len(arguments)))
		}
		where = append(where, condition)
	}
	if err := which.subjects(with); err != nil {
		return nil, err
	}
	if which.Actor != "" {
		with(`actor = ?1`, which.Actor)
	}
	if which.Act != "" {
		with(`act = ?1`, which.Act)
	}
	const midnight = `::date)::timestamp AT TIME ZONE coalesce((SELECT nullif(time_zone, '') FROM company), 'UTC')`
	if !which.From.IsZero() {
		with(`at >= (?1`+midnight, which.From)
	}
	if !which.To.IsZero() {
		with(`at < (?1`+midnight, which.To.AddDays(1))
	}
	order := "number"
	switch {
	case which.Newest && after > 0:
		with(`number < ?1`, after)
	case after > 0:
		with(`number > ?1`, after)
	}
	if which.Newest {
		order = "number DESC"
	}
	condition := "true"
	if len(where) > 0 {
		condition = strings.Join(where, " AND ")
	}
	rows, err := s.pool.Query(ctx, `SELECT number, at, actor, act, subject, body, previous_hash, hash FROM audit_event WHERE `+condition+` ORDER BY `+order+` LIMIT `+strconv.Itoa(limit), arguments...)
	if err != nil {
		return nil, fmt.Errorf("read the audit chain: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AuditEvent])
}

// TakeTimeline puts on record that somebody takes links of the chain away in a file. What cannot
// be asked for is refused as by AuditTimeline.
func (s *Store) TakeTimeline(ctx context.Context, actor string, which Timeline) error {
	if _, err := s.AuditTimeline(ctx, which, 0, 1); err != nil {
		return err
	}
	day := func(d incentive.Date) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		return audit(ctx, tx, actor, "export", "file/audit", struct {
			Subject string `json:"subject,omitempty"`
			Parts   bool   `json:"parts,omitempty"`
			Actor   string `json:"actor,omitempty"`
			Act     string `json:"act,omitempty"`
			From    string `json:"from,omitempty"`
			To      string `json:"to,omitempty"`
		}{which.Subject, which.Parts, which.Actor, which.Act, day(which.From), day(which.To)})
	})
}

// partsOf is the SQL of the subjects of a period's revision (?1, ?2) that are about a participant
// (?3; NULL: anybody).
const partsOf = `
	SELECT 'dispute/' || id FROM dispute WHERE period_id = ?1::text AND revision = ?2::integer AND (?3::text IS NULL OR participant_id = ?3)
	UNION ALL SELECT 'adjustment/' || id FROM adjustment WHERE period_id = ?1::text AND (?3::text IS NULL OR participant_id = ?3)
	UNION ALL SELECT 'payout/' || id FROM payout WHERE period_id = ?1::text AND revision = ?2::integer AND (?3::text IS NULL OR participant_id = ?3)
	UNION ALL SELECT 'decision-set/' || id FROM decision_set d WHERE period_id = ?1::text AND revision = ?2::integer AND (?3::text IS NULL OR EXISTS (SELECT FROM decision_set_item i WHERE i.set_id = d.id AND i.participant_id = ?3))
	UNION ALL SELECT 'verification/' || id FROM verification WHERE period_id = ?1::text AND revision = ?2::integer AND (?3::text IS NULL OR participant_id IS NULL OR participant_id = ?3)
	UNION ALL SELECT 'sample/' || id FROM sample s WHERE period_id = ?1::text AND revision = ?2::integer AND (?3::text IS NULL OR EXISTS (SELECT FROM sample_item i WHERE i.sample_id = s.id AND i.participant_id = ?3))
	UNION ALL SELECT 'payment-file/' || id FROM payment_file WHERE ?3::text IS NULL AND period_id = ?1::text AND revision = ?2::integer
	UNION ALL SELECT 'archive/' || ?1::text || '/' || ?2::integer WHERE ?3::text IS NULL`

// subjects adds the condition about what was acted on.
func (t Timeline) subjects(with func(condition string, values ...any)) error {
	kind, rest, _ := strings.Cut(t.Subject, "/")
	switch {
	case t.Subject == "":
		return nil
	case rest == "" && strings.HasSuffix(t.Subject, "/"):
		with(`starts_with(subject, ?1)`, t.Subject)
		return nil
	case kind == "statement", kind == "pay-period" && t.Parts:
		parts := strings.SplitN(rest, "/", 3)
		var participant *string
		if kind == "statement" && len(parts) == 3 {
			participant = &parts[2]
		}
		if len(parts) < 2 || kind == "statement" && participant == nil {
			return incentive.Errorf(incentive.CodeInvalid, "%q is not written as statement/<period>/<revision>/<participant>", t.Subject)
		}
		revision, err := strconv.Atoi(parts[1])
		if err != nil {
			return incentive.Errorf(incentive.CodeInvalid, "%q names no revision of a period", t.Subject)
		}
		with(`subject IN (SELECT ?4::text UNION ALL `+partsOf+`)`, parts[0], revision, participant, incentive.PeriodSubject(parts[0], revision))
		return nil
	}
	with(`subject = ?1`, t.Subject)
	return nil
}
