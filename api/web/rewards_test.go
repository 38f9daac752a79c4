package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/tremendous/standin"
)

// TestAReward is chosen by two clicks from one's own page.
func TestAReward(t *testing.T) {
	t.Parallel()
	shop, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "k"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	rail, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: standin.Campaign, BaseURL: shop.URL})
	require.NoError(t, err)
	h := settled(t, time.Minute, rail)
	r1 := h.as("r1")
	require.Contains(t, r1.visit("/account"), `<a class="button" href="/rewards">Choose a reward</a>`)
	page := r1.visit("/rewards")
	require.Contains(t, page, "What you can be paid by in US, in USD.")
	require.Contains(t, page, `<button name="reward" value="tremendous/`+standin.Experience+`">Take this<span class="unseen">: An evening out</span></button>`)
	require.Contains(t, page, "merchant_card · 10.00 to 500.00")
	require.Less(t, strings.Index(page, "A gift to a charity"), strings.Index(page, "An evening out"), "by name")

	status, text := r1.fill("/rewards", "/rewards", url.Values{"reward": {"tremendous/" + standin.Experience}, "email": {"nobody"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "is not an e-mail address")
	require.Contains(t, text, `value="nobody"`, "what was written stays")
	r1.does("/rewards", "/rewards", url.Values{"reward": {"tremendous/" + standin.Experience}, "email": {"r1@example.com"}}, "From now on you are paid by what you took.")
	require.Contains(t, r1.visit("/account"), "Rewards r…@example.com")

	require.NoError(t, shop.Stop(t.Context()))
	page = r1.visit("/rewards")
	require.Contains(t, page, "What Rewards has cannot be shown now.")
	require.Contains(t, page, "There is nothing to choose here")
	require.NotContains(t, h.as("fin").visit("/"), "/rewards")
}

// TestNoRewards offers none where no rail has any.
func TestNoRewards(t *testing.T) {
	t.Parallel()
	r1 := settled(t, time.Minute).as("r1")
	require.NotContains(t, r1.visit("/account"), "/rewards")
	require.Contains(t, r1.visit("/rewards"), "There is nothing to choose here")
}
