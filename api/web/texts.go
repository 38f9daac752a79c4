package web

import (
	"strings"

	"github.com/shopspring/decimal"

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

// records names the kinds of record of an import, which the API gives in words of its own.
func (t texts) records(kinds string) string {
	all := strings.Split(kinds, " and ")
	for i, kind := range all {
		all[i] = t.Term("record-kind", kind)
	}
	return strings.Join(all, ", ")
}

// figure writes what was measured, which has any number of decimals, with two of them at most.
func (t texts) figure(exact string) string {
	number, err := decimal.NewFromString(exact)
	if err != nil {
		return exact
	}
	return t.Number(number.Round(2).String())
}

// amount writes an exact amount as money is written: with the decimals of its currency.
func (t texts) amount(exact, currency string) string {
	number, err := decimal.NewFromString(exact)
	if err != nil {
		return exact + " " + currency
	}
	money, err := incentive.HalfAwayFromZero.Round(number, incentive.Currency(currency))
	if err != nil {
		return t.Number(exact) + " " + currency
	}
	return t.Money(money)
}
