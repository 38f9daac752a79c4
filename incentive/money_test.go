package incentive

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rounding Rounding
		exact    string
		currency Currency
		want     string
	}{
		{HalfAwayFromZero, "765.155", "USD", "765.16 USD"},
		{HalfAwayFromZero, "-765.155", "USD", "-765.16 USD"},
		{HalfToEven, "765.165", "USD", "765.16 USD"},
		{HalfToEven, "765.155", "USD", "765.16 USD"},
		{Down, "765.159", "USD", "765.15 USD"},
		{Down, "-765.159", "USD", "-765.15 USD"},
		{HalfAwayFromZero, "100.5", "JPY", "101 JPY"},
		{HalfAwayFromZero, "1.0005", "KWD", "1.001 KWD"},
		{"", "0.005", "USD", "0.01 USD"},
	} {
		got, err := c.rounding.Round(decimal.RequireFromString(c.exact), c.currency)
		require.NoError(t, err)
		require.Equal(t, c.want, got.String(), "%s of %s", c.rounding, c.exact)
	}
	_, err := Rounding("up").Round(decimal.Zero, "USD")
	require.ErrorContains(t, err, "half_away_from_zero")
	_, err = HalfToEven.Round(decimal.New(1, 30), "USD")
	require.ErrorContains(t, err, "too large")
}

func TestMoneyOfNeverRounds(t *testing.T) {
	t.Parallel()
	_, err := MoneyOf(decimal.RequireFromString("1.005"), "USD")
	require.EqualError(t, err, "1.005 USD has more decimal places than the currency, which has 2")
}

func TestMoneyJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		money := Money{Minor: rapid.Int64().Draw(t, "minor"), Currency: rapid.SampledFrom([]Currency{"USD", "JPY", "KWD", "IDR"}).Draw(t, "currency")}
		encoded, err := json.Marshal(money)
		require.NoError(t, err)
		var back Money
		require.NoError(t, json.Unmarshal(encoded, &back), string(encoded))
		require.Equal(t, money, back)
	})
	var m Money
	require.Error(t, json.Unmarshal([]byte(`{"amount":1.5,"currency":"USD"}`), &m), "a JSON number is no amount")
	require.Error(t, json.Unmarshal([]byte(`{"amount":"1.5","currency":"usd"}`), &m))
	require.Error(t, json.Unmarshal([]byte(`{"amount":"1.505","currency":"USD"}`), &m))
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-1234.50", "+7", ".5", "5.", "12345678901234567.12345678901234567"} {
		_, err := ParseDecimal(text)
		require.NoError(t, err, text)
	}
	for _, text := range []string{"", "-", ".", "1e5", "1,000", " 1", "0x10", "NaN", "1.2.3", "12345678901234567890123456789012345678901"} {
		_, err := ParseDecimal(text)
		require.Equal(t, CodeInvalid, ErrorCode(err), text)
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"1", "-0.1", "1e9", ".", "+.0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		again, err := ParseDecimal(d.String())
		if err != nil || !again.Equal(d) {
			t.Fatalf("%q reads as %s, which reads as %s: %v", text, d, again, err)
		}
	})
}

func TestRatio(t *testing.T) {
	t.Parallel()
	two, three := decimal.NewFromInt(2), decimal.NewFromInt(3)
	r, err := NewRatio(two, three)
	require.NoError(t, err)
	require.Equal(t, "0.6666666666666666666666666667", r.Decimal().String())
	require.Equal(t, "2", r.Of(three).String(), "multiplied first, divided last")
	require.Equal(t, -1, r.Compare(decimal.RequireFromString("0.66666666666666666666666666667")))
	require.Equal(t, 1, r.Compare(decimal.RequireFromString("0.66666666666666666666666666666")))

	negative, err := NewRatio(two, three.Neg())
	require.NoError(t, err)
	require.Equal(t, "-0.6666666666666666666666666667", negative.Decimal().String())
	require.Equal(t, -1, negative.Compare(decimal.Zero))

	half, err := NewRatio(decimal.New(1, -28), two)
	require.NoError(t, err)
	require.True(t, half.Decimal().IsZero(), "half of the last place goes to the even neighbour")
	threeHalves, err := NewRatio(decimal.New(3, -28), two)
	require.NoError(t, err)
	require.Equal(t, decimal.New(2, -28).String(), threeHalves.Decimal().String())

	_, err = NewRatio(two, decimal.Zero)
	require.Equal(t, CodeInvalid, ErrorCode(err))
}
