package temporal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/incentive"
)

// A test that kills a server runs this binary again with childVariable set to the
// address of its database.
const childVariable = "GUERDON_TEST_TEMPORAL_CHILD"

const queue = "test"

func TestMain(m *testing.M) {
	if address := os.Getenv(childVariable); address != "" {
		if err := child(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child runs a server until it is killed.
func child(address string) error {
	server, err := Start(context.Background(), Options{DatabaseURL: address, UIPort: -1, TimeSkipping: true})
	if err != nil {
		return err
	}
	fmt.Println(server.Address())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// Nap sleeps, and says how long that was by the workflow's clock.
func Nap(ctx workflow.Context, duration time.Duration) (time.Duration, error) {
	started := workflow.Now(ctx)
	err := workflow.Sleep(ctx, duration)
	return workflow.Now(ctx).Sub(started), err
}

// Wait ends with the word that it is told, and can be found by its period and deadline.
func Wait(ctx workflow.Context, period string) (string, error) {
	err := workflow.UpsertTypedSearchAttributes(ctx,
		sdk.NewSearchAttributeKeyKeyword("GuerdonPeriod").ValueSet(period),
		sdk.NewSearchAttributeKeyKeyword("GuerdonStage").ValueSet("open"),
		sdk.NewSearchAttributeKeyKeyword("GuerdonRail").ValueSet("file"),
		sdk.NewSearchAttributeKeyTime("GuerdonDeadline").ValueSet(time.Date(2031, 5, 2, 0, 0, 0, 0, time.UTC)),
	)
	if err != nil {
		return "", err
	}
	var word string
	workflow.GetSignalChannel(ctx, "word").Receive(ctx, &word)
	return word, nil
}

// newDatabase makes a database of its own for the test.
func newDatabase(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(postgres.ForTests(t))
	require.NoError(t, err)
	connection, err := pgx.Connect(t.Context(), u.String())
	require.NoError(t, err)
	defer connection.Close(context.Background())
	name := "temporal_" + strings.ToLower(t.Name()[4:])
	_, err = connection.Exec(t.Context(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address, Namespace: Namespace, Logger: silence{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// work runs a worker; the function returned stops it.
func work(t *testing.T, c client.Client) func() {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(Nap)
	w.RegisterWorkflow(Wait)
	require.NoError(t, w.Start())
	stop := sync.OnceFunc(w.Stop)
	t.Cleanup(stop)
	return stop
}

func begin(t *testing.T, c client.Client, id string, kind any, argument any) client.WorkflowRun {
	t.Helper()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: queue}, kind, argument)
	require.NoError(t, err)
	return run
}

func result[V any](t *testing.T, run client.WorkflowRun) V {
	t.Helper()
	var value V
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, run.Get(ctx, &value))
	return value
}

// memory is what this process has in memory at most, in MiB; 0 where the system does not tell.
func memory() int {
	status, _ := os.ReadFile("/proc/self/status")
	var kilobytes int
	if _, line, ok := strings.Cut(string(status), "VmHWM:"); ok {
		_, _ = fmt.Sscan(line, &kilobytes)
	}
	return kilobytes / 1024
}

type lines struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.Buffer.Write(b)
}

func TestServer(t *testing.T) {
	database := newDatabase(t)
	var output lines
	options := Options{
		DatabaseURL: database, TimeSkipping: true,
		Log: slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	began := time.Now()
	server, err := Start(t.Context(), options)
	require.NoError(t, err)
	stopServer := sync.OnceValue(func() error { return server.Stop(context.Background()) })
	t.Cleanup(func() { require.NoError(t, stopServer()) })
	t.Logf("first start on an empty database, with Web UI: %v, %d MiB", time.Since(began).Round(time.Millisecond), memory())
	require.Equal(t, "guerdon", server.Namespace())

	c := dial(t, server.Address())
	stopWorker := work(t, c)

	t.Run("a month passes in a moment", func(t *testing.T) {
		began := time.Now()
		run := begin(t, c, "nap", Nap, 30*24*time.Hour)
		require.NoError(t, SkipTime(t.Context(), c, run.GetID(), run.GetRunID(), 30*24*time.Hour))
		require.Equal(t, 30*24*time.Hour, result[time.Duration](t, run).Round(time.Minute))
		t.Logf("30 days took %v", time.Since(began).Round(time.Millisecond))
	})
	t.Run("in steps", func(t *testing.T) {
		run := begin(t, c, "steps", Nap, 30*24*time.Hour)
		require.NoError(t, SkipTime(t.Context(), c, run.GetID(), "", 10*24*time.Hour))
		d, err := c.DescribeWorkflowExecution(t.Context(), run.GetID(), "")
		require.NoError(t, err)
		require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_RUNNING, d.GetWorkflowExecutionInfo().GetStatus())
		require.NoError(t, SkipTime(t.Context(), c, run.GetID(), "", 60*24*time.Hour), "past the end")
		require.Equal(t, 30*24*time.Hour, result[time.Duration](t, run).Round(time.Minute))
	})
	t.Run("namespace", func(t *testing.T) {
		d, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: Namespace})
		require.NoError(t, err)
		require.Equal(t, 30*24*time.Hour, d.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	})

	waiting := begin(t, c, "waiting", Wait, "2031-04")
	t.Run("search attributes", func(t *testing.T) {
		query := "GuerdonPeriod = '2031-04' AND GuerdonStage = 'open' AND GuerdonRail = 'file' AND GuerdonDeadline > '2031-05-01T00:00:00Z'"
		require.Eventually(t, func() bool {
			found, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
			return err == nil && len(found.GetExecutions()) == 1 && found.GetExecutions()[0].GetExecution().GetWorkflowId() == "waiting"
		}, 30*time.Second, 50*time.Millisecond)
	})

	t.Run("the Web UI shows and does nothing else", func(t *testing.T) {
		base := "http://" + server.UIAddress()
		for path, part := range map[string]string{
			"/":                          "<html",
			"/api/v1/namespaces/guerdon": `"guerdon"`,
			"/api/v1/settings":           `"DisableWriteActions":true`,
		} {
			response, err := http.Get(base + path)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode, path)
			require.Contains(t, string(body), part, path)
		}
		// With the token that the pages use, so that it is not that which is missing.
		response, err := http.Get(base + "/")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		for _, action := range []string{"terminate", "reset", "cancel", "signal/word"} {
			request, err := http.NewRequest(http.MethodPost, base+"/api/v1/namespaces/guerdon/workflows/waiting/"+action, strings.NewReader("{}"))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/json")
			for _, cookie := range response.Cookies() {
				request.AddCookie(cookie)
				request.Header.Set("X-CSRF-TOKEN", cookie.Value)
			}
			refused, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, refused.Body.Close())
			require.Equal(t, http.StatusMethodNotAllowed, refused.StatusCode, action)
		}
	})

	t.Run("one server a database", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := Start(ctx, Options{DatabaseURL: database})
		require.Equal(t, CodeInUse, incentive.ErrorCode(err), "%v", err)
	})

	// Again on the same data, without time skipping.
	stopWorker()
	c.Close()
	began = time.Now()
	require.NoError(t, stopServer())
	t.Logf("stop: %v", time.Since(began).Round(time.Millisecond))
	options.TimeSkipping, options.UIPort = false, -1
	began = time.Now()
	again, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Stop(context.Background())) })
	t.Logf("second start, without Web UI: %v, %d MiB at most", time.Since(began).Round(time.Millisecond), memory())
	require.Empty(t, again.UIAddress())

	c = dial(t, again.Address())
	t.Cleanup(work(t, c))
	require.Equal(t, 30*24*time.Hour, result[time.Duration](t, c.GetWorkflow(t.Context(), "nap", "")).Round(time.Minute))
	require.NoError(t, c.SignalWorkflow(t.Context(), "waiting", waiting.GetRunID(), "word", "done"))
	require.Equal(t, "done", result[string](t, c.GetWorkflow(t.Context(), "waiting", "")))
	require.Empty(t, output.String(), "nothing to warn of")
	require.ErrorContains(t, SkipTime(t.Context(), c, "waiting", "", time.Hour), "not enabled")
}

