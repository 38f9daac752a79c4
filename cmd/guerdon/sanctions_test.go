package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSanctions stores a list and lists it.
func TestSanctions(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	file := filepath.Join(t.TempDir(), "list.csv")
	require.NoError(t, os.WriteFile(file, []byte("id,name\n1,John Doe\n"), 0o600))
	exit, out, told := p.guerdon("fin", "sanctions", "put", "ours", file)
	require.Zero(t, exit, told)
	require.Regexp(t, `ours\s+version 1\s+1 names`, out)
	exit, out, told = p.guerdon("fin", "sanctions", "list")
	require.Zero(t, exit, told)
	require.Regexp(t, `ours\s+version 1\s+1 names\s+fin\s+20`, out)
	require.NoError(t, os.WriteFile(file, []byte("id,name\n1\n"), 0o600))
	exit, _, told = p.guerdon("fin", "sanctions", "put", "ours", file)
	require.Equal(t, 1, exit)
	require.Contains(t, told, "line 2")
}
