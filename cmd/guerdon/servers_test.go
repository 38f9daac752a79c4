package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestRotateKeys is run with the keys that the servers have.
func TestRotateKeys(t *testing.T) {
	t.Parallel()
	_, url := storetest.NewWithURL(t)
	exit, out, told := guerdon(t, "rotate-keys", "--database-url", url, "--encryption-keys", store.NewKey(1)+","+store.NewKey(2))
	require.Zero(t, exit, told)
	require.Equal(t, "0 values are encrypted anew; everything is by the newest key.\n", out)
	exit, _, told = guerdon(t, "rotate-keys", "--database-url", url, "--encryption-keys", "1:secret")
	require.Equal(t, 1, exit)
	require.NotContains(t, told, "secret")
}
