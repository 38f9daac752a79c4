package tremendous_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments"
)

// What has been redeemed is not taken back, and stays paid.
func TestCancelIsTooLate(t *testing.T) {
	t.Parallel()
	rail, server := setup(t)
	in := instruction("redeemed", 5_000, payments.Destination{"email": "maria@example.com"})
	made, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	require.NoError(t, server.Redeem(in.Reference))
	for range 2 {
		_, err = rail.Cancel(t.Context(), made.RailID)
		require.Equal(t, payments.Definite, payments.ClassOf(err))
		found, err := rail.Lookup(t.Context(), in.Reference)
		require.NoError(t, err)
		require.Equal(t, payments.Paid, found.State)
	}
	_, err = rail.Cancel(t.Context(), "")
	require.Equal(t, payments.Definite, payments.ClassOf(err))
}
