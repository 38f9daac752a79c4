package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// published is a company with a published month, an API and everybody's token.
type published struct {
	*testing.T
	*store.Store
	database, url string
}

const month = "m-2026-01"

func publishMonth(t *testing.T, rails ...payments.Rail) *published {
	t.Helper()
	ctx := t.Context()
	s, database := storetest.NewWithURL(t)
	p := &published{T: t, Store: s, database: database}
	require.NoError(t, s.SetCompany(ctx, store.System, "Test", "UTC"))
	for _, id := range []string{"fin", "lead", "ann", "bob"} {
		row := map[string]any{"participant_id": id, "effective_from": "2025-01-01", "name": "Name of " + id, "email": id + "@example.com", "kind": "employee", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}}
		if id == "ann" || id == "bob" {
			row["manager_id"] = "lead"
		}
		p.load("participant", row)
	}
	for id, role := range map[string]incentive.Role{"fin": incentive.Finance, "lead": incentive.Manager, "ann": incentive.Rep, "bob": incentive.Rep} {
		require.NoError(t, s.Grant(ctx, "fin", id, []incentive.Role{role}))
	}
	p.load("period", map[string]any{"id": month, "calendar_id": "m", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
	for id, amount := range map[string]string{"ann": "1234.5", "bob": "9876.5"} {
		p.load("transaction", map[string]any{"source": "crm", "transaction_id": "D-" + id, "date": "2026-01-10", "amount": amount, "currency": "USD", "attributes": map[string]string{}})
		p.load("credit", map[string]any{"source": "crm", "transaction_id": "D-" + id, "participant_id": id, "role": "owner", "share": "1"})
	}
	p.load("transaction", map[string]any{"source": "crm", "transaction_id": "D-free", "date": "2026-01-12", "amount": "0", "currency": "USD", "attributes": map[string]string{}})
	p.load("credit", map[string]any{"source": "crm", "transaction_id": "D-free", "participant_id": "bob", "role": "owner", "share": "1"})
	p.load("transaction", map[string]any{"source": "crm", "transaction_id": "D-nobody", "date": "2026-01-11", "amount": "5.5", "currency": "USD", "attributes": map[string]string{}})
	for _, id := range []string{"lead", "ann", "bob"} {
		p.load("assignment", map[string]any{"participant_id": id, "plan_id": "p", "calendar_id": "m", "starts_on": "2026-01-01"})
	}
	_, err := s.PutPlan(ctx, "fin", "p", incentive.MustParseDate("2026-01-01"), []byte("language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents:\n"+
		"  - {name: own, measure: {sum: credits}, rate: 10%}\n  - {name: team, override: {level: 1}, measure: {sum: credits}, rate: 1%}\n"))
	require.NoError(t, err)
	_, err = s.OpenPeriod(ctx, "fin", month)
	require.NoError(t, err)
	command := func(act incentive.Act) store.PeriodCommand {
		return store.PeriodCommand{PeriodID: month, Revision: 1, Act: act, Actor: "fin", Key: string(act)}
	}
	locked, err := s.LockPeriod(ctx, command(incentive.Lock))
	require.NoError(t, err)
	snapshot, _, err := s.Snapshot(ctx, *locked.SnapshotID)
	require.NoError(t, err)
	result, err := calculation.Run(ctx, snapshot)
	require.NoError(t, err)
	_, err = s.KeepRun(ctx, command(incentive.Calculate), *locked.SnapshotID, calculation.EngineVersion, result)
	require.NoError(t, err)
	_, err = s.Publish(ctx, command(incentive.Publish), time.Now())
	require.NoError(t, err)
	registry, err := payments.NewRegistry(rails...)
	require.NoError(t, err)
	surface, err := api.New(api.Config{Store: s, Rails: registry, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	web := httptest.NewServer(surface)
	t.Cleanup(web.Close)
	p.url = web.URL
	return p
}

func (p *published) load(kind string, record map[string]any) {
	p.Helper()
	_, held, err := p.Load(p.Context(), store.Import{Kind: kind, FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "fin"}, func(l *store.Loading) error {
		return l.Put(p.Context(), kind, []store.Row{{File: "test", Line: 1, Key: "it", Record: record}})
	})
	require.NoError(p, err)
	require.Empty(p, held)
}

// guerdon runs a command line as somebody.
func (p *published) guerdon(id string, arguments ...string) (exit int, out, told string) {
	p.Helper()
	token, err := p.NewToken(p.Context(), "fin", id, "test", time.Hour)
	require.NoError(p, err)
	return guerdon(p.T, append([]string{"--api-url", p.url, "--token", token}, arguments...)...)
}

func guerdon(t *testing.T, arguments ...string) (exit int, out, told string) {
	t.Helper()
	var said, complained bytes.Buffer
	exit = run(t.Context(), arguments, &said, &complained)
	return exit, said.String(), complained.String()
}

// TestUncredited lists what nobody is credited with, to those who may see everything.
func TestUncredited(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	exit, out, told := p.guerdon("fin", "period", "uncredited", month)
	require.Zero(t, exit, told)
	require.Equal(t, "crm D-nobody 2026-01-11 5.5 USD no-rule", strings.Join(strings.Fields(out), " "))
	exit, _, told = p.guerdon("ann", "period", "uncredited", month)
	require.NotZero(t, exit)
	require.Contains(t, told, "may read totals")
	p.load("period", map[string]any{"id": "m-2026-02", "calendar_id": "m", "code": "2026-02", "starts_on": "2026-02-01", "ends_on": "2026-02-28"})
	_, err := p.OpenPeriod(t.Context(), "fin", "m-2026-02")
	require.NoError(t, err)
	exit, _, told = p.guerdon("fin", "period", "uncredited", "m-2026-02")
	require.NotZero(t, exit)
	require.Contains(t, told, "known from the lock on")
}

// TestSimulate says what a draft would have paid in a locked period.
func TestSimulate(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	draft := filepath.Join(t.TempDir(), "draft.yaml")
	require.NoError(t, os.WriteFile(draft, []byte("language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: own, measure: {sum: credits}, rate: 12%}]\n"), 0o600))
	exit, out, told := p.guerdon("fin", "plan", "simulate", draft, month, "--limit=2")
	require.Zero(t, exit, told)
	require.Contains(t, out, "1333.32 USD instead of 1222.21 USD: 111.11 USD more; 2 win, 1 lose, 0 get the same\n")
	require.Regexp(t, `\nown +1111.10 USD +1333.32 USD\nteam +111.11 USD +0.00 USD\n`, out)
	require.Regexp(t, `\nbob +Name of bob +987.65 USD +1185.18 USD +197.53 USD\nlead .*\nand 1 more\n$`, out)
	exit, _, told = p.guerdon("ann", "plan", "simulate", draft, month)
	require.NotZero(t, exit)
	require.Contains(t, told, "may read totals")
}

// TestChecklist shows what a published period needs.
func TestChecklist(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	exit, out, told := p.guerdon("fin", "period", "checklist", month)
	require.Zero(t, exit, told)
	lines := strings.Split(out, "\n")
	require.Regexp(t, `^done +lock +by fin at 20`, lines[0])
	require.Regexp(t, `\nunder-way +window +until 20`, out)
	require.Regexp(t, `\nto-do \(optional\) +destinations \(3\) +ann 1, bob 1, lead 1\n`, out)
	require.Regexp(t, `\nlater +archive +$`, strings.TrimSuffix(out, "\n"))
	exit, _, told = p.guerdon("ann", "period", "checklist", month)
	require.NotZero(t, exit)
	require.Contains(t, told, "may read totals")
}

// TestNotPaid says beside a statement what it does not pay for, and why.
func TestNotPaid(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	exit, out, told := p.guerdon("bob", "statement", month, "bob")
	require.Zero(t, exit, told)
	_, unpaid, found := strings.Cut(out, "Not paid\n")
	require.True(t, found, out)
	require.Equal(t, "D-free owner 0 own: nothing of it is credited", strings.Join(strings.Fields(unpaid), " "))
	exit, out, told = p.guerdon("ann", "statement", month, "ann")
	require.Zero(t, exit, told)
	require.NotContains(t, out, "Not paid")
}

// TestStatementOnAnotherMachine exports statements as the people they belong to, and
// proves them from the files alone.
func TestStatementOnAnotherMachine(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	at := func(name string) string { return filepath.Join(t.TempDir(), name+".json") }
	for name, c := range map[string]struct {
		as, of string
		whole  bool
		hidden []string
	}{
		"a rep":     {"ann", "ann", false, []string{"bob", "9876.5", "Name of lead"}},
		"a manager": {"lead", "lead", false, []string{"Name of ann", "bob@"}},
		"finance":   {"fin", "bob", true, nil},
	} {
		file := at(c.of)
		arguments := []string{"export", "statement", month, c.of, "-o", file}
		if c.whole {
			arguments = append(arguments, "--whole")
		}
		exit, _, told := p.guerdon(c.as, arguments...)
		require.Zero(t, exit, told)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, text := range c.hidden {
			require.NotContains(t, string(content), text, name)
		}
		exit, out, told := guerdon(t, "verify", file)
		require.Zero(t, exit, told)
		require.Contains(t, out, "The statement of "+c.of+" for "+month+", revision 1.")
		require.Contains(t, out, "calculated anew it is the same")
		require.Contains(t, out, "The chain goes on with publish by fin")
		require.Contains(t, out, "Not proved:")
		_, head, err := p.VerifyAudit(t.Context())
		require.NoError(t, err)
		require.Contains(t, out, fmt.Sprintf("%x", head)[:8])
		require.Equal(t, out, elsewhere(t, content))

		require.NoError(t, os.WriteFile(file, bytes.Replace(content, []byte(`"share":"1"`), []byte(`"share":"2"`), 1), 0o600))
		exit, out, _ = guerdon(t, "--json", "verify", file)
		require.Equal(t, 1, exit)
		var answer struct{ Failure failure }
		require.NoError(t, json.Unmarshal([]byte(out), &answer))
		require.Equal(t, incentive.Code("not-proved"), answer.Failure.Code)
		require.Contains(t, answer.Failure.Message, "do not belong to the snapshot")
	}
	exit, out, _ := guerdon(t, "verify", at("nothing"))
	require.Equal(t, 1, exit)
	require.Empty(t, out)
	for name, c := range map[string]struct{ as, of, whole, says string }{
		"somebody else's":     {"ann", "bob", "", "that you may see (not-found)"},
		"everybody's records": {"ann", "ann", "--whole", "leave whole out (forbidden)"},
		"a manager's whole":   {"lead", "ann", "--whole", "leave whole out (forbidden)"},
		"nobody's":            {"fin", "fin", "", "there is no statement"},
	} {
		arguments := []string{"export", "statement", month, c.of, "-o", at("x")}
		exit, _, told := p.guerdon(c.as, append(arguments, strings.Fields(c.whole)...)...)
		require.Equal(t, 1, exit, name)
		require.Contains(t, told, c.says, name)
	}
}

// TestMain lets this program's tests run it as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("GUERDON_AS_A_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// elsewhere proves a file in a process that has nothing else: no settings, an empty
// directory and, where this machine allows to take it away, no network.
func elsewhere(t *testing.T, content []byte) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "proof.json"), content, 0o600))
	arguments := []string{os.Args[0], "verify", "proof.json"}
	if exec.Command("unshare", "--map-root-user", "--net", "true").Run() == nil {
		arguments = append([]string{"unshare", "--map-root-user", "--net"}, arguments...)
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Dir, command.Env = folder, []string{"GUERDON_AS_A_PROGRAM=1", "PATH=" + os.Getenv("PATH")}
	out, err := command.Output()
	require.NoError(t, err)
	return string(out)
}

