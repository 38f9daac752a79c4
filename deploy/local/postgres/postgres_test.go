package postgres

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// A test that kills the process which owns a server runs this binary again with
// childVariable set to the options.
const childVariable = "GUERDON_TEST_POSTGRES_CHILD"

type report struct {
	URL, Root string
	PID       int
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child starts a server, reports it, and does as its standard input says: panic, or end.
func child(text string) error {
	var options Options
	if err := json.Unmarshal([]byte(text), &options); err != nil {
		return err
	}
	server, err := Start(context.Background(), options)
	if err != nil {
		return err
	}
	line, err := json.Marshal(report{server.URL(), server.directory.root, server.process.pid})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	word, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if word == "panic\n" {
		panic("as asked")
	}
	return nil
}

// startChild runs this binary again as the owner of a server.
func startChild(t *testing.T, options Options, configure func(*exec.Cmd)) (*exec.Cmd, func(string), report) {
	t.Helper()
	text, err := json.Marshal(options)
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program)
	command.Env = append(os.Environ(), childVariable+"="+string(text))
	if configure != nil {
		configure(command)
	}
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	var complaint strings.Builder
	command.Stderr = &complaint
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill() })
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err, "%s", &complaint)
	var r report
	require.NoError(t, json.Unmarshal([]byte(line), &r))
	return command, func(word string) { fmt.Fprintln(input, word) }, r
}

// place returns a directory that the server's unprivileged user can reach, which
// t.TempDir is not when we are root.
func place(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "guerdon-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(base, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(base)) })
	base, err = filepath.EvalSymlinks(base)
	require.NoError(t, err)
	return base
}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	server, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return server
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func execute(t *testing.T, address, statement string) {
	t.Helper()
	connection := connect(t, address)
	_, err := connection.Exec(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, connection.Close(t.Context()))
}

func answer[V any](t *testing.T, address, query string) V {
	t.Helper()
	var value V
	connection := connect(t, address)
	require.NoError(t, connection.QueryRow(t.Context(), query).Scan(&value))
	require.NoError(t, connection.Close(t.Context()))
	return value
}

func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, 30*time.Second, 20*time.Millisecond, message)
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	root := filepath.Join(place(t), "new", "data")
	first := start(t, Options{DataDirectory: root})
	execute(t, first.URL(), "CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('Ärger')")
	require.Equal(t, "ÄRGER", answer[string](t, first.URL(), "SELECT upper(text) FROM note"), "letters of all languages")
	require.True(t, answer[bool](t, first.URL(), "SELECT 'Z' < 'a'"), "order by code point")
	group, err := syscall.Getpgid(first.process.pid)
	require.NoError(t, err)
	require.Equal(t, first.process.pid, group, "Ctrl-C is for us alone")

	_, err = Start(t.Context(), Options{DataDirectory: root})
	require.Equal(t, CodeInUse, incentive.ErrorCode(err), "%v", err)
	require.ErrorContains(t, err, "process "+strconv.Itoa(os.Getpid()))

	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, first.Stop(t.Context()), "again")
	<-first.Done()
	require.NoFileExists(t, filepath.Join(first.DataDirectory(), "postmaster.pid"))

	second := start(t, Options{DataDirectory: root})
	require.Equal(t, "Ärger", answer[string](t, second.URL(), "SELECT text FROM note"))
	require.Equal(t, "on", answer[string](t, second.URL(), "SHOW fsync"))
}

func TestOnlyTheOwnerGetsIn(t *testing.T) {
	t.Parallel()
	server := start(t, Options{Throwaway: true})
	require.Equal(t, "127.0.0.1", answer[string](t, server.URL(), "SHOW listen_addresses"))
	require.Empty(t, answer[string](t, server.URL(), "SHOW unix_socket_directories"))
	require.EqualValues(t, 0, answer[int64](t, server.URL(), "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"))

	wrong, err := url.Parse(server.URL())
	require.NoError(t, err)
	wrong.User = url.UserPassword(role, "guess")
	_, err = pgx.Connect(t.Context(), wrong.String())
	require.ErrorContains(t, err, "password authentication failed")

	info, err := os.Stat(filepath.Join(server.directory.root, "password"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(server.DataDirectory())
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	if os.Geteuid() == 0 {
		require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "not root's")
	}
}

func TestThrowawayLeavesNothing(t *testing.T) {
	t.Parallel()
	server, err := Start(t.Context(), Options{Throwaway: true})
	require.NoError(t, err)
	root := server.directory.root
	require.Equal(t, "off", answer[string](t, server.URL(), "SHOW fsync"))
	require.NoError(t, server.Stop(t.Context()))
	require.NoDirExists(t, root)
	require.NoFileExists(t, root+".lock")
}

func TestForTestsSharesOneServer(t *testing.T) {
	t.Parallel()
	require.Equal(t, ForTests(t), ForTests(t))
	require.Equal(t, database, answer[string](t, ForTests(t), "SELECT current_database()"))
}

func TestThrowawayEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*exec.Cmd, func(string)){
		"killed":   func(c *exec.Cmd, _ func(string)) { _ = c.Process.Kill() },
		"panicked": func(_ *exec.Cmd, say func(string)) { say("panic") },
		"returned": func(_ *exec.Cmd, say func(string)) { say("end") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command, say, r := startChild(t, Options{Throwaway: true}, nil)
			end(command, say)
			_ = command.Wait()
			eventually(t, func() bool { return !isServerOn(r.PID, r.Root) && !answers(r.URL) }, "the server runs on")
			eventually(t, func() bool {
				_, err1 := os.Stat(r.Root)
				_, err2 := os.Stat(r.Root + ".lock")
				return errors.Is(err1, fs.ErrNotExist) && errors.Is(err2, fs.ErrNotExist)
			}, "the directory is still there")
		})
	}
}

