package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChanges settles a dispute by a deal that was mended since the lock, and calculates
// the period again with it and an adjustment, and with nothing else.
func TestChanges(t *testing.T) {
	t.Parallel()
	h := published(t)
	fin, fin2, r1 := h.as("fin"), h.as("fin2"), h.as("r1")
	const period, at = "/periods/m-2026-01", "/periods/m-2026-01/changes"
	require.Contains(t, fin.visit(at), "Nothing has changed since the lock.")
	require.Contains(t, fin.visit("/periods/m-2026-02/changes"), "Nothing of this period is calculated")
	require.Contains(t, fin.visit(period+"/runs"), "The period was calculated once")
	require.Contains(t, fin.visit("/periods/m-2026-02/runs"), "The period was not calculated yet.")

	status, text := h.as("admin").imports("records:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: USD}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n",
		"deal,day,amount,owner\nD1,2026-01-05,200000,r1\nD5,2026-01-08,5000,r2\n")
	require.Equal(t, http.StatusOK, status, text)
	fin.does("/adjustments", "/adjustments", url.Values{"period": {"m-2026-01"}, "person": {"r2"}, "type": {"goodwill"}, "amount": {"7"}, "currency": {"USD"}, "reason": {"a good year"}}, "The adjustment is entered.")
	fin2.does("/adjustments", adjustmentOf.FindStringSubmatch(fin2.visit("/adjustments"))[1], url.Values{"act": {"approved"}}, "The amount is approved.")
	page := fin.visit(at)
	require.Contains(t, page, "Withdraw the period before you calculate it again")
	require.NotContains(t, page, "<form method=\"post\" action=\""+at)
	for _, says := range []string{`(?s)<th scope="row">crm/D1<.*deal and its credits.*changed<`, `(?s)<th scope="row">crm/D5<.*new<`, `(?s)<th scope="row">R Two, 7.00\x{a0}USD<.*adjustment<`} {
		require.Regexp(t, says, page)
	}

	// A dispute that the mended deal settles.
	dispute := r1.disputes("/disputes/new?period=m-2026-01&plan=p&component=Commission", url.Values{"period": {"m-2026-01"}, "plan": {"p"}, "component": {"Commission"}, "type": {"data"}, "expected": {"10000"}, "currency": {"USD"}, "comment": {"D1 was larger"}})
	require.NotContains(t, h.as("m").visit(dispute), dispute+"/changes", "finance runs the period")
	require.Contains(t, fin.visit(dispute), `href="`+dispute+`/changes"`)
	answer := func(form url.Values) (int, string) { return fin.fill(dispute+"/changes", dispute+"/answers", form) }
	status, text = answer(url.Values{"act": {"accept-by-recalculation"}, "text": {"Mended"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Nothing is chosen.")
	require.Contains(t, text, ">Mended</textarea>")
	status, text = answer(url.Values{"act": {"accept-by-recalculation"}, "text": {" "}, "change": {"transaction:crm/D1"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, `value="transaction:crm/D1" aria-label="Choose crm/D1" checked`)
	status, text = answer(url.Values{"act": {"accept-by-recalculation"}, "text": {"Mended"}, "change": {"transaction:crm/D1"}})
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "The dispute is accepted. Withdraw the period")
	require.Contains(t, r1.visit(dispute), "Accepted, by a recalculation")

	fin.does(period, period, url.Values{"act": {"withdraw"}, "reason": {"D1 was larger"}}, "The statements are withdrawn.")
	require.Contains(t, fin.visit(period), `<a href="`+at+`">Records imported since the data were frozen</a>`)
	status, text = fin.fill(at, at, url.Values{})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Nothing is chosen.")
	status, text = fin.fill(at, at, url.Values{"change": {"transaction:crm/D5", "transaction:crm/D2"}})
	require.Equal(t, http.StatusConflict, status, "D2 has not changed")
	require.Contains(t, text, `value="transaction:crm/D5" aria-label="Choose crm/D5" checked`)
	adjustment := strings.TrimSuffix(strings.Split(fin.visit(at), `value="adjustment:`)[1][:36], `"`)
	fin.does(at, at, url.Values{"change": {"transaction:crm/D1", "adjustment:" + adjustment}}, "The statements are being calculated again.")

	// The two runs beside each other.
	page = h.as("aud").visit(period + "/runs")
	require.Regexp(t, `(?s)Calculation 2 <span class="badge current">in force</span>.*Calculation 1<`, page)
	require.Regexp(t, `(?s)R &lt;One&gt;.*6,172.84\x{a0}USD.*10,000.00\x{a0}USD.*\+3,827.16\x{a0}USD.*R Two.*50.00\x{a0}USD.*57.00\x{a0}USD.*\+7.00\x{a0}USD`, page, "and D5 did not get in")
	require.Regexp(t, `(?s)R Two.*−7.00\x{a0}USD`, fin.visit(period+"/runs?from=2&to=1"))
	require.Contains(t, fin.visit(period+"/runs?from=2&to=2"), "No statement differs between the two.")
	for chosen, want := range map[string]int{"from=x": http.StatusBadRequest, "to=99": http.StatusNotFound} {
		status, _ := fin.send(http.MethodGet, period+"/runs?"+chosen, nil)
		require.Equal(t, want, status, chosen)
	}
}
