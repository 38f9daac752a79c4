package calculation

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

var (
	d   = decimal.RequireFromString
	day = incentive.MustParseDate
)

// company is a snapshot in the making: a month, people and their deals.
type company struct{ incentive.Snapshot }

func newCompany(components ...string) *company {
	c := &company{incentive.Snapshot{Period: incentive.Period{ID: "m-2026-03", CalendarID: "m", Code: "2026-03", StartsOn: day("2026-03-01"), EndsOn: day("2026-03-31"), Revision: 1}}}
	c.plan("", components...)
	return c
}

func (c *company) plan(extra string, components ...string) {
	document := "language: 1\nplan: p\nname: P\ncurrency: USD\n" + extra +
		"reads:\n  transaction: {category: text, units: number}\n  participant: {rate: number, bonus: number, hired_on: text}\ncomponents:\n  - " + strings.Join(components, "\n  - ") + "\n"
	c.PlanVersions = []incentive.PlanVersion{{PlanID: "p", Version: 1, EffectiveFrom: day("2026-01-01"), Document: []byte(document)}}
}

func (c *company) person(id, manager string, attributes ...string) *company {
	p := incentive.Participant{ID: id, EffectiveFrom: day("2020-01-01"), Name: id, Kind: incentive.Employee, ManagerID: manager, Country: "US", PayCurrency: "USD", Attributes: map[string]string{}}
	for i := 0; i < len(attributes); i += 2 {
		p.Attributes[attributes[i]] = attributes[i+1]
	}
	c.Participants = append(c.Participants, p)
	c.Assignments = append(c.Assignments, incentive.Assignment{ParticipantID: id, PlanID: "p", StartsOn: day("2020-01-01"), Version: 1})
	return c
}

func (c *company) quota(id, amount string) *company {
	c.Quotas = append(c.Quotas, incentive.Quota{ParticipantID: id, Measure: "sales", StartsOn: c.Period.StartsOn, EndsOn: c.Period.EndsOn, Amount: d(amount), Version: 1})
	return c
}

// deal adds a transaction of the nth of March, wholly credited to id.
func (c *company) deal(id string, n int, amount string, category ...string) *company {
	return c.split(n, amount, strings.Join(category, ""), id, "1")
}

func (c *company) split(n int, amount, category string, shares ...string) *company {
	key := incentive.TransactionKey{Source: "crm", ID: fmt.Sprintf("T%04d", len(c.Transactions))}
	c.Transactions = append(c.Transactions, incentive.Transaction{TransactionKey: key, Version: 1, Date: day("2026-03-01").AddDays(n - 1), Amount: d(amount), Currency: "USD", Attributes: map[string]string{"category": category, "units": "2.5"}})
	for i := 0; i < len(shares); i += 2 {
		c.Credits = append(c.Credits, incentive.Credit{Transaction: key, ParticipantID: shares[i], Role: "owner", Share: d(shares[i+1]), Version: 1})
	}
	return c
}

// rate makes a unit of one currency worth so much of another on a day, as the bank says.
func (c *company) rate(from, to incentive.Currency, on, rate string) *company {
	c.Rates = append(c.Rates, incentive.ExchangeRate{Source: "bank", From: from, To: to, Date: day(on), Rate: d(rate), Version: 1})
	return c
}

func (c *company) statements(t require.TestingT) []incentive.Statement {
	byKey := func(a, b incentive.TransactionKey) int {
		return strings.Compare(a.Source+"\x00"+a.ID, b.Source+"\x00"+b.ID)
	}
	slices.SortFunc(c.Transactions, func(a, b incentive.Transaction) int {
		if order := a.Date.Compare(b.Date); order != 0 {
			return order
		}
		return byKey(a.TransactionKey, b.TransactionKey)
	})
	slices.SortFunc(c.Credits, func(a, b incentive.Credit) int {
		if order := byKey(a.Transaction, b.Transaction); order != 0 {
			return order
		}
		return strings.Compare(a.ParticipantID, b.ParticipantID)
	})
	slices.SortFunc(c.Assignments, func(a, b incentive.Assignment) int {
		return strings.Compare(a.ParticipantID+a.StartsOn.String(), b.ParticipantID+b.StartsOn.String())
	})
	statements, err := Calculate(contextOf(t), c.Snapshot)
	require.NoError(t, err)
	for _, s := range statements {
		for _, line := range s.Lines {
			require.NoError(t, CheckLine(line))
			checkContributions(t, line)
		}
	}
	return statements
}

// checkContributions holds what is shown of a line's contributions to adding up, but for
// what no credit earned.
func checkContributions(t require.TestingT, line incentive.Line) {
	e, err := ReadExplanation(line)
	require.NoError(t, err)
	if e.OfNoCredit != nil || len(line.Contributions) == 0 {
		return
	}
	shown := int64(0)
	for _, c := range line.Contributions {
		shown += c.Shown.Minor
	}
	require.Equal(t, line.Amount.Minor, shown, "the shown contributions add up to the line")
}

