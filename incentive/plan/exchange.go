package plan

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

// Exchange says by which rates amounts in other currencies are taken into the plan's, and
// what the plan pays into that of whoever is paid otherwise.
type Exchange struct {
	Rates     string // the source of the rates
	On        RateOn
	AtMostOld int  // how many days a rate may be old; not for averages
	RoundEach bool // every amount is rounded to the plan's currency when it is exchanged
}

// RateOn says of which day a rate is. Rates are not known for every day, and the latest
// up to it counts.
type RateOn string

// The days.
const (
	OnTransaction RateOn = "transaction_date"
	OnPeriodEnd   RateOn = "period_end"
	OnAverage     RateOn = "month_average" // of all rates of the calendar month that the transaction is dated in
)

func (r *reader) exchange(node *yaml.Node) *Exchange {
	e := &Exchange{AtMostOld: 7}
	var old *yaml.Node
	r.Mapping(node, "exchange", fields{
		"rates":            document.Needed(r.Text(&e.Rates)),
		"on":               document.Needed(document.Choice(&r.Reader, &e.On, OnTransaction, OnPeriodEnd, OnAverage)),
		"at_most_days_old": document.Optional(func(n *yaml.Node) { old = n }),
		"round_each":       document.Optional(r.Yes(&e.RoundEach)),
	})
	if old == nil {
		return e
	}
	days, err := strconv.Atoi(old.Value)
	switch {
	case err != nil || days < 0 || days > 366:
		r.On(old, "%q is not a number of days: write 0 to 366", old.Value)
	case e.On == OnAverage:
		r.On(old, "an average takes the rates of the month: leave \"at_most_days_old\" out")
	}
	e.AtMostOld = days
	return e
}

func (e Exchange) describe(l language.Language) string {
	day := map[RateOn]string{OnTransaction: l.Word("the transaction's day"), OnPeriodEnd: l.Word("the period's last day"), OnAverage: l.Word("the transaction's month, on average")}[e.On]
	text := l.Sprintf("Amounts in other currencies are taken over at the rates of %s of %s", e.Rates, day)
	if e.On != OnAverage {
		text += l.Sprintf(", or the latest before it that is at most %d days old", e.AtMostOld)
	}
	if e.RoundEach {
		text += l.Word(", each of them rounded")
	}
	return text + ". " + l.Word("Whoever is paid in another currency is paid at the rate of the period's end.")
}
