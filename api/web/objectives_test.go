package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestObjectives has a manager set and score what a rep then sees, until the period is locked.
func TestObjectives(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin, m, r1 := h.as("fin"), h.as("m"), h.as("r1")
	admin := h.as("admin")
	admin.does("/plans", "/plans", url.Values{"document": {"language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Objectives, measure: {objectives: all}, curve: {on: amount, of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}}]\n"}, "effective_from": {"2026-01-01"}}, "Plan P is kept as version 2.")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	h.refresh()
	require.Contains(t, r1.visit("/objectives"), "You have no objectives in this period.")
	at, form := "/objectives", func(score, reason string) url.Values {
		return url.Values{"period": {"m-2026-01"}, "person": {"r1"}, "name": {"Launch <x>"}, "weight": {"40.5"}, "score": {score}, "reason": {reason}}
	}
	require.Contains(t, m.visit(at), `<option value="r1">`)
	m.does(at, at, form("", ""), "The objective is kept.")
	require.Contains(t, r1.visit(at), "not scored yet")
	for name, page := range map[string]string{"r1": r1.visit(at), "m": m.visit(at), "alone": m.visit(at + "?period=m-2026-01&person=r1")} {
		require.Contains(t, page, "405.00\u00a0USD", "what it is worth before it is scored: %s", name)
	}
	status, _ := m.send(http.MethodGet, at+"?period=m-2026-01&person=r2", nil)
	require.Equal(t, http.StatusForbidden, status, "who is not in the team")
	var text string
	status, text = m.fill(at, at, form("90", ""))
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "A score needs a reason")
	m.does(at, at, form("90", "seen & heard"), "The objective is kept.")
	page := r1.visit(at)
	for _, part := range []string{"Launch &lt;x&gt;", "40.5 %", "90 %", "seen &amp; heard"} {
		require.Contains(t, page, part)
	}
	require.NotContains(t, page, "Set an objective")
	require.NotContains(t, h.as("r2").visit(at), "Launch", "somebody else's")
	status, _ = r1.send(http.MethodPost, at, form("100", "mine"))
	require.Equal(t, http.StatusForbidden, status)
	require.NotContains(t, m.visit("/"), "no score yet")
	m.does(at, at, url.Values{"period": {"m-2026-01"}, "person": {"r1"}, "name": {"Training"}, "weight": {"10"}}, "The objective is kept.")
	require.Contains(t, m.visit("/"), "One objective of January 2026 has no score yet.")
}
