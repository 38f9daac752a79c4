package incentive

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// Share shows exact amounts in minor units that add up to total: each is cut to whole
// minor units, and what is left goes to the largest remainders, a unit each. Among equal
// remainders the earlier goes first.
func Share(total Money, amounts []decimal.Decimal) []Money {
	shown := make([]Money, len(amounts))
	if len(amounts) == 0 {
		return shown
	}
	places := total.Currency.Exponent()
	order := make([]int, len(amounts))
	for i := range order {
		order[i] = i
	}
	left := total.Minor
	remainders, small := make([]int64, len(amounts)), true // in parts of 10^18 of a unit
	for i := 0; i < len(amounts) && small; i++ {
		shown[i].Currency = total.Currency
		shown[i].Minor, remainders[i], small = floor(amounts[i], places)
		left -= shown[i].Minor
	}
	if small {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	} else {
		left = total.Minor
		remainders := make([]decimal.Decimal, len(amounts))
		for i, amount := range amounts {
			minor := amount.Shift(places)
			whole := minor.Floor()
			shown[i] = Money{Minor: whole.IntPart(), Currency: total.Currency}
			remainders[i] = minor.Sub(whole)
			left -= shown[i].Minor
		}
		slices.SortStableFunc(order, func(a, b int) int { return remainders[b].Cmp(remainders[a]) })
	}
	// Each exact amount is less than a unit above what is shown so far, and their sum less
	// than a unit away from total, so one round over the amounts is enough but for the sign.
	unit := int64(1)
	if left < 0 {
		unit = -1
		slices.Reverse(order)
	}
	for i := 0; left != 0; i = (i + 1) % len(order) {
		shown[order[i]].Minor += unit
		left -= unit
	}
	return shown
}
