package web

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive/notice"
)

// TestCockpit takes a month through its steps as the cockpit shows them: what comes of the
// next one, how far long work is, and who is reminded.
func TestCockpit(t *testing.T) {
	t.Parallel()
	h := openAs(t, true, time.Minute, func(_ string, c *Config) { c.Temporal = Workflows("http://temporal.example/", "ours") })
	h.settle()
	fin, fin2, m, aud := h.as("fin"), h.as("fin2"), h.as("m"), h.as("aud")
	const at = "/periods/m-2026-01"
	require.Contains(t, fin.visit("/cockpit"), "January 2026 has begun and can be opened.")
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/cockpit/events", nil)
	require.NoError(t, err)
	news, err := fin.web.Do(request)
	require.NoError(t, err)
	defer news.Body.Close()
	require.Equal(t, "text/event-stream", news.Header.Get("Content-Type"))
	lines := bufio.NewScanner(news.Body)
	require.True(t, lines.Scan(), "it is there")

	require.Contains(t, fin.visit("/cockpit"), "<strong>Next: Lock the data.</strong>")
	fin.does(at, at, url.Values{"act": {"lock"}}, "the statements are being calculated.")
	heard, is := "", false
	for !is && lines.Scan() {
		heard, is = strings.CutPrefix(lines.Text(), "data: ")
	}
	require.JSONEq(t, `{"subject":"pay-period/m-2026-01/1"}`, heard)

	page := fin.visit("/cockpit")
	require.Contains(t, page, "<strong>Next: Publish the statements.</strong>")
	require.Contains(t, page, "This is about 2 statements over 6,222.84\u00a0USD.")
	require.Contains(t, page, "How many people earn how much, USD")
	require.Regexp(t, `less than .*</th><td class="amount" data-label="People">1<`, page)
	require.Contains(t, page, "They can be withdrawn until the payouts are released.")
	require.Contains(t, fin.visit(at), "This is about 2 statements over 6,222.84\u00a0USD.", "before the click")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	fin.does(at, at, url.Values{"act": {"end-window"}}, "with their approvers")

	page = fin.visit("/cockpit")
	require.Contains(t, page, "0 of 2")
	require.NotContains(t, page, "Next:", "it is others' turn")
	reminder := url.Values{"period": {"m-2026-01"}, "item": {"approvals"}, "person": {"m"}}
	fin.does("/cockpit", "/cockpit", reminder, "Reminded. Told: 1.")
	told, err := h.store.Notifications(t.Context(), "m", 0, 10)
	require.NoError(t, err)
	require.Equal(t, notice.Reminder("approvals"), told[len(told)-1].Kind)
	status, text := fin2.fill("/cockpit", "/cockpit", reminder)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "was reminded of it already today")
	page = aud.visit("/cockpit")
	require.Contains(t, page, "0 of 2")
	require.NotContains(t, page, ">Remind<", "auditors change nothing")
	status, _ = aud.send(http.MethodPost, "/cockpit", reminder)
	require.Equal(t, http.StatusForbidden, status)

	m.does(at+"/approvals", at+"/approvals", url.Values{"decision": {"approved"}, "statement": {statementOf.FindStringSubmatch(m.visit(at + "/approvals"))[1]}}, "1 approved.")
	require.Contains(t, fin.visit("/cockpit"), "1 of 2")
	queue := at + "/approvals?queue=finance"
	fin2.does(queue, at+"/approvals", url.Values{"queue": {"finance"}, "decision": {"approved"}, "statement": {statementOf.FindStringSubmatch(fin2.visit(queue))[1]}}, "1 approved.")
	page = fin.visit("/cockpit")
	require.Contains(t, page, "<strong>Next: Release the payouts.</strong>")
	require.Regexp(t, `This sends 1 payout over 6,172.84\x{a0}USD. *</strong> It cannot be undone here.`, page, "r2 has nowhere to be paid")
	require.Contains(t, page, `href="`+at+`/release"`)

	audit := aud.visit("/audit?subject=pay-period/m-2026-01/1")
	require.Contains(t, audit, "Reminded somebody")
	require.Contains(t, audit, `href="http://temporal.example/namespaces/ours/workflows/pay-period%2Fm-2026-01%2F1"`)
	require.NotContains(t, aud.visit("/audit"), "temporal.example")
}
