package plan

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
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

func (e Exchange) describe() string {
	day := map[RateOn]string{OnTransaction: "the transaction's day", OnPeriodEnd: "the period's last day", OnAverage: "the transaction's month, on average"}[e.On]
	text := fmt.Sprintf("Amounts in other currencies are taken over at the rates of %s of %s", e.Rates, day)
	if e.On != OnAverage {
		text += fmt.Sprintf(", or the latest before it that is at most %d days old", e.AtMostOld)
	}
	if e.RoundEach {
		text += ", each of them rounded"
	}
	return text + ". Whoever is paid in another currency is paid at the rate of the period's end."
}
