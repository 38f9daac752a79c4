package calculation

import (
	"os"
	"path/filepath"
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
			require.Len(t, p.Describe(), 1+len(p.Components))
		})
	}
}
