package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// directory is where one server's data lies, held by this process alone:
//
//	<root>/lock       held while a process uses the directory
//	<root>/password   of the role guerdon
//	<root>/<major>/   the data of one major version
type directory struct {
	root     string
	data     string
	programs programs
	account  *account // as whom the programs run; nil means as ourselves
	brief    bool     // removed at the end, so nothing need survive a crash
	close    func() error
}

// account is the unprivileged user that PostgreSQL runs as when we are root: its
// programs refuse to run as root.
type account struct {
	name     string
	uid, gid uint32
}

func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(found.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(found.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &account{name, uint32(uid), uint32(gid)}, nil
		}
	}
	return nil, incentive.Errorf(CodeDirectory, "PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as: start as an ordinary user, or add one of these.")
}

// openDirectory makes the directory if need be and takes it for this process.
func openDirectory(options Options, found []programs) (*directory, error) {
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if options.Throwaway {
		return openThrowaway(as, found[0])
	}
	root := options.DataDirectory
	if root == "" {
		if root, err = DefaultDirectory(); err != nil {
			return nil, err
		}
	}
	if root, err = makeRoot(root, as); err != nil {
		return nil, err
	}
	d := &directory{root: root, account: as}
	if d.programs, err = programsFor(root, found); err != nil {
		return nil, err
	}
	d.data = filepath.Join(root, strconv.Itoa(d.programs.major))
	held, err := lock(filepath.Join(root, "lock"))
	if err != nil {
		return nil, incentive.Errorf(CodeInUse, "The data directory %s is used by another process (%v): stop that one, or name another data directory.", root, err)
	}
	d.close = func() error { return unlock(held) }
	return d, nil
}

// makeRoot returns the real path of a directory that the account can reach.
func makeRoot(root string, as *account) (string, error) {
	mode := fs.FileMode(0o700)
	if as != nil {
		mode = 0o711
	}
	root, err := filepath.Abs(root)
	if err == nil {
		err = os.MkdirAll(root, mode)
	}
	if err == nil {
		// A running server is recognised by its directory's real path.
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return "", incentive.Errorf(CodeDirectory, "The data directory cannot be made: %v. Name another one.", err)
	}
	if closed := as.barredBy(root); closed != "" {
		return "", incentive.Errorf(CodeDirectory, "As root, PostgreSQL runs as the user %s, who may not enter %s and so cannot reach the data directory %s. Allow it (chmod o+x %s), or name a data directory elsewhere, such as /var/lib/guerdon/postgres.", as.name, closed, root, closed)
	}
	return root, nil
}

