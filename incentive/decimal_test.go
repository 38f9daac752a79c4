package incentive

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyDecimal draws numbers on both sides of what fits an int64, with zeros at the end.
func anyDecimal(t *rapid.T, label string) decimal.Decimal {
	coefficient := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-100_000, 100_000)).Draw(t, label)
	d := decimal.New(coefficient, rapid.Int32Range(-30, 6).Draw(t, label+"'s exponent"))
	if rapid.Bool().Draw(t, label+" has zeros") {
		d = d.Mul(decimal.New(1000, -5))
	}
	return d
}

func TestAppendDecimal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-0.5", "0.05", "100", "1.5", "-12.34", "999999999999999999", "-0.000000000000000001", "123456789012345678901234567890.5"} {
		require.Equal(t, text, string(AppendDecimal(nil, decimal.RequireFromString(text))))
	}
	rapid.Check(t, func(t *rapid.T) {
		d := anyDecimal(t, "number")
		require.Equal(t, "it is "+d.String(), string(AppendDecimal([]byte("it is "), d)))
	})
}

// TestFloor holds what small numbers are cut to beside exact arithmetic.
func TestFloor(t *testing.T) {
	t.Parallel()
	fitted := false
	rapid.Check(t, func(t *rapid.T) {
		d, places := anyDecimal(t, "number"), rapid.Int32Range(0, 3).Draw(t, "places")
		whole, left, exact := floor(d, places)
		fitted = fitted || exact
		if exact {
			minor := d.Shift(places)
			require.Equal(t, minor.Floor().String(), decimal.NewFromInt(whole).String())
			require.Equal(t, minor.Sub(minor.Floor()).String(), decimal.New(left, -wholeDigits).String())
		}
	})
	require.True(t, fitted)
}
