// Package processes runs a house of real processes — PostgreSQL, the Temporal server, a
// worker and the API — each of which can be killed with SIGKILL and started again, at any
// moment or exactly when a row is about to be written. Rails are outside: they are
// addresses, and live on. It is for tests and the fault harness.
package processes

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// The processes of a house.
const (
	Postgres = "PostgreSQL"
	Temporal = "Temporal"
	Worker   = "worker"
	API      = "API"
)

// All lists them, each after those it needs.
var All = []string{Postgres, Temporal, Worker, API}

// variable, when set, makes a program one process of a house. Its value is what it runs by.
const variable = "GUERDON_PROCESS"

// settings are what a process runs by.
type settings struct {
	Name     string
	Database string
	Keys     string
	Temporal string // where Temporal listens
	API      string // where the API listens
	Options
}

// Options say what a house is like.
type Options struct {
	Rails map[string]string // the address of each rail that is called, by its name; "" of a rail of files
	Pace  int               // activities.Pace of worker and API; 0 is that of production
}

// RunIfAsked runs a process of a house where this program was started to be one, and then
// never returns. Call it first in main, or in TestMain.
func RunIfAsked() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	go func() { // who started it is gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	var s settings
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = s.run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// run says when it is ready, and runs until it is killed.
func (s settings) run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if s.Name == Temporal {
		_, port, err := net.SplitHostPort(s.Temporal)
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return err
		}
		options := temporal.Options{DatabaseURL: s.Database, FrontendPort: number, UIPort: -1, TimeSkipping: true, Log: log}
		if s.Pace > 0 {
			options.TaskTimeout = 2 * time.Second
		}
		if _, err := temporal.Start(ctx, options); err != nil {
			return err
		}
		fmt.Println("ready")
		select {}
	}
	if s.Pace > 0 {
		activities.Pace = s.Pace
		store.ClaimLasts = activities.Wait(store.ClaimLasts)
	}
	keys, err := store.ParseKeys(s.Keys)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, s.Database, keys)
	if err != nil {
		return err
	}
	c, err := dial(s.Temporal)
	if err != nil {
		return err
	}
	rails, err := Registry(s.Rails, db)
	if err != nil {
		return err
	}
	if s.Name == Worker {
		fmt.Println("ready")
		return worker.Run(ctx, worker.Config{Client: c, Namespace: temporal.Namespace, Store: db, Rails: rails, Log: log})
	}
	listener, err := net.Listen("tcp", s.API)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return api.Run(ctx, listener, api.Config{Store: db, Client: c, Rails: rails, Log: log})
}

func dial(address string) (client.Client, error) {
	return client.Dial(client.Options{HostPort: address, Namespace: temporal.Namespace, Logger: quiet{}})
}

// quiet is a log of Temporal's SDK that nobody reads: its complaints while the server is
// away are what is asked for.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// House is a house of processes.
type House struct {
	Store       *store.Store  // to look at the database from outside
	Client      client.Client // and at Temporal
	URL         string        // of the API
	DatabaseURL string
	Directory   string // where the data is

	settings settings
	database *postgres.Server
	mu       sync.Mutex
	running  map[string]*process
	said     map[string]*log // what each has written to its standard error, over all its lives
}

type process struct{ command *exec.Cmd }

// log keeps what is written to it. It may be read meanwhile.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Build starts every process of a house, with an empty company. Close it, whatever comes.
func Build(ctx context.Context, options Options) (h *House, err error) {
	h = &House{running: map[string]*process{}, said: map[string]*log{}, settings: settings{Options: options, Keys: store.NewKey(1)}}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	if h.Directory, err = os.MkdirTemp("/tmp", "guerdon-house-"); err != nil { // where PostgreSQL's own user gets to
		return h, err
	}
	if err := os.Chmod(h.Directory, 0o711); err != nil {
		return h, err
	}
	if h.settings.Temporal, err = freeAddress(); err != nil {
		return h, err
	}
	if h.settings.API, err = freeAddress(); err != nil {
		return h, err
	}
	h.URL = "http://" + h.settings.API
	if err := h.Start(ctx, Postgres); err != nil {
		return h, err
	}
	h.DatabaseURL, h.settings.Database = h.database.URL(), h.database.URL()
	keys, err := store.ParseKeys(h.settings.Keys)
	if err != nil {
		return h, err
	}
	if h.Store, err = store.Open(ctx, h.DatabaseURL, keys); err != nil {
		return h, err
	}
	if err := h.Store.Migrate(ctx); err != nil {
		return h, err
	}
	for _, name := range All[1:] {
		if err := h.Start(ctx, name); err != nil {
			return h, err
		}
	}
	h.Client, err = dial(h.settings.Temporal)
	return h, err
}

// Close ends every process and removes the data.
func (h *House) Close() error {
	err := h.Stop()
	if h.Directory != "" {
		err = errors.Join(err, os.RemoveAll(h.Directory))
	}
	return err
}

