package calculation

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// exporter has sold 100 euros on the 10th of March, on a plan in dollars that pays it all.
func exporter(exchange string) *company {
	c := newCompany().person("r1", "").deal("r1", 10, "100")
	c.plan("exchange: {rates: bank, "+exchange+"}\n", "{name: c, "+measure+", rate: 1}")
	c.Transactions[0].Currency = "EUR"
	return c
}

// TestExchange is which rate counts.
func TestExchange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		company *company
		paid    string
	}{
		"of the transaction's day":      {exporter("on: transaction_date").rate("EUR", "USD", "2026-03-09", "9").rate("EUR", "USD", "2026-03-10", "1.1").rate("EUR", "USD", "2026-03-11", "9"), "110.00"},
		"the latest before it":          {exporter("on: transaction_date").rate("EUR", "USD", "2026-03-03", "1.2"), "120.00"},
		"the other way round":           {exporter("on: transaction_date").rate("USD", "EUR", "2026-03-10", "0.8"), "125.00"},
		"as it is quoted, before that":  {exporter("on: transaction_date").rate("EUR", "USD", "2026-03-04", "1.1").rate("USD", "EUR", "2026-03-10", "0.8"), "110.00"},
		"of the period's end":           {exporter("on: period_end").rate("EUR", "USD", "2026-03-10", "9").rate("EUR", "USD", "2026-03-31", "1.3"), "130.00"},
		"the month's average":           {exporter("on: month_average").rate("EUR", "USD", "2026-02-28", "9").rate("EUR", "USD", "2026-03-01", "1").rate("EUR", "USD", "2026-03-31", "2"), "150.00"},
		"an average, the other way":     {exporter("on: month_average").rate("USD", "EUR", "2026-03-01", "0.5").rate("USD", "EUR", "2026-03-31", "0.3"), "250.00"},
		"rounded as it is taken over":   {exporter("on: transaction_date, round_each: true").rate("EUR", "USD", "2026-03-10", "1.00004"), "100.00"},
		"not rounded":                   {exporter("on: transaction_date").rate("EUR", "USD", "2026-03-10", "1.00009"), "100.01"},
		"an old one, where that is all": {exporter("on: transaction_date, at_most_days_old: 366").rate("EUR", "USD", "2025-03-10", "1.5"), "150.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "r1: "+c.paid, c.company.paid(t))
		})
	}
}

// TestMissingRates names the rate that is missing; it is never taken for one.
func TestMissingRates(t *testing.T) {
	t.Parallel()
	paidElsewhere := exporter("on: transaction_date").rate("EUR", "USD", "2026-03-10", "1")
	paidElsewhere.Participants[0].PayCurrency = "GBP"
	lookingBack := exporter("on: transaction_date").rate("EUR", "USD", "2026-03-10", "1")
	lookingBack.plan("exchange: {rates: bank, on: transaction_date}\ndraw: {amount: 1, kind: recoverable}\n", "{name: c, "+measure+", rate: 1}")
	lookingBack.Participants[0].PayCurrency = "GBP"
	for name, c := range map[string]struct {
		company *company
		code    incentive.Code
		message string
	}{
		"none":             {exporter("on: transaction_date"), CodeNoRate, `transaction T0000 of crm needs a rate of "bank" from EUR to USD between 2026-03-03 and 2026-03-10, and there is none`},
		"too old":          {exporter("on: transaction_date").rate("EUR", "USD", "2026-03-02", "1"), CodeNoRate, "there is none"},
		"only later":       {exporter("on: transaction_date").rate("EUR", "USD", "2026-03-11", "1"), CodeNoRate, "there is none"},
		"by a third":       {exporter("on: transaction_date").rate("EUR", "GBP", "2026-03-10", "1").rate("GBP", "USD", "2026-03-10", "1"), CodeNoRate, "there is none"},
		"of another month": {exporter("on: month_average").rate("EUR", "USD", "2026-02-28", "1"), CodeNoRate, "between 2026-03-01 and 2026-03-31"},
		"to be paid":       {paidElsewhere, CodeNoRate, `the pay of r1 needs a rate of "bank" from USD to GBP`},
		"looking back":     {lookingBack, CodeCurrencyDiffers, `plan "p" pays in USD, and r1 is paid in GBP`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Calculate(t.Context(), c.company.Snapshot)
			require.Equal(t, c.code, incentive.ErrorCode(err), "%v", err)
			require.ErrorContains(t, err, c.message)
		})
	}
}

