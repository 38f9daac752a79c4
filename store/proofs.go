package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/proof"
)

// chained returns the numbers of the links of the audit chain that name a snapshot and,
// after it, a run over it. Where there are none the error is of code CodeChainBroken.
func chained(ctx context.Context, q querier, p PeriodRevision, snapshot, run []byte) (frozen, calculated int64, err error) {
	err = q.QueryRow(ctx, `
		SELECT l.number, c.number FROM audit_event l JOIN audit_event c ON c.subject = l.subject AND c.number > l.number
		WHERE l.subject = $1 AND l.act = ANY($2) AND l.body::json->>'snapshot_digest' = encode($3, 'hex') AND c.act = $4 AND c.body::json->>'run_digest' = encode($5, 'hex')
		ORDER BY l.number DESC, c.number DESC LIMIT 1`,
		incentive.PeriodSubject(p.ID, p.Revision), []incentive.Act{incentive.Lock, incentive.Recalculate}, snapshot, incentive.Calculate, run).Scan(&frozen, &calculated)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, incentive.Errorf(CodeChainBroken, "the audit chain names no snapshot %x of %s with, after it, the run %x", snapshot, p.ID, run)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look for %s in the audit chain: %w", p.ID, err)
	}
	return frozen, calculated, nil
}

// VerifyChained checks that the audit chain names the snapshot and run of a revision.
func (s *Store) VerifyChained(ctx context.Context, p PeriodRevision, snapshot, run []byte) error {
	_, _, err := chained(ctx, s.pool, p, snapshot, run)
	return err
}

// Proof returns the file that proves one participant's statement of a revision's current
// run or, with whole, that holds the whole snapshot for it.
func (s *Store) Proof(ctx context.Context, p PeriodRevision, participantID string, whole bool) (proof.File, error) {
	stored, err := s.Statement(ctx, p.ID, p.Revision, participantID)
	if err != nil {
		return proof.File{}, err
	}
	run, err := s.Run(ctx, stored.RunID)
	if err != nil {
		return proof.File{}, err
	}
	if run.EngineVersion != calculation.EngineVersion {
		return proof.File{}, incentive.Errorf(incentive.CodeConflict, "the run was made by engine %s, and this program has %s", run.EngineVersion, calculation.EngineVersion)
	}
	snapshot, frozen, err := s.Snapshot(ctx, run.SnapshotID)
	if err != nil {
		return proof.File{}, err
	}
	rows, err := s.pool.Query(ctx, `SELECT digest FROM statement WHERE run_id = $1`, run.ID)
	if err != nil {
		return proof.File{}, fmt.Errorf("read the statements of run %d: %w", run.ID, err)
	}
	digests, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (incentive.Digest, error) {
		var digest []byte
		err := row.Scan(&digest)
		return incentive.Digest(digest), err
	})
	if err != nil {
		return proof.File{}, fmt.Errorf("read the statements of run %d: %w", run.ID, err)
	}
	f, err := proof.New(ctx, snapshot, digests, stored.Statement, whole)
	if err != nil {
		return f, err
	}
	if !bytes.Equal(f.SnapshotDigest[:], frozen) || !bytes.Equal(f.RunDigest[:], run.Digest) {
		return f, incentive.Errorf(proof.CodeNotProved, "what is stored of %s is not what its digests say: run guerdon verify on the database", p.ID)
	}
	first, _, err := chained(ctx, s.pool, p, frozen, run.Digest)
	if err != nil {
		return f, err
	}
	f.Chain, err = s.chain(ctx, first, incentive.PeriodSubject(p.ID, p.Revision))
	return f, err
}

// chain returns the audit chain from a link on, which shows the acts on a period.
func (s *Store) chain(ctx context.Context, first int64, subject string) (proof.Chain, error) {
	c := proof.Chain{First: first}
	for after := first - 1; ; {
		events, err := s.AuditEvents(ctx, "", after, 1000)
		if err != nil || len(events) == 0 {
			return c, err
		}
		if len(c.Links) == 0 {
			c.Before = incentive.Digest(events[0].PreviousHash)
		}
		for _, e := range events {
			e.At = e.At.UTC()
			c.Links = append(c.Links, e.Digest())
			moves := slices.ContainsFunc(incentive.Transitions, func(t incentive.Transition) bool { return string(t.Act) == e.Act })
			if e.Subject == subject && moves {
				c.Shown = append(c.Shown, e.AuditEntry)
			}
			after, c.Head = e.Number, incentive.Digest(e.Hash)
		}
	}
}
