package incentive

import (
	"archive/zip"
	"bytes"
	"net/mail"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LargestEvidence is how many bytes a file may have that is kept as evidence.
const LargestEvidence = 10 << 20

// CodeEvidenceRefused says that a file is not of a kind that is kept.
const CodeEvidenceRefused Code = "evidence-refused"

// evidenceKinds is what a file of each extension is, and how to tell that it is.
var evidenceKinds = map[string]struct {
	mediaType string
	is        func(content []byte) bool
}{
	".pdf":  {"application/pdf", begins("%PDF-")},
	".png":  {"image/png", begins("\x89PNG\r\n\x1a\n")},
	".jpg":  {"image/jpeg", begins("\xff\xd8\xff")},
	".jpeg": {"image/jpeg", begins("\xff\xd8\xff")},
	".csv":  {"text/csv", isText},
	".txt":  {"text/plain", isText},
	".eml":  {"message/rfc822", isMail},
	".xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", isWorkbook},
}

// CheckFileName refuses what is no name of a file: a path, or what shows as another name
// than it is.
func CheckFileName(name string) error {
	if name == "" || len(name) > 255 || !utf8.ValidString(name) || strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return Errorf(CodeInvalid, "%q is no name of a file: send it under one of at most 255 bytes, without /, \\ and signs that cannot be seen", name)
	}
	return nil
}

// EvidenceType returns the media type of a file that is offered as evidence: its name and
// its content must say the same. Its error is of code CodeEvidenceRefused, or CodeInvalid for the name.
func EvidenceType(name string, content []byte) (string, error) {
	if err := CheckFileName(name); err != nil {
		return "", err
	}
	kind, known := evidenceKinds[strings.ToLower(path.Ext(name))]
	switch {
	case !known:
		return "", Errorf(CodeEvidenceRefused, "%q is of a kind that is not kept: send a .pdf, .png, .jpg, .csv, .xlsx, .txt or .eml", name)
	case len(content) == 0:
		return "", Errorf(CodeEvidenceRefused, "%q is empty", name)
	case len(content) > LargestEvidence:
		return "", Errorf(CodeEvidenceRefused, "%q is larger than %d bytes", name, LargestEvidence)
	case !kind.is(content):
		return "", Errorf(CodeEvidenceRefused, "%q is not what its name says", name)
	}
	return kind.mediaType, nil
}

func begins(with string) func([]byte) bool {
	return func(content []byte) bool { return bytes.HasPrefix(content, []byte(with)) }
}

// isText takes UTF-8 without other control characters than tabs and ends of lines.
func isText(content []byte) bool {
	return utf8.Valid(content) && bytes.IndexFunc(content, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' }) < 0
}

func isMail(content []byte) bool {
	m, err := mail.ReadMessage(bytes.NewReader(content))
	return err == nil && m.Header.Get("From") != "" && isText(content)
}

func isWorkbook(content []byte) bool {
	parts, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return false
	}
	for _, part := range parts.File {
		if part.Name == "xl/workbook.xml" {
			return true
		}
	}
	return false
}
