package incentive

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func zipped(t *testing.T, part string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	_, err := w.Create(part)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.String()
}

// TestEvidence holds a file's name and content to each other.
func TestEvidence(t *testing.T) {
	t.Parallel()
	const letter = "From: a@example.com\r\nSubject: the deal\r\n\r\nIt is mine.\r\n"
	for name, c := range map[string]struct{ file, content, mediaType string }{
		"pdf":              {"a.pdf", "%PDF-1.7\n", "application/pdf"},
		"capitals":         {"A.PDF", "%PDF-1.7\n", "application/pdf"},
		"png":              {"a.png", "\x89PNG\r\n\x1a\n…", "image/png"},
		"jpeg":             {"a.jpg", "\xff\xd8\xff\xe0", "image/jpeg"},
		"csv":              {"a.csv", "deal,amount\n1,2\n", "text/csv"},
		"text":             {"a.txt", "é", "text/plain"},
		"mail":             {"a.eml", letter, "message/rfc822"},
		"workbook":         {"a.xlsx", zipped(t, "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		"another archive":  {"a.xlsx", zipped(t, "word/document.xml"), ""},
		"no archive":       {"a.xlsx", "PK\x03\x04", ""},
		"a page":           {"a.html", "<script>", ""},
		"a picture's name": {"a.png", "<script>", ""},
		"a pdf's name":     {"a.pdf", "MZ", ""},
		"bytes as text":    {"a.txt", "a\x00b", ""},
		"broken text":      {"a.csv", "\xff\xfe", ""},
		"no mail":          {"a.eml", "hello", ""},
		"nobody's mail":    {"a.eml", "Subject: x\r\n\r\nx", ""},
		"empty":            {"a.txt", "", ""},
		"no extension":     {"pdf", "%PDF-", ""},
		"too large":        {"a.txt", string(bytes.Repeat([]byte("x"), LargestEvidence+1)), ""},
	} {
		mediaType, err := EvidenceType(c.file, []byte(c.content))
		require.Equal(t, c.mediaType, mediaType, name)
		require.Equal(t, c.mediaType == "", err != nil, name)
		if err != nil {
			require.Equal(t, CodeEvidenceRefused, ErrorCode(err), name)
		}
	}
}

// TestFileNames takes names of files, and nothing that leads elsewhere or seems another.
func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"contract.txt", "Vertrag – Müller (2).pdf", "契約.pdf", "..txt"} {
		require.NoError(t, CheckFileName(name), name)
	}
	for _, name := range []string{"", "../contract.txt", `..\contract.txt`, "a/b.txt", "/etc/passwd", "a\x00.txt", "a\r\nSet-Cookie: x.txt", "a\u202etxt.exe", "a\xff.txt", strings.Repeat("a", 252) + ".txt"} {
		require.Equal(t, CodeInvalid, ErrorCode(CheckFileName(name)), "%q", name)
		_, err := EvidenceType(name, []byte("x"))
		require.Error(t, err, "%q", name)
	}
}
