package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/language/languagetest"
)

func parsed(t *testing.T, document string) *Plan {
	t.Helper()
	p, err := Parse([]byte(document))
	require.NoError(t, err)
	return p
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before := parsed(t, one("name: Commission", measure, "rate: 5%")+"  - {name: Bonus, bonus: 100}\n")
	after := parsed(t, one("name: Commission", measure, "rate: 6%")+"  - {name: Prize, bonus: 100}\n")
	require.Equal(t, []Difference{
		{"Commission", "pays 5% of what is credited.", "pays 6% of what is credited."},
		{"Prize", "", "pays 100."},
		{"Bonus", "pays 100.", ""},
	}, Diff(language.English, before, after))
	require.Empty(t, Diff(language.English, before, before))
	renamed := parsed(t, strings.Replace(one("name: Commission", measure, "rate: 5%")+"  - {name: Bonus, bonus: 100}\n", "name: New business", "name: Old business", 1))
	require.Equal(t, "The plan", Diff(language.English, before, renamed)[0].Part)
}

// TestEveryWordIsReadBack changes one thing at a time: what is read back changes with it,
// so that no difference between two versions goes unsaid.
func TestEveryWordIsReadBack(t *testing.T) {
	t.Parallel()
	const table = "rate_table: {on: attainment, quota: sales, tiers: [{up_to: 1, rate: 1%}, {rate: 2%}]}"
	const curve = "curve: {on: amount, of: 5, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}"
	const score = "scorecard: {of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}], measures: [{name: a, weight: 40%, quota: q, measure: {sum: credits}}, {name: b, weight: 60%, quota: q, measure: {count: credits}}]}"
	const by = "rate_by: {key: {on: attainment, quota: q}, across: {key: participant.commission_rate, columns: [{below: 1}, {}]}, tiers: [{up_to: 2, rates: [1, 2]}, {rates: [3, 4]}]}"
	const factors = "multipliers: {combine: add, factors: [{name: a, factor: 2}, {name: b, key: {on: attainment, quota: q}, steps: [{up_to: 3, factor: 1}, {factor: 2}]}]}"
	const matrix = "multipliers: {combine: multiply, factors: [{name: m, key: {on: amount}, across: {key: {on: amount, measure: {count: credits}}, columns: [{below: 3}, {}]}, steps: [{below: 7, factors: [0, 1]}, {factors: [1, 2]}]}]}"
	const contest = "ranking: {on: attainment, quota: q, prizes: [2, 1], ties: all, at_least: 1, budget: 2}"
	const advance = "draw: {amount: 9, kind: recoverable, recover_at_most: 3, months_since: participant.region, advanced_for_months: 3, recovered_from_month: 4, recovered_down_to: 5, forgiven_after_month: 12}\n"
	const limit = "cap: {amount: 9, over: year, year_begins_in_month: 4, excess: carried_over}\n"
	const rules = "quotas: {sales: {prorated: by_months, weights: [50%, 50%], ramp: {since: participant.region, shares: [0%]}}}\n"
	const money = "exchange: {rates: ecb, on: transaction_date, at_most_days_old: 31, round_each: true}\n"
	const credits = "credits: [{role: a, match: {transaction.category: participant.region}, where: transaction.quantity > 1, share: 50%, evenly: true}]\n"
	const holdback = "holdback: {share: 20%, for_months: 3, released_where: transaction.category == \"paid\", otherwise: forfeited}"
	const clawback = "clawback: {within_months: 12, cancelled_on: transaction.category, prorated: true, instalments: 3}"
	const groups = "credits: [{role: a, territory: {members: all, above: all}}, {role: b, team: {members: all}}]\n"
	const shared = "quotas: {sales: {of: team, by_share: true}}\n"
	const objective = "curve: {on: amount, of: 5, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}"
	component := func(lines ...string) string { return one(append([]string{"name: c", measure}, lines...)...) }
	for _, c := range []struct{ document, from, to string }{
		{component("rate: 1"), "sum: credits", "count: credits"},
		{component("rate: 1"), "sum: credits", "sum: transaction.quantity"},
		{component("rate: 1"), "sum: credits", "distinct: transaction.category"},
		{component("rate: 1"), "sum: credits", "sum: credits, where: credit.share > 0"},
		{component("rate: 1", "override: {level: 1}"), "level: 1", "level: 2"},
		{component("rate: 1", "cap: {amount: 2, excess: lost}"), "lost", "carried_over"},
		{component("rate: 1", "cap: {amount: 2, excess: lost}"), "amount: 2", "amount: 3"},
		{component("rate: 1", "deduct: 2"), "deduct: 2", "deduct: 3"},
		{component("rate: 1", holdback), "share: 20%", "share: 30%"},
		{component("rate: 1", holdback), "for_months: 3", "for_months: 4"},
		{component("rate: 1", holdback), `"paid"`, `"late"`},
		{component("rate: 1", holdback), "forfeited", "released"},
		{component("rate: 1", clawback), "within_months: 12", "within_months: 1"},
		{component("rate: 1", clawback), "cancelled_on: transaction.category, ", ""},
		{component("rate: 1", clawback), ", prorated: true", ""},
		{component("rate: 1", clawback), "instalments: 3", "instalments: 4"},
		{component("rate: 1", clawback), ", instalments: 3", ""},
		{component("rate: 1", "floor: 2"), "floor: 2", "floor: 3"},
		{component("rate: 1", "cap_each_transaction: 2"), "transaction: 2", "transaction: 3"},
		{component("rate: 1", "gate: {on: amount, at_least: 2}"), "at_least", "above"},
		{component("rate: 1", "gate: {on: amount, at_least: 2}"), "at_least: 2", "at_least: 3"},
		{component("rate: 1", "gate: {on: attainment, quota: q, at_least: 2}"), "quota: q", "quota: q, without_quota: nothing"},
		{component("rate: 1", "cumulative: {over: year, pays: true_up}"), "true_up", "rate_only"},
		{component("rate: 1", "cumulative: {over: year, pays: true_up}"), "true_up", "at_end"},
		{component("rate: 1", "cumulative: {over: year, pays: true_up}"), "true_up", "true_up, goal: whole"},
		{component("rate: 1", "cumulative: {over: year, pays: true_up}"), "true_up", "true_up, year_begins_in_month: 2"},
		{component("rates: [{where: credit.share == 1, rate: 1}, {rate: 2}]"), "share == 1", "share == 0.5"},
		{component(table), "up_to", "below"},
		{component(table), "rate: 2%", "rate: 2%, retroactive: true"},
		{component(table), "on: attainment, quota: sales", "on: amount"},
		{component(table), "quota: sales", "quota: other"},
		{component(table), "quota: sales", "quota: sales, without_quota: nothing"},
		{component(strings.Replace(table, "on: attainment, quota: sales", "on: amount", 1), "evaluate: each_transaction"), "each_transaction", "total"},
		{component(by), "quota: q", "quota: q, without_quota: nothing"},
		{component(by), "below: 1", "up_to: 1"},
		{component(by), "rates: [3, 4]", "rates: [3, 5]"},
		{component(curve), "of: 5", "of: 6"},
		{component(curve), "of: 5, ", ""},
		{component(curve), "}]}", "}], beyond: extend}"},
		{component(curve), "pays: 1}", "pays: 2}"},
		{one("name: c", score), "40%", "30%, without_quota: nothing"},
		{one("name: c", score), "of: 1000", "of: 2000"},
		{one("name: c", score), "quota: q, measure: {sum", "quota: q, without_quota: nothing, measure: {sum"},
		{component("rate: 1", matrix), "below: 3", "up_to: 3"},
		{component("rate: 1", matrix), "[1, 2]", "[1, 3]"},
		{component("rate: 1", matrix), "count: credits", "sum: credits"},
		{component("rate: 1", factors), "combine: add", "combine: multiply"},
		{component("rate: 1", factors), "quota: q", "quota: q, without_quota: nothing"},
		{component("rate: 1", factors), "factor: 2}]}", "factor: 3}]}"},
		{component(contest), "ties: all", "ties: share"},
		{component(contest), "at_least: 1", "at_least: 2"},
		{component(contest), "budget: 2", "budget: 3"},
		{component(contest), "quota: q", "quota: q, without_quota: nothing"},
		{component("pool: {amount: 9}"), "amount: 9", "amount: 9, at_least: 3"},
		{advance + component("rate: 1"), "amount: 9", "amount: 8"},
		{advance + component("rate: 1"), "recover_at_most: 3", "recover_at_most: 4"},
		{advance + component("rate: 1"), "months_since: participant.region, ", ""},
		{advance + component("rate: 1"), "advanced_for_months: 3", "advanced_for_months: 4"},
		{advance + component("rate: 1"), "from_month: 4", "from_month: 5"},
		{advance + component("rate: 1"), "down_to: 5", "down_to: 6"},
		{advance + component("rate: 1"), "after_month: 12", "after_month: 13"},
		{limit + component("rate: 1"), "over: year", "over: half"},
		{limit + component("rate: 1"), "month: 4", "month: 5"},
		{limit + component("rate: 1"), "carried_over", "lost"},
		{rules + component(table), "by_months", "by_days"},
		{rules + component(table), "50%, 50%", "60%, 40%"},
		{rules + component(table), "[0%]", "[1%]"},
		{money + component("rate: 1"), "ecb", "bank"},
		{money + component("rate: 1"), "transaction_date", "period_end"},
		{money + component("rate: 1"), "31", "30"},
		{money + component("rate: 1"), "true", "false"},
		{credits + component("rate: 1"), "role: a", "role: b"},
		{credits + component("rate: 1"), "participant.region", "participant.id"},
		{credits + component("rate: 1"), "share: 50%", "share: 60%"},
		{credits + component("rate: 1"), "evenly: true", "evenly: false"},
		{credits + component("rate: 1"), "quantity > 1", "quantity > 2"},
		{groups + component("rate: 1"), "members: all, above", "members: lead, above"},
		{groups + component("rate: 1"), "above: all", "above: 1"},
		{groups + component("rate: 1"), "team: {members: all}", "team: {members: lead}"},
		{groups + component("rate: 1"), "team: {members: all}", "territory: {members: all}"},
		{shared + component(table), "of: team", "of: territory"},
		{shared + component(table), "by_share: true", "by_share: false"},
		{one("name: c", "measure: {objectives: all}", objective), "objectives: all", "objective: Launch"},
		{one("name: c", "measure: {objective: Launch}", objective), "objective: Launch", "objective: Hiring"},
		{one("name: c", "measure: {ratio: {sum: transaction.quantity}, to: {sum: credits}}", "bonus: 5", "gate: {on: amount, at_least: 1}"), "ratio: {sum: transaction.quantity}", "ratio: {count: credits}"},
		{one("name: c", "measure: {ratio: {sum: transaction.quantity}, to: {sum: credits}}", "bonus: 5", "gate: {on: amount, at_least: 1}"), "to: {sum: credits}", "to: {sum: credits, where: credit.share == 1}"},
		{component(by), "key: participant.commission_rate", "key: {on: count}"},
		{component(by), "on: attainment, quota: q", "on: attainment, quota: q, measure: {count: credits}"},
		{component("rate: 1", factors), "on: attainment, quota: q", "on: attainment, quota: q, measure: {sum: transaction.quantity}"},
		{"rounding: {mode: down}\n" + component("rate: 1"), "down", "half_to_even"},
		{"rounding: {mode: down}\n" + component("rate: 1"), "down", "down, each: contribution"},
		{component("rate: 1"), "currency: USD", "currency: EUR"},
		// What one unit of the measure is paid at is not always said as a percentage.
		{component("rate: 0.5"), "rate: 0.5", "rate: 500"},
	} {
		require.Contains(t, c.document, c.from)
		after := strings.Replace(c.document, c.from, c.to, 1)
		if strings.Contains(c.to, "30%, without_quota") { // both weights change
			after = strings.Replace(after, "60%", "70%", 1)
		}
		for _, l := range language.Languages {
			require.NotEmpty(t, Diff(l, parsed(t, c.document), parsed(t, after)), "%s: %s to %s", c.document, c.from, c.to)
		}
		for _, paragraph := range append(parsed(t, c.document).Describe(language.Indonesian), parsed(t, after).Describe(language.Indonesian)...) {
			languagetest.NoEnglish(t, paragraph)
		}
	}
}

