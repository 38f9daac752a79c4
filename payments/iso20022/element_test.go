package iso20022

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// endless is a file that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestLimits(t *testing.T) {
	t.Parallel()
	small := limits{bytes: 10_000, elements: 100, depth: 10}
	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	for content, fault := range map[string]string{
		nested(10): "",
		nested(11): "or 10 within each other",
		"<a>" + strings.Repeat("<b/>", 99) + "</a>":            "",
		"<a>" + strings.Repeat("<b/>", 100) + "</a>":           "more than 100 elements",
		"<a>" + strings.Repeat(`<b xmlns="x"/>`, 100) + "</a>": "more than 100 elements", // also where nobody looks
		"<a>" + strings.Repeat(" ", 9_993) + "</a>":            "",
		"<a>" + strings.Repeat(" ", 9_994) + "</a>":            "more than 10000 bytes",
	} {
		_, _, err := parse(t.Context(), strings.NewReader(content), small)
		if fault == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, fault)
		}
	}
	_, _, err := parse(t.Context(), endless{}, small)
	require.ErrorContains(t, err, "more than 10000 bytes")
}