func TestStartAfterKill(t *testing.T) {
	database := newDatabase(t)
	program, err := os.Executable()
	require.NoError(t, err)
	for round := range 2 {
		command := exec.Command(program)
		command.Env = append(os.Environ(), childVariable+"="+database)
		input, err := command.StdinPipe()
		require.NoError(t, err)
		defer input.Close()
		out, err := command.StdoutPipe()
		require.NoError(t, err)
		command.Stderr = os.Stderr
		require.NoError(t, command.Start())
		t.Cleanup(func() { _ = command.Process.Kill() })
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)

		c := dial(t, strings.TrimSpace(line))
		begin(t, c, fmt.Sprintf("waiting-%d", round), Wait, "2031-04")
		begin(t, c, fmt.Sprintf("nap-%d", round), Nap, 24*time.Hour)
		require.NoError(t, command.Process.Kill())
		_ = command.Wait()
		c.Close()
	}

	began := time.Now()
	server, err := Start(t.Context(), Options{DatabaseURL: database, UIPort: -1, TimeSkipping: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	t.Logf("start after a kill: %v", time.Since(began).Round(time.Millisecond))
	c := dial(t, server.Address())
	t.Cleanup(work(t, c))
	for round := range 2 {
		id := fmt.Sprintf("waiting-%d", round)
		require.NoError(t, c.SignalWorkflow(t.Context(), id, "", "word", "after"))
		require.Equal(t, "after", result[string](t, c.GetWorkflow(t.Context(), id, "")))
		nap := fmt.Sprintf("nap-%d", round)
		require.NoError(t, SkipTime(t.Context(), c, nap, "", 25*time.Hour))
		require.Equal(t, 24*time.Hour, result[time.Duration](t, c.GetWorkflow(t.Context(), nap, "")).Round(time.Minute))
	}
}

// A kill in the middle of the set-up leaves tables without a version.
func TestUnfinishedSchemaIsMadeAnew(t *testing.T) {
	database := newDatabase(t)
	connection, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	_, err = connection.Exec(t.Context(), "CREATE SCHEMA temporal_unfinished; CREATE TABLE temporal_unfinished.namespaces ()")
	require.NoError(t, err)
	for range 2 {
		d, err := openDatabase(t.Context(), database, newLogger(nil))
		require.NoError(t, err)
		require.NoError(t, d.close())
	}
	rows, err := connection.Query(t.Context(), `SELECT nspname || ' ' || (SELECT count(*) > 2 FROM pg_tables WHERE schemaname = nspname)
		FROM pg_namespace WHERE nspname LIKE 'temporal%' ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"temporal true", "temporal_visibility true"}, names)
	require.NoError(t, connection.Close(t.Context()))
}

func TestRefusals(t *testing.T) {
	database := newDatabase(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	taken := listener.Addr().(*net.TCPAddr).Port
	closed, err := url.Parse(database)
	require.NoError(t, err)
	closed.Host = "127.0.0.1:1"

	for name, c := range map[string]struct {
		options Options
		code    incentive.Code
	}{
		"no address":     {Options{}, CodeDatabase},
		"another scheme": {Options{DatabaseURL: "mysql://localhost/guerdon"}, CodeDatabase},
		"no answer":      {Options{DatabaseURL: closed.String()}, CodeDatabase},
		"frontend port":  {Options{DatabaseURL: database, FrontendPort: taken}, CodePortBusy},
		"UI port":        {Options{DatabaseURL: database, UIPort: taken}, CodePortBusy},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), c.options)
			require.Equal(t, c.code, incentive.ErrorCode(err), "%v", err)
			password, _ := closed.User.Password()
			require.NotContains(t, err.Error(), password)
		})
	}
}

func TestConfigurationKeepsWhatTheAddressSays(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("postgres://a%40b:p%20w%2F%26@db.example:5433/x?sslmode=verify-full&sslrootcert=/ca.pem")
	require.NoError(t, err)
	d := &database{url: u, name: "x"}
	got := d.configuration(schemaMain)
	got.Connect = nil
	text, err := json.Marshal(got.ConnectAttributes)
	require.NoError(t, err)
	require.JSONEq(t, `{"user":"a@b","password":"p w/&","sslmode":"verify-full","sslrootcert":"/ca.pem","search_path":"temporal,public","application_name":"temporal"}`, string(text))
	require.Equal(t, "db.example:5433", got.ConnectAddr)
}
