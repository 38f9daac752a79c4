package stripe_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/stripe"
)

// TestOnboarding opens an account once for a key; it is ready once its owner has said on
// Stripe's page what is asked for, and not when Stripe stops it.
func TestOnboarding(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	ann := payments.Recipient{ID: "ann", Email: "ann@example.com", Country: "DE"}
	made, err := rail.OpenAccount(t.Context(), ann, "open-ann")
	require.NoError(t, err)
	again, err := rail.OpenAccount(t.Context(), ann, "open-ann")
	require.NoError(t, err)
	require.Equal(t, made, again)
	other, err := rail.OpenAccount(t.Context(), payments.Recipient{ID: "acme", Country: "US", Company: true}, "open-acme")
	require.NoError(t, err)
	require.NotEqual(t, made, other)
	clean, _, err := rail.ValidateDestination(rail.DestinationOf(made))
	require.NoError(t, err)
	require.Equal(t, made, rail.AccountOf(clean))

	stands := func(want payments.Standing) {
		t.Helper()
		standing, err := rail.Standing(t.Context(), made)
		require.NoError(t, err)
		require.Equal(t, want, standing)
	}
	stands(payments.AccountOpen)
	in := instruction("new", 1_000, "USD")
	in.Destination = rail.DestinationOf(made)
	_, err = rail.Submit(t.Context(), in)
	require.Equal(t, payments.RecipientAction, payments.ClassOf(err))

	link, err := rail.OnboardingLink(t.Context(), made, "https://pay.example.com/account", "https://pay.example.com/again")
	require.NoError(t, err)
	page, err := http.Get(link)
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	require.Equal(t, http.StatusOK, page.StatusCode)
	stands(payments.AccountOpen)
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Post(link, "application/x-www-form-urlencoded", strings.NewReader(url.Values{"say": {"everything"}}.Encode()))
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "https://pay.example.com/account", answer.Header.Get("Location"))
	stands(payments.AccountReady)
	_, err = rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.NoError(t, server.Disable(made))
	stands(payments.AccountSubmitted)

	_, err = rail.Standing(t.Context(), "acct_nobody")
	require.Equal(t, payments.RecipientAction, payments.ClassOf(err))
	_, err = rail.Standing(t.Context(), "../balance")
	require.Equal(t, payments.Definite, payments.ClassOf(err))
	_, err = rail.OpenAccount(t.Context(), payments.Recipient{ID: "x", Country: "xx"}, "open-x")
	require.Equal(t, payments.Definite, payments.ClassOf(err))
	wrong, err := stripe.New(stripe.Config{APIKey: "sk_test_other", BaseURL: server.URL})
	require.NoError(t, err)
	for _, call := range []func() error{
		func() error { _, err := wrong.Standing(t.Context(), made); return err },
		func() error { _, err := wrong.OpenAccount(t.Context(), ann, "open-2"); return err },
		func() error { _, err := wrong.OnboardingLink(t.Context(), made, "https://a", "https://b"); return err },
	} {
		require.Equal(t, payments.Configuration, payments.ClassOf(call()))
	}
}