// paid returns what everybody's lines come to, such as "r1: 12.34 + 5.00".
func (c *company) paid(t require.TestingT) string {
	var all []string
	for _, s := range c.statements(t) {
		var lines []string
		for _, line := range s.Lines {
			lines = append(lines, line.Amount.Amount())
		}
		all = append(all, s.ParticipantID+": "+strings.Join(lines, " + "))
	}
	return strings.Join(all, "; ")
}

const (
	measure = "measure: {sum: credits}"
	tiers   = "{name: c, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 1%}, {up_to: 150%, rate: 1.5%}, {rate: 2%}]}}"
	climb   = "{name: c, measure: {sum: credits}, rate_table: {on: amount, retroactive: true, tiers: [{%s: 100, rate: 1%%}, {rate: 2%%}]}}"
)

// TestCalculate is the meaning of each word of the language.
func TestCalculate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		company *company
		paid    string
	}{
		"a flat rate, rounded once half away from zero": {newCompany("{name: c, "+measure+", rate: 5%}").person("r1", "").deal("r1", 1, "0.05").deal("r1", 2, "0.05"), "r1: 0.01"},
		"nothing sold":         {newCompany("{name: c, "+measure+", rate: 5%}").person("r1", ""), "r1: 0.00"},
		"a refund":             {newCompany("{name: c, "+measure+", rate: 5%}").person("r1", "").deal("r1", 1, "-100.10"), "r1: -5.01"},
		"personal rates":       {newCompany("{name: c, "+measure+", rate: participant.rate}").person("r1", "", "rate", "0.05").person("r2", "", "rate", "7%").deal("r1", 1, "100").deal("r2", 1, "100"), "r1: 5.00; r2: 7.00"},
		"product rates":        {newCompany("{name: c, "+measure+", rates: [{where: 'transaction.category == \"1\"', rate: 4%}, {where: 'transaction.category in [\"7\", \"8\"]', rate: 3%}, {rate: 2.5%}]}").person("r1", "").deal("r1", 1, "100", "1").deal("r1", 1, "100", "8").deal("r1", 1, "100", "2"), "r1: 9.50"},
		"a filtered measure":   {newCompany("{name: c, measure: {sum: credits, where: 'transaction.category == \"1\"'}, rate: 4%}").person("r1", "").deal("r1", 1, "100", "1").deal("r1", 1, "100", "2"), "r1: 4.00"},
		"a count":              {newCompany("{name: c, measure: {count: credits}, rate: 250}").person("r1", "").deal("r1", 1, "1").deal("r1", 2, "2"), "r1: 500.00"},
		"a split":              {newCompany("{name: c, "+measure+", rate: 8%}").person("r1", "").person("r2", "").split(1, "400000", "", "r1", "0.60", "r2", "0.4"), "r1: 19200.00; r2: 12800.00"},
		"below quota":          {newCompany(tiers).person("r1", "").quota("r1", "1000").deal("r1", 1, "999.99"), "r1: 10.00"},
		"through all tiers":    {newCompany(tiers).person("r1", "").quota("r1", "1000").deal("r1", 1, "900").deal("r1", 2, "900").deal("r1", 3, "200"), "r1: 27.50"},
		"climbing down again":  {newCompany(tiers).person("r1", "").quota("r1", "1000").deal("r1", 1, "1200").deal("r1", 2, "-400"), "r1: 8.00"},
		"below nothing":        {newCompany(tiers).person("r1", "").quota("r1", "1000").deal("r1", 1, "-400"), "r1: -4.00"},
		"up_to holds its edge": {newCompany(fmt.Sprintf(climb, "up_to")).person("r1", "").deal("r1", 1, "100"), "r1: 1.00"},
		"below does not":       {newCompany(fmt.Sprintf(climb, "below")).person("r1", "").deal("r1", 1, "100"), "r1: 2.00"},
		"retroactive":          {newCompany(fmt.Sprintf(climb, "up_to")).person("r1", "").deal("r1", 1, "100.01"), "r1: 2.00"},
		"retroactive in part":  {newCompany("{name: c, "+measure+", rate_table: {on: amount, tiers: [{up_to: 100, rate: 1%}, {up_to: 200, rate: 2%, retroactive: true}, {rate: 3%}]}}").person("r1", "").deal("r1", 1, "300"), "r1: 7.00"},
		"a bonus at the gate":  {newCompany("{name: b, "+measure+", bonus: participant.bonus, gate: {on: attainment, quota: sales, at_least: 100%}}").person("r1", "", "bonus", "500").quota("r1", "1000").deal("r1", 1, "1000"), "r1: 500.00"},
		"a bonus before it":    {newCompany("{name: b, "+measure+", bonus: participant.bonus, gate: {on: attainment, quota: sales, above: 100%}}").person("r1", "", "bonus", "500").quota("r1", "1000").deal("r1", 1, "1000"), "r1: 0.00"},
		"a gate of its own":    {newCompany("{name: c, "+measure+", rate: 1%, gate: {measure: {count: credits}, on: amount, at_least: 2}}").person("r1", "").deal("r1", 1, "100").person("r2", "").deal("r2", 1, "100").deal("r2", 1, "100"), "r1: 0.00; r2: 2.00"},
		"no quota, allowed":    {newCompany("{name: b, "+measure+", bonus: 5, gate: {on: attainment, quota: sales, at_least: 0, without_quota: nothing}}").person("r1", ""), "r1: 0.00"},
		"a cap":                {newCompany("{name: c, "+measure+", rate: 3%, cap: 10000}").person("r1", "").deal("r1", 1, "300000").deal("r1", 2, "100000"), "r1: 10000.00"},
		"a cap for each":       {newCompany("{name: c, "+measure+", rate: 10%, cap_each_transaction: 50}").person("r1", "").deal("r1", 1, "300").deal("r1", 2, "900"), "r1: 80.00"},
		"a floor":              {newCompany("{name: c, "+measure+", rate: 10%, floor: 100}").person("r1", "").deal("r1", 1, "300").person("r2", "").deal("r2", 1, "3000"), "r1: 100.00; r2: 300.00"},
		"rates by attainment":  {newCompany("{name: c, "+measure+", rate_by: {key: {on: attainment, quota: sales}, tiers: [{below: 80%, rate: 1%}, {up_to: 100%, rate: 2%}, {rate: 3%}]}}").person("r1", "").quota("r1", "100").deal("r1", 1, "79.99").person("r2", "").quota("r2", "100").deal("r2", 1, "80").person("r3", "").quota("r3", "100").deal("r3", 1, "101"), "r1: 0.80; r2: 1.60; r3: 3.03"},
		"rates by count":       {newCompany("{name: c, "+measure+", rate_by: {key: {on: count}, tiers: [{up_to: 1, rate: 1%}, {rate: 2%}]}}").person("r1", "").deal("r1", 1, "100").person("r2", "").deal("r2", 1, "100").deal("r2", 1, "100"), "r1: 1.00; r2: 4.00"},
		"rates in two dimensions": {newCompany("{name: c, "+measure+", rate_by: {key: {on: attainment, quota: sales}, across: {key: participant.bonus, columns: [{below: 10}, {}]}, tiers: [{below: 100%, rates: [1%, 2%]}, {rates: [3%, 4%]}]}}").
			person("r1", "", "bonus", "9").quota("r1", "100").deal("r1", 1, "50").person("r2", "", "bonus", "10").quota("r2", "100").deal("r2", 1, "50").person("r3", "", "bonus", "10").quota("r3", "100").deal("r3", 1, "100"), "r1: 0.50; r2: 1.00; r3: 4.00"},
		"rates by two measures": {newCompany("{name: c, "+measure+", rate_by: {key: {on: attainment, quota: sales}, across: {key: {on: amount, measure: {ratio: {sum: transaction.units}, to: {count: credits}}}, columns: [{below: 2}, {}]}, tiers: [{below: 100%, rates: [1%, 2%]}, {rates: [3%, 4%]}]}}").
			person("r1", "").quota("r1", "100").deal("r1", 1, "50").person("r2", "").quota("r2", "100").deal("r2", 1, "100").person("r3", "").quota("r3", "100").split(1, "1000", "", "r3", "0.5"), "r1: 1.00; r2: 4.00; r3: 15.00"},
		"a factor by another measure": {newCompany("{name: c, "+measure+", rate: 10%, multipliers: {combine: multiply, factors: [{name: units, key: {on: attainment, quota: sales, measure: {sum: transaction.units, where: 'transaction.category == \"a\"'}}, steps: [{below: 100%, factor: 1}, {factor: 1.5}]}]}}").
			person("r1", "").quota("r1", "5").deal("r1", 1, "100", "a").deal("r1", 2, "100", "a").person("r2", "").quota("r2", "5").deal("r2", 1, "100", "a").deal("r2", 2, "100"), "r1: 30.00; r2: 20.00"},
		"a team's bonus by its deals": {newCompany("{name: c, override: {level: 1}, bonus: 100, multipliers: {combine: multiply, factors: [{name: deals, key: {on: amount, measure: {count: credits}}, steps: [{below: 2, factor: 0}, {factor: 1}]}]}}").
			person("boss", "").person("r1", "boss").deal("r1", 1, "1").deal("r1", 2, "1"), "boss: 100.00; r1: 0.00"},
		"a share of a bonus by two measures": {newCompany("{name: c, bonus: 1000, multipliers: {combine: multiply, factors: [{name: matrix, key: {on: attainment, quota: sales, measure: {sum: credits}}, across: {key: {on: amount, measure: {count: credits}}, columns: [{below: 2}, {}]}, steps: [{below: 100%, factors: [0, 0.5]}, {factors: [1, 1.5]}]}]}}").
			person("r1", "").quota("r1", "100").deal("r1", 1, "99").person("r2", "").quota("r2", "100").deal("r2", 1, "9").deal("r2", 2, "9").person("r3", "").quota("r3", "100").deal("r3", 1, "50").deal("r3", 2, "50"), "r1: 0.00; r2: 500.00; r3: 1500.00"},
		"tenure to the day": {newCompany("{name: c, "+measure+", rate_by: {key: {on: tenure, since: participant.hired_on}, tiers: [{up_to: 1, rate: 1%}, {up_to: 2, rate: 2%}, {rate: 3%}]}}").
			person("r1", "", "hired_on", "2026-03-01").deal("r1", 1, "100").person("r2", "", "hired_on", "2026-02-28").deal("r2", 1, "100").person("r3", "", "hired_on", "2026-01-31").deal("r3", 1, "100"), "r1: 1.00; r2: 2.00; r3: 3.00"},
		"tiers for each":                    {newCompany("{name: c, "+measure+", evaluate: each_transaction, rate_table: {on: amount, tiers: [{up_to: 100, rate: 1%}, {rate: 2%}]}}").person("r1", "").deal("r1", 1, "100").deal("r1", 2, "200"), "r1: 4.00"},
		"a curve":                           {newCompany("{name: c, "+measure+", curve: {on: attainment, quota: sales, of: participant.bonus, points: [{at: 50%, pays: 0}, {at: 100%, pays: 100%}]}}").person("r1", "", "bonus", "1000").quota("r1", "100").deal("r1", 1, "60").deal("r1", 2, "15").person("r2", "", "bonus", "1000").quota("r2", "100").deal("r2", 1, "200").person("r3", "", "bonus", "1000").quota("r3", "100"), "r1: 500.00; r2: 1000.00; r3: 0.00"},
		"a curve that goes on":              {newCompany("{name: c, "+measure+", curve: {on: attainment, quota: sales, of: 1000, points: [{at: 50%, pays: 0}, {at: 100%, pays: 100%}], beyond: extend}}").person("r1", "").quota("r1", "100").deal("r1", 1, "150"), "r1: 2000.00"},
		"a picked factor":                   {newCompany("{name: c, "+measure+", rate: 10%, multipliers: {combine: multiply, factors: [{name: decelerator, key: {on: attainment, quota: sales}, steps: [{below: 80%, factor: 0.5}, {factor: 1}]}]}}").person("r1", "").quota("r1", "100").deal("r1", 1, "70").person("r2", "").quota("r2", "100").deal("r2", 1, "80"), "r1: 3.50; r2: 8.00"},
		"a scorecard":                       {newCompany("{name: c, scorecard: {of: 1000, points: [{at: 0, pays: 0}, {at: 100%, pays: 100%}], measures: [{name: deals, weight: 40%, quota: sales, measure: {count: credits}}, {name: value, weight: 60%, quota: sales, measure: {sum: credits}}]}}").person("r1", "").quota("r1", "4").deal("r1", 1, "1").deal("r1", 1, "1"), "r1: 500.00"},
		"the sum of an attribute, by share": {newCompany("{name: c, measure: {sum: transaction.units}, rate: 3}").person("r1", "").split(1, "100", "", "r1", "0.4").deal("r1", 2, "7"), "r1: 10.50"},
		"different values, each once":       {newCompany("{name: c, measure: {distinct: transaction.category}, rate: 10}").person("r1", "").deal("r1", 1, "1", "a").deal("r1", 2, "1", "b").deal("r1", 3, "1", "a").deal("r1", 4, "1"), "r1: 20.00"},
		"a ratio on a curve": {newCompany("{name: c, measure: {ratio: {sum: credits, where: 'transaction.category == \"won\"'}, to: {sum: credits}}, curve: {on: amount, of: 1000, points: [{at: 50%, pays: 0}, {at: 100%, pays: 100%}]}}").
			person("r1", "").deal("r1", 1, "90", "won").deal("r1", 1, "30").person("r2", ""), "r1: 500.00; r2: 0.00"},
		"a gate on a ratio": {newCompany("{name: c, "+measure+", rate: 10%, gate: {measure: {ratio: {count: credits, where: 'transaction.category == \"won\"'}, to: {count: credits}}, on: amount, above: 50%}}").
			person("r1", "").deal("r1", 1, "10", "won").deal("r1", 1, "10").person("r2", "").deal("r2", 1, "10", "won"), "r1: 0.00; r2: 1.00"},
		"a deduction":    {newCompany("{name: c, "+measure+", rate: 10%, cap: 20, deduct: participant.bonus}").person("r1", "", "bonus", "3").deal("r1", 1, "300").person("r2", "", "bonus", "3"), "r1: 17.00; r2: -3.00"},
		"two components": {newCompany("{name: c, "+measure+", rate: 1%}", "{name: d, "+measure+", rate: 2%}").person("r1", "").deal("r1", 1, "100"), "r1: 1.00 + 2.00"},
		"overrides by two levels": {newCompany("{name: c, override: {level: 1}, "+measure+", rate: 0.5%}", "{name: d, override: {level: 2}, "+measure+", rate: 0.25%}").
			person("boss", "").person("head", "boss").person("r1", "head").deal("r1", 1, "1000").deal("head", 1, "100"), "boss: 0.50 + 2.50; head: 5.00 + 0.00; r1: 0.00 + 0.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.paid, c.company.paid(t))
		})
	}
}

