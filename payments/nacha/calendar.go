package nacha

import (
	"time"

	"github.com/moov-io/base"

	"github.com/guerdon/guerdon/incentive"
)

// bankingDays returns the nth day after day on which the Federal Reserve, and so the ACH, works.
func bankingDays(day incentive.Date, n int) incentive.Date {
	for n > 0 {
		day = day.AddDays(1)
		if bankingDay(day) {
			n--
		}
	}
	return day
}

func bankingDay(day incentive.Date) bool {
	// Noon, so that no zone's clock makes another day of it.
	return base.NewTime(time.Date(day.Year, day.Month, day.Day, 12, 0, 0, 0, time.UTC)).IsBankingDay()
}

// effectiveOn is the day on which the bank is asked to pay what is in a file made on day.
func (c Config) effectiveOn(day incentive.Date) incentive.Date {
	return bankingDays(day.AddDays(-1), 1+c.LeadDays)
}

// settled is how many banking days after its payment a bank may send a credit back.
const settled = 2

// PresumedPaid is the second banking day after the one on which the bank was to pay or, where
// the file came to it later than that, was able to.
func (r *Rail) PresumedPaid(effective, taken incentive.Date) incentive.Date {
	return bankingDays(later(effective, taken), settled)
}

func later(a, b incentive.Date) incentive.Date {
	if a.Before(b) {
		return b
	}
	return a
}
