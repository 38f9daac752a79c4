package incentive

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoAdjusts(t *testing.T) {
	t.Parallel()
	good := Adjustment{ParticipantID: "ann", Type: Correction, Amount: Money{100, "USD"}}
	for name, c := range map[string]struct {
		change func(*Adjustment)
		by     string
		code   Code
	}{
		"a correction":               {func(*Adjustment) {}, "fin", ""},
		"a negative amount":          {func(a *Adjustment) { a.Amount.Minor = -1 }, "fin", ""},
		"of a dispute":               {func(a *Adjustment) { a.Type, a.DisputeID = OfDispute, "1" }, "fin", ""},
		"unknown type":               {func(a *Adjustment) { a.Type = "gift" }, "fin", CodeInvalid},
		"nothing":                    {func(a *Adjustment) { a.Amount.Minor = 0 }, "fin", CodeInvalid},
		"of no dispute":              {func(a *Adjustment) { a.Type = OfDispute }, "fin", CodeInvalid},
		"a correction and a dispute": {func(a *Adjustment) { a.DisputeID = "1" }, "fin", CodeInvalid},
		"one's own":                  {func(*Adjustment) {}, "ann", CodeOwnPay},
	} {
		a := good
		c.change(&a)
		require.Equal(t, c.code, ErrorCode(a.Check(c.by)), name)
	}
	require.NoError(t, good.CheckDecision("fin", "fin2"))
	require.Equal(t, CodeOwnDecision, ErrorCode(good.CheckDecision("fin", "fin")))
	require.Equal(t, CodeOwnPay, ErrorCode(good.CheckDecision("fin", "ann")))
}
