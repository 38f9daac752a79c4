package plan

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// CreditRule credits people on the plan with transactions that the source credits nobody
// with, by what is true of both on the transaction's date.
type CreditRule struct {
	Role    string
	Matches []Match // all of them
	Where   *Filter // nil: every transaction that matches
	Share   Value   // 1 where the plan says nothing
	Evenly  bool    // the share is divided among all to whom the rule gives it
}

// Match holds where a transaction's attribute says the same as a participant's, and not
// nothing.
type Match struct{ Transaction, Participant string }

// Of returns what a transaction says, for every match, or false where one says nothing.
func (c CreditRule) Of(t *incentive.Transaction) (values []string, all bool) {
	for _, m := range c.Matches {
		values = append(values, transactionText(t, m.Transaction))
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

// transactionText returns a text that a transaction holds.
func transactionText(t *incentive.Transaction, attribute string) string {
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
	r.Mapping(node, "a crediting rule", fields{
		"role": document.Optional(r.Text(&c.Role)),
		"match": document.Needed(func(n *yaml.Node) {
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
	if share != nil {
		c.Share = *share
		if share.Attribute == "" && (!share.Literal.IsPositive() || share.Literal.GreaterThan(decimal.NewFromInt(1))) {
			r.On(node, "a share lies above 0 and is at most 1 (100%%)")
		}
	}
	return c
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

func (c CreditRule) describe() string {
	var matches []string
	for _, m := range c.Matches {
		matches = append(matches, fmt.Sprintf("whose %s is the transaction's %s", m.Participant, m.Transaction))
	}
	text := fmt.Sprintf("%s of a transaction that its source credits nobody with go to everybody on the plan %s", c.Share.describeShare(), strings.Join(matches, " and "))
	if c.Evenly {
		text = fmt.Sprintf("%s of a transaction that its source credits nobody with are divided evenly among everybody on the plan %s", c.Share.describeShare(), strings.Join(matches, " and "))
	}
	if c.Where != nil {
		text += ", where " + c.Where.Text
	}
	return text + "."
}
