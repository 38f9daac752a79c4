package calculation

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// CodeNoRate says that an exchange rate is missing which a plan needs.
const CodeNoRate incentive.Code = "no-exchange-rate"

// ratePair names the rates of a source from one currency into another.
type ratePair struct {
	source   string
	from, to incentive.Currency
}

// exchanged is how one currency is taken into another: at so many units for one, or one for
// so many.
type exchanged struct {
	from, to incentive.Currency
	name     string // the source and the day or month
	rate     decimal.Decimal
	inverse  bool
}

func (x exchanged) of(amount decimal.Decimal) decimal.Decimal {
	if x.inverse {
		return incentive.Ratio{Numerator: amount, Denominator: x.rate}.Decimal()
	}
	return amount.Mul(x.rate)
}

// step explains what count amounts come to.
func (x exchanged) step(kind Kind, count int, amount, result decimal.Decimal) Step {
	s := Step{Kind: kind, Name: x.name, Count: count, Currency: string(x.from), Amount: &amount, Result: result}
	if x.inverse {
		s.Unit = &x.rate
	} else {
		s.Rate = &x.rate
	}
	return s
}

// exchange finds the rate that the plan takes for an amount of a day: as it is quoted, or
// else the other way round. It never goes by a third currency, and never takes one for a
// rate that is missing.
func (c *computation) exchange(from, to incentive.Currency, day incentive.Date, whose string) (exchanged, error) {
	e := c.plan.Exchange
	if e.On == plan.OnPeriodEnd {
		day = c.period.EndsOn
	}
	first, last, when := day.AddDays(-e.AtMostOld), day, day.String()
	if e.On == plan.OnAverage {
		first = incentive.Date{Year: day.Year, Month: day.Month, Day: 1}
		last = incentive.DateOf(first.UTC().AddDate(0, 1, -1))
		when = fmt.Sprintf("%04d-%02d", day.Year, day.Month)
	}
	for _, inverse := range []bool{false, true} {
		pair := ratePair{e.Rates, from, to}
		if inverse {
			pair.from, pair.to = to, from
		}
		known := c.rates[pair]
		end := sort.Search(len(known), func(i int) bool { return known[i].Date.After(last) })
		start := sort.Search(end, func(i int) bool { return !known[i].Date.Before(first) })
		if start == end {
			continue
		}
		x := exchanged{from: from, to: to, rate: known[end-1].Rate, inverse: inverse}
		if e.On == plan.OnAverage {
			sum := decimal.Zero
			for _, r := range known[start:end] {
				sum = sum.Add(r.Rate)
			}
			x.rate = incentive.Ratio{Numerator: sum, Denominator: decimal.NewFromInt(int64(end - start))}.Decimal()
		} else {
			when = known[end-1].Date.String()
		}
		x.name = e.Rates + ", " + when
		return x, nil
	}
	return exchanged{}, incentive.Errorf(CodeNoRate, "%s needs a rate of %q from %s to %s between %s and %s, and there is none: import it", whose, e.Rates, from, to, first, last)
}

// takeOver returns a credited amount in the plan's currency.
func (c *computation) takeOver(one credit, m *measured) (decimal.Decimal, error) {
	t := one.transaction
	if t.Currency == c.plan.Currency {
		return one.credited, nil
	}
	whose := fmt.Sprintf("transaction %s of %s", t.ID, t.Source)
	if c.plan.Exchange == nil {
		return decimal.Zero, incentive.Errorf(CodeCurrencyDiffers, "%s is in %s, and plan %q pays in %s: say in the plan by which rates to exchange", whose, t.Currency, c.plan.ID, c.plan.Currency)
	}
	x, err := c.exchange(t.Currency, c.plan.Currency, t.Date, whose)
	if err != nil {
		return decimal.Zero, err
	}
	amount := x.of(one.credited)
	if c.plan.Exchange.RoundEach {
		rounded, err := c.plan.Rounding.Round(amount, c.plan.Currency)
		if err != nil {
			return amount, err
		}
		amount = rounded.Decimal()
	}
	for i := range m.exchanges {
		s := &m.exchanges[i]
		if s.Name == x.name && s.Currency == string(t.Currency) {
			before := *s.Amount
			*s = x.step(StepExchange, s.Count+1, before.Add(one.credited), s.Result.Add(amount))
			return amount, nil
		}
	}
	m.exchanges = append(m.exchanges, x.step(StepExchange, 1, one.credited, amount))
	return amount, nil
}

// payIn makes the lines of a plan payable in the participant's currency: each as it is
// rounded, at the rate of the period's last day.
func (c *computation) payIn(currency incentive.Currency, lines []incentive.Line) error {
	if currency == c.plan.Currency {
		return nil
	}
	if c.plan.Exchange == nil || c.plan.LooksBack() {
		return incentive.Errorf(CodeCurrencyDiffers, "plan %q pays in %s, and %s is paid in %s: that takes \"exchange\" in the plan, and a plan that looks at nothing that earlier periods posted", c.plan.ID, c.plan.Currency, c.participant.ID, currency)
	}
	x, err := c.exchange(c.plan.Currency, currency, c.period.EndsOn, "the pay of "+c.participant.ID)
	if err != nil {
		return err
	}
	for i := range lines {
		line := &lines[i]
		e, err := ReadExplanation(*line)
		if err != nil {
			return err
		}
		planned := line.Amount.Decimal()
		if line.Amount, err = c.plan.Rounding.Round(x.of(planned), currency); err != nil {
			return err
		}
		rest := decimal.Zero
		if e.OfNoCredit != nil {
			rest = *e.OfNoCredit
		}
		ofNone, err := c.plan.Rounding.Round(x.of(rest), currency)
		if err != nil {
			return err
		}
		amounts := make([]decimal.Decimal, len(line.Contributions))
		for n, part := range line.Contributions {
			amounts[n] = x.of(part.Amount)
		}
		for n, shown := range incentive.Share(incentive.Money{Minor: line.Amount.Minor - ofNone.Minor, Currency: currency}, amounts) {
			line.Contributions[n].Shown = shown
		}
		e.Steps[len(e.Steps)-1].Currency = string(c.plan.Currency)
		paid := x.step(StepPaidIn, 0, planned, line.Amount.Decimal())
		paid.Each = string(c.plan.Rounding)
		e.Steps = append(e.Steps, paid)
		if line.Explanation, err = json.Marshal(e); err != nil {
			return fmt.Errorf("write the explanation of %s for %s: %w", line.Component, c.participant.ID, err)
		}
	}
	return nil
}
