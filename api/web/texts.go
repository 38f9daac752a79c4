package web

import (
	"embed"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

//go:embed texts
var textFiles embed.FS

// texts are the texts of the pages in one language.
type texts struct{ language.Texts }

// problem is an error in words for whoever reads the page.
func (t texts) problem(err error) string {
	message := incentive.ErrorMessage(err)
	if incentive.ErrorCode(err) == incentive.CodeInternal || message == "" {
		return t.Get("problem.internal")
	}
	message = t.Translate(message)
	return strings.ToUpper(message[:1]) + message[1:]
}

// period is what a pay period is called: its month where it is one, and its code else.
func (t texts) period(p client.Period) string {
	next := p.EndsOn.AddDays(1)
	if p.StartsOn.Day == 1 && next.Day == 1 && p.StartsOn.AddDays(31).Compare(next) >= 0 {
		return t.Month(p.StartsOn)
	}
	return p.Code
}

// words parts the long numbers in a sentence, so that they can be read.
func (t texts) words(sentence string) string {
	numbers := longNumber
	if t.Language != language.English {
		numbers = fraction
	}
	return numbers.ReplaceAllStringFunc(sentence, func(found string) string {
		at := strings.IndexAny(found, "0123456789")
		return found[:at] + t.Number(found[at:])
	})
}
