package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// gauge is how far something has come, as a bar: of 100 each, what is there, what is
// still pending, and where a mark stands, 0 for none.
type gauge struct{ Filled, More, Mark int }

// progressing is how far a component's measure has come, as it is shown.
type progressing struct {
	client.Progress
	Percent string // attainment; "" where there is no quota
	Gauge   gauge
}

type livePage struct {
	Period   *client.Period // nil while none is open
	Estimate *client.Estimate
	MayAsk   bool                 // what if: deals count now
	Awaited  *client.PendingDeals // the visitor's, which wait for approval; nil for none
	Split    gauge                // of the total: booked and pending
	Progress []progressing
	Earned   []earned // before, the latest first
	Charts   []chart
	Year     int
	ThisYear []incentive.Money
	Amounts  string    // of the deals that are asked about
	If       *supposed // the answer
}

// supposed is the answer to what if.
type supposed struct {
	client.WhatIf
	Progress []progressing // after
}

var hundred = decimal.NewFromInt(100)

// percent is a share as whole percents, rounded down so that nobody is told that they are
// there before they are.
func percent(share decimal.Decimal) decimal.Decimal { return share.Mul(hundred).Floor() }

// part is how much of a bar of 100 a share fills.
func part(share decimal.Decimal) int {
	return int(max(0, min(100, percent(share).IntPart())))
}

func progressOf(all []client.Progress) (shown []progressing) {
	for _, p := range all {
		one := progressing{Progress: p}
		measured, ends := read(p.Measured), decimal.Zero
		if p.Goal != nil {
			ends = read(*p.Goal)
		}
		if p.Attainment != nil {
			one.Percent = percent(read(*p.Attainment)).String()
		}
		if p.Next != nil {
			ends = decimal.Max(ends, read(p.Next.At))
		}
		if ends = decimal.Max(ends, measured); ends.IsPositive() {
			one.Gauge.Filled = part(incentive.Ratio{Numerator: measured, Denominator: ends}.Decimal())
			if p.Next != nil {
				one.Gauge.Mark = min(99, part(incentive.Ratio{Numerator: read(p.Next.At), Denominator: ends}.Decimal())) // within the bar
			}
		}
		shown = append(shown, one)
	}
	return shown
}

// read is a decimal of the API, which gives no others.
func read(text string) decimal.Decimal {
	d, _ := decimal.NewFromString(text)
	return d
}

// estimated is the period in which deals count now: the open one that holds today, or
// else the earliest whose statements are not published.
func (v *visit) estimated(all []client.Period) *client.Period {
	today := v.today()
	var found *client.Period
	for _, p := range all { // the latest first
		state := incentive.State(p.State)
		if state != incentive.Open && state != incentive.Locked && state != incentive.Calculated {
			continue
		}
		if found = &p; !today.Before(p.StartsOn) && !p.EndsOn.Before(today) {
			break
		}
	}
	return found
}

// live shows what the visitor's statement comes to as things stand.
func (v *visit) live() error {
	body, err := v.livePage()
	if err != nil {
		return err
	}
	return v.show("live", "live.title", body)
}

func (v *visit) livePage() (livePage, error) {
	body := livePage{Year: v.today().Year}
	if v.may(incentive.ReadStatements) == incentive.None {
		return body, v.forbidden()
	}
	all, err := v.allPeriods()
	if err != nil {
		return body, err
	}
	if body.Earned, _, err = v.earnedBy(v.me.Id, all, 0); err != nil {
		return body, err
	}
	body.ThisYear = inYear(body.Earned, body.Year)
	for _, c := range []*chart{v.earnedChart(body.Earned, v.me.Id), v.attainedChart(body.Earned, v.me.Id)} {
		if c != nil {
			body.Charts = append(body.Charts, *c)
		}
	}
	if body.Period = v.estimated(all); body.Period == nil {
		return body, nil
	}
	e, err := client.Read[client.Estimate](v.api.GetEstimate(v.r.Context(), body.Period.Id, v.me.Id))
	if absent(err) {
		return body, nil
	}
	if err != nil {
		return body, err
	}
	body.Estimate, body.Progress, body.Split = &e, progressOf(e.Progress), split(e)
	body.MayAsk = body.Period.State == string(incentive.Open) && e.Problem == nil
	if body.MayAsk {
		return body, v.addPending(&body)
	}
	return body, nil
}