// TestExportCompany exports everything to a zip and into a directory.
func TestExportCompany(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	folder := t.TempDir()
	archive, unpacked := filepath.Join(folder, "all.zip"), filepath.Join(folder, "all")
	for _, to := range []string{archive, unpacked} {
		exit, out, told := p.guerdon("fin", "export", to)
		require.Zero(t, exit, told)
		require.Contains(t, out, "Written to "+to)
	}
	content, err := os.ReadFile(filepath.Join(unpacked, "transactions.csv"))
	require.NoError(t, err)
	require.Contains(t, string(content), "D-ann,1,2026-01-10,1234.5,USD")
	content, err = os.ReadFile(filepath.Join(unpacked, "plans", "p-1.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(content), "plan: p")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 2, "nothing else is left behind")
	for name, c := range map[string]struct{ as, to, says string }{
		"something is there": {"fin", archive, "there is something at " + archive + " already"},
		"a rep":              {"ann", filepath.Join(folder, "ann"), "none of your roles may read everything"},
	} {
		exit, _, told := p.guerdon(c.as, "export", c.to)
		require.Equal(t, 1, exit, name)
		require.Contains(t, told, c.says, name)
	}
	require.NoFileExists(t, filepath.Join(folder, "ann"))

	whole, err := os.ReadFile(archive)
	require.NoError(t, err)
	read, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	require.NoError(t, err)
	within, err := read.File[0].DataOffset()
	require.NoError(t, err)
	for name, change := range map[string]func([]byte) []byte{
		"cut short": func(b []byte) []byte { return b[:len(b)/2] },
		"changed":   func(b []byte) []byte { b[within+5] ^= 1; return b },
	} {
		surface := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(change(bytes.Clone(whole))) }))
		exit, _, told := guerdon(t, "--api-url", surface.URL, "--token", "x", "export", filepath.Join(folder, "broken.zip"))
		surface.Close()
		require.Equal(t, 1, exit, name)
		require.Contains(t, told, "the export broke off or was changed on its way", name)
		require.NoFileExists(t, filepath.Join(folder, "broken.zip"))
	}
}