func TestRoundingEach(t *testing.T) {
	t.Parallel()
	for text, paid := range map[string]string{
		"":                                 "r1: 0.30", // 0.005 + 0.295
		"rounding: {each: contribution}\n": "r1: 0.31",
		"rounding: {mode: half_to_even, each: contribution}\n": "r1: 0.30",
		"rounding: {mode: down, each: contribution}\n":         "r1: 0.29",
	} {
		c := newCompany().person("r1", "").deal("r1", 1, "0.10").deal("r1", 2, "5.90")
		c.plan(text, "{name: c, "+measure+", rate: 5%}")
		require.Equal(t, paid, c.paid(t), text)
	}
}

// TestTime holds what changes in mid-period to its days.
func TestTime(t *testing.T) {
	t.Parallel()
	c := newCompany(tiers).person("r1", "").quota("r1", "3100").deal("r1", 10, "1000").deal("r1", 11, "1000")
	c.Assignments[0].StartsOn = day("2026-03-11")
	require.Equal(t, "r1: 10.00", c.paid(t), "credits count by the transaction's date, and the quota of 3100 by 21 of 31 days")
	c.Assignments[0].StartsOn, c.Assignments[0].EndsOn = day("2026-03-01"), day("2026-03-10")
	require.Equal(t, "r1: 10.00", c.paid(t), "a quota of 1000 is just met")
	c.Assignments = append(c.Assignments, incentive.Assignment{ParticipantID: "r1", PlanID: "p", StartsOn: day("2026-03-11"), Version: 1})
	require.Equal(t, "r1: 20.00", c.paid(t), "two stretches on one plan are one line")

	c = newCompany("{name: c, override: {level: 1}, "+measure+", rate: 1%}").person("a", "").person("b", "").person("r1", "a").deal("r1", 14, "100").deal("r1", 15, "1000")
	moved := c.Participants[2]
	moved.EffectiveFrom, moved.ManagerID = day("2026-03-15"), "b"
	c.Participants = append(c.Participants, moved)
	require.Equal(t, "a: 1.00; b: 10.00; r1: 0.00", c.paid(t), "the hierarchy of the transaction's day decides")

	c = newCompany("{name: c, "+measure+", rate: participant.rate}").person("r1", "", "rate", "1%").deal("r1", 14, "100").deal("r1", 15, "1000")
	raised := c.Participants[0]
	raised.EffectiveFrom, raised.Attributes = day("2026-03-15"), map[string]string{"rate": "2%"}
	c.Participants = append(c.Participants, raised)
	require.Equal(t, "r1: 21.00", c.paid(t), "a personal rate is that of the transaction's day")

	c = newCompany("{name: c, "+measure+", rate: 1%}").person("r1", "").deal("r1", 1, "100")
	second := c.PlanVersions[0]
	second.Version, second.EffectiveFrom, second.Document = 2, day("2026-03-02"), []byte(strings.Replace(string(second.Document), "1%", "9%", 1))
	c.PlanVersions = append(c.PlanVersions, second)
	require.Equal(t, "r1: 1.00", c.paid(t), "the version in force on the first day counts")
	c.PlanVersions[1].EffectiveFrom = day("2026-03-01")
	require.Equal(t, "r1: 9.00", c.paid(t))
	require.Equal(t, 2, c.statements(t)[0].Lines[0].PlanVersion)
}

