package incentive

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/shopspring/decimal"
)

// Currency is an ISO 4217 alphabetic code.
type Currency string

// exponents holds the decimal places of each currency's minor unit, from ISO 4217
// list one of 2024-06-25. A code that is absent is refused.
var exponents = map[Currency]int32{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"AED": 2, "AFN": 2, "ALL": 2, "AMD": 2, "AOA": 2, "ARS": 2, "AUD": 2, "AWG": 2, "AZN": 2, "BAM": 2,
	"BBD": 2, "BDT": 2, "BGN": 2, "BMD": 2, "BND": 2, "BOB": 2, "BRL": 2, "BSD": 2, "BTN": 2, "BWP": 2,
	"BYN": 2, "BZD": 2, "CAD": 2, "CDF": 2, "CHF": 2, "CNY": 2, "COP": 2, "CRC": 2, "CUP": 2, "CVE": 2,
	"CZK": 2, "DKK": 2, "DOP": 2, "DZD": 2, "EGP": 2, "ERN": 2, "ETB": 2, "EUR": 2, "FJD": 2, "FKP": 2,
	"GBP": 2, "GEL": 2, "GHS": 2, "GIP": 2, "GMD": 2, "GTQ": 2, "GYD": 2, "HKD": 2, "HNL": 2, "HTG": 2,
	"HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "IRR": 2, "JMD": 2, "KES": 2, "KGS": 2, "KHR": 2, "KPW": 2,
	"KYD": 2, "KZT": 2, "LAK": 2, "LBP": 2, "LKR": 2, "LRD": 2, "LSL": 2, "MAD": 2, "MDL": 2, "MGA": 2,
	"MKD": 2, "MMK": 2, "MNT": 2, "MOP": 2, "MRU": 2, "MUR": 2, "MVR": 2, "MWK": 2, "MXN": 2, "MYR": 2,
	"MZN": 2, "NAD": 2, "NGN": 2, "NIO": 2, "NOK": 2, "NPR": 2, "NZD": 2, "PAB": 2, "PEN": 2, "PGK": 2,
	"PHP": 2, "PKR": 2, "PLN": 2, "QAR": 2, "RON": 2, "RSD": 2, "RUB": 2, "SAR": 2, "SBD": 2, "SCR": 2,
	"SDG": 2, "SEK": 2, "SGD": 2, "SHP": 2, "SLE": 2, "SOS": 2, "SRD": 2, "SSP": 2, "STN": 2, "SVC": 2,
	"SYP": 2, "SZL": 2, "THB": 2, "TJS": 2, "TMT": 2, "TOP": 2, "TRY": 2, "TTD": 2, "TWD": 2, "TZS": 2,
	"UAH": 2, "USD": 2, "UYU": 2, "UZS": 2, "VES": 2, "WST": 2, "XCD": 2, "YER": 2, "ZAR": 2, "ZMW": 2,
}

// ParseCurrency returns the currency of that code, or an error that says what a code is.
func ParseCurrency(code string) (Currency, error) {
	c := Currency(code)
	if _, known := exponents[c]; !known {
		return "", Errorf(CodeInvalid, "%q is not a currency: write its ISO 4217 code in capitals, such as USD", code)
	}
	return c, nil
}

// Exponent returns the number of decimal places of the currency's minor unit.
func (c Currency) Exponent() int32 {
	e, known := exponents[c]
	if !known {
		panic(fmt.Sprintf("currency %q was not parsed by ParseCurrency", string(c)))
	}
	return e
}

// Money is an amount that can be paid: whole minor units (cents) of a currency.
type Money struct {
	Minor    int64
	Currency Currency
}

// Rounding says how an exact amount becomes one that can be paid.
type Rounding string

// The roundings a plan may name. HalfAwayFromZero is the default.
const (
	HalfAwayFromZero Rounding = "half_away_from_zero"
	HalfToEven       Rounding = "half_to_even"
	Down             Rounding = "down" // towards zero
)

// Round returns amount in minor units of c, rounded as r says. Its error is of code
// CodeInvalid where the amount is too large to be paid.
func (r Rounding) Round(amount decimal.Decimal, c Currency) (Money, error) {
	var rounded decimal.Decimal
	switch r {
	case HalfAwayFromZero, "":
		rounded = amount.Round(c.Exponent())
	case HalfToEven:
		rounded = amount.RoundBank(c.Exponent())
	case Down:
		rounded = amount.Truncate(c.Exponent())
	default:
		return Money{}, Errorf(CodeInvalid, "%q is not a rounding: write %s, %s or %s", string(r), HalfAwayFromZero, HalfToEven, Down)
	}
	return MoneyOf(rounded, c)
}

var (
	largestMinor  = decimal.NewFromInt(math.MaxInt64)
	smallestMinor = decimal.NewFromInt(math.MinInt64)
)

// MoneyOf returns an amount that is already whole in c's minor units; anything else is
// an error, never rounded.
func MoneyOf(amount decimal.Decimal, c Currency) (Money, error) {
	minor := amount.Shift(c.Exponent())
	if !minor.IsInteger() {
		return Money{}, Errorf(CodeInvalid, "%s %s has more decimal places than the currency, which has %d", amount, c, c.Exponent())
	}
	if minor.GreaterThan(largestMinor) || minor.LessThan(smallestMinor) {
		return Money{}, Errorf(CodeInvalid, "%s %s is too large an amount", amount, c)
	}
	return Money{Minor: minor.IntPart(), Currency: c}, nil
}

// Decimal returns the amount in major units.
func (m Money) Decimal() decimal.Decimal { return decimal.New(m.Minor, -m.Currency.Exponent()) }

// Amount returns the amount in major units with all decimal places of the currency.
func (m Money) Amount() string { return m.Decimal().StringFixed(m.Currency.Exponent()) }

// String returns the amount with its currency, such as "765.16 USD".
func (m Money) String() string { return m.Amount() + " " + string(m.Currency) }

type moneyJSON struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// MarshalJSON writes {"amount":"765.16","currency":"USD"}.
func (m Money) MarshalJSON() ([]byte, error) {
	if _, err := ParseCurrency(string(m.Currency)); err != nil {
		return nil, err
	}
	return json.Marshal(moneyJSON{Amount: m.Amount(), Currency: string(m.Currency)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Money) UnmarshalJSON(data []byte) error {
	var raw moneyJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return Errorf(CodeInvalid, `money is written as {"amount":"765.16","currency":"USD"}`)
	}
	c, err := ParseCurrency(raw.Currency)
	if err != nil {
		return err
	}
	amount, err := ParseDecimal(raw.Amount)
	if err != nil {
		return err
	}
	*m, err = MoneyOf(amount, c)
	return err
}

// ParseDecimal reads an exact decimal such as -1234.5: digits with an optional sign and
// point, at most 40 digits in all; no exponent, separator or space.
func ParseDecimal(text string) (decimal.Decimal, error) {
	invalid := Errorf(CodeInvalid, "%q is not a number: write digits with an optional sign and point, such as -1234.50", text)
	digits, points := 0, 0
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.':
			points++
		case (r == '-' || r == '+') && i == 0:
		default:
			return decimal.Decimal{}, invalid
		}
	}
	if digits == 0 || digits > 40 || points > 1 {
		return decimal.Decimal{}, invalid
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Decimal{}, invalid
	}
	return d, nil
}
