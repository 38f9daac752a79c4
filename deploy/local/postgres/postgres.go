// Package postgres starts PostgreSQL's own server programs as a child of this process:
// with a data directory that outlives it for a local installation, or with a throwaway
// one for tests.
//
// The server listens on the loopback address only and asks for a generated password
// (SCRAM), which is kept beside the data in a file that only its owner may read. Data is
// never deleted, except a throwaway server's.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Codes of the errors that a user can mend.
const (
	CodeProgramsMissing incentive.Code = "postgres-programs-missing"    // PostgreSQL's server programs are not installed
	CodeNotFetched      incentive.Code = "postgres-not-fetched"         // they are not installed, and fetching them failed
	CodeOtherMajor      incentive.Code = "postgres-other-major"         // the data belongs to another major version
	CodeDirectory       incentive.Code = "postgres-data-directory"      // the data directory cannot be used as it is
	CodeInUse           incentive.Code = "postgres-data-directory-busy" // another process uses the data directory
	CodePortBusy        incentive.Code = "postgres-port-busy"           // something else listens on the port
	CodeNotStarted      incentive.Code = "postgres-not-started"         // the server ended, or did not answer in time
)

const (
	role     = "guerdon"
	database = "guerdon"

	startLimit = 60 * time.Second // to answer the first connection, recovery after a crash included
	stopLimit  = 20 * time.Second // for each step of a shutdown: fast, then immediate
	pollEvery  = 25 * time.Millisecond
)

// Options of Start. The zero value is usable.
type Options struct {
	// DataDirectory holds one directory for each major version of PostgreSQL, and the
	// password. Empty means the usual place of this system, see DefaultDirectory.
	DataDirectory string
	// Port on 127.0.0.1; 0 means any free one.
	Port int
	// Log gets what the server reports; nil means nowhere.
	Log *slog.Logger
	// Programs is the directory of initdb and postgres; empty means to look for them, and
	// to fetch them where there are none.
	Programs string
	// Cache is where fetched programs are kept; empty means the usual place of this system.
	Cache string
	// Say gets what a user who waits for a fetch wants to read; nil means nowhere.
	Say func(line string) `json:"-"`
	// Throwaway makes a server without durability in a temporary directory, which is
	// removed when the server stops or this process ends. For tests.
	Throwaway bool
	// NoSync makes a server that does not wait for its disk: what it has committed outlives
	// its processes, not the machine. For tests that kill it.
	NoSync bool
}

// Server is a running PostgreSQL.
type Server struct {
	url       string
	directory *directory
	process   *process
	throwaway bool
	noSync    bool
	stopping  atomic.Bool
	release   sync.Once
	log       *slog.Logger
}

// Start starts PostgreSQL and returns when it answers. A server that a killed process
// has left on the same data directory is stopped first. The context bounds the start
// only; the server runs until Stop or until this process ends.
func Start(ctx context.Context, options Options) (*Server, error) {
	log := options.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	found, err := programsOf(ctx, options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	directory, err := openDirectory(options, found)
	if err != nil {
		return nil, err
	}
	s := &Server{directory: directory, throwaway: options.Throwaway, noSync: options.Throwaway || options.NoSync, log: log}
	if err := s.start(ctx, options.Port); err != nil {
		s.log.Debug("PostgreSQL did not start", "error", err)
		ended, stop := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer stop()
		return nil, errors.Join(err, s.Stop(ended))
	}
	return s, nil
}

// programsOf returns the programs that are installed, then those that were fetched once,
// which data may belong to; where there are none, it fetches them.
func programsOf(ctx context.Context, options Options) ([]programs, error) {
	found, missing := findPrograms(ctx, options.Programs)
	if options.Programs != "" {
		return found, missing
	}
	fetcher, err := newFetcher(options)
	if err != nil && missing != nil {
		return nil, err
	}
	if err != nil {
		return found, nil
	}
	if kept, is := fetcher.kept(); is {
		return append(found, kept), nil
	}
	if missing == nil {
		return found, nil
	}
	fetched, err := fetcher.fetch(ctx, missing)
	return []programs{fetched}, err
}

// start tries again what may succeed at the next try: a free port that someone else took
// meanwhile, and memory that the last servants of a killed server still hold.
func (s *Server) start(ctx context.Context, port int) error {
	if err := s.directory.takeOver(ctx, s.log); err != nil {
		return err
	}
	password, err := s.directory.initialise(ctx, s.log)
	if err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := s.run(ctx, port, password)
		again := err != nil && (port == 0 && incentive.ErrorCode(err) == CodePortBusy || errors.Is(err, errOldMemory))
		if !again {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

var errOldMemory = errors.New("an earlier server's processes have not ended yet")

// run starts the postgres program once and waits until it answers.
func (s *Server) run(ctx context.Context, port int, password string) error {
	address, err := loopback(port)
	if err != nil {
		return err
	}
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(address.Port),
		"unix_socket_directories=",
		"password_encryption=scram-sha-256",
		"max_connections=200",
		"cluster_name=guerdon",
		"log_destination=stderr",
		"logging_collector=off",
		"log_line_prefix=",
		"log_min_error_statement=panic", // statements carry people's data
		"lc_messages=C",
		"timezone=UTC",
	}
	if s.noSync {
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	if s.throwaway { // what is committed need not outlive the server either
		settings = append(settings, "synchronous_commit=off")
	}
	arguments := []string{"-D", s.directory.data}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	output := &serverLog{log: s.log, stopping: &s.stopping}
	command := s.directory.command("postgres", arguments...)
	command.Stdout, command.Stderr = output, output
	end := syscall.SIGINT // a fast, clean shutdown, should this process be killed
	if s.throwaway {
		end = syscall.SIGQUIT
	}
	if s.process, err = startProcess(command, end); err != nil {
		return incentive.Errorf(CodeNotStarted, "PostgreSQL's server program could not be started: %v", err)
	}

	s.url = (&url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password), Host: address.String(),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}).String()
	err = s.awaitAnswer(ctx)
	if err == nil {
		output.ready.Store(true)
		s.log.Debug("PostgreSQL answers", "address", address.String(), "data", s.directory.data, "pid", s.process.pid)
		return nil
	}
	select {
	case <-s.process.done:
	default:
		return err
	}
	reason := output.last()
	switch {
	case strings.Contains(reason, "could not bind") || strings.Contains(reason, "could not create any TCP/IP sockets"):
		return incentive.Errorf(CodePortBusy, "Port %d on 127.0.0.1 is taken by another program: stop that, or choose another port for PostgreSQL (0 means any free one).", address.Port)
	case strings.Contains(reason, "pre-existing shared memory block"):
		return fmt.Errorf("%w: %s", errOldMemory, reason)
	}
	return incentive.Errorf(CodeNotStarted, "PostgreSQL ended while it was starting on %s (%v). It said:\n%s", s.directory.data, s.process.err, reason)
}

// awaitAnswer tries to connect until the server lets us in, and makes the database if it
// is missing.
func (s *Server) awaitAnswer(ctx context.Context) error {
	configuration, err := pgx.ParseConfig(s.url)
	if err != nil {
		return err
	}
	configuration.Database = "postgres"
	configuration.ConnectTimeout = 2 * time.Second
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		connection, err := pgx.ConnectConfig(ctx, configuration)
		if err == nil {
			defer connection.Close(ctx)
			return ensureDatabase(ctx, connection)
		}
		select {
		case <-tick.C:
		case <-s.process.done:
			return err
		case <-ctx.Done():
			return incentive.Errorf(CodeNotStarted, "PostgreSQL on %s did not answer in time: %v", s.directory.data, err)
		}
	}
}

