package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLanguage is what somebody reads who has chosen the other language, and who has not.
func TestLanguage(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	rep, other := h.as("r1"), h.as("r2")
	require.Contains(t, rep.visit("/account"), `<html lang="en">`)
	rep.does("/account", "/account/settings", url.Values{"language": {"id"}, "messages": {"daily"}}, "Pengaturan Anda disimpan.")
	require.Contains(t, rep.visit("/account"), `<html lang="id">`)
	require.Contains(t, other.visit("/account"), `<html lang="en">`)
	status, text := rep.fill("/account", "/account/settings", url.Values{"language": {"tlh"}, "messages": {"daily"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, `<html lang="id">`)
}
