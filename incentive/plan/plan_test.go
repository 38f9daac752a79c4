package plan

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/language/languagetest"
)

const head = "language: 1\nplan: new-business\nname: New business\ncurrency: USD\nreads:\n  transaction: {category: text, quantity: number}\n  participant: {commission_rate: number, region: text}\ncomponents:\n"

func one(lines ...string) string {
	return head + "  - " + strings.Join(lines, "\n    ") + "\n"
}

const measure = "measure: {sum: credits}"

// TestParse walks the language. The place of each problem is where an editor should jump.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		problems []string // none: the document is a plan
		typed    bool     // the problem is beyond what a JSON Schema can say
	}{
		"flat rate":        {document: one("name: commission", measure, "rate: 5%")},
		"personal rate":    {document: one("name: commission", measure, "rate: participant.commission_rate")},
		"product rates":    {document: one("name: commission", measure, "rates:", "  - {where: transaction.category == \"1\", rate: 0.04}", "  - {rate: 0}")},
		"override":         {document: one("name: team", "override: {level: 2}", measure, "rate: 0.0025")},
		"bonus":            {document: one("name: bonus", measure, "bonus: 500", "gate: {on: attainment, quota: sales, at_least: 100%}")},
		"rate by":          {document: one("name: c", measure, "rate_by: {key: {on: tenure, since: participant.region}, tiers: [{up_to: 2, rate: 8%}, {rate: 4%}]}")},
		"rate by two":      {document: one("name: c", measure, "rate_by: {key: {on: amount}, across: {key: participant.commission_rate, columns: [{below: 1}, {}]}, tiers: [{up_to: 2, rates: [1, 2]}, {rates: [3, 4]}]}")},
		"columns":          {document: one("name: c", measure, "rate_by: {key: {on: amount}, tiers: [{rates: [1, 2]}]}"), problems: []string{"this tier says 2 rates, and there are 1 columns"}, typed: true},
		"rate by another":  {document: one("name: c", measure, "rate_by: {key: {on: attainment, quota: sales}, across: {key: {on: amount, measure: {ratio: {sum: transaction.quantity}, to: {sum: credits}}}, columns: [{below: 1}, {}]}, tiers: [{up_to: 2, rates: [1, 2]}, {rates: [3, 4]}]}")},
		"factor measured":  {document: one("name: c", "bonus: 5", "multipliers: {combine: add, factors: [{name: b, key: {on: attainment, quota: sales, measure: {count: credits}}, steps: [{factor: 2}]}]}")},
		"tenure measured":  {document: one("name: c", measure, "rate_by: {key: {on: count, measure: {count: credits}}, tiers: [{rate: 1}]}"), problems: []string{"line 11, column 20: a measure of its own goes with attainment or amount"}, typed: true},
		"scores attained":  {document: one("name: c", measure, "rate_by: {key: {on: attainment, quota: q, measure: {objectives: all}}, tiers: [{rate: 1}]}"), problems: []string{"objectives are scored and held against no quota"}, typed: true},
		"scores of a team": {document: one("name: c", measure, "override: {level: 1}", "rate_by: {key: {on: amount, measure: {objectives: all}}, tiers: [{rate: 1}]}"), problems: []string{"objectives belong to one participant and one period"}, typed: true},
		"tenure of what":   {document: one("name: c", measure, "rate_by: {key: {on: tenure}, tiers: [{rate: 1}]}"), problems: []string{`"since" goes with tenure`}, typed: true},
		"since a number":   {document: one("name: c", measure, "rate_by: {key: {on: tenure, since: participant.commission_rate}, tiers: [{rate: 1}]}"), problems: []string{"name an attribute of the participant that holds a day"}, typed: true},
		"curve":            {document: one("name: c", measure, "curve: {on: attainment, quota: sales, of: 10000, points: [{at: 70%, pays: 0}, {at: 1, pays: 1}], beyond: extend}")},
		"curve of a point": {document: one("name: c", measure, "curve: {on: amount, points: [{at: 70%, pays: 0}]}"), problems: []string{"at least two points"}},
		"falling points":   {document: one("name: c", measure, "curve: {on: amount, points: [{at: 7, pays: 0}, {at: 7, pays: 1}]}"), problems: []string{"the points rise"}, typed: true},
		"each of a quota":  {document: one("name: c", measure, "evaluate: each_transaction", "curve: {on: attainment, quota: sales, points: [{at: 6, pays: 0}, {at: 7, pays: 1}]}"), problems: []string{"line 11, column 15: a transaction by itself has an amount and no attainment"}, typed: true},
		"each of nothing":  {document: one("name: c", measure, "evaluate: each_transaction", "rate: 1"), problems: []string{"goes with a rate table or a curve"}, typed: true},
		"scorecard":        {document: one("name: c", "scorecard: {of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}], measures: [{name: a, weight: 40%, quota: q, measure: {sum: credits}}, {name: b, weight: 60%, quota: r, measure: {count: credits}}]}")},
		"weights":          {document: one("name: c", "scorecard: {of: 1000, points: [{at: 0, pays: 0}, {at: 1, pays: 1}], measures: [{name: a, weight: 40%, quota: q, measure: {sum: credits}}]}"), problems: []string{"the weights add up to 0.4"}, typed: true},
		"multipliers":      {document: one("name: c", measure, "rate: 1", "multipliers: {combine: add, factors: [{name: a, factor: participant.commission_rate}, {name: b, key: {on: count}, steps: [{up_to: 3, factor: 1}, {factor: 2}]}]}")},
		"factors of two":   {document: one("name: c", "bonus: participant.commission_rate", "multipliers: {combine: multiply, factors: [{name: m, key: {on: attainment, quota: q, measure: {sum: credits}}, across: {key: {on: amount, measure: {count: credits}}, columns: [{below: 3}, {}]}, steps: [{below: 1, factors: [0, 1]}, {factors: [1, 2]}]}]}")},
		"uneven factors":   {document: one("name: c", measure, "rate: 1", "multipliers: {combine: add, factors: [{name: m, key: {on: count}, steps: [{factors: [1, 2]}]}]}"), problems: []string{"this step says 2 factors, and there are 1 columns"}, typed: true},
		"across a value":   {document: one("name: c", measure, "rate: 1", "multipliers: {combine: add, factors: [{name: m, factor: 2, across: {key: {on: count}, columns: [{}]}}]}"), problems: []string{"a factor is either a value"}},
		"half a factor":    {document: one("name: c", measure, "rate: 1", "multipliers: {combine: add, factors: [{name: a, key: {on: count}}]}"), problems: []string{"a factor is either a value"}},
		"limits":           {document: one("name: c", measure, "rate: 1", "floor: 1", "cap_each_transaction: 2", "cap: 3")},
		"cap of a bonus":   {document: one("name: c", "bonus: 1", "cap_each_transaction: 2"), problems: []string{"cap_each_transaction has no meaning"}, typed: true},
		"example":          {document: one("name: c", measure, "rate: participant.commission_rate") + "examples:\n  - {name: a, participant: {commission_rate: 5%}, deals: [{amount: 100, category: x, share: 0.5, level: 1, on: \"2026-01-02\"}], pays: {c: 2.50}}\n"},
		"bad example":      {document: one("name: c", measure, "rate: 1") + "examples:\n  - {name: a, quotas: {sales: 1}, deals: [{amount: 1, colour: x}], pays: {d: 2.50}}\n", problems: []string{`line 13, column 24: the quotas has no "sales"`, `a deal has no "colour"`, `"pays" has no "d": it may have c`}, typed: true},
		"sum of attribute": {document: one("name: c", "measure: {sum: transaction.quantity, where: credit.share > 0}", "rate: 1")},
		"sum of a text":    {document: one("name: c", "measure: {sum: transaction.category}", "rate: 1"), problems: []string{`line 10, column 20: name an attribute of the transaction, such as transaction.margin, and declare it under "reads" as a number`}, typed: true},
		"sum of a builtin": {document: one("name: c", "measure: {sum: transaction.amount}", "rate: 1"), problems: []string{"such as transaction.margin"}, typed: true},
		"distinct":         {document: one("name: c", "measure: {distinct: transaction.category}", "rate: 1")},
		"distinct days":    {document: one("name: c", "measure: {distinct: transaction.date}", "rate: 1")},
		"distinct numbers": {document: one("name: c", "measure: {distinct: transaction.quantity}", "rate: 1"), problems: []string{`such as transaction.customer`}, typed: true},
		"count of money":   {document: one("name: c", "measure: {count: money}", "rate: 1"), problems: []string{`"money" is not known here: write credits`}},
		"ratio":            {document: one("name: c", "measure: {ratio: {sum: transaction.quantity}, to: {count: credits}}", "curve: {on: amount, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}")},
		"half a ratio":     {document: one("name: c", "measure: {ratio: {count: credits}}", "bonus: 1"), problems: []string{"a ratio says what it is of and to"}},
		"ratio of ratios":  {document: one("name: c", "measure: {ratio: {ratio: {count: credits}, to: {count: credits}}, to: {count: credits}}", "bonus: 1"), problems: []string{"are no ratios themselves"}, typed: true},
		"rate of a ratio":  {document: one("name: c", "measure: {ratio: {count: credits}, to: {count: credits}}", "rate: 1"), problems: []string{"a ratio is no amount"}, typed: true},
		"ratio so far":     {document: one("name: c", "measure: {ratio: {count: credits}, to: {count: credits}}", "cumulative: {over: year, pays: rate_only}", "bonus: 1"), problems: []string{"a ratio has no part that came in this period"}, typed: true},
		"quota rules":      {document: "quotas: {sales: {prorated: by_months, weights: [50%, 0.5], ramp: {since: participant.region, shares: [0%, 50%]}}}\n" + one("name: c", measure, "rate_table: {on: attainment, quota: sales, tiers: [{rate: 1}]}")},
		"unknown quota":    {document: "quotas: {sale: {prorated: not}}\n" + one("name: c", measure, "rate_table: {on: attainment, quota: sales, tiers: [{rate: 1}]}"), problems: []string{`line 1, column 10: "quotas" has no "sale": it may have sales`}, typed: true},
		"quota weights":    {document: "quotas: {sales: {weights: [50%, 40%]}}\n" + one("name: c", measure, "rate_table: {on: attainment, quota: sales, tiers: [{rate: 1}]}"), problems: []string{"the weights add up to 0.9"}, typed: true},
		"ramp since":       {document: "quotas: {sales: {ramp: {since: participant.commission_rate, shares: [1]}}}\n" + one("name: c", measure, "rate_table: {on: attainment, quota: sales, tiers: [{rate: 1}]}"), problems: []string{"holds a day as a text"}, typed: true},
		"caps":             {document: "cap: {amount: 9, over: year, year_begins_in_month: 4, excess: carried_over}\n" + one("name: c", measure, "rate: 1", "cap: {amount: participant.commission_rate, excess: carried_over}")},
		"plain cap":        {document: "cap: 1000\n" + one("name: c", measure, "rate: 1")},
		"excess":           {document: one("name: c", measure, "rate: 1", "cap: {amount: 3, excess: kept}"), problems: []string{`"kept" is not known here: write lost or carried_over`}},
		"month of a cap":   {document: "cap: {amount: 9, over: year, year_begins_in_month: 13}\n" + one("name: c", measure, "rate: 1"), problems: []string{`"13" is not a month`}},
		"line of a cap":    {document: "cap: 1000\n" + one("name: Cap", measure, "rate: 1"), problems: []string{`line 10, column 5: "Cap" is the name of a line that the plan gives besides its components`}, typed: true},
		"carried over":     {document: one("name: c", measure, "rate: 1", "cap: {amount: 3, excess: carried_over}") + "  - {name: \"c, carried over\", bonus: 1}\n", problems: []string{`"c, carried over" is the name of a line`}, typed: true},
		"draw":             {document: "draw: {amount: 9, kind: recoverable, recover_at_most: 3, months_since: participant.region, advanced_for_months: 3, recovered_from_month: 4, recovered_down_to: 5, forgiven_after_month: 12}\n" + one("name: c", measure, "rate: 1")},
		"draw to keep":     {document: "draw: {amount: 9, kind: non_recoverable, forgiven_after_month: 12}\n" + one("name: c", measure, "rate: 1"), problems: []string{`what is not recoverable is neither recovered nor forgiven`}, typed: true},
		"draw to recover":  {document: "draw: {amount: 9, kind: non_recoverable, recover_at_most: 1}\n" + one("name: c", measure, "rate: 1"), problems: []string{`leave "recover_at_most" out`}, typed: true},
		"months of a draw": {document: "draw: {amount: 9, kind: recoverable, advanced_for_months: 0}\n" + one("name: c", measure, "rate: 1"), problems: []string{`"0" is not a number of months`}},
		"draw since":       {document: "draw: {amount: 9, kind: recoverable, months_since: participant.region}\n" + one("name: c", measure, "rate: 1"), problems: []string{`"months_since" goes with`}, typed: true},
		"line of a draw":   {document: "draw: {amount: 9, kind: recoverable, forgiven_after_month: 1}\n" + one("name: Draw forgiven", measure, "rate: 1"), problems: []string{`"Draw forgiven" is the name of a line`}, typed: true},
		"ranking":          {document: one("name: c", measure, "cumulative: {over: quarter, pays: at_end}", "ranking: {on: attainment, quota: sales, prizes: [3000, 1000, 1000], ties: share, at_least: 100%, budget: 4000}")},
		"rising prizes":    {document: one("name: c", measure, "ranking: {on: amount, prizes: [1, 2], ties: all}"), problems: []string{"line 11, column 39: the prizes do not rise"}, typed: true},
		"no prize":         {document: one("name: c", measure, "ranking: {on: amount, prizes: [0], ties: all}"), problems: []string{"write an amount above zero"}, typed: true},
		"ties":             {document: one("name: c", measure, "ranking: {on: amount, prizes: [1]}"), problems: []string{`a ranking lacks "ties"`}},
		"ranked by what":   {document: one("name: c", "ranking: {on: amount, prizes: [1], ties: all}"), problems: []string{`lacks "measure"`}, typed: true},
		"ranked so far":    {document: one("name: c", measure, "cumulative: {over: year, pays: true_up}", "ranking: {on: amount, prizes: [1], ties: all}"), problems: []string{`write "pays: at_end"`}, typed: true},
		"first to a ratio": {document: one("name: c", "measure: {ratio: {count: credits}, to: {sum: credits}}", "ranking: {on: amount, prizes: [1], ties: earliest}"), problems: []string{`nobody came to it first`}, typed: true},
		"end of the plan":  {document: one("name: c", measure, "rate: 1", "cumulative: {over: plan, pays: at_end}"), problems: []string{`the time on a plan has no end at which to pay`}, typed: true},
		"pool":             {document: one("name: c", measure, "pool: {amount: 50000, at_least: 10}")},
		"pool of a ratio":  {document: one("name: c", "measure: {ratio: {count: credits}, to: {sum: credits}}", "pool: {amount: 1}"), problems: []string{`a ratio is no amount`}, typed: true},
		"cap each in pool": {document: one("name: c", measure, "pool: {amount: 1}", "cap_each_transaction: 1"), problems: []string{`cap_each_transaction has no meaning`}, typed: true},
		"deal of whom":     {document: one("name: c", measure, "pool: {amount: 1}") + "examples:\n  - {name: a, deals: [{amount: 1, by: Ann, level: 1}], pays: {c: 1}}\n", problems: []string{`either of somebody else on the plan`}, typed: true},
		"exchange":         {document: "exchange: {rates: ecb, on: transaction_date, at_most_days_old: 31, round_each: true}\n" + one("name: c", measure, "rate: 1") + "examples:\n  - {name: a, rates: {EUR: 1.1}, deals: [{amount: 1, currency: EUR}], pays: {c: 1.1}}\n"},
		"exchange when":    {document: "exchange: {rates: ecb, on: tuesday}\n" + one("name: c", measure, "rate: 1"), problems: []string{`"tuesday" is not known here: write transaction_date, period_end or month_average`}},
		"old rates":        {document: "exchange: {rates: ecb, on: period_end, at_most_days_old: 367}\n" + one("name: c", measure, "rate: 1"), problems: []string{`"367" is not a number of days`}},
		"old averages":     {document: "exchange: {rates: ecb, on: month_average, at_most_days_old: 3}\n" + one("name: c", measure, "rate: 1"), problems: []string{`an average takes the rates of the month`}, typed: true},
		"rate of a thing":  {document: one("name: c", measure, "rate: 1") + "examples:\n  - {name: a, rates: {euro: 1.1}, pays: {c: 1.1}}\n", problems: []string{`"euro" is not a currency`}},
		"crediting":        {document: "credits: [{role: territory, match: {transaction.category: participant.region, transaction.source: participant.id}, where: transaction.quantity > 1, share: participant.commission_rate, evenly: true}]\n" + one("name: c", measure, "rate: 1")},
		"no match":         {document: "credits: [{match: {}}]\n" + one("name: c", measure, "rate: 1"), problems: []string{`a rule matches at least one attribute`}},
		"match a number":   {document: "credits: [{match: {transaction.quantity: participant.region}}]\n" + one("name: c", measure, "rate: 1"), problems: []string{`"match" has no "transaction.quantity": it may have transaction.category`}, typed: true},
		"match to number":  {document: "credits: [{match: {transaction.category: participant.commission_rate}}]\n" + one("name: c", measure, "rate: 1"), problems: []string{`name an attribute of the participant that is a text`}, typed: true},
		"share of a rule":  {document: "credits: [{match: {transaction.category: participant.id}, share: 101%}]\n" + one("name: c", measure, "rate: 1"), problems: []string{`a share lies above 0`}, typed: true},
		"holdback":         {document: one("name: c", measure, "rate: 1", "holdback: {share: 20%, for_months: 3}")},
		"released where":   {document: one("name: c", measure, "rate: 1", "holdback: {share: participant.commission_rate, for_months: 12, released_where: transaction.category == \"paid\", otherwise: forfeited}")},
		"released if not":  {document: one("name: c", measure, "rate: 1", "holdback: {share: 20%, for_months: 3, otherwise: forfeited}"), problems: []string{`"otherwise" says what becomes`}},
		"released or what": {document: one("name: c", measure, "rate: 1", "holdback: {share: 20%, for_months: 3, released_where: transaction.category == \"paid\"}"), problems: []string{`released or forfeited`}},
		"released credit":  {document: one("name: c", measure, "rate: 1", "holdback: {share: 20%, for_months: 3, released_where: credit.share == 1, otherwise: released}"), problems: []string{`it reads transaction and participant`}, typed: true},
		"held bonus":       {document: one("name: c", "bonus: 1", "holdback: {share: 20%, for_months: 3}"), problems: []string{`nothing to hold back`}, typed: true},
		"held true-up":     {document: one("name: c", measure, "rate: 1", "cumulative: {over: year, pays: true_up}", "holdback: {share: 20%, for_months: 3}"), problems: []string{`is held back once`}, typed: true},
		"clawback":         {document: one("name: c", measure, "rate: 1", "clawback: {within_months: 12, cancelled_on: transaction.category, prorated: true, instalments: 3}", "holdback: {share: 20%, for_months: 3}")},
		"refund of what":   {document: one("name: c", measure, "rate: 1", "clawback: {within_months: 12}") + "examples:\n  - {name: a, deals: [{amount: 1}, {amount: -1, refund_of: 2}], pays: {c: 1}}\n", problems: []string{`"2" is not the number of a deal before this one`}, typed: true},
		"clawback of what": {document: one("name: c", measure, "rate: 1", "clawback: {instalments: 3}"), problems: []string{`a clawback lacks "within_months"`}},
		"clawback when":    {document: one("name: c", measure, "rate: 1", "clawback: {within_months: 12, cancelled_on: transaction.quantity}"), problems: []string{`name an attribute of the transaction that holds a day`}, typed: true},
		"clawback in time": {document: one("name: c", measure, "rate: 1", "clawback: {within_months: 0, instalments: 121}"), problems: []string{`"0" is not a number of months: write 1 to 1200`, `"121" is not a number of instalments: write 1 to 120`}},
		"clawback bonus":   {document: one("name: c", "bonus: 1", "clawback: {within_months: 12}"), problems: []string{`nothing to take back of one`}, typed: true},
		"clawback true-up": {document: one("name: c", measure, "rate: 1", "cumulative: {over: year, pays: true_up}", "clawback: {within_months: 12}"), problems: []string{`is known where it is paid once`}, typed: true},
		"clawback lost":    {document: one("name: c", measure, "rate: 1", "holdback: {share: 20%, for_months: 3, released_where: transaction.category == \"paid\", otherwise: forfeited}", "clawback: {within_months: 12}"), problems: []string{`either forfeited or taken back`}, typed: true},
		"clawback capped":  {document: "cap: 100\n" + one("name: c", measure, "rate: 1", "clawback: {within_months: 12}"), problems: []string{`does not say of which deal`}, typed: true},
		"plain bonus":      {document: one("name: bonus", "bonus: 500")},
		"tiers":            {document: one("name: tiers", measure, "rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 1%}, {below: 1.5, rate: 1.5%}, {rate: 2%, retroactive: true}]}", "cap: 10000")},
		"empty":            {document: "", problems: []string{"line 1, column 1: the file is empty, and should hold a plan"}},
		"no mapping":       {document: "- a", problems: []string{"line 1, column 1: a plan is written as keys and values"}},
		"not yaml":         {document: "plan: [", problems: []string{"this is not YAML"}, typed: true},
		"two documents":    {document: one("name: a", measure, "rate: 1") + "---\na: 1\n", problems: []string{"more than one document"}, typed: true},
		"unknown key":      {document: one("name: a", measure, "rate: 1", "speed: 2"), problems: []string{`line 12, column 5: a component has no "speed": it may have bonus, cap, cap_each_transaction`}},
		"twice":            {document: one("name: a", measure, "rate: 1", "rate: 2"), problems: []string{`line 12, column 5: a component says "rate" twice`}, typed: true},
		"anchor":           {document: one("name: a", "measure: &m {sum: credits}", "rate: 1"), problems: []string{`lacks "measure"`, "are not allowed"}, typed: true},
		"alias":            {document: one("name: a", measure, "rate: &r 1", "cap: *r"), problems: []string{"exactly one of", "are not allowed", "are not allowed"}, typed: true},
		"language":         {document: strings.Replace(one("name: a", measure, "rate: 1"), "language: 1", "language: 2", 1), problems: []string{`line 1, column 11: language "2" is not known: this is language 1`}},
		"plan id":          {document: strings.Replace(one("name: a", measure, "rate: 1"), "new-business", "New business", 1), problems: []string{"line 2, column 7"}},
		"currency":         {document: strings.Replace(one("name: a", measure, "rate: 1"), "USD", "US$", 1), problems: []string{"line 4, column 11"}},
		"no components":    {document: "language: 1\nplan: a\nname: a\ncurrency: USD\ncomponents: []\n", problems: []string{"line 5, column 13: \"components\" is a list"}},
		"lacking":          {document: "plan: a\nname: a\ncomponents: [{name: a, bonus: 1}]\n", problems: []string{`a plan lacks "currency"`, `a plan lacks "language"`}},
		"no way to pay":    {document: one("name: a", measure), problems: []string{"line 9, column 5: component \"a\" pays by exactly one of"}},
		"two ways to pay":  {document: one("name: a", measure, "rate: 1", "bonus: 1"), problems: []string{"pays by exactly one of"}},
		"no measure":       {document: one("name: a", "rate: 1"), problems: []string{`component "a" lacks "measure"`}, typed: true},
		"measure of both":  {document: one("name: a", "measure: {sum: credits, count: credits}", "rate: 1"), problems: []string{"either"}},
		"same name":        {document: one("name: a", measure, "rate: 1") + "  - {name: a, bonus: 1}\n", problems: []string{`two components have the name "a"`}, typed: true},
		"number":           {document: one("name: a", measure, "rate: 1,5"), problems: []string{`line 11, column 11: "1,5" is not a number`}},
		"exponent":         {document: one("name: a", measure, "rate: 1e3"), problems: []string{`"1e3" is not a number`}, typed: true},
		"infinity":         {document: one("name: a", measure, "rate: .inf"), problems: []string{`".inf" is not a number`}, typed: true},
		"level":            {document: one("name: a", "override: {level: 0}", measure, "rate: 1"), problems: []string{`line 10, column 23: "0" is not a level`}},
		"no last rate":     {document: one("name: a", measure, "rates: [{where: credit.share == 1, rate: 1}]"), problems: []string{"the last of the rates has no \"where\""}, typed: true},
		"unreached rate":   {document: one("name: a", measure, "rates: [{rate: 1}, {rate: 2}]"), problems: []string{"no credit comes this far"}, typed: true},
		"falling edges":    {document: one("name: a", measure, "rate_table: {on: amount, tiers: [{up_to: 2, rate: 1}, {up_to: 2, rate: 1}, {rate: 2}]}"), problems: []string{"the edges of the tiers rise: 2"}, typed: true},
		"two edges":        {document: one("name: a", measure, "rate_table: {on: amount, tiers: [{up_to: 2, below: 3, rate: 1}, {rate: 2}]}"), problems: []string{"a tier has one edge"}},
		"no last tier":     {document: one("name: a", measure, "rate_table: {on: amount, tiers: [{up_to: 2, rate: 1}]}"), problems: []string{"the last tier has no edge"}, typed: true},
		"unreached tier":   {document: one("name: a", measure, "rate_table: {on: amount, tiers: [{rate: 1}, {rate: 2}]}"), problems: []string{"nothing reaches this tier"}, typed: true},
		"no quota":         {document: one("name: a", measure, "rate_table: {on: attainment, tiers: [{rate: 1}]}"), problems: []string{"attainment is measured against a quota"}},
		"needless quota":   {document: one("name: a", measure, "rate_table: {on: amount, quota: sales, tiers: [{rate: 1}]}"), problems: []string{"not held against a quota"}},
		"gate threshold":   {document: one("name: a", measure, "bonus: 1", "gate: {on: amount}"), problems: []string{"one of at_least and above"}},
		"undeclared value": {document: one("name: a", measure, "rate: participant.speed"), problems: []string{`participant.speed is not declared: write it under "reads"`}, typed: true},
		"text as number":   {document: one("name: a", measure, "rate: participant.region"), problems: []string{"declared a text"}, typed: true},
		"builtin declared": {document: strings.Replace(one("name: a", measure, "rate: 1"), "{category: text", "{amount: text", 1), problems: []string{"line 6, column 17: \"amount\" is always there"}, typed: true},
		"type":             {document: strings.Replace(one("name: a", measure, "rate: 1"), "category: text", "category: string", 1), problems: []string{"line 6, column 27"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.document))
			if len(c.problems) == 0 {
				require.NoError(t, err)
			} else {
				require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err))
				var found document.Problems
				require.ErrorAs(t, err, &found)
				require.Len(t, found, len(c.problems), "%s", err)
				for i, want := range c.problems {
					require.Contains(t, found[i].String(), want)
					languagetest.NoEnglish(t, language.Indonesian.Translate(found[i].String()))
				}
			}
			if !c.typed {
				require.Equal(t, len(c.problems) == 0, schemaAccepts(t, c.document), "the schema should agree")
			}
		})
	}
}

