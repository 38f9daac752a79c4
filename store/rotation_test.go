package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestEncryptionKeys reads what an older key has encrypted as long as it is there, writes
// with the newest, and needs the older no more once all is written anew.
func TestEncryptionKeys(t *testing.T) {
	t.Parallel()
	_, url := storetest.NewWithURL(t)
	first, second := store.NewKey(1), store.NewKey(2)
	with := func(text string) *store.Store {
		t.Helper()
		keys, err := store.ParseKeys(text)
		require.NoError(t, err)
		s, err := store.Open(t.Context(), url, keys)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s
	}
	before := with(first)
	company(t, before)
	set := func(s *store.Store, id, account string) int64 {
		t.Helper()
		d, err := s.SetDestination(t.Context(), id, store.Destination{ParticipantID: id, Rail: "payment-file", Masked: "…", Details: map[string]string{"account": account}})
		require.NoError(t, err)
		return d.ID
	}
	reads := func(s *store.Store, id int64) string {
		t.Helper()
		d, err := s.Destinations(t.Context(), []int64{id})
		require.NoError(t, err)
		return d[id].Details["account"]
	}
	old := set(before, "ann", "one")
	event, err := before.KeepRailEvent(t.Context(), store.RailEvent{Rail: "stripe", EventID: "evt_1", Kind: "transfer.created", HappenedAt: time.Unix(1, 0)}, []byte("as it came"))
	require.NoError(t, err)
	file, err := before.KeepStatusFile(t.Context(), store.StatusFile{Rail: "iso20022-sepa", Name: "camt.xml", UploadedBy: "fin"}, []byte("from the bank"))
	require.NoError(t, err)

	both := with(first + "," + second)
	require.Equal(t, "one", reads(both, old))
	recent := set(both, "ann", "two")
	require.Equal(t, "two", reads(with(second), recent), "what is new is written with the newest key")
	_, err = with(second).Destinations(t.Context(), []int64{old})
	require.ErrorContains(t, err, "encryption key version 1 is needed and not set")
	_, err = with(second).RotateKeys(t.Context())
	require.ErrorContains(t, err, "encryption key version 1 is needed and not set")

	written, err := both.RotateKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, written)
	written, err = both.RotateKeys(t.Context())
	require.NoError(t, err)
	require.Zero(t, written)
	after := with(second)
	require.Equal(t, "one", reads(after, old))
	content, err := after.RailEventContent(t.Context(), event.Number)
	require.NoError(t, err)
	require.Equal(t, "as it came", string(content))
	_, content, err = after.StatusFile(t.Context(), file.ID)
	require.NoError(t, err)
	require.Equal(t, "from the bank", string(content))
	_, _, err = after.VerifyAudit(t.Context())
	require.NoError(t, err)

	for _, sql := range []string{
		`UPDATE destination SET details = '\x00'`, `UPDATE destination SET key_version = 3, masked = 'x'`, `UPDATE destination SET key_version = 1`, `DELETE FROM destination`,
		`UPDATE rail_event SET key_version = 3, kind = 'x'`,
	} {
		require.ErrorContains(t, storetest.TryExec(t.Context(), url, `SET search_path TO guerdon; `+sql), "append-only", sql)
	}
}
