package endtoend

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// The processes of a house that can be killed.
const (
	postgresProcess = "PostgreSQL"
	temporalProcess = "Temporal"
	workerProcess   = "worker"
	apiProcess      = "API"
)

// processes lists them, each after those it needs.
var processes = []string{postgresProcess, temporalProcess, workerProcess, apiProcess}

// processVariable, when set, makes this binary one process of a house. Its value is a
// processOptions.
const processVariable = "GUERDON_TEST_PROCESS"

type processOptions struct {
	Name     string
	Database string
	Keys     string
	Temporal string // where Temporal listens
	API      string // where the API listens
	Rail     string // the address of the stand-in for Stripe
}

func TestMain(m *testing.M) {
	if text := os.Getenv(processVariable); text != "" {
		fmt.Fprintln(os.Stderr, runProcess(text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runProcess says when it is ready, and runs until it is killed or who started it is gone.
func runProcess(text string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	ctx := context.Background()
	var o processOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if o.Name == temporalProcess {
		_, port, err := net.SplitHostPort(o.Temporal)
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return err
		}
		if _, err := temporal.Start(ctx, temporal.Options{DatabaseURL: o.Database, FrontendPort: number, UIPort: -1, TimeSkipping: true, Log: log}); err != nil {
			return err
		}
		fmt.Println("ready")
		select {}
	}
	keys, err := store.ParseKeys(o.Keys)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, o.Database, keys)
	if err != nil {
		return err
	}
	c, err := client.Dial(client.Options{HostPort: o.Temporal, Namespace: temporal.Namespace, Logger: quiet{}})
	if err != nil {
		return err
	}
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, BaseURL: o.Rail, PerSecond: 200})
	if err != nil {
		return err
	}
	rails, err := payments.NewRegistry(rail, paymentfile.New("payment-file", "Test"))
	if err != nil {
		return err
	}
	if o.Name == workerProcess {
		fmt.Println("ready")
		return worker.Run(ctx, worker.Config{Client: c, Store: s, Rails: rails, Log: log})
	}
	listener, err := net.Listen("tcp", o.API)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return api.Run(ctx, listener, api.Config{Store: s, Client: c, Rails: rails, Log: log})
}

// site is a house whose parts are processes, each of which can be killed and started
// again, with a bank outside that stays.
type site struct {
	*office
	bank      *standin.Running
	directory string
	options   processOptions
	database  *postgres.Server
	running   map[string]*process
}

type process struct {
	command *exec.Cmd
	said    *strings.Builder
}

// build starts every process of a house.
func build(t *testing.T) *site {
	t.Helper()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	directory, err := os.MkdirTemp("/tmp", "guerdon-test-") // t.TempDir is closed to PostgreSQL's own user
	require.NoError(t, err)
	require.NoError(t, os.Chmod(directory, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(directory)) })

	s := &site{bank: bank, directory: directory, running: map[string]*process{}}
	s.options = processOptions{Keys: store.NewKey(1), Temporal: freeAddress(t), API: freeAddress(t), Rail: bank.URL}
	s.office = &office{house: &house{t: t, currency: "USD"}, url: "http://" + s.options.API}
	s.start(postgresProcess)
	s.options.Database = s.database.URL()
	t.Cleanup(func() { require.NoError(t, s.database.Stop(context.Background())) })
	keys, err := store.ParseKeys(s.options.Keys)
	require.NoError(t, err)
	s.store, err = store.Open(t.Context(), s.options.Database, keys)
	require.NoError(t, err)
	t.Cleanup(s.store.Close)
	require.NoError(t, s.store.Migrate(t.Context()))
	t.Cleanup(func() {
		for _, name := range processes[1:] {
			if s.running[name] != nil {
				s.kill(name)
			}
		}
	})
	for _, name := range processes[1:] {
		s.start(name)
	}
	s.client, err = client.Dial(client.Options{HostPort: s.options.Temporal, Namespace: temporal.Namespace, Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	return s
}

// freeAddress returns an address that a process can come back to: below the ports that the
// system gives to connections and to whoever asks for any port.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		if address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)); free(address) {
			return address
		}
	}
	require.Fail(t, "no port is free")
	return ""
}

// free reports whether nobody listens at an address, as the system may still do for a while
// for a process that was killed.
func free(address string) bool {
	listener, err := net.Listen("tcp", address)
	return err == nil && listener.Close() == nil
}

// start starts a process, where it was before if it was, and returns when it is ready.
func (s *site) start(name string) {
	s.t.Helper()
	if name == postgresProcess {
		at, err := pgx.ParseConfig("postgres://" + freeAddress(s.t))
		if s.database != nil {
			at, err = pgx.ParseConfig(s.options.Database)
		}
		require.NoError(s.t, err)
		s.database, err = postgres.Start(s.t.Context(), postgres.Options{DataDirectory: filepath.Join(s.directory, "postgres"), Port: int(at.Port)})
		require.NoError(s.t, err)
		return
	}
	if address := map[string]string{temporalProcess: s.options.Temporal, apiProcess: s.options.API}[name]; address != "" {
		require.Eventually(s.t, func() bool { return free(address) }, time.Minute, 10*time.Millisecond, "somebody else listens at %s", address)
	}
	options := s.options
	options.Name = name
	text, err := json.Marshal(options)
	require.NoError(s.t, err)
	program, err := os.Executable()
	require.NoError(s.t, err)
	p := &process{command: exec.Command(program), said: &strings.Builder{}}
	p.command.Env = append(os.Environ(), processVariable+"="+string(text))
	p.command.Stderr = p.said
	_, err = p.command.StdinPipe() // closed when we are gone
	require.NoError(s.t, err)
	output, err := p.command.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, p.command.Start())
	s.running[name] = p
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(s.t, err, "the %s did not start: %s", name, p.said)
	require.Equal(s.t, "ready\n", line)
}

// kill ends a process with SIGKILL; one that has ended by itself fails the test.
func (s *site) kill(name string) {
	s.t.Helper()
	if name == postgresProcess {
		s.killPostgres()
		return
	}
	p := s.running[name]
	delete(s.running, name)
	require.NoError(s.t, p.command.Process.Kill())
	_ = p.command.Wait() // says how it ended
	require.Equal(s.t, syscall.SIGKILL, p.command.ProcessState.Sys().(syscall.WaitStatus).Signal(), "the %s had ended by itself: %s", name, p.said)
}

// killPostgres kills the server with every process it has for a connection: no
// transaction gets any further.
func (s *site) killPostgres() {
	s.t.Helper()
	content, err := os.ReadFile(filepath.Join(s.database.DataDirectory(), "postmaster.pid"))
	require.NoError(s.t, err)
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(s.t, err)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	require.NoError(s.t, err)
	require.NoError(s.t, syscall.Kill(pid, syscall.SIGKILL))
	for _, child := range strings.Fields(string(children)) {
		number, err := strconv.Atoi(child)
		require.NoError(s.t, err)
		_ = syscall.Kill(number, syscall.SIGKILL) // it may be gone already
	}
	require.NoError(s.t, s.database.Stop(s.t.Context()))
}
