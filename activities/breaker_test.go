package activities

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments"
)

// TestBreaker has a rail be away once enough calls in a row, for several payouts, were not
// answered, and for nothing else.
func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)
	lost := &payments.Error{Class: payments.Unknown, Rail: "stripe"}
	fails := func(b *breaker, rail string, payouts, calls int) (tripped int) {
		for n := range calls {
			if b.note(rail, fmt.Sprint(n%payouts), now, now, lost) {
				tripped++
			}
		}
		return tripped
	}
	var b breaker
	require.Zero(t, fails(&b, "stripe", 5, awayCalls-1))
	require.Zero(t, fails(&b, "xendit", 5, awayCalls-1), "each rail for itself")
	require.Equal(t, 1, fails(&b, "stripe", 5, 1))
	require.Equal(t, 1, fails(&b, "stripe", 5, awayCalls), "and then it counts anew")

	for name, answer := range map[string]error{
		"answered":  nil,
		"refused":   &payments.Error{Class: payments.Definite},
		"throttled": &payments.Error{Class: payments.Throttled},
	} {
		var b breaker
		require.Zero(t, fails(&b, "stripe", 5, awayCalls-1))
		require.False(t, b.note("stripe", "x", now, now, answer))
		require.Zero(t, fails(&b, "stripe", 5, awayCalls-1), name)
	}
	var few breaker
	require.Zero(t, fails(&few, "stripe", awayPayouts-1, 100), "a few that a rail cannot answer about are no reason to stop it")
	var old breaker
	for n := range 100 {
		require.False(t, old.note("stripe", fmt.Sprint(n), now.Add(-awayLongest-time.Second), now, lost), "what was not answered for hours is set aside")
		require.False(t, old.note("stripe", fmt.Sprint(n), now, now, &payments.Error{Class: payments.Unknown, Cause: context.Canceled}), "it was us who did not wait")
	}
}
