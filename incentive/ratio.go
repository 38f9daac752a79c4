package incentive

import "github.com/shopspring/decimal"

// quotientPlaces is how many decimal places a kept quotient has.
const quotientPlaces = 28

// Ratio is an exact quotient such as an attainment (measure over quota). It is the only
// place that divides: comparisons cross-multiply, products multiply first, and only
// Decimal, for a figure that must be kept or shown, divides.
type Ratio struct {
	Numerator   decimal.Decimal
	Denominator decimal.Decimal // never zero in a Ratio made by NewRatio
}

// NewRatio returns numerator over denominator. A denominator of zero is an error of
// code CodeInvalid.
func NewRatio(numerator, denominator decimal.Decimal) (Ratio, error) {
	if denominator.IsZero() {
		return Ratio{}, Errorf(CodeInvalid, "%s cannot be divided by zero", numerator)
	}
	if denominator.IsNegative() {
		numerator, denominator = numerator.Neg(), denominator.Neg()
	}
	return Ratio{Numerator: numerator, Denominator: denominator}, nil
}

// Compare returns -1, 0 or 1 as the ratio is less than, equal to or greater than d.
func (r Ratio) Compare(d decimal.Decimal) int {
	return r.Numerator.Cmp(d.Mul(r.Denominator))
}

// Of returns d times the ratio, divided last.
func (r Ratio) Of(d decimal.Decimal) decimal.Decimal {
	return divide(d.Mul(r.Numerator), r.Denominator)
}

// Decimal returns the quotient, rounded half to even to 28 places.
func (r Ratio) Decimal() decimal.Decimal { return divide(r.Numerator, r.Denominator) }

// divide rounds half to even to quotientPlaces. QuoRem truncates, so the remainder
// decides exactly which way to go.
func divide(numerator, denominator decimal.Decimal) decimal.Decimal {
	quotient, remainder := numerator.QuoRem(denominator, quotientPlaces)
	step := decimal.New(1, -quotientPlaces)
	if numerator.Sign()*denominator.Sign() < 0 {
		step = step.Neg()
	}
	switch remainder.Abs().Mul(decimal.New(2, quotientPlaces)).Cmp(denominator.Abs()) {
	case 1:
		return quotient.Add(step)
	case 0:
		if !quotient.Shift(quotientPlaces).Mod(decimal.New(2, 0)).IsZero() {
			return quotient.Add(step)
		}
	}
	return quotient
}