// split parts an estimate's total into what is booked and what is pending.
func split(e client.Estimate) gauge {
	if e.Total == nil || e.Total.Minor <= 0 {
		return gauge{}
	}
	booked := part(incentive.Ratio{Numerator: e.Booked.Decimal(), Denominator: e.Total.Decimal()}.Decimal())
	return gauge{Filled: booked, More: 100 - booked}
}

// inYear sums up what was earned in the periods of a year, by currency.
func inYear(all []earned, year int) (sums []incentive.Money) {
	for _, e := range all {
		if e.Period.EndsOn.Year != year {
			continue
		}
		at := slices.IndexFunc(sums, func(m incentive.Money) bool { return m.Currency == e.Total.Currency })
		if at < 0 {
			sums = append(sums, incentive.Money{Currency: e.Total.Currency})
			at = len(sums) - 1
		}
		sums[at].Minor += e.Total.Minor
	}
	return sums
}

// whatIf answers what the visitor would earn with some deals closed.
func (v *visit) whatIf() error {
	body, err := v.livePage()
	if err != nil {
		return err
	}
	if body.Period == nil {
		return incentive.Errorf(incentive.CodeNotFound, "%s", v.texts.Get("live.none"))
	}
	body.Amounts = v.r.PostFormValue("amounts")
	if body.If, err = v.suppose(body.Period.Id, body.Amounts); err != nil {
		v.problem = err
	}
	return v.show("live", "live.title", body)
}

// suppose asks for the visitor's estimate with deals of these amounts.
func (v *visit) suppose(period, amounts string) (*supposed, error) {
	deals := []client.Deal{}
	for text := range strings.FieldsSeq(amounts) {
		amount, is := v.texts.Decimal(text)
		if !is {
			return nil, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("live.if.refused", map[string]any{"amount": text}))
		}
		deals = append(deals, client.Deal{Amount: amount})
	}
	answer, err := client.Read[client.WhatIf](v.api.WhatIf(v.r.Context(), period, v.me.Id, &client.WhatIfParams{IdempotencyKey: v.key()}, client.WhatIfRequest{Deals: &deals}))
	if err != nil {
		return nil, err
	}
	return &supposed{answer, progressOf(answer.After.Progress)}, nil
}

// news hands on which estimates change, for as long as the visitor listens.
func (v *visit) news() error {
	return v.download(client.NewStreamEstimatesRequest(within))
}

// member is one of a manager's team.
type member struct {
	client.Estimate
	Progress *progressing // of the first component with a quota; nil for none
	Pace     string       // behind, where the quota is further away than the end of the period; reached; or ""
	Why      message      // whether help is needed, and why
}

type teamPage struct {
	Period  *client.Period
	Members []member
	Table   table
	Passed  int // percents of the period that are over
	Chart   *chart
	Behind  int // how many of the whole team are behind
}

// paced holds somebody's quota against how much of the period is over.
func paced(e client.Estimate, passed decimal.Decimal) member {
	one := member{Estimate: e, Why: message{Key: "team.why.no-quota"}}
	shown := progressOf(e.Progress)
	at := slices.IndexFunc(shown, func(p progressing) bool { return p.Attainment != nil })
	if at < 0 {
		return one
	}
	one.Progress = &shown[at]
	measured, goal := read(one.Progress.Measured), read(*one.Progress.Goal)
	missing := goal.Mul(passed).Sub(measured).Ceil()
	switch {
	case measured.GreaterThanOrEqual(goal):
		one.Pace, one.Why = "reached", message{Key: "team.why.reached"}
	case !measured.IsPositive() && missing.IsPositive():
		one.Pace, one.Why = "behind", message{"team.why.nothing", map[string]any{"missing": language.Numeral(missing.String())}}
	case missing.IsPositive():
		one.Pace, one.Why = "behind", message{"team.why.behind", map[string]any{"missing": language.Numeral(missing.String())}}
	default:
		one.Why = message{"team.why.in-time", map[string]any{"left": language.Numeral(goal.Sub(measured).String())}}
	}
	return one
}

