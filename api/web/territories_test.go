package web

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTerritoryPages shows territories and teams as they were on a day, and each over time.
func TestTerritoryPages(t *testing.T) {
	t.Parallel()
	h := published(t)
	admin := h.as("admin")
	status, text := admin.imports("records:\n  - {kind: territory, fields: {territory_id: id, effective_from: {constant: \"2026-01-01\"}, name: name, parent_id: parent}, attributes: {state: covers}}\n"+
		"  - {kind: territory_member, fields: {territory_id: id, participant_id: {constant: r1}, starts_on: {constant: \"2026-01-01\"}, role: {constant: rep}, share: {constant: 62.5%}}}\n"+
		"  - {kind: territory_quota, fields: {territory_id: id, measure: {constant: revenue}, starts_on: {constant: \"2026-01-01\"}, ends_on: {constant: \"2026-12-31\"}, amount: {constant: \"120000\"}}}\n",
		"id,name,parent,covers\nwest,<West>,us,CA; OR; 9*\nus,United States,,\n")
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "Every row was taken.")
	page := admin.visit("/territories?day=2026-01-31")
	require.Regexp(t, `(?s)United States</a>.*· </span><a href="/territories/west">&lt;West&gt;</a>.*state: CA; OR; 9\*`, page)
	require.Contains(t, admin.visit("/territories?day=2025-01-31"), "There is no territory or team on that day.")
	require.Contains(t, admin.visit("/territories?day=2026-01-31&kind=team"), "Nothing is like that.")
	page = admin.visit("/territories?day=2026-01-31&sort=-name&search=west")
	require.Contains(t, page, `<th scope="row"><a href="/territories/west">`, "sorted it is no tree")
	require.NotContains(t, page, "United States")
	require.Equal(t, [][]string{{"Name", "Id", "Type", "Below", "Covers", "Members"}, {"<West>", "west", "Territory", "us", "state: CA; OR; 9*", "1"}, {"United States", "us", "Territory", "", "", "1"}},
		admin.file("/territories?day=2026-01-31&sort=name&file=csv"))
	page = admin.visit("/territories/west")
	for _, part := range []string{"<h1>&lt;West&gt;</h1>", "62.5 %", "120,000", `<a href="/territories/us">us</a>`} {
		require.Contains(t, page, part)
	}
	status, _ = admin.send(http.MethodGet, "/teams/west", nil)
	require.Equal(t, http.StatusNotFound, status, "a territory is no team")
}
