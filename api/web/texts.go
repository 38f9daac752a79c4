package web

import (
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

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

// period is what a pay period is called.
func (t texts) period(p client.Period) string { return t.Period(p.StartsOn, p.EndsOn, p.Code) }
