// Package document reads YAML documents that people write, strictly: unknown and doubled
// keys, anchors and anything else that is not expected is a problem with its place, and
// all problems are told at once. Numbers are taken from their source text, so that none
// goes through a float.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

// CodeInvalid says that a document breaks a rule of its language.
const CodeInvalid incentive.Code = "invalid-document"

// maxSize is the size in bytes that a document may have.
const maxSize = 1 << 20

// Problem is one thing that is wrong with a document.
type Problem struct {
	Line, Column int // from 1
	Message      string
}

// String returns the problem with its place.
func (p Problem) String() string {
	return fmt.Sprintf("line %d, column %d: %s", p.Line, p.Column, p.Message)
}

// Problems is everything that is wrong with a document, in its order.
type Problems []Problem

// Error lists the problems.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems the code CodeInvalid.
func (p Problems) Unwrap() error {
	return &incentive.Error{Code: CodeInvalid, Message: p.Error()}
}

// Reader reads one document and collects what is wrong on the way.
type Reader struct{ problems Problems }

// Err returns the problems in the order of the document, or nil.
func (r *Reader) Err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return r.problems
}

// At notes a problem at a place.
func (r *Reader) At(line, column int, format string, arguments ...any) {
	r.problems = append(r.problems, Problem{Line: line, Column: column, Message: fmt.Sprintf(format, arguments...)})
}

// On notes a problem where a node begins.
func (r *Reader) On(node *yaml.Node, format string, arguments ...any) {
	r.At(node.Line, node.Column, format, arguments...)
}

// Root returns the top of a file's one document. what names it in messages, as in "a plan".
func (r *Reader) Root(text []byte, what string) (root *yaml.Node, ok bool) {
	if len(text) > maxSize {
		r.At(1, 1, "%s is no larger than %d bytes", what, maxSize)
		return nil, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var top yaml.Node
	if err := decoder.Decode(&top); err != nil {
		r.syntax(err, what)
		return nil, false
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		r.At(1, 1, "the file holds more than one document: write one a file")
		return nil, false
	}
	return top.Content[0], true
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

func (r *Reader) syntax(err error, what string) {
	if errors.Is(err, io.EOF) {
		r.At(1, 1, "the file is empty, and should hold %s", what)
		return
	}
	line := 1
	if found := yamlLine.FindStringSubmatch(err.Error()); len(found) == 2 && found[1] != "" {
		line, _ = strconv.Atoi(found[1]) // only digits match
	}
	r.At(line, 1, "this is not YAML: %s", yamlLine.ReplaceAllString(err.Error(), ""))
}

// Field reads the value of one key.
type Field struct {
	needed bool
	read   func(value *yaml.Node)
}

// Needed is a field that must be there.
func Needed(read func(value *yaml.Node)) Field { return Field{true, read} }

// Optional is a field that may be left out.
func Optional(read func(value *yaml.Node)) Field { return Field{false, read} }

// Mapping reads a mapping's fields in the order of the document and reports whether the
// node is a mapping.
func (r *Reader) Mapping(node *yaml.Node, what string, fields map[string]Field) bool {
	if node.Kind != yaml.MappingNode {
		r.On(node, "%s is written as keys and values: %s", what, Listed(slices.Sorted(maps.Keys(fields))))
		return false
	}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		f, known := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			r.On(key, "%s has no %q: it may have %s", what, key.Value, Listed(slices.Sorted(maps.Keys(fields))))
		case seen[key.Value]:
			r.On(key, "%s says %q twice", what, key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			r.On(value, "anchors (&) and aliases (*) are not allowed: write the value out")
		default:
			f.read(value)
		}
		seen[key.Value] = true
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if fields[key].needed && !seen[key] {
			r.On(node, "%s lacks %q", what, key)
		}
	}
	return true
}

// Each reads the items of a list that has at least one.
func (r *Reader) Each(node *yaml.Node, what string, read func(item *yaml.Node)) {
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		r.On(node, "%s is a list with at least one item, each beginning with \"-\"", what)
		return
	}
	for _, item := range node.Content {
		if item.Kind == yaml.AliasNode || item.Anchor != "" {
			r.On(item, "anchors (&) and aliases (*) are not allowed: write the value out")
			continue
		}
		read(item)
	}
}

// Text reads a text that is not empty.
func (r *Reader) Text(into *string) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || strings.TrimSpace(node.Value) == "" {
			r.On(node, "a text is expected here")
			return
		}
		*into = node.Value
	}
}

// Choice reads one of a few words.
func Choice[T ~string](r *Reader, into *T, words ...T) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode || !slices.Contains(words, T(node.Value)) {
			r.On(node, "%q is not known here: write %s", node.Value, Listed(words))
			return
		}
		*into = T(node.Value)
	}
}

// Yes reads true or false.
func (r *Reader) Yes(into *bool) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Tag != "!!bool" {
			r.On(node, "write true or false")
			return
		}
		*into = node.Value == "true"
	}
}

// ParseNumber reads an exact number, where 12.5% is 0.125.
func ParseNumber(text string) (decimal.Decimal, error) {
	digits, percent := strings.CutSuffix(text, "%")
	d, err := incentive.ParseDecimal(strings.TrimSpace(digits))
	if err != nil {
		return d, incentive.Errorf(incentive.CodeInvalid, "%q is not a number: write digits with an optional sign and point, such as 0.125, or a percentage, such as 12.5%%", text)
	}
	if percent {
		d = d.Shift(-2)
	}
	return d, nil
}

// Number reads an exact number or a percentage.
func (r *Reader) Number(into *decimal.Decimal) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind != yaml.ScalarNode {
			r.On(node, "a number is expected here, such as 0.125 or 12.5%%")
			return
		}
		d, err := ParseNumber(node.Value)
		if err != nil {
			r.On(node, "%s", err)
			return
		}
		*into = d
	}
}

// plain is a word that a list shows without quotes.
var plain = regexp.MustCompile(`[\pL\pN]`)

// Listed writes words as "a, b or c".
func Listed[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
		if !plain.MatchString(texts[i]) {
			texts[i] = strconv.Quote(texts[i])
		}
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " or " + texts[n-1]
	}
	return strings.Join(texts, "")
}
