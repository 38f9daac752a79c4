package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// guardedAnswer holds whatever the pages answer, a page, a file or a refusal, to what a browser must be told of it.
// Every answer that a test gets goes through it, and tests walk every route in every role.
func guardedAnswer(t require.TestingT, response *http.Response) {
	for header, want := range map[string]string{
		"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		require.Equal(t, []string{want}, response.Header.Values(header), "%s of %s", header, response.Request.URL.Path)
	}
}

// TestEveryAnswerIsGuarded asks for what is no page of anybody's: files, strangers, what is not there, what another site
// sends and what breaks. By HTTPS browsers are told to come by nothing else.
func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") })
	for _, https := range []bool{false, true} {
		pages, err := New(Config{API: broken, Rails: func() []string { return nil }, HTTPS: https, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		for name, c := range map[string]struct {
			method, path string
			header       http.Header
			status       int
		}{
			"a script":             {http.MethodGet, "/static/htmx.min.js", nil, http.StatusOK},
			"a style":              {http.MethodGet, "/static/style.css", nil, http.StatusOK},
			"no file":              {http.MethodGet, "/static/none.js", nil, http.StatusNotFound},
			"to sign in":           {http.MethodGet, "/sign-in", nil, http.StatusOK},
			"a stranger":           {http.MethodGet, "/periods", nil, http.StatusSeeOther},
			"a stranger's form":    {http.MethodPost, "/periods/x", nil, http.StatusSeeOther},
			"what breaks":          {http.MethodGet, "/", http.Header{"Cookie": {"guerdon=x; __Host-guerdon=x"}}, http.StatusInternalServerError},
			"from another site":    {http.MethodPost, "/periods/x", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
			"a method of nobody's": {http.MethodPut, "/periods", nil, http.StatusMethodNotAllowed},
		} {
			request := httptest.NewRequest(c.method, c.path, nil)
			for header, values := range c.header {
				request.Header[header] = values
			}
			recorder := httptest.NewRecorder()
			pages.ServeHTTP(recorder, request)
			answer := recorder.Result()
			answer.Request = request
			require.NoError(t, answer.Body.Close())
			require.Equal(t, c.status, answer.StatusCode, name)
			guardedAnswer(t, answer)
			only := ""
			if https {
				only = "max-age=31536000"
			}
			require.Equal(t, only, answer.Header.Get("Strict-Transport-Security"), name)
		}
	}
}
