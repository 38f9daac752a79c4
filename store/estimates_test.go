package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// noon is the time at which the tests calculate estimates.
var noon = time.Date(2026, time.January, 20, 12, 0, 0, 0, time.UTC)

// refresh calculates estimates until nothing is left to do, then, five seconds later for those
// above, and again for whoever competes with these.
func refresh(t require.TestingT, s *store.Store, now time.Time) {
	for _, at := range []time.Time{now, now.Add(5 * time.Second), now.Add(10 * time.Second), now.Add(2 * time.Minute)} {
		for done := false; !done; {
			var err error
			done, _, err = s.RefreshEstimates(context.Background(), at)
			require.NoError(t, err)
		}
	}
}

// estimate is what ann's estimate comes to, and how much of it is booked.
func (b *books) estimate(period string) string {
	b.Helper()
	refresh(b, b.Store, noon)
	e, err := b.Store.Estimate(b.Context(), period, "ann")
	require.NoError(b, err)
	if e.Problem != "" {
		return e.Problem
	}
	return e.Total.Amount() + ", booked " + e.Booked.Amount()
}

func TestEstimatesFollowTheFacts(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	b.deal("d1", "2026-01-05", "1000")
	b.open(january)
	require.Equal(t, "100.00, booked 100.00", b.estimate(january))
	b.deal("d2", "2026-01-25", "500")
	require.Equal(t, "150.00, booked 100.00", b.estimate(january), "the 25th is still to come")
	refresh(b, b.Store, noon.AddDate(0, 0, 5))
	require.Equal(t, "150.00, booked 150.00", b.estimate(january), "the day has come, with nothing new")
	b.deal("d1", "2026-01-05", "800")
	require.Equal(t, "130.00, booked 80.00", b.estimate(january))
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "ann", "role": "owner", "share": "0"})
	require.Equal(t, "50.00, booked 0.00", b.estimate(january), "taken away")
	b.adjusted(january, 700)
	require.Equal(t, "57.00, booked 7.00", b.estimate(january))
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 20%}]")
	require.Equal(t, "107.00, booked 7.00", b.estimate(january), "another version of the plan")
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, tiers: [{rate: 20%}]}}]")
	require.Contains(t, b.estimate(january), `ann has no quota "sales" above zero`)
	b.put("quota", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "1000"})
	require.Equal(t, "107.00, booked 7.00", b.estimate(january))

	b.calculate(january)
	require.Equal(t, "107.00", b.total(january))
	b.deal("d3", "2026-01-06", "9000")
	require.Equal(t, "107.00, booked 7.00", b.estimate(january), "what comes after the lock is not paid by this run")
	_, _, err := b.WhatIf(b.Context(), b.revision(january), "ann", nil, incentive.DateOf(noon))
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))
	_, err = b.Store.Estimate(b.Context(), january, "bob")
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "bob is on no plan")
}

func (b *books) revision(period string) store.PeriodRevision {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	return p
}

// TestNothingTouchedIsLost stops before an estimate is kept, as a process that is killed does.
func TestNothingTouchedIsLost(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.deal("d1", "2026-01-05", "1000")
	b.open(monthOf(1))
	for range 3 {
		broken, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := b.RefreshEstimates(broken, noon)
		require.Error(t, err)
	}
	// What was looked into stays wanted until it is calculated.
	done, _, err := b.RefreshEstimates(t.Context(), noon)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, "100.00, booked 100.00", b.estimate(monthOf(1)))
}

// TestSomebodyListensToEstimates hears which ones have changed, and no others.
func TestSomebodyListensToEstimates(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.assign("bob", "flat", "2026-01-01")
	b.open(monthOf(1))
	b.estimate(monthOf(1))
	listener, err := b.Listen(t.Context(), store.ChannelEstimated)
	require.NoError(t, err)
	defer listener.Close()
	b.put("quota", map[string]any{"participant_id": "bob", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "1000"})
	b.estimate(monthOf(1)) // no plan of bob's measures against it
	b.deal("d1", "2026-01-05", "1000")
	b.estimate(monthOf(1))
	told, err := listener.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, monthOf(1)+" ann", told)
}

