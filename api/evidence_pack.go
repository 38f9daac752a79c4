package api

import (
	"context"
	"fmt"
	"io"
	"net/http"

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

summary.pdf        what the last proof beside the database found, to be read
verification.json  the same for programs; the company's audit chain names its SHA-256
proof.json         the whole snapshot that the lock froze, one statement, and the audit chain from the lock on
statements.json    every statement, which the snapshot gives byte for byte
acts.csv           who moved the period on, and when
approvals.csv      who approved which statement, by its digest
payout-lists.csv   who released, and the digest that was signed
payouts.csv        what is paid to whom; accounts are masked
ledger.csv         the journal entries of the period with their postings, in minor units
entered-deals.csv  deals of the period's days that people entered, and who decided about them
histories.csv      the SHA-256 of each archived workflow history
audit-chain.csv    the links of the audit chain about the period
manifest.json      the SHA-256 of each file; manifest.sig is its Ed25519 signature, by public-key.txt
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
	summary, err := s.verificationDocument(ctx, p, v)
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
		return s.pack(ctx, pack, p, whole, map[string][]byte{"README.txt": []byte(evidenceReadme), "summary.pdf": summary, proof.PackReport: v.Report})
	}}, nil
}

// pack writes the files of a pack.
func (s *server) pack(ctx context.Context, pack *proof.Packer, p store.PeriodRevision, whole proof.File, small map[string][]byte) error {
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
	_, err := pack.Close()
	return err
}
