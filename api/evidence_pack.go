package api

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/guerdon/guerdon/api/papers"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// evidencePack is a pack that is written while it is sent. Where it breaks off, it has neither
// manifest nor signature.
type evidencePack struct {
	name  string
	write func(io.Writer) error
}

// VisitGetEvidencePackResponse writes the pack.
func (e evidencePack) VisitGetEvidencePackResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", attachment(e.name))
	return e.write(w)
}

// evidenceReadme is what a pack says to whoever opens it.
const evidenceReadme = `The evidence of a pay period. guerdon verify PACK.zip proves it with neither database nor network.

Read first
summary.pdf           what the last proof beside the database found, who moved the period on, what is paid, and who had which duty
duties.csv            who prepared, adjusted, approved, released, took to the bank and closed; duty-conflicts.csv: what was in one hand

What was calculated
proof.json            the whole snapshot that the lock froze, plans among it, one statement, and the audit chain from the lock on
statements.json       every statement with its explanations, which the snapshot gives byte for byte
lines.csv             the lines of the statements, in minor units
objectives.csv        manual objectives of the period, each time that one was set or scored
reliefs.csv           reliefs of quotas that were proposed, and what was decided
entered-deals.csv     deals of the period's days that people entered, and who decided about them
adjustments.csv       amounts that people entered for the period or that it pays, and who decided about them
plan-acceptances.csv  who has accepted the plans' versions, by the digest of the document; the signature is a text

What people said and decided
acts.csv              who moved the period on, and when
disputes.csv          what was disputed and granted; dispute-acts.csv: each step; dispute-files.csv: the SHA-256 of what was handed in
approvals.csv         who approved which statement at which level, by its digest
texts.jsonl           the reasons and comments that the tables name by their ids
proofs.csv            who had the period proved, and what came of it
samples.csv           statements that were drawn at random, and what was said of them

What was paid
payout-lists.csv      who released, and the digest that was signed
payouts.csv           what is paid to whom; accounts are masked
withholdings.csv      what was kept as tax
attempts.csv          each time that a payout was sent, with its reference at the rail
payment-files.csv     files for the bank, by their SHA-256, and who took them there
bank-answers.csv      what banks said of payouts; rail-events.csv: what rails told, once looked up
payout-decisions.csv  what was asked for of single payouts, and what a second person said; recalls.csv: what came back
ledger.csv            the journal entries of the period with their postings, in minor units

What holds it together
audit-chain.csv       the links of the audit chain about the period, its disputes, adjustments, payouts, proofs and samples
histories.csv         the SHA-256 of each archived workflow history, which is a file of histories/
verification.json     the report of the last proof for programs; the company's audit chain names its SHA-256
manifest.json         the SHA-256 of each file; manifest.sig is its Ed25519 signature, by public-key.txt
`

// GetEvidencePack streams the signed evidence of a revision.
func (s *server) GetEvidencePack(ctx context.Context, request spec.GetEvidencePackRequestObject) (spec.GetEvidencePackResponseObject, error) {
	if s.EvidenceKey == nil {
		return nil, incentive.Errorf("settings-missing", "no key signs evidence here: an operator sets GUERDON_EVIDENCE_KEY")
	}
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	v, err := s.Store.LastVerification(ctx, p)
	if err != nil {
		return nil, err
	}
	duties := papers.Duties{}
	if duties.Duties, duties.Conflicts, err = s.Store.DutiesOf(ctx, p); err != nil {
		return nil, err
	}
	summary, err := s.evidenceDocument(ctx, p, v, duties)
	if err != nil {
		return nil, err
	}
	first, err := s.Store.Statements(ctx, p.ID, p.Revision, nil, "", 1)
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, incentive.Errorf(incentive.CodeConflict, "%s has no statements, and so no evidence", p.ID)
	}
	if err := s.oneSnapshot(ctx); err != nil {
		return nil, err
	}
	whole, err := s.Store.Proof(ctx, p, first[0].ParticipantID, true)
	<-s.proving
	if err != nil {
		return nil, err
	}
	me := personOf(ctx).ID
	at, err := s.Store.BeginEvidence(ctx, me, p)
	if err != nil {
		return nil, err
	}
	return evidencePack{fmt.Sprintf("%s-%d-evidence.zip", p.ID, p.Revision), func(w io.Writer) error {
		pack := proof.NewPacker(w, s.EvidenceKey, proof.Manifest{Period: p.ID, Revision: p.Revision, MadeAt: at, MadeBy: me})
		return s.pack(ctx, pack, p, whole, duties, map[string][]byte{"README.txt": []byte(evidenceReadme), "summary.pdf": summary, proof.PackReport: v.Report})
	}}, nil
}

// pack writes the files of a pack.
func (s *server) pack(ctx context.Context, pack *proof.Packer, p store.PeriodRevision, whole proof.File, duties papers.Duties, small map[string][]byte) error {
	for _, name := range []string{"README.txt", "summary.pdf", proof.PackReport} {
		if err := pack.File(name, func(w io.Writer) error { _, err := w.Write(small[name]); return err }); err != nil {
			return err
		}
	}
	if err := pack.File(proof.PackProof, whole.Write); err != nil {
		return err
	}
	if err := pack.File(proof.PackStatements, func(w io.Writer) error { return s.Store.EvidenceStatements(ctx, p, w) }); err != nil {
		return err
	}
	if err := s.Store.EvidenceTables(ctx, p, pack.File); err != nil {
		return err
	}
	if err := packDuties(pack, duties); err != nil {
		return err
	}
	_, err := pack.Close()
	return err
}

// packDuties packs who had which part, and what was in one hand that belongs in two.
func packDuties(pack *proof.Packer, d papers.Duties) error {
	parts, conflicts := [][]string{{"part", "person", "times", "last_at"}}, [][]string{{"rule", "person", "subject", "at"}}
	for _, one := range d.Duties {
		parts = append(parts, []string{one.Part, one.Person, strconv.Itoa(one.Times), one.LastAt.UTC().Format(time.RFC3339)})
	}
	for _, c := range d.Conflicts {
		at := ""
		if c.At != nil {
			at = c.At.UTC().Format(time.RFC3339)
		}
		conflicts = append(conflicts, []string{c.Rule, c.Person, c.Subject, at})
	}
	if err := pack.File("duties.csv", func(w io.Writer) error { return csv.NewWriter(w).WriteAll(parts) }); err != nil {
		return err
	}
	return pack.File("duty-conflicts.csv", func(w io.Writer) error { return csv.NewWriter(w).WriteAll(conflicts) })
}

// evidenceDocument is what whoever opens a pack reads first.
func (s *server) evidenceDocument(ctx context.Context, p store.PeriodRevision, v store.Verification, duties papers.Duties) ([]byte, error) {
	head, err := s.documentHead(ctx, p)
	if err != nil {
		return nil, err
	}
	e := papers.Evidence{Duties: duties}
	if e.Verified, err = s.verified(ctx, v); err != nil {
		return nil, err
	}
	if e.Acts, err = s.Store.PeriodActs(ctx, p.ID, p.Revision); err != nil {
		return nil, err
	}
	if e.Payouts, err = s.Store.PayoutTotals(ctx, p); err != nil {
		return nil, err
	}
	people := []string{}
	for _, a := range e.Acts {
		people = append(people, a.Actor)
	}
	for _, d := range duties.Duties {
		people = append(people, d.Person)
	}
	for _, c := range duties.Conflicts {
		people = append(people, c.Person)
	}
	if e.Duties.Names, err = s.Store.Names(ctx, people); err != nil {
		return nil, err
	}
	return s.papers.Evidence(head, e)
}