// TestManagersFollow calculates whose deal it is at once, and those above shortly after.
func TestManagersFollow(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("team", "components: [{name: override, override: {level: 1}, measure: {sum: credits}, rate: 1%}]")
	b.assign("boss", "team", "2026-01-01")
	january := monthOf(1)
	b.open(january)
	refresh(t, b.Store, noon)
	b.deal("d1", "2026-01-05", "1000")
	total := func(id string) string {
		e, err := b.Store.Estimate(t.Context(), january, id)
		require.NoError(t, err)
		return e.Total.Amount()
	}
	var next time.Time
	for done := false; !done; {
		var err error
		done, next, err = b.RefreshEstimates(t.Context(), noon)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"100.00", "0.00"}, []string{total("ann"), total("boss")})
	require.WithinRange(t, next, noon.Add(time.Millisecond), noon.Add(time.Second))
	refresh(t, b.Store, next)
	require.Equal(t, "10.00", total("boss"))
}

// TestCompetitorsFollow calculates whoever somebody else's deal puts elsewhere, and nobody else.
func TestCompetitorsFollow(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("contest", "components: [{name: prize, measure: {sum: credits}, ranking: {on: amount, prizes: [100, 50, 20], ties: share}}]")
	for _, id := range []string{"ann", "bob", "boss"} {
		b.assign(id, "contest", "2026-01-01")
	}
	sells := func(id, deal, amount string) { b.dealOf(id, deal, "2026-01-05", amount) }
	january := monthOf(1)
	b.open(january)
	sells("ann", "d1", "1000")
	sells("boss", "d2", "900")
	sells("bob", "d3", "10")
	require.Equal(t, "200.00, booked 200.00", b.estimate(january), "a tenth, and the first prize")
	before, err := b.Store.Estimate(t.Context(), january, "boss")
	require.NoError(t, err)
	sells("bob", "d3", "800")
	refresh(t, b.Store, noon)
	after, err := b.Store.Estimate(t.Context(), january, "boss")
	require.NoError(t, err)
	require.Equal(t, before.CalculatedAt, after.CalculatedAt, "the boss stands where they stood")
	sells("bob", "d3", "5000")
	require.Equal(t, "150.00, booked 150.00", b.estimate(january), "bob has passed ann, who sold nothing since")
	b.assign("bob", "flat", "2026-01-01")
	ended := map[string]any{"participant_id": "bob", "plan_id": "contest", "calendar_id": "monthly", "starts_on": "2026-01-01", "ends_on": "2026-01-04"}
	b.put("assignment", ended)
	require.Equal(t, "200.00, booked 200.00", b.estimate(january), "what bob sold later does not count")
}

// TestSplitsByAmount credits people with amounts of a deal in the place of shares.
func TestSplitsByAmount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	b.open(january)
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": "d1", "date": "2026-01-05", "amount": "300", "currency": "USD", "attributes": map[string]string{}})
	credit := func(amount string) store.Import {
		return load(t, b.Store, "credit", map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "ann", "role": "owner", "amount": amount})
	}
	require.Equal(t, 1, credit("100").Added)
	require.Equal(t, "10.00, booked 10.00", b.estimate(january), "a tenth of 100")
	require.Equal(t, 1, credit("100").Unchanged)
	require.Equal(t, 1, credit("300.01").Quarantined)
	require.Equal(t, 1, credit("-1").Quarantined)
	require.Equal(t, 1, credit("0.07").Changed)
	require.Equal(t, "0.01, booked 0.01", b.estimate(january))
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": "d1", "date": "2026-01-05", "amount": "0", "currency": "USD", "attributes": map[string]string{}})
	require.Equal(t, 1, credit("0").Quarantined, "of nothing there is no part")
}

