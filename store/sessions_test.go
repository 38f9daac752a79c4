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

// TestKeptTokens makes, lists and revokes tokens: a session, one for everything, one for one
// action only.
func TestKeptTokens(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	_, err := s.FirstAdministrator(t.Context(), "ann", "Test", "UTC", time.Hour)
	require.NoError(t, err)
	session, err := s.NewSession(t.Context(), "ann", time.Hour)
	require.NoError(t, err)
	narrow, err := s.NewToken(t.Context(), "ann", "ann", "import", time.Hour, incentive.ImportData)
	require.NoError(t, err)
	_, err = s.NewToken(t.Context(), "ann", "ann", "expired", -time.Hour)
	require.NoError(t, err)
	_, err = s.NewSession(t.Context(), "nobody", time.Hour)
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))

	all, err := s.Tokens(t.Context(), "ann")
	require.NoError(t, err)
	require.Len(t, all, 3, "the first, the session and the narrow one; not the expired one")
	require.Equal(t, []incentive.Action{incentive.ImportData}, all[0].Only)
	require.True(t, all[1].Session)
	require.Nil(t, all[1].Only)
	for _, one := range all {
		require.Greater(t, one.ExpiresAt, one.CreatedAt)
		require.NotContains(t, one.ID, session)
	}
	me, err := s.Authenticate(t.Context(), narrow)
	require.NoError(t, err)
	require.Equal(t, []incentive.Action{incentive.ImportData}, me.Only)

	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(s.RevokeToken(t.Context(), "ann", "bob", all[0].ID)), "not of somebody else")
	require.NoError(t, s.RevokeToken(t.Context(), "ann", "ann", all[0].ID))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(s.RevokeToken(t.Context(), "ann", "ann", all[0].ID)), "not twice")
	_, err = s.Authenticate(t.Context(), narrow)
	require.Equal(t, store.CodeUnauthenticated, incentive.ErrorCode(err))
	me, err = s.Authenticate(t.Context(), session)
	require.NoError(t, err)
	require.Nil(t, me.Only)
}

// TestByEmail finds the one person whose latest record has an address.
func TestByEmail(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	var records []map[string]any
	for _, one := range []struct{ id, from, email string }{
		{"boss", "2026-01-01", ""}, {"ann", "2025-01-01", "ann@old.example"}, {"ann", "2026-01-01", "Ann@example.com"}, {"bob", "2026-01-01", "both@example.com"}, {"eve", "2026-01-01", "both@example.com"},
	} {
		record := participant(one.id, "")
		record["effective_from"], record["email"] = one.from, one.email
		records = append(records, record)
	}
	require.Equal(t, len(records), load(t, s, "participant", records...).Added)
	for email, want := range map[string]string{"ann@EXAMPLE.com": "ann", " ann@example.com": "ann", "ann@old.example": "", "both@example.com": "", "": "", "eve@example.com": ""} {
		id, err := s.ByEmail(t.Context(), email)
		require.Equal(t, want, id, email)
		require.Equal(t, want == "", incentive.ErrorCode(err) == store.CodeNobody, email)
	}
}