func ensureDatabase(ctx context.Context, connection *pgx.Conn) error {
	var exists bool
	err := connection.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = connection.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())
	return err
}

// URL is the address of the database, with its password: not for logs.
func (s *Server) URL() string { return s.url }

// DataDirectory is where this major version's data is.
func (s *Server) DataDirectory() string { return s.directory.data }

// Done is closed when the server's process has ended, wanted or not.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Stop shuts the server down: open transactions are rolled back and everything is
// written. When the context ends before that, the server is stopped at once and recovers
// at its next start. Stop may be called again.
func (s *Server) Stop(ctx context.Context) error {
	s.stopping.Store(true)
	err := s.stopProcess(ctx)
	if err == nil {
		s.release.Do(func() { err = s.directory.close() })
	}
	return err
}

func (s *Server) stopProcess(ctx context.Context) error {
	if s.process == nil {
		return nil
	}
	steps := []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	if s.throwaway {
		steps = steps[1:]
	}
	for _, signal := range steps {
		if s.process.end(ctx, signal, stopLimit) {
			return nil
		}
		ctx = context.WithoutCancel(ctx)
	}
	return fmt.Errorf("PostgreSQL (process %d) does not end", s.process.pid)
}

// loopback probes the port: the server would only say in its log that it is taken.
func loopback(port int) (*net.TCPAddr, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return nil, incentive.Errorf(CodePortBusy, "Port %d on 127.0.0.1 cannot be used for PostgreSQL (%v): stop what uses it, or choose another port (0 means any free one).", port, err)
	}
	address := listener.Addr().(*net.TCPAddr)
	return address, listener.Close()
}

// DefaultDirectory is where a local installation's data lies when nothing else is said:
// in the user's home, and for root, whose home the server's unprivileged user cannot
// enter, under /var/lib.
func DefaultDirectory() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/guerdon/postgres", nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); data != "" {
		return filepath.Join(data, "guerdon", "postgres"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", incentive.Errorf(CodeDirectory, "There is no home directory to keep the data in (%v): name a data directory.", err)
	}
	return filepath.Join(home, ".local", "share", "guerdon", "postgres"), nil
}

// serverLog passes the server's lines on and keeps the last ones for an error.
type serverLog struct {
	log      *slog.Logger
	ready    atomic.Bool
	stopping *atomic.Bool

	mutex sync.Mutex
	rest  string
	lines []string
}

var _ io.Writer = (*serverLog)(nil)

func (l *serverLog) Write(b []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	lines := strings.Split(l.rest+string(b), "\n")
	l.rest = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		level := slog.LevelDebug
		grave := strings.HasPrefix(line, "FATAL:") || strings.HasPrefix(line, "PANIC:")
		if grave && l.ready.Load() && !l.stopping.Load() {
			level = slog.LevelWarn
		}
		l.log.Log(context.Background(), level, "PostgreSQL: "+line)
		if l.lines = append(l.lines, line); len(l.lines) > 12 {
			l.lines = l.lines[1:]
		}
	}
	return len(b), nil
}

func (l *serverLog) last() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(append(l.lines[:len(l.lines):len(l.lines)], l.rest), "\n")
}
