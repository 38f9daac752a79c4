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

// Verification is somebody's question whether a result can be proved again, with the answer
// once there is one.
type Verification struct {
	ID            int64
	PeriodID      string
	Revision      int
	ParticipantID string // whose statement; "" for everybody's
	AskedBy       string
	AskedAt       time.Time
	EndedAt       *time.Time // nil while it is under way
	Proved        bool
	Report        []byte // JSON, a proof.PeriodReport; nil while it is under way
	SHA256        []byte // of the report
	Progress      VerificationProgress
}

// VerificationProgress is how far a verification has come: the check that is being made and,
// of statements, how many are done.
type VerificationProgress struct {
	Check       string
	Done, Total int
}

const verificationColumns = `
	SELECT v.id, v.period_id, v.revision, coalesce(v.participant_id, ''), v.asked_by, v.asked_at, r.ended_at, coalesce(r.proved, false), convert_to(r.report, 'UTF8'), r.sha256,
		coalesce(p.check, ''), coalesce(p.done, 0), coalesce(p.total, 0)
	FROM verification v LEFT JOIN verification_result r ON r.verification_id = v.id LEFT JOIN verification_progress p ON p.verification_id = v.id `

func scanVerification(row pgx.CollectableRow) (v Verification, err error) {
	err = row.Scan(&v.ID, &v.PeriodID, &v.Revision, &v.ParticipantID, &v.AskedBy, &v.AskedAt, &v.EndedAt, &v.Proved, &v.Report, &v.SHA256, &v.Progress.Check, &v.Progress.Done, &v.Progress.Total)
	return v, err
}

func verificationSubject(id int64) string { return fmt.Sprintf("verification/%d", id) }

// AskVerification keeps, once for a key, that somebody asks for a result to be proved. A
// period without a result, or without a statement of the participant, is refused.
func (s *Store) AskVerification(ctx context.Context, key string, asked Verification) (Verification, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var has bool
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM period_revision r WHERE r.period_id = $1 AND r.revision = $2 AND r.run_id IS NOT NULL
				AND ($3 = '' OR EXISTS (SELECT FROM statement st WHERE st.run_id = r.run_id AND st.participant_id = $3)))`, asked.PeriodID, asked.Revision, asked.ParticipantID).Scan(&has)
		if err != nil {
			return fmt.Errorf("look for what is to be verified: %w", err)
		}
		if !has && asked.ParticipantID != "" {
			return incentive.Errorf(incentive.CodeNotFound, "there is no statement of %q in %s", asked.ParticipantID, asked.PeriodID)
		}
		if !has {
			return incentive.Errorf(incentive.CodeConflict, "%s has no result to prove yet: it is calculated after the lock", asked.PeriodID)
		}
		err = tx.QueryRow(ctx, `
			INSERT INTO verification (key, period_id, revision, participant_id, asked_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING RETURNING id`,
			key, asked.PeriodID, asked.Revision, orNull(asked.ParticipantID), asked.AskedBy).Scan(&asked.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.QueryRow(ctx, `SELECT id FROM verification WHERE key = $1`, key).Scan(&asked.ID)
		}
		if err != nil {
			return fmt.Errorf("keep the question for a verification: %w", err)
		}
		return audit(ctx, tx, asked.AskedBy, "ask-verification", verificationSubject(asked.ID), struct {
			Period      string `json:"period"`
			Revision    int    `json:"revision"`
			Participant string `json:"participant,omitempty"`
		}{asked.PeriodID, asked.Revision, asked.ParticipantID})
	})
	if err != nil {
		return asked, err
	}
	return s.Verification(ctx, asked.ID)
}

// Verification returns a verification.
func (s *Store) Verification(ctx context.Context, id int64) (Verification, error) {
	rows, err := s.pool.Query(ctx, verificationColumns+`WHERE v.id = $1`, id)
	if err != nil {
		return Verification{}, fmt.Errorf("read verification %d: %w", id, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, scanVerification)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, incentive.Errorf(incentive.CodeNotFound, "there is no verification %d", id)
	}
	return v, err
}

// Verifications returns up to limit verifications of a revision that were asked for before
// one (0: the latest), the latest first; of one participant's statement, or ("") of all.
func (s *Store) Verifications(ctx context.Context, periodID string, revision int, participantID string, before int64, limit int) ([]Verification, error) {
	rows, err := s.pool.Query(ctx, verificationColumns+`
		WHERE v.period_id = $1 AND v.revision = $2 AND ($3 = '' OR v.participant_id = $3) AND ($4 = 0 OR v.id < $4) ORDER BY v.id DESC LIMIT $5`, periodID, revision, participantID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list the verifications of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, scanVerification)
}

// UnfinishedVerifications returns up to limit verifications without a result, after one.
func (s *Store) UnfinishedVerifications(ctx context.Context, after int64, limit int) (ids []int64, err error) {
	rows, err := s.pool.Query(ctx, `SELECT id FROM verification v WHERE id > $1 AND NOT EXISTS (SELECT FROM verification_result r WHERE r.verification_id = v.id) ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list unfinished verifications: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// TellProgress writes down how far a verification has come.
func (s *Store) TellProgress(ctx context.Context, id int64, p VerificationProgress) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO verification_progress VALUES ($1, $2, $3, $4) ON CONFLICT (verification_id) DO UPDATE SET "check" = excluded.check, done = excluded.done, total = excluded.total`, id, p.Check, p.Done, p.Total)
	if err != nil {
		return fmt.Errorf("tell how far verification %d is: %w", id, err)
	}
	return nil
}

// KeepVerification keeps what a verification found, once.
func (s *Store) KeepVerification(ctx context.Context, id int64, proved bool, report []byte) error {
	digest := incentive.Digest(sha256.Sum256(report))
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO verification_result (verification_id, proved, report, sha256) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, id, proved, string(report), digest[:])
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM verification_progress WHERE verification_id = $1`, id); err != nil {
			return err
		}
		return audit(ctx, tx, System, "verify", verificationSubject(id), struct {
			Proved bool             `json:"proved"`
			Report incentive.Digest `json:"report"`
		}{proved, digest})
	})
}

// StatementDigest is what a statement is kept under.
type StatementDigest struct {
	Digest incentive.Digest
	Total  incentive.Money
}

// StatementDigests returns what the statements of a run are kept under, by participant.
func (s *Store) StatementDigests(ctx context.Context, runID int64) (map[string]StatementDigest, error) {
	rows, err := s.pool.Query(ctx, `SELECT participant_id, digest, total_minor, currency FROM statement WHERE run_id = $1`, runID)
	if err != nil {
		return nil, fmt.Errorf("read the statements of run %d: %w", runID, err)
	}
	all := map[string]StatementDigest{}
	var id string
	var digest []byte
	var total incentive.Money
	_, err = pgx.ForEachRow(rows, []any{&id, &digest, &total.Minor, &total.Currency}, func() error {
		one := StatementDigest{Total: total}
		copy(one.Digest[:], digest)
		all[id] = one
		return nil
	})
	return all, err
}