// TestPoolsFollow calculates whose part of a pool somebody else's deal changes within seconds; whose
// part stays the same only once the deal has waited for others, and behind whoever is touched.
func TestPoolsFollow(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("shared", "components: [{name: part, measure: {sum: credits}, pool: {amount: 100}}]")
	for _, id := range []string{"ann", "bob"} {
		b.assign(id, "shared", "2026-01-01")
	}
	sells := func(id, deal, amount string) { b.dealOf(id, deal, "2026-01-05", amount) }
	january := monthOf(1)
	b.open(january)
	sells("ann", "d1", "1000000")
	sells("bob", "d2", "1000000")
	refresh(t, b.Store, noon)
	until := func(at time.Time) {
		t.Helper()
		for done := false; !done; {
			var err error
			done, _, err = b.RefreshEstimates(t.Context(), at)
			require.NoError(t, err)
		}
	}
	one := func(id string) store.Estimate {
		t.Helper()
		e, err := b.Store.Estimate(t.Context(), january, id)
		require.NoError(t, err)
		return e
	}
	before := one("ann")
	b.assign("boss", "flat", "2026-01-01")
	sells("boss", "d3", "777")
	until(noon)
	until(noon.Add(2 * time.Minute))
	require.Equal(t, before.CalculatedAt, one("ann").CalculatedAt, "who is on no plan with the pool changes nothing of it")

	sells("bob", "d4", "3")
	until(noon)
	until(noon.Add(10 * time.Second))
	require.Equal(t, before.CalculatedAt, one("ann").CalculatedAt, "a deal that changes no cent of hers")
	until(noon.Add(2 * time.Minute))
	told := one("ann")
	require.Equal(t, before.Total, told.Total)
	require.NotEqual(t, before.Digest, told.Digest, "of what all have come to")

	sells("bob", "d5", "1000000")
	until(noon)
	until(noon.Add(5 * time.Second))
	require.Equal(t, "100033.33", one("ann").Total.Amount(), "a third of the pool, and a tenth of her own")
	sells("bob", "d6", "2")
	until(noon)
	everything, err := b.Everything(t.Context(), b.revision(january))
	require.NoError(t, err)
	run, err := calculation.Estimates(t.Context(), everything, []string{"ann", "bob"})
	require.NoError(t, err)
	until(noon.Add(2 * time.Minute))
	for i, id := range []string{"ann", "bob"} {
		digest := run[i].Digest()
		require.Equal(t, digest[:], one(id).Digest, "%s has what a run would give", id)
	}
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 10%}, {rate: 20%}]}}]")
	b.put("quota", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "1000"})
	b.deal("d1", "2026-01-05", "600")
	b.open(monthOf(1))
	half := store.Deal{Date: incentive.MustParseDate("2026-01-04"), Amount: decimal.RequireFromString("1000"), Currency: "USD", Role: "owner", Share: decimal.RequireFromString("0.5")}
	whole := store.Deal{Date: incentive.MustParseDate("2026-01-31"), Amount: decimal.RequireFromString("100"), Currency: "USD", Role: "owner", Share: decimal.NewFromInt(1)}
	before, after, err := b.WhatIf(t.Context(), b.revision(monthOf(1)), "ann", []store.Deal{half, whole}, incentive.DateOf(noon))
	require.NoError(t, err)
	require.Equal(t, "60.00", before.Total.Amount())
	require.Equal(t, "140.00", after.Total.Amount(), "400 to the quota, and 200 beyond")
	require.Equal(t, "120.00", after.Booked.Amount(), "the last day of the month is still to come")
	next := before.Progress[0].Next
	require.Equal(t, []string{"1000", "400", "40.00"}, []string{next.At.String(), next.Distance.String(), next.Worth.Amount()})
	require.Nil(t, after.Progress[0].Next, "the last tier")
	b.estimate(monthOf(1))
	e, err := b.Store.Estimate(t.Context(), monthOf(1), "ann")
	require.NoError(t, err)
	require.Equal(t, before.Digest, e.Digest, "nothing of it is kept")

	_, _, err = b.WhatIf(t.Context(), b.revision(monthOf(1)), "bob", nil, incentive.DateOf(noon))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
	whole.Currency = "EUR"
	_, _, err = b.WhatIf(t.Context(), b.revision(monthOf(1)), "ann", []store.Deal{whole}, incentive.DateOf(noon))
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "is in EUR")
}

// TestEstimatesAreTheCalculation holds for any company and any order in which its facts
// come and change: an estimate is what a run over everything would give.
func TestEstimatesAreTheCalculation(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	company(t, s)
	tried := 0
	rapid.Check(t, func(r *rapid.T) {
		tried++
		c := &changing{t: t, s: s, prefix: fmt.Sprintf("c%d-", tried), calendar: fmt.Sprintf("calendar%d", tried)}
		c.begin(r)
		defer storetest.Exec(t, url, fmt.Sprintf(`UPDATE guerdon.period_revision SET state = 'cancelled' WHERE period_id = '%s-1'`, c.calendar))
		for range rapid.IntRange(1, 4).Draw(r, "rounds") {
			for range rapid.IntRange(1, 4).Draw(r, "changes") {
				c.change(r)
			}
			refresh(r, s, noon)
			c.check(r)
		}
	})
}

