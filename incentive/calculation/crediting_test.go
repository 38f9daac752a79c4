package calculation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// crediting is a company whose plan pays 10 % of what its rules credit.
func crediting(rules ...string) *company {
	c := newCompany()
	c.planOf("p", strings.Join(rules, ", "))
	return c
}

// planOf adds or replaces a plan with crediting rules.
func (c *company) planOf(id, rules string) {
	before := c.PlanVersions
	c.plan("credits: ["+rules+"]\n", "{name: c, "+measure+", rate: 10%}", "{name: team, override: {level: 1}, "+measure+", rate: 1%}")
	document := string(c.PlanVersions[0].Document)
	document = strings.Replace(document, "plan: p\n", "plan: "+id+"\n", 1)
	document = strings.Replace(document, "hired_on: text}", "hired_on: text, territory: text}", 1)
	c.PlanVersions[0].PlanID, c.PlanVersions[0].Document = id, []byte(document)
	if id != "p" {
		c.PlanVersions = append(before, c.PlanVersions...)
	}
}

// orphan adds a transaction that its source credits nobody with.
func (c *company) orphan(n int, amount, category string) *company {
	return c.split(n, amount, category)
}

const (
	byOwner     = "{match: {transaction.category: participant.id}}"
	byTerritory = "{role: territory, match: {transaction.category: participant.territory}}"
)

// TestCrediting is who is credited with what.
func TestCrediting(t *testing.T) {
	t.Parallel()
	moved := crediting(byTerritory).person("r1", "", "territory", "west").person("r2", "", "territory", "east").orphan(14, "100", "west").orphan(15, "1000", "west")
	later := moved.Participants[0]
	later.EffectiveFrom, later.Attributes = day("2026-03-15"), map[string]string{"territory": "north"}
	heir := moved.Participants[1]
	heir.EffectiveFrom, heir.Attributes = day("2026-03-15"), map[string]string{"territory": "west"}
	moved.Participants = []incentive.Participant{moved.Participants[0], later, moved.Participants[1], heir}
	joined := crediting(byOwner).person("r1", "").orphan(9, "100", "r1").orphan(10, "1000", "r1")
	joined.Assignments[0].StartsOn = day("2026-03-10")
	overlaid := crediting(byOwner).person("r1", "").person("z", "", "territory", "r1").orphan(1, "100", "r1")
	overlaid.planOf("q", "{role: overlay, share: 25%, match: {transaction.category: participant.territory}}")
	overlaid.Assignments[1].PlanID = "q"
	for name, c := range map[string]struct {
		company *company
		paid    string
		left    []string
	}{
		"the owner":                       {crediting(byOwner).person("r1", "").orphan(1, "100", "r1").orphan(1, "100", "r2").orphan(1, "100", ""), "r1: 10.00 + 0.00", []string{"T0001", "T0002"}},
		"whom the source credits":         {crediting(byOwner).person("r1", "").person("r2", "").deal("r2", 1, "100", "r1"), "r1: 0.00 + 0.00; r2: 10.00 + 0.00", nil},
		"a territory of its date":         {moved, "r1: 10.00 + 0.00; r2: 100.00 + 0.00", nil},
		"who is on the plan that day":     {joined, "r1: 100.00 + 0.00", []string{"T0000"}},
		"a manager's team":                {crediting(byOwner).person("m", "").person("r1", "m").orphan(1, "100", "r1"), "m: 0.00 + 1.00; r1: 10.00 + 0.00", nil},
		"everybody of a territory":        {crediting(byTerritory).person("r1", "", "territory", "west").person("r2", "", "territory", "west").orphan(1, "100", "west"), "r1: 10.00 + 0.00; r2: 10.00 + 0.00", nil},
		"evenly":                          {crediting("{evenly: true, share: 80%, match: {transaction.category: participant.territory}}").person("r1", "", "territory", "west").person("r2", "", "territory", "west").orphan(1, "100", "west"), "r1: 4.00 + 0.00; r2: 4.00 + 0.00", nil},
		"a personal share":                {crediting("{share: participant.rate, match: {transaction.category: participant.id}}").person("r1", "", "rate", "30%").orphan(1, "100", "r1"), "r1: 3.00 + 0.00", nil},
		"where":                           {crediting("{where: transaction.amount > 50, match: {transaction.category: participant.id}}").person("r1", "").orphan(1, "100", "r1").orphan(1, "50", "r1"), "r1: 10.00 + 0.00", []string{"T0001"}},
		"the first rule of a role":        {crediting("{share: 50%, where: transaction.amount > 50, match: {transaction.category: participant.id}}", byOwner).person("r1", "").orphan(1, "100", "r1").orphan(1, "50", "r1"), "r1: 10.00 + 0.00", nil},
		"another role besides":            {crediting(byOwner, "{role: overlay, share: 50%, match: {transaction.category: participant.id}}").person("r1", "").orphan(1, "100", "r1"), "r1: 15.00 + 0.00", nil},
		"an overlay on a plan of its own": {overlaid, "r1: 10.00 + 0.00; z: 2.50 + 0.00", nil},
		"two matches":                     {crediting("{match: {transaction.category: participant.id, transaction.source: participant.territory}}").person("r1", "", "territory", "crm").person("r2", "", "territory", "web").orphan(1, "100", "r1").orphan(1, "100", "r2"), "r1: 10.00 + 0.00; r2: 0.00 + 0.00", []string{"T0001"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.paid, c.company.paid(t))
			uncredited, err := Uncredited(c.company.Snapshot)
			require.NoError(t, err)
			var left []string
			for _, one := range uncredited {
				left = append(left, one.ID)
			}
			require.Equal(t, c.left, left)
		})
	}
	c := crediting("{share: participant.rate, match: {transaction.category: participant.id}}").person("r1", "").orphan(1, "100", "r1")
	_, err := Calculate(t.Context(), c.Snapshot)
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	require.ErrorContains(t, err, `participant r1 (as of 2026-03-01) has no "rate"`)
}

