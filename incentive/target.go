package incentive

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// TargetMethod says what the quotas of a proposal are made from.
type TargetMethod string

// The ways of proposing quotas.
const (
	TargetByLastYear TargetMethod = "last-year" // the target is split by what each sold a year before
	TargetEvenly     TargetMethod = "evenly"    // the target is split evenly
	TargetByCapacity TargetMethod = "capacity"  // the target is split by how much of each is there, with a ramp for those who are new
	TargetByGrowth   TargetMethod = "growth"    // what each sold a year before grows, and the target is what that comes to
)

// TargetBase is what a proposal knows of somebody.
type TargetBase struct {
	ParticipantID string
	LastYear      decimal.Decimal // what they sold in the same interval a year before
	Capacity      decimal.Decimal // 1 is a whole person
	Months        int             // that have begun from their first day on the plan to the interval's first; 0 where it is the first or later
}

// TargetFigure is what is proposed for somebody.
type TargetFigure struct {
	ParticipantID string
	LastYear      decimal.Decimal
	Amount        decimal.Decimal
}

// targetPlaces is how exact proposed quotas are.
const targetPlaces = 2

// Targets proposes quotas for an interval of so many months. Of a top-down method they
// add up exactly to the target, and of growth the target is what they add up to. It is of code
// CodeInvalid where there is nothing to go by.
func Targets(method TargetMethod, target, growth decimal.Decimal, months, rampMonths int, people []TargetBase) (figures []TargetFigure, sum decimal.Decimal, err error) {
	weights := make([]decimal.Decimal, len(people))
	for i, p := range people {
		switch method {
		case TargetByLastYear:
			weights[i] = decimal.Max(p.LastYear, decimal.Zero)
		case TargetEvenly:
			weights[i] = decimal.NewFromInt(1)
		case TargetByCapacity:
			there := 0 // in parts of a month, of which a whole one has rampMonths
			for month := range months {
				there += min(p.Months+month+1, max(rampMonths, 1))
			}
			weights[i] = p.Capacity.Mul(decimal.NewFromInt(int64(there)))
		case TargetByGrowth:
			amount := decimal.Max(p.LastYear, decimal.Zero).Mul(growth.Add(decimal.NewFromInt(1))).Round(targetPlaces)
			figures, sum = append(figures, TargetFigure{p.ParticipantID, p.LastYear, amount}), sum.Add(amount)
		default:
			return nil, sum, Errorf(CodeInvalid, "%q is no way of proposing quotas: write last-year, evenly, capacity or growth", method)
		}
	}
	if method == TargetByGrowth {
		return figures, sum, nil
	}
	parts, err := SplitExactly(target, weights, targetPlaces)
	if err != nil {
		return nil, sum, err
	}
	for i, p := range people {
		figures = append(figures, TargetFigure{p.ParticipantID, p.LastYear, parts[i]})
	}
	return figures, target, nil
}

// SplitExactly divides an amount by weights into parts of so many places that add up to it: what
// is left over goes to the largest remainders, and of equal ones to the first. The amount
// has no more places. It is of code CodeInvalid where no weight is above zero.
func SplitExactly(amount decimal.Decimal, weights []decimal.Decimal, places int32) ([]decimal.Decimal, error) {
	sum := decimal.Zero
	for _, w := range weights {
		if w.IsNegative() {
			return nil, Errorf(CodeInvalid, "what a target is split by is not below zero")
		}
		sum = sum.Add(w)
	}
	if !sum.IsPositive() {
		return nil, Errorf(CodeInvalid, "there is nothing to split the target by: nobody sold anything a year before, or nobody is there; choose another way")
	}
	if !amount.Equal(amount.Truncate(places)) {
		return nil, Errorf(CodeInvalid, "a target has up to %d decimal places, and %s has more", places, amount)
	}
	units := amount.Shift(places)
	parts, remainders, order := make([]decimal.Decimal, len(weights)), make([]decimal.Decimal, len(weights)), make([]int, len(weights))
	left := units
	for i, w := range weights {
		// The whole quotient and its remainder, over the same denominator for all.
		parts[i], remainders[i] = units.Mul(w).QuoRem(sum, 0)
		left = left.Sub(parts[i])
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(remainders[b].Cmp(remainders[a]), cmp.Compare(a, b))
	})
	for _, i := range order[:int(left.IntPart())] {
		parts[i] = parts[i].Add(decimal.NewFromInt(1))
	}
	for i := range parts {
		parts[i] = parts[i].Shift(-places)
	}
	return parts, nil
}