// TestRefusals is what keeps a period from being calculated, and how that is said.
func TestRefusals(t *testing.T) {
	t.Parallel()
	rate := "{name: c, " + measure + ", rate: participant.rate}"
	euros := newCompany(rate).person("r1", "", "rate", "1").deal("r1", 1, "1")
	euros.Transactions[0].Currency = "EUR"
	paidInEuros := newCompany(rate).person("r1", "", "rate", "1")
	paidInEuros.Participants[0].PayCurrency = "EUR"
	noPlan := newCompany(rate).person("r1", "")
	noPlan.Assignments[0].PlanID = "other"
	badPlan := newCompany("{name: c}").person("r1", "")
	stranger := newCompany(rate).person("r1", "", "rate", "1")
	stranger.Participants[0].EffectiveFrom = day("2026-04-01")
	late := newCompany("{name: c, override: {level: 1}, "+measure+", rate: 1}").person("r1", "boss").deal("r1", 1, "1").person("boss", "")
	late.Participants[0].EffectiveFrom = day("2026-03-02")
	many := newCompany(rate)
	for i := range 12 {
		many.person(fmt.Sprintf("r%02d", i), "").deal(fmt.Sprintf("r%02d", i), 1, "1")
	}
	for name, c := range map[string]struct {
		company *company
		code    incentive.Code
		message string
	}{
		"no rate":         {newCompany(rate).person("r1", "").deal("r1", 1, "1"), incentive.CodeInvalid, `participant r1 (as of 2026-03-01) has no "rate", which the plan reads as a number`},
		"bad rate":        {newCompany(rate).person("r1", "", "rate", "1,5").deal("r1", 1, "1"), incentive.CodeInvalid, `"rate" of participant r1 (as of 2026-03-01): "1,5" is not a number`},
		"no quota":        {newCompany(tiers).person("r1", ""), CodeNoQuota, `r1 has no quota "sales" above zero between 2026-03-01 and 2026-03-31`},
		"quota of zero":   {newCompany(tiers).person("r1", "").quota("r1", "0"), CodeNoQuota, "above zero"},
		"other currency":  {euros, CodeCurrencyDiffers, "transaction T0000 of crm is in EUR"},
		"paid in another": {paidInEuros, CodeCurrencyDiffers, `plan "p" pays in USD, and r1 is paid in EUR`},
		"no plan":         {noPlan, CodeNoPlan, `r1 is assigned to plan "other"`},
		"bad plan":        {badPlan, "invalid-document", "exactly one of"},
		"stranger":        {stranger, CodeUnknownCredit, "nothing is known of r1 on 2026-03-31"},
		"too early":       {late, CodeUnknownCredit, "nothing is known of r1 on 2026-03-01"},
		"circle":          {newCompany("{name: c, override: {level: 3}, "+measure+", rate: 1}").person("a", "b").person("b", "a").deal("a", 1, "1"), CodeHierarchyCircle, "go in a circle at a"},
		"many":            {many, incentive.CodeInvalid, "participant r09 (as of 2026-03-01) has no \"rate\", which the plan reads as a number\nand 2 more of the kind"},
		"too much":        {newCompany("{name: c, "+measure+", rate: 1}").person("r1", "").deal("r1", 1, "99999999999999999999"), incentive.CodeInvalid, "too large an amount"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Calculate(t.Context(), c.company.Snapshot)
			require.Equal(t, c.code, incentive.ErrorCode(err), "%v", err)
			require.Contains(t, incentive.ErrorMessage(err), c.message)
		})
	}
}

