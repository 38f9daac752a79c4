package incentive

import (
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
