package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/guerdon/guerdon/incentive"
)

// T is the part of testing.TB that ForTests needs.
type T interface {
	Helper()
	Fatalf(format string, arguments ...any)
}

var shared = sync.OnceValues(func() (*Server, error) {
	return Start(context.Background(), Options{Throwaway: true, Say: func(line string) { fmt.Fprintln(os.Stderr, line) }})
})

// ForTests returns the URL of one throwaway server that all tests of this process share;
// the first call starts it, and it ends with the process, even if that panics or is
// killed. Tests that write make a database of their own on it.
func ForTests(t T) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatalf("the tests need PostgreSQL: %v", err)
		return ""
	}
	return server.URL()
}

const throwawayPrefix = "guerdon-postgres-"

// openThrowaway makes a directory for one server, and has it removed when the server
// stops or this process ends.
func openThrowaway(as *account, with programs) (*directory, error) {
	base, err := temporary(as)
	if err != nil {
		return nil, err
	}
	sweep(base)
	mode := fs.FileMode(0o700)
	if as != nil {
		mode = 0o711
	}
	root := filepath.Join(base, throwawayPrefix+strings.ToLower(rand.Text()[:12]))
	held, err := lock(root + ".lock") // before the directory, so that no sweep finds it ownerless
	if err == nil {
		err = os.Mkdir(root, mode)
	}
	if err != nil {
		return nil, incentive.Errorf(CodeDirectory, "A temporary directory cannot be made: %v", err)
	}
	d := &directory{root: root, data: filepath.Join(root, strconv.Itoa(with.major)), programs: with, account: as, brief: true}
	removed, err := removeAtEnd(root, root+".lock")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(root), os.Remove(root+".lock"), unlock(held))
	}
	d.close = func() error {
		return errors.Join(os.RemoveAll(root), os.Remove(root+".lock"), unlock(held), removed())
	}
	return d, nil
}

// temporary returns a temporary directory that the account can reach.
func temporary(as *account) (string, error) {
	for _, base := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if real, err := filepath.EvalSymlinks(base); err == nil && as.barredBy(real) == "" {
			return real, nil
		}
	}
	return "", incentive.Errorf(CodeDirectory, "The user %s can reach neither %s nor /tmp: set TMPDIR to a directory that everybody may enter.", as.name, os.TempDir())
}

// removeAtEnd leaves a shell behind that removes the paths as soon as its standard input
// ends, that is when this process ends or calls the function returned.
func removeAtEnd(paths ...string) (now func() error, err error) {
	const script = `read -r _; rm -rf -- "$@" || rm -rf -- "$@"`
	shell := exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, paths...)...)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	return func() error { return errors.Join(input.Close(), shell.Wait()) }, nil
}

// sweep removes what throwaway servers have left whose processes are gone and could not
// clean up, after the machine went down for instance.
func sweep(base string) {
	locks, _ := filepath.Glob(filepath.Join(base, throwawayPrefix+"*.lock"))
	for _, path := range locks {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
			continue
		}
		held, err := lock(path)
		if err != nil {
			continue // in use
		}
		root := strings.TrimSuffix(path, ".lock")
		// PostgreSQL ends by itself when its directory is gone.
		if os.RemoveAll(root) == nil {
			_ = os.Remove(path)
		}
		_ = unlock(held)
	}
}
