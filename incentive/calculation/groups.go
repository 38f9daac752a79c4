package calculation

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// groups is the territories and teams of a snapshot arranged for looking things up.
type groups struct {
	facts   map[incentive.GroupKey][]incentive.Group      // each by date of effect
	members map[incentive.GroupKey][]incentive.Membership // by participant and first day
	of      map[string][]incentive.Membership             // by participant
	quotas  map[incentive.GroupKey][]incentive.GroupQuota
	covers  map[incentive.GroupKind][]coverage
}

// coverage is all that groups of a kind cover by the same attributes, by a value of the first
// of them, so that a transaction looks only at those that it may belong to.
type coverage struct {
	attributes []string
	groups     map[string][]string // ids, by value as it is written
}

func arrangeGroups(snapshot incentive.Snapshot) groups {
	g := groups{
		facts: map[incentive.GroupKey][]incentive.Group{}, members: map[incentive.GroupKey][]incentive.Membership{}, of: map[string][]incentive.Membership{},
		quotas: map[incentive.GroupKey][]incentive.GroupQuota{}, covers: map[incentive.GroupKind][]coverage{},
	}
	for _, m := range snapshot.Memberships {
		g.members[m.Group] = append(g.members[m.Group], m)
		g.of[m.ParticipantID] = append(g.of[m.ParticipantID], m)
	}
	for _, q := range snapshot.GroupQuotas {
		g.quotas[q.Group] = append(g.quotas[q.Group], q)
	}
	for _, one := range snapshot.Groups {
		g.facts[one.GroupKey] = append(g.facts[one.GroupKey], one)
		if len(one.Covers) == 0 {
			continue
		}
		attributes := slices.Sorted(maps.Keys(one.Covers))
		all := g.covers[one.Kind]
		at := slices.IndexFunc(all, func(c coverage) bool { return slices.Equal(c.attributes, attributes) })
		if at < 0 {
			at = len(all)
			all = append(all, coverage{attributes, map[string][]string{}})
			g.covers[one.Kind] = all
		}
		for _, value := range incentive.CoveredValues(one.Covers[attributes[0]]) {
			if ids := all[at].groups[value]; !slices.Contains(ids, one.ID) {
				all[at].groups[value] = append(ids, one.ID)
			}
		}
	}
	return g
}

// on returns what is true of a group on a day, or false where it is not there.
func (g groups) on(key incentive.GroupKey, day incentive.Date) (now incentive.Group, there bool) {
	for _, one := range g.facts[key] {
		if !one.EffectiveFrom.After(day) {
			now, there = one, true
		}
	}
	return now, there && (now.Until.IsZero() || !day.After(now.Until))
}

// covering returns the groups of a kind that cover a transaction on its date and have nobody
// below them who does, sorted.
func (g groups) covering(kind incentive.GroupKind, t *incentive.Transaction) ([]string, error) {
	var ids []string
	for _, c := range g.covers[kind] {
		text := plan.TransactionText(t, c.attributes[0])
		candidates := slices.Clone(c.groups[text])
		for end := len(text); end >= 0 && text != ""; end-- {
			candidates = append(candidates, c.groups[text[:end]+"*"]...)
		}
		for _, id := range candidates {
			now, there := g.on(incentive.GroupKey{Kind: kind, ID: id}, t.Date)
			if !there || len(now.Covers) == 0 || slices.Contains(ids, id) {
				continue
			}
			covered := true
			for name, values := range now.Covers {
				covered = covered && incentive.Covered(incentive.CoveredValues(values), plan.TransactionText(t, name))
			}
			if covered {
				ids = append(ids, id)
			}
		}
	}
	above := map[string]bool{}
	for _, id := range ids {
		chain, err := g.above(incentive.GroupKey{Kind: kind, ID: id}, t.Date)
		if err != nil {
			return nil, err
		}
		for _, parent := range chain {
			above[parent] = true
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return above[id] })
	slices.Sort(ids)
	return ids, nil
}

// above returns the groups above one on a day, the nearest first.
func (g groups) above(key incentive.GroupKey, day incentive.Date) (chain []string, err error) {
	for at := key; ; {
		now, there := g.on(at, day)
		if !there || now.ParentID == "" {
			return chain, nil
		}
		if now.ParentID == key.ID || slices.Contains(chain, now.ParentID) {
			return nil, incentive.Errorf(CodeHierarchyCircle, "on %s what stands above %s goes in a circle at %s: correct the parents", day, key, now.ParentID)
		}
		chain = append(chain, now.ParentID)
		at.ID = now.ParentID
	}
}

