package web

import (
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// menuItem is a place to go: in the menu, or a tab of a period.
type menuItem struct {
	Key, Path string
	Here      bool
}

// menuGroup is a part of the menu, under a heading.
type menuGroup struct {
	Key   string // of the heading; "" for none
	Items []menuItem
}

// menuEntry is a page in the menu, for those whom it is of use to.
type menuEntry struct {
	key, path string
	shown     func(v *visit) bool
}

// entries is the whole menu, in its order. A new page is entered here and nowhere else;
// its key and that of a new group are texts.
var entries = []struct {
	key     string
	entries []menuEntry
}{
	{"", []menuEntry{
		{"menu.home", "/", everybody},
	}},
	{"menu.own", []menuEntry{
		{"menu.live", "/live", having(incentive.Rep)},
		{"menu.statements", "/statements", having(incentive.Rep)},
		{"menu.pipeline", "/pipeline", onlyReps},
		{"menu.deals", "/deals", onlyReps},
		{"menu.objectives", "/objectives", onlyReps},
		{"menu.payouts", "/payouts", having(incentive.Rep)},
		{"menu.points", "/points", pays(incentive.PointsRail)},
		{"menu.disputes", "/disputes", onlyReps},
		{"menu.plans", "/plans", onlyReps},
	}},
	{"menu.group.team", []menuEntry{
		{"menu.team", "/team", having(incentive.Manager)},
		{"menu.pipeline", "/pipeline", having(incentive.Manager)},
		{"menu.deals", "/deals", func(v *visit) bool {
			return v.may(incentive.ReadStatements) > incentive.None && v.is(incentive.Manager, incentive.Finance)
		}},
		{"menu.objectives", "/objectives", having(incentive.Manager)},
		{"menu.disputes", "/disputes", beyond(incentive.ReadStatements, incentive.Own)},
		{"menu.approvals", "/approvals", may(incentive.DecideApproval)},
	}},
	{"menu.money", []menuEntry{
		{"menu.cockpit", "/cockpit", may(incentive.ReadTotals)},
		{"menu.periods", "/periods", having(incentive.Manager, incentive.Finance, incentive.Administrator, incentive.Auditor)},
		{"menu.exceptions", "/exceptions", may(incentive.ReadTotals)},
		{"menu.bank-accounts", "/bank-accounts", func(v *visit) bool {
			return v.may(incentive.ReadTotals) > incentive.None && slices.Contains(v.railNames(), triesAccounts)
		}},
		{"menu.adjustments", "/adjustments", may(incentive.ReadTotals)},
		{"menu.ledger", "/ledger", may(incentive.ReadTotals)},
		{"menu.reconciliations", "/reconciliations", may(incentive.ReadTotals)},
		{"menu.redemptions", "/redemptions", func(v *visit) bool {
			return v.may(incentive.ReadTotals) > incentive.None && slices.Contains(v.railNames(), incentive.PointsRail)
		}},
		{"menu.exports", "/exports", may(incentive.ReadTotals)},
	}},
	{"menu.company", []menuEntry{
		{"menu.people", "/people", may(incentive.ReadRecords)},
		{"menu.hierarchy", "/hierarchy", may(incentive.ReadRecords)},
		{"menu.territories", "/territories", may(incentive.ReadTerritories)},
		{"menu.plans", "/plans", having(incentive.Manager, incentive.Finance, incentive.Administrator, incentive.Auditor)},
		{"menu.calendars", "/calendars", having(incentive.Finance, incentive.Administrator, incentive.Auditor)},
		{"menu.quotas", "/quotas", may(incentive.ReadRecords)},
		{"menu.reliefs", "/reliefs", may(incentive.ReadReliefs)},
		{"menu.targets", "/targets", may(incentive.ReadTargets)},
		{"menu.imports", "/imports", may(incentive.ReadRecords)},
	}},
	{"menu.group.installation", []menuEntry{
		{"menu.settings", "/settings", may(incentive.ReadRecords)},
		{"menu.rails", "/rails", may(incentive.ReadRails)},
		{"menu.tokens", "/tokens", beyond(incentive.KeepTokens, incentive.Own)},
	}},
	{"menu.group.audit", []menuEntry{
		{"menu.audit", "/audit", may(incentive.ReadAudit)},
		{"menu.duties", "/duties", may(incentive.ReadAudit)},
	}},
}

func everybody(*visit) bool { return true }

// having shows an entry to whoever has one of these roles.
func having(roles ...incentive.Role) func(*visit) bool {
	return func(v *visit) bool { return v.is(roles...) }
}

// pays shows an entry where there is a rail, to those who can be paid.
func pays(rail string) func(*visit) bool {
	return func(v *visit) bool {
		return v.is(incentive.Rep) && slices.Contains(v.railNames(), rail)
	}
}

// onlyReps shows an entry to those who are nothing but reps.
func onlyReps(v *visit) bool {
	return v.is(incentive.Rep) && !v.is(incentive.Manager, incentive.Finance, incentive.Administrator, incentive.Auditor)
}

// may shows an entry to whoever has the right, however far it reaches.
func may(action incentive.Action) func(*visit) bool { return beyond(action, incentive.None) }

// beyond shows an entry to those whose right reaches further than a scope.
func beyond(action incentive.Action, scope incentive.Scope) func(*visit) bool {
	return func(v *visit) bool { return v.may(action) > scope }
}

// menu lists where the visitor may go. Of the pages that are a part of one another, the
// innermost is the one where they are.
func (v *visit) menu() []menuGroup {
	if len(v.me.Roles) == 0 {
		return nil
	}
	var groups []menuGroup
	var here *menuItem
	for _, g := range entries {
		group := menuGroup{Key: g.key}
		for _, e := range g.entries {
			if e.shown(v) {
				group.Items = append(group.Items, menuItem{Key: e.key, Path: e.path})
			}
		}
		if len(group.Items) > 0 {
			groups = append(groups, group)
		}
	}
	for _, group := range groups {
		for i := range group.Items {
			item := &group.Items[i]
			within := v.r.URL.Path == item.Path || item.Path != "/" && strings.HasPrefix(v.r.URL.Path, item.Path+"/")
			if within && (here == nil || len(item.Path) > len(here.Path)) {
				here = item
			}
		}
	}
	if here != nil {
		here.Here = true
	}
	return groups
}