// TestCreditsAddUp holds for any team: what is divided evenly comes to the whole, and
// nothing is both credited and left.
func TestCreditsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := crediting("{evenly: true, match: {transaction.category: participant.territory}}")
		team := map[string]int{}
		for n := range rapid.IntRange(1, 7).Draw(t, "people") {
			territory := rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "territory")
			c.person(fmt.Sprintf("r%d", n), "", "territory", territory)
			team[territory]++
		}
		sold, left := decimal.Zero, 0
		for range rapid.IntRange(0, 9).Draw(t, "deals") {
			category := rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "category")
			amount := decimal.New(rapid.Int64Range(1, 99_999).Draw(t, "amount"), -2)
			c.orphan(1, amount.String(), category)
			if category != "" && team[category] > 0 {
				sold = sold.Add(amount)
			} else {
				left++
			}
		}
		paid := decimal.Zero
		for _, s := range c.statements(t) {
			paid = paid.Add(s.Lines[0].Unrounded)
		}
		require.True(t, paid.Sub(sold.Shift(-1)).Abs().LessThan(decimal.New(1, -20)))
		uncredited, err := Uncredited(c.Snapshot)
		require.NoError(t, err)
		require.Len(t, uncredited, left)
	})
}

// inTerritory adds a territory that covers a category, below a parent.
func (c *company) inTerritory(id, parent, category string) *company {
	g := incentive.Group{GroupKey: incentive.GroupKey{Kind: incentive.KindTerritory, ID: id}, EffectiveFrom: day("2026-01-01"), Name: id, ParentID: parent, Covers: map[string]string{}, Version: 1}
	if category != "" {
		g.Covers["category"] = category
	}
	c.Groups = append(c.Groups, g)
	return c
}

func (c *company) member(id, participant, role, share, from, to string) *company {
	m := incentive.Membership{Group: incentive.GroupKey{Kind: incentive.KindTerritory, ID: id}, ParticipantID: participant, Role: role, Share: decimal.RequireFromString(share), StartsOn: day(from), Version: 1}
	if to != "" {
		m.EndsOn = day(to)
	}
	c.Memberships = append(c.Memberships, m)
	return c
}