// TestPaidIn pays each line in the participant's currency, and explains it.
func TestPaidIn(t *testing.T) {
	t.Parallel()
	c := newCompany().person("r1", "").deal("r1", 1, "100").deal("r1", 2, "50")
	c.plan("exchange: {rates: bank, on: transaction_date}\ncap: 8\n", "{name: c, "+measure+", rate: 5%}", "{name: b, bonus: 3}")
	c.Participants[0].PayCurrency = "JPY"
	c.Transactions[1].Currency = "EUR"
	c.rate("USD", "JPY", "2026-03-30", "150.5").rate("EUR", "USD", "2026-03-02", "1.2")
	s := c.statements(t)[0]
	require.Equal(t, incentive.Currency("JPY"), s.Currency)
	require.Equal(t, "r1: 1204 + 452 + -452", c.paid(t), "8 dollars, 3 dollars and what is above 8")
	e, err := ReadExplanation(s.Lines[0])
	require.NoError(t, err)
	var words []string
	for _, step := range e.Steps {
		words = append(words, step.String())
	}
	require.Equal(t, []string{
		"1 credit in EUR (bank, 2026-03-02): 50 × 1.2 = 60",
		"sum of 2 credits: 160",
		"2 credits: 160 × 0.05 = 8",
		"rounded (half away from zero, each line): 8 to 8",
		"paid in another currency (bank, 2026-03-30): USD 8 × 150.5 = 1204",
	}, words)
	for i := range e.Steps {
		forged, err := ReadExplanation(s.Lines[0])
		require.NoError(t, err)
		if forged.Steps[i].Kind == StepMeasure {
			continue
		}
		forged.Steps[i].Result = forged.Steps[i].Result.Add(decimal.NewFromInt(2))
		wrong := s.Lines[0]
		wrong.Explanation = encode(t, forged)
		require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(wrong)), "step %d", i)
	}
}

// TestExchangeExplains holds for any amounts and rates: every line can be worked out again,
// and its contributions add up.
func TestExchangeExplains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany().person("r1", "")
		each := rapid.SampledFrom([]string{"", ", round_each: true"}).Draw(t, "each")
		on := rapid.SampledFrom([]string{"transaction_date", "period_end", "month_average"}).Draw(t, "on")
		c.plan("exchange: {rates: bank, on: "+on+each+"}\n", "{name: c, "+measure+", rate: 3.33%}")
		c.Participants[0].PayCurrency = rapid.SampledFrom([]incentive.Currency{"USD", "JPY", "KWD"}).Draw(t, "pay")
		for n := range 31 {
			on := day("2026-03-01").AddDays(n).String()
			rate := func() string { return decimal.New(rapid.Int64Range(1, 9999).Draw(t, "rate"), -3).String() }
			c.rate("USD", "EUR", on, rate())
			c.rate("JPY", "USD", on, rate())
			c.rate("USD", "KWD", on, rate())
		}
		for n := range rapid.IntRange(0, 12).Draw(t, "deals") {
			c.deal("r1", n+1, decimal.New(rapid.Int64Range(-500_00, 5000_00).Draw(t, "amount"), -2).String())
			c.Transactions[len(c.Transactions)-1].Currency = rapid.SampledFrom([]incentive.Currency{"USD", "EUR", "JPY"}).Draw(t, "in")
		}
		c.statements(t) // checks all of it
	})
}
