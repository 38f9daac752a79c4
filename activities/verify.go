package activities

import (
	"bytes"
	"context"
	"fmt"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
)

// CodeNotProved says that a stored result is not what its snapshot gives.
const CodeNotProved incentive.Code = "not-proved"

// Proof is what a verification of a period found.
type Proof struct {
	PeriodID       string
	Revision       int
	State          incentive.State
	SnapshotDigest []byte
	RunDigest      []byte
	Statements     int
	JournalEntries int
	AuditLinks     int64
	AuditHead      []byte
}

// Verify proves a period again: the snapshot still has its digest, calculating it anew
// gives the run's digest and every stored statement, the explanations give their lines,
// the period's postings tell the same story as its payouts, the ledger balances and the
// audit chain is whole. Anything else is an error that names what differs.
func Verify(ctx context.Context, s *store.Store, periodID string, revision int) (Proof, error) {
	p, err := s.PeriodRevision(ctx, periodID, revision)
	if err != nil {
		return Proof{}, err
	}
	if p.RunID == nil {
		return Proof{}, incentive.Errorf(incentive.CodeConflict, "period %s is %s: there is no result to verify yet", periodID, p.State)
	}
	proof := Proof{PeriodID: p.ID, Revision: p.Revision, State: p.State}
	run, err := s.Run(ctx, *p.RunID)
	if err != nil {
		return proof, err
	}
	if run.EngineVersion != calculation.EngineVersion {
		return proof, incentive.Errorf(CodeNotProved, "the run was made by engine %s, and this program has %s: verify it with a program of that version", run.EngineVersion, calculation.EngineVersion)
	}
	snapshot, frozen, err := s.Snapshot(ctx, run.SnapshotID)
	if err != nil {
		return proof, err
	}
	snapshotDigest := snapshot.Digest()
	if !bytes.Equal(snapshotDigest[:], frozen) {
		return proof, incentive.Errorf(CodeNotProved, "the records of snapshot %d have changed since they were frozen: digest %x, frozen as %x", run.SnapshotID, snapshotDigest, frozen)
	}
	calculated, err := calculation.Calculate(ctx, snapshot)
	if err != nil {
		return proof, fmt.Errorf("calculate period %s anew: %w", periodID, err)
	}
	stored, err := s.RunStatements(ctx, run.ID)
	if err != nil {
		return proof, err
	}
	if len(stored) != len(calculated) {
		return proof, incentive.Errorf(CodeNotProved, "the run has %d statements, and the snapshot gives %d", len(stored), len(calculated))
	}
	digests := make([]incentive.Digest, len(calculated))
	for i := range calculated {
		digests[i] = calculated[i].Digest()
		if stored[i].Digest() != digests[i] {
			return proof, incentive.Errorf(CodeNotProved, "the stored statement of %s is not what the snapshot gives", calculated[i].ParticipantID)
		}
		for _, line := range stored[i].Lines {
			if err := calculation.CheckLine(line); err != nil {
				return proof, fmt.Errorf("do the arithmetic of the statement of %s again: %w", calculated[i].ParticipantID, err)
			}
		}
	}
	runDigest := incentive.RunDigest(snapshotDigest, run.EngineVersion, digests)
	if !bytes.Equal(runDigest[:], run.Digest) {
		return proof, incentive.Errorf(CodeNotProved, "the run's digest is %x, and the snapshot gives %x", run.Digest, runDigest)
	}
	proof.SnapshotDigest, proof.RunDigest, proof.Statements = snapshotDigest[:], runDigest[:], len(stored)
	if err := s.VerifyPayouts(ctx, periodID, p.Revision); err != nil {
		return proof, err
	}
	if proof.JournalEntries, err = s.VerifyLedger(ctx); err != nil {
		return proof, err
	}
	proof.AuditLinks, proof.AuditHead, err = s.VerifyAudit(ctx)
	return proof, err
}