func schemaAccepts(t *testing.T, document string) bool {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(strings.NewReader(string(Schema)))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("plan.json", raw))
	schema, err := compiler.Compile("plan.json")
	require.NoError(t, err)
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(document), &value))
	return schema.Validate(value) == nil
}

// filtered is what the filters of tests are asked about, with the attributes that they read.
var (
	filterReads = Reads{Transaction: map[string]Type{"category": Text, "quantity": Number, "weight": Number}, Participant: map[string]Type{"region": Text}}
	filtered    = Subject{
		Transaction: &incentive.Transaction{TransactionKey: incentive.TransactionKey{Source: "crm", ID: "T1"}, Date: incentive.MustParseDate("2026-03-31"),
			Amount: decimal.RequireFromString("12345678901234567.89"), Currency: "USD", Attributes: map[string]string{"category": "hardware", "quantity": "3.0"}},
		Credit:      &incentive.Credit{ParticipantID: "r1", Role: "owner", Share: decimal.RequireFromString("0.50")},
		Participant: &incentive.Participant{ID: "m1", Kind: incentive.Employee, Country: "DE", Attributes: map[string]string{"region": "north"}},
		Credited:    decimal.RequireFromString("6172839450617283.945"),
	}
)

// TestFilter holds filters against one credit of half a transaction over 12345678901234567.89.
func TestFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		`transaction.category == "hardware"`:                                           true,
		`transaction.category in ["software", "services"]`:                             false,
		`transaction.category not in ["software"]`:                                     true,
		`transaction.quantity == 3`:                                                    true,
		`transaction.quantity in [1, 3.00]`:                                            true,
		`transaction.amount == 12345678901234567.89`:                                   true,
		`transaction.amount > 12345678901234567.88`:                                    true,
		`transaction.amount < 12345678901234567.89`:                                    false,
		`credit.amount * 2 == transaction.amount`:                                      true,
		`credit.share >= 0.5 and participant.region == "north"`:                        true,
		`-1.5 < credit.share - 1`:                                                      true,
		`transaction.date >= "2026-03-01" and transaction.date <= "2026-03-31"`:        true,
		`transaction.category startsWith "hard" and not (participant.country == "FR")`: true,
		`credit.participant != participant.id and credit.role == "owner"`:              true,
		`transaction.speed == "1"`:                                                     `column 13: the filter cannot be read: unknown field speed`,
		`deal.amount > 1`:                                                              `column 1: the filter cannot be read: unknown name deal`,
		`transaction.category > 3`:                                                     `invalid operation: > (mismatched types text and number)`,
		`transaction.category == 3`:                                                    `mismatched types`,
		`transaction.amount`:                                                           `expected bool`,
		`transaction.amount / 3 > 1`:                                                   `a filter adds, subtracts and multiplies`,
		`transaction.quantity > 1e3`:                                                   `write a number as digits`,
		`transaction.quantity == 0x10`:                                                 `write a number as digits`,
		`transaction.category ==`:                                                      `the filter cannot be read`,
		`transaction.amount + 1 in [12345678901234568.89, 3]`:                          true,
		`let a = transaction.amount * 2; a > 1`:                                        `a filter has no variables`,
		`(transaction.category in ["a", "b"]) in [true, false]`:                        `what is looked for in a list`,
		`(true ? transaction.amount : 1) in [1, 2]`:                                    `what is looked for in a list`,
		`(not true) in [true]`:                                                         `what is looked for in a list`,
		`len(transaction.category) > 1`:                                                `the filter cannot be read`,
		`now() > 1`:                                                                    `the filter cannot be read`,
		`transaction.weight > 1`:                                                       `transaction T1 of crm has no "weight", which the plan reads as a number`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			filter, problem := parseFilter(text, filterReads)
			if message, bad := want.(string); bad {
				if problem != nil {
					require.Contains(t, problem.String(), message)
					languagetest.NoEnglish(t, language.Indonesian.Translate(problem.String()))
					return
				}
				_, err := filter.Takes(filtered)
				require.ErrorContains(t, err, message)
				require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
				return
			}
			require.Nil(t, problem)
			takes, err := filter.Takes(filtered)
			require.NoError(t, err)
			require.Equal(t, want, takes)
		})
	}
}