// changing is a company of its own in the database, with one open period.
type changing struct {
	t                *testing.T
	s                *store.Store
	prefix, calendar string
	deals            int
}

// everybody reports to somebody further up in the list.
const everybody = 7

func (c *changing) person(n int) string { return fmt.Sprintf("%sp%d", c.prefix, n) }

func (c *changing) load(kind string, records ...map[string]any) {
	done := load(c.t, c.s, kind, records...)
	require.Zero(c.t, done.Quarantined, "%v", records)
}

// changingPlans is what people may be on: alone, above others, against others and their teams, by rules, over the
// time before, and to be taken back.
var changingPlans = []string{
	"components: [{name: c, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{up_to: 100%, rate: 10%}, {rate: 20%, retroactive: true}]}}]",
	"components: [{name: c, measure: {sum: credits}, rate: 5%}, {name: team, override: {level: 1}, measure: {sum: credits}, rate: 2%}, {name: all, override: {level: 2}, measure: {sum: credits}, rate: 1%}]",
	"components: [{name: c, measure: {sum: credits}, ranking: {on: amount, prizes: [100, 50], ties: share}}, {name: p, measure: {sum: credits}, pool: {amount: 77}}]",
	"components: [{name: t, override: {level: 1}, measure: {sum: credits}, ranking: {on: amount, prizes: [90, 60, 30], ties: earliest}}, {name: p, measure: {count: credits}, pool: {amount: 50, at_least: 2}}]\ncap: 120",
	"reads: {transaction: {region: text}, participant: {territory: text}}\ncredits: [{evenly: true, match: {transaction.region: participant.territory}}]\ncomponents: [{name: c, measure: {sum: credits}, rate: 10%}]",
	"components: [{name: c, cumulative: {over: quarter, pays: true_up}, measure: {sum: credits}, rate_table: {on: amount, tiers: [{up_to: 300, rate: 10%}, {rate: 20%}]}}]",
	"reads: {transaction: {lapsed_on: text}}\ncomponents: [{name: c, measure: {sum: credits}, rate: 10%, clawback: {within_months: 3, cancelled_on: transaction.lapsed_on, instalments: 2}}, {name: team, override: {level: 1}, measure: {sum: credits}, rate: 1%, clawback: {within_months: 1}}]",
	"credits: [{territory: {members: all}}, {role: overlay, territory: {members: lead, above: all}, share: 25%}, {role: team, evenly: true, team: {members: all}}]\nquotas: {sales: {of: territory, by_share: true}}\n" +
		"components: [{name: c, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{up_to: 100%, rate: 10%}, {rate: 20%}]}}]",
}

func (c *changing) begin(r *rapid.T) {
	c.load("period", map[string]any{"id": c.calendar + "-1", "calendar_id": c.calendar, "code": "1", "starts_on": "2026-02-01", "ends_on": "2026-02-28"})
	var people, territories, teams, assignments []map[string]any
	for n := range everybody {
		people = append(people, c.fact(r, n, "2026-01-01"))
	}
	c.load("participant", people...)
	for n := range changingPlans {
		c.plan(n, n)
	}
	for _, group := range []string{"top", "all", "west"} {
		territories = append(territories, map[string]any{"territory_id": c.prefix + group, "effective_from": "2026-01-01", "name": "G", "attributes": map[string]string{}})
		teams = append(teams, map[string]any{"team_id": c.prefix + group, "effective_from": "2026-01-01", "name": "G", "attributes": map[string]string{}})
	}
	c.load("territory", territories...)
	c.load("team", teams...)
	for n := range everybody {
		assignments = append(assignments, c.assignment(r, n))
	}
	c.load("assignment", assignments...)
	_, err := c.s.OpenPeriod(c.t.Context(), "fin", c.calendar+"-1")
	require.NoError(r, err)
}

