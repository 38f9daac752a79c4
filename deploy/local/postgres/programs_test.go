package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		system  string
		release map[string]string
		want    string
	}{
		"Debian":        {"linux", map[string]string{"ID": "debian"}, "sudo apt-get install postgresql\n"},
		"a child":       {"linux", map[string]string{"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt-get install postgresql\n"},
		"Rocky":         {"linux", map[string]string{"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install postgresql-server"},
		"openSUSE":      {"linux", map[string]string{"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "sudo zypper install postgresql-server"},
		"Alpine":        {"linux", map[string]string{"ID": "alpine"}, "sudo apk add postgresql"},
		"macOS":         {"darwin", nil, "brew install postgresql@17"},
		"unknown":       {"linux", map[string]string{"ID": "own"}, "https://www.postgresql.org/download/"},
		"no os-release": {"linux", map[string]string{}, "https://www.postgresql.org/download/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := advice(c.system, c.release)
			require.Contains(t, text, c.want)
			require.Contains(t, text, "DATABASE_URL")
		})
	}
}

// fake makes programs that only tell their version.
func fake(t *testing.T, version string) string {
	t.Helper()
	directory := t.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n"
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte(script), 0o755))
	}
	return directory
}

func TestPathComesFirstThenTheNewest(t *testing.T) {
	a, b := fake(t, "14.1"), fake(t, "99beta1 (Debian 99~1)")
	t.Setenv("PATH", a+string(filepath.ListSeparator)+b+string(filepath.ListSeparator)+"/usr/bin:/bin")
	found, err := findPrograms(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []programs{{a, 14}, {b, 99}}, found[:2])
	for i, p := range found[2:] {
		require.False(t, i > 0 && p.major > found[2+i-1].major, "newest first: %v", found)
	}

	root := t.TempDir()
	chosen, err := programsFor(root, found)
	require.NoError(t, err)
	require.Equal(t, 14, chosen.major)
	require.NoError(t, os.Mkdir(filepath.Join(root, "99"), 0o700))
	chosen, err = programsFor(root, found)
	require.NoError(t, err)
	require.Equal(t, 99, chosen.major, "where the data is")
}

func TestUnusablePrograms(t *testing.T) {
	t.Parallel()
	_, err := findPrograms(t.Context(), fake(t, "13.9"))
	require.Equal(t, CodeProgramsMissing, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "PostgreSQL 13 in ")
	require.ErrorContains(t, err, "is too old: version 14 or newer is needed. Install")

	half := fake(t, "15.1")
	require.NoError(t, os.Remove(filepath.Join(half, "initdb")))
	_, err = findPrograms(t.Context(), half)
	require.Equal(t, CodeProgramsMissing, incentive.ErrorCode(err))
}
