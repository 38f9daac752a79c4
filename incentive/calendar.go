package incentive

import (
	"fmt"
	"slices"
	"time"
)

// AddBusinessDays returns the nth business day after day: Saturdays, Sundays and the
// given holidays, which must be sorted, do not count. n of 0 is day itself.
func AddBusinessDays(day Date, n int, holidays []Date) Date {
	for n > 0 {
		day = day.AddDays(1)
		weekday := day.UTC().Weekday()
		_, holiday := slices.BinarySearchFunc(holidays, day, Date.Compare)
		if weekday != time.Saturday && weekday != time.Sunday && !holiday {
			n--
		}
	}
	return day
}

// Pattern is how the periods of a calendar follow one another.
type Pattern string

// The patterns.
const (
	Monthly     Pattern = "monthly"
	HalfMonthly Pattern = "half-monthly" // to the 15th, and from the 16th
	Quarterly   Pattern = "quarterly"
	Weekly      Pattern = "weekly"
	Fortnightly Pattern = "fortnightly"
	Weeks445    Pattern = "4-4-5" // quarters of 4, 4 and 5 weeks
)

// Patterns lists every pattern.
var Patterns = []Pattern{Monthly, HalfMonthly, Quarterly, Weekly, Fortnightly, Weeks445}

// PeriodDays are the days of a period, with the code that names it in its calendar.
type PeriodDays struct {
	Code             string
	StartsOn, EndsOn Date
}

// PeriodsFrom returns count periods of a pattern, the first from a day on. Its error, of
// code CodeInvalid, says from which days such periods start.
func PeriodsFrom(p Pattern, from Date, count int) ([]PeriodDays, error) {
	if !slices.Contains(Patterns, p) {
		return nil, Errorf(CodeInvalid, "%q is no pattern of periods: write one of %q", p, Patterns)
	}
	switch {
	case p == HalfMonthly && from.Day != 1 && from.Day != 16:
		return nil, Errorf(CodeInvalid, "half months start on the 1st or the 16th, not on %s", from)
	case (p == Monthly || p == Quarterly) && from.Day > 28:
		return nil, Errorf(CodeInvalid, "months start on a day that every month has, the 28th at the latest, not on %s", from)
	}
	var all []PeriodDays
	for i := range count {
		next, code := from, from.String()
		switch p {
		case Monthly:
			next, code = DateOf(from.UTC().AddDate(0, 1, 0)), code[:7]
		case Quarterly:
			next = DateOf(from.UTC().AddDate(0, 3, 0))
			if from.Day == 1 && (from.Month-1)%3 == 0 {
				code = fmt.Sprintf("%d-Q%d", from.Year, (from.Month+2)/3)
			}
		case HalfMonthly:
			if next, code = from.AddDays(15), code[:7]+"-A"; from.Day == 16 {
				next, code = DateOf(time.Date(from.Year, from.Month+1, 1, 0, 0, 0, 0, time.UTC)), from.String()[:7]+"-B"
			}
		case Weekly:
			next = from.AddDays(7)
		case Fortnightly:
			next = from.AddDays(14)
		case Weeks445:
			if next = from.AddDays(28); i%3 == 2 {
				next = from.AddDays(35)
			}
		}
		all = append(all, PeriodDays{code, from, next.AddDays(-1)})
		from = next
	}
	return all, nil
}