// TestExplanation is what a rep reads.
func TestExplanation(t *testing.T) {
	t.Parallel()
	c := newCompany(strings.TrimSuffix(tiers, "}")+", gate: {on: attainment, quota: sales, at_least: 50%}, cap: 25}").person("r1", "").quota("r1", "1000").deal("r1", 1, "900").deal("r1", 2, "1100.50")
	line := c.statements(t)[0].Lines[0]
	e, err := ReadExplanation(line)
	require.NoError(t, err)
	var words []string
	for _, s := range e.Steps {
		words = append(words, s.String())
	}
	require.Equal(t, []string{
		"sum of 2 credits: 2000.5",
		"quota sales: 1000",
		"attainment: 2000.5 ÷ 1000 = 200.05%",
		"up to 1000: 1000 × 0.01 = 10",
		"above 1000 up to 1500: 500 × 0.015 = 7.5",
		"above 1500: 500.5 × 0.02 = 10.01",
		"quota sales: 1000",
		"gate: 2000.5 against at least 0.5 × 1000: reached",
		"cap: 27.51, but no more than 25, is 25",
		"rounded (half away from zero, each line): 25 to 25",
	}, words)
	require.Equal(t, "9.00 USD", line.Contributions[0].Shown.String())
	require.Equal(t, "16.00 USD", line.Contributions[1].Shown.String(), "the cap takes from the last deal")

	for name, forge := range map[string]func(*Step){
		"another result":   func(s *Step) { s.Result = s.Result.Add(one) },
		"an unknown kind":  func(s *Step) { s.Kind = "magic" },
		"without an input": func(s *Step) { s.Amount = nil; s.OfDays = 0; s.Kind = StepQuota },
	} {
		for i := range e.Steps {
			if e.Steps[i].Kind == StepMeasure && name == "another result" {
				continue // what was measured shows in the contributions
			}
			forged, err := ReadExplanation(line)
			require.NoError(t, err)
			forge(&forged.Steps[i])
			wrong := line
			wrong.Explanation = encode(t, forged)
			require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(wrong)), "%s in step %d", name, i)
		}
	}
}

