// Package languagetest is what sentences in other languages than English are held to.
package languagetest

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// written is what stands in a sentence as it is written: texts in quotes, parts of
// documents and the words that they may have, conditions of filters and names of attributes.
var written = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\{.*\}|\(\w+\)|\b(?:ada|tulis|…:) [\w, ]+ atau \w+|\bcredit\.share [=!<>]+ [\d.]+|\w+\.\w+|\w+_\w+`)

// english is what an English sentence can hardly do without.
var english = regexp.MustCompile(`(?i)\b(the|is|are|was|what|where|each|than|with|which|whose|who|its?|of|to|by|has|lacks|pays|and|or|an|here|this|not|no|write|up|in|for|from|nothing|always|expected|found|unknown)\b`)

// NoEnglish fails where a sentence of another language is English in part.
func NoEnglish(t testing.TB, sentence string) {
	t.Helper()
	require.NotRegexp(t, english, written.ReplaceAllString(sentence, "…"), sentence)
}
