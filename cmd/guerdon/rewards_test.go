package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments/xoxoday"
	"github.com/guerdon/guerdon/payments/xoxoday/standin"
)

// TestRewards lists rewards and chooses one, which goes to one's own address.
func TestRewards(t *testing.T) {
	t.Parallel()
	shop, err := standin.Start("127.0.0.1:0", standin.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	rail, err := xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: "s", Currency: "INR", BaseURL: shop.URL})
	require.NoError(t, err)
	p := publishMonth(t, rail)
	_, err = p.PutPolicy(t.Context(), "fin", "m", "payouts: {employees: {else_in: [US]}}")
	require.NoError(t, err)
	says := func(arguments string) string {
		exit, out, told := p.guerdon("ann", strings.Fields(arguments)...)
		require.Zero(t, exit, told)
		return strings.Join(strings.Fields(out), " ")
	}
	require.Empty(t, says("reward list"), "nothing in the United States")
	require.Equal(t, "xoxoday 2001 An evening out experience xoxoday 1007 Gift card of a shop eCommerce", says("reward list --country IN --currency INR"))
	require.Equal(t, "ann xoxoday a…@example.com version 1", says("reward choose xoxoday 2001"))
	require.Equal(t, "ann xoxoday h…@example.com version 2", says("reward choose xoxoday 1007 --email home@example.com"))
	exit, _, told := p.guerdon("ann", "reward", "choose", "xoxoday", "none")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "choose one from the catalogue")
	shop.SetFaults(standin.Fault{Kind: standin.Unavailable, Contains: "getVouchers"})
	require.Equal(t, "xoxoday its catalogue cannot be had now", says("reward list --country IN --currency INR"))
}
