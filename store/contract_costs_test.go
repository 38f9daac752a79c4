package store_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// contract is a sale of ann's with the terms of its contract.
func (b *books) contract(id, date, amount string, terms map[string]string) {
	b.Helper()
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": id, "date": date, "amount": amount, "currency": "USD", "attributes": terms})
	b.put("credit", map[string]any{"source": "crm", "transaction_id": id, "participant_id": "ann", "role": "owner", "share": "1"})
}

// schedule is the file of contract costs of some days, without the contracts of a few months.
func (b *books) schedule(from, to string, longest int) (store.File, []string) {
	b.Helper()
	return b.file(accounting.Request{Kind: accounting.ContractCosts, From: day(from), To: day(to), Longest: longest})
}

// TestCostOfObtainingAContract is the commission of IFRS 15's example 37, which ASC 606 has
// too: 10,000 for a contract of five years that is expected to be renewed for two more. It
// is an asset, and an expense over seven years.
func TestCostOfObtainingAContract(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.contract("d1", "2026-01-10", "100000", map[string]string{"contract": "data-centre", "contract_months": "84", "contract_start": "2026-01-01"})
	b.deal("d2", "2026-01-11", "500") // of no contract: an expense at once
	b.open(monthOf(1))
	_, lines := b.schedule("2026-01-01", "2033-12-31", 0)
	require.Empty(t, lines, "nothing is posted yet")
	b.close(monthOf(1))
	f, lines := b.schedule("2026-01-01", "2033-12-31", 0)
	require.Equal(t, "contract-costs-2026-01-01-2033-12-31.csv", f.Name())
	require.Len(t, lines, 84)
	require.Equal(t, "2026-01-01,data-centre,USD,0.00,10000.00,119.05,0.00,9880.95", lines[0])
	require.Equal(t, "2026-02-01,data-centre,USD,9880.95,0.00,119.05,0.00,9761.90", lines[1])
	require.Equal(t, "2032-12-01,data-centre,USD,119.05,0.00,119.05,0.00,0.00", lines[83])
	years := map[string]int64{}
	for _, line := range lines {
		cells := strings.Split(line, ",")
		amount, err := incentive.ParseDecimal(cells[5])
		require.NoError(t, err)
		money, err := incentive.MoneyOf(amount, "USD")
		require.NoError(t, err)
		years[cells[0][:4]] += money.Minor
	}
	require.Equal(t, map[string]int64{"2026": 142857, "2027": 142857, "2028": 142857, "2029": 142858, "2030": 142857, "2031": 142857, "2032": 142857}, years, "a seventh of 10,000.00 a year, and all of it")

	_, one := b.schedule("2027-03-15", "2027-03-15", 0)
	require.Equal(t, []string{lines[14]}, one, "a day stands for its month")
	_, none := b.schedule("2026-01-01", "2033-12-31", 84)
	require.Empty(t, none, "of contracts of so many months the cost is expensed at once")
}

