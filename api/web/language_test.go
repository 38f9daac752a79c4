package web

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
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

// TestEveryTextIsThereInEachLanguage holds the texts of the languages against each other.
func TestEveryTextIsThereInEachLanguage(t *testing.T) {
	t.Parallel()
	read := func(language string) (all map[string]string) {
		data, err := os.ReadFile("texts/" + language + ".yaml")
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(data, &all))
		return all
	}
	english, indonesian := read("en"), read("id")
	hole := regexp.MustCompile(`\{\w+\}`)
	for key, text := range english {
		require.NotEmpty(t, indonesian[key], "%s: %q is not translated", key, text)
		require.ElementsMatch(t, hole.FindAllString(text, -1), hole.FindAllString(indonesian[key], -1), "%s: %q fills in something else than %q", key, indonesian[key], text)
	}
	for key := range indonesian {
		require.NotEmpty(t, english[key], "%s is no text any more", key)
	}
}

// TestNumbersAreReadAsTheyAreWritten has somebody write numbers as their language does: a point between the thousands is
// no decimal point in Indonesian.
func TestNumbersAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	admin := h.as("admin")
	admin.does("/account", "/account/settings", url.Values{"language": {"id"}, "messages": {"daily"}}, "Pengaturan Anda disimpan.")
	quota := url.Values{"participant_id": {"r1"}, "measure": {"sales"}, "starts_on": {"2026-01-01"}, "ends_on": {"2026-12-31"}, "amount": {"100.000,5"}}
	admin.does("/quotas", "/quotas", quota, "Sudah tercatat.")
	require.Contains(t, admin.visit("/quotas"), ">100.000,5<")
	quota.Set("form", "quota")
	quota.Set("amount", "250.000")
	admin.does("/people/r1", "/people/r1", quota, "Sudah tercatat.")
	require.Contains(t, admin.visit("/quotas"), ">250.000<")
	for _, page := range []string{"/quotas", "/people/r1"} {
		quota.Set("amount", "250000.50")
		status, text := admin.fill(page, page, quota)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, "Jumlah ditulis 1200 atau 1.200,50: 250000.50 bukan jumlah.")
		require.Contains(t, text, `value="250000.50"`, "what was written is not lost")
	}
	const rail = "/rails/payment-file"
	admin.does(rail, rail, url.Values{"largest": {"5.000,50 USD\n4.000 EUR"}, "reason": {"bank"}}, "Batas sudah ditetapkan.")
	page := admin.visit(rail)
	require.Contains(t, page, "5.000,50\u00a0USD")
	require.Contains(t, page, ">4.000,00 EUR\n5.000,50 USD</textarea>", "and the form begins with them")
}
