// Package screening compares the names of who is paid with lists of persons and companies
// that must not be.
package screening

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/guerdon/guerdon/incentive"
)

// Entry is one name of a list. Several may be of one id: somebody's other names.
type Entry struct {
	ID   string
	Name string
}

// ParseList reads a list: CSV in UTF-8 with the heading id,name. Its error is of code
// incentive.CodeInvalid and names the line.
func ParseList(text []byte) ([]Entry, error) {
	if !utf8.Valid(text) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the list is not in UTF-8: save it as CSV in UTF-8")
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	rows.FieldsPerRecord = 2
	var all []Entry
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
			return nil, incentive.Errorf(incentive.CodeInvalid, "line %d: %v: a list has two columns, id and name", bad.Line, bad.Err)
		}
		if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(0)
		if first {
			if strings.ToLower(strings.TrimSpace(row[0])) != "id" || strings.ToLower(strings.TrimSpace(row[1])) != "name" {
				return nil, incentive.Errorf(incentive.CodeInvalid, "line %d: a list begins with the heading id,name", line)
			}
			continue
		}
		e := Entry{ID: strings.TrimSpace(row[0]), Name: strings.TrimSpace(row[1])}
		if e.ID == "" || len(words(e.Name)) == 0 {
			return nil, incentive.Errorf(incentive.CodeInvalid, "line %d: an entry has an id and a name", line)
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the list has no entry: below the heading id,name comes a line for each name")
	}
	return all, nil
}

// Screen is what names are compared with.
type Screen struct {
	byFirst map[string][]listed // by the first of the entry's words
}

type listed struct {
	entry string
	words []string
}

// Add has names compared with a list too.
func (s *Screen) Add(list string, entries []Entry) {
	if s.byFirst == nil {
		s.byFirst = map[string][]listed{}
	}
	for _, e := range entries {
		w := words(e.Name)
		s.byFirst[w[0]] = append(s.byFirst[w[0]], listed{list + "/" + e.ID, w})
	}
}

// Hits returns the entries that a name may be, as <list>/<id>, sorted: those whose words are
// all in the name, in any order, whatever else is in it. A single word is the whole name or
// none of it. Case, accents and punctuation do not matter.
func (s *Screen) Hits(name string) []string {
	hits := []string{}
	named := words(name)
	for _, word := range named {
		for _, l := range s.byFirst[word] {
			if len(l.words) == 1 && len(named) > 1 {
				continue
			}
			if !slices.ContainsFunc(l.words, func(w string) bool { _, found := slices.BinarySearch(named, w); return !found }) {
				hits = append(hits, l.entry)
			}
		}
	}
	slices.Sort(hits)
	return slices.Compact(hits)
}

// words are what a name consists of, each once, sorted.
func words(name string) []string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
	all := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	slices.Sort(all)
	return slices.Compact(all)
}
