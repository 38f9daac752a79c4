package calculation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// creditRule is a plan's crediting rule with everybody whom it may credit.
type creditRule struct {
	plan.CreditRule
	plan *plan.Plan
	// of lists, for each combination of what is matched, whoever it was ever true of.
	of map[string][]string
}

// creditRules arranges the rules of all plans by what they match, so that a transaction
// looks only at those it may belong to.
func (f *facts) creditRules(snapshot incentive.Snapshot, plans map[string]versionInForce) []creditRule {
	var rules []creditRule
	for _, id := range slices.Sorted(maps.Keys(plans)) {
		for _, rule := range plans[id].Credits {
			one := creditRule{rule, plans[id].Plan, map[string][]string{}}
			for _, a := range snapshot.Assignments { // by participant
				if a.PlanID != id {
					continue
				}
				if rule.Group != nil {
					for _, m := range f.groups.of[a.ParticipantID] {
						if known := one.of[m.Group.ID]; m.Group.Kind == rule.Group.Kind && rule.Group.Takes(m) && !slices.Contains(known, m.ParticipantID) {
							one.of[m.Group.ID] = append(known, m.ParticipantID)
						}
					}
					continue
				}
				for _, p := range f.people[a.ParticipantID] {
					if values, all := rule.OfParticipant(p); all {
						key := strings.Join(values, "\x00")
						if known := one.of[key]; len(known) == 0 || known[len(known)-1] != p.ID {
							one.of[key] = append(known, p.ID)
						}
					}
				}
			}
			rules = append(rules, one)
		}
	}
	return rules
}

// credit gives the credits of a transaction that its source credits nobody with, by
// participant and role. Of the rules that give a participant the same role the first does.
func (f *facts) credit(rules []creditRule, t *incentive.Transaction, assignments map[string][]incentive.Assignment) ([]*incentive.Credit, error) {
	var given []*incentive.Credit
	for _, rule := range rules {
		keys, err := f.keysOf(rule, t)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			var byRule []*incentive.Credit
			for _, id := range rule.of[key] {
				c, err := f.creditBy(rule, key, id, t, assignments[id])
				if err != nil {
					return nil, err
				}
				if c != nil {
					byRule = append(byRule, c)
				}
			}
			for _, c := range byRule {
				if rule.Evenly {
					c.Share = incentive.Ratio{Numerator: c.Share, Denominator: decimal.NewFromInt(int64(len(byRule)))}.Decimal()
				}
				if !slices.ContainsFunc(given, func(o *incentive.Credit) bool { return o.ParticipantID == c.ParticipantID && o.Role == c.Role }) {
					given = append(given, c)
				}
			}
		}
	}
	slices.SortFunc(given, func(a, b *incentive.Credit) int {
		return cmp.Or(strings.Compare(a.ParticipantID, b.ParticipantID), strings.Compare(a.Role, b.Role))
	})
	return given, nil
}

// keysOf returns under what a rule lists those whom it may credit with a transaction: the
// territories or teams, or what is matched.
func (f *facts) keysOf(rule creditRule, t *incentive.Transaction) ([]string, error) {
	if rule.Group != nil {
		return f.groups.creditedGroups(rule.Group, t)
	}
	values, all := rule.Of(t)
	if !all {
		return nil, nil
	}
	return []string{strings.Join(values, "\x00")}, nil
}

// creditBy gives one participant's credit by a rule, or nil where it does not apply on the
// transaction's date.
func (f *facts) creditBy(rule creditRule, key, id string, t *incentive.Transaction, assignments []incentive.Assignment) (*incentive.Credit, error) {
	who, known := f.participantOn(id, t.Date)
	onPlan := slices.ContainsFunc(assignments, func(a incentive.Assignment) bool { return a.PlanID == rule.plan.ID && a.Holds(t.Date) })
	if !known || !onPlan {
		return nil, nil
	}
	member := one
	if rule.Group != nil {
		m, is := f.groups.memberOn(rule.Group, key, id, t.Date)
		if !is {
			return nil, nil
		}
		if !rule.Evenly {
			member = m.Share
		}
	} else if values, all := rule.OfParticipant(who); !all || strings.Join(values, "\x00") != key {
		return nil, nil
	}
	share := rule.Share.Literal
	if rule.Share.Attribute != "" {
		var err error
		if share, err = plan.AttributeNumber(who.Attributes, rule.Share.Attribute, func() string { return fmt.Sprintf("participant %s (as of %s)", id, t.Date) }); err != nil {
			return nil, err
		}
	}
	if share = share.Mul(member); share.IsZero() {
		return nil, nil
	}
	c := &incentive.Credit{Transaction: t.TransactionKey, ParticipantID: id, Role: rule.Role, Share: share}
	takes, err := rule.Where.Takes(plan.Subject{Transaction: t, Credit: c, Participant: &who, Credited: t.Amount.Mul(share)})
	if err != nil || !takes {
		return nil, err
	}
	return c, nil
}

// Uncredited lists the transactions of the period that neither their source nor a rule of
// a plan in force credits anybody with, in the snapshot's order, each with the reason.
func Uncredited(snapshot incentive.Snapshot) ([]Uncreditable, error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	f, err := arrange(snapshot, plans)
	if err != nil {
		return nil, err
	}
	rules := f.creditRules(snapshot, plans)
	all := make([]Uncreditable, len(f.uncredited))
	for i := range f.uncredited {
		if all[i], err = f.whyUncredited(rules, &f.uncredited[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