func answers(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	connection, err := net.Dial("tcp", u.Host)
	if err == nil {
		connection.Close()
	}
	return err == nil
}

func TestStartAfterKill(t *testing.T) {
	t.Parallel()
	root := place(t)
	for round := range 3 {
		command, _, r := startChild(t, Options{DataDirectory: root}, nil)
		execute(t, r.URL, fmt.Sprintf("CREATE TABLE round_%d ()", round))
		require.NoError(t, command.Process.Kill())
		_ = command.Wait()
	}
	server := start(t, Options{DataDirectory: root})
	require.EqualValues(t, 3, answer[int64](t, server.URL(), "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'round%'"))
}

func TestStartAfterTheServerItselfIsKilled(t *testing.T) {
	t.Parallel()
	root := place(t)
	first := start(t, Options{DataDirectory: root})
	execute(t, first.URL(), "CREATE TABLE kept ()")
	busy := connect(t, first.URL()) // a servant that has to notice
	require.NoError(t, syscall.Kill(first.process.pid, syscall.SIGKILL))
	<-first.Done()
	require.NoError(t, first.Stop(t.Context()))
	second := start(t, Options{DataDirectory: root})
	require.EqualValues(t, 1, answer[int64](t, second.URL(), "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"))
	require.Error(t, busy.Ping(t.Context()))
}

func TestOrphanIsTakenOver(t *testing.T) {
	t.Parallel()
	root := place(t)
	first := start(t, Options{DataDirectory: root})
	execute(t, first.URL(), "CREATE TABLE kept ()")
	require.NoError(t, first.Stop(t.Context()))

	// A server without anybody behind it, as a killed parent leaves it on a system whose
	// kernel does not tell children.
	address, err := loopback(0)
	require.NoError(t, err)
	orphan := first.directory.command("postgres", "-D", first.DataDirectory(),
		"-c", "listen_addresses=127.0.0.1", "-c", fmt.Sprintf("port=%d", address.Port), "-c", "unix_socket_directories=")
	require.NoError(t, orphan.Start())
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	eventually(t, func() bool { return answers("postgres://" + address.String()) }, "the orphan does not start")

	second := start(t, Options{DataDirectory: root})
	require.NoError(t, <-ended, "a clean end")
	require.EqualValues(t, 1, answer[int64](t, second.URL(), "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"))
}

func TestStrangerWithTheOldNumberIsLeftAlone(t *testing.T) {
	t.Parallel()
	root := place(t)
	first := start(t, Options{DataDirectory: root})
	require.NoError(t, first.Stop(t.Context()))

	stranger := first.directory.command("postgres") // only for the account it would run as
	stranger.Path, stranger.Args = "/bin/sh", []string{"sh", "-c", "read -r _"}
	input, err := stranger.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, stranger.Start())
	file := filepath.Join(first.DataDirectory(), "postmaster.pid")
	text := fmt.Sprintf("%d\n%s\n1700000000\n5432\n\n127.0.0.1\n    12345         0\nready   \n", stranger.Process.Pid, first.DataDirectory())
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))

	second := start(t, Options{DataDirectory: root})
	require.NoError(t, syscall.Kill(stranger.Process.Pid, 0), "alive")
	require.NoError(t, second.Stop(t.Context()))
	require.NoError(t, input.Close())
	require.Error(t, stranger.Wait(), "read ends without a line, by itself")
	require.Equal(t, 1, stranger.ProcessState.ExitCode())
}

func TestSweepRemovesOnlyWhatIsLeft(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	left, used := filepath.Join(base, throwawayPrefix+"left"), filepath.Join(base, throwawayPrefix+"used")
	foreign := filepath.Join(base, throwawayPrefix+"foreign")
	for _, directory := range []string{left, used, foreign} {
		require.NoError(t, os.MkdirAll(filepath.Join(directory, "15"), 0o700))
	}
	require.NoError(t, os.WriteFile(left+".lock", nil, 0o600))
	held, err := lock(used + ".lock")
	require.NoError(t, err)
	sweep(base)
	require.NoDirExists(t, left)
	require.NoFileExists(t, left+".lock")
	require.DirExists(t, used)
	require.DirExists(t, foreign, "without a lock file it is not ours")
	require.NoError(t, unlock(held))
	sweep(base)
	require.NoDirExists(t, used)
}

