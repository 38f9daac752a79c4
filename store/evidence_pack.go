package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
)

// packed are the tables of a revision of a period that an evidence pack holds, as CSV: of the period whose id and
// revision stand as literals in the place of %[1]s and %[2]d. Reliefs and acceptances are those of whoever has a
// statement in it.
var packed = []struct{ file, sql string }{
	{"acts.csv", `SELECT act, from_state, to_state, actor, reason_id, acted_at FROM period_act WHERE period_id = %[1]s AND revision = %[2]d ORDER BY id`},
	{"lines.csv", `SELECT s.participant_id, l.position, l.plan_id, l.plan_version, l.component, l.corrects, l.kind, l.unrounded, l.amount_minor, s.currency
		FROM period_revision r JOIN statement s ON s.run_id = r.run_id JOIN line l ON l.statement_id = s.id WHERE r.period_id = %[1]s AND r.revision = %[2]d ORDER BY s.participant_id COLLATE "C", l.position`},
	{"plan-acceptances.csv", `SELECT a.participant_id, a.plan_id, a.version, encode(a.document_sha256, 'hex') AS document_sha256, a.signature_id, a.accepted_at
		FROM plan_acceptance a WHERE (a.participant_id, a.plan_id, a.version) IN (SELECT s.participant_id, l.plan_id, l.plan_version
			FROM period_revision r JOIN statement s ON s.run_id = r.run_id JOIN line l ON l.statement_id = s.id WHERE r.period_id = %[1]s AND r.revision = %[2]d) ORDER BY a.participant_id COLLATE "C", a.plan_id, a.version`},
	{"objectives.csv", `SELECT participant_id, name, version, weight, description, score, reason_id, entered_by, recorded_at FROM objective WHERE period_id = %[1]s AND %[2]d > 0 ORDER BY participant_id COLLATE "C", name, version`},
	{"reliefs.csv", `SELECT q.id, q.participant_id, q.measure, q.starts_on, q.ends_on, q.cause, q.amount, q.share, q.reason_id, q.proposed_by, q.proposed_at, d.decision, d.decided_by, d.decided_at, d.reason_id AS decision_reason_id
		FROM relief_proposal q LEFT JOIN relief_decision d ON d.proposal_id = q.id JOIN pay_period p ON p.id = %[1]s JOIN period_revision r ON r.period_id = p.id AND r.revision = %[2]d
		WHERE q.starts_on <= p.ends_on AND q.ends_on >= p.starts_on AND EXISTS (SELECT FROM statement s WHERE s.run_id = r.run_id AND s.participant_id = q.participant_id) ORDER BY q.proposed_at, q.id`},
	{"adjustments.csv", `SELECT x.id, x.period_id, x.participant_id, x.type, x.amount_minor, x.currency, x.reason_id, x.dispute_id, x.entered_by, x.entered_at, d.decision, d.decided_by, d.decided_at, d.reason_id AS decision_reason_id, t.period_id AS paid_in
		FROM adjustment x LEFT JOIN adjustment_decision d ON d.adjustment_id = x.id LEFT JOIN adjustment_taken t ON t.adjustment_id = x.id WHERE %[1]s IN (x.period_id, t.period_id) AND %[2]d > 0 ORDER BY x.entered_at, x.id`},
	{"entered-deals.csv", `SELECT d.id, d.participant_id, v.version, v.date, v.amount, v.currency, v.attributes, v.note_id, d.entered_at, d.state, x.decided_by, x.on_behalf_of, x.decided_at, x.reason_id FROM entered_deal d LEFT JOIN entered_deal_decision x ON x.deal_id = d.id JOIN LATERAL (SELECT * FROM entered_deal_version v WHERE v.deal_id = d.id AND v.version = coalesce(x.version, v.version) ORDER BY v.version DESC LIMIT 1) v ON true JOIN pay_period p ON p.id = %[1]s AND v.date BETWEEN p.starts_on AND p.ends_on WHERE EXISTS (SELECT FROM assignment a WHERE a.participant_id = d.participant_id AND a.calendar_id = p.calendar_id) AND %[2]d > 0 ORDER BY v.date, d.id`},
	{"disputes.csv", `SELECT d.id, d.participant_id, d.type, d.plan_id, d.component, d.source, d.transaction_id, d.expected_minor, d.currency, d.comment_id, d.late, d.raised_at, d.state, d.partly, a.id AS answer_id, a.answered_by, a.amount_minor AS granted_minor, a.answered_at
		FROM dispute d LEFT JOIN dispute_answer a ON a.dispute_id = d.id WHERE d.period_id = %[1]s AND d.revision = %[2]d ORDER BY d.raised_at, d.id, a.answered_at`},
	{"dispute-acts.csv", `SELECT a.dispute_id, a.act, a.from_state, a.to_state, a.actor, a.text_id, a.acted_at FROM dispute_act a JOIN dispute d ON d.id = a.dispute_id WHERE d.period_id = %[1]s AND d.revision = %[2]d ORDER BY a.id`},
	{"dispute-files.csv", `SELECT e.id, e.dispute_id, e.name, e.media_type, encode(e.sha256, 'hex') AS sha256, e.added_by, e.added_at FROM evidence e JOIN dispute d ON d.id = e.dispute_id WHERE d.period_id = %[1]s AND d.revision = %[2]d ORDER BY e.added_at, e.id`},
	{"approvals.csv", `SELECT participant_id, level, encode(statement_digest, 'hex') AS statement_digest, coalesce(approver_id, 'finance') AS queue, opened_at, automatic, decision, decided_by, on_behalf_of, decided_at, reason_id FROM approval WHERE period_id = %[1]s AND revision = %[2]d ORDER BY participant_id COLLATE "C", level, decided_at`},
	{"payout-lists.csv", `SELECT supplement, encode(digest, 'hex') AS digest, planned_at, released_by, released_at FROM payout_list WHERE period_id = %[1]s AND revision = %[2]d ORDER BY supplement`},
	{"payouts.csv", `SELECT o.id, o.supplement, o.participant_id, o.amount_minor, o.currency, o.carried_minor, o.withheld_minor, o.rail, d.version AS destination_version, d.masked AS destination, o.state, o.reason, o.times_back, o.lifted_by, o.lifted_reason_id, o.again_by, o.again_reason_id FROM payout o LEFT JOIN destination d ON d.id = o.destination_id WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY o.id`},
	{"withholdings.csv", `SELECT supplement, of_period_id, participant_id, currency, base_minor, rate, amount_minor FROM withholding WHERE period_id = %[1]s AND revision = %[2]d ORDER BY id`},
	{"attempts.csv", `SELECT a.payout_id, a.number, a.key, a.state, a.rail_id, a.error_code, a.intended_at, a.sent_at, a.finished_at FROM payout_attempt a JOIN payout o ON o.id = a.payout_id WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY a.payout_id, a.number`},
	{"payment-files.csv", `SELECT id, supplement, rail, currency, name, message_id, encode(sha256, 'hex') AS sha256, payouts, total_minor, effective_on, built_at, confirmed_by, confirmed_at FROM payment_file WHERE period_id = %[1]s AND revision = %[2]d ORDER BY built_at, id`},
	{"bank-answers.csv", `SELECT f.rail, f.name AS file, encode(f.sha256, 'hex') AS sha256, f.uploaded_by, f.uploaded_at, x.payout_id, x.state, x.code, x.reason, x.said_on, x.effect
		FROM payout_outcome x JOIN payout o ON o.id = x.payout_id JOIN status_file f ON f.id = x.file_id WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY f.uploaded_at, f.id, x.number, x.payout_id`},
	{"rail-events.csv", `SELECT e.number, e.rail, e.kind, e.reference, e.rail_id, e.claims, e.happened_at, e.received_at, x.payout_id, x.effect, x.applied_at
		FROM rail_event_outcome x JOIN payout o ON o.id = x.payout_id JOIN rail_event e ON e.number = x.event WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY e.number, x.applied_at`},
	{"payout-decisions.csv", `SELECT q.act, q.payout_id, q.participant_id, q.amount_minor, q.proposed_by, q.proposed_at, q.reason_id, d.decision, d.decided_by, d.decided_at, d.reason_id AS decision_reason_id
		FROM payout_proposal q JOIN payout o ON o.id = q.payout_id LEFT JOIN proposal_decision d ON d.proposal_id = q.id WHERE o.period_id = %[1]s AND o.revision = %[2]d
		UNION ALL SELECT 'redirect-payout', q.payout_id, q.participant_id, NULL, q.proposed_by, q.proposed_at, q.reason_id, d.decision, d.decided_by, d.decided_at, d.reason_id
		FROM payout_redirection q JOIN payout o ON o.id = q.payout_id LEFT JOIN redirection_decision d ON d.redirection_id = q.id WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY proposed_at, payout_id`},
	{"recalls.csv", `SELECT c.id, c.payout_id, c.number, c.amount_minor, c.state, c.in_part, c.code, c.sent_at, c.finished_at FROM payout_recall c JOIN payout o ON o.id = c.payout_id WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY c.sent_at, c.id`},
	{"ledger.csv", `SELECT e.id AS entry_id, e.key, e.kind, e.effective_on, e.posted_at, p.position, a.kind AS account, a.participant_id, a.rail, p.currency, p.amount_minor FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id WHERE e.period_id = %[1]s AND e.revision = %[2]d ORDER BY e.id, p.position`},
	{"proofs.csv", `SELECT v.id, v.participant_id, v.asked_by, v.asked_at, x.ended_at, x.proved, encode(x.sha256, 'hex') AS sha256 FROM verification v LEFT JOIN verification_result x ON x.verification_id = v.id WHERE v.period_id = %[1]s AND v.revision = %[2]d ORDER BY v.id`},
	{"samples.csv", `SELECT m.id AS sample, m.seed, m.size, m.strata, m.population, m.drawn_by, m.drawn_at, i.number, i.stratum, i.participant_id, i.total_minor, i.currency, k.verdict, k.made_by, k.made_at, k.text_id
		FROM sample m JOIN sample_item i ON i.sample_id = m.id LEFT JOIN sample_remark k ON k.sample_id = m.id AND k.number = i.number WHERE m.period_id = %[1]s AND m.revision = %[2]d ORDER BY m.id, i.number, k.id`},
	{"histories.csv", `SELECT 'histories/' || lpad(row_number() OVER (` + inPack + `)::text, 6, '0') || '.json' AS file, workflow_id, run_id, dispute_id, encode(sha256, 'hex') AS sha256, archived_at FROM archived_history WHERE period_id = %[1]s AND revision = %[2]d ` + inPack},
	{"audit-chain.csv", `SELECT number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, actor, act, subject, body, encode(previous_hash, 'hex') AS previous_hash, encode(hash, 'hex') AS hash FROM audit_event WHERE subject IN (
			SELECT 'pay-period/' || %[1]s || '/%[2]d' UNION SELECT 'archive/' || %[1]s || '/%[2]d'
			UNION SELECT unnest(ARRAY['dispute/' || id, 'archive/dispute/' || id]) FROM dispute WHERE period_id = %[1]s AND revision = %[2]d
			UNION SELECT 'adjustment/' || x.id FROM adjustment x LEFT JOIN adjustment_taken t ON t.adjustment_id = x.id WHERE %[1]s IN (x.period_id, t.period_id)
			UNION SELECT 'payout/' || id FROM payout WHERE period_id = %[1]s AND revision = %[2]d UNION SELECT 'payment-file/' || id FROM payment_file WHERE period_id = %[1]s AND revision = %[2]d
			UNION SELECT 'verification/' || id FROM verification WHERE period_id = %[1]s AND revision = %[2]d UNION SELECT 'sample/' || id FROM sample WHERE period_id = %[1]s AND revision = %[2]d
		) ORDER BY number`},
}

