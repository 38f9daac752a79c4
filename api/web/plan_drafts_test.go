package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPlanDraft takes a plan of the gallery to a version in force: what is wrong is said at
// its line, its examples are calculated, and its cost is seen before.
func TestPlanDraft(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin := h.as("admin")
	admin.does("/plan-drafts", "/plan-drafts", url.Values{"from": {"gross-margin"}, "plan": {"margin-2026"}, "name": {"Margin: new"}, "currency": {"IDR"}}, "plan: margin-2026")
	at := regexp.MustCompile(`href="(/plan-drafts/[0-9a-f-]{36})"`).FindStringSubmatch(admin.visit("/plan-drafts"))
	require.NotNil(t, at)
	first := at[1]
	page := admin.visit(first)
	require.Contains(t, page, "name: &#34;Margin: new&#34;")
	require.Contains(t, page, "currency: IDR")
	require.Contains(t, page, "its example pays what it says")

	// A version of a plan that is in force, changed.
	admin.does("/plans/p/versions/1", "/plan-drafts", url.Values{"plan": {"p"}, "version": {"1"}}, "The draft is kept.")
	at = regexp.MustCompile(`href="(/plan-drafts/[0-9a-f-]{36})">p<`).FindStringSubmatch(admin.visit("/plan-drafts"))
	require.NotNil(t, at)
	draft := at[1]
	document := "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Commission, measure: {sum: credits}, rate: 6%}]\n"
	admin.does(draft, draft, url.Values{"form": {"keep"}, "version": {"1"}, "document": {strings.Replace(document, "sum: credits", "sum: clouds", 1)}}, "Line 5, column")
	admin.does("/account", "/account/settings", url.Values{"language": {"id"}, "messages": {"daily"}}, "Pengaturan Anda disimpan.")
	require.Contains(t, admin.visit(draft), "sebut atribut transaksi, misalnya transaction.margin")
	require.Contains(t, admin.visit(first), "Tiap komponen dibulatkan sekali, setengah menjauhi nol.", "the plan is read back in the language too")
	admin.does("/account", "/account/settings", url.Values{"language": {"en"}, "messages": {"daily"}}, "Your settings are kept.")
	require.NotContains(t, admin.visit(draft), `name="effective_from"`, "what is wrong cannot be put into force")
	status, text := admin.fill(draft, draft, url.Values{"form": {"activate"}, "effective_from": {"2026-02-01"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, text)
	status, text = admin.fill(draft, draft, url.Values{"form": {"keep"}, "version": {"1"}, "document": {document}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "has kept this draft since you read it")
	require.Contains(t, text, "rate: 6%", "what was written is not lost")
	admin.does(draft, draft, url.Values{"form": {"keep"}, "version": {"2"}, "document": {document}}, "The draft is kept.")
	page = admin.visit(draft)
	require.Contains(t, page, "What differs from version 1")
	require.Contains(t, page, "<del>")

	fin := h.as("fin")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	admin.does(draft, draft, url.Values{"form": {"cost"}, "period": {"m-2026-01"}}, "1,244.57\u00a0USD")
	status, text = admin.fill(draft, draft, url.Values{"form": {"cost"}, "period": {"m-2027-01"}})
	require.Equal(t, http.StatusNotFound, status, text)
	status, _ = fin.send(http.MethodGet, "/plan-drafts", nil)
	require.Equal(t, http.StatusForbidden, status)
	admin.does(draft, draft, url.Values{"form": {"activate"}, "effective_from": {"2026-02-01"}}, "Plan P is kept as version 2.")
	status, _ = admin.send(http.MethodGet, draft, nil)
	require.Equal(t, http.StatusNotFound, status, "what is in force is no draft any more")
	admin.does(first, first, url.Values{"form": {"discard"}}, "The draft is discarded.")
	require.Contains(t, admin.visit("/plan-drafts"), "There is no draft.")
}
