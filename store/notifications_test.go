package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

func TestNotificationsAreToldOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	company(t, s)
	first := store.Notification{Recipient: "boss", Kind: "dispute-reminder", Subject: "dispute/1", Key: "dispute/1/reminder/1"}
	second, toAnother := first, first
	second.Key = "dispute/1/reminder/2"
	toAnother.Recipient = "fin"
	require.NoError(t, s.Notify(t.Context(), first, toAnother))
	require.NoError(t, s.Notify(t.Context(), first, second))
	told, err := s.Notifications(t.Context(), "boss", 0, 10)
	require.NoError(t, err)
	require.Len(t, told, 2)
	require.Equal(t, "dispute/1/reminder/1", told[0].Key)
	require.Equal(t, "dispute/1/reminder/2", told[1].Key)
	later, err := s.Notifications(t.Context(), "boss", told[0].ID, 10)
	require.NoError(t, err)
	require.Equal(t, told[1:], later)
	others, err := s.Notifications(t.Context(), "fin", 0, 10)
	require.NoError(t, err)
	require.Len(t, others, 1)
	require.Error(t, s.Notify(t.Context(), store.Notification{Recipient: "nobody", Kind: "x", Subject: "y", Key: "z"}))
}