// packedTexts are the reasons and comments that those tables name, of the period $1 and its revision $2.
const packedTexts = `SELECT t.id::text, encode(t.digest, 'hex'), t.written_by, t.written_at, t.body FROM free_text t WHERE t.id IN (
	SELECT reason_id FROM period_act WHERE period_id = $1 AND revision = $2 UNION SELECT reason_id FROM period_revision WHERE period_id = $1 AND revision = $2
	UNION SELECT reason_id FROM approval WHERE period_id = $1 AND revision = $2 UNION SELECT reason_id FROM objective WHERE period_id = $1
	UNION SELECT x.reason_id FROM adjustment x LEFT JOIN adjustment_taken t ON t.adjustment_id = x.id WHERE $1 IN (x.period_id, t.period_id)
	UNION SELECT d.reason_id FROM adjustment_decision d JOIN adjustment x ON x.id = d.adjustment_id LEFT JOIN adjustment_taken t ON t.adjustment_id = x.id WHERE $1 IN (x.period_id, t.period_id)
	UNION SELECT comment_id FROM dispute WHERE period_id = $1 AND revision = $2 UNION SELECT a.text_id FROM dispute_act a JOIN dispute d ON d.id = a.dispute_id WHERE d.period_id = $1 AND d.revision = $2
	UNION SELECT lifted_reason_id FROM payout WHERE period_id = $1 AND revision = $2
	UNION SELECT again_reason_id FROM payout WHERE period_id = $1 AND revision = $2
	UNION SELECT unnest(ARRAY[q.reason_id, d.reason_id]) FROM payout_proposal q JOIN payout o ON o.id = q.payout_id LEFT JOIN proposal_decision d ON d.proposal_id = q.id WHERE o.period_id = $1 AND o.revision = $2
	UNION SELECT unnest(ARRAY[q.reason_id, d.reason_id]) FROM payout_redirection q JOIN payout o ON o.id = q.payout_id LEFT JOIN redirection_decision d ON d.redirection_id = q.id WHERE o.period_id = $1 AND o.revision = $2
	UNION SELECT unnest(ARRAY[q.reason_id, d.reason_id]) FROM relief_proposal q LEFT JOIN relief_decision d ON d.proposal_id = q.id JOIN pay_period p ON p.id = $1 JOIN period_revision r ON r.period_id = p.id AND r.revision = $2
		WHERE q.starts_on <= p.ends_on AND q.ends_on >= p.starts_on AND EXISTS (SELECT FROM statement s WHERE s.run_id = r.run_id AND s.participant_id = q.participant_id)
	UNION SELECT unnest(ARRAY[v.note_id, x.reason_id]) FROM entered_deal d LEFT JOIN entered_deal_decision x ON x.deal_id = d.id JOIN entered_deal_version v ON v.deal_id = d.id JOIN pay_period p ON p.id = $1 AND v.date BETWEEN p.starts_on AND p.ends_on
		WHERE EXISTS (SELECT FROM assignment a WHERE a.participant_id = d.participant_id AND a.calendar_id = p.calendar_id)
	UNION SELECT a.signature_id FROM plan_acceptance a WHERE (a.participant_id, a.plan_id, a.version) IN (SELECT s.participant_id, l.plan_id, l.plan_version
		FROM period_revision r JOIN statement s ON s.run_id = r.run_id JOIN line l ON l.statement_id = s.id WHERE r.period_id = $1 AND r.revision = $2)
	UNION SELECT k.text_id FROM sample_remark k JOIN sample m ON m.id = k.sample_id WHERE m.period_id = $1 AND m.revision = $2
	) ORDER BY t.written_at, t.id`