// TestExcludes holds for which filters it is known of a transaction alone that they take no credit
// of it.
func TestExcludes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`transaction.category == "software"`:                                   true,
		`transaction.category == "hardware"`:                                   false,
		`transaction.amount < 1 and transaction.quantity == 3`:                 true,
		`transaction.category == "software" and participant.region == "north"`: false, // of another participant it may take one
		`transaction.category == "software" and participant.country == "DE"`:   false,
		`transaction.category == "software" and credit.role == "owner"`:        false,
		`transaction.weight > 1`:                                               false, // it says what is wrong
	} {
		filter, problem := parseFilter(text, filterReads)
		require.Nil(t, problem)
		require.Equal(t, want, filter.Excludes(filtered.Transaction), text)
	}
	require.False(t, (*Filter)(nil).Excludes(filtered.Transaction))
}

func TestFilterPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ where, place string }{
		"plain":  {`where: transaction.speed == "1"`, "line 11, column 26"},
		"quoted": {`where: 'transaction.speed == "1"'`, "line 11, column 27"},
		"block":  {"where: |\n        transaction.category == \"1\" and\n        transaction.speed == \"1\"", "line 13"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(one("name: a", "measure:", "  "+c.where, "  sum: credits", "rate: 1")))
			require.ErrorContains(t, err, c.place)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(one("name: commission", measure, "rate: 5%"))
	f.Add(one("name: a", measure, "rates:", "  - {where: 'transaction.category == \"1\"', rate: 0.04}", "  - {rate: 0}"))
	f.Add(one("name: a", measure, "rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 1%}, {rate: 2%}]}"))
	f.Add("quotas: {sales: {prorated: by_months, weights: [50%, 0.5], ramp: {since: participant.region, shares: [0%, 50%]}}}\n" + one("name: a", "measure: {ratio: {sum: transaction.quantity}, to: {distinct: transaction.category}}", "curve: {on: attainment, quota: sales, points: [{at: 0, pays: 0}, {at: 1, pays: 1}]}", "deduct: 3"))
	f.Add("cap: {amount: 9, over: year, excess: carried_over}\ndraw: {amount: 9, kind: recoverable, recover_at_most: 3, months_since: participant.region, advanced_for_months: 3, recovered_from_month: 4, recovered_down_to: 5, forgiven_after_month: 12}\n" + one("name: c", measure, "rate: 1", "cap: {amount: 3, excess: carried_over}"))
	f.Add(one("name: c", measure, "cumulative: {over: quarter, pays: at_end}", "ranking: {on: attainment, quota: sales, prizes: [3000, 1000, 1000], ties: share, at_least: 100%, budget: 4000}") + "  - {name: d, measure: {count: credits}, pool: {amount: 3}}\n")
	f.Add("exchange: {rates: ecb, on: transaction_date, at_most_days_old: 31, round_each: true}\n" + one("name: c", measure, "rate: 1") + "examples:\n  - {name: a, rates: {EUR: 1.1}, deals: [{amount: 1, currency: EUR}], pays: {c: 1.1}}\n")
	f.Add("credits: [{role: territory, match: {transaction.category: participant.region}, where: transaction.quantity > 1, share: participant.commission_rate, evenly: true}]\n" + one("name: c", measure, "rate: 1"))
	f.Add(one("name: c", measure, "rate: 1", "holdback: {share: participant.commission_rate, for_months: 12, released_where: transaction.category == \"paid\", otherwise: forfeited}"))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse([]byte(text))
		if err != nil {
			require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err))
			return
		}
		require.NotEmpty(t, p.Components)
	})
}

// FuzzFilter asks whatever can be read: no filter panics, and none runs on and on.
func FuzzFilter(f *testing.F) {
	f.Add(`transaction.category in ["software", "services"] and transaction.quantity * 2 >= 1.5`)
	f.Add(`not (credit.share - 1 == -0.5) or participant.region matches "^n.*h$"`)
	f.Add(`transaction.category startsWith "hard" ? credit.amount < 3 : transaction.date > "2026-01-31"`)
	f.Add(`let a = transaction.amount * transaction.amount; let b = a * a; let c = b * b; c > 1`)
	f.Add(strings.Repeat("(", 40) + "true" + strings.Repeat(" in [true, false])", 40))
	f.Fuzz(func(t *testing.T, text string) {
		filter, problem := parseFilter(text, filterReads)
		if problem != nil {
			require.Positive(t, problem.Line)
			return
		}
		_, _ = filter.Takes(filtered) // a number that is not there is an error, and no panic
	})
}
