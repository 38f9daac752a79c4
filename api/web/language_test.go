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
