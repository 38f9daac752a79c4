package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
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
	require.NotContains(t, r1.visit("/account"), "/rewards", "employees are paid by payroll")
	h.contractor("r1")
	require.Contains(t, r1.visit("/account"), `<a class="button" href="/rewards">Choose a reward</a>`)
	page := r1.visit("/rewards")
	require.Contains(t, page, "What you can be paid by in US, in USD.")
	require.Contains(t, page, `<button name="reward" value="tremendous/`+standin.Experience+`">Take this<span class="unseen">: An evening out</span></button>`)
	require.Contains(t, page, "Gift card · 10.00 to 500.00")
	require.Less(t, strings.Index(page, "A gift to a charity"), strings.Index(page, "An evening out"), "by name")

	status, text := r1.fill("/rewards", "/rewards", url.Values{"reward": {"tremendous/" + standin.Experience}, "email": {"nobody"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "is not an e-mail address")
	require.Contains(t, text, `value="nobody"`, "what was written stays")
	r1.does("/rewards", "/rewards", url.Values{"reward": {"tremendous/" + standin.Experience}, "email": {"r1@example.com"}}, "From now on you are paid by what you took.")
	require.Contains(t, r1.visit("/account"), "Rewards <span class=\"masked\">r…@example.com")

	r1.does("/account", "/account", url.Values{"rail": {"payment-file"}, "holder": {"R"}, "account": {"DE89 3704 0044 0532 0130 00"}}, "From now on you are paid there.")
	for share, want := range map[string]string{"100.5": "from 0 to 100", "a fifth": "from 0 to 100"} {
		status, text = r1.fill("/rewards", "/rewards", url.Values{"reward": {"tremendous/" + standin.GiftCard}, "email": {"r1@example.com"}, "share": {share}})
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, want)
	}
	r1.does("/rewards", "/rewards", url.Values{"reward": {"tremendous/" + standin.GiftCard}, "email": {"r1@example.com"}, "share": {"20"}}, "From now on you are paid by what you took.")
	page = r1.visit("/account")
	require.Contains(t, page, "80 % Bank transfer <span class=\"masked\">…3000")
	require.Contains(t, page, "20 % Rewards <span class=\"masked\">r…@example.com")
	require.Contains(t, page, "What is too small for another one is paid by Bank transfer.")
	ids := regexp.MustCompile(`name="share-(\d+)"`).FindAllStringSubmatch(page, -1)
	require.Len(t, ids, 2)
	status, text = r1.fill("/account", "/account/methods", url.Values{"share-" + ids[0][1]: {"80"}, "share-" + ids[1][1]: {"30"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "add up to 110 %")
	r1.does("/account", "/account/methods", url.Values{"share-" + ids[0][1]: {"62.5"}, "share-" + ids[1][1]: {"37.5"}, "first": {ids[1][1]}}, "Your payouts are shared like this from now on.")
	r1.does("/account", "/account/settings", url.Values{"language": {"id"}, "messages": {"daily"}}, "Pengaturan Anda disimpan.")
	shares := regexp.MustCompile(`name="(share-\d+)"[^>]* value="(\d\d,5)"`).FindAllStringSubmatch(r1.visit("/account"), -1)
	require.Len(t, shares, 2, "as they are written in the language, and so they are read")
	r1.does("/account", "/account/methods", url.Values{shares[0][1]: {shares[0][2]}, shares[1][1]: {shares[1][2]}, "first": {strings.TrimPrefix(shares[0][1], "share-")}}, "Mulai sekarang pembayaran Anda dibagi seperti ini.")
	r1.does("/account", "/account/settings", url.Values{"language": {"en"}, "messages": {"daily"}}, "Your settings are kept.")
	page = r1.visit("/account")
	require.Less(t, strings.Index(page, "37.5 % Rewards"), strings.Index(page, "62.5 % Bank transfer"))

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
