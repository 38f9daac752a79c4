package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
)

var adjustmentOf = regexp.MustCompile(`action="(/adjustments/[0-9a-f-]{36}/decision)"`)

// TestAnAdjustment is entered from a statement, and decided about by somebody else.
func TestAnAdjustment(t *testing.T) {
	t.Parallel()
	h := published(t)
	fin, fin2, aud := h.as("fin"), h.as("fin2"), h.as("aud")
	const at = "/adjustments"
	const link = at + "?period=m-2026-01&amp;person=r1&amp;currency=USD"
	require.Contains(t, fin.visit("/periods/m-2026-01/statements/r1"), `href="`+link+`"`)
	require.NotContains(t, aud.visit("/periods/m-2026-01/statements/r1"), at+"?")
	page := fin.visit(at + "?period=m-2026-01&person=r1&currency=USD")
	require.Regexp(t, `(?s)<details class="act" open><summary>Enter an adjustment.*<option value="m-2026-01" selected>.*name="person" maxlength="200" required value="r1".*name="currency" maxlength="3" required value="USD"`, page)
	require.Contains(t, aud.visit(at), "There is none besides.")
	require.NotContains(t, aud.visit(at), "Enter an adjustment")

	form := func(change ...string) url.Values {
		f := url.Values{"period": {"m-2026-01"}, "person": {"r1"}, "type": {"goodwill"}, "amount": {"-1,120.50"}, "currency": {"USD"}, "reason": {"as <agreed>"}}
		for i := 0; i < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return f
	}
	for status, wrong := range map[int][]url.Values{
		http.StatusBadRequest: {form("amount", "1,50"), form("amount", "0"), form("currency", "EUR"), form("type", "dispute"), form("reason", " ")},
		http.StatusForbidden:  {form("person", "fin")},
		http.StatusNotFound:   {form("person", "nobody"), form("period", "m-1999-01")},
	} {
		for _, f := range wrong {
			got, text := fin.fill(at, at, f)
			require.Equal(t, status, got, f)
			require.Contains(t, text, "That did not work.")
			require.Contains(t, text, `<details class="act" open><summary>Enter an adjustment`, "what was written stays in sight")
			require.Contains(t, text, `name="amount" inputmode="decimal" maxlength="30" required value="`+f.Get("amount")+`"`)
		}
	}
	fin.does(at, at, form(), "The adjustment is entered.")
	fin.does(at, at, form("amount", "50"), "The adjustment is entered.")
	page = fin.visit(at)
	require.Contains(t, page, "−1,120.50\u00a0USD")
	require.Contains(t, page, "as &lt;agreed&gt;")
	require.NotRegexp(t, adjustmentOf, page, "it is one's own")
	require.NotContains(t, fin.visit("/"), "waits for your decision")
	require.Contains(t, fin2.visit("/"), "2 adjustments wait for your decision")
	require.Contains(t, fin2.visit("/periods/m-2026-01"), `<a href="/adjustments?period=m-2026-01">Adjustments that a second person has not decided</a>`)
	require.NotRegexp(t, adjustmentOf, aud.visit(at))

	page = fin2.visit(at)
	require.Contains(t, page, "2 adjustments wait for your decision")
	first := adjustmentOf.FindStringSubmatch(page)[1]
	status, _ := fin.send(http.MethodPost, first, url.Values{"key": {client.NewKey()}, "act": {"approved"}})
	require.Equal(t, http.StatusForbidden, status, "and not by a forged form either")
	status, text := fin2.fill(at, first, url.Values{"act": {"rejected"}, "text": {" "}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "a rejection needs a reason")
	require.Regexp(t, `(?s)<details class="act" open><summary>Decide<span class="unseen">: R &lt;One&gt;, −1,120.50`, text)
	fin2.does(at, first, url.Values{"act": {"rejected"}, "text": {"not agreed"}}, "The amount is rejected.")
	page = fin2.visit(at)
	require.Contains(t, page, "1 adjustment waits for your decision")
	fin2.does(at, adjustmentOf.FindStringSubmatch(page)[1], url.Values{"act": {"approved"}}, "The amount is approved.")
	page = aud.visit(at + "?period=m-2026-01")
	require.Regexp(t, `(?s)50.00.*approved</span> Finn.*−1,120.50.*rejected</span> Finn`, page, "the last one first")
	require.NotContains(t, aud.visit(at+"?period=m-2026-02"), "Finn")
	status, _ = fin2.send(http.MethodPost, first, url.Values{"key": {client.NewKey()}, "act": {"approved"}})
	require.Equal(t, http.StatusConflict, status, "it is decided once")
}