// creditedGroups returns the groups whose members a rule credits with a transaction, in order
// and each once.
func (g groups) creditedGroups(rule *plan.GroupRule, t *incentive.Transaction) (ids []string, err error) {
	covering, err := g.covering(rule.Kind, t)
	if err != nil || rule.Above == 0 && !rule.AllAbove {
		return covering, err
	}
	for _, id := range covering {
		chain, err := g.above(incentive.GroupKey{Kind: rule.Kind, ID: id}, t.Date)
		if err != nil {
			return nil, err
		}
		if !rule.AllAbove {
			chain = chain[min(len(chain), rule.Above-1):min(len(chain), rule.Above)]
		}
		for _, parent := range chain {
			if !slices.Contains(ids, parent) {
				ids = append(ids, parent)
			}
		}
	}
	return ids, nil
}

// memberOn returns somebody's membership of a group on a day that a rule takes.
func (g groups) memberOn(rule *plan.GroupRule, id, participantID string, day incentive.Date) (incentive.Membership, bool) {
	for _, m := range g.of[participantID] {
		if m.Group == (incentive.GroupKey{Kind: rule.Kind, ID: id}) && m.Holds(day) && rule.Takes(m) {
			return m, true
		}
	}
	return incentive.Membership{}, false
}

// memberQuota is a quota with the days on which it is somebody's.
type memberQuota struct {
	incentive.Quota
	stretches []incentive.Assignment
}

// quotasOf returns the quotas that count for the participant by a plan's rule: their own, or
// those of the territories or teams that they are members of, on the days on which they are
// members and on the plan.
func (c *computation) quotasOf(measure string, rule plan.QuotaRule) (all []memberQuota) {
	if rule.Of == "" {
		for _, q := range c.quotas[c.participant.ID] {
			if q.Measure == measure {
				all = append(all, memberQuota{q, c.stretches})
			}
		}
		return all
	}
	for _, m := range c.groups.of[c.participant.ID] {
		if m.Group.Kind != rule.Of {
			continue
		}
		for _, q := range c.groups.quotas[m.Group] {
			if q.Measure != measure || m.StartsOn.After(q.EndsOn) || !m.EndsOn.IsZero() && m.EndsOn.Before(q.StartsOn) {
				continue
			}
			one := memberQuota{Quota: incentive.Quota{
				ParticipantID: c.participant.ID,
				Measure:       measure + " of " + m.Group.String(),
				StartsOn:      q.StartsOn,
				EndsOn:        q.EndsOn,
				Amount:        q.Amount,
				Version:       q.Version,
			}}
			if rule.ByShare {
				one.Amount = one.Amount.Mul(m.Share)
			}
			for _, a := range c.stretches {
				a.StartsOn, a.EndsOn = latest(a.StartsOn, m.StartsOn), firstEnd(a.EndsOn, m.EndsOn)
				if a.EndsOn.IsZero() || !a.EndsOn.Before(a.StartsOn) {
					one.stretches = append(one.stretches, a)
				}
			}
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b memberQuota) int {
		return cmp.Or(strings.Compare(a.Measure, b.Measure), a.StartsOn.Compare(b.StartsOn))
	})
	return all
}

// firstEnd returns the earlier of two last days, of which a zero one has no end.
func firstEnd(a, b incentive.Date) incentive.Date {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	return earliest(a, b)
}

// Uncreditable is a transaction that nobody is credited with, and why.
type Uncreditable struct {
	incentive.Transaction
	Reason string // one of the Uncredited reasons
	Group  string // the territory or team that covers it, where there is one
}

// Why nobody is credited with a transaction.
const (
	UncreditedNoRule   = "no-rule"   // no plan in force has a rule that could take it
	UncreditedNoMatch  = "no-match"  // no rule's attributes or filter take it
	UncreditedNoGroup  = "no-group"  // no territory or team covers it on its date
	UncreditedNoMember = "no-member" // something covers it, and has no member there whom a rule credits: of the role, and on the plan that day
)

// whyUncredited says why no rule credits anybody with a transaction.
func (f *facts) whyUncredited(rules []creditRule, t *incentive.Transaction) (Uncreditable, error) {
	why := Uncreditable{Transaction: *t, Reason: UncreditedNoRule}
	rank := map[string]int{UncreditedNoRule: 0, UncreditedNoGroup: 1, UncreditedNoMatch: 2, UncreditedNoMember: 3}
	for _, rule := range rules {
		reason, group := UncreditedNoMatch, ""
		if rule.Group != nil {
			covering, err := f.groups.covering(rule.Group.Kind, t)
			if err != nil {
				return why, err
			}
			reason = UncreditedNoGroup
			if len(covering) > 0 {
				reason, group = UncreditedNoMember, incentive.GroupKey{Kind: rule.Group.Kind, ID: covering[0]}.String()
			}
		}
		if rank[reason] > rank[why.Reason] {
			why.Reason, why.Group = reason, group
		}
	}
	return why, nil
}
