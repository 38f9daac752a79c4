package api

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLimiter lets each ask so often at once, and again as time goes by, and forgets those
// who no longer ask.
func TestLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(2, 3)
		for range 3 {
			require.True(t, l.Allow("ann"))
		}
		require.False(t, l.Allow("ann"))
		require.True(t, l.Allow("bob"))
		time.Sleep(500 * time.Millisecond)
		require.True(t, l.Allow("ann"))
		require.False(t, l.Allow("ann"))
		for i := range 2 * smallest {
			l.Allow(fmt.Sprint(i))
		}
		require.Greater(t, len(l.of), 2*smallest, "all of these have just asked")
		time.Sleep(time.Hour)
		for i := range 2 * smallest {
			l.Allow(fmt.Sprint(-i))
		}
		require.Less(t, len(l.of), 3*smallest)
		require.NotContains(t, l.of, "ann", "who has not asked for an hour is as good as new")
	})
}
