package incentive

import (
	"strconv"

	"github.com/shopspring/decimal"
)

// wholeDigits is how many decimal digits always fit an int64.
const wholeDigits = 18

// AppendDecimal appends a number as its String writes it, without zeros at the end, so that
// 1.50 and 1.5 are alike.
func AppendDecimal(to []byte, d decimal.Decimal) []byte {
	coefficient, places, fits := small(d)
	if !fits {
		return append(to, d.String()...)
	}
	for places > 0 && coefficient%10 == 0 {
		coefficient /= 10
		places--
	}
	if coefficient < 0 {
		to, coefficient = append(to, '-'), -coefficient
	}
	var digits [wholeDigits]byte
	written := strconv.AppendInt(digits[:0], coefficient, 10)
	point := len(written) - places
	if point > 0 {
		to = append(to, written[:point]...)
	} else {
		to = append(to, '0')
	}
	if places == 0 {
		return to
	}
	to = append(to, '.')
	for ; point < 0; point++ {
		to = append(to, '0')
	}
	return append(to, written[point:]...)
}

// powers of ten that fit an int64.
var powers = func() (all [wholeDigits + 1]int64) {
	for i := range all {
		all[i] = 1
		for range i {
			all[i] *= 10
		}
	}
	return all
}()

// floor divides a number into whole minor units, cut towards minus infinity, and what is left
// in parts of 10^18 of one; exact is false of a number that does not fit.
func floor(d decimal.Decimal, minorPlaces int32) (whole, left int64, exact bool) {
	places := -int(d.Exponent()) - int(minorPlaces) // of the number in minor units
	if places < 0 || places > wholeDigits || d.NumDigits() > wholeDigits {
		return 0, 0, false
	}
	coefficient, unit := d.CoefficientInt64(), powers[places]
	whole, left = coefficient/unit, coefficient%unit
	if left < 0 {
		whole, left = whole-1, left+unit
	}
	return whole, left * powers[wholeDigits-places], true
}
