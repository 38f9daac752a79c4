package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWithoutAPI runs what needs no API, and looks at what is said of bad input.
func TestWithoutAPI(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good := filepath.Join("..", "..", "docs", "plans", "channel-manager.yaml")
	bad := write("bad.yaml", "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: c, bonus: x}]\n")
	failing := write("failing.yaml", "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: c, bonus: 1}]\nexamples:\n  - {name: e, pays: {c: 2}}\n")
	raised := write("raised.yaml", "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: c, bonus: 2}, {name: d, bonus: 3}]\n")
	for name, c := range map[string]struct {
		arguments []string
		exit      int
		out, told string
	}{
		"help":            {[]string{"--help"}, 0, "The pay period:", ""},
		"no command":      {nil, 2, "", "expected one of"},
		"unknown command": {[]string{"pay"}, 2, "", "unexpected argument pay"},
		"check":           {[]string{"plan", "check", good, bad}, 1, "plan channel-manager is good", bad + `:5:31: "x" is not a number`},
		"test":            {[]string{"plan", "test", good}, 0, "pays what its 2 examples say", ""},
		"failing test":    {[]string{"plan", "test", failing}, 1, "", `line 7: example "e": c pays 1.00, not 2`},
		"explain":         {[]string{"plan", "explain", good}, 0, `Partner sales: pays, of what is credited, 2% where partner tier is "gold"; 1.5% where partner tier is "silver"; 1% of all other credits. It pays no more than 6,000.`, ""},
		"diff":            {[]string{"plan", "diff", failing, raised}, 0, "c is changed.\n  was: pays 1.\n  is:  pays 2.\nd is new.\n  is:  pays 3.\n", ""},
		"diff back":       {[]string{"plan", "diff", raised, failing}, 0, "d is gone.\n  was: pays 3.\n", ""},
		"no difference":   {[]string{"plan", "diff", good, good}, 0, "The two pay the same.", ""},
		"diff of a draft": {[]string{"plan", "diff", good, bad}, 1, "", bad + `:5:31`},
		"simulate":        {[]string{"plan", "simulate", bad, "m-2026-01"}, 1, "", bad + `:5:31`},
		"schema":          {[]string{"plan", "schema"}, 0, `"$schema"`, ""},
		"policy schema":   {[]string{"policy", "schema"}, 0, `"$schema"`, ""},
		"policy check":    {[]string{"policy", "check", "../../docs/policies/large-company.yaml"}, 0, "the policy is good", ""},
		"nobody":          {[]string{"me"}, 1, "", "say who you are"},
		"no session":      {[]string{"--as", "../../x", "me"}, 1, "", "there is no session of ../../x"},
		"no API":          {[]string{"--api-url", "http://127.0.0.1:1", "--token", "x", "me"}, 1, "", "the API does not answer"},
		"what type":       {[]string{"dispute", "raise", "p", "mood", "1", "USD", "--comment", "x"}, 2, "", "mood"},
		"half a deal":     {[]string{"--token", "x", "dispute", "raise", "p", "missing", "1", "USD", "--comment", "x", "--transaction", "d1"}, 1, "", "SOURCE/ID"},
		"half a change":   {[]string{"dispute", "accept", "d", "--text", "x", "--change", "d1"}, 1, "", "KIND:ID"},
		"no such file":    {[]string{"--token", "x", "dispute", "evidence", "d", "/nowhere"}, 1, "", "/nowhere"},
		"no database":     {[]string{"verify", "p"}, 1, "", `there is no file "p", and a period is proved from the database: set DATABASE_URL`},
		"below zero":      {[]string{"--api-url", "http://127.0.0.1:1", "--token", "x", "adjust", "--reason", "x", "--", "p", "r", "-1.50", "USD"}, 1, "", "the API does not answer"},
		"half a cent":     {[]string{"adjust", "p", "r", "0.005", "USD", "--reason", "x"}, 1, "", "0.005"},
		"unknown type":    {[]string{"adjust", "p", "r", "1", "USD", "--reason", "x", "--type", "gift"}, 2, "", "gift"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, told bytes.Buffer
			require.Equal(t, c.exit, run(t.Context(), c.arguments, &out, &told), told.String())
			require.Contains(t, out.String(), c.out)
			require.Contains(t, told.String(), c.told)
		})
	}
}
