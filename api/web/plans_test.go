package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAcceptance lets a rep read and sign their plan, and others see who has.
func TestAcceptance(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	rep, m, aud := h.as("r1"), h.as("m"), h.as("aud")
	const at = "/plans/p/versions/1"
	require.Contains(t, rep.visit("/"), "Version 1 of your plan P waits for you to accept it")
	require.Regexp(t, `<a href="/plans/p/versions/1">P<.*</a> <span class="muted">yours</span>`, rep.visit("/plans"))
	require.NotContains(t, aud.visit("/plans"), "yours")
	for language, says := range map[string][]string{
		"id": {"Skema P, versi 1", "Dalam kata-kata biasa", "<p>Commission: membayar 5% dari yang dikreditkan.</p>"},
		"en": {"Plan P, version 1", "In plain words", "<p>Commission: pays 5% of what is credited.</p>"},
	} {
		rep.fill("/account", "/account/settings", url.Values{"language": {language}, "messages": {"daily"}})
		page := rep.visit(at)
		for _, want := range says {
			require.Contains(t, page, want)
		}
		require.Regexp(t, `(?s)<p>Commission: .*<details class="act"><summary>[^<]*</summary>\s*<pre[^>]*><code>language: 1`, page, "the document comes after what it says, behind a disclosure")
	}
	rep.fill("/account", "/account/settings", url.Values{"language": {"en"}, "messages": {"daily"}})
	status, text := rep.fill(at, at, url.Values{"signature": {"Somebody <Else>"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Sign with your name as it stands here: R &lt;One&gt;")
	require.Contains(t, text, "Somebody &lt;Else&gt;", "what was typed stays typed")
	require.Contains(t, m.visit(at), "0 of 1 have accepted this version", "of the team")
	rep.does(at, at, url.Values{"signature": {"r <one>"}}, "You have accepted version 1 of P.")
	page := rep.visit(at)
	require.Regexp(t, `You accepted this version on .*, and signed it: <strong>r &lt;one&gt;</strong>`, page)
	require.NotContains(t, page, "R Two")
	require.NotContains(t, rep.visit("/"), "waits for you to accept it")
	require.Contains(t, m.visit(at), "1 of 1 have accepted this version")
	require.Contains(t, aud.visit(at), "1 of 2 have accepted this version")
	require.Contains(t, aud.visit("/audit"), "Plan accepted")
	for id, want := range map[string]int{"aud": http.StatusForbidden, "m": http.StatusNotFound} { // who is not on the plan has nothing to accept
		v := h.as(id)
		require.NotContains(t, v.visit(at), "I accept")
		status, _ = v.send(http.MethodPost, at, url.Values{"signature": {"Em"}, "key": {"k"}})
		require.Equal(t, want, status, id)
	}
}
