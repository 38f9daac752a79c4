package web

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDecidingByFile downloads a queue, fills it in and sends it back: all of it is taken, or
// nothing, and what is wrong is said row by row.
func TestDecidingByFile(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	status, text := h.as("admin").imports(`records: [{kind: participant, fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: name, manager_id: manager, country: {constant: US}, pay_currency: {constant: USD}}}]`,
		"id,name,manager\nr2,=R Two,m\n")
	require.Equal(t, http.StatusOK, status, text)
	h.calculated()
	fin, m := h.as("fin"), h.as("m")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	fin.does(at, at, url.Values{"act": {"end-window"}}, "with their approvers")
	rows := m.file(at + "/approvals?file=csv&sort=name")
	require.Len(t, rows, 3)
	column := map[string]int{}
	for i, head := range rows[0] {
		column[head] = i
	}
	send := func(separator rune, change func(rows [][]string)) (int, string) {
		t.Helper()
		filled := [][]string{}
		for _, row := range rows {
			filled = append(filled, append([]string{}, row...))
		}
		change(filled)
		var content strings.Builder
		content.WriteString("\ufeff")
		w := csv.NewWriter(&content)
		w.Comma = separator
		require.NoError(t, w.WriteAll(filled))
		return m.uploads(at+"/approvals", at+"/approvals/file", url.Values{"queue": {""}}, attached{"queue.csv", content.String()})
	}
	for want, change := range map[string]func(rows [][]string){
		"the file decides nothing":                 func([][]string) {},
		"maybe is no decision":                     func(r [][]string) { r[1][column["Decision"]] = "maybe" },
		"Only an approval needs no reason":         func(r [][]string) { r[1][column["Decision"]] = "rejected" },
		"has changed since the file":               func(r [][]string) { r[1][column["Decision"]], r[1][column["Digest"]] = "approved", "00" },
		"does not wait in this queue":              func(r [][]string) { r[1][column["Decision"]], r[1][column["Id"]] = "approved", "aud" },
		"comes twice":                              func(r [][]string) { r[1][column["Decision"]], r[2] = "approved", r[1] },
		"nobody decides about their own pay":       func(r [][]string) { r[1][column["Decision"]], r[1][column["Id"]] = "approved", "m" },
		"the file has no column Digest":            func(r [][]string) { r[0][column["Digest"]] = "Sum" },
		"nothing was decided, as some rows are wr": func(r [][]string) { r[1][column["Decision"]], r[2][column["Decision"]] = "approved", "no" },
	} {
		status, text := send(',', change)
		require.Equal(t, http.StatusBadRequest, status, want)
		require.Contains(t, strings.ToLower(text), strings.ToLower(want))
	}
	require.Contains(t, m.visit(at+"/approvals"), "2 statements", "nothing was decided")
	status, text = send(';', func(r [][]string) {
		r[1][column["Decision"]] = "Approved"
		r[2][column["Decision"]], r[2][column["Why"]] = "rejected", "a deal is missing"
	})
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "2 decided. 0 left.")
	after := m.file(at + "/approvals?file=csv&sort=decision")
	require.Equal(t, []string{"approved", "rejected"}, []string{after[1][column["Decision"]], after[2][column["Decision"]]})
	status, _ = h.as("r1").multipart(at+"/approvals/file", url.Values{"key": {"k"}}, attached{"queue.csv", "x"})
	require.Equal(t, http.StatusForbidden, status)
}