// inPack is the order in which a pack numbers histories.
const inPack = `ORDER BY workflow_id COLLATE "C", run_id COLLATE "C"`

// EvidenceTables gives add the tables of a revision for an evidence pack as CSV, what people wrote and the archived
// histories, as they stand at one moment.
func (s *Store) EvidenceTables(ctx context.Context, p PeriodRevision, add func(name string, write func(io.Writer) error) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var quoted string // COPY takes no arguments
		if err := tx.QueryRow(ctx, `SELECT quote_literal($1::text)`, p.ID).Scan(&quoted); err != nil {
			return fmt.Errorf("read the evidence of %s: %w", p.ID, err)
		}
		for _, t := range packed {
			copying := "COPY (" + fmt.Sprintf(t.sql, quoted, p.Revision) + ") TO STDOUT (FORMAT csv, HEADER)"
			err := add(t.file, func(w io.Writer) error {
				_, err := tx.Conn().PgConn().CopyTo(ctx, w, copying)
				return err
			})
			if err != nil {
				return err
			}
		}
		err := add(proof.PackTexts, func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetEscapeHTML(false)
			rows, err := tx.Query(ctx, packedTexts, p.ID, p.Revision)
			if err != nil {
				return fmt.Errorf("read what was written about %s: %w", p.ID, err)
			}
			var t proof.PackedText
			_, err = pgx.ForEachRow(rows, []any{&t.ID, &t.SHA256, &t.WrittenBy, &t.WrittenAt, &t.Body}, func() error { return encoder.Encode(t) })
			return err
		})
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT 'histories/' || lpad(row_number() OVER (`+inPack+`)::text, 6, '0') || '.json', content FROM archived_history WHERE period_id = $1 AND revision = $2 `+inPack, p.ID, p.Revision)
		if err != nil {
			return fmt.Errorf("read the archive of %s: %w", p.ID, err)
		}
		var name string
		var content []byte
		_, err = pgx.ForEachRow(rows, []any{&name, &content}, func() error {
			return add(name, func(w io.Writer) error {
				r, err := gzip.NewReader(bytes.NewReader(content))
				if err == nil {
					_, err = io.Copy(w, r)
				}
				return err
			})
		})
		return err
	})
}

// DutiesOf returns who had which part in a revision by now, and what of it was in one hand that belongs in two.
func (s *Store) DutiesOf(ctx context.Context, p PeriodRevision) (duties []Duty, conflicts []DutyConflict, err error) {
	var from, until time.Time
	if err := s.pool.QueryRow(ctx, `SELECT opened_at, now() FROM period_revision WHERE period_id = $1 AND revision = $2`, p.ID, p.Revision).Scan(&from, &until); err != nil {
		return nil, nil, fmt.Errorf("read when %s was opened: %w", p.ID, err)
	}
	if duties, err = s.Duties(ctx, from, until); err != nil {
		return nil, nil, err
	}
	conflicts, err = s.DutyConflicts(ctx, from, until)
	duties = slices.DeleteFunc(duties, func(d Duty) bool { return d.PeriodID != p.ID || d.Revision != p.Revision })
	conflicts = slices.DeleteFunc(conflicts, func(c DutyConflict) bool { return c.PeriodID != p.ID || c.Revision != p.Revision && c.Revision != 0 })
	return duties, conflicts, err
}

// PayoutTotals sums the payouts of a revision, on whatever list they are.
func (s *Store) PayoutTotals(ctx context.Context, p PeriodRevision) ([]PayoutTotal, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT rail, currency, state, count(*)::int, sum(amount_minor)::bigint FROM payout WHERE period_id = $1 AND revision = $2 GROUP BY rail, currency, state ORDER BY rail, currency, state`, p.ID, p.Revision)
	if err != nil {
		return nil, fmt.Errorf("sum the payouts of %s: %w", p.ID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PayoutTotal])
}

