package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPipeline is what a rep and their manager see of deals that are not closed yet.
func TestPipeline(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin, fin, m, r1 := h.as("admin"), h.as("fin"), h.as("m"), h.as("r1")
	require.Contains(t, r1.visit("/pipeline"), "You have no open deals.")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "The period is open.")
	status, text := admin.imports(`records: [{kind: opportunity, fields: {source: {constant: crm/1}, opportunity_id: id, participant_id: owner, name: name, stage: {constant: Proposal}, probability: {constant: 50%}, expected_close: close, amount: amount, currency: {constant: USD}}, attributes: {product: product}}]`,
		"id,owner,name,close,amount,product\nO1,r1,<Acme>,2026-01-30,1000,platform\nO2,r1,Beta,2027-01-30,5000,\nO3,r2,Gamma,2026-01-30,7000,\nO4,nobody,Delta,2026-01-30,1,\n")
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "there is no participant nobody")
	h.refresh()

	page := r1.visit("/pipeline")
	for _, part := range []string{"&lt;Acme&gt;", "product: platform", "50 %", "500.00\u00a0USD", "&#43; 25.00\u00a0USD", "25.00\u00a0USD more if each deal counts by its probability, 50.00\u00a0USD more if all of them close", `value="crm%2F1/O1"`} {
		require.Contains(t, page, part)
	}
	require.NotContains(t, page, "Gamma", "somebody else's")
	r1.does("/pipeline", "/pipeline", url.Values{"deal": {"crm%2F1/O1", "crm%2F1/O3"}}, "50.00\u00a0USD more:")
	status, text = r1.fill("/pipeline", "/pipeline", url.Values{})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Say which deals would be closed")
	team := m.visit("/pipeline")
	require.Contains(t, team, "2 open: 6,000.00\u00a0USD, weighted by probability 3,000.00\u00a0USD")
	require.NotContains(t, team, "Gamma")
	require.Contains(t, fin.visit("/pipeline"), "Gamma")
	status, _ = admin.send(http.MethodGet, "/pipeline", nil)
	require.Equal(t, http.StatusForbidden, status)
}
