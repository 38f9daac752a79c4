package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
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
	order := []string{"cmd", "deploy", "api", "worker", "workflows", "activities", "payments", "store", "incentive", "docs"}
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

// TestArchitectureNamesEveryPackage holds the list of rooms to the packages that there are, but
// for those within deploy/local and those that serve tests.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	t.Parallel()
	rooms, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	require.NoError(t, err)
	const module = "github.com/guerdon/guerdon/"
	out, err := exec.Command("go", "list", module+"...").Output()
	require.NoError(t, err)
	for _, path := range strings.Fields(string(out)) {
		name := strings.TrimPrefix(path, module)
		if strings.HasSuffix(name, "test") || strings.HasSuffix(name, "/standin") || strings.HasPrefix(name, "deploy/local/") || name == "api/web/texts" {
			continue
		}
		require.Contains(t, string(rooms), "`"+name+"`", "docs/architecture.md does not say what is in %s", name)
	}
}

// TestDocumentsNameTests holds documents to tests that there are.
func TestDocumentsNameTests(t *testing.T) {
	t.Parallel()
	is := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	require.NoError(t, filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range declared.FindAllSubmatch(text, -1) {
			is[string(match[1])] = true
		}
		return err
	}))
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	named := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`\b(Test[A-Z]\w+)`).FindAllStringSubmatch(string(text), -1) {
			named++
			require.True(t, is[match[1]], "%s names %s, which is no test", document, match[1])
		}
	}
	require.Greater(t, named, 50)
}

// TestDocumentsNameCommands holds documents to commands that there are.
func TestDocumentsNameCommands(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{})
	require.NoError(t, err)
	child := func(of *kong.Node, name string) *kong.Node {
		for _, node := range of.Children {
			if node.Type == kong.CommandNode && (node.Name == name || slices.Contains(node.Aliases, name)) {
				return node
			}
		}
		return nil
	}
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	named, word := 0, regexp.MustCompile(`^[a-z][a-z-]*$`)
	for _, document := range append(documents, "../../README.md") {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile("`guerdon ([^`]+)`").FindAllStringSubmatch(string(text), -1) {
			named++
			at := parser.Model.Node
			for _, name := range strings.Fields(match[1]) {
				if !word.MatchString(name) || len(at.Children) == 0 {
					break
				}
				next := child(at, name)
				if next == nil && at.DefaultCmd != nil {
					break
				}
				require.NotNil(t, next, "%s says guerdon %s, and there is no %s", document, match[1], name)
				at = next
			}
		}
	}
	require.Greater(t, named, 50)
}