// team shows a manager's team against its quotas, whoever is furthest behind first.
func (v *visit) team() error {
	if v.may(incentive.ReadStatements) == incentive.None {
		return v.forbidden()
	}
	periods, err := v.allPeriods()
	if err != nil {
		return err
	}
	body := teamPage{Period: v.estimated(periods)}
	if body.Period == nil {
		return v.show("team", "team.title", body)
	}
	p := *body.Period
	var passed decimal.Decimal
	numeral := func(of func(p progressing) string) func(member) any {
		return func(m member) any {
			if m.Progress == nil || of(*m.Progress) == "" {
				return nil
			}
			return language.Numeral(of(*m.Progress))
		}
	}
	body.Members, body.Table, err = listed(v, listing[member]{
		name: "team-" + p.Id, search: "table.search-person", sort: "attainment",
		columns: []column[member]{
			{head: "column.person", sort: "name", value: func(m member) any { return m.Name }},
			{head: "column.quota", sort: "quota", value: numeral(func(p progressing) string { return text(p.Goal) })},
			{head: "column.achieved", file: true, value: numeral(func(p progressing) string { return p.Measured })},
			{head: "column.attainment", sort: "attainment", class: "amount", value: numeral(func(p progressing) string { return p.Percent })},
			{head: "column.next-step", sort: "next", class: "amount", value: numeral(func(p progressing) string {
				if p.Next == nil {
					return ""
				}
				return p.Next.Distance
			})},
			{head: "column.estimate", sort: "estimate", class: "amount", value: func(m member) any { return m.Total }},
		},
		read: func(of wanted) (members []member, _ *string, err error) {
			yes := true
			list, err := client.Read[client.Estimates](v.api.ListEstimates(v.r.Context(), p.Id, &client.ListEstimatesParams{
				Others:   &yes,
				Standing: &yes,
				After:    of.after,
				Search:   of.search,
				Sort:     of.sort,
				Limit:    of.limit,
			}))
			if err != nil {
				return nil, nil, err
			}
			body.Behind, passed = list.Standing.Behind, read(list.Standing.Passed)
			for _, e := range list.Estimates {
				members = append(members, paced(e, passed))
			}
			return members, list.Next, nil
		},
	})
	if err != nil {
		return err
	}
	body.Passed = part(passed)
	body.Chart = v.teamChart(body.Members, body.Passed)
	return v.show("team", "team.title", body)
}

type memberPage struct {
	Period *client.Period // nil while none is open, or where there is no estimate
	Member member
	Split  gauge // of the total: booked and pending
	Parts  []progressing
	Passed int // percents of the period that are over
	Earned []earned
	Chart  *chart
	Person string
	Name   string
}

// member shows why somebody stands where they do: what their statement comes to as things stand,
// with its arithmetic, and their statements before.
func (v *visit) member() error {
	if v.may(incentive.ReadStatements) == incentive.None {
		return v.forbidden()
	}
	body := memberPage{Person: v.r.PathValue("person")}
	all, err := v.allPeriods()
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body.Name = name(called, body.Person)
	if body.Earned, _, err = v.earnedBy(body.Person, all, 0); err != nil {
		return err
	}
	if body.Chart = v.attainedChart(body.Earned, body.Person); body.Chart != nil {
		body.Chart.Bare = true
	}
	if p := v.estimated(all); p != nil {
		e, err := client.Read[client.Estimate](v.api.GetEstimate(v.r.Context(), p.Id, body.Person))
		if err != nil && !absent(err) {
			return err
		}
		if err == nil {
			passed := incentive.Period{StartsOn: p.StartsOn, EndsOn: p.EndsOn}.Passed(v.today())
			body.Period, body.Member, body.Split, body.Passed = p, paced(e, passed), split(e), part(passed)
			body.Parts = progressOf(e.Progress)
		}
	}
	if body.Period == nil && len(body.Earned) == 0 {
		return v.nowhere() // or nothing of it may be seen
	}
	return v.show("member", "member.title", body, "name", body.Name)
}

var _ http.Flusher = (*passing)(nil) // a stream is handed on as it comes

// Flush hands on what was written so far.
func (p *passing) Flush() {
	if p.hands {
		_ = http.NewResponseController(p.to).Flush() // who has gone reads nothing
	}
}
