package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// keep writes a file for a command to read.
func keep(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// TestQuarantine mends one row that an import could not take, and leaves another out.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	mapping := keep(t, "deals.yaml", "records: [{kind: transaction, fields: {source: {constant: crm}, transaction_id: ID, date: Day, amount: Amount, currency: {constant: USD}}}]\n")
	exit, out, told := p.guerdon("fin", "import", mapping, keep(t, "deals.csv", "ID,Day,Amount\nD1,2026-02-01,12x\nD2,2026-02-02,5\nD3,2026-02-30,7\n"))
	require.Equal(t, 1, exit, told)
	found := regexp.MustCompile(`2 quarantined \(import (\S+)\)`).FindStringSubmatch(out)
	require.NotNil(t, found, out)
	id := found[1]

	_, out, _ = p.guerdon("fin", "quarantine", "list")
	require.Contains(t, out, id)
	require.Contains(t, out, "2 wait")
	_, out, _ = p.guerdon("fin", "quarantine", "show", id)
	require.Contains(t, out, `column Amount, "12x": a number is written such as`)
	rows := regexp.MustCompile(`row (\d+), deals.csv`).FindAllStringSubmatch(out, -1)
	require.Len(t, rows, 2, out)

	exit, _, told = p.guerdon("fin", "quarantine", "retry", id, "--row", rows[0][1], "--set", "Sum=12")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "with one of ID, Day, Amount")
	exit, _, told = p.guerdon("fin", "quarantine", "retry", id, "--set", "Amount=12")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "--row ROW")
	exit, out, told = p.guerdon("fin", "quarantine", "retry", id, "--row", rows[0][1], "--set", "Amount=12")
	require.Equal(t, 0, exit, told)
	require.Contains(t, out, "1 taken, 0 still wait")
	exit, out, _ = p.guerdon("fin", "quarantine", "retry", id)
	require.Equal(t, 1, exit, "nothing has changed about the other")
	require.Contains(t, out, "0 taken, 1 still wait")
	exit, out, told = p.guerdon("fin", "quarantine", "leave-out", id, rows[1][1], "--reason", "there is no such day")
	require.Equal(t, 0, exit, told)
	require.Contains(t, out, "0 still wait")
	exit, _, _ = p.guerdon("ann", "quarantine", "list")
	require.Equal(t, 1, exit, "reps import nothing")
}

// TestPlanDrafts writes a draft in two versions, and discards it.
func TestPlanDrafts(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	require.NoError(t, p.Grant(t.Context(), "fin", "lead", []incentive.Role{incentive.Administrator}))
	document := "language: 1\nplan: growth\nname: Growth\ncurrency: USD\ncomponents: [{name: Own, measure: {sum: credits}, rate: 10%}]\n"
	exit, out, told := p.guerdon("lead", "plan", "draft", "begin", keep(t, "draft.yaml", "plan: growth\n"))
	require.Equal(t, 0, exit, told)
	id := strings.Fields(out)[0]
	exit, _, told = p.guerdon("lead", "plan", "draft", "put", id, keep(t, "draft.yaml", document), "--version", "1")
	require.Equal(t, 0, exit, told)
	exit, _, told = p.guerdon("lead", "plan", "draft", "put", id, keep(t, "draft.yaml", document), "--version", "1")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "has kept this draft since you read it")
	_, out, _ = p.guerdon("lead", "plan", "draft", "show", id)
	require.Equal(t, document, out)
	_, out, _ = p.guerdon("lead", "plan", "draft", "list")
	require.Contains(t, out, id)
	exit, _, told = p.guerdon("lead", "plan", "draft", "discard", id)
	require.Equal(t, 0, exit, told)
	_, out, _ = p.guerdon("lead", "plan", "draft", "list")
	require.NotContains(t, out, id)
	_, out, _ = p.guerdon("lead", "plan", "explain", keep(t, "plan.yaml", document), "--language", "id")
	require.Contains(t, out, "Own: membayar 10% dari yang dikreditkan.")
}

// TestDocuments says where documents go, and what there is none of.
func TestDocuments(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	to := filepath.Join(t.TempDir(), "ann.pdf")
	exit, _, told := p.guerdon("ann", "statement", month, "ann", "--pdf", to)
	require.Equal(t, 0, exit, told)
	content, err := os.ReadFile(to)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(content), "%PDF-"))
	exit, _, told = p.guerdon("ann", "statement", month, "ann", "--certificate", "1")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "--pdf FILE")
	exit, _, told = p.guerdon("ann", "statement", month, "ann", "--certificate", "1", "--pdf", to)
	require.Equal(t, 1, exit, "a rate of all credits is no achievement")
	require.NotEmpty(t, told)
	exit, _, told = p.guerdon("ann", "payout", "advice", "nothing", "--pdf", to)
	require.Equal(t, 1, exit)
	require.Contains(t, told, "no payout")
}