func (c *changing) plan(n, document int) {
	id := fmt.Sprintf("%splan%d", c.prefix, n)
	_, err := c.s.PutPlan(c.t.Context(), "fin", id, incentive.MustParseDate("2026-01-01"), []byte("language: 1\nplan: "+id+"\nname: "+id+"\ncurrency: USD\n"+changingPlans[document]+"\n"))
	require.NoError(c.t, err)
}

func (c *changing) assignment(r *rapid.T, n int) map[string]any {
	record := map[string]any{"participant_id": c.person(n), "plan_id": fmt.Sprintf("%splan%d", c.prefix, rapid.SampledFrom([]int{0, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7}).Draw(r, "plan")), "calendar_id": c.calendar, "starts_on": "2026-01-01"}
	if end := rapid.SampledFrom([]string{"", "", "2026-01-31", "2026-02-15"}).Draw(r, "until"); end != "" {
		record["ends_on"] = end
	}
	return record
}

func (c *changing) fact(r *rapid.T, n int, from string) map[string]any {
	record := participant(c.person(n), "")
	record["effective_from"] = from
	record["attributes"] = map[string]string{"territory": rapid.SampledFrom([]string{"west", "east"}).Draw(r, "territory")}
	if n > 0 {
		record["manager_id"] = c.person(rapid.IntRange(0, n-1).Draw(r, "manager"))
	}
	return record
}

var days = rapid.SampledFrom([]string{"2026-01-15", "2026-02-01", "2026-02-10", "2026-02-10", "2026-02-28", "2026-03-01"})

func (c *changing) change(r *rapid.T) {
	who := rapid.IntRange(0, everybody-1)
	switch rapid.SampledFrom([]string{"deal", "deal", "credit", "credit", "assignment", "assignment", "fact", "quota", "relief", "plan", "group", "member", "member"}).Draw(r, "change") {
	case "group":
		kind := rapid.SampledFrom([]string{"territory", "team"}).Draw(r, "kind")
		record := map[string]any{kind + "_id": c.prefix + rapid.SampledFrom([]string{"all", "west"}).Draw(r, "group"), "effective_from": days.Draw(r, "from"), "name": "G", "attributes": map[string]string{"region": rapid.SampledFrom([]string{"west", "w*; east", ""}).Draw(r, "covers")}}
		if parent := rapid.SampledFrom([]string{"", c.prefix + "top"}).Draw(r, "parent"); parent != "" {
			record["parent_id"] = parent
		}
		c.load(kind, record)
		if kind == "territory" && rapid.Bool().Draw(r, "its quota") {
			c.load("territory_quota", map[string]any{"territory_id": record["territory_id"], "measure": "sales", "starts_on": "2026-02-01", "ends_on": "2026-02-28", "amount": fmt.Sprint(rapid.IntRange(1, 500).Draw(r, "goal"))})
		}
	case "member":
		kind := rapid.SampledFrom([]string{"territory", "team"}).Draw(r, "kind")
		record := map[string]any{kind + "_id": c.prefix + rapid.SampledFrom([]string{"top", "all", "west"}).Draw(r, "group"), "participant_id": c.person(who.Draw(r, "who")), "starts_on": days.Draw(r, "from"),
			"role": rapid.SampledFrom([]string{"lead", "rep"}).Draw(r, "role"), "share": rapid.SampledFrom([]string{"1", "0.4", "0"}).Draw(r, "share")}
		load(c.t, c.s, kind+"_member", record) // what overlaps is left out
	case "deal":
		n := rapid.IntRange(1, c.deals+2).Draw(r, "deal")
		c.deals = max(c.deals, n)
		record := map[string]any{"source": "crm", "transaction_id": fmt.Sprintf("%s%d", c.prefix, n), "date": days.Draw(r, "on"), "amount": fmt.Sprint(rapid.IntRange(-50, 400).Draw(r, "amount")), "currency": "USD",
			"attributes": map[string]string{"region": rapid.SampledFrom([]string{"west", "east", ""}).Draw(r, "region"), "lapsed_on": rapid.SampledFrom([]string{"", "", "2026-02-03"}).Draw(r, "lapsed")}}
		if of := rapid.IntRange(1, c.deals).Draw(r, "refund of"); of != n && rapid.Bool().Draw(r, "refund") {
			record["refund_of"] = fmt.Sprintf("%s%d", c.prefix, of)
		}
		load(c.t, c.s, "transaction", record) // a refund of a deal that was left out is left out too
	case "credit":
		if c.deals == 0 {
			return
		}
		id := fmt.Sprintf("%s%d", c.prefix, rapid.IntRange(1, c.deals).Draw(r, "deal"))
		if load(c.t, c.s, "credit", map[string]any{"source": "crm", "transaction_id": id, "participant_id": c.person(who.Draw(r, "whose")), "role": "owner", "share": rapid.SampledFrom([]string{"1", "0.5", "0"}).Draw(r, "share")}).Quarantined > 0 {
			return // of a deal that was left out
		}
	case "assignment":
		c.load("assignment", c.assignment(r, who.Draw(r, "who")))
	case "fact":
		c.load("participant", c.fact(r, who.Draw(r, "who"), rapid.SampledFrom([]string{"2026-01-01", "2026-02-05"}).Draw(r, "from")))
	case "quota":
		c.load("quota", map[string]any{"participant_id": c.person(who.Draw(r, "who")), "measure": "sales", "starts_on": "2026-02-01", "ends_on": "2026-02-28", "amount": fmt.Sprint(rapid.IntRange(0, 500).Draw(r, "amount"))})
	case "relief":
		c.load("quota_relief", map[string]any{"participant_id": c.person(who.Draw(r, "who")), "measure": "sales", "starts_on": days.Draw(r, "from"), "ends_on": "2026-04-30", "cause": rapid.SampledFrom([]string{"leave", "account"}).Draw(r, "cause"),
			"share": rapid.SampledFrom([]string{"0", "0.3", "1"}).Draw(r, "share")})
	case "plan":
		c.plan(rapid.IntRange(0, len(changingPlans)-1).Draw(r, "plan"), rapid.IntRange(0, len(changingPlans)-1).Draw(r, "document"))
	}
}

