package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSettings changes where webhooks may lead, and keeps what it was before.
func TestSettings(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin := h.as("admin")
	require.Contains(t, admin.visit("/settings"), ">hooks.slack.com</textarea>")
	admin.does("/settings", "/settings", url.Values{"name": {"Test"}, "time_zone": {"UTC"}, "webhook_hosts": {"chat.example.com\nhooks.slack.com:8443"}}, "The settings are kept.")
	page := admin.visit("/settings")
	require.Contains(t, page, ">chat.example.com\nhooks.slack.com:8443</textarea>")
	require.Contains(t, page, "chat.example.com, hooks.slack.com:8443</td>")
	admin.does("/settings", "/settings", url.Values{"name": {"Tested"}, "time_zone": {"UTC"}}, "The settings are kept.")
	require.Contains(t, admin.visit("/settings"), ">chat.example.com\nhooks.slack.com:8443</textarea>", "where nothing is said, nothing changes")
	status, text := admin.fill("/settings", "/settings", url.Values{"name": {"Tested"}, "time_zone": {"UTC"}, "webhook_hosts": {"https://chat.example.com/hook"}})
	require.Equal(t, http.StatusBadRequest, status, text)
	require.Contains(t, text, "is not a host: write its name without https:// and path")
	require.Contains(t, text, ">https://chat.example.com/hook</textarea>", "what was written is not lost")
	for _, says := range []string{"Where it is empty: Tested</p>", "Where it is empty: 1</p>", "Files of ISO 20022 are not set up here.", "Where it is empty: CSV of our own form", "<code>{payment: [&lt;b&gt;]}</code>"} {
		require.Contains(t, admin.visit("/settings"), says)
	}
	files := url.Values{"company": {"TEST INC"}, "nacha_lead_days": {"2"}, "payment_file_template": {`{payment: ["{reference}", "{holder}", "{bank}", "{account}", "{amount}"]}`}}
	admin.does("/settings", "/settings/payment-files", files, "The settings are kept.")
	page = admin.visit("/settings")
	require.Contains(t, page, `value="TEST INC"`)
	require.Contains(t, page, "in files: TEST INC; Banking days until payment, ACH: 2; Template of payment files: YAML</td>")
	files.Set("payment_file_template", "{payment: [x]}")
	status, text = admin.fill("/settings", "/settings/payment-files", files)
	require.Equal(t, http.StatusUnprocessableEntity, status, text)
	require.Contains(t, text, "The setting &#34;payment_file_template&#34;: line 1, column")
	require.Contains(t, text, ">{payment: [x]}</textarea>", "what was written is not lost")
	require.Contains(t, text, `value="Tested"`, "nor what the other form has")
	admin.does("/settings", "/settings", url.Values{"name": {"Tested"}, "time_zone": {"UTC"}, "webhook_hosts": {""}}, "The settings are kept.")
	require.Contains(t, admin.visit("/settings"), `name="webhook_hosts" rows="2" maxlength="5000" spellcheck="false"></textarea>`, "what is emptied allows none")
}
