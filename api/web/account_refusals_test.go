package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
)

// toTheBank has the statements of January approved, once its dispute window is over, and its payouts released and taken
// to the bank in one file.
func (h *house) toTheBank() (file string) {
	h.Helper()
	m, fin2, fin3 := h.as("m"), h.as("fin2"), h.as("fin3")
	const at = "/periods/m-2026-01"
	m.does(at+"/approvals", at+"/approvals", url.Values{"decision": {"approved"}, "statement": {statementOf.FindStringSubmatch(m.visit(at + "/approvals"))[1]}}, "1 approved. 0 left.")
	fin3.does(at+"/approvals?queue=finance", at+"/approvals", url.Values{"queue": {"finance"}, "decision": {"approved"}, "statement": {statementOf.FindStringSubmatch(fin3.visit(at + "/approvals?queue=finance"))[1]}}, "1 approved. 0 left.")
	fin2.does(at+"/release", at+"/release", url.Values{"digest": {digestOf.FindStringSubmatch(fin2.visit(at + "/release"))[1]}}, "The payouts are released.")
	file = fileOf.FindStringSubmatch(fin2.visit(at + "/files"))[1]
	fin2.does(at+"/files", at+"/files", url.Values{"file": {file}}, "Sent by Finn")
	return file
}

// TestMyAccountIsRight has a rep read that a payment came back because of their account, and say that it is right:
// then it is paid again, and there is nothing more to say.
func TestMyAccountIsRight(t *testing.T) {
	t.Parallel()
	h := published(t)
	const at = "/periods/m-2026-01"
	h.as("fin").does(at, at, url.Values{"act": {"end-window"}}, "with their approvers")
	h.toTheBank()
	r1 := h.as("r1")
	const button = "This account is right"
	require.NotContains(t, r1.visit("/account"), button)
	all, err := h.store.Payouts(t.Context(), "m-2026-01", 1, []string{"r1"}, "", 1)
	require.NoError(t, err)
	back, err := h.store.KeepStatusFile(t.Context(), store.StatusFile{Rail: "payment-file", Name: "back", UploadedBy: "fin2"}, []byte("back"))
	require.NoError(t, err)
	require.NoError(t, h.store.ApplyOutcomes(t.Context(), back.ID, []store.PayoutOutcome{{PayoutID: all[0].ID, State: "returned", Code: "AC04", Amount: all[0].Amount, BadAccount: true}}))

	require.Contains(t, r1.visit("/notifications"), `href="/account"`, "who is told is led there")
	page := r1.visit("/account")
	require.Contains(t, page, "AC04")
	require.Contains(t, page, button)
	method := regexp.MustCompile(`action="/account/confirmation">.*name="method" value="(\d+)"`).FindStringSubmatch(page)
	require.NotNil(t, method)
	for _, other := range []string{"r2", "fin"} {
		status, text := h.as(other).fill("/account", "/account/confirmation", url.Values{"method": {method[1]}})
		require.Contains(t, []int{http.StatusNotFound, http.StatusForbidden}, status, "%s: %s", other, text)
	}
	require.Contains(t, r1.visit("/account"), button)
	status, _ := r1.fill("/account", "/account/confirmation", url.Values{"method": {"none"}})
	require.Equal(t, http.StatusNotFound, status)
	r1.does("/account", "/account/confirmation", url.Values{"method": {method[1]}}, "Payments go to this account again.")
	page = r1.visit("/account")
	require.NotContains(t, page, button)
	require.NotContains(t, page, "AC04")
	status, text := r1.fill("/account", "/account/confirmation", url.Values{"method": {method[1]}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "That did not work.")
	require.Contains(t, h.as("aud").visit("/audit?subject=participant/r1"), "Account said to be right")
}
