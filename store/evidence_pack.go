package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// packed are the tables of a revision of a period that an evidence pack holds, as CSV: of the
// period whose id and revision stand as literals in the place of %[1]s and %[2]d.
var packed = []struct{ file, sql string }{
	{"acts.csv", `SELECT act, from_state, to_state, actor, reason_id, acted_at FROM period_act WHERE period_id = %[1]s AND revision = %[2]d ORDER BY id`},
	{"approvals.csv", `SELECT participant_id, level, encode(statement_digest, 'hex') AS statement_digest, coalesce(approver_id, 'finance') AS queue, decision, decided_by, decided_at FROM approval WHERE period_id = %[1]s AND revision = %[2]d ORDER BY participant_id, level, decided_at`},
	{"payout-lists.csv", `SELECT supplement, encode(digest, 'hex') AS digest, planned_at, released_by, released_at FROM payout_list WHERE period_id = %[1]s AND revision = %[2]d ORDER BY supplement`},
	{"payouts.csv", `SELECT o.id, o.supplement, o.participant_id, o.amount_minor, o.currency, o.rail, d.version AS destination_version, d.masked AS destination, o.state, o.reason FROM payout o LEFT JOIN destination d ON d.id = o.destination_id WHERE o.period_id = %[1]s AND o.revision = %[2]d ORDER BY o.id`},
	{"ledger.csv", `SELECT e.id AS entry_id, e.key, e.kind, e.effective_on, e.posted_at, p.position, a.kind AS account, a.participant_id, a.rail, p.currency, p.amount_minor FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id WHERE e.period_id = %[1]s AND e.revision = %[2]d ORDER BY e.id, p.position`},
	{"entered-deals.csv", `SELECT d.id, d.participant_id, v.version, v.date, v.amount, v.currency, v.attributes, d.entered_at, d.state, x.decided_by, x.on_behalf_of, x.decided_at, x.reason_id FROM entered_deal d LEFT JOIN entered_deal_decision x ON x.deal_id = d.id JOIN LATERAL (SELECT * FROM entered_deal_version v WHERE v.deal_id = d.id AND v.version = coalesce(x.version, v.version) ORDER BY v.version DESC LIMIT 1) v ON true JOIN pay_period p ON p.id = %[1]s AND v.date BETWEEN p.starts_on AND p.ends_on WHERE EXISTS (SELECT FROM assignment a WHERE a.participant_id = d.participant_id AND a.calendar_id = p.calendar_id) AND %[2]d > 0 ORDER BY v.date, d.id`},
	{"histories.csv", `SELECT workflow_id, run_id, dispute_id, encode(sha256, 'hex') AS sha256, archived_at FROM archived_history WHERE period_id = %[1]s AND revision = %[2]d ORDER BY workflow_id COLLATE "C", run_id COLLATE "C"`},
	{"audit-chain.csv", `SELECT number, at, actor, act, subject, body, encode(previous_hash, 'hex') AS previous_hash, encode(hash, 'hex') AS hash FROM audit_event WHERE subject IN ('pay-period/' || %[1]s || '/%[2]d', 'archive/' || %[1]s || '/%[2]d') ORDER BY number`},
}

// EvidenceTables gives add the tables of a revision for an evidence pack, as CSV and as they
// stand at one moment.
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
		return nil
	})
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
