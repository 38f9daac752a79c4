package language_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive/language"
)

// TestEverySentenceIsTranslated looks through the program for the sentences of errors and
// explanations, and finds each in the other language.
func TestEverySentenceIsTranslated(t *testing.T) {
	t.Parallel()
	var missing []string
	said := map[string]bool{}
	for _, room := range []string{"incentive", "store", "payments", "activities", "workflows", "api"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "standin") || strings.Contains(path, "api/spec") || strings.Contains(path, "api/client") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, is := n.(*ast.BasicLit); is && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						said[text] = true
						if room == "payments" && slices.Contains(ofRails, d.Name()) && railSays.MatchString(text) && strings.Contains(text, " ") && !strings.Contains(text, "%w") && strings.Trim(text, "%sdqv: ") != "" && !language.Translated(text) {
							missing = append(missing, path+": "+literal.Value)
						}
					}
				}
				if call, is := n.(*ast.CallExpr); is {
					for _, format := range sentences(room, call) {
						if !language.Translated(format) {
							missing = append(missing, path+": "+strconv.Quote(format))
						}
					}
				}
				return true
			})
			return nil
		})
		require.NoError(t, err)
	}
	require.Empty(t, missing)
	for _, phrase := range language.Phrases() {
		require.True(t, said[phrase] || slices.Contains(words, phrase) || slices.Contains(libraries, phrase), "nothing says %q any more", phrase)
	}
}

// words are those that come to explanations from data.
var words = []string{"days", "calendar months", "half away from zero", "half to even", "credits",
	"there is no such territory for %s: import it first", "there is no such team for %s: import it first", "there is no territory %s: import it first", "there is no team %s: import it first",
	"%s is a member of the same territory on some of these days already: end that membership first", "%s is a member of the same team on some of these days already: end that membership first"}

// libraries say these of filters, and of what is no YAML.
var libraries = []string{"unknown name %s", "unknown field %s", "unexpected token %s", "invalid operation: %s (mismatched types %s and %s)", "expected bool, but got %s", "type %s has no field %s", "type %s is not callable", "%s is not callable", "number", "text", "did not find expected node content", "did not find expected key", "did not find expected '-' indicator", "did not find expected ',' or ']'", "did not find expected ',' or '}'", "did not find expected <document start>", "could not find expected ':'", "mapping values are not allowed in this context", "block sequence entries are not allowed in this context", "found character that cannot start any token", "found a tab character that violates indentation", "found unexpected end of stream", "found unknown escape character", "found unexpected document indicator", "control characters are not allowed", "invalid leading UTF-8 octet"}

// key is the name of a part of a document, which is the same in every language.
var key = regexp.MustCompile(`^"?\w+"?$`)

// ofRails are the files of rails that hold nothing but what people are told: what their errors, reasons and
// statuses mean, and what a destination lacks.
var ofRails = []string{"errors.go", "reasons.go", "destination.go", "status.go", "statement.go", "element.go"}

// railSays is how a sentence of theirs begins, which is no name, code or error of the program.
var railSays = regexp.MustCompile(`^([a-z%]|Stripe|Xendit|Xoxoday|Tremendous)`)

// sentences are the formats that a call says something by: those of errors that people may
// see, and those that are said in a language.
func sentences(room string, call *ast.CallExpr) (formats []string) {
	name, of := "", ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
		if x, is := f.X.(*ast.Ident); is {
			of = x.Name
		}
	case *ast.Ident:
		name = f.Name
	}
	at := -1
	switch {
	case of == "r" && slices.Contains([]string{"On", "Mapping", "Each", "Root", "number"}, name), of == "steps" && name == "item", of == "l" && name == "refuse":
		at = 1 // of documents that people write
	case of == "r" && name == "At":
		at = 2
	case of == "r" && name == "named":
		at = 0
	case of == "r" && name == "texts":
		at = 3
	case of == "" && name == "say" && room == "incentive":
		at = 0
	case name == "Errorf" && (of == "incentive" || of == ""):
		at = 1
	case (name == "Sprintf" || name == "Word") && of == "l":
		at = 0
	}
	if at < 0 || len(call.Args) <= at {
		return nil
	}
	if literal, is := call.Args[at].(*ast.BasicLit); is && literal.Kind == token.STRING {
		if text, err := strconv.Unquote(literal.Value); err == nil && strings.Trim(text, "%sdqv: ") != "" && !(name != "Word" && key.MatchString(text)) {
			formats = append(formats, text)
		}
	}
	return formats
}

// TestErrorsAreTranslated finds the sentence of an error again, with what stands in it.
func TestErrorsAreTranslated(t *testing.T) {
	t.Parallel()
	for english, want := range map[string]string{
		`there is no payout "x"`:                                 `tidak ada pembayaran "x"`,
		`to correct m-2026-01: there is no payout "a \"b\""`:     `untuk mengoreksi m-2026-01: tidak ada pembayaran "a \"b\""`,
		"3 payouts of the period are neither paid nor cancelled": "3 pembayaran periode ini belum dibayar dan belum dibatalkan",
		"the period is on hold: resume it first":                 "periode ditangguhkan: lanjutkan dulu",
	} {
		require.Equal(t, want, language.Indonesian.Translate(english))
	}
}
