package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/policy"
	"github.com/guerdon/guerdon/store/storetest"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	company(t, s)
	v, err := s.Policy(t.Context(), "monthly")
	require.NoError(t, err)
	require.Equal(t, 0, v.Version)
	require.Equal(t, policy.HoldLine, v.Disputes.Holds, "the standard policy")
	for n, holds := range []policy.Holding{policy.HoldNothing, policy.HoldStatement} {
		version, err := s.PutPolicy(t.Context(), "fin", "monthly", "disputes: {holds: "+string(holds)+"}")
		require.NoError(t, err)
		require.Equal(t, n+1, version)
		v, err := s.Policy(t.Context(), "monthly")
		require.NoError(t, err)
		require.Equal(t, version, v.Version)
		require.Equal(t, holds, v.Disputes.Holds)
		require.Equal(t, 5, v.Approvals.EscalateAfterDays, "what it does not say is standard")
	}
	_, err = s.PutPolicy(t.Context(), "fin", "monthly", "disputes: {holds: breath}")
	require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err))
	_, err = s.PutPolicy(t.Context(), "fin", "weekly", "{}")
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
}
