package postgres

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// oldestMajor is the oldest PostgreSQL that is still maintained.
const oldestMajor = 14

// usualPlaces are where packages put the server programs without putting them on PATH.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // Red Hat, packages of postgresql.org
	"/usr/lib/postgresql*/bin",          // SUSE
	"/usr/libexec/postgresql*",          // Alpine
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/usr/local/pgsql/bin", // built from source
	"/usr/local/bin",
	"/usr/bin", // Red Hat, Arch
}

// programs is one installation of PostgreSQL's server programs.
type programs struct {
	directory string
	major     int
}

// findPrograms returns what is installed, the preferred one first: what is on PATH, then
// the newest.
func findPrograms(ctx context.Context, only string) ([]programs, error) {
	var found []programs
	if only != "" {
		found = installed(ctx, []string{only})
	} else {
		var elsewhere []programs
		for _, pattern := range usualPlaces {
			matches, _ := filepath.Glob(pattern)
			elsewhere = append(elsewhere, installed(ctx, matches)...)
		}
		slices.SortStableFunc(elsewhere, func(a, b programs) int { return b.major - a.major })
		found = append(installed(ctx, filepath.SplitList(os.Getenv("PATH"))), elsewhere...)
	}
	usable := slices.DeleteFunc(slices.Clone(found), func(p programs) bool { return p.major < oldestMajor })
	hint := advice(runtime.GOOS, osRelease())
	switch {
	case len(usable) > 0:
		return usable, nil
	case len(found) > 0:
		return nil, incentive.Errorf(CodeProgramsMissing, "PostgreSQL %d in %s is too old: version %d or newer is needed. %s", found[0].major, found[0].directory, oldestMajor, hint)
	case only != "":
		return nil, incentive.Errorf(CodeProgramsMissing, "PostgreSQL's server programs (initdb, postgres) are not in %s. %s", only, hint)
	}
	return nil, incentive.Errorf(CodeProgramsMissing, "PostgreSQL's server programs (initdb, postgres) were found neither on PATH nor in the usual places. %s", hint)
}

func installed(ctx context.Context, directories []string) []programs {
	var found []programs
	for _, directory := range directories {
		if major := majorVersion(ctx, directory); major > 0 {
			found = append(found, programs{directory, major})
		}
	}
	return found
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorVersion asks the postgres program in directory for its major version; 0 means
// that the directory does not hold both programs.
func majorVersion(ctx context.Context, directory string) int {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(directory, name)); err != nil {
			return 0
		}
	}
	output, err := exec.CommandContext(ctx, filepath.Join(directory, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(match[1]))
	return major
}

// installs says how to install the server programs on a system, by the ID and ID_LIKE of
// its os-release.
var installs = map[string]string{
	"debian":   "sudo apt-get install postgresql",
	"ubuntu":   "sudo apt-get install postgresql",
	"fedora":   "sudo dnf install postgresql-server",
	"rhel":     "sudo dnf install postgresql-server",
	"centos":   "sudo dnf install postgresql-server",
	"amzn":     "sudo dnf install postgresql17-server",
	"suse":     "sudo zypper install postgresql-server",
	"opensuse": "sudo zypper install postgresql-server",
	"arch":     "sudo pacman -S postgresql",
	"alpine":   "sudo apk add postgresql",
	"gentoo":   "sudo emerge dev-db/postgresql",
	"nixos":    "nix-shell -p postgresql",
	"darwin":   "brew install postgresql@17",
	"freebsd":  "sudo pkg install postgresql17-server",
}

// advice says what to do on this system when the programs are missing.
func advice(system string, release map[string]string) string {
	const instead = "Or set DATABASE_URL to a PostgreSQL server that already runs."
	names := []string{system}
	if system == "linux" {
		names = append([]string{release["ID"]}, strings.Fields(release["ID_LIKE"])...)
	}
	for _, name := range names {
		if command, ok := installs[name]; ok {
			return "Install them with: " + command + "\n" + instead
		}
	}
	return "Install the PostgreSQL server, see https://www.postgresql.org/download/ .\n" + instead
}

// osRelease reads what Linux distributions say of themselves.
func osRelease() map[string]string {
	release := map[string]string{}
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), "=")
			release[key] = strings.Trim(value, `"'`)
		}
		break
	}
	return release
}