func TestUnfinishedInitialisationIsRepeated(t *testing.T) {
	t.Parallel()
	root := place(t)
	found, err := findPrograms(t.Context(), "")
	require.NoError(t, err)
	unfinished := filepath.Join(root, strconv.Itoa(found[0].major)+".new")
	require.NoError(t, os.MkdirAll(filepath.Join(unfinished, "base"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "password"), []byte("old"), 0o600))
	server := start(t, Options{DataDirectory: root})
	require.NoDirExists(t, unfinished)
	require.True(t, answer[bool](t, server.URL(), "SELECT true"))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })

	barred := filepath.Join(place(t), "closed")
	require.NoError(t, os.Mkdir(barred, 0o700))
	older, odd := place(t), place(t)
	require.NoError(t, os.Mkdir(filepath.Join(older, "9"), 0o700))
	found, err := findPrograms(t.Context(), "")
	require.NoError(t, err)
	photo := filepath.Join(odd, strconv.Itoa(found[0].major), "photo.jpg")
	require.NoError(t, os.Mkdir(filepath.Dir(photo), 0o700))
	require.NoError(t, os.WriteFile(photo, nil, 0o600))
	file := filepath.Join(place(t), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, c := range map[string]struct {
		options Options
		code    incentive.Code
		text    string
		root    bool
	}{
		"no programs":     {Options{DataDirectory: place(t), Programs: "/nowhere"}, CodeProgramsMissing, "are not in /nowhere. Install", false},
		"port taken":      {Options{DataDirectory: place(t), Port: listener.Addr().(*net.TCPAddr).Port}, CodePortBusy, "choose another port", false},
		"not reachable":   {Options{DataDirectory: filepath.Join(barred, "data")}, CodeDirectory, "may not enter " + barred + " and so", true},
		"other major":     {Options{DataDirectory: older}, CodeOtherMajor, "holds data of PostgreSQL 9, but only version", false},
		"something else":  {Options{DataDirectory: odd}, CodeDirectory, "is not empty, and is not a data directory of PostgreSQL", false},
		"not a directory": {Options{DataDirectory: file}, CodeDirectory, "not a directory", false},
		"under a file":    {Options{DataDirectory: filepath.Join(file, "data")}, CodeDirectory, "not a directory", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.root && os.Geteuid() != 0 {
				return // an ordinary user reaches its own directories
			}
			_, err := Start(t.Context(), c.options)
			require.Equal(t, c.code, incentive.ErrorCode(err), "%v", err)
			require.ErrorContains(t, err, c.text)
		})
	}
	require.FileExists(t, photo)
}

func TestLostPasswordIsNamed(t *testing.T) {
	t.Parallel()
	root := place(t)
	server := start(t, Options{DataDirectory: root})
	require.NoError(t, server.Stop(t.Context()))
	require.NoError(t, os.Remove(filepath.Join(root, "password")))
	_, err := Start(t.Context(), Options{DataDirectory: root})
	require.Equal(t, CodeDirectory, incentive.ErrorCode(err))
	require.FileExists(t, filepath.Join(server.DataDirectory(), "PG_VERSION"))
}

func TestCancelledStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	root := place(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, Options{DataDirectory: root})
	require.Error(t, err)
	start(t, Options{DataDirectory: root})
}

// As root the tests above run the server as another user; here an ordinary user runs it
// as itself.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // the other tests have shown it
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	uid, err := strconv.Atoi(nobody.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(nobody.Gid)
	require.NoError(t, err)

	base := place(t)
	own, err := os.Executable()
	require.NoError(t, err)
	content, err := os.ReadFile(own)
	require.NoError(t, err)
	program := filepath.Join(base, "program")
	require.NoError(t, os.WriteFile(program, content, 0o755))
	home := filepath.Join(base, "home")
	require.NoError(t, os.Mkdir(home, 0o700))
	require.NoError(t, os.Chown(home, uid, gid))

	command, _, r := startChild(t, Options{}, func(c *exec.Cmd) {
		c.Path, c.Dir = program, home
		c.Env = append(c.Env, "HOME="+home, "XDG_DATA_HOME=", "TMPDIR=/tmp")
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	})
	require.Equal(t, filepath.Join(home, ".local/share/guerdon/postgres"), r.Root)
	require.True(t, answer[bool](t, r.URL, "SELECT true"))
	require.NoError(t, command.Process.Kill())
	_ = command.Wait()
	eventually(t, func() bool { return !answers(r.URL) }, "the server runs on")
}
