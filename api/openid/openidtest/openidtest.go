// Package openidtest runs an OpenID provider for tests: the example server of
// github.com/zitadel/oidc, a certified implementation.
package openidtest

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/guerdon/guerdon/api/openid"
)

const password = "correct horse"

// User is somebody whom the provider knows, named by the address.
type User struct {
	Email    string
	Verified bool
}

// Start runs a provider that knows some users and an installation at an address, and
// returns the settings with which that installation finds it.
func Start(t *testing.T, address string, users ...User) openid.Settings {
	t.Helper()
	known := map[string]*storage.User{}
	for _, u := range users {
		known[u.Email] = &storage.User{ID: u.Email, Username: u.Email, Password: password, Email: u.Email, EmailVerified: u.Verified}
	}
	text, err := json.Marshal(known)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "users.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	all, err := storage.StoreFromFile(file)
	require.NoError(t, err)

	server := httptest.NewUnstartedServer(nil)
	s := openid.Settings{Issuer: "http://" + server.Listener.Addr().String() + "/", ClientID: "guerdon", ClientSecret: "secret", Address: address}
	clients := map[string]*storage.Client{s.ClientID: storage.WebClient(s.ClientID, s.ClientSecret, address+openid.ReturnPath)}
	server.Config.Handler = exampleop.SetupServer(s.Issuer, storage.NewStorageWithClients(all, clients), slog.New(slog.DiscardHandler), false, op.WithAllowInsecure())
	server.Start()
	t.Cleanup(server.Close)
	return s
}

var request = regexp.MustCompile(`name="id" value="([^"]+)"`)

// SignIn goes to the provider as one of its users, from an address that openid.Begin gave,
// and returns what the provider sends back.
func SignIn(t *testing.T, address, email string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == openid.ReturnPath {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := browser.Get(address)
	require.NoError(t, err)
	page, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	id := request.FindSubmatch(page)
	require.NotNil(t, id, "the provider asks for no name: %s", page)
	form := url.Values{"id": {string(id[1])}, "username": {email}, "password": {password}}
	answer, err = browser.Post(answer.Request.URL.ResolveReference(&url.URL{Path: "/login/username"}).String(), "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	back, err := answer.Location()
	require.NoError(t, err, "the provider did not let %s in", email)
	return back.Query()
}
