package web

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
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
	require.Len(t, z.File, 16)
	for _, f := range z.File {
		changed := repacked(t, pack, func(name string, content []byte) ([]byte, bool) {
			if name == f.Name {
				content = append([]byte{}, content...)
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
