package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestEndTokens makes tokens worthless, one or all of a participant's, and records it once.
func TestEndTokens(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	first, err := s.FirstAdministrator(t.Context(), "ann", "Test", "UTC", time.Hour)
	require.NoError(t, err)
	worth := func(secret string) bool {
		_, err := s.Authenticate(t.Context(), secret)
		require.Contains(t, []incentive.Code{"", store.CodeUnauthenticated}, incentive.ErrorCode(err))
		return err == nil
	}
	ended := func() (count int) {
		all, err := s.AuditEvents(t.Context(), "participant/ann", 0, 100)
		require.NoError(t, err)
		for _, e := range all {
			if e.Act == "end-token" {
				count++
			}
		}
		return count
	}
	second, err := s.NewToken(t.Context(), "ann", "ann", "second", time.Hour)
	require.NoError(t, err)
	require.NoError(t, s.EndToken(t.Context(), "unknown"))
	require.True(t, worth(first) && worth(second))
	for range 2 {
		require.NoError(t, s.EndToken(t.Context(), first))
		require.False(t, worth(first))
		require.True(t, worth(second))
		require.Equal(t, 1, ended())
	}
	third, err := s.NewToken(t.Context(), "ann", "ann", "third", time.Hour)
	require.NoError(t, err)
	require.NoError(t, s.EndTokens(t.Context(), "ann"))
	require.False(t, worth(second) || worth(third))
	require.Equal(t, 3, ended())
}
