package activities

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments"
)

// TestAskAgain takes the second answer where the first cannot be right, and the first in every other case.
func TestAskAgain(t *testing.T) {
	t.Parallel()
	alarm, lost := &payments.Error{Class: payments.Alarm}, &payments.Error{Class: payments.Unknown}
	for name, c := range map[string]struct {
		answers []error
		asked   int
	}{
		"an answer":                      {[]error{nil}, 1},
		"none":                           {[]error{lost}, 1},
		"another's answer":               {[]error{alarm, nil}, 2},
		"what cannot be right, and none": {[]error{alarm, lost}, 2},
		"what cannot be right, twice":    {[]error{alarm, alarm}, 2},
	} {
		asked := 0
		said, err := askAgain(func() (int, error) { asked++; return asked, c.answers[asked-1] })
		require.Equal(t, []any{c.asked, c.asked}, []any{asked, said}, name)
		require.True(t, errors.Is(err, c.answers[asked-1]), name)
	}
}
