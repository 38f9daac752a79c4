package web

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// events is how much has happened, by the audit chain.
func (h *house) events() int64 {
	h.Helper()
	links, _, err := h.store.VerifyAudit(h.Context())
	require.NoError(h, err)
	return links
}

// session returns the secret of a visitor's session.
func (v *visitor) session() string {
	v.Helper()
	at, err := url.Parse(v.url)
	require.NoError(v, err)
	for _, c := range v.web.Jar.Cookies(at) {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	return ""
}

// TestForgedForms sends every form from elsewhere, with the session of somebody who may:
// none does anything.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	session := h.as("fin").session()
	before := h.events()
	for pattern := range (&site{}).routes() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodPost {
			continue
		}
		for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Site ": "same-site", "Origin": "https://evil.example", "Origin ": "null"} {
			request, err := http.NewRequestWithContext(t.Context(), method, h.url+pathParameter.ReplaceAllString(path, "m-2026-01"), strings.NewReader(url.Values{"act": {"open"}, "everywhere": {"yes"}, "key": {client.NewKey()}}.Encode()))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set(strings.TrimSpace(header), value)
			request.AddCookie(&http.Cookie{Name: sessionCookie, Value: session})
			status, _ := h.as("").do(request)
			require.Equal(t, http.StatusForbidden, status, "%s with %s: %s", pattern, header, value)
		}
	}
	require.Equal(t, before, h.events())
}

// TestForgedSessions tries what is like a session or a token, or was one: at the pages and
// at the API.
func TestForgedSessions(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin := h.as("fin")
	genuine := fin.session()
	ended := h.as("fin")
	of := map[string]string{"ended": ended.session()}
	ended.send(http.MethodPost, "/sign-out", url.Values{})
	var err error
	of["expired"], err = h.store.NewToken(t.Context(), "admin", "fin", "old", -time.Minute)
	require.NoError(t, err)
	of["revoked"], err = h.store.NewToken(t.Context(), "admin", "fin", "gone", time.Hour)
	require.NoError(t, err)
	require.NoError(t, h.store.RevokeToken(t.Context(), "admin", "fin", fmt.Sprintf("%x", sha256.Sum256([]byte(of["revoked"])))))
	of["what is kept of it"] = fmt.Sprintf("%x", sha256.Sum256([]byte(genuine)))
	of["another"] = genuine[:len(genuine)-1] + map[bool]string{true: "B", false: "A"}[genuine[len(genuine)-1] == 'A']
	of["a part"], of["more"], of["a name"], of["injected"] = genuine[:len(genuine)-1], genuine+"A", "fin", `' OR '1'='1`

	before := h.events()
	asks := func(method, path, cookie, bearer string) (int, string) {
		t.Helper()
		form := ""
		if method == http.MethodPost {
			form = url.Values{"act": {"open"}, "key": {client.NewKey()}}.Encode()
		}
		request, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(form))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != "" {
			request.Header.Set("Cookie", sessionCookie+"="+cookie)
		}
		if bearer != "" {
			request.Header.Set("Authorization", "Bearer "+bearer)
		}
		return h.as("").do(request)
	}
	for name, secret := range of {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			_, text := asks(method, "/periods/m-2026-01", secret, "")
			require.Contains(t, text, "<h1>Sign in</h1>", "%s %s", method, name)
		}
		status, _ := asks(http.MethodGet, api.Prefix+"/me", "", secret)
		require.Equal(t, http.StatusUnauthorized, status, name)
	}
	status, _ := asks(http.MethodGet, api.Prefix+"/me", genuine, "")
	require.Equal(t, http.StatusUnauthorized, status, "no cookie opens the API, so that no other site's request does")
	require.Equal(t, before, h.events())
	status, _ = asks(http.MethodGet, api.Prefix+"/me", "", genuine)
	require.Equal(t, http.StatusOK, status)
}

