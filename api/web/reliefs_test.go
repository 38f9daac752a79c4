package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reliefForm fills the form of a relief in, with changes to it by the names of fields.
func reliefForm(reason string) func(change ...string) url.Values {
	return func(change ...string) url.Values {
		form := url.Values{"participant_id": {"r1"}, "measure": {"sales"}, "starts_on": {"2026-01-12"}, "ends_on": {"2026-01-21"}, "cause": {"leave"}, "share": {"50"}, "reason": {reason}}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		return form
	}
}

// TestReliefs takes a part of a rep's quota off on a page, revises it on another and takes it back;
// the rep's statement says what was taken off.
func TestReliefs(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin, fin, r1 := h.as("admin"), h.as("fin"), h.as("r1")
	admin.does("/plans", "/plans", url.Values{"document": {"language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Commission, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{up_to: 100%, rate: 5%}, {rate: 10%}]}}]\n"}, "effective_from": {"2026-01-01"}}, "Plan P is kept as version 2.")
	fin.does("/quotas", "/quotas", url.Values{"participant_id": {"r1"}, "measure": {"sales"}, "starts_on": {"2026-01-01"}, "ends_on": {"2026-01-31"}, "amount": {"31000"}}, "31,000")
	require.Contains(t, fin.visit("/reliefs"), "Nobody is relieved")
	relief := reliefForm("parental leave")
	for says, form := range map[string]url.Values{
		"ay why":                        relief("reason", ""),
		"one of the two":                relief("amount", "10"),
		"comes before the first":        relief("ends_on", "2026-01-11"),
		"lies between 0 and 1":          relief("share", "101"),
		"obody relieves themselves":     relief("participant_id", "fin"),
		"here is no participant ghost:": relief("participant_id", "ghost"),
	} {
		status, text := fin.fill("/reliefs", "/reliefs", form)
		require.GreaterOrEqual(t, status, 400, says)
		require.Contains(t, text, says)
	}
	fin.does("/reliefs", "/reliefs", relief(), "It is recorded.")
	page := fin.visit("/reliefs")
	require.Contains(t, page, "50 %")
	require.Contains(t, page, "Leave")
	require.NotContains(t, h.as("aud").visit("/reliefs"), "Take it back")
	status, _ := r1.send(http.MethodGet, "/reliefs", nil)
	require.Equal(t, http.StatusForbidden, status, "of everybody")

	person := "/people/r1"
	require.Contains(t, fin.visit(person), "50 %")
	fin.does(person, person, relief("form", "relief", "share", "100"), "100 %")
	fin.does(person, person, relief("form", "relief", "starts_on", "2026-01-01", "ends_on", "2026-01-31", "cause", "account", "share", "", "amount", "3,100.50"), "3,100.5")
	fin.does("/reliefs", "/reliefs", relief("starts_on", "2026-01-01", "ends_on", "2026-01-31", "cause", "account", "share", "", "amount", "3100.5", "act", "take-back"), "It is recorded.")
	require.NotContains(t, fin.visit("/reliefs"), "3,100.5")
	require.Contains(t, fin.visit("/reliefs?file=csv"), "R <One>,r1,sales,2026-01-12,2026-01-21,Leave,,1")

	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	fin.does(at, at, url.Values{"act": {"lock"}}, "the statements are being calculated.")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	statement := r1.visit(at + "/statements/r1")
	require.Contains(t, statement, "relief of quota sales (leave) from 2026-01-12 to 2026-01-21: 10,000 × 1, less 10,000")
	require.Contains(t, statement, "123,456.78 ÷ 21,000")
}

// TestProposedReliefs go from a manager's page over that of finance to an estimate and a statement.
func TestProposedReliefs(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin, fin, m, r1 := h.as("admin"), h.as("fin"), h.as("m"), h.as("r1")
	admin.does("/plans", "/plans", url.Values{"document": {"language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Commission, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{up_to: 100%, rate: 5%}, {rate: 10%}]}}]\n"}, "effective_from": {"2026-01-01"}}, "Plan P is kept as version 2.")
	fin.does("/quotas", "/quotas", url.Values{"participant_id": {"r1"}, "measure": {"sales"}, "starts_on": {"2026-01-01"}, "ends_on": {"2026-01-31"}, "amount": {"31000"}}, "31,000")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	h.refresh()
	page := m.visit("/reliefs")
	require.Contains(t, page, "Propose a relief")
	require.Contains(t, page, `<option value="r1">`, "whom it may be for")
	require.NotContains(t, page, "Relieve somebody")
	require.Contains(t, m.visit("/"), `href="/reliefs"`, "in the menu")
	relief := reliefForm("parental <leave>")
	for says, form := range map[string]url.Values{
		"one of the two":         relief("amount", "10"),
		"comes before the first": relief("ends_on", "2026-01-11"),
		"lies between 0 and 1":   relief("share", "101"),
		"may not do this":        relief("participant_id", "fin"),
		"own quota":              relief("participant_id", "m"),
	} {
		status, text := m.fill("/reliefs", "/reliefs/proposals", form)
		require.GreaterOrEqual(t, status, 400, says)
		require.Contains(t, text, says)
		require.Contains(t, text, "parental &lt;leave&gt;</textarea>", "what was written stays")
	}
	status, _ := r1.send(http.MethodPost, "/reliefs/proposals", relief())
	require.Equal(t, http.StatusForbidden, status)
	proposed := func(form url.Values) string {
		t.Helper()
		m.does("/reliefs", "/reliefs/proposals", form, "The relief is proposed, and waits for finance.")
		return regexp.MustCompile(`action="(/reliefs/proposals/[0-9a-f-]{36})"`).FindStringSubmatch(fin.visit("/reliefs"))[1]
	}
	first := proposed(relief())
	require.Contains(t, fin.visit("/"), "1 proposed relief of a quota waits for finance")
	require.Contains(t, fin.visit("/notifications"), "A relief of a quota of R &lt;One&gt; was proposed")
	page = fin.visit("/reliefs")
	for _, says := range []string{"1 proposed relief waits for finance", "parental &lt;leave&gt;", "50 %", "Grant it"} {
		require.Contains(t, page, says)
	}
	status, text := m.fill("/reliefs", first, url.Values{"act": {"granted"}})
	require.Equal(t, http.StatusForbidden, status, text)
	status, text = fin.fill("/reliefs", first, url.Values{"act": {"refused"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "a refusal needs a reason")
	fin.does("/reliefs", first, url.Values{"act": {"granted"}}, "The relief is granted, and counts.")
	require.NotContains(t, fin.visit("/"), "waits for finance")
	require.Contains(t, m.visit("/notifications"), "The relief that you proposed for R &lt;One&gt; has been granted.")
	require.Contains(t, fin.visit("/audit"), "Proposed relief granted")

	second := proposed(relief("starts_on", "2026-01-22", "ends_on", "2026-01-31", "share", "", "amount", "3,100.50"))
	fin.does("/reliefs", second, url.Values{"act": {"refused"}, "reason": {"no longer <away>"}}, "The relief is refused.")
	require.Contains(t, m.visit("/reliefs"), "no longer &lt;away&gt;")
	third := proposed(relief("starts_on", "2026-01-22", "ends_on", "2026-01-31", "share", "10"))
	m.does("/reliefs", third, url.Values{"act": {"withdrawn"}}, "The proposed relief is withdrawn.")

	fin.does(at, at, url.Values{"act": {"lock"}}, "the statements are being calculated.")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	require.Contains(t, r1.visit(at+"/statements/r1"), "relief of quota sales (leave) from 2026-01-12 to 2026-01-21: 10,000 × 0.5, less 5000")
}
