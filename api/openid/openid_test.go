package openid_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/openid"
	"github.com/guerdon/guerdon/api/openid/openidtest"
	"github.com/guerdon/guerdon/incentive"
)

// TestFinish is what lets somebody in, and all that does not.
func TestFinish(t *testing.T) {
	t.Parallel()
	settings := openidtest.Start(t, "http://pay.example.com", openidtest.User{Email: "ann@example.com", Verified: true}, openidtest.User{Email: "bob@example.com"})
	p, err := openid.New(t.Context(), settings)
	require.NoError(t, err)
	settings.TrustEmail = true
	trusting, err := openid.New(t.Context(), settings)
	require.NoError(t, err)
	refused := func(p *openid.Provider, answer url.Values, a openid.Attempt, says string) {
		t.Helper()
		_, err := p.Finish(t.Context(), answer, a)
		require.Equal(t, openid.CodeRefused, incentive.ErrorCode(err))
		require.ErrorContains(t, err, says)
	}

	address, a := p.Begin()
	answer := openidtest.SignIn(t, address, "ann@example.com")
	_, other := p.Begin()
	refused(p, answer, other, "begun elsewhere")
	refused(p, answer, openid.Attempt{}, "begun elsewhere")
	refused(p, url.Values{}, openid.Attempt{}, "begun elsewhere")
	email, err := p.Finish(t.Context(), answer, a)
	require.NoError(t, err)
	require.Equal(t, "ann@example.com", email)
	refused(p, answer, a, "did not confirm") // the same answer again

	for _, forged := range []func(a *openid.Attempt){
		func(a *openid.Attempt) { a.Verifier = other.Verifier },
		func(a *openid.Attempt) { a.Nonce = other.Nonce },
	} {
		address, a := p.Begin()
		answer := openidtest.SignIn(t, address, "ann@example.com")
		forged(&a)
		_, err := p.Finish(t.Context(), answer, a)
		require.Equal(t, openid.CodeRefused, incentive.ErrorCode(err))
	}
	refused(p, url.Values{"state": {a.State}, "error": {"access_denied"}}, a, "access_denied")

	address, a = p.Begin()
	refused(p, openidtest.SignIn(t, address, "bob@example.com"), a, "not verified")
	address, a = trusting.Begin()
	email, err = trusting.Finish(t.Context(), openidtest.SignIn(t, address, "bob@example.com"), a)
	require.NoError(t, err)
	require.Equal(t, "bob@example.com", email)

	settings.Issuer += "absent"
	_, err = openid.New(t.Context(), settings)
	require.ErrorContains(t, err, "reach the OpenID provider")
}