// TestExamples holds plans to what they say themselves.
func TestExamples(t *testing.T) {
	t.Parallel()
	const text = `language: 1
plan: p
name: P
currency: USD
reads: {transaction: {category: text}, participant: {rate: number}}
components:
  - {name: own, measure: {sum: credits}, rate: participant.rate}
  - {name: team, override: {level: 1}, measure: {sum: credits, where: transaction.category == "a"}, rate: 1%}
  - {name: goal, measure: {sum: credits}, bonus: 10, gate: {on: attainment, quota: sales, at_least: 100%}}
examples:
  - name: half a deal, and a report's
    participant: {rate: 10%}
    quotas: {sales: 50}
    deals:
      - {amount: 100, share: 0.5, on: 2026-01-31}
      - {amount: 300, category: a, level: 1}
    pays: {own: 5, team: 3.00, goal: 10}
`
	require.NoError(t, CheckExamples(t.Context(), []byte(text)))
	err := CheckExamples(t.Context(), []byte(strings.Replace(text, "own: 5, ", "", 1)))
	require.Equal(t, CodeExampleFails, incentive.ErrorCode(err))
	require.ErrorContains(t, err, `line 11: example "half a deal, and a report's": own pays 5.00, not 0`)
	err = CheckExamples(t.Context(), []byte(strings.Replace(text, "quotas: {sales: 50}", "quotas: {}", 1)))
	require.ErrorContains(t, err, "has no quota")
}