// Stop ends every process and leaves the data where it is.
func (h *House) Stop() error {
	if h.Client != nil {
		h.Client.Close()
	}
	if h.Store != nil {
		h.Store.Close()
	}
	var failed error
	for _, name := range slices.Backward(All[1:]) {
		if h.runs(name) != nil {
			failed = errors.Join(failed, h.Kill(context.Background(), name))
		}
	}
	if h.database != nil {
		failed = errors.Join(failed, h.database.Stop(context.Background()))
	}
	return failed
}

// Said is what a process has written to its standard error, over all its lives.
func (h *House) Said(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.said[name] == nil {
		return ""
	}
	return h.said[name].String()
}

// Confess has every process but PostgreSQL say what it is doing, and end.
func (h *House) Confess() {
	for _, name := range All[1:] {
		h.mu.Lock()
		p := h.running[name]
		delete(h.running, name)
		h.mu.Unlock()
		if p == nil || p.command.Process.Signal(syscall.SIGQUIT) != nil {
			continue
		}
		stop := time.AfterFunc(10*time.Second, func() { _ = p.command.Process.Kill() })
		_ = p.command.Wait() // says how it ended
		stop.Stop()
	}
}

func (h *House) logOf(name string) *log {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.said[name] == nil {
		h.said[name] = &log{}
	}
	return h.said[name]
}

func (h *House) runs(name string) *process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running[name]
}

// Process is the number by which the system knows a process now; 0 where it does not run.
func (h *House) Process(name string) int {
	if p := h.runs(name); p != nil {
		return p.command.Process.Pid
	}
	return 0
}

// freeAddress returns an address that a process can come back to: below the ports that the
// system gives to connections and to whoever asks for any port.
func freeAddress() (string, error) {
	for range 100 {
		if address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)); free(address) {
			return address, nil
		}
	}
	return "", errors.New("no port is free")
}

// free reports whether nobody listens at an address, as the system may still do for a while
// for a process that was killed.
func free(address string) bool {
	listener, err := net.Listen("tcp", address)
	return err == nil && listener.Close() == nil
}

// patience is how long a port of a process that was killed is waited for.
const patience = time.Minute

// Start starts a process, where it was before if it was, and returns when it is ready.
func (h *House) Start(ctx context.Context, name string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start the %s: %w", name, err)
		}
	}()
	if name == Postgres {
		return h.startPostgres(ctx)
	}
	if address := map[string]string{Temporal: h.settings.Temporal, API: h.settings.API}[name]; address != "" {
		for began := time.Now(); !free(address); time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > patience {
				return fmt.Errorf("somebody else listens at %s", address)
			}
		}
	}
	s := h.settings
	s.Name = name
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	said := h.logOf(name)
	p := &process{command: exec.Command(program)}
	p.command.Env = append(os.Environ(), variable+"="+string(text))
	p.command.Stderr = said
	if _, err := p.command.StdinPipe(); err != nil { // closed when we are gone
		return err
	}
	output, err := p.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.command.Start(); err != nil {
		return err
	}
	h.mu.Lock()
	h.running[name] = p
	h.mu.Unlock()
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "ready\n" {
		return fmt.Errorf("it ended: %s", said)
	}
	return nil
}

func (h *House) startPostgres(ctx context.Context) error {
	port := 0
	if h.database != nil {
		at, err := pgx.ParseConfig(h.DatabaseURL)
		if err != nil {
			return err
		}
		port = int(at.Port)
	} else {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		if _, err := fmt.Sscanf(address, "127.0.0.1:%d", &port); err != nil {
			return err
		}
	}
	database, err := postgres.Start(ctx, postgres.Options{DataDirectory: filepath.Join(h.Directory, "postgres"), Port: port, NoSync: true,
		Log: slog.New(slog.NewTextHandler(h.logOf(Postgres), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err == nil {
		h.database = database
	}
	return err
}

// Kill ends a process with SIGKILL. One that has ended by itself is an error.
func (h *House) Kill(ctx context.Context, name string) error {
	if name == Postgres {
		return h.killPostgres(ctx)
	}
	h.mu.Lock()
	p := h.running[name]
	delete(h.running, name)
	h.mu.Unlock()
	if p == nil {
		return fmt.Errorf("the %s does not run", name)
	}
	killed := p.command.Process.Kill()
	_ = p.command.Wait() // says how it ended
	if p.command.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return fmt.Errorf("the %s had ended by itself: %s", name, h.Said(name))
	}
	return killed
}

// killPostgres kills the server with every process it has for a connection: no
// transaction gets any further.
func (h *House) killPostgres(ctx context.Context) error {
	content, err := os.ReadFile(filepath.Join(h.database.DataDirectory(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	for _, child := range strings.Fields(string(children)) {
		number, err := strconv.Atoi(child)
		if err != nil {
			return err
		}
		_ = syscall.Kill(number, syscall.SIGKILL) // it may be gone already
	}
	return h.database.Stop(ctx)
}
