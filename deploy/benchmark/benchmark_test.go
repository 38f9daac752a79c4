package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBenchmark runs a small size of it: the engine, in shards, comes to the same lines and
// contributions as the SQL written by hand.
func TestBenchmark(t *testing.T) {
	t.Parallel()
	var said []string
	o := options{People: 150, Transactions: 3000, CreditsPerShard: 700}
	require.NoError(t, o.run(t.Context(), func(line string) { said = append(said, line) }))
	require.Contains(t, said, "both have the same 150 statements, 600 lines and 7480 contributions, to the cent")
}

// TestPages asks for every page once, of a small company.
func TestPages(t *testing.T) {
	t.Parallel()
	var said []string
	o := pages{People: 160, Transactions: 800, Each: time.Millisecond, AtOnce: 1}
	require.NoError(t, o.Run(t.Context(), func(line string) { said = append(said, line) }))
	for _, page := range []string{"| rep | /live |", "| manager | /team |", "| finance | /cockpit |", "| administrator | /people |", "| auditor | /audit |"} {
		require.True(t, slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, page) }), page)
	}
}
