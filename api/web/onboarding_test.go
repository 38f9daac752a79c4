package web

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
)

// TestOnboarding opens an account at Stripe from one's own page, says there what is asked
// for, and is ready to be paid, for a share of each payout.
func TestOnboarding(t *testing.T) {
	t.Parallel()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", BaseURL: bank.URL})
	require.NoError(t, err)
	h := settled(t, time.Minute, rail)
	r1 := h.as("r1")
	require.NotContains(t, r1.visit("/account"), "/account/accounts", "employees are paid by payroll")
	status, _ := r1.fill("/account", "/account/accounts", url.Values{"rail": {"stripe"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	h.contractor("r1")
	require.Contains(t, r1.visit("/account"), "Be paid through Stripe, or go on there")
	link := regexp.MustCompile(`href="(http[^"]+/standin/onboarding/[^"]+)"`)
	status, text := r1.fill("/account", "/account/accounts", url.Values{"rail": {"stripe"}, "share": {"25"}})
	require.Equal(t, http.StatusOK, status)
	found := link.FindStringSubmatch(text)
	require.Len(t, found, 2, text)
	require.Contains(t, text, "25 % Stripe <span class=\"masked\">acct_")
	require.Contains(t, text, "Nothing is paid there yet")

	_, again := r1.fill("/account", "/account/accounts", url.Values{"rail": {"stripe"}, "share": {"25"}})
	require.Equal(t, found[1], link.FindStringSubmatch(again)[1], "the same account")
	require.Contains(t, again, "75 % Bank transfer", "and the same share")
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).PostForm(html.UnescapeString(found[1]), url.Values{"say": {"everything"}})
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "https://pay.example.com/account", answer.Header.Get("Location"))
	require.Contains(t, r1.visit("/account"), "Ready to be paid.")
}
