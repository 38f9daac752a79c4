package mapping

import (
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// format is how a file writes dates and numbers.
type format struct {
	dates     string // as the mapping says it, such as DD.MM.YYYY
	layout    string // the same for package time
	point     string
	thousands string // "" for none
}

var usual = format{dates: "YYYY-MM-DD", layout: "2006-01-02", point: "."}

var datePart = regexp.MustCompile(`YYYY|YY|MMM|MM|M|DD|D`)

// Dates reads how dates are written, as their layout for package time.
func Dates(r *document.Reader, into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		layout, err := DateLayout(n.Value)
		if err != nil {
			r.On(n, "%s", err)
		}
		*into = layout
	}
}

// DateLayout reads a date format such as DD.MM.YYYY, and returns it as package time writes it.
func DateLayout(format string) (string, error) {
	parts := map[string]string{"YYYY": "2006", "YY": "06", "MMM": "Jan", "MM": "01", "M": "1", "DD": "02", "D": "2"}
	seen := map[byte]int{}
	layout := datePart.ReplaceAllStringFunc(format, func(part string) string {
		seen[part[0]]++
		return parts[part]
	})
	rest := datePart.ReplaceAllString(format, "")
	if seen['Y'] != 1 || seen['M'] != 1 || seen['D'] != 1 || strings.Trim(rest, "-./ ,") != "" {
		return "", incentive.Errorf(incentive.CodeInvalid, "%q is not a date format: write each of YYYY (or YY), MM (or M, or MMM for Jan) and DD (or D) once, as in DD.MM.YYYY", format)
	}
	return layout, nil
}

var timeOfDay = regexp.MustCompile(`(?i)[ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AP]M)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?$`)

// date reads a date; a time of day behind it is left out.
func (f format) date(text string) (incentive.Date, error) {
	at, err := time.Parse(f.layout, timeOfDay.ReplaceAllString(text, ""))
	if err != nil || at.Year() < 1900 || at.Year() > 9999 {
		return incentive.Date{}, incentive.Errorf(CodeMalformed, "a date is written %s", f.dates)
	}
	return incentive.DateOf(at), nil
}

// number reads an exact number with the format's separators; (1,234.50) and 1,234.50- are
// negative, as accountants write.
func (f format) number(text string) (decimal.Decimal, error) {
	wrong := incentive.Errorf(CodeMalformed, "a number is written such as %s", f.example())
	digits := text
	negative := false
	if inner, found := strings.CutPrefix(digits, "("); found {
		if digits, found = strings.CutSuffix(inner, ")"); !found {
			return decimal.Decimal{}, wrong
		}
		negative = true
	} else if inner, found := strings.CutSuffix(digits, "-"); found {
		digits, negative = inner, true
	}
	if negative && strings.HasPrefix(digits, "-") {
		return decimal.Decimal{}, wrong
	}
	whole, fraction, hasPoint := strings.Cut(digits, f.point)
	if f.thousands != "" && strings.Contains(whole, f.thousands) {
		groups := strings.Split(strings.TrimLeft(whole, "+-"), f.thousands)
		for i, group := range groups {
			last := i == len(groups)-1
			// Groups of two are Indian: 12,34,567.
			if len(group) == 0 || len(group) > 3 || i > 0 && !last && len(group) == 1 || last && len(group) != 3 {
				return decimal.Decimal{}, wrong
			}
		}
		whole = strings.ReplaceAll(whole, f.thousands, "")
	}
	plain := whole
	if hasPoint {
		if strings.ContainsAny(whole+fraction, ".") {
			return decimal.Decimal{}, wrong
		}
		plain += "." + fraction
	} else if f.point != "." && strings.Contains(whole, ".") {
		return decimal.Decimal{}, wrong
	}
	d, err := incentive.ParseDecimal(plain)
	if err != nil {
		return decimal.Decimal{}, wrong
	}
	if negative {
		d = d.Neg()
	}
	return d, nil
}

func (f format) example() string { return "1" + f.thousands + "234" + f.point + "50" }
