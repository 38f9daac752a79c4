package endtoend

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// houseVariable, when set, makes this binary a whole house in one process that can be
// killed: PostgreSQL, Temporal and a worker. Its value is a houseOptions.
const houseVariable = "GUERDON_TEST_HOUSE"

type houseOptions struct {
	DataDirectory string
	Keys          string
	RailURL       string
}

// houseReport is what a house says when it is ready.
type houseReport struct{ Database, Temporal string }

func TestMain(m *testing.M) {
	if text := os.Getenv(houseVariable); text != "" {
		fmt.Fprintln(os.Stderr, runHouse(text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runHouse runs until the process is killed.
func runHouse(text string) error {
	ctx := context.Background()
	var options houseOptions
	if err := json.Unmarshal([]byte(text), &options); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	database, err := postgres.Start(ctx, postgres.Options{DataDirectory: options.DataDirectory})
	if err != nil {
		return err
	}
	server, err := temporal.Start(ctx, temporal.Options{DatabaseURL: database.URL(), UIPort: -1, TimeSkipping: true})
	if err != nil {
		return err
	}
	keys, err := store.ParseKeys(options.Keys)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, database.URL(), keys)
	if err != nil {
		return err
	}
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	c, err := client.Dial(client.Options{HostPort: server.Address(), Namespace: server.Namespace(), Logger: quiet{}})
	if err != nil {
		return err
	}
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, BaseURL: options.RailURL, PerSecond: 200})
	if err != nil {
		return err
	}
	rails, err := payments.NewRegistry(rail)
	if err != nil {
		return err
	}
	ready, err := json.Marshal(houseReport{database.URL(), server.Address()})
	if err != nil {
		return err
	}
	fmt.Println(string(ready))
	return worker.Run(ctx, worker.Config{Client: c, Store: s, Rails: rails, Log: log})
}

// build starts a house in a process of its own. demolish kills it, and PostgreSQL with it.
func build(t *testing.T, options houseOptions) (h *house, demolish func()) {
	t.Helper()
	text, err := json.Marshal(options)
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program)
	command.Env = append(os.Environ(), houseVariable+"="+string(text))
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	var complaint strings.Builder
	command.Stderr = &complaint
	require.NoError(t, command.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err, "%s", &complaint)
	var ready houseReport
	require.NoError(t, json.Unmarshal([]byte(line), &ready))
	keys, err := store.ParseKeys(options.Keys)
	require.NoError(t, err)
	s, err := store.Open(t.Context(), ready.Database, keys)
	require.NoError(t, err)
	c, err := client.Dial(client.Options{HostPort: ready.Temporal, Namespace: temporal.Namespace, Logger: quiet{}})
	require.NoError(t, err)
	done := false
	demolish = func() {
		if done {
			return
		}
		done = true
		require.NoError(t, command.Process.Kill())
		_ = command.Wait() // says that it was killed
		c.Close()
		s.Close()
	}
	t.Cleanup(demolish)
	return &house{t: t, store: s, client: c}, demolish
}

// TestKilledInMidDisbursement kills everything but the bank, again and again, while 500
// payouts are made.
func TestKilledInMidDisbursement(t *testing.T) {
	t.Parallel()
	const reps = 500
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })

	directory, err := os.MkdirTemp("/tmp", "guerdon-test-") // t.TempDir is closed to PostgreSQL's own user
	require.NoError(t, err)
	require.NoError(t, os.Chmod(directory, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(directory)) })
	options := houseOptions{DataDirectory: filepath.Join(directory, "postgres"), Keys: store.NewKey(1), RailURL: bank.URL}

	h, demolish := build(t, options)
	h.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	h.release(reps)
	for _, paid := range []int{60, 200, 350} {
		require.Eventually(t, func() bool { return len(bank.Report()) >= paid }, time.Minute, 5*time.Millisecond, "%d payouts should be made", paid)
		demolish()
		h, demolish = build(t, options)
	}
	h.closed(reps)
	once(t, bank, reps)
	demolish()
}

// once checks that the bank has paid everybody exactly once.
func once(t *testing.T, bank *standin.Running, reps int) {
	t.Helper()
	paid := map[string]bool{}
	for _, group := range bank.Report() {
		require.Len(t, group.Transfers, 1, "attempt %s was paid more than once", group.TransferGroup)
		account := group.Transfers[0].Destination
		require.False(t, paid[account], "%s was paid more than once", account)
		paid[account] = true
	}
	require.Len(t, paid, reps, "everybody is paid")
}
