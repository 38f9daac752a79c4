package activities

import (
	"bytes"
	"context"
	"fmt"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// CodeNotProved says that a stored result is not what its snapshot gives.
const CodeNotProved = proof.CodeNotProved

// Proof is what a verification of a period found.
type Proof struct {
	PeriodID       string           `json:"period"`
	Revision       int              `json:"revision"`
	State          incentive.State  `json:"state"`
	SnapshotDigest incentive.Digest `json:"snapshot_digest"`
	RunDigest      incentive.Digest `json:"run_digest"`
	Statements     int              `json:"statements"`
	Books          `json:"-"`
}

// Books is what a verification of ledger and audit chain found.
type Books struct {
	JournalEntries int              `json:"journal_entries"`
	AuditLinks     int64            `json:"audit_links"`
	AuditHead      incentive.Digest `json:"audit_head"`
}

// VerifyBooks proves that every journal entry balances and that the audit chain is whole.
func VerifyBooks(ctx context.Context, s *store.Store) (b Books, err error) {
	if b.JournalEntries, err = s.VerifyLedger(ctx); err != nil {
		return b, err
	}
	links, head, err := s.VerifyAudit(ctx)
	b.AuditLinks = links
	copy(b.AuditHead[:], head)
	return b, err
}

// Verify proves a period and the books.
func Verify(ctx context.Context, s *store.Store, periodID string, revision int) (Proof, error) {
	found, err := VerifyPeriod(ctx, s, periodID, revision)
	if err == nil {
		found.Books, err = VerifyBooks(ctx, s)
	}
	return found, err
}

// VerifyPeriod proves a period again: the snapshot still has its digest, calculating it anew
// gives the run's digest and every stored statement, the explanations give their lines,
// the audit chain names snapshot and run, and the period's postings tell the same story
// as its payouts. Anything else is an error that names what differs.
func VerifyPeriod(ctx context.Context, s *store.Store, periodID string, revision int) (Proof, error) {
	p, err := s.PeriodRevision(ctx, periodID, revision)
	if err != nil {
		return Proof{}, err
	}
	if p.RunID == nil {
		return Proof{}, incentive.Errorf(incentive.CodeConflict, "period %s is %s: there is no result to verify yet", periodID, p.State)
	}
	found := Proof{PeriodID: p.ID, Revision: p.Revision, State: p.State}
	run, err := s.Run(ctx, *p.RunID)
	if err != nil {
		return found, err
	}
	if run.EngineVersion != calculation.EngineVersion {
		return found, incentive.Errorf(CodeNotProved, "the run was made by engine %s, and this program has %s: verify it with a program of that version", run.EngineVersion, calculation.EngineVersion)
	}
	snapshot, frozen, err := s.Snapshot(ctx, run.SnapshotID)
	if err != nil {
		return found, err
	}
	snapshotDigest := snapshot.Digest()
	if !bytes.Equal(snapshotDigest[:], frozen) {
		return found, incentive.Errorf(CodeNotProved, "the records of snapshot %d have changed since they were frozen: digest %x, frozen as %x", run.SnapshotID, snapshotDigest, frozen)
	}
	calculated, err := calculation.Calculate(ctx, snapshot)
	if err != nil {
		return found, fmt.Errorf("calculate period %s anew: %w", periodID, err)
	}
	stored, err := s.RunStatements(ctx, run.ID)
	if err != nil {
		return found, err
	}
	if len(stored) != len(calculated) {
		return found, incentive.Errorf(CodeNotProved, "the run has %d statements, and the snapshot gives %d", len(stored), len(calculated))
	}
	digests := make([]incentive.Digest, len(calculated))
	for i := range calculated {
		digests[i] = calculated[i].Digest()
		if stored[i].Digest() != digests[i] {
			return found, incentive.Errorf(CodeNotProved, "the stored statement of %s is not what the snapshot gives", calculated[i].ParticipantID)
		}
		for _, line := range stored[i].Lines {
			if err := calculation.CheckLine(line); err != nil {
				return found, fmt.Errorf("do the arithmetic of the statement of %s again: %w", calculated[i].ParticipantID, err)
			}
		}
	}
	runDigest := incentive.RunDigest(snapshotDigest, run.EngineVersion, digests)
	if !bytes.Equal(runDigest[:], run.Digest) {
		return found, incentive.Errorf(CodeNotProved, "the run's digest is %x, and the snapshot gives %x", run.Digest, runDigest)
	}
	if err := s.VerifyChained(ctx, p, frozen, run.Digest); err != nil {
		return found, err
	}
	found.SnapshotDigest, found.RunDigest, found.Statements = snapshotDigest, runDigest, len(stored)
	return found, s.VerifyPayouts(ctx, periodID, p.Revision)
}