// TestVerifyTheDatabase proves a company from its database, and says what fails when
// somebody has changed it.
func TestVerifyTheDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ tamper, says string }{
		"nothing":          {"", "Calculated anew, 3 statements are the same"},
		"a fact":           {"UPDATE transaction SET amount = 1", "FAILED: m-2026-01, revision 1: the records of snapshot 1 have changed since they were frozen"},
		"a statement":      {"UPDATE line SET amount_minor = amount_minor + 1", "FAILED: m-2026-01, revision 1: the stored statement of ann is not what the snapshot gives"},
		"snapshot and run": {"UPDATE audit_event SET body = '{}' WHERE act = 'calculate'", "FAILED: m-2026-01, revision 1: the audit chain names no snapshot"},
		"the chain":        {"UPDATE audit_event SET actor = 'x' WHERE number = 3", "FAILED: the books: link 3 of the audit chain has been altered (audit-chain-broken)"},
		"a closed period":  {"UPDATE period_revision SET state = 'closed'", "FAILED: m-2026-01, revision 1: the period is closed and its history is not archived yet"},
		"a cancelled one":  {"UPDATE period_revision SET state = 'cancelled'", "FAILED: m-2026-01, revision 1: the period is cancelled and its history is not archived yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publishMonth(t)
			if c.tamper != "" {
				storetest.Exec(t, p.database, "SET search_path TO guerdon; SET session_replication_role = replica; "+c.tamper)
			}
			exit, out, told := guerdon(t, "verify", "--database-url", p.database)
			require.Contains(t, out, c.says, told)
			if c.tamper != "" {
				require.Equal(t, 1, exit)
				return
			}
			require.Zero(t, exit)
			require.Contains(t, out, "The audit chain is whole")
			require.Contains(t, out, "Not proved:\n  - that the facts were true")
			exit, out, _ = guerdon(t, "--json", "verify", month, "--database-url", p.database)
			require.Zero(t, exit)
			var answer struct {
				Periods []struct {
					Statements int
					Histories  *int
				}
				Journal  *int  `json:"journal_entries"`
				Links    int64 `json:"audit_links"`
				Failures []failure
			}
			require.NoError(t, json.Unmarshal([]byte(out), &answer))
			require.Equal(t, 3, answer.Periods[0].Statements)
			require.Zero(t, *answer.Periods[0].Histories)
			require.Zero(t, *answer.Journal)
			require.Positive(t, answer.Links)
			require.Empty(t, answer.Failures)
		})
	}
}
