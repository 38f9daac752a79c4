package calculation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/plan"
)

// TestGallery holds every plan that the documentation and the sample company show to its
// own examples, and reads it back.
func TestGallery(t *testing.T) {
	t.Parallel()
	gallery, err := filepath.Glob(filepath.Join("..", "..", "docs", "plans", "*.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(gallery), 15)
	samples, err := filepath.Glob(filepath.Join("..", "..", "deploy", "local", "sample", "plans", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, samples)
	for _, file := range append(gallery, samples...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			p, err := plan.Parse(text)
			require.NoError(t, err)
			require.NotEmpty(t, p.Examples, "a plan that is shown carries an example")
			require.Equal(t, filepath.Base(file), p.ID+".yaml")
			require.NoError(t, CheckExamples(t.Context(), text))
			require.GreaterOrEqual(t, len(p.Describe(language.English)), 1+len(p.Components))
		})
	}
}

// TestGuide holds each piece of YAML in the guide to plans to the language: a whole plan, some
// components, or a part that stands beside components.
func TestGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "plans.md"))
	require.NoError(t, err)
	pieces := strings.Split(string(guide), "```yaml\n")[1:]
	require.GreaterOrEqual(t, len(pieces), 15)
	const (
		head = `language: 1
plan: guide
name: Guide
currency: USD
reads:
  transaction: {product: text, region: text, owner: text, paid: text, cancelled_on: text, customer: text}
  participant: {commission_rate: number, region_factor: number, target_incentive: number, hired_on: text, territory: text}
components:
`
		plain = `
- {name: Commission, measure: {sum: credits}, rate: participant.commission_rate}
- {name: Bookings, measure: {sum: credits}, bonus: 1, gate: {on: attainment, quota: bookings, at_least: 100%, without_quota: nothing}}
- {name: Revenue, measure: {sum: credits}, bonus: 1, gate: {on: attainment, quota: revenue, at_least: 100%, without_quota: nothing}}
`
	)
	for _, piece := range pieces {
		piece, _, closed := strings.Cut(piece, "```\n")
		require.True(t, closed)
		switch {
		case strings.HasPrefix(piece, "language:"):
		case strings.HasPrefix(piece, "- name:"):
			piece = head + piece
		default:
			piece = head + plain + piece
		}
		_, err := plan.Parse([]byte(piece))
		require.NoError(t, err, piece)
		require.NoError(t, CheckExamples(t.Context(), []byte(piece)), piece)
	}
}

// TestGolden holds every example of the gallery to the statement it had when its language
// was released, explanation and all. A digest changes only with a new engine version.
func TestGolden(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("testdata", "golden-1.txt")
	gallery, err := filepath.Glob(filepath.Join("..", "..", "docs", "plans", "*.yaml"))
	require.NoError(t, err)
	var found strings.Builder
	fmt.Fprintf(&found, "engine %s, language %d\n", EngineVersion, plan.Language)
	for _, file := range gallery {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		p, err := plan.Parse(text)
		require.NoError(t, err)
		for _, e := range p.Examples {
			s, err := exampleStatement(t.Context(), p, text, e)
			require.NoError(t, err)
			fmt.Fprintf(&found, "%s: %s: %x\n", p.ID, e.Name, s.Digest())
		}
	}
	if os.Getenv("GUERDON_WRITE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(found.String()), 0o644))
	}
	kept, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(kept), found.String())
}
