package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store/storetest"
)

// postedMonth is a published month with two journal entries: one owes ann 123.45 USD at the
// month's end, one pays it three days later.
func postedMonth(t *testing.T) *published {
	t.Helper()
	p := publishMonth(t)
	storetest.Exec(t, p.database, `SET search_path TO guerdon;
		INSERT INTO ledger_account (kind, participant_id, rail, currency) VALUES ('commission expense', '', '', 'USD'), ('payable', 'ann', '', 'USD'), ('clearing', '', 'stripe', 'USD');
		INSERT INTO journal_entry (key, kind, period_id, revision, effective_on) VALUES ('approve/ann', 'approve', '`+month+`', 1, '2026-01-31'), ('submit/x', 'submit', '`+month+`', 1, '2026-02-03');
		INSERT INTO posting (entry_id, position, account_id, amount_minor, currency) VALUES (1, 0, 1, 12345, 'USD'), (1, 1, 2, -12345, 'USD'), (2, 0, 2, 12345, 'USD'), (2, 1, 3, -12345, 'USD')`)
	return p
}

// TestExportFiles writes every kind of file, and the same again by what the command says.
func TestExportFiles(t *testing.T) {
	t.Parallel()
	p := postedMonth(t)
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name+".csv") }
	again := regexp.MustCompile(`The same again: (.*)`)
	for name, c := range map[string]struct {
		arguments string
		holds     string
	}{
		"journal":     {"journal --from 2026-01-01 --to 2026-12-31", "2026-02-03,2-USD,submit,m-2026-01,1,clearing stripe,stripe,USD,,123.45\n"},
		"quickbooks":  {"journal --from 2026-01-31 --to 2026-01-31 --template quickbooks --currency USD", "1-USD,01/31/2026,payable,,123.45,"},
		"register":    {"register --from 2026-02-01 --to 2026-02-28", "2026-02-03,ann,Name of ann,employee,m-2026-01,1,USD,123.45,stripe,,,submitted,,,,x\n"},
		"year-end":    {"year-end 2026", "2026,ann,Name of ann,employee,US,USD,on its way,123.45\n"},
		"contractors": {"contractors 2026 --least 2000", "Year,Participant,Name,Country,Currency,Nonemployee compensation,Federal income tax withheld\n"},
		"costs":       {"contract-costs --from 2026-01-01 --to 2026-12-31 --longest 12", "Month,Contract,Currency,Opening,Capitalised,Amortised,Written off,Closing\n"},
	} {
		exit, out, told := p.guerdon("fin", append([]string{"export"}, strings.Fields(c.arguments+" -o "+at(name))...)...)
		require.Zero(t, exit, told)
		content, err := os.ReadFile(at(name))
		require.NoError(t, err)
		require.Contains(t, string(content), c.holds, name)
		repeat := again.FindStringSubmatch(out)
		require.NotNil(t, repeat, out)
		same := strings.Fields(c.arguments + " " + repeat[1] + " -o " + at("again"))
		exit, _, told = p.guerdon("fin", append([]string{"export"}, same...)...)
		require.Zero(t, exit, told)
		repeated, err := os.ReadFile(at("again"))
		require.NoError(t, err)
		require.Equal(t, string(content), string(repeated))
	}
	exit, _, told := p.guerdon("fin", "export", "payroll", month, "-o", at("payroll"))
	require.Equal(t, 1, exit)
	require.Contains(t, told, "payroll takes over a period once it is released (not-allowed-now)")
	require.NoFileExists(t, at("payroll"))
	exit, _, told = p.guerdon("lead", "export", "year-end", "2026", "-o", at("lead"))
	require.Equal(t, 1, exit)
	require.Contains(t, told, "none of your roles may read totals")

	surface := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Guerdon-File", `{"sha256":"`+strings.Repeat("0", 64)+`"}`)
		_, _ = w.Write([]byte("a,b\n"))
	}))
	defer surface.Close()
	exit, _, told = guerdon(t, "--api-url", surface.URL, "--token", "x", "export", "year-end", "2026", "-o", at("changed"))
	require.Equal(t, 1, exit)
	require.Contains(t, told, "the file broke off or was changed on its way")
	require.NoFileExists(t, at("changed"))
}

// TestBalanceAsOf sums the ledger up to the end of a day.
func TestBalanceAsOf(t *testing.T) {
	t.Parallel()
	p := postedMonth(t)
	for arguments, want := range map[string]string{
		"balance --as-of 2026-01-31":                          "commission expense debit 123.45 USD payable credit 123.45 USD The same again: --through 2",
		"balance --as-of 2026-02-28 --person ann":             "payable debit 0.00 USD The same again: --through 2",
		"balance --as-of 2026-02-28 --person ann --through 1": "payable credit 123.45 USD The same again: --through 1",
		"balances " + month + " --as-of 2026-01-30":           "The same again: --through 2",
		"balances": "clearing stripe credit 123.45 USD commission expense debit 123.45 USD payable debit 0.00 USD",
	} {
		exit, out, told := p.guerdon("fin", strings.Fields(arguments)...)
		require.Zero(t, exit, told)
		require.Equal(t, want, strings.Join(strings.Fields(out), " "), arguments)
	}
}

// TestTemplates checks, stores, lists and shows templates.
func TestTemplates(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	file := filepath.Join(t.TempDir(), "ours.yaml")
	const document = "template: ours\nof: register\ncolumns: [{heading: Who, field: name}]\n"
	require.NoError(t, os.WriteFile(file, []byte(document), 0o600))
	for _, c := range []struct{ arguments, says string }{
		{"template check " + file, "the template is good"}, {"template put " + file, "ours version 1"}, {"template list", "ours register version 1"},
		{"template show ours", "template: ours of: register"}, {"template show xero", "heading: \"*AccountCode\""},
	} {
		exit, out, told := p.guerdon("fin", strings.Fields(c.arguments)...)
		require.Zero(t, exit, told)
		require.Contains(t, strings.Join(strings.Fields(out), " "), c.says)
	}
	require.NoError(t, os.WriteFile(file, []byte(document+"rows: all\n"), 0o600))
	for _, command := range []string{"check", "put"} {
		exit, _, told := p.guerdon("fin", "template", command, file)
		require.Equal(t, 1, exit)
		require.Contains(t, told, "ours.yaml:4:1: a template has no \"rows\"")
	}
}
