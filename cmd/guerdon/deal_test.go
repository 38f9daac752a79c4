package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeals enters, corrects and withdraws deals with their files, and decides about them.
func TestDeals(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	id := regexp.MustCompile(`[0-9a-f-]{36}`)
	does := func(who string, says string, arguments ...string) string {
		t.Helper()
		exit, out, told := p.guerdon(who, arguments...)
		require.Zero(t, exit, told)
		require.Regexp(t, says, out)
		return id.FindString(out)
	}
	refused := func(who string, says string, arguments ...string) {
		t.Helper()
		exit, _, told := p.guerdon(who, arguments...)
		require.Equal(t, 1, exit)
		require.Contains(t, told, says)
	}
	first := does("ann", `2026-01-20\s+1200\.5 USD\s+waiting for lead\s+customer=Acme\s+product=platform\s+region=west\s+by hand`,
		"deal", "enter", "2026-01-20", "1200.50", "USD", "--product", "platform", "--customer", "Acme", "--attribute", "region=west", "--note", "by hand")
	does("ann", `1300 USD`, "deal", "correct", first, "2026-01-21", "1300", "USD")
	file := filepath.Join(t.TempDir(), "order.txt")
	require.NoError(t, os.WriteFile(file, []byte("the order"), 0o600))
	added := does("ann", `order\.txt`, "deal", "file", first, file)
	does("lead", `file `+added+` order\.txt`, "deal", "show", first)
	saved := filepath.Join(t.TempDir(), "saved.txt")
	does("lead", "", "deal", "file", first, saved, "--save", added)
	content, err := os.ReadFile(saved)
	require.NoError(t, err)
	require.Equal(t, "the order", string(content))

	second := does("ann", "waiting", "deal", "enter", "2026-01-22", "10", "USD")
	third := does("ann", "waiting", "deal", "enter", "2026-01-23", "11", "USD")
	does("ann", "withdrawn", "deal", "withdraw", third)
	refused("bob", "there is no entered deal", "deal", "show", first)
	refused("ann", "may decide deals", "deal", "approve", first)
	does("lead", first, "deals", "--waiting")
	does("lead", `approved by lead`, "deal", "approve", first)
	does("lead", `rejected by lead`, "deal", "reject", second, "--reason", "no order")
	does("ann", `withdrawn`, "deals", "ann")
	refused("ann", "the deal is approved", "deal", "withdraw", first)

	_, err = p.PutPolicy(t.Context(), "fin", "m", "deals: {entered: false}")
	require.NoError(t, err)
	refused("ann", "deals are not entered by people here", "deal", "enter", "2026-01-22", "10", "USD")
}

// TestReliefs relieves somebody of a part of a quota, revises it and takes it back.
func TestReliefs(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	relieve := func(who string, more ...string) (int, string) {
		exit, out, told := p.guerdon(who, append([]string{"relieve", "ann", "bookings", "2026-01-05", "2026-01-09", "--cause", "leave", "--reason", "a week off"}, more...)...)
		return exit, out + told
	}
	for _, c := range []struct {
		who  string
		more []string
		exit int
		says string
	}{
		{"fin", nil, 2, "--share"},
		{"fin", []string{"--share", "50%", "--amount", "1"}, 2, "--share"},
		{"fin", []string{"--share", "150%"}, 1, "between 0 and 1"},
		{"lead", []string{"--share", "50%"}, 1, "may import data"},
		{"fin", []string{"--share", "50%"}, 0, "added"},
	} {
		exit, said := relieve(c.who, c.more...)
		require.Equal(t, c.exit, exit, said)
		require.Contains(t, said, c.says)
	}
	exit, out, told := p.guerdon("fin", "reliefs", "ann", "--on", "2026-01-07")
	require.Zero(t, exit, told)
	require.Regexp(t, `ann\s+Name of ann\s+bookings\s+2026-01-05\s+2026-01-09\s+leave\s+share 0\.5`, out)
	exit, said := relieve("fin", "--share", "0")
	require.Zero(t, exit, said)
	exit, out, _ = p.guerdon("fin", "reliefs")
	require.Zero(t, exit)
	require.Empty(t, out)
}

// TestProposedReliefs lets a manager propose reliefs, and finance decide.
func TestProposedReliefs(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	said := func(exit int, says, who string, arguments ...string) string {
		t.Helper()
		got, out, told := p.guerdon(who, append([]string{"relief"}, arguments...)...)
		require.Equal(t, exit, got, out+told)
		require.Regexp(t, says, out+told)
		return strings.SplitN(out, " ", 2)[0]
	}
	of := func(from string) []string {
		return []string{"propose", "ann", "bookings", from, "2026-01-09", "--cause", "leave", "--reason", "a week off", "--share", "50%"}
	}
	said(1, "none of your roles may", "ann", of("2026-01-05")...)
	said(1, "comes before the first", "lead", of("2026-01-10")...)
	first := said(0, `ann\s+Name of ann\s+bookings\s+2026-01-05\s+2026-01-09\s+leave\s+share 0\.5\s+by lead\s+waiting\s+a week off`, "lead", of("2026-01-05")...)
	second := said(0, "waiting", "lead", of("2026-01-06")...)
	third := said(0, "waiting", "lead", of("2026-01-07")...)
	said(1, "none of your roles may", "lead", "grant", first)
	said(0, "granted by fin", "fin", "grant", first)
	said(0, `refused by fin\s+a week off\s+too late`, "fin", "refuse", second, "--reason", "too late")
	said(0, "withdrawn by lead", "lead", "withdraw", third)
	said(0, `^$`, "fin", "proposals", "--waiting")
	said(0, `(?s)withdrawn.*refused.*granted`, "lead", "proposals", "ann")
	exit, out, told := p.guerdon("lead", "reliefs", "ann")
	require.Zero(t, exit, told)
	require.Regexp(t, `bookings\s+2026-01-05`, out, "a manager sees those of their team")
}