// barredBy returns the first directory on the way to path which the account may not
// enter, or "".
func (a *account) barredBy(path string) string {
	if a == nil {
		return ""
	}
	up := filepath.Dir(path)
	if up != path {
		if barred := a.barredBy(up); barred != "" {
			return barred
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	bit := fs.FileMode(0o001)
	switch owner := info.Sys().(*syscall.Stat_t); {
	case owner.Uid == a.uid:
		bit = 0o100
	case owner.Gid == a.gid:
		bit = 0o010
	}
	if info.Mode()&bit == 0 {
		return path
	}
	return ""
}

// programsFor picks the programs whose data is there already. Data of a version whose
// programs are gone is never passed over in silence: it would look like lost data.
func programsFor(root string, found []programs) (programs, error) {
	var there []int
	entries, err := os.ReadDir(root)
	if err != nil {
		return programs{}, incentive.Errorf(CodeDirectory, "The data directory cannot be read: %v", err)
	}
	for _, entry := range entries {
		if major, err := strconv.Atoi(entry.Name()); err == nil && entry.IsDir() {
			there = append(there, major)
		}
	}
	if len(there) == 0 {
		return found[0], nil
	}
	slices.SortFunc(there, func(a, b int) int { return b - a })
	newest := there[0]
	if i := slices.IndexFunc(found, func(p programs) bool { return p.major == newest }); i >= 0 {
		return found[i], nil
	}
	return programs{}, incentive.Errorf(CodeOtherMajor, "%s holds data of PostgreSQL %d, but only version %d is installed here (%s). Install version %d beside it, or move the data with pg_upgrade, or name another data directory; nothing was changed.", root, newest, found[0].major, found[0].directory, newest)
}

// initialise makes the data directory with initdb at the first start, and returns the
// password.
func (d *directory) initialise(ctx context.Context, log *slog.Logger) (string, error) {
	password := filepath.Join(d.root, "password")
	version, err := os.ReadFile(filepath.Join(d.data, "PG_VERSION"))
	switch {
	case err == nil && strings.TrimSpace(string(version)) != strconv.Itoa(d.programs.major):
		return "", incentive.Errorf(CodeDirectory, "%s holds data of PostgreSQL %s, not of version %d as its name says; nothing was changed.", d.data, strings.TrimSpace(string(version)), d.programs.major)
	case err == nil:
		kept, err := os.ReadFile(password)
		if err != nil {
			return "", incentive.Errorf(CodeDirectory, "The password of the database in %s cannot be read (%v): put the file back.", d.data, err)
		}
		return strings.TrimSpace(string(kept)), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", incentive.Errorf(CodeDirectory, "The data directory cannot be read: %v", err)
	}
	if entries, err := os.ReadDir(d.data); err == nil && len(entries) > 0 {
		return "", incentive.Errorf(CodeDirectory, "%s is not empty, and is not a data directory of PostgreSQL: name another data directory; nothing was changed.", d.data)
	}

	log.Info("making a PostgreSQL data directory", "directory", d.data, "version", d.programs.major)
	secret := rand.Text()
	unfinished := d.data + ".new" // renamed when it is whole, so that a kill leaves no half
	if err := errors.Join(os.RemoveAll(unfinished), os.RemoveAll(password)); err != nil {
		return "", err
	}
	if err := os.WriteFile(password, []byte(secret+"\n"), 0o600); err != nil {
		return "", incentive.Errorf(CodeDirectory, "The data directory cannot be written: %v", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return "", err
	}
	if d.account != nil {
		uid, gid := int(d.account.uid), int(d.account.gid)
		if err := errors.Join(os.Chown(password, uid, gid), os.Chown(unfinished, uid, gid)); err != nil {
			return "", incentive.Errorf(CodeDirectory, "The data directory cannot be given to the user %s: %v", d.account.name, err)
		}
	}
	if err := d.initdb(ctx, unfinished, password); err != nil {
		return "", err
	}
	// An empty directory of that name, made by hand, gives way.
	return secret, errors.Join(os.Rename(unfinished, d.data), d.sync())
}

// initdb sorts by code point, which is the same everywhere, and knows the letters of all
// languages where the system does.
func (d *directory) initdb(ctx context.Context, data, password string) error {
	var said string
	for _, letters := range []string{"C.UTF-8", "en_US.UTF-8", "C"} {
		output := &serverLog{log: slog.New(slog.DiscardHandler)}
		command := d.command("initdb", "-D", data, "-U", role, "--pwfile="+password,
			"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--lc-ctype="+letters)
		if d.brief {
			command.Args = append(command.Args, "--no-sync")
		}
		command.Stdout, command.Stderr = output, output
		process, err := startProcess(command, syscall.SIGTERM)
		if err != nil {
			return incentive.Errorf(CodeNotStarted, "PostgreSQL's initdb could not be started: %v", err)
		}
		select {
		case <-process.done:
		case <-ctx.Done():
			process.end(context.Background(), syscall.SIGTERM, stopLimit)
			return ctx.Err()
		}
		if process.err == nil {
			return nil
		}
		said = output.last()
		if !strings.Contains(said, "locale") {
			break
		}
	}
	return incentive.Errorf(CodeNotStarted, "PostgreSQL's initdb could not make %s. It said:\n%s", data, said)
}

// sync makes the rename of the new data directory durable.
func (d *directory) sync() error {
	root, err := os.Open(d.root)
	if err != nil {
		return err
	}
	return errors.Join(root.Sync(), root.Close())
}

// command runs one of the programs in its own process group, so that Ctrl-C reaches us
// and not the database under us, and with an environment that carries no secrets of ours
// and no settings of PostgreSQL's clients.
func (d *directory) command(name string, arguments ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(d.programs.directory, name), arguments...)
	command.Dir = d.root
	command.Env = []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "TMPDIR", "TZDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if d.account != nil {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: d.account.uid, Gid: d.account.gid}
	}
	return command
}

// takeOver stops a server that a killed process has left on this directory. We hold the
// lock, so nobody of ours stands behind that server any more.
func (d *directory) takeOver(ctx context.Context, log *slog.Logger) error {
	file := filepath.Join(d.data, "postmaster.pid")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil // none has run, or it ended well; what is unreadable PostgreSQL reports better
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || pid == os.Getpid() || syscall.Kill(pid, 0) != nil {
		return nil // PostgreSQL sees by itself that nobody is there
	}
	if !isServerOn(pid, d.data) {
		// The number has gone to a stranger since. PostgreSQL would refuse to start for it,
		// and still refuses when it finds servants of the old server at work.
		log.Debug("removing a stale postmaster.pid", "pid", pid)
		return os.Remove(file)
	}
	log.Warn("stopping the PostgreSQL that a killed process has left behind", "pid", pid, "data", d.data)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return incentive.Errorf(CodeInUse, "A PostgreSQL (process %d) still runs on %s and cannot be stopped: %v", pid, d.data, err)
		}
		limit := time.NewTimer(stopLimit)
		for waiting := true; waiting; {
			if !isServerOn(pid, d.data) {
				limit.Stop()
				return nil
			}
			select {
			case <-tick.C:
			case <-limit.C:
				waiting = false
			case <-ctx.Done():
				limit.Stop()
				return fmt.Errorf("waiting for the earlier PostgreSQL (process %d) to end: %w", pid, ctx.Err())
			}
		}
	}
	return incentive.Errorf(CodeInUse, "A PostgreSQL (process %d) still runs on %s and does not end.", pid, d.data)
}

// lock takes a file for this process; the kernel lets go of it when the process ends,
// however it ends.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		file.Close()
		if len(holder) > 0 {
			return nil, &heldError{strings.TrimSpace(string(holder)), err}
		}
		return nil, err
	}
	// Whoever cleans up may have removed the file between our two calls.
	held, err1 := file.Stat()
	named, err2 := os.Lstat(path)
	if err1 != nil || err2 != nil || !os.SameFile(held, named) {
		file.Close()
		return nil, errors.New("lock removed by another process")
	}
	err = file.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintln(file, os.Getpid())
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// heldError says which process holds a lock.
type heldError struct {
	pid string
	err error
}

func (e *heldError) Error() string { return "process " + e.pid }
func (e *heldError) Unwrap() error { return e.err }

// unlock lets a lock go. Closing the file alone is not enough: a program started at the same
// moment holds a copy of it until it has begun.
func unlock(held *os.File) error {
	return errors.Join(syscall.Flock(int(held.Fd()), syscall.LOCK_UN), held.Close())
}