// TestReplayedForms sends what somebody sent, again: after they have gone, by somebody
// else, and as something else.
func TestReplayedForms(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	const at = "/periods/m-2026-01"
	fin, fin2, r1 := h.as("fin"), h.as("fin2"), h.as("r1")
	form := url.Values{"act": {"open"}, "key": {client.NewKey()}}
	status, text := fin.send(http.MethodPost, at, form)
	require.Equal(t, http.StatusOK, status, text)
	before := h.events()
	status, _ = fin.send(http.MethodPost, at, form)
	require.Equal(t, http.StatusOK, status, "the same answer")
	status, text = fin.send(http.MethodPost, "/periods/m-2026-02", form)
	require.Equal(t, http.StatusUnprocessableEntity, status, text)
	status, _ = r1.send(http.MethodPost, at, form)
	require.Equal(t, http.StatusForbidden, status)
	fin.send(http.MethodPost, "/sign-out", url.Values{})
	_, text = fin.send(http.MethodPost, "/periods/m-2026-02", url.Values{"act": {"open"}, "key": {client.NewKey()}})
	require.Contains(t, text, "<h1>Sign in</h1>")
	// fin2 has the same form with the same key: it is fin2's own, and is refused on its own account.
	status, text = fin2.send(http.MethodPost, at, form)
	require.Equal(t, http.StatusConflict, status, text)
	require.Equal(t, before+1, h.events(), "but for the end of the session")
}

// TestForgedFileNames uploads files whose names lead elsewhere, and asks for files by such.
func TestForgedFileNames(t *testing.T) {
	t.Parallel()
	c := openRights(t)
	rep := about(incentive.Rep, own)
	upload := func(disposition string) (int, string) {
		t.Helper()
		var body bytes.Buffer
		parts := multipart.NewWriter(&body)
		part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}})
		require.NoError(t, err)
		_, err = part.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, parts.Close())
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+api.Prefix+"/disputes/"+c.things[rep]["dispute"]+"/evidence", &body)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+c.token(rep))
		request.Header.Set("Idempotency-Key", client.NewKey())
		request.Header.Set("Content-Type", parts.FormDataContentType())
		return c.as("").do(request)
	}
	for _, disposition := range []string{`form-data; name="file"; filename="..\\..\\x.txt"`, `form-data; name="file"; filename*=utf-8''a%00.txt`, `form-data; name="file"; filename*=utf-8''a%0D%0ASet-Cookie%3A%20x.txt`,
		`form-data; name="file"; filename*=utf-8''a%E2%80%AEtxt.exe`, `form-data; name="file"; filename*=utf-8''a%FF.txt`, `form-data; name="file"; filename=""`} {
		status, text := upload(disposition)
		require.Equal(t, http.StatusBadRequest, status, "%s: %s", disposition, text)
	}
	// Of a path the last part alone is the name; what comes back is a file to save.
	status, text := upload(`form-data; name="file"; filename="../../etc/passwd.txt"`)
	require.Equal(t, http.StatusCreated, status, text)
	require.Contains(t, text, `"name":"passwd.txt"`)
	as, err := c.client(rep)
	require.NoError(t, err)
	d, err := client.Read[client.Dispute](as.GetDispute(t.Context(), c.things[rep]["dispute"]))
	require.NoError(t, err)
	require.Len(t, d.Evidence, 2)
	for _, e := range d.Evidence {
		response, err := as.GetEvidence(t.Context(), d.Id, e.Id)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "application/octet-stream", response.Header.Get("Content-Type"))
		require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
		kind, named, err := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
		require.NoError(t, err)
		require.Equal(t, []string{"attachment", e.Name}, []string{kind, named["filename"]})
	}
	for _, path := range []string{"/static/../web.go", "/static/..%2fweb.go", "/static/%2e%2e/web.go", "/payment-files/..%2f..%2fetc%2fpasswd", "/api/v1/payment-files/..%2f..%2fetc%2fpasswd/content", "/api/v1/disputes/" + d.Id + "/evidence/..%2f" + d.Evidence[0].Id} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+c.token("f1"))
		status, text := c.as("f1").do(request)
		require.Equal(t, http.StatusNotFound, status, "%s: %s", path, text)
	}
}