// EvidenceStatements writes every statement of a revision's current run as JSON.
func (s *Store) EvidenceStatements(ctx context.Context, p PeriodRevision, w io.Writer) error {
	all, err := s.RunStatements(ctx, *p.RunID)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(all)
}

// LastVerification returns the latest verification of all of a revision that has its result;
// where there is none the error has code CodeConflict.
func (s *Store) LastVerification(ctx context.Context, p PeriodRevision) (Verification, error) {
	rows, err := s.pool.Query(ctx, verificationColumns+`WHERE v.period_id = $1 AND v.revision = $2 AND v.participant_id IS NULL AND r.ended_at IS NOT NULL ORDER BY v.id DESC LIMIT 1`, p.ID, p.Revision)
	if err != nil {
		return Verification{}, fmt.Errorf("look for a verification of %s: %w", p.ID, err)
	}
	all, err := pgx.CollectRows(rows, scanVerification)
	if err == nil && len(all) == 0 {
		return Verification{}, incentive.Errorf(incentive.CodeConflict, "an evidence pack holds the report of a proof: have the whole period proved first")
	}
	if err != nil {
		return Verification{}, err
	}
	return all[0], nil
}

// BeginEvidence records who takes the evidence of a revision.
func (s *Store) BeginEvidence(ctx context.Context, actor string, p PeriodRevision) (at time.Time, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&at); err != nil {
			return err
		}
		return audit(ctx, tx, actor, "take-evidence", incentive.PeriodSubject(p.ID, p.Revision), struct{}{})
	})
	return at.UTC(), err
}
