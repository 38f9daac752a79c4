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
	require.Contains(t, rep.visit("/"), "Version 1 of your plan p waits for you to accept it")
	status, text := rep.fill(at, at, url.Values{"signature": {"Somebody <Else>"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Sign with your name as it stands here: R &lt;One&gt;")
	require.Contains(t, text, "Somebody &lt;Else&gt;", "what was typed stays typed")
	require.Contains(t, m.visit(at), "0 of 1 have accepted this version", "of the team")
	rep.does(at, at, url.Values{"signature": {"r <one>"}}, "You have accepted version 1 of p.")
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
