package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// TestSanctionsLists keeps a list, which finance may.
func TestSanctionsLists(t *testing.T) {
	t.Parallel()
	s := open(t, time.Second)
	put := func(id, document string) (client.SanctionsList, error) {
		return client.Read[client.SanctionsList](s.as(id).PutSanctionsList(t.Context(), "ours", &client.PutSanctionsListParams{IdempotencyKey: client.NewKey()}, client.SanctionsListRequest{Document: document}))
	}
	kept, err := put("fin", "id,name\n1,John Doe\n1,Johnny Doe\n")
	require.NoError(t, err)
	require.Equal(t, []any{"ours", 1, 2, "fin"}, []any{kept.List, kept.Version, kept.Entries, kept.SetBy})
	_, err = put("fin", "id,name\n1,\n")
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "line 2: an entry has an id and a name")
	for _, id := range []string{"admin", "aud", "r1"} {
		_, err = put(id, "id,name\n1,John Doe\n")
		require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), id)
	}
	all, err := client.Read[client.SanctionsLists](s.as("aud").ListSanctionsLists(t.Context()))
	require.NoError(t, err)
	require.Len(t, all.Lists, 1)
	_, err = client.Read[client.SanctionsLists](s.as("r1").ListSanctionsLists(t.Context()))
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err))
}
