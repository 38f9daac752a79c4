package plan

import (
	"maps"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/form"
)

// Form returns how a plan is filled in as a form. What there is to choose from are the
// attributes that the document reads.
func Form(text []byte) form.Shape {
	var read struct {
		Reads struct{ Transaction, Participant map[string]Type }
	}
	_ = yaml.Unmarshal(text, &read) // of what cannot be read nothing can be chosen
	transaction, participant := read.Reads.Transaction, read.Reads.Participant

	var attributes, numeric, values, days []string
	aggregates := []string{"sum credits", "count credits", "objectives all"}
	for _, of := range []struct {
		name     string
		declared []map[string]Type
	}{
		{"transaction", []map[string]Type{builtinTransaction, transaction}},
		{"participant", []map[string]Type{builtinParticipant, participant}},
		{"credit", []map[string]Type{builtinCredit}},
	} {
		for _, declared := range of.declared {
			for _, name := range slices.Sorted(maps.Keys(declared)) {
				attributes = append(attributes, of.name+"."+name)
				if declared[name] == Number {
					numeric = append(numeric, of.name+"."+name)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(transaction)) {
		if transaction[name] == Number {
			aggregates = append(aggregates, "sum transaction."+name)
		} else {
			aggregates = append(aggregates, "distinct transaction."+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(participant)) {
		if participant[name] == Number {
			values = append(values, "participant."+name)
		} else {
			days = append(days, "participant."+name)
		}
	}

	number, choice, group, rows, called := form.Field, form.OneOf, form.GroupOf, form.RowsOf, form.Called
	value := func(key string) form.Shape { return form.Field(key, values...) }
	since := func(key string) form.Shape { return form.Field(key, days...) }
	names := func(key string, parts ...form.Shape) form.Shape {
		return form.Shape{Key: key, Kind: form.Names, Begins: "{}", Parts: parts}
	}
	rare := func(s form.Shape) form.Shape { s.Rare = true; return s }
	instead := func(s form.Shape) form.Shape { s.Instead = true; return s }
	begins := func(text string, s form.Shape) form.Shape { s.Begins = text; return s }
	short := func(part string, s form.Shape) form.Shape { s.Short = part; return s }

	where := form.Shape{Key: "where", Kind: form.Condition, Words: attributes, Numeric: numeric}
	edge := form.Shape{Key: "edge", Kind: form.Edge, Words: []string{"up_to", "below"}}
	// A measure adds something up, is the score of one objective, or a ratio of two that add something up.
	of := func(words ...string) form.Shape {
		return form.Shape{Key: "aggregate", Kind: form.Aggregate, Words: words}
	}
	picked := func(word string, s form.Shape) form.Shape { s.Picked = word; return s }
	sums := slices.DeleteFunc(slices.Clone(aggregates), func(word string) bool { return word == "objectives all" })
	measure := group("measure", "{sum: credits}", of(append(aggregates, "objective", "ratio")...),
		picked("objective", begins("Objective", number("objective"))),
		picked("ratio", called("ratio.of", group("ratio", "{sum: credits}", of(sums...), where))), picked("ratio", called("ratio.to", group("to", "{count: credits}", of(sums...), where))), where)
	on, quota, without := choice("on", "attainment", "amount"), number("quota"), rare(begins("nothing", choice("without_quota", "refuse", "nothing")))
	month := rare(begins("1", number("year_begins_in_month")))
	excess := choice("excess", "lost", "carried_over")
	points := rows("points", "[{at: 100%, pays: 100%}]", number("at"), number("pays"))
	beyond := choice("beyond", "flat", "extend")
	key := short("figure", group("key", "", choice("on", "attainment", "amount", "count", "tenure"), quota, without, rare(measure), since("since"), called("figure", value("figure"))))
	across := group("across", "{key: {on: count}, columns: [{below: 10}, {}]}", key, rows("columns", "[{}]", edge))
	const curve = "[{at: 0%, pays: 0%}, {at: 100%, pays: 100%}, {at: 150%, pays: 200%}]"

	component := []form.Shape{
		number("name"),
		group("override", "{level: 1}", number("level")),
		measure,
		instead(begins("1%", value("rate"))),
		instead(rows("rates", "[{rate: 1%}]", where, value("rate"))),
		instead(group("rate_table", "{on: amount, tiers: [{up_to: 10000, rate: 1%}, {rate: 2%}]}", on, quota, without, choice("retroactive", "true", "false"),
			rows("tiers", "[{rate: 0%}]", edge, value("rate"), choice("retroactive", "true", "false")))),
		instead(group("rate_by", "{key: {on: amount}, tiers: [{up_to: 10000, rate: 1%}, {rate: 2%}]}", key, across, rows("tiers", "[{rate: 0%}]", edge, value("rate"), form.Shape{Key: "rates", Kind: form.List}))),
		instead(group("curve", "{on: attainment, quota: sales, of: 1000, points: "+curve+"}", on, quota, without, called("target", value("of")), points, beyond)),
		instead(group("scorecard", "{of: 1000, measures: [{name: Sales, weight: 100%, quota: sales, measure: {sum: credits}}], points: "+curve+"}", called("target", value("of")),
			rows("measures", "[{name: Sales, weight: 0%, quota: sales, measure: {sum: credits}}]", number("name"), number("weight"), measure, quota, without), points, beyond)),
		instead(group("ranking", "{on: amount, prizes: [1000, 500], ties: share}", on, quota, without, form.Shape{Key: "prizes", Kind: form.List}, choice("ties", "share", "all", "earliest"), number("at_least"), number("budget"))),
		instead(group("pool", "{amount: 10000}", number("amount"), number("at_least"))),
		instead(begins("100", value("bonus"))),
		rare(begins("each_transaction", choice("evaluate", "total", "each_transaction"))),
		group("cumulative", "{over: quarter, pays: true_up}", choice("over", "quarter", "half", "year", "plan"), called("cumulative.pays", choice("pays", "true_up", "rate_only", "at_end")), choice("goal", "to_date", "whole"), month),
		group("gate", "{on: attainment, quota: sales, at_least: 80%}", on, quota, without, number("at_least"), number("above"), measure),
		group("multipliers", "{combine: multiply, factors: [{name: Factor, factor: 1}]}", choice("combine", "multiply", "add"),
			rows("factors", "[{name: Factor, factor: 1}]", number("name"), instead(begins("1", value("factor"))), instead(group("key", "{on: attainment, quota: sales}", key.Parts...)), rare(across), rows("steps", "[{below: 100%, factor: 1}, {factor: 1.1}]", edge, value("factor"), form.Shape{Key: "factors", Kind: form.List}))),
		rare(begins("0", value("floor"))),
		rare(begins("1000", value("cap_each_transaction"))),
		short("amount", group("cap", "", value("amount"), excess)),
		group("holdback", "{share: 20%, for_months: 3}", value("share"), number("for_months"), called("released_where", form.Shape{Key: "released_where", Kind: form.Condition, Words: attributes, Numeric: numeric}), choice("otherwise", "released", "forfeited")),
		group("clawback", "{within_months: 12}", number("within_months"), number("cancelled_on"), choice("prorated", "true", "false"), number("instalments")),
		rare(begins("0", value("deduct"))),
	}
	members := []form.Shape{number("members"), number("above")}
	deal := []form.Shape{number("amount"), number("currency")}
	for _, name := range slices.Sorted(maps.Keys(transaction)) {
		deal = append(deal, called("attribute", number(name)))
	}
	deal = append(deal, number("share"), number("level"), number("by"), number("on"), number("refund_of"), choice("uncredited", "true", "false"))

	return form.Shape{Kind: form.Group, Parts: []form.Shape{
		called("plan.id", number("plan")), number("name"), number("currency"),
		group("reads", "{}", names("transaction", begins("text", choice(form.Itself, string(Text), string(Number)))), names("participant", begins("text", choice(form.Itself, string(Text), string(Number))))),
		rows("components", "- name: New component\n  measure: {sum: credits}\n  rate: 1%", component...),
		short("amount", called("plan.cap", group("cap", "", value("amount"), choice("over", "quarter", "half", "year"), month, excess))),
		group("draw", "{amount: 1000, kind: recoverable}", value("amount"), choice("kind", "recoverable", "non_recoverable"), value("recover_at_most"), since("months_since"), number("advanced_for_months"), number("recovered_from_month"), value("recovered_down_to"), number("forgiven_after_month")),
		names("quotas", called("quota.of", choice("of", "participant", "territory", "team")), choice("by_share", "true", "false"), choice("prorated", "by_days", "by_months", "not"), form.Shape{Key: "weights", Kind: form.List}, group("ramp", "{since: participant.hired_on, shares: [50%]}", since("since"), form.Shape{Key: "shares", Kind: form.List})),
		rows("credits", "[{match: {transaction.owner: participant.id}}]", number("role"), instead(names("match", begins("0", number(form.Itself)))), instead(group("territory", "{members: all}", members...)), instead(group("team", "{members: all}", members...)), where, value("share"), choice("evenly", "true", "false")),
		group("exchange", "{rates: ecb, on: transaction_date}", called("exchange.rates", number("rates")), choice("on", "transaction_date", "period_end", "month_average"), number("at_most_days_old"), choice("round_each", "true", "false")),
		group("rounding", "{mode: half_away_from_zero}", choice("mode", string(incentive.HalfAwayFromZero), string(incentive.HalfToEven), string(incentive.Down)), choice("each", string(EachLine), string(EachContribution))),
		rows("examples", "[{name: A month, deals: [{amount: 1000}], pays: {}}]", number("name"), names("participant", begins("0", number(form.Itself))), called("example.quotas", names("quotas", begins("0", number(form.Itself)))),
			rows("reliefs", "[{quota: sales, share: 50%}]", number("quota"), number("amount"), number("share"), called("relief.from", number("from")), called("relief.to", number("to")), choice("cause", "leave", "territory", "account", "other")), rows("deals", "[{amount: 1000}]", deal...),
			called("example.rates", names("rates", begins("0", number(form.Itself)))), rows("objectives", "[{name: Objective, weight: 100%}]", number("name"), number("weight"), number("score")), names("earlier", begins("0", number(form.Itself))), called("example.pays", names("pays", begins("0", number(form.Itself))))),
	}}
}
