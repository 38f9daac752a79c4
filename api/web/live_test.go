package web

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
)

// refresh calculates the estimates that changes touch.
func (h *house) refresh() {
	h.Helper()
	for done := false; !done; {
		var err error
		done, _, err = h.store.RefreshEstimates(h.Context(), time.Now())
		require.NoError(h, err)
	}
}

// TestLive is what a rep and a manager see of a period in which deals still count.
func TestLive(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin, fin, m, r1 := h.as("admin"), h.as("fin"), h.as("m"), h.as("r1")
	require.Contains(t, r1.visit("/live"), "No period is open")
	require.Contains(t, m.visit("/team"), "No period is open")
	admin.does("/plans", "/plans", url.Values{"document": {"language: 1\nplan: q\nname: Q\ncurrency: USD\ncomponents:\n  - name: Accelerator\n    measure: {sum: credits}\n    rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 0%}, {rate: 2%}]}\n  - name: Quota bonus\n    measure: {sum: credits}\n    bonus: 500\n    gate: {on: attainment, quota: sales, at_least: 100%}\n"}, "effective_from": {"2026-01-01"}}, "Plan Q is kept as version 1.")
	status, text := admin.imports(`records: [{kind: assignment, fields: {participant_id: id, plan_id: {constant: q}, calendar_id: {constant: m}, starts_on: {constant: "2026-01-01"}}}, {kind: quota, fields: {participant_id: id, measure: {constant: sales}, starts_on: {constant: "2026-01-01"}, ends_on: {constant: "2026-01-31"}, amount: {constant: 200000}}}]`, "id\nr1\n")
	require.Equal(t, http.StatusOK, status, text)
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	require.Contains(t, r1.visit("/live"), "You are on no plan in January 2026, or it has just been opened")
	h.refresh()

	live := r1.visit("/live")
	require.Contains(t, live, "6,172.84\u00a0USD")
	require.Contains(t, live, "123,456.78 of 200,000.")
	require.Contains(t, live, "61 %")
	require.Contains(t, live, "76,543.22 to the next step, which is worth 500.00\u00a0USD.")
	require.Contains(t, live, "76,543.22 to the next step, beyond which deals pay another rate.")
	require.Contains(t, live, "6,172.84\u00a0USD by deals up to today, 0.00\u00a0USD by those dated later")
	r1.does("/live", "/live", url.Values{"amounts": {"76,543.22 1000"}}, "4,397.16\u00a0USD more: 10,570.00\u00a0USD in all.")
	status, text = r1.fill("/live", "/live", url.Values{"amounts": {"much"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "with a blank between them: much is none.")
	require.Contains(t, text, `value="much"`, "what was written stays written")
	r1.does("/account", "/account/settings", url.Values{"language": {"id"}, "messages": {"daily"}}, "Pengaturan Anda disimpan.")
	r1.does("/live", "/live", url.Values{"amounts": {"76.543,22 1.000"}}, "4.397,16\u00a0USD lebih banyak")
	r1.does("/account", "/account/settings", url.Values{"language": {"en"}, "messages": {"daily"}}, "Your settings are kept.")

	team := m.visit("/team")
	require.Contains(t, team, "100 % of January 2026 is over. One person is behind that with their quota.")
	require.Contains(t, team, "R &lt;One&gt;")
	require.Contains(t, team, "76,544 behind the pace of the period.")
	require.NotContains(t, team, "R Two", "somebody else's")
	require.NotContains(t, r1.visit("/"), `href="/team"`)
	for _, path := range []string{"/live", "/live/events", "/team", "/team/r1"} {
		status, _ := admin.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusForbidden, status, path)
	}

	// Whom a manager asks about is opened from the team, by the bar or the name.
	require.Regexp(t, `(?s)<svg class="lying" role="group".*<a href="/team/r1"><g`, m.visit("/team"))
	require.Contains(t, m.visit("/team"), `<th scope="row"><a href="/team/r1">R &lt;One&gt;</a>`)
	page := m.visit("/team/r1")
	for _, part := range []string{
		`<h1>R &lt;One&gt;</h1>`, "6,172.84\u00a0USD", "<strong>76,544 behind the pace of the period.</strong>", "100 % of January 2026 is over.", "How far R &lt;One&gt; has come", "123,456.78 of 200,000.",
		"<summary>Quota bonus <", "gate: 123,456.78 against at least 1 × 200,000: not reached", "No statement of R &lt;One&gt; is published yet.",
	} {
		require.Contains(t, page, part)
	}
	for _, path := range []string{"/team/r2", "/team/fin"} { // of another team, and of no plan
		status, text := m.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, status, path)
		require.NotContains(t, text, "<h1>R Two", path)
	}

	// Nobody waits for a page that a deal has made another one.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/live/events", nil)
	require.NoError(t, err)
	stream, err := m.web.Do(request)
	require.NoError(t, err)
	defer stream.Body.Close()
	require.Equal(t, "text/event-stream", stream.Header.Get("Content-Type"))
	told := bufio.NewScanner(stream.Body)
	require.True(t, told.Scan(), "it is there")
	status, text = admin.imports("records:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: {constant: \"2026-01-07\"}, amount: amount, currency: {constant: USD}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n",
		"deal,amount,owner\nD4,100000,r1\n")
	require.Equal(t, http.StatusOK, status, text)
	h.refresh()
	heard := ""
	for heard == "" && told.Scan() {
		heard, _ = strings.CutPrefix(told.Text(), "event: ")
		if heard == told.Text() {
			heard = ""
		}
	}
	require.Equal(t, "estimate", heard)
	part, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/team", nil)
	require.NoError(t, err)
	part.Header.Set("HX-Request", "true")
	status, text = m.do(part)
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, text, "<html", "a part of a page")
	require.Contains(t, text, "The quota is reached.")

	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"lock"}}, "the statements are being calculated.")
	locked := r1.visit("/live")
	require.Contains(t, locked, "calculated")
	require.NotContains(t, locked, "What if", "deals do not count any more")
	status, _ = r1.send(http.MethodPost, "/live", url.Values{"amounts": {"1"}, "key": {client.NewKey()}})
	require.Equal(t, http.StatusConflict, status)
}

// TestTrial tries a draft of a plan on an open period.
func TestTrial(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin := h.as("fin")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	require.Contains(t, fin.visit("/plans/p/versions/1"), "Try a draft of it")
	require.NotContains(t, h.as("r1").visit("/plans/p/versions/1"), "Try a draft of it")
	from := "/simulation?plan=p&version=1"
	require.Contains(t, fin.visit(from), "rate: 5%")
	draft := url.Values{"period": {"m-2026-01"}, "document": {"language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Commission, measure: {sum: credits}, rate: 6%, cap: 7000}]\n"}}
	status, text := fin.fill(from, "/simulation", draft)
	require.Equal(t, http.StatusOK, status, text)
	for _, part := range []string{"2 people are concerned. Calculated from the facts as they are now.", "837.16\u00a0USD", "7,060.00\u00a0USD instead of 6,222.84\u00a0USD.", "2 would be paid more, 0 less, 0 the same.", "R &lt;One&gt;", "gains up to 25 %", "cap: 7000"} {
		require.Contains(t, text, part)
	}
	draft.Set("document", "plan: <b>")
	status, text = fin.fill(from, "/simulation", draft)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "plan: &lt;b&gt;</textarea>", "what was written stays written")
	status, _ = h.as("r1").send(http.MethodGet, from, nil)
	require.Equal(t, http.StatusForbidden, status)
}
