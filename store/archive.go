package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeArchiveBroken says that an archive is not what the audit chain says of it.
const CodeArchiveBroken incentive.Code = "archive-broken"

// History is the history of one run of a workflow, as Temporal exports it.
type History struct {
	WorkflowID string
	RunID      string
	JSON       []byte
}

// Archived says what an archive is of: a revision of a period or, with its id, a dispute
// of that revision.
type Archived struct {
	PeriodID  string
	Revision  int
	DisputeID string
}

// subject is what the audit chain calls the archive.
func (of Archived) subject() string {
	if of.DisputeID != "" {
		return "archive/" + disputeSubject(of.DisputeID)
	}
	return fmt.Sprintf("archive/%s/%d", of.PeriodID, of.Revision)
}

func (of Archived) String() string {
	if of.DisputeID != "" {
		return disputeSubject(of.DisputeID)
	}
	return of.PeriodID
}

// inArchive selects the histories of an archive, of which $1 to $3 say what it is of.
const inArchive = ` FROM archived_history WHERE period_id = $1 AND revision = $2 AND coalesce(dispute_id::text, '') = $3 ORDER BY workflow_id COLLATE "C", run_id COLLATE "C"`

// KeepHistory stores a history once.
func (s *Store) KeepHistory(ctx context.Context, of Archived, h History) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(h.JSON)
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("pack the history of %s: %w", h.WorkflowID, err)
	}
	digest := sha256.Sum256(h.JSON)
	_, err = s.pool.Exec(ctx, `
		INSERT INTO archived_history (period_id, revision, dispute_id, workflow_id, run_id, content, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		of.PeriodID, of.Revision, orNull(of.DisputeID), h.WorkflowID, h.RunID, packed.Bytes(), digest[:])
	if err != nil {
		return fmt.Errorf("archive the history of %s: %w", h.WorkflowID, err)
	}
	return nil
}

// HasHistory reports whether a run's history is archived.
func (s *Store) HasHistory(ctx context.Context, workflowID, runID string) (there bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM archived_history WHERE workflow_id = $1 AND run_id = $2)`, workflowID, runID).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("look into the archive: %w", err)
	}
	return there, nil
}

// archiveBody is what the audit chain says of an archive.
type archiveBody struct {
	Histories int    `json:"histories"`
	Root      string `json:"root"` // SHA-256 over the ids and digests of all histories, by workflow and run
}

// FinishArchive puts the digest of an archive into the audit chain, once.
func (s *Store) FinishArchive(ctx context.Context, actor string, of Archived) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('archive ' || $1))`, of.String()); err != nil {
			return err
		}
		var done bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit_event WHERE subject = $1)`, of.subject()).Scan(&done); err != nil || done {
			return err
		}
		body, err := archiveRoot(ctx, tx, of)
		if err != nil {
			return err
		}
		return audit(ctx, tx, actor, "archive", of.subject(), body)
	})
}

func archiveRoot(ctx context.Context, q querier, of Archived) (archiveBody, error) {
	rows, err := q.Query(ctx, `SELECT workflow_id, run_id, sha256`+inArchive, of.PeriodID, of.Revision, of.DisputeID)
	if err != nil {
		return archiveBody{}, fmt.Errorf("read the archive of %s: %w", of, err)
	}
	var body archiveBody
	root := sha256.New()
	var workflowID, runID string
	var digest []byte
	_, err = pgx.ForEachRow(rows, []any{&workflowID, &runID, &digest}, func() error {
		body.Histories++
		fmt.Fprintf(root, "%q %q %x\n", workflowID, runID, digest)
		return nil
	})
	body.Root = hex.EncodeToString(root.Sum(nil))
	return body, err
}

// Histories calls each with every history of an archive, by workflow and run, and
// returns how many there are: 0 while the archive is not complete. A history or an
// archive that is not what its digest says is an error of code CodeArchiveBroken.
func (s *Store) Histories(ctx context.Context, of Archived, each func(History) error) (int, error) {
	var said string
	err := s.pool.QueryRow(ctx, `SELECT body FROM audit_event WHERE subject = $1`, of.subject()).Scan(&said)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the audit chain: %w", err)
	}
	var body archiveBody
	if err := json.Unmarshal([]byte(said), &body); err != nil {
		return 0, fmt.Errorf("read the audit chain: %w", err)
	}
	found, err := archiveRoot(ctx, s.pool, of)
	if err != nil {
		return 0, err
	}
	if found != body {
		return 0, incentive.Errorf(CodeArchiveBroken, "the audit chain says that the archive of %s holds %d histories with the digest %s, and it holds %d with %s", of, body.Histories, body.Root, found.Histories, found.Root)
	}
	rows, err := s.pool.Query(ctx, `SELECT workflow_id, run_id, content, sha256`+inArchive, of.PeriodID, of.Revision, of.DisputeID)
	if err != nil {
		return 0, fmt.Errorf("read the archive of %s: %w", of, err)
	}
	var h History
	var packed, digest []byte
	_, err = pgx.ForEachRow(rows, []any{&h.WorkflowID, &h.RunID, &packed, &digest}, func() error {
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err == nil {
			h.JSON, err = io.ReadAll(r)
		}
		if is := sha256.Sum256(h.JSON); err != nil || !bytes.Equal(is[:], digest) {
			return incentive.Errorf(CodeArchiveBroken, "the archived history of %s (run %s) has been altered", h.WorkflowID, h.RunID)
		}
		return each(h)
	})
	return body.Histories, err
}
