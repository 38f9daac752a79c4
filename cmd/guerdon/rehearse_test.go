package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRehearse says what is missing where nothing is planned yet, and needs the whole name of
// a file.
func TestRehearse(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	exit, _, told := p.guerdon("fin", "rehearse", month)
	require.Equal(t, 1, exit)
	require.Contains(t, told, "has no payouts yet")
	exit, _, told = p.guerdon("fin", "rehearse", month, "--rail", "payment-file")
	require.Equal(t, 2, exit)
	require.Contains(t, told, "--currency")
	exit, _, told = p.guerdon("ann", "rehearse", month)
	require.Equal(t, 1, exit)
	require.Contains(t, told, "none of your roles may")
}
