package policy

import (
	"slices"

	"github.com/shopspring/decimal"

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
	Employees  Employees
	Methods    []MethodRule // by which rails participants may be paid; none: by any

	// Withholding is the tax that is kept of what participants are owed, the first rate that
	// concerns them; none is kept of those whom no rate concerns.
	Withholding []WithholdingRate

	// SecondPersonAbove is up to what amount one of finance alone sends a payout again that
	// failed, or gives one up; nothing: whatever the amount.
	SecondPersonAbove []incentive.Money

	// PointsExpireAfterMonths is how long points can be spent after they were collected; 0: for ever.
	PointsExpireAfterMonths int

	// ChangeWaitsDays is how many business days it takes until payouts go to a destination
	// that replaces another one.
	ChangeWaitsDays int

	// LargestByRail is the largest payout by a rail, whatever the calendar: no part of the
	// document, but what an administrator lets the rail do.
	LargestByRail map[string][]incentive.Money
}

// Within bounds what one person is paid within so many days, by the calendar.
type Within struct {
	Days  int // 0: it is not bounded
	Total []incentive.Money
}

// Employees is by what employees are paid. Payroll withholds taxes from them, so that they
// are paid by its files, but in the countries where finance lets other rails pay them.
type Employees struct {
	By     []string // rails
	ElseIn []string // countries, by ISO 3166-1 alpha-2, where any rail may pay them
}

// WithholdingRate is the share of what becomes payable that is kept as tax.
type WithholdingRate struct {
	Of   []incentive.ParticipantKind
	In   []string // countries, by ISO 3166-1 alpha-2; none: any
	Rate decimal.Decimal

	// WithoutTaxDetails is the rate of those whose tax details are not on record, nil where
	// it is the same.
	WithoutTaxDetails *decimal.Decimal
}

// RateOf returns the share that is kept as tax of what a participant is owed.
func (p Payouts) RateOf(kind incentive.ParticipantKind, country string, taxDetails bool) decimal.Decimal {
	for _, w := range p.Withholding {
		if slices.Contains(w.Of, kind) && (len(w.In) == 0 || slices.Contains(w.In, country)) {
			if !taxDetails && w.WithoutTaxDetails != nil {
				return *w.WithoutTaxDetails
			}
			return w.Rate
		}
	}
	return decimal.Zero
}

// Withheld returns what is to be kept as tax, in minor units, once what a period made
// payable to somebody has become now, where it was before and kept was kept of that: the
// rate of what has come to it since, and of less than before the same share as of that.
// Nobody gets tax back who was not made to pay it.
func Withheld(now, before, kept int64, rate decimal.Decimal) int64 {
	before = max(before, 0)
	switch {
	case now <= 0:
		return 0
	case now < before:
		share := incentive.Ratio{Numerator: decimal.NewFromInt(now), Denominator: decimal.NewFromInt(before)}
		return share.Of(decimal.NewFromInt(kept)).Round(0).IntPart()
	default:
		return kept + rate.Mul(decimal.NewFromInt(now-before)).Round(0).IntPart()
	}
}

// Exception is why a payout does not leave by itself.
type Exception string

// The exceptions. A payout that is below the minimum is carried forward; the others are held
// for a person.
const (
	Listed           Exception = "screening-hit" // whatever the policy says
	BelowMinimum     Exception = "below-minimum"
	NoTaxDetails     Exception = "tax-details-missing"
	NotByPayroll     Exception = "employee-not-by-payroll"
	NotByMethod      Exception = "payout-method-not-allowed"
	SharedAccount    Exception = "account-shared" // whatever the policy says: somebody else is paid there too
	AboveLargest     Exception = "above-largest"
	AboveWithinTotal Exception = "above-total-of-days"
	AccountNotReady  Exception = "account-not-ready" // whatever the policy says: the rail does not pay the person's account yet
	AccountRefused   Exception = "account-refused"   // whatever the policy says: the last payment there came back because of the account
)

// Exceptions lists the exceptions.
var Exceptions = []Exception{Listed, BelowMinimum, NoTaxDetails, NotByPayroll, NotByMethod, SharedAccount, AboveLargest, AboveWithinTotal, AccountNotReady, AccountRefused}

// PayoutFacts are what is known of a payout that is planned.
type PayoutFacts struct {
	Amount     incentive.Money
	Whole      int64 // with the other payouts of the person on the list, in minor units of Amount's currency
	Recent     int64 // what the person is paid besides, within Within.Days, in minor units of Amount's currency
	Kind       incentive.ParticipantKind
	Country    string
	Left       bool // is employed no more
	TaxDetails bool // are on record
	Listed     bool // a sanctions list may mean them
	Shared     bool // somebody else is paid to the same account
	NotReady   bool // the account at the rail cannot be paid yet
	Refused    bool // the last payment to the account came back, or was refused, because of it
	Rail       string
}

// Exception returns why a payout does not leave by itself, "" where it does: the first reason
// in the order of the constants.
func (p Payouts) Exception(f PayoutFacts) Exception {
	switch {
	case f.Listed:
		return Listed
	case !f.Left && slices.ContainsFunc(p.Minimum, func(least incentive.Money) bool {
		return least.Currency == f.Amount.Currency && f.Amount.Minor < least.Minor
	}):
		return BelowMinimum
	case !f.TaxDetails && slices.Contains(p.TaxDetails, f.Kind):
		return NoTaxDetails
	case !p.payrollAllows(f.Kind, f.Country, f.Rail):
		return NotByPayroll
	case f.Amount.Minor > p.bounds(f.Kind, f.Country, f.Rail, f.Amount.Currency).most:
		return NotByMethod
	case f.Shared:
		return SharedAccount
	case above(p.Largest, incentive.Money{Minor: max(f.Whole, f.Amount.Minor), Currency: f.Amount.Currency}), above(p.LargestByRail[f.Rail], f.Amount):
		return AboveLargest
	case p.Within.Days > 0 && above(p.Within.Total, incentive.Money{Minor: f.Amount.Minor + f.Recent, Currency: f.Amount.Currency}):
		return AboveWithinTotal
	case f.NotReady:
		return AccountNotReady
	case f.Refused:
		return AccountRefused
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

// NeedsSecondPerson reports whether what is decided about a payout of this amount is
// confirmed by a second person.
func (p Payouts) NeedsSecondPerson(amount incentive.Money) bool {
	return above(p.SecondPersonAbove, amount)
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
