package calculation

import (
	"maps"
	"slices"

	"github.com/guerdon/guerdon/incentive"
)

// Distribution is how what people are paid in one currency is distributed over them, and,
// where it is held against something else, how that differs.
type Distribution struct {
	People  int
	Spread  Spread
	Classes []Class
	Changes *Sum // nil where there is nothing to hold it against
}

// Class is how many people are paid at least From, and less than Below.
type Class struct {
	From   incentive.Money
	Below  *incentive.Money // nil for the last one, which holds all that is more
	People int
}

// Distributions returns how what is paid is distributed, by currency, with the changes of
// each currency that there are some of.
func Distributions(paid []incentive.Money, changes []Change) (all []Distribution) {
	by := map[incentive.Currency][]incentive.Money{}
	for _, m := range paid {
		by[m.Currency] = append(by[m.Currency], m)
	}
	changed := sums(changes)
	for _, currency := range slices.Sorted(maps.Keys(by)) {
		d := Distribution{People: len(by[currency]), Spread: spreadOf(by[currency]), Classes: classes(by[currency])}
		if at := slices.IndexFunc(changed, func(s Sum) bool { return s.Before.Currency == currency }); at >= 0 {
			d.Changes = &changed[at]
		}
		all = append(all, d)
	}
	return all
}

// mostClasses is how many classes there are at most, but for the one of all that is more.
const mostClasses = 10

// classes puts amounts of one currency into classes of the same round width. What lies far
// above nearly all others has the last class to itself, so that the rest can be told apart.
// The amounts are sorted.
func classes(amounts []incentive.Money) (all []Class) {
	currency, lowest, nearly := amounts[0].Currency, amounts[0].Minor, amounts[(len(amounts)*19+19)/20-1].Minor
	width := round(max(1, (nearly-lowest)/mostClasses))
	from := lowest / width * width
	if from > lowest {
		from -= width
	}
	if from > 0 && from <= 2*width { // zero is worth seeing where it is near
		from = 0
	}
	for len(amounts) > 0 {
		class := Class{From: incentive.Money{Minor: from, Currency: currency}}
		if from <= nearly || amounts[len(amounts)-1].Minor < from+width {
			class.Below = &incentive.Money{Minor: from + width, Currency: currency}
			class.People, _ = slices.BinarySearchFunc(amounts, class.Below.Minor, func(m incentive.Money, below int64) int {
				if m.Minor < below {
					return -1
				}
				return 1
			})
		} else {
			class.People = len(amounts)
		}
		amounts, from = amounts[class.People:], from+width
		all = append(all, class)
	}
	return all
}

// round returns the next number of 1, 2 and 5 times a power of ten.
func round(n int64) int64 {
	for power := int64(1); ; power *= 10 {
		for _, times := range []int64{1, 2, 5} {
			if power*times >= n {
				return power * times
			}
		}
	}
}