// TestProperties holds for any deals, whatever the plan: explanations give their lines,
// contributions add up, and shards come to what the whole does.
func TestProperties(t *testing.T) {
	t.Parallel()
	plans := []string{
		"{name: c, " + measure + ", rate: 3.33%}", tiers, fmt.Sprintf(climb, "up_to"), fmt.Sprintf(climb, "below"),
		"{name: c, " + measure + ", rate: 7%, cap: 50}",
		"{name: c, " + measure + ", rate: 7%, gate: {on: amount, above: 100}}",
		"{name: c, override: {level: 1}, " + measure + ", rate: 1.25%}",
		"{name: c, " + measure + ", rate: 7%, cap_each_transaction: 9, floor: -20, cap: 30}",
		"{name: c, " + measure + ", evaluate: each_transaction, rate_table: {on: amount, tiers: [{below: 10, rate: 1%}, {rate: 2.5%, retroactive: true}]}}",
		"{name: c, " + measure + ", curve: {on: attainment, quota: sales, of: 333, points: [{at: 10%, pays: 1%}, {at: 37%, pays: 20%}, {at: 90%, pays: 100%}], beyond: extend}, multipliers: {combine: multiply, factors: [{name: f, factor: 1.07}]}}",
		"{name: c, " + measure + ", evaluate: each_transaction, curve: {on: amount, points: [{at: 0, pays: 0}, {at: 7, pays: 3}, {at: 30, pays: 4}]}}",
		"{name: c, measure: {sum: transaction.units, where: transaction.amount > 3}, rate: 1.7, cap: {amount: 20, excess: carried_over}, deduct: 0.333}",
		"{name: c, measure: {distinct: transaction.date}, rate_table: {on: amount, tiers: [{up_to: 3, rate: 1.5}, {rate: 2.25}]}, holdback: {share: 33%, for_months: 2}}",
		"{name: c, measure: {ratio: {sum: credits, where: transaction.amount > 0}, to: {count: credits}}, curve: {on: amount, points: [{at: 0, pays: 0}, {at: 7, pays: 3}], beyond: extend}}",
		"{name: c, " + measure + ", ranking: {on: attainment, quota: sales, prizes: [100, 33.33], ties: share, budget: 99.99}}",
		"{name: c, " + measure + ", pool: {amount: 77.77}}",
		"{name: c, " + measure + ", rate_by: {key: {on: count}, tiers: [{up_to: 3, rate: 1%}, {rate: 2%}]}, multipliers: {combine: add, factors: [{name: f, factor: 1.5}, {name: g, key: {on: amount}, steps: [{up_to: 50, factor: 1}, {factor: 1.3}]}]}}",
	}
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany(rapid.SampledFrom(plans).Draw(t, "plan")).person("boss", "").person("r1", "boss").person("r2", "boss")
		for _, id := range []string{"boss", "r1", "r2"} {
			c.quota(id, "1000")
		}
		for range rapid.IntRange(0, 30).Draw(t, "deals") {
			amount := decimal.New(rapid.Int64Range(-50_0000, 100_0000).Draw(t, "amount"), -4).String()
			c.split(rapid.IntRange(1, 31).Draw(t, "day"), amount, "", "r1", "0.35", "r2", "0.65")
		}
		statements := c.statements(t) // checks that all adds up

		// Nor does it matter how the calculation is divided. (The order of input is a snapshot's: the
		// store's tests hold it to that.)
		divided := c.inShards(t, rapid.IntRange(1, 4).Draw(t, "shards"))
		require.Len(t, divided, len(statements))
		for i := range statements {
			require.Equal(t, statements[i].Digest(), divided[i].Digest())
		}
	})
}

// inShards calculates the statements in at most so many shards, of which each has only what its
// statements need.
func (c *company) inShards(t require.TestingT, n int) (statements []incentive.Statement) {
	all, err := Shards(c.Snapshot, n)
	require.NoError(t, err)
	var shards []*Shard
	var entrants []Entrant
	for _, needs := range slices.Backward(all) {
		part, sold := c.Snapshot, map[incentive.TransactionKey]bool{}
		part.Credits = slices.DeleteFunc(slices.Clone(c.Credits), func(one incentive.Credit) bool { return !slices.Contains(needs.Credited, one.ParticipantID) })
		for _, one := range part.Credits {
			sold[one.Transaction] = true
		}
		part.Transactions = slices.DeleteFunc(slices.Clone(c.Transactions), func(one incentive.Transaction) bool { return !sold[one.TransactionKey] })
		shard, err := NewShard(part, needs.Of)
		require.NoError(t, err)
		entered, err := shard.Enter()
		require.NoError(t, err)
		shards, entrants = append(shards, shard), append(entrants, entered...)
	}
	for _, shard := range slices.Backward(shards) {
		result, err := shard.Run(contextOf(t), entrants)
		require.NoError(t, err)
		statements = append(statements, result.Statements...)
	}
	slices.SortFunc(statements, func(a, b incentive.Statement) int { return strings.Compare(a.ParticipantID, b.ParticipantID) })
	return statements
}