// TestCreditingByTerritory credits the members, on each transaction's date, of the territory
// that covers it or stands above it, and says why nobody is credited.
func TestCreditingByTerritory(t *testing.T) {
	t.Parallel()
	base := func(rules ...string) *company {
		return crediting(rules...).person("r1", "").person("r2", "").inTerritory("us", "", "").inTerritory("west", "us", "west; pacific*").inTerritory("bay", "west", "west; pacific-bay")
	}
	const members = "{territory: {members: all}}"
	for name, c := range map[string]struct {
		company *company
		paid    string
		left    []string
	}{
		"by share":       {base(members).member("west", "r1", "rep", "0.6", "2026-01-01", "").member("west", "r2", "rep", "0.4", "2026-01-01", "").orphan(1, "100", "pacific-north"), "r1: 6.00 + 0.00; r2: 4.00 + 0.00", nil},
		"evenly":         {base("{evenly: true, territory: {members: all}}").member("west", "r1", "rep", "0.6", "2026-01-01", "").member("west", "r2", "rep", "0.4", "2026-01-01", "").orphan(1, "100", "pacific-north"), "r1: 5.00 + 0.00; r2: 5.00 + 0.00", nil},
		"of a role":      {base("{territory: {members: lead}}").member("west", "r1", "lead", "1", "2026-01-01", "").member("west", "r2", "rep", "1", "2026-01-01", "").orphan(1, "100", "pacific"), "r1: 10.00 + 0.00; r2: 0.00 + 0.00", nil},
		"of its date":    {base(members).member("west", "r1", "rep", "1", "2026-01-01", "2026-03-09").member("west", "r2", "rep", "1", "2026-03-10", "").orphan(9, "100", "pacific").orphan(10, "1000", "pacific"), "r1: 10.00 + 0.00; r2: 100.00 + 0.00", nil},
		"the one below":  {base(members).member("bay", "r1", "rep", "1", "2026-01-01", "").member("west", "r2", "rep", "1", "2026-01-01", "").orphan(1, "100", "west"), "r1: 10.00 + 0.00; r2: 0.00 + 0.00", nil},
		"the one above":  {base("{territory: {members: all, above: 1}}").member("us", "r1", "rep", "1", "2026-01-01", "").member("west", "r2", "rep", "1", "2026-01-01", "").orphan(1, "100", "west").orphan(1, "10", "pacific"), "r1: 1.00 + 0.00; r2: 10.00 + 0.00", nil},
		"all above":      {base("{share: 10%, territory: {members: all, above: all}}").member("us", "r1", "rep", "1", "2026-01-01", "").member("west", "r2", "rep", "1", "2026-01-01", "").orphan(1, "100", "west"), "r1: 1.00 + 0.00; r2: 1.00 + 0.00", nil},
		"nothing covers": {base(members).member("west", "r1", "rep", "1", "2026-01-01", "").orphan(1, "100", "east"), "r1: 0.00 + 0.00; r2: 0.00 + 0.00", []string{"T0000 no-group "}},
		"no member":      {base(members).member("west", "r1", "rep", "1", "2026-03-05", "").orphan(1, "100", "pacific"), "r1: 0.00 + 0.00; r2: 0.00 + 0.00", []string{"T0000 no-member territory west"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.paid, c.company.paid(t))
			uncredited, err := Uncredited(c.company.Snapshot)
			require.NoError(t, err)
			var left []string
			for _, one := range uncredited {
				left = append(left, one.ID+" "+one.Reason+" "+one.Group)
			}
			require.Equal(t, c.left, left)
		})
	}
	circle := crediting(members).person("r1", "").inTerritory("a", "b", "x").inTerritory("b", "a", "").orphan(1, "1", "x")
	_, err := Calculate(t.Context(), circle.Snapshot)
	require.Equal(t, CodeHierarchyCircle, incentive.ErrorCode(err))
}

// TestMembershipSharesAddUp holds for any shares that add up to the whole: what the members
// are credited with is what was sold, whatever the order of the records.
func TestMembershipSharesAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := crediting("{territory: {members: all}}").inTerritory("west", "", "west")
		left := decimal.NewFromInt(1)
		people := rapid.IntRange(1, 6).Draw(t, "people")
		for n := range people {
			id := fmt.Sprintf("r%d", n)
			share := left
			if n < people-1 {
				share = left.Mul(decimal.New(rapid.Int64Range(0, 1000).Draw(t, "share"), -3))
			}
			left = left.Sub(share)
			c.person(id, "").member("west", id, "rep", share.String(), "2026-01-01", "")
		}
		sold := decimal.Zero
		for range rapid.IntRange(1, 5).Draw(t, "deals") {
			amount := decimal.New(rapid.Int64Range(1, 99_999).Draw(t, "amount"), -2)
			c.orphan(1, amount.String(), "west")
			sold = sold.Add(amount)
		}
		sum := func() decimal.Decimal {
			paid := decimal.Zero
			for _, s := range c.statements(t) {
				paid = paid.Add(s.Lines[0].Unrounded)
			}
			return paid
		}
		require.True(t, sum().Equal(sold.Shift(-1)))
		before := c.paid(t)
		for i := len(c.Memberships) - 1; i > 0; i-- {
			j := rapid.IntRange(0, i).Draw(t, "order")
			c.Memberships[i], c.Memberships[j] = c.Memberships[j], c.Memberships[i]
		}
		require.Equal(t, before, c.paid(t))
	})
}
