package web

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// repacked is a pack of which change may change a file, or leave it out, and extra is put in.
func repacked(t *testing.T, pack []byte, change func(name string, content []byte) ([]byte, bool), extra string) *bytes.Reader {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	require.NoError(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		opened, err := f.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(opened)
		require.NoError(t, err)
		content, keep := change(f.Name, content)
		if !keep {
			continue
		}
		to, err := w.Create(f.Name)
		require.NoError(t, err)
		_, err = to.Write(content)
		require.NoError(t, err)
	}
	if extra != "" {
		_, err := w.Create(extra)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return bytes.NewReader(out.Bytes())
}

// TestEvidencePack takes the evidence of a period from its page and proves it with nothing but
// the file, and finds each file that somebody has changed, left out or put in.
func TestEvidencePack(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	h.calculated()
	aud := h.as("aud")
	const at = "/periods/m-2026-01"
	status, text := aud.send(http.MethodGet, at+"/evidence-pack", nil)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "have the whole period proved first")
	aud.does(at+"/proof", at+"/proof", url.Values{}, "All of it was proved.")
	page := aud.visit(at + "/proof")
	require.Contains(t, page, "Take the evidence along")
	status, text = aud.send(http.MethodGet, at+"/evidence-pack", nil)
	require.Equal(t, http.StatusOK, status)
	pack := []byte(text)
	require.Contains(t, aud.visit("/audit?subject=pay-period/m-2026-01/1"), "Evidence taken along")
	status, _ = h.as("r1").send(http.MethodGet, at+"/evidence-pack", nil)
	require.Equal(t, http.StatusForbidden, status)

	report, err := proof.VerifyPack(t.Context(), bytes.NewReader(pack), int64(len(pack)))
	require.NoError(t, err)
	require.Equal(t, "m-2026-01", report.Period)
	require.Contains(t, page, report.Key, "the page shows the key")
	said := strings.Join(report.Proved, "\n")
	for _, sentence := range []string{"is signed with the key", "gives all 2 statements of the run", "The 2 statements in statements.json are those of the run.", "journal entries of the period balance", "checks and found nothing wrong"} {
		require.Contains(t, said, sentence)
	}
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	require.NoError(t, err)
	require.Len(t, z.File, 36)
	for _, f := range z.File {
		changed := repacked(t, pack, func(name string, content []byte) ([]byte, bool) {
			if name == f.Name {
				content = append(append([]byte{}, content...), ' ')
				content[len(content)/2] ^= 1
			}
			return content, true
		}, "")
		_, err := proof.VerifyPack(t.Context(), changed, changed.Size())
		require.Error(t, err, "%s was changed", f.Name)
		lacking := repacked(t, pack, func(name string, content []byte) ([]byte, bool) { return content, name != f.Name }, "")
		_, err = proof.VerifyPack(t.Context(), lacking, lacking.Size())
		require.Equal(t, proof.CodeNotProved, incentive.ErrorCode(err), "%s was left out", f.Name)
	}
	more := repacked(t, pack, func(_ string, content []byte) ([]byte, bool) { return content, true }, "more.csv")
	_, err = proof.VerifyPack(t.Context(), more, more.Size())
	require.ErrorContains(t, err, "more.csv, which the manifest does not name")
	_, err = proof.VerifyPack(t.Context(), strings.NewReader("PK"), 2)
	require.Equal(t, proof.CodeUnreadable, incentive.ErrorCode(err))
}

// forged is a pack of which change has changed a file, signed anew by somebody who has another key.
func forged(t *testing.T, pack []byte, change func(name, content string) string) *bytes.Reader {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	require.NoError(t, err)
	var out bytes.Buffer
	w := proof.NewPacker(&out, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)), proof.Manifest{Period: "m-2026-01", Revision: 1})
	for _, f := range z.File {
		if f.Name == proof.PackKey || f.Name == proof.PackManifest || f.Name == proof.PackSignature {
			continue
		}
		require.NoError(t, w.File(f.Name, func(w io.Writer) error {
			_, err := io.WriteString(w, change(f.Name, contentOf(t, f)))
			return err
		}))
	}
	_, err = w.Close()
	require.NoError(t, err)
	return bytes.NewReader(out.Bytes())
}

