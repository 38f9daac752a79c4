package incentive

import (
	"cmp"
	"math"

	"github.com/shopspring/decimal"
)

// Sum adds numbers up, exactly. Those that fit an int64 are added without a number on the heap
// for each. The zero Sum is zero.
type Sum struct {
	coefficient int64 // of what fits: at most 10^18, with so many decimal places
	places      int
	rest        decimal.Decimal // what does not fit
}

// Add adds a number.
func (s *Sum) Add(d decimal.Decimal) {
	coefficient, places, fits := small(d)
	if fits {
		most := max(places, s.places)
		a, fitsA := scaled(s.coefficient, most-s.places)
		b, fitsB := scaled(coefficient, most-places)
		if sum := a + b; fitsA && fitsB && fitsWhole(sum) {
			s.coefficient, s.places = sum, most
			return
		}
	}
	s.rest = s.rest.Add(d)
}

// Decimal returns what the numbers come to.
func (s *Sum) Decimal() decimal.Decimal {
	all := decimal.New(s.coefficient, -int32(s.places))
	if s.rest.IsZero() {
		return all
	}
	return all.Add(s.rest)
}

// Compare returns -1, 0 or 1 as the sum is less than, equal to or greater than d.
func (s *Sum) Compare(d decimal.Decimal) int {
	if coefficient, places, fits := small(d); fits && s.rest.IsZero() {
		most := max(places, s.places)
		a, fitsA := scaled(s.coefficient, most-s.places)
		b, fitsB := scaled(coefficient, most-places)
		if fitsA && fitsB {
			return cmp.Compare(a, b)
		}
	}
	return s.Decimal().Cmp(d)
}

// small takes a number apart that has at most 18 digits, as many of them after the point.
func small(d decimal.Decimal) (coefficient int64, places int, fits bool) {
	places = -int(d.Exponent())
	if places < 0 || places > wholeDigits || d.NumDigits() > wholeDigits {
		return 0, 0, false
	}
	return d.CoefficientInt64(), places, true
}

// scaled gives a coefficient more decimal places, where it still fits.
func scaled(coefficient int64, places int) (int64, bool) {
	if coefficient > math.MaxInt64/powers[places] || coefficient < -(math.MaxInt64/powers[places]) {
		return 0, false
	}
	coefficient *= powers[places]
	return coefficient, fitsWhole(coefficient)
}

func fitsWhole(coefficient int64) bool {
	return -powers[wholeDigits] <= coefficient && coefficient <= powers[wholeDigits]
}
