package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

// CreditRule credits people on the plan with transactions that the source credits nobody
// with, by what is true of both on the transaction's date.
type CreditRule struct {
	Role    string
	Matches []Match // all of them; none where a territory or team says who it is
	Group   *GroupRule
	Where   *Filter // nil: every transaction that matches
	Share   Value   // 1 where the plan says nothing
	Evenly  bool    // the share is divided among all to whom the rule gives it
}

// GroupRule credits the members of the territories or teams that cover a transaction on its
// date: of those only that nothing below them covers it in their place.
type GroupRule struct {
	Kind     incentive.GroupKind
	Members  string // the role that they have there; "" is everybody
	Above    int    // of the group that stands so many levels above; 0: of itself
	AllAbove bool   // of every group above
}

// Takes reports whether a rule credits members of a role.
func (g GroupRule) Takes(m incentive.Membership) bool { return g.Members == "" || g.Members == m.Role }

// Match holds where a transaction's attribute says the same as a participant's, and not
// nothing.
type Match struct{ Transaction, Participant string }

// Of returns what a transaction says, for every match, or false where one says nothing.
func (c CreditRule) Of(t *incentive.Transaction) (values []string, all bool) {
	for _, m := range c.Matches {
		values = append(values, TransactionText(t, m.Transaction))
	}
	return values, complete(values)
}

// OfParticipant returns what is true of a participant, likewise.
func (c CreditRule) OfParticipant(p incentive.Participant) (values []string, all bool) {
	for _, m := range c.Matches {
		switch m.Participant {
		case "id":
			values = append(values, p.ID)
		case "kind":
			values = append(values, string(p.Kind))
		case "country":
			values = append(values, p.Country)
		default:
			values = append(values, p.Attributes[m.Participant])
		}
	}
	return values, complete(values)
}

func complete(values []string) bool {
	for _, v := range values {
		if v == "" {
			return false
		}
	}
	return true
}

// TransactionText returns a text that a transaction holds; "" where it says nothing.
func TransactionText(t *incentive.Transaction, attribute string) string {
	switch attribute {
	case "source":
		return t.Source
	case "id":
		return t.ID
	case "date":
		return t.Date.String()
	case "currency":
		return string(t.Currency)
	}
	return t.Attributes[attribute]
}

func (r *reader) creditRule(node *yaml.Node) CreditRule {
	c := CreditRule{Role: "owner", Share: Value{Literal: decimal.NewFromInt(1)}}
	var share *Value
	matches := false
	r.Mapping(node, "a crediting rule", fields{
		"role":      document.Optional(r.Text(&c.Role)),
		"territory": document.Optional(r.groupRule(incentive.KindTerritory, &c.Group)),
		"team":      document.Optional(r.groupRule(incentive.KindTeam, &c.Group)),
		"match": document.Optional(func(n *yaml.Node) {
			matches = true
			known := fields{}
			for name, of := range merged(builtinTransaction, r.reads.Transaction) {
				if of == Text {
					known["transaction."+name] = document.Optional(func(value *yaml.Node) {
						who, found := strings.CutPrefix(value.Value, "participant.")
						if !found || merged(builtinParticipant, r.reads.Participant)[who] != Text {
							r.On(value, "name an attribute of the participant that is a text, such as participant.id, and declare it under \"reads\"")
						}
						c.Matches = append(c.Matches, Match{name, who})
					})
				}
			}
			if r.Mapping(n, "\"match\"", known) && len(n.Content) == 0 {
				r.On(n, "a rule matches at least one attribute, as in match: {transaction.owner: participant.id}")
			}
		}),
		"where":  document.Optional(r.filter(&c.Where)),
		"share":  document.Optional(r.value(&share)),
		"evenly": document.Optional(r.Yes(&c.Evenly)),
	})
	if (c.Group == nil) != matches {
		r.On(node, "a crediting rule says whom it credits by one of match, territory and team, as in match: {transaction.owner: participant.id} or territory: {members: all}")
	}
	if share != nil {
		c.Share = *share
		if share.Attribute == "" && (!share.Literal.IsPositive() || share.Literal.GreaterThan(decimal.NewFromInt(1))) {
			r.On(node, "a share lies above 0 and is at most 1 (100%%)")
		}
	}
	return c
}

// groupRule reads whom a territory or team credits.
func (r *reader) groupRule(kind incentive.GroupKind, into **GroupRule) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if *into != nil {
			r.On(node, "a crediting rule is of a territory or of a team: write two rules")
		}
		g := &GroupRule{Kind: kind}
		*into = g
		r.Mapping(node, fmt.Sprintf("%q", kind), fields{
			"members": document.Needed(func(n *yaml.Node) {
				if r.Text(&g.Members)(n); g.Members == "all" {
					g.Members = ""
				}
			}),
			"above": document.Optional(func(n *yaml.Node) {
				if g.AllAbove = n.Value == "all"; g.AllAbove {
					return
				}
				level, err := strconv.Atoi(n.Value)
				if err != nil || level < 1 || level > 20 {
					r.On(n, "%q is not how many levels above: write 1 for the parent, up to 20, or all", n.Value)
				}
				g.Above = level
			}),
		})
	}
}

func merged(all ...map[string]Type) map[string]Type {
	m := map[string]Type{}
	for _, types := range all {
		for name, of := range types {
			m[name] = of
		}
	}
	return m
}

func (c CreditRule) describe(l language.Language) string {
	var matches []string
	for _, m := range c.Matches {
		matches = append(matches, l.Sprintf("whose %s is the transaction's %s", m.Participant, m.Transaction))
	}
	text := l.Sprintf("%s of a transaction that its source credits nobody with go to everybody on the plan %s", c.Share.describeShare(l), strings.Join(matches, l.Word(" and ")))
	if c.Group != nil {
		text = c.describeGroup(l)
	} else if c.Evenly {
		text = l.Sprintf("%s of a transaction that its source credits nobody with are divided evenly among everybody on the plan %s", c.Share.describeShare(l), strings.Join(matches, l.Word(" and ")))
	}
	if c.Where != nil {
		text += l.Sprintf(", where %s", c.Where.describe(l))
	}
	return text + "."
}

func (c CreditRule) describeGroup(l language.Language) string {
	who := l.Word("the members")
	if c.Group.Members != "" {
		who = l.Sprintf("the members with the role %s", c.Group.Members)
	}
	kind := l.Word(string(c.Group.Kind))
	of := l.Sprintf("the %s that covers it on its date", kind)
	switch {
	case c.Group.AllAbove:
		of = l.Sprintf("every %s above the one that covers it on its date", kind)
	case c.Group.Above == 1:
		of = l.Sprintf("the %s right above the one that covers it on its date", kind)
	case c.Group.Above > 1:
		of = l.Sprintf("the %s %d levels above the one that covers it on its date", kind, c.Group.Above)
	}
	text := l.Sprintf("%s of a transaction that its source credits nobody with go to %s of %s who are on the plan, to each by the share of their membership", c.Share.describeShare(l), who, of)
	if c.Evenly {
		text = l.Sprintf("%s of a transaction that its source credits nobody with are divided evenly among %s of %s who are on the plan", c.Share.describeShare(l), who, of)
	}
	return text
}

// AsksForGroups reports whether a plan depends on territories or teams.
func (p *Plan) AsksForGroups() bool {
	for _, c := range p.Credits {
		if c.Group != nil {
			return true
		}
	}
	for _, q := range p.Quotas {
		if q.Of != "" {
			return true
		}
	}
	return false
}
