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
