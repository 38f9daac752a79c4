package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTargetPages takes quotas from a proposal over a change to where they are published.
func TestTargetPages(t *testing.T) {
	t.Parallel()
	h := published(t)
	fin := h.as("fin")
	form := url.Values{"name": {"Next <year>"}, "plan": {"p"}, "measure": {"revenue"}, "currency": {"USD"}, "starts_on": {"2027-01-01"}, "ends_on": {"2027-12-31"}, "method": {"evenly"}, "target": {"1,000.01"}}
	without := url.Values{}
	for name, values := range form {
		without[name] = values
	}
	without.Set("target", "")
	status, text := fin.fill("/targets", "/targets", without)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, `value="Next &lt;year&gt;"`, "what was written stays")
	fin.does("/targets", "/targets", form, "The quotas are proposed.")
	at := regexp.MustCompile(`href="(/targets/[0-9a-f-]{36})"`).FindStringSubmatch(fin.visit("/targets"))[1]
	page := fin.visit(at)
	require.Contains(t, page, "Target 1,000.01, figures 1,000.01, difference 0")
	fin.does(at, at+"/figures", url.Values{"person": {"r1"}, "version": {"1"}, "amount": {"9,000"}, "reason": {"a big account"}}, "The figure is changed.")
	page = fin.visit(at)
	require.Contains(t, page, "a big account")
	sum := regexp.MustCompile(`name="sum" value="([^"]+)"`).FindStringSubmatch(page)[1]
	status, _ = fin.fill(at, at+"/outcome", url.Values{"act": {"published"}, "sum": {"1000.01"}})
	require.Equal(t, http.StatusConflict, status, "that is not the sum by now")
	fin.does(at, at+"/outcome", url.Values{"act": {"published"}, "sum": {sum}}, "The quotas are published.")
	require.NotContains(t, fin.visit(at), "Publish or withdraw")
}
