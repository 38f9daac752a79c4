package web

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReconciliations is what finance and auditors see of comparisons with rails, and how
// differences are explained.
func TestReconciliations(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	ctx := t.Context()
	minor, day := int64(101), incentive.MustParseDate("2026-02-05")
	differences := []store.RailDifference{
		{Kind: store.MissingHere, Reference: "a <forgotten> invoice", RailID: "tr_1", TheirState: "paid", TheirMinor: &minor, Currency: "USD"},
		{Kind: store.LedgerDiffers, OurMinor: &minor, TheirMinor: new(int64), Currency: "USD"},
	}
	r, err := h.store.KeepReconciliation(ctx, "1", store.Reconciliation{Rail: "payment-file", Day: day, RunBy: store.System, Agreed: 1},
		[]store.ReconciliationTotal{{Currency: "USD", Ours: 1, OursMinor: 12345, Available: &minor}}, differences)
	require.NoError(t, err)
	fin, aud := h.as("fin"), h.as("aud")
	const all = "/reconciliations"
	at := fmt.Sprintf("%s/%d", all, r.ID)

	require.Contains(t, fin.visit("/"), "2 differences between our record and the rails&#39; wait for an explanation")
	require.NotContains(t, aud.visit("/"), "wait for an explanation")
	for _, query := range []string{"", "?rail=payment-file", "?day=2026-02-05", "?open=yes"} {
		require.Regexp(t, `(?s)href="`+at+`">5\x{a0}Feb\x{a0}2026.*Bank transfer.*>the system<`, fin.visit(all+query), query)
	}
	for _, query := range []string{"?rail=stripe", "?day=2026-02-06"} {
		require.Contains(t, fin.visit(all+query), "There is none.", query)
	}
	status, text := fin.send(http.MethodGet, all+"?day=yesterday", nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "yesterday")
	for _, who := range []*visitor{fin, aud} {
		page := who.visit(at)
		require.Contains(t, page, "1 payment agrees. 2 differences wait for an explanation.")
		require.Regexp(t, `(?s)123.45\x{a0}USD.*We never asked for it.*paid 1.01\x{a0}USD.*a &lt;forgotten&gt; invoice.*tr_1.*The ledger has another sum`, page)
	}
	require.NotContains(t, aud.visit(at), "checkbox")
	require.NotContains(t, aud.visit(all), "Compare a day now")

	status, text = fin.fill(at, at, url.Values{"reason": {"by hand"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Choose the differences that you explain.")
	status, text = fin.fill(at, at, url.Values{"difference": {"1"}, "reason": {" "}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Regexp(t, `name="difference" value="1"[^>]* checked>`, text, "what was chosen stays so")
	require.NotRegexp(t, `name="difference" value="2"[^>]* checked>`, text)
	fin.does(at, at, url.Values{"difference": {"1"}, "reason": {"paid <by hand>"}}, "Your explanation was recorded.")
	page := aud.visit(at)
	require.Regexp(t, `(?s)paid &lt;by hand&gt; <span class="muted">Fin, `, page)
	require.Contains(t, page, "1 difference waits for an explanation.")
	require.NotContains(t, fin.visit(at), `name="difference" value="1"`)
	fin.does(at, at, url.Values{"difference": {"2"}, "reason": {"mended"}}, "Your explanation was recorded.")
	require.NotContains(t, fin.visit("/"), "wait for an explanation")
	require.Contains(t, fin.visit(all+"?open=yes"), "There is none.")
	require.Contains(t, aud.visit("/audit"), "Differences from a rail explained")

	status, text = fin.fill(all, all, url.Values{"rail": {"payment-file"}, "day": {"2999-01-01"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "2999-01-01 is yet to come")
	fin.does(all, all, url.Values{"rail": {"payment-file"}, "day": {"2026-02-05"}}, "The day was compared.")
	page = fin.visit(all)
	require.Contains(t, page, "compared again")
	require.Contains(t, fin.visit(at), "the later comparison counts")
	require.Contains(t, fin.visit(fmt.Sprintf("%s/%d", all, r.ID+1)), "Nothing differs.")
}