// check compares every estimate with a calculation over everything, by digest.
func (c *changing) check(r *rapid.T) {
	p, err := c.s.PeriodRevision(c.t.Context(), c.calendar+"-1", 0)
	require.NoError(r, err)
	snapshot, err := c.s.Everything(c.t.Context(), p)
	require.NoError(r, err)
	statements, err := calculation.Calculate(c.t.Context(), snapshot)
	require.NoError(r, err)
	calculated, estimated := map[string]string{}, map[string]string{}
	for _, st := range statements {
		calculated[st.ParticipantID] = fmt.Sprintf("%s %x", st.Total().Amount(), st.Digest())
	}
	estimates, err := c.s.Estimates(c.t.Context(), store.WhichEstimates{PeriodID: p.ID}, "", 100)
	require.NoError(r, err)
	for _, e := range estimates {
		require.Empty(r, e.Problem)
		estimated[e.ParticipantID] = fmt.Sprintf("%s %x", e.Total.Amount(), e.Digest)
	}
	require.Equal(r, calculated, estimated)
	upToNow, err := calculation.Calculate(c.t.Context(), calculation.UpTo(snapshot, incentive.DateOf(noon)))
	require.NoError(r, err)
	booked := map[string]int64{}
	for _, st := range upToNow {
		booked[st.ParticipantID] = st.Total().Minor
	}
	for _, e := range estimates {
		require.Equal(r, booked[e.ParticipantID], e.Booked.Minor, "what is booked of %s", e.ParticipantID)
	}
	// Alone, of what theirs depends on, everybody's comes to the same.
	who := c.person(rapid.IntRange(0, everybody-1).Draw(r, "alone"))
	alone, _, err := c.s.WhatIf(c.t.Context(), p, who, nil, incentive.DateOf(noon))
	if calculated[who] == "" {
		require.Equal(r, incentive.CodeNotFound, incentive.ErrorCode(err))
		return
	}
	require.NoError(r, err)
	require.Equal(r, calculated[who], fmt.Sprintf("%s %x", alone.Total.Amount(), alone.Digest))
}

