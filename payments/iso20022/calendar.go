package iso20022

import (
	"slices"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// TargetHolidays lists the days of a year on which T2, the euro area's payment system, is
// closed besides Saturdays and Sundays, in order: New Year's Day, Good Friday, Easter
// Monday, 1 May, 25 and 26 December.
func TargetHolidays(year int) []incentive.Date {
	easter := easterSunday(year)
	return []incentive.Date{
		{Year: year, Month: time.January, Day: 1}, easter.AddDays(-2), easter.AddDays(1),
		{Year: year, Month: time.May, Day: 1}, {Year: year, Month: time.December, Day: 25}, {Year: year, Month: time.December, Day: 26},
	}
}

// easterSunday is by the Gregorian computus of Meeus, Jones and Butcher.
func easterSunday(year int) incentive.Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	return incentive.Date{Year: year, Month: time.Month(month), Day: (h + l - 7*m + 33*month + 19) % 32}
}

// executionDate is the day on which the bank is asked to pay a file made on day: that day
// or the next banking day, and LeadDays banking days more.
func (c Config) executionDate(day incentive.Date) incentive.Date {
	holidays := slices.Clone(c.Holidays)
	if c.Scheme == SEPA {
		for year := day.Year; year <= day.AddDays(2*c.LeadDays+30).Year; year++ {
			holidays = append(holidays, TargetHolidays(year)...)
		}
	}
	slices.SortFunc(holidays, incentive.Date.Compare)
	return incentive.AddBusinessDays(day.AddDays(-1), c.LeadDays+1, holidays)
}
