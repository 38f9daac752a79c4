package api

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/tremendous"
	ofTremendous "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/payments/xoxoday"
	ofXoxoday "github.com/guerdon/guerdon/payments/xoxoday/standin"
)

// TestRewards lists what participants can choose, of every rail that has a catalogue, and
// chooses of it.
func TestRewards(t *testing.T) {
	t.Parallel()
	first, err := ofTremendous.Start("127.0.0.1:0", ofTremendous.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, first.Stop(context.Background())) })
	second, err := ofXoxoday.Start("127.0.0.1:0", ofXoxoday.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, second.Stop(context.Background())) })
	one, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: ofTremendous.Campaign, BaseURL: first.URL})
	require.NoError(t, err)
	two, err := xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: "s", Currency: "INR", BaseURL: second.URL})
	require.NoError(t, err)
	s := open(t, time.Second, one, two)
	ctx := t.Context()
	s.imports("admin", contractors, "id,manager,country\nr1,m,US\n")
	list := func(as, person, country, currency string) (client.Rewards, error) {
		params := &client.ListRewardsParams{}
		if country != "" {
			params.Country, params.Currency = &country, &currency
		}
		return client.Read[client.Rewards](s.as(as).ListRewards(ctx, person, params))
	}
	products := func(all client.Rewards) (found []string) {
		for _, r := range all.Rewards {
			found = append(found, r.Rail+" "+r.Product)
		}
		return found
	}
	own, err := list("r1", "r1", "", "")
	require.NoError(t, err)
	require.Equal(t, []string{"US", "USD"}, []string{own.Country, own.Currency}, "r1's own")
	require.Equal(t, []string{"tremendous " + ofTremendous.Charity, "tremendous " + ofTremendous.Experience, "tremendous " + ofTremendous.GiftCard}, products(own))
	require.Equal(t, client.Reward{Rail: "tremendous", Product: ofTremendous.GiftCard, Name: "Gift card of a shop", Category: "merchant_card", Kind: "gift-card", Amounts: []client.RewardAmounts{{Smallest: "1", Largest: "2000"}}}, own.Rewards[2])
	require.Empty(t, own.Rewards[0].Amounts)
	require.Empty(t, own.Unavailable)
	abroad, err := list("r1", "r1", "IN", "INR")
	require.NoError(t, err)
	require.Equal(t, []string{"xoxoday " + ofXoxoday.Experience, "xoxoday " + ofXoxoday.GiftCard}, products(abroad))

	chosen, err := client.Read[client.Destination](s.as("r1").PutDestination(ctx, "r1", &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
		client.DestinationRequest{Rail: abroad.Rewards[0].Rail, Details: map[string]string{"email": "r1@example.com", "product": abroad.Rewards[0].Product}}))
	require.NoError(t, err)
	require.Equal(t, client.Destination{Person: "r1", Rail: "xoxoday", Version: 1, Masked: "r…@example.com"}, chosen)

	for _, refused := range []struct {
		as, person, country, currency string
		code                          incentive.Code
	}{
		{"r1", "r2", "", "", incentive.CodeForbidden}, {"aud", "r1", "", "", incentive.CodeForbidden}, {"r1", "r1", "IN", "XXX", incentive.CodeInvalid},
	} {
		_, err := list(refused.as, refused.person, refused.country, refused.currency)
		require.Equal(t, refused.code, incentive.ErrorCode(err), "%+v", refused)
	}

	// A catalogue that cannot be had keeps nothing of the others back.
	second.SetFaults(ofXoxoday.Fault{Kind: ofXoxoday.Unavailable, Contains: "getVouchers"})
	left, err := list("r1", "r1", "", "")
	require.NoError(t, err)
	require.Len(t, left.Rewards, 3)
	require.Empty(t, left.Unavailable, "Xoxoday has nothing in dollars, and was not asked")
	without, err := list("r1", "r1", "IN", "INR")
	require.NoError(t, err)
	require.Empty(t, without.Rewards)
	require.Equal(t, []string{"xoxoday"}, without.Unavailable)
}