// TestMoreSalesNeverPayLess holds where rates do not fall, and marginal tiers never pay
// more than retroactive ones.
func TestMoreSalesNeverPayLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var marginal, retroactive []string
		edge, rate := int64(0), int64(0)
		for range rapid.IntRange(0, 4).Draw(t, "tiers") {
			edge += rapid.Int64Range(1, 500).Draw(t, "edge")
			rate += rapid.Int64Range(0, 50).Draw(t, "rate")
			marginal = append(marginal, fmt.Sprintf("{up_to: %d, rate: %s}", edge, decimal.New(rate, -3)))
		}
		marginal = append(marginal, fmt.Sprintf("{rate: %s}", decimal.New(rate+10, -3)))
		retroactive = append(retroactive, marginal...)
		table := "{name: c, " + measure + ", rate_table: {on: amount, retroactive: %t, tiers: [%s]}}"
		pay := func(table string, amounts ...string) int64 {
			c := newCompany(table).person("r1", "")
			for i, a := range amounts {
				c.deal("r1", i+1, a)
			}
			return c.statements(t)[0].Total().Minor
		}
		first := decimal.New(rapid.Int64Range(0, 200_000).Draw(t, "first"), -2).String()
		second := decimal.New(rapid.Int64Range(0, 200_000).Draw(t, "second"), -2).String()
		byParts, atOnce := fmt.Sprintf(table, false, strings.Join(marginal, ", ")), fmt.Sprintf(table, true, strings.Join(retroactive, ", "))
		for _, of := range []string{byParts, atOnce} {
			require.LessOrEqual(t, pay(of, first), pay(of, first, second))
		}
		require.LessOrEqual(t, pay(byParts, first), pay(atOnce, first))
	})
}

// TestSameBytes calculates a larger company on one and on many processors.
func TestSameBytes(t *testing.T) {
	c := large(200, 5000)
	many := c.statements(t)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	for i, s := range c.statements(t) {
		require.Equal(t, many[i].Digest(), s.Digest())
	}
}

func large(people, deals int) *company {
	c := newCompany(tiers, "{name: products, "+measure+", rates: [{where: 'transaction.category == \"1\"', rate: 4%}, {rate: 2.5%}]}", "{name: b, override: {level: 1}, "+measure+", rate: 0.5%}")
	c.person("boss", "").quota("boss", "1000")
	for i := range people {
		id := fmt.Sprintf("r%05d", i)
		c.person(id, "boss").quota(id, "50000.00")
	}
	for i := range deals {
		c.deal(fmt.Sprintf("r%05d", i%people), i%31+1, fmt.Sprintf("%d.%02d", 100+i%977, i%100), fmt.Sprint(i%3))
	}
	return c
}

func BenchmarkCalculate(b *testing.B) {
	c := large(1000, 100_000)
	c.statements(b)
	b.ResetTimer()
	for range b.N {
		_, err := Calculate(b.Context(), c.Snapshot)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(len(c.Transactions))*float64(b.N)/b.Elapsed().Seconds(), "transactions/s")
}

// TestPartOf calculates each statement from its own part of the snapshot alone.
func TestPartOf(t *testing.T) {
	t.Parallel()
	moving := newCompany("{name: c, override: {level: 1}, "+measure+", rate: 1%}", "{name: d, override: {level: 2}, "+measure+", rate: 0.1%}", "{name: own, "+measure+", rate: participant.rate}").
		person("a", "head", "rate", "3%").person("b", "head", "rate", "2%").person("head", "", "rate", "1%").person("r1", "a", "rate", "1%").person("r2", "b", "rate", "1%").
		deal("r1", 14, "100").deal("r1", 15, "1000").deal("r2", 1, "10").split(20, "500", "x", "r1", "0.4", "r2", "0.6")
	moved := moving.Participants[3]
	moved.EffectiveFrom, moved.ManagerID = day("2026-03-15"), "b"
	moving.Participants = slices.Insert(moving.Participants, 4, moved)
	backwards := newCompany("{name: c, "+measure+", cumulative: {over: year, pays: true_up}, rate: 10%}").person("r1", "").person("r2", "").deal("r1", 1, "100").deal("r2", 1, "200")
	backwards.Posted = []incentive.Posted{{ParticipantID: "r1", PlanID: "p", Component: "c", StartsOn: day("2026-02-01"), Amount: incentive.Money{Minor: 300, Currency: "USD"}},
		{ParticipantID: "r2", PlanID: "p", Component: "c", StartsOn: day("2026-02-01"), Amount: incentive.Money{Minor: 400, Currency: "USD"}}}
	for _, c := range []*company{moving, backwards, large(20, 200)} {
		for _, whole := range c.statements(t) {
			part, err := PartOf(c.Snapshot, whole.ParticipantID)
			require.NoError(t, err)
			for _, p := range part.Participants {
				if p.ID != whole.ParticipantID {
					require.Equal(t, incentive.Participant{ID: p.ID, EffectiveFrom: p.EffectiveFrom, ManagerID: p.ManagerID}, p, "nothing else is told of others")
				}
			}
			for _, q := range part.Quotas {
				require.Equal(t, whole.ParticipantID, q.ParticipantID)
			}
			statements, err := Calculate(t.Context(), part)
			require.NoError(t, err)
			require.Len(t, statements, 1)
			require.Equal(t, whole.Digest(), statements[0].Digest(), whole.ParticipantID)
		}
	}
	part, err := PartOf(moving.Snapshot, "r2")
	require.NoError(t, err)
	for _, c := range part.Credits {
		require.Equal(t, "r2", c.ParticipantID, "who has nobody below sees their own credits only")
	}
}
