package calculation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
			require.GreaterOrEqual(t, len(p.Describe()), 1+len(p.Components))
		})
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
