package tremendous_test

import (
	"io"
	"net/http"
	"net/http/httptest"
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

// TestCancelReadsAnOrderFirst tells an answer that is about no order, and is asked for again,
// from one about another order, which a person has to look at.
func TestCancelReadsAnOrderFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		class  payments.Class
	}{
		"the answer to a call before": {200, `{"reward":{"id":"R1"}}`, payments.Unknown},
		"nothing":                     {200, `{}`, payments.Unknown},
		"another order":               {200, `{"order":{"id":"O2"}}`, payments.Alarm},
		"no such order":               {404, `{"errors":{"message":"not found"}}`, payments.Definite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					t.Error("nothing is cancelled before it is known")
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			_, err := railAt(t, server.URL).Cancel(t.Context(), "O1")
			require.Equal(t, c.class, payments.ClassOf(err), "%v", err)
		})
	}
}