func contentOf(t *testing.T, f *zip.File) string {
	t.Helper()
	opened, err := f.Open()
	require.NoError(t, err)
	defer opened.Close()
	content, err := io.ReadAll(opened)
	require.NoError(t, err)
	return string(content)
}

// TestEvidenceOfAClosedPeriod takes the evidence of a month in which something was adjusted, disputed, approved, paid,
// sampled and archived: it says so in its tables, and whoever changes one of them is found out though they sign anew.
func TestEvidenceOfAClosedPeriod(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	ctx := t.Context()
	fin, fin2, r1, aud := h.as("fin"), h.as("fin2"), h.as("r1"), h.as("aud")
	const at = "/periods/m-2026-01"
	h.as("r2").does("/account", "/account", url.Values{"rail": {"payment-file"}, "holder": {"R2"}, "account": {"NL91 ABNA 0417 1643 00"}}, "From now on you are paid there.")
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	fin.does("/adjustments", "/adjustments", url.Values{"period": {"m-2026-01"}, "person": {"r1"}, "type": {"goodwill"}, "amount": {"12.34"}, "currency": {"USD"}, "reason": {"a good\r\nturn"}}, "The adjustment is entered.")
	fin2.does("/adjustments", adjustmentOf.FindStringSubmatch(fin2.visit("/adjustments"))[1], url.Values{"act": {"approved"}}, "approved")
	fin.does(at, at, url.Values{"act": {"lock"}}, "the statements are being calculated.")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	aud.does(at+"/proof", at+"/proof", url.Values{}, "All of it was proved.")
	dispute := r1.disputes("/disputes/new?period=m-2026-01&plan=p&component=Commission", url.Values{"period": {"m-2026-01"}, "plan": {"p"}, "component": {"Commission"}, "type": {"data"}, "expected": {"7,000"}, "currency": {"USD"}, "comment": {"D4 is missing"}}, attached{"contract.txt", "the contract"})
	r1.does(dispute, dispute+"/replies", url.Values{"act": {"withdraw"}}, "Your dispute is withdrawn.")
	fin.does(at, at, url.Values{"act": {"end-window"}}, "with their approvers")
	file := h.toTheBank()
	fin2.does(at+"/files", at+"/files", url.Values{"file": {file}, "paid": {"true"}}, "Carried out by the bank")
	fin2.does(at, at, url.Values{"act": {"close"}}, "The period is closed.")
	aud.does(at+"/samples", at+"/samples", url.Values{"size": {"1"}, "strata": {"1"}, "seed": {"audit 2026"}}, "The sample is drawn.")
	aud.does("/samples/1", "/samples/1", url.Values{"number": {"1"}, "verdict": {"exception"}, "remark": {"no <contract>"}}, "Your remark was recorded.")
	for _, of := range []store.Archived{{PeriodID: "m-2026-01", Revision: 1}, {PeriodID: "m-2026-01", Revision: 1, DisputeID: strings.TrimPrefix(dispute, "/disputes/")}} {
		require.NoError(t, h.store.KeepHistory(ctx, of, store.History{WorkflowID: "of/" + of.DisputeID, RunID: "run", JSON: []byte(`{"events":["` + of.DisputeID + `"]}`)}))
		require.NoError(t, h.store.FinishArchive(ctx, store.System, of))
	}

	status, text := aud.send(http.MethodGet, at+"/evidence-pack", nil)
	require.Equal(t, http.StatusOK, status)
	pack := []byte(text)
	report, err := proof.VerifyPack(ctx, bytes.NewReader(pack), int64(len(pack)))
	require.NoError(t, err)
	said := strings.Join(report.Proved, "\n")
	for _, sentence := range []string{
		"Each of the 2 statements was approved at every level by its digest, and the audit chain names who released each of the 1 payout lists, by its digest.",
		"Of the 2 payouts, each of the 2 that are submitted or paid has an attempt that its rail has confirmed.",
		"Each of the 2 archived histories is what its digest says, and the audit chain names 2 of them as whole archives.",
		"Each of the 3 reasons and comments is what was written; 0 were erased since.",
	} {
		require.Contains(t, said, sentence)
	}
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	require.NoError(t, err)
	content := map[string]string{}
	for _, f := range z.File {
		content[f.Name] = contentOf(t, f)
	}
	for name, says := range map[string]string{
		"acts.csv": "close,settling,closed,fin2", "lines.csv": "r1,0,p,1,Commission,", "adjustments.csv": "m-2026-01,r1,goodwill,1234,USD,", "disputes.csv": `,r1,data,p,Commission,"","",700000,USD,`, "dispute-acts.csv": ",withdraw,open,withdrawn,r1,",
		"dispute-files.csv": ",contract.txt,text/plain,", "approvals.csv": ",approved,m,", "payout-lists.csv": ",fin2,", "payouts.csv": ",payment-file,1,", "attempts.csv": ",1,", "payment-files.csv": ",payment-file,USD,", "ledger.csv": ",commission expense,",
		"proofs.csv": "1,,aud,", "samples.csv": "1,audit 2026,1,1,2,aud,", proof.PackTexts: `"body":"a good\r\nturn"`, "duties.csv": "released,fin2,1,", "duty-conflicts.csv": "rule,person,subject,at\n", "histories.csv": "histories/000002.json,of/",
		"audit-chain.csv": ",take-evidence,", "README.txt": "who released, and the digest that was signed", "summary.pdf": "%PDF-", "reliefs.csv": "id,participant_id,measure,", "recalls.csv": "id,payout_id,", "withholdings.csv": "supplement,of_period_id,",
		"objectives.csv": "participant_id,name,version,", "entered-deals.csv": "id,participant_id,version,", "plan-acceptances.csv": "participant_id,plan_id,version,", "bank-answers.csv": "rail,file,sha256,", "rail-events.csv": "number,rail,kind,", "payout-decisions.csv": "act,payout_id,",
	} {
		require.Contains(t, content[name], says, name)
	}
	for name := range content {
		if name == "README.txt" {
			continue
		}
		require.Contains(t, content["README.txt"], strings.Split(name, "/")[0], "the pack says what %s is", name)
	}
	for name, c := range map[string]struct{ file, was, is, says string }{
		"a rejection that is an approval":   {"approvals.csv", ",approved,m,", ",rejected,m,", "the statement of r1 is not approved at level 1"},
		"an approval that is missing":       {"approvals.csv", "r2,1,", "r3,1,", "nobody has approved the statement of r2"},
		"another who released":              {"payout-lists.csv", ",fin2,", ",fin,", "names no release of the payout list"},
		"a payout that nobody confirmed":    {"attempts.csv", ",confirmed,", ",rejected,", "without an attempt that its rail has confirmed"},
		"an entry of another amount":        {"ledger.csv", ",USD,618518\n", ",USD,618519\n", "does not balance in USD"},
		"an act of somebody else":           {"audit-chain.csv", ",fin2,release,", ",fin3,release,", "is not what its hash says"},
		"another history":                   {"histories/000001.json", "events", "event", "is not the history of of/ (run run) that was archived"},
		"a history of nothing":              {"histories.csv", ",of/,run,,", ",of/,run," + strings.TrimPrefix(dispute, "/disputes/") + ",", "the audit chain says that archive/"},
		"a reason that nobody gave":         {proof.PackTexts, "a good", "a bad", "is not what was written"},
		"a table without a column it needs": {"attempts.csv", ",state,", ",stood,", "attempts.csv lacks the column state"},
	} {
		changed := forged(t, pack, func(name, content string) string {
			if name == c.file {
				require.Contains(t, content, c.was, name)
				return strings.Replace(content, c.was, c.is, 1)
			}
			return content
		})
		_, err := proof.VerifyPack(ctx, changed, changed.Size())
		require.Equal(t, proof.CodeNotProved, incentive.ErrorCode(err), name)
		require.ErrorContains(t, err, c.says, name)
	}
	unchanged := forged(t, pack, func(_, content string) string { return content })
	again, err := proof.VerifyPack(ctx, unchanged, unchanged.Size())
	require.NoError(t, err)
	require.NotEqual(t, report.Key, again.Key, "which is what whoever reads it compares")
}
