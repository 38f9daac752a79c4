package language

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed phrases/id.yaml
var indonesianPhrases []byte

// phrases are the sentences of explanations and errors in Indonesian, by the English
// format that makes them.
var phrases = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	if err := yaml.Unmarshal(indonesianPhrases, &all); err != nil {
		panic(fmt.Sprintf("read the phrases: %v", err)) // they are part of the program, and tested
	}
	return all
})

// Sprintf is fmt.Sprintf in the language. The English format is the key of the phrase; one
// that is not translated stays English.
func (l Language) Sprintf(format string, arguments ...any) string {
	if l == Indonesian {
		if translated, known := phrases()[format]; known {
			format = translated
		}
	}
	return fmt.Sprintf(format, arguments...)
}

// Word says a word or a sentence in which nothing stands.
func (l Language) Word(english string) string {
	if l == Indonesian {
		if translated, known := phrases()[english]; known {
			return translated
		}
	}
	return english
}

// phrase is one that can be found again in a sentence that it made.
type phrase struct {
	start   string // what the sentence begins with
	pattern *regexp.Regexp
	format  string // in the other language, with %[n]s for what stands there
	weight  int    // of what is said in words
}

var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0-9.]*[a-zA-Z]|%%`)

var patterns = sync.OnceValue(func() []phrase {
	var all []phrase
	for english, other := range phrases() {
		all = append(all, patternOf(english, other))
	}
	slices.SortFunc(all, func(a, b phrase) int { // the most telling one first
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return strings.Compare(a.pattern.String(), b.pattern.String())
	})
	return all
})

func patternOf(english, other string) phrase {
	p := phrase{}
	var pattern strings.Builder
	at := 0
	for i, found := range verb.FindAllStringIndex(english, -1) {
		literal := english[at:found[0]]
		if i == 0 {
			p.start = literal
		}
		pattern.WriteString(regexp.QuoteMeta(literal))
		p.weight += len(literal)
		switch english[found[0]:found[1]] {
		case "%%":
			pattern.WriteString("%")
		case "%d":
			pattern.WriteString(`(-?\d+)`)
		case "%q":
			pattern.WriteString(`("(?:[^"\\]|\\.)*"|\["[^\]]*"\])`)
		default:
			pattern.WriteString(`(.*?)`)
		}
		at = found[1]
	}
	if at == 0 {
		p.start = english
	}
	p.weight += len(english[at:])
	p.pattern = regexp.MustCompile(`(?s)^` + pattern.String() + regexp.QuoteMeta(english[at:]) + `$`)
	n := 0
	p.format = verb.ReplaceAllStringFunc(other, func(v string) string {
		if v == "%%" {
			return v
		}
		if strings.HasPrefix(v, "%[") {
			return v[:strings.IndexByte(v, ']')+1] + "s"
		}
		n++
		return fmt.Sprintf("%%[%d]s", n)
	})
	return p
}

// listed are words of documents, as in "rate, rates or bonus".
var listed = regexp.MustCompile(`^(` + word + `, )*` + word + ` or ` + word + `$`)

const word = `("(?:[^"\\]|\\.)*"|[\w.<>-]+)`

// placed is a problem of a document with its place.
var placed = regexp.MustCompile(`^line (\d+), column (\d+): (.*)$`)

// Translate says an English sentence of an error in the language. The sentence may have
// come through Temporal and PostgreSQL as text, so the format that made it is found by
// what it says; what stands in it may be such a sentence too. What is not known stays as
// it is.
func (l Language) Translate(sentence string) string {
	if l != Indonesian {
		return sentence
	}
	if lines := strings.Split(sentence, "\n"); len(lines) > 1 {
		for i, line := range lines {
			lines[i] = l.Translate(line)
		}
		return strings.Join(lines, "\n")
	}
	if found := placed.FindStringSubmatch(sentence); found != nil {
		return l.Sprintf("line %s, column %s: %s", found[1], found[2], l.Translate(found[3]))
	}
	if listed.MatchString(sentence) {
		at := strings.LastIndex(sentence, " or ")
		return sentence[:at] + " atau " + sentence[at+len(" or "):]
	}
	for _, p := range patterns() {
		if !strings.HasPrefix(sentence, p.start) {
			continue
		}
		found := p.pattern.FindStringSubmatch(sentence)
		if found == nil {
			continue
		}
		arguments := make([]any, len(found)-1)
		for i, part := range found[1:] {
			if p.weight > 0 && len(part) < len(sentence) {
				part = l.Translate(part)
			}
			arguments[i] = part
		}
		return fmt.Sprintf(p.format, arguments...)
	}
	return sentence
}

// Translated reports whether the phrase of a format is there in every language.
func Translated(format string) bool {
	_, known := phrases()[format]
	return known
}

// Phrases lists the formats of all phrases, sorted.
func Phrases() []string { return slices.Sorted(maps.Keys(phrases())) }
