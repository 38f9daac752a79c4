package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingLocalIsLinked holds the production binary to its promise: it links no
// Temporal server, no stand-in for a rail, and no sign-in by picking a person.
func TestNothingLocalIsLinked(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	linked := strings.Fields(string(out))
	require.Contains(t, linked, "github.com/guerdon/guerdon/payments/stripe", "the list is that of the binary")
	for _, path := range linked {
		for _, banned := range []string{"go.temporal.io/server", "/standin", "/pickaperson", "github.com/guerdon/guerdon/deploy"} {
			require.NotContains(t, path, banned)
		}
	}
}

// TestImportsRunDownwards holds every package to the order of the house.
func TestImportsRunDownwards(t *testing.T) {
	t.Parallel()
	// A package may import what stands further down, and its own rooms.
	order := []string{"cmd", "deploy", "api", "worker", "workflows", "activities", "payments", "store", "incentive"}
	const module = "github.com/guerdon/guerdon/"
	floor := func(path string) int {
		room, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
		for i, name := range order {
			if name == room {
				return i
			}
		}
		return -1
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", module+"...").Output()
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		paths := strings.Fields(line)
		if strings.HasSuffix(paths[0], "test") || strings.HasSuffix(paths[0], "endtoend") {
			continue // support for tests may start whole servers
		}
		require.GreaterOrEqual(t, floor(paths[0]), 0, "%s is a room that the house does not have", paths[0])
		for _, imported := range paths[1:] {
			if strings.HasPrefix(imported, module) {
				require.GreaterOrEqual(t, floor(imported), floor(paths[0]), "%s imports %s, which is above it", paths[0], imported)
			}
		}
	}
}