// TestWhoeverMovesTouchesOthers holds rules and contests to everybody whom they concern.
func TestWhoeverMovesTouchesOthers(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("rules", "reads: {transaction: {region: text}, participant: {commission_rate: text}}\ncredits: [{evenly: true, match: {transaction.region: participant.commission_rate}}]\ncomponents: [{name: c, measure: {sum: credits}, rate: 10%}]")
	b.plan("contest", "components: [{name: c, measure: {sum: credits}, ranking: {on: amount, prizes: [100, 50], ties: share}}]")
	for _, id := range []string{"ann", "bob"} {
		b.assign(id, "rules", "2026-01-01")
		b.assign(id, "contest", "2026-01-01")
	}
	orphan := map[string]any{"source": "crm", "transaction_id": "o", "date": "2026-01-05", "amount": "1000", "currency": "USD", "attributes": map[string]string{"region": "0.1"}}
	b.put("transaction", orphan)
	b.open(monthOf(1))
	require.Equal(t, "175.00, booked 175.00", b.estimate(monthOf(1)), "half the deal by each plan, and half of the prizes")
	moved := participant("bob", "boss")
	moved["effective_from"], moved["attributes"] = "2026-01-02", map[string]string{"commission_rate": "0.2"}
	b.put("participant", moved)
	require.Equal(t, "300.00, booked 300.00", b.estimate(monthOf(1)), "the whole deal, and the first prize")
	orphan["attributes"] = map[string]string{"region": "0.2"}
	b.put("transaction", orphan)
	require.Equal(t, "0.00, booked 0.00", b.estimate(monthOf(1)), "now the deal is bob's")
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "o", "participant_id": "ann", "role": "owner", "share": "0.4"})
	require.Equal(t, "180.00, booked 180.00", b.estimate(monthOf(1)), "what its source credits no rule does")
}

// TestTeamsStand sorts estimates by how far people's quotas are reached, each order both ways
// and page by page, and counts who is behind.
func TestTeamsStand(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.plan("goal", "components: [{name: plain, measure: {sum: credits}, rate: 1%}, {name: quota, measure: {sum: credits}, rate_table: {on: attainment, quota: sales, without_quota: nothing, tiers: [{up_to: 100%, rate: 10%}, {rate: 20%}]}}]")
	january := monthOf(1)
	for _, id := range []string{"chief", "fin2"} {
		b.put("participant", participant(id, ""))
	}
	for id, goal := range map[string]string{"bob": "1000", "boss": "3000", "chief": "200", "fin2": ""} {
		b.assign(id, "goal", "2026-01-01")
		b.sell(id, "600")
		if goal != "" {
			b.put("quota", map[string]any{"participant_id": id, "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": goal})
		}
	}
	b.open(january)
	refresh(t, b.Store, noon)
	team := []string{"bob", "boss", "chief", "fin2"}
	of := store.WhichEstimates{PeriodID: january, Visible: team}
	for order, want := range map[string][]string{
		"": team, "attainment": {"boss", "bob", "chief", "fin2"}, "-attainment": {"chief", "bob", "boss", "fin2"},
		"quota": {"chief", "bob", "boss", "fin2"}, "-quota": {"boss", "bob", "chief", "fin2"}, "next": {"bob", "boss", "chief", "fin2"}, "-next": {"boss", "bob", "fin2", "chief"},
		"estimate": {"fin2", "bob", "boss", "chief"}, "-name": {"fin2", "chief", "boss", "bob"},
	} {
		of.Sort = order
		walked := inPages(t, func(after string, limit int) ([]string, error) {
			all, err := b.Estimates(t.Context(), of, after, limit)
			return each(all, func(e store.Estimate) string { return e.ParticipantID }), err
		})
		require.Equal(t, want, walked, "by %s", order)
	}
	for passed, behind := range map[string]int{"0.2": 0, "0.2001": 1, "0.6": 1, "0.61": 2, "1": 2} {
		n, err := b.Standing(t.Context(), of, decimal.RequireFromString(passed))
		require.NoError(t, err)
		require.Equal(t, store.Standing{People: 4, Reached: 1, Behind: behind}, n, "%s passed", passed)
	}
	of.Without = "boss"
	n, err := b.Standing(t.Context(), of, decimal.NewFromInt(1))
	require.NoError(t, err)
	require.Equal(t, store.Standing{People: 3, Reached: 1, Behind: 1}, n)
}
