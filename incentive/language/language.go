// Package language holds what differs from one language to the other: texts by key, how
// numbers, amounts and days are written, and the sentences of explanations and errors.
package language

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	xlanguage "golang.org/x/text/language"

	"github.com/guerdon/guerdon/incentive"
)

// Language is a language in which people read Guerdon, by its code in BCP 47.
type Language string

// The languages. English comes first: what is said in no other is said in it.
const (
	English    Language = "en"
	Indonesian Language = "id"
)

// Languages lists every language.
var Languages = []Language{English, Indonesian}

var matcher = xlanguage.NewMatcher([]xlanguage.Tag{xlanguage.English, xlanguage.Indonesian})

// Accepted returns the language that fits an Accept-Language header best, English where
// none does.
func Accepted(header string) Language {
	wanted, _, err := xlanguage.ParseAcceptLanguage(header)
	if err != nil {
		return English
	}
	_, index, _ := matcher.Match(wanted...)
	return Languages[index]
}

// Parse reads the code of a language. Its error has code incentive.CodeInvalid.
func Parse(code string) (Language, error) {
	for _, l := range Languages {
		if string(l) == code {
			return l, nil
		}
	}
	return "", incentive.Errorf(incentive.CodeInvalid, "there is no language %q: there are en and id", code)
}

// marks returns what parts thousands, and the whole from the fraction.
func (l Language) marks() (group, point string) {
	if l == Indonesian {
		return ".", ","
	}
	return ",", "."
}

// Number writes a decimal, which has a point and nothing else but digits and a sign.
func (l Language) Number(text string) string {
	group, point := l.marks()
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "−", text[1:]
	}
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + group + whole[at:]
	}
	if hasFraction {
		whole += point + fraction
	}
	return sign + whole
}

// written is how people write numbers: with or without a mark between the thousands.
var written = map[Language]*regexp.Regexp{
	English:    regexp.MustCompile(`^[-−]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$`),
	Indonesian: regexp.MustCompile(`^[-−]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$`),
}

// Decimal turns a number as people write it in the language into one as Number takes it,
// and reports whether it is one.
func (l Language) Decimal(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if !written[l].MatchString(text) {
		return "", false
	}
	group, point := l.marks()
	return strings.NewReplacer(group, "", point, ".", "−", "-").Replace(text), true
}

// Money writes an amount with its currency, which a line break does not part.
func (l Language) Money(m incentive.Money) string {
	return l.Number(m.Amount()) + "\u00a0" + string(m.Currency)
}

var months = map[Language][]string{
	English:    {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	Indonesian: {"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
}

var shortMonths = map[Language][]string{
	English:    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	Indonesian: {"Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"},
}

// Date writes a day, such as 30 Nov 2026.
func (l Language) Date(d incentive.Date) string {
	return fmt.Sprintf("%d\u00a0%s\u00a0%d", d.Day, shortMonths[l][d.Month-1], d.Year)
}

// Month writes a day's month, such as November 2026.
func (l Language) Month(d incentive.Date) string {
	return fmt.Sprintf("%s %d", months[l][d.Month-1], d.Year)
}

// Moment writes a time in a zone, such as 30 Nov 2026, 14:05.
func (l Language) Moment(at time.Time, zone *time.Location) string {
	at = at.In(zone)
	clock := "15:04"
	if l == Indonesian {
		clock = "15.04"
	}
	return l.Date(incentive.DateOf(at)) + ", " + at.Format(clock)
}

// Period writes what a pay period is called: its month where it is one, and its code else.
func (l Language) Period(startsOn, endsOn incentive.Date, code string) string {
	next := endsOn.AddDays(1)
	if startsOn.Day == 1 && next.Day == 1 && startsOn.AddDays(31).Compare(next) >= 0 {
		return l.Month(startsOn)
	}
	return code
}

// longNumber is one of five digits, or of four that no year has.
var longNumber = regexp.MustCompile(`(^|[ (])(\d{5,}(\.\d+)?|\d{4}\.\d+)`)

// fraction is a number with a fraction, or a long one, which other languages write otherwise.
var fraction = regexp.MustCompile(`(^|[ (])(\d{5,}(\.\d+)?|\d+\.\d+)`)

// Words parts the long numbers in a sentence, so that they can be read.
func (l Language) Words(sentence string) string {
	numbers := longNumber
	if l != English {
		numbers = fraction
	}
	return numbers.ReplaceAllStringFunc(sentence, func(found string) string {
		at := strings.IndexAny(found, "0123456789")
		return found[:at] + l.Number(found[at:])
	})
}
