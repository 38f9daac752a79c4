package web

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// Money, numbers and dates are written here and nowhere else.

// thousands puts a comma between each three digits before the point of a decimal.
func thousands(text string) string {
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "−", text[1:]
	}
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if hasFraction {
		whole += "." + fraction
	}
	return sign + whole
}

// money is an amount with its currency, which a line break does not part.
func money(m incentive.Money) string {
	return thousands(m.Amount()) + "\u00a0" + string(m.Currency)
}

// date is a day, such as 30 Nov 2026.
func (t texts) date(d incentive.Date) string {
	return fmt.Sprintf("%d\u00a0%s\u00a0%d", d.Day, t[fmt.Sprintf("month.short.%d", d.Month)], d.Year)
}

// month is a month, such as November 2026.
func (t texts) month(d incentive.Date) string {
	return fmt.Sprintf("%s %d", t[fmt.Sprintf("month.%d", d.Month)], d.Year)
}

// moment is a time in the company's zone, such as 30 Nov 2026, 14:05.
func (t texts) moment(at time.Time, zone *time.Location) string {
	at = at.In(zone)
	return t.date(incentive.DateOf(at)) + ", " + at.Format("15:04")
}

// period is what a pay period is called: its month where it is one, and its code else.
func (t texts) period(p client.Period) string {
	next := p.EndsOn.AddDays(1)
	if p.StartsOn.Day == 1 && next.Day == 1 && p.StartsOn.AddDays(31).Compare(next) >= 0 {
		return t.month(p.StartsOn)
	}
	return p.Code
}

// short is the beginning of a digest.
func short(digest string) string { return digest[:min(12, len(digest))] }

// longNumber is one of five digits, or of four that no year has.
var longNumber = regexp.MustCompile(`(^|[ (])(\d{5,}(\.\d+)?|\d{4}\.\d+)`)

// words parts the long numbers in a sentence, so that they can be read.
func words(sentence string) string {
	return longNumber.ReplaceAllStringFunc(sentence, func(found string) string {
		at := strings.IndexAny(found, "0123456789")
		return found[:at] + thousands(found[at:])
	})
}
