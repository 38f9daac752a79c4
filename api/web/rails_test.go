package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/guerdon/guerdon/incentive"
)

// TestRails lets an administrator say what a rail may do, with a reason that stays on record.
func TestRails(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	admin, aud := h.as("admin"), h.as("aud")
	page := admin.visit("/rails")
	require.Contains(t, page, `<a href="/rails/payment-file">Bank transfer</a>`)
	require.Contains(t, page, "Not set up here")
	require.Contains(t, page, `/calendars/m/policy`)
	const at = "/rails/payment-file"
	require.NotContains(t, aud.visit(at), "Change what it may do")
	for name, c := range map[string]struct {
		form url.Values
		says string
	}{
		"no reason":   {url.Values{"largest": {"500 USD"}}, "reason"},
		"no currency": {url.Values{"largest": {"500"}, "reason": {"x"}}, "currency"},
		"no amount":   {url.Values{"largest": {"much USD"}, "reason": {"x"}}, "much"},
		"a file":      {url.Values{"per_second": {"3"}, "reason": {"x"}}, "pays by file"},
	} {
		status, text := admin.fill(at, at, c.form)
		require.GreaterOrEqual(t, status, 400, name)
		require.Contains(t, text, c.says, name)
	}
	admin.does(at, at, url.Values{"largest": {"500.50 USD\n400 EUR"}, "reason": {"the bank <asked>"}}, "The limits are set.")
	page = aud.visit(at)
	require.Regexp(t, `(?s)Up to 400.00\x{a0}EUR at a time.\s*Up to 500.50\x{a0}USD at a time.*the bank &lt;asked&gt;`, page)
	require.Contains(t, aud.visit("/audit?subject=rail/"), "Limits of a rail set")
	status, _ := admin.send(http.MethodGet, "/rails/stripe", nil)
	require.Equal(t, http.StatusNotFound, status, "which is not set up here")
}

// TestARailThatIsNewIsListed shows a rail that the settings have made since the pages are served wherever rails are chosen.
func TestARailThatIsNewIsListed(t *testing.T) {
	t.Parallel()
	var more atomic.Bool
	h := openAs(t, true, 0, func(_ string, c *Config) {
		before := c.Rails
		c.Rails = func() []string {
			if more.Load() {
				return append([]string{"india"}, before()...)
			}
			return before()
		}
	})
	h.settle()
	fin := h.as("fin")
	const india = `<option value="india"`
	for _, page := range []string{"/reconciliations", "/exceptions"} {
		more.Store(false)
		require.NotContains(t, fin.visit(page), india, page)
		more.Store(true)
		require.Contains(t, fin.visit(page), india, page)
	}
}

// TestEverybodysTokens shows an administrator whose tokens there are, and ends them.
func TestEverybodysTokens(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	admin := h.as("admin")
	secret, err := h.store.NewToken(t.Context(), "admin", "r1", "nightly <import>", time.Hour, incentive.ReadCompany)
	require.NoError(t, err)
	page := admin.visit("/tokens")
	require.Regexp(t, `(?s)nightly &lt;import&gt;.*Read periods and calendars.*>never<`, page)
	require.NotContains(t, page, "signed in at the pages")
	require.Regexp(t, `(?s)href="/people/r1">R &lt;One&gt;</a>.*nightly`, page, "it is shown as its owner's")
	require.Contains(t, admin.visit("/tokens?sessions=yes"), "signed in at the pages")
	_, err = h.store.Authenticate(t.Context(), secret)
	require.NoError(t, err)
	page = admin.visit("/tokens?person=r1")
	require.NotContains(t, page, ">never<", "it was just used")
	id := regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`).FindStringSubmatch(page)
	require.NotNil(t, id)
	admin.does("/tokens?person=r1", "/tokens?person=r1", url.Values{"person": {"r1"}, "token": {id[1]}}, "There is none.")
	_, err = h.store.Authenticate(t.Context(), secret)
	require.Error(t, err)
}

// TestAuditTimeline finds acts by what they were about, who did them and when, and takes them away.
func TestAuditTimeline(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	aud := h.as("aud")
	const plan = "/audit?subject=plan/p"
	require.Contains(t, aud.visit(plan), "Plan kept")
	require.Contains(t, aud.visit(plan), `href="/audit?file=csv&amp;subject=plan%2Fp"`)
	require.Contains(t, aud.visit(plan+"&act=put-plan&actor=admin"), `<td data-label="What">Plan kept`)
	for _, none := range []string{plan + "&act=release", plan + "&actor=nobody", "/audit?to=2020-01-01"} {
		require.Contains(t, aud.visit(none), "Nothing is recorded about this.", none)
	}
	require.Contains(t, aud.visit("/audit?subject=pay-period/m-2026-01/1"), `<a href="/periods/m-2026-01">See its page</a>`)
	first := regexp.MustCompile(`<th scope="row" class="amount">(\d+)</th>`)
	require.Equal(t, "1", first.FindStringSubmatch(aud.visit("/audit?sort=number"))[1])
	require.NotEqual(t, "1", first.FindStringSubmatch(aud.visit("/audit"))[1])
	status, _ := aud.send(http.MethodGet, "/audit?from=soon", nil)
	require.Equal(t, http.StatusBadRequest, status)
	status, file := aud.send(http.MethodGet, "/audit?file=csv&subject=plan/p&act=put-plan", nil)
	require.Equal(t, http.StatusOK, status)
	require.Regexp(t, `^number,at,actor,act,subject,body,previous_hash,hash\n\d+,[^\n]*,put-plan,plan/p,[^\n]*\n$`, file)
	require.Contains(t, aud.visit("/audit?subject=file/audit"), "Exported", "and who took it away")

	status, sheet := aud.send(http.MethodGet, "/audit?subject=plan/p&file=xlsx", nil)
	require.Equal(t, http.StatusOK, status)
	book, err := excelize.OpenReader(strings.NewReader(sheet))
	require.NoError(t, err)
	rows, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.NoError(t, book.Close())
	require.Equal(t, []string{"number", "at", "actor", "act", "subject"}, rows[0][:5])
	require.Equal(t, "plan/p", rows[1][4])
	fin := h.as("fin")
	require.NotContains(t, fin.visit("/periods/m-2026-01"), `href="/audit?`, "nothing was done in a period that was never opened")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	require.Contains(t, aud.visit("/periods/m-2026-01"), `href="/audit?subject=pay-period%2fm-2026-01%2f1&amp;parts=yes"`)
	require.NotContains(t, h.as("r1").visit("/periods/m-2026-01"), `href="/audit`)
}
