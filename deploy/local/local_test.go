package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/sample"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// begin starts everything and returns when it is ready, with the lines printed until then.
func begin(t *testing.T, o options) (lines []string, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reading, writing := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, o, writing)
		_ = writing.CloseWithError(fmt.Errorf("ended: %w", err))
		ended <- err
	}()
	scanner := bufio.NewScanner(reading)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
		if strings.Contains(scanner.Text(), "Ctrl-C") {
			break
		}
	}
	require.NotEmpty(t, lines)
	require.Contains(t, lines[len(lines)-1], "Ctrl-C", "%v", scanner.Err())
	go func() { _, _ = io.Copy(io.Discard, reading) }()
	return lines, func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

func dataDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/tmp", "guerdon-test-") // t.TempDir is closed to PostgreSQL's own user
	require.NoError(t, err)
	require.NoError(t, os.Chmod(directory, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(directory)) })
	return filepath.Join(directory, "data")
}

// goThroughReadme pays and proves the period of README.md by its own commands, in a directory of its own.
func goThroughReadme(t *testing.T, printed string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	directory := t.TempDir()
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", directory, "github.com/guerdon/guerdon/cmd/guerdon").CombinedOutput()
	require.NoError(t, err, "%s", output)
	shown := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(printed)
		require.NotNil(t, found, "%s in %s", pattern, printed)
		return found[1]
	}
	script := "set -euo pipefail\n"
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1)[1:] { // the first starts what is there
		script += string(block[1])
	}
	for _, change := range []struct{ from, to string }{
		{`(?m)^go build -o guerdon .*$`, ``},
		{`(?m)^(.*\S) +# refused$`, `if $1; then echo "that was not refused"; exit 1; fi`},
		{`DATABASE_URL=postgres://…`, `DATABASE_URL='` + shown(`Database +(\S+)`) + `'`},
	} {
		pattern := regexp.MustCompile(change.from)
		require.Regexp(t, pattern, script)
		script = pattern.ReplaceAllString(script, change.to)
	}
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Dir = directory
	command.Env = append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(directory, "settings"), "GUERDON_API="+shown(`Pages +(\S+)`))
	output, err = command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "is closed")
}

// TestTwoStarts starts with nothing, looks at the sample company, stops, finds it again at the second start, and
// goes through its last month as README.md does.
func TestTwoStarts(t *testing.T) {
	t.Parallel()
	o := options{DataDirectory: dataDirectory(t), UIPort: -1}
	first, end := begin(t, o)
	text := strings.Join(first, "\n")
	require.Contains(t, text, "imported")
	require.Equal(t, 11, strings.Count(text, "paid and closed"))
	require.Contains(t, text, "waits for its approvals")
	end()
	second, end := begin(t, o)
	text = strings.Join(second, "\n")
	require.NotContains(t, text, "imported", "the company is there")
	require.NotContains(t, text, "paid and closed")
	require.Contains(t, text, sample.Name+" is ready")
	goThroughReadme(t, text)
	end()
}

// TestEmpty starts without a company.
func TestEmpty(t *testing.T) {
	t.Parallel()
	lines, end := begin(t, options{DataDirectory: dataDirectory(t), UIPort: -1, Empty: true})
	defer end()
	text := strings.Join(lines, "\n")
	require.Contains(t, text, store.UnnamedCompany+" is ready")
	require.Contains(t, text, "sign-in "+sample.Administrator)
	require.NotContains(t, text, "sign-in "+sample.FinancePrepare)
	before, _, _ := strings.Cut(text, "/api/v1")
	c, err := client.New(before[strings.LastIndex(before, "http://"):], "")
	require.NoError(t, err)
	_, err = client.Read[client.Health](c.GetHealth(t.Context()))
	require.NoError(t, err)
	_, err = client.Read[client.Person](c.GetMe(t.Context()))
	require.Equal(t, incentive.Code("unauthenticated"), incentive.ErrorCode(err))
}

// TestPortTaken says which port is taken and what to do.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	err = run(t.Context(), options{DataDirectory: dataDirectory(t), UIPort: -1, APIPort: taken.Addr().(*net.TCPAddr).Port}, io.Discard)
	require.ErrorContains(t, err, "choose another with --api-port")
}