// TestEveryWordOfAnExampleIsReadBack changes one thing of an example at a time.
func TestEveryWordOfAnExampleIsReadBack(t *testing.T) {
	t.Parallel()
	of := func(example string) string {
		return "exchange: {rates: ecb, on: transaction_date}\ncredits: [{territory: {members: all}}, {role: b, team: {members: all}}]\n" +
			one("name: c", measure, "rate_table: {on: attainment, quota: q, tiers: [{rate: 1}]}", "cap: {amount: 9, excess: carried_over}") + "  - {name: d, measure: {objectives: all}, bonus: 1, gate: {on: amount, at_least: 1}}\nexamples:\n  - {name: A month, " + example + "}\n"
	}
	for _, c := range []struct{ example, from, to string }{
		{"pays: {c: 5}", "c: 5", "c: 6"},
		{"pays: {c: 5}", "{c: 5}", "{}"},
		{"pays: {}", "A month", "Another"},
		{"participant: {region: north}, pays: {}", "north", "south"},
		{"quotas: {q: 7}, pays: {}", "7", "8"},
		{"quotas: {q: {amount: 7, over: year}}, pays: {}", "over: year", "over: half"},
		{"quotas: {q: 7}, reliefs: [{quota: q, share: 50%}], pays: {}", "share: 50%", "amount: 50"},
		{"quotas: {q: 7}, reliefs: [{quota: q, share: 50%, from: 2026-01-02, to: 2026-01-03, cause: leave}], pays: {}", "from: 2026-01-02", "from: 2026-01-01"},
		{"quotas: {q: 7}, reliefs: [{quota: q, share: 50%, from: 2026-01-02, to: 2026-01-03, cause: leave}], pays: {}", "leave", "account"},
		{"territories: {north: {members: [{by: Ann, role: rep, share: 50%}]}}, pays: {}", "territories", "teams"},
		{"territories: {north: {members: [{by: Ann, role: rep, share: 50%}]}}, pays: {}", "by: Ann, ", ""},
		{"territories: {north: {members: [{by: Ann, role: rep, share: 50%}]}}, pays: {}", "role: rep", "role: lead"},
		{"territories: {north: {members: [{by: Ann, role: rep, share: 50%}]}}, pays: {}", "50%", "60%"},
		{"territories: {north: {parent: all, covers: {area: x}, quotas: {q: 5}}}, pays: {}", "parent: all", "parent: one"},
		{"territories: {north: {parent: all, covers: {area: x}, quotas: {q: 5}}}, pays: {}", "area: x", "area: z"},
		{"territories: {north: {parent: all, covers: {area: x}, quotas: {q: 5}}}, pays: {}", "q: 5", "q: 6"},
		{"rates: {EUR: 1.1}, pays: {}", "1.1", "1.2"},
		{"objectives: [{name: Launch, weight: 70%, score: 90%}], pays: {}", "70%", "60%"},
		{"objectives: [{name: Launch, weight: 70%, score: 90%}], pays: {}", ", score: 90%", ""},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 6"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, currency: EUR"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, category: x"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, on: 2026-01-05"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, share: 50%"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, level: 1"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, by: Ann"},
		{"deals: [{amount: 5}], pays: {}", "amount: 5", "amount: 5, uncredited: true"},
		{"deals: [{amount: 5}, {amount: -5}], pays: {}", "amount: -5", "amount: -5, refund_of: 1"},
		{"earlier: {c: 5}, pays: {}", "c: 5", "c: 6"},
	} {
		document := of(c.example)
		require.Contains(t, document, c.from)
		before, after := parsed(t, document), parsed(t, strings.Replace(document, c.from, c.to, 1))
		for _, l := range language.Languages {
			differences := Diff(l, before, after)
			require.NotEmpty(t, differences, "%s: %s to %s", c.example, c.from, c.to)
			if l == language.Indonesian {
				languagetest.NoEnglish(t, differences[0].Was+" "+differences[0].Is)
			}
		}
	}
	twice := parsed(t, of("pays: {}")+"  - {name: A month, pays: {c: 5}}\n")
	require.Equal(t, []Difference{{"Example A month (2)", "It pays c 5.", ""}}, Diff(language.English, twice, parsed(t, of("pays: {}"))))
}
