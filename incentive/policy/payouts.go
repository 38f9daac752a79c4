package policy

import (
	"slices"

	"github.com/guerdon/guerdon/incentive"
)

// Payouts is what keeps a planned payout from leaving by itself. What it does not say keeps
// none. Amounts are by currency; of what is to be held, a currency that has no limit among
// those that are named reaches it, which is the careful side.
type Payouts struct {
	Minimum    []incentive.Money // less is carried forward, but of those who have left
	Largest    []incentive.Money // of one payout
	List       []incentive.Money // of a payout list: one that pays more is not released
	Within     Within
	TaxDetails []incentive.ParticipantKind // who is paid only with their tax details on record
	Employees  *Employees                  // nil: employees are paid by any rail

	// ChangeWaitsDays is how many business days it takes until payouts go to a destination
	// that replaces another one.
	ChangeWaitsDays int
}

// Within bounds what one person is paid within so many days, by the calendar.
type Within struct {
	Days  int // 0: it is not bounded
	Total []incentive.Money
}

// Employees is by what employees are paid. Payroll withholds taxes from them, so that they
// are paid by its files, but in some countries.
type Employees struct {
	By     []string // rails
	ElseIn []string // countries, by ISO 3166-1 alpha-2, where any rail may pay them
}

// Exception is why a payout does not leave by itself.
type Exception string

// The exceptions. A payout that is below the minimum is carried forward; the others are held
// for a person.
const (
	BelowMinimum     Exception = "below-minimum"
	NoTaxDetails     Exception = "tax-details-missing"
	NotByPayroll     Exception = "employee-not-by-payroll"
	AboveLargest     Exception = "above-largest"
	AboveWithinTotal Exception = "above-total-of-days"
)

// Exceptions lists the exceptions.
var Exceptions = []Exception{BelowMinimum, NoTaxDetails, NotByPayroll, AboveLargest, AboveWithinTotal}

// PayoutFacts are what is known of a payout that is planned.
type PayoutFacts struct {
	Amount     incentive.Money
	Recent     int64 // what the person is paid besides, within Within.Days, in minor units of Amount's currency
	Kind       incentive.ParticipantKind
	Country    string
	Left       bool // is employed no more
	TaxDetails bool // are on record
	Rail       string
}

// Exception returns why a payout does not leave by itself, "" where it does: the first reason
// in the order of the constants.
func (p Payouts) Exception(f PayoutFacts) Exception {
	switch {
	case !f.Left && slices.ContainsFunc(p.Minimum, func(least incentive.Money) bool {
		return least.Currency == f.Amount.Currency && f.Amount.Minor < least.Minor
	}):
		return BelowMinimum
	case !f.TaxDetails && slices.Contains(p.TaxDetails, f.Kind):
		return NoTaxDetails
	case p.Employees != nil && f.Kind == incentive.Employee && !slices.Contains(p.Employees.By, f.Rail) && !slices.Contains(p.Employees.ElseIn, f.Country):
		return NotByPayroll
	case above(p.Largest, f.Amount):
		return AboveLargest
	case p.Within.Days > 0 && above(p.Within.Total, incentive.Money{Minor: f.Amount.Minor + f.Recent, Currency: f.Amount.Currency}):
		return AboveWithinTotal
	}
	return ""
}

// AboveList returns the limit that a payout list exceeds, by what it pays in each currency;
// none where it keeps to all.
func (p Payouts) AboveList(pays []incentive.Money) (limit incentive.Money, exceeds bool) {
	for _, sum := range pays {
		for _, limit := range p.List {
			if limit.Currency == sum.Currency && sum.Minor > limit.Minor {
				return limit, true
			}
		}
	}
	return limit, false
}

// above reports whether an amount is above the limit of its currency, where there are limits.
func above(limits []incentive.Money, amount incentive.Money) bool {
	for _, limit := range limits {
		if limit.Currency == amount.Currency {
			return amount.Minor > limit.Minor
		}
	}
	return len(limits) > 0
}
