package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
)

// TestEnteredDeals go from a rep's page over their manager's to a statement.
func TestEnteredDeals(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin, m, r1, r2 := h.as("fin"), h.as("m"), h.as("r1"), h.as("r2")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	h.refresh()
	require.Contains(t, r1.visit("/deals"), "You have entered no deals.")
	form := func(change ...string) url.Values {
		f := url.Values{"date": {"2026-01-20"}, "amount": {"2,000.50"}, "currency": {"usd"}, "product": {"<Platform>"}, "customer": {"Acme"}, "attributes": {"region: west\n"}, "note": {"by hand & ink"}}
		for i := 0; i < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return f
	}
	for _, wrong := range []url.Values{form("amount", "a lot"), form("amount", "0"), form("date", "2999-01-01"), form("date", "x"), form("currency", "x"), form("attributes", "region"), form("attributes", "product: y")} {
		status, text := r1.uploads("/deals", "/deals", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
		require.Contains(t, text, "That did not work.")
		require.Contains(t, text, "by hand &amp; ink</textarea>", "what was written stays")
	}
	status, text := r1.uploads("/deals", "/deals", form(), attached{"order.txt", "the order"})
	require.Equal(t, http.StatusOK, status, text)
	for _, says := range []string{"The deal is entered and waits for approval.", "2,000.50\u00a0USD", "product: &lt;Platform&gt;", "region: west", "Waits for: Em.", ">order.txt</a>", "It counts for nothing before it is approved."} {
		require.Contains(t, text, says)
	}
	page := r1.visit("/deals")
	deal := regexp.MustCompile(`href="(/deals/[0-9a-f-]{36})"`).FindStringSubmatch(page)[1]
	require.NotContains(t, page, "Approve the chosen deals")
	file := regexp.MustCompile(`href="(` + deal + `/files/[0-9a-f-]{36})"`).FindStringSubmatch(r1.visit(deal))[1]
	require.Contains(t, r1.visit("/live"), "Entered deals that wait for approval: 1. Credited to you in full they would bring 100.02\u00a0USD more.")
	for _, path := range []string{deal, file} {
		status, _ = r2.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, status, "somebody else's")
	}
	require.NotContains(t, r2.visit("/deals"), "Acme")

	// Corrected before it is decided about.
	status, text = r1.uploads(deal, deal, form("act", "correct", "version", "1", "amount", "2,000"))
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "The deal is changed.")
	require.Contains(t, m.visit("/"), "1 entered deal waits for your decision")
	queue := m.visit("/deals")
	require.Contains(t, queue, "1 deal waits for your decision")
	key := regexp.MustCompile(`name="deal" value="([^"]+)"`).FindStringSubmatch(queue)[1]
	for _, wrong := range []url.Values{{"act": {"approved"}}, {"act": {"rejected"}, "deal": {key}}} {
		status, _ = m.fill("/deals", "/deals/decisions", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
	}
	status, text = m.fill("/deals", "/deals/decisions", url.Values{"act": {"approved"}, "deal": {deal[len("/deals/"):] + "/1"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "The deal was corrected meanwhile")
	status, _ = fin.send(http.MethodPost, "/deals/decisions", url.Values{"key": {client.NewKey()}, "act": {"approved"}, "deal": {key}})
	require.Equal(t, http.StatusForbidden, status, "there is a manager")
	m.does("/deals", "/deals/decisions", url.Values{"act": {"approved"}, "deal": {key}}, "Deals approved: 1.")
	require.NotContains(t, m.visit("/"), "waits for your decision")
	require.Contains(t, r1.visit("/notifications"), "Your deal has been approved, and counts.")
	require.NotContains(t, r1.visit("/live"), "that wait for approval")

	// One that is withdrawn, and one that is rejected with a reason.
	status, text = r1.uploads("/deals", "/deals", form("amount", "5"))
	require.Equal(t, http.StatusOK, status, text)
	second := "/deals/" + regexp.MustCompile(`action="/deals/([0-9a-f-]{36})"`).FindStringSubmatch(text)[1]
	status, text = r1.uploads(second, second, url.Values{"act": {"withdraw"}, "version": {"1"}})
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "The deal is withdrawn.")
	status, text = r1.uploads("/deals", "/deals", form("amount", "6"))
	require.Equal(t, http.StatusOK, status, text)
	third := regexp.MustCompile(`action="/deals/([0-9a-f-]{36})"`).FindStringSubmatch(text)[1]
	m.does("/deals/"+third, "/deals/decisions", url.Values{"act": {"rejected"}, "deal": {third + "/1"}, "reason": {"no <order>"}}, "Deals rejected: 1.")
	require.Contains(t, r1.visit("/deals/"+third), "no &lt;order&gt;")

	_, err := h.store.PutPolicy(t.Context(), "fin", "m", "deals: {entered: false}")
	require.NoError(t, err)
	page = r1.visit("/deals")
	require.Contains(t, page, "Deals are not entered here")
	require.NotContains(t, page, "multipart/form-data")
	require.Contains(t, page, deal, "what was entered before stays")

	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"lock"}}, "the statements are being calculated.")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"publish"}}, "The statements are published.")
	require.Contains(t, r1.visit("/periods/m-2026-01/statements/r1"), "6,272.84\u00a0USD", "5% of 2,000 more than what was imported")
}