// TestContractCostsOfLaterMonths leaves the months before a correction as they were: what a
// reopened period adds is amortised over what is left of the contract.
func TestContractCostsOfLaterMonths(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	b.contract("d1", "2026-01-10", "1200", map[string]string{"contract_months": "12"})
	b.contract("d2", "2026-01-10", "10", map[string]string{"contract_months": "3", "contract_start": "2026-03"})
	b.open(monthOf(1))
	b.close(monthOf(1))
	first, before := b.schedule("2026-01-01", "2026-04-30", 0)
	require.Equal(t, []string{
		"2026-01-01,crm/d1,USD,0.00,120.00,10.00,0.00,110.00", "2026-01-01,crm/d2,USD,0.00,1.00,0.00,0.00,1.00",
		"2026-02-01,crm/d1,USD,110.00,0.00,10.00,0.00,100.00", "2026-02-01,crm/d2,USD,1.00,0.00,0.00,0.00,1.00",
		"2026-03-01,crm/d1,USD,100.00,0.00,10.00,0.00,90.00", "2026-03-01,crm/d2,USD,1.00,0.00,0.33,0.00,0.67",
		"2026-04-01,crm/d1,USD,90.00,0.00,10.00,0.00,80.00", "2026-04-01,crm/d2,USD,0.67,0.00,0.34,0.00,0.33",
	}, before)

	b.contract("d1", "2026-01-10", "1300", map[string]string{"contract_months": "12"})
	b.reopen(monthOf(1))
	b.close(monthOf(1))
	storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica; UPDATE posted_line SET posted_at = '2026-03-31 20:00+00' WHERE revision = 2`) // it is April in Jakarta
	_, after := b.schedule("2026-01-01", "2026-04-30", 0)
	require.Equal(t, before[:6], after[:6])
	require.Equal(t, []string{"2026-04-01,crm/d1,USD,90.00,10.00,11.11,0.00,88.89", before[7]}, after[6:], "what is added comes down in nine months; what is posted again comes to the same")
	_, last := b.schedule("2026-12-01", "2027-12-31", 0)
	require.Len(t, last, 1)
	require.True(t, strings.HasSuffix(last[0], ",0.00"), last[0])

	again := request(accounting.ContractCosts, "")
	again.To, again.Through, again.People = day("2026-04-30"), first.Through, first.People
	same, _ := b.file(again)
	require.Equal(t, first, same, "what came later changes nothing of what counted before")
	again.Through = 1000
	_, err := b.MakeFile(t.Context(), "fin", again, &bytes.Buffer{})
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "there is nothing after them yet")
}

// TestAContractThatEnds writes off what is left of its cost in the month in which it ended, or in that in which this
// became known where that is later; earlier months stay as they were, and nothing comes after.
func TestAContractThatEnds(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	known := func(on string) { // as of when the last version was recorded
		storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica; UPDATE transaction SET recorded_at = '`+on+`' WHERE record_id = (SELECT max(record_id) FROM transaction)`)
	}
	terms := map[string]string{"contract_months": "12"}
	b.contract("d1", "2026-01-10", "1000", terms)
	b.open(monthOf(1))
	b.close(monthOf(1))
	before, lines := b.schedule("2026-01-01", "2026-12-31", 0)
	require.Len(t, lines, 12)
	require.Equal(t, "2026-12-01,crm/d1,USD,8.33,0.00,8.33,0.00,0.00", lines[11], "it ends at nothing to the cent")

	terms["contract_ended"] = "2026-05"
	b.contract("d1", "2026-01-10", "1000", terms)
	known("2026-04-15")
	_, ended := b.schedule("2026-01-01", "2027-12-31", 0)
	require.Equal(t, append(lines[:4:4], "2026-05-01,crm/d1,USD,66.67,0.00,0.00,66.67,0.00"), ended)
	known("2026-06-30 20:00+00") // July in Jakarta
	_, ended = b.schedule("2026-01-01", "2027-12-31", 0)
	require.Equal(t, append(lines[:6:6], "2026-07-01,crm/d1,USD,50.00,0.00,0.00,50.00,0.00"), ended, "what was written of earlier months stays")

	again := request(accounting.ContractCosts, "")
	again.To, again.Through, again.People = day("2026-12-31"), before.Through, before.People
	same, _ := b.file(again)
	require.Equal(t, before, same, "what came later changes nothing of what counted before")

	delete(terms, "contract_ended")
	b.contract("d1", "2026-01-10", "1000", terms)
	_, goesOn := b.schedule("2026-01-01", "2026-12-31", 0)
	require.Equal(t, lines, goesOn, "it was a mistake")
	terms["contract_ended"] = "in May"
	b.contract("d1", "2026-01-10", "1000", terms)
	_, err := b.MakeFile(t.Context(), "fin", accounting.Request{Kind: accounting.ContractCosts, From: day("2026-01-01"), To: day("2030-12-31")}, &bytes.Buffer{})
	require.ErrorContains(t, err, `transaction crm/d1 has contract_ended "in May"`)
}

// TestTermsThatCannotBeRead stops the file until they are mended.
func TestTermsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, wrong := range []map[string]string{
		{"contract_months": "a year"}, {"contract_months": "0"}, {"contract_months": "12.5"}, {"contract_months": "1000"}, {"contract_months": ""},
		{"contract_months": "12", "contract_start": "2026-13"}, {"contract_months": "12", "contract_start": "January"},
	} {
		t.Run(fmt.Sprint(wrong), func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.contract("d1", "2026-01-10", "1200", wrong)
			b.open(monthOf(1))
			b.close(monthOf(1))
			_, err := b.MakeFile(t.Context(), "fin", accounting.Request{Kind: accounting.ContractCosts, From: day("2026-01-01"), To: day("2030-12-31")}, &bytes.Buffer{})
			require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
			require.ErrorContains(t, err, fmt.Sprintf("transaction crm/d1 has contract_months %q", wrong["contract_months"]))
			if wrong["contract_months"] != "a year" {
				return
			}
			b.contract("d1", "2026-01-10", "1200", map[string]string{"contract_months": "12", "contract_start": "2026-01-31"})
			b.reopen(monthOf(1))
			b.close(monthOf(1))
			_, lines := b.schedule("2026-01-01", "2030-12-31", 0)
			require.Contains(t, lines[0], ",crm/d1,USD,0.00,120.00,")
		})
	}
}

// TestContractors is what form 1099-NEC asks for: what contractors were paid in a year, in
// dollars, on the day they were paid, less what came back.
func TestContractors(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	for _, id := range []string{"ann", "bob"} {
		contractor := participant(id, "boss")
		contractor["kind"], contractor["country"] = "contractor", "US"
		if id == "bob" {
			contractor["kind"] = "employee" // whose commissions are wages
		}
		b.put("participant", contractor)
	}
	b.destination("bob")
	b.assign("bob", "flat", "2026-01-01")
	b.deal("d1", "2026-01-10", "19999.90")
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "bob", "role": "overlay", "share": "1"})
	b.open(monthOf(1))
	b.close(monthOf(1))
	storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica; UPDATE journal_entry SET effective_on = '2027-01-02' WHERE kind = 'paid'`)
	of := func(year int, least int64) []string {
		_, lines := b.file(accounting.Request{Kind: accounting.Contractors, Year: year, Least: incentive.Money{Minor: least, Currency: "USD"}})
		return lines
	}
	require.Empty(t, of(2026, 0), "earned in January and paid in the next year")
	require.Equal(t, []string{"2027,ann,Name of ann,US,USD,1999.99,0.00"}, of(2027, 1999_99))
	require.Empty(t, of(2027, 2000_00), "less than is to be reported")
}
