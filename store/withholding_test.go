package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
)

// keptAsTax is what is owed to the tax office.
func (b *books) keptAsTax() string {
	b.Helper()
	all, err := b.Balances(b.Context(), "", 0)
	require.NoError(b, err)
	for _, balance := range all {
		if balance.Kind == store.WithholdingPayable {
			return incentive.Money{Minor: -balance.Minor, Currency: balance.Currency}.Amount()
		}
	}
	return "nothing"
}

// withheld is what a period pays and what was kept of it.
func (b *books) withheld(period string) []string {
	b.Helper()
	all := []string{}
	for _, o := range b.payouts(period) {
		all = append(all, fmt.Sprintf("%s of %s", o.Amount.Amount(), incentive.Money{Minor: o.Amount.Minor - o.Carried.Minor + o.Withheld.Minor, Currency: o.Amount.Currency}.Amount()))
	}
	return all
}

// contractor makes ann one who is taxed at a rate, with tax details or none.
func (b *books) contractor(rules, details string) {
	b.Helper()
	record := participant("ann", "boss")
	record["kind"], record["country"], record["attributes"] = "contractor", "IN", map[string]string{"tax_details": details}
	b.put("participant", record)
	b.follows(rules)
}

const fiveInIndia = "withholding: [{of: [contractor], in: [IN], rate: 5%, without_tax_details: 20%}]"

// TestWithholding keeps tax of what becomes payable: a line between what was earned and
// what is paid.
func TestWithholding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rules, details, pays, tax string }{
		"with tax details":    {fiveInIndia, "PAN", "95.00 of 100.00", "5.00"},
		"without":             {fiveInIndia, "", "80.00 of 100.00", "20.00"},
		"in another country":  {"withholding: [{of: [contractor], in: [US], rate: 5%}]", "", "100.00 of 100.00", "nothing"},
		"nothing is said":     {"change_waits_days: 0", "", "100.00 of 100.00", "nothing"},
		"less than a minimum": {fiveInIndia + ", minimum: [95.01 USD]", "PAN", "95.00 of 100.00", "5.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.contractor(c.rules, c.details)
			b.deal("d1", "2026-01-10", "1000")
			b.open(monthOf(1))
			b.close(monthOf(1))
			require.Equal(t, []string{c.pays}, b.withheld(monthOf(1)))
			require.Equal(t, c.tax, b.keptAsTax())
			entries, err := b.VerifyLedger(t.Context())
			require.NoError(t, err)
			require.NotZero(t, entries)
		})
	}
}

// TestWithholdingFollowsWhatIsEarned keeps no more of a reopened period than its new total
// asks for, at the rate of the day on which each part of it became payable.
func TestWithholdingFollowsWhatIsEarned(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.contractor(fiveInIndia, "PAN")
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	again := func(amount string) {
		t.Helper()
		b.reopen(monthOf(1))
		b.deal("d1", "2026-01-10", amount)
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
	}

	b.follows("withholding: [{of: [contractor], in: [IN], rate: 10%}]")
	again("1500")
	require.Equal(t, []string{"45.00 of 50.00"}, b.withheld(monthOf(1)))
	require.Equal(t, "10.00", b.keptAsTax(), "5 of the first 100, and 5 of the 50 that came to it")

	_, err := b.Withdraw(t.Context(), b.command(monthOf(1), incentive.Withdraw))
	require.NoError(t, err)
	require.Equal(t, "5.00", b.keptAsTax(), "an approval that is taken back gives back what was kept with it")
	b.approve(monthOf(1))
	require.Equal(t, "10.00", b.keptAsTax())
	b.pay(monthOf(1))
	b.shut(monthOf(1))

	again("600")
	require.Empty(t, b.withheld(monthOf(1)), "90 too much are owed by ann, less the tax of it")
	require.Equal(t, "4.00", b.keptAsTax(), "the same share of what is left")
	b.pay(monthOf(1))
	b.shut(monthOf(1))
	b.deal("d2", "2026-02-10", "2000")
	b.open(monthOf(2))
	b.close(monthOf(2))
	require.Equal(t, "24.00", b.keptAsTax())
	require.Equal(t, []string{"96.00 of 200.00"}, b.withheld(monthOf(2)), "200, less 20 of tax and the 84 that January overpaid")
}

// TestWithholdingBegins keeps nothing of what was paid before there was a rate.
func TestWithholdingBegins(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.contractor("change_waits_days: 0", "PAN")
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	b.follows(fiveInIndia)
	b.reopen(monthOf(1))
	b.deal("d1", "2026-01-10", "1200")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	require.Equal(t, []string{"19.00 of 20.00"}, b.withheld(monthOf(1)))
	require.Equal(t, "1.00", b.keptAsTax())
}

// TestWithholdingInFiles tells payroll and the tax office.
func TestWithholdingInFiles(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.contractor(fiveInIndia, "PAN")
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	_, payroll := b.file(accounting.Request{Kind: accounting.Payroll, Period: monthOf(1)})
	require.Equal(t, []string{"ann,Name of ann,contractor,IN,monthly-2026-01,2026-01-01,2026-01-31,1,USD,100.00,5.00,95.00"}, payroll)
	year := 2026
	_, contractors := b.file(accounting.Request{Kind: accounting.Contractors, Year: year, Least: incentive.Money{Minor: 1, Currency: "USD"}})
	require.Equal(t, []string{"2026,ann,Name of ann,IN,USD,100.00,5.00"}, contractors)
	_, contractors = b.file(accounting.Request{Kind: accounting.Contractors, Year: year, Least: incentive.Money{Minor: 2000_00, Currency: "USD"}})
	require.Equal(t, []string{"2026,ann,Name of ann,IN,USD,100.00,5.00"}, contractors, "what was kept as tax is reported of any amount")
	_, totals := b.file(accounting.Request{Kind: accounting.YearEnd, Year: year})
	require.Contains(t, fmt.Sprint(totals), "kept as tax,-5.00")
}
