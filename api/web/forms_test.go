package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var inForms = regexp.MustCompile(`name="document" value="([^"]*)"`)

// drafted has an administrator begin a draft from the gallery's plan of a sales manager.
func drafted(h *house) (admin *visitor, draft, page string) {
	h.Helper()
	admin = h.as("admin")
	admin.does("/plan-drafts", "/plan-drafts", url.Values{"from": {"sales-manager"}, "plan": {"managers"}, "name": {"Managers"}, "currency": {"USD"}}, "plan: managers")
	draft = regexp.MustCompile(`href="(/plan-drafts/[0-9a-f-]{36})"`).FindStringSubmatch(admin.visit("/plan-drafts"))[1]
	return admin, draft, admin.visit(draft)
}

// TestPlanByForm makes a plan without writing YAML: from the gallery, a tier more, another
// quota, a cap and a filter, until it is in force.
func TestPlanByForm(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin, draft, page := drafted(h)
	const table = "components/0/rate_table/tiers"
	require.Contains(t, page, `name="`+table+`/0/edge" value="90%"`)
	send := func(do string, more url.Values) string {
		document := html.UnescapeString(inForms.FindStringSubmatch(page)[1])
		values := url.Values{"form": {"fill"}, "version": {"1"}, "document": {document}, "do": {do}}
		for key, value := range more {
			values[key] = value
		}
		status, text := admin.fill(draft, draft, values)
		require.Equal(t, http.StatusOK, status, text)
		return text
	}
	page = send("add:"+table, url.Values{table + "/1/edge": {"120%"}, table + "/1/edge/word": {"up_to"}})
	require.Contains(t, page, "This is not kept yet.")
	require.Contains(t, page, `name="`+table+`/2/rate" value="0%"`)
	page = send("check", url.Values{table + "/2/rate": {"a lot"}, "components/1/measure/where/0/of": {"transaction.currency"}, "components/1/measure/where/0/is": {"=="}, "components/1/measure/where/0/value": {"USD"}, "components/0/cap/amount": {"9000"}})
	require.Regexp(t, `aria-invalid="true"|class="problem">[^<]*is not a number`, page)
	require.Regexp(t, `Line \d+, column \d+: [^<]*is not a number`, page, "the form and the YAML say the same")
	require.Contains(t, admin.visit(draft), `value="90%"`, "what is only checked is not kept")
	page = send("remove:examples/1", url.Values{table + "/2/rate": {"1%"}})
	page = send("remove:examples/0", nil)
	require.Contains(t, page, "cap: 9000")
	require.Contains(t, page, html.EscapeString(`where: transaction.currency == "USD"`))
	send("remove:examples", nil)
	page = send("remove:examples", nil)
	send("keep", nil)
	page = admin.visit(draft)
	require.NotContains(t, page, "This is not kept yet.")
	admin.does(draft, draft, url.Values{"form": {"activate"}, "effective_from": {"2026-02-01"}}, "Plan Managers is kept as version 1.")
}

// TestPolicyByForm sets a calendar's policy without writing YAML: rows are added before it
// is kept, and what is wrong is kept nowhere.
func TestPolicyByForm(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin := h.as("admin")
	const policy = "/calendars/m/policy"
	page := admin.visit(policy)
	send := func(do string, more url.Values) (int, string) {
		values := url.Values{"form": {"fill"}, "document": {html.UnescapeString(inForms.FindStringSubmatch(page)[1])}, "do": {do}}
		for key, value := range more {
			values[key] = value
		}
		return admin.fill(policy, policy, values)
	}
	_, page = send("add:approvals/levels", url.Values{"disputes/answer_within_days": {"7"}, "payouts/minimum": {"25 USD, 20 EUR"}})
	require.Contains(t, page, "This is not kept yet.")
	require.Contains(t, page, "minimum: [25 USD, 20 EUR]")
	require.Contains(t, page, "levels go up", "a second level by the manager is said to be wrong where it is")
	status, _ := send("keep", nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, admin.visit(policy), "standard", "what is wrong is not kept")
	status, text := send("keep", url.Values{"approvals/levels/1/by": {"finance"}})
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "kept as version 1.")
	page = admin.visit(policy)
	require.Contains(t, page, "version 1")
	require.Contains(t, page, "answer_within_days: 7")
	require.Contains(t, page, "# business days, as everywhere here", "comments stay")
	require.NotContains(t, h.as("fin").visit(policy), `name="do"`)
}

// TestTwoFiguresByForm picks a rate by two figures, and measures a ratio and one objective, without
// writing YAML.
func TestTwoFiguresByForm(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin, draft, page := drafted(h)
	send := func(do string, more url.Values) {
		t.Helper()
		values := url.Values{"form": {"fill"}, "version": {"1"}, "document": {html.UnescapeString(inForms.FindStringSubmatch(page)[1])}, "do": {do}}
		for key, value := range more {
			values[key] = value
		}
		status, text := admin.fill(draft, draft, values)
		require.Equal(t, http.StatusOK, status, text)
		page = text
	}
	const by, measure = "components/2/rate_by", "components/2/measure"
	send("add:components", nil)
	send("add:components/2", url.Values{"add/components/2": {"rate_by"}})
	send("add:"+by, url.Values{"add/" + by: {"across"}})
	require.Contains(t, page, `name="`+by+`/across/columns/0/edge" value="10"`)
	require.Contains(t, page, "this tier says 1 rates, and there are 2 columns", "what is still missing is said")
	send("check", url.Values{by + "/across/columns/0/edge": {"5"}, by + "/across/columns/0/edge/word": {"up_to"}, by + "/tiers/0/rate": {""}, by + "/tiers/0/rates": {"1%, 2%"}, by + "/tiers/1/rate": {""}, by + "/tiers/1/rates": {"3%, 4%"}})
	require.Contains(t, page, "columns: [{up_to: 5}, {}]")
	require.NotContains(t, page, "there are 2 columns")

	require.Contains(t, page, "one measure divided by another")
	send("add:components/2", url.Values{measure + "/aggregate": {"ratio"}, "add/components/2": {"bonus"}})
	require.Contains(t, page, `name="`+measure+`/ratio/aggregate"`)
	send("check", url.Values{measure + "/aggregate": {"ratio"}, measure + "/ratio/aggregate": {"count credits"}, measure + "/to/aggregate": {"sum credits"}})
	require.Contains(t, page, "measure: {ratio: {count: credits}, to: {sum: credits}}")
	send("check", url.Values{measure + "/aggregate": {"objective"}})
	require.Contains(t, page, `name="`+measure+`/objective" value="Objective"`)
	send("check", url.Values{measure + "/aggregate": {"objective"}, measure + "/objective": {"Launch"}})
	require.Contains(t, page, "measure: {objective: Launch}")
	send("check", url.Values{measure + "/aggregate": {"sum credits"}, measure + "/objective": {"Launch"}})
	require.Contains(t, page, "measure: {sum: credits}")
	require.NotContains(t, page, "objective: Launch")
}
