package plan

import (
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

// Ranking pays prizes to those whose measure is the highest among everybody on the plan.
type Ranking struct {
	Target
	Prizes  []decimal.Decimal // of the first place, the second, and so on
	Ties    Ties
	AtLeast *decimal.Decimal // what qualifies; nil: anything above nothing
	Budget  *decimal.Decimal // the most that everybody together wins; nil: no limit
}

// Ties says who wins where several come to the same.
type Ties string

// What may happen. There is no default, as every contest must say it.
const (
	TiesShare    Ties = "share"    // the prizes of the places that they take are divided
	TiesAll      Ties = "all"      // each wins the prize of the best of these places
	TiesEarliest Ties = "earliest" // whoever came to it first goes first
)

// Pool is an amount that everybody on the plan shares by what they measure.
type Pool struct {
	Amount  decimal.Decimal
	AtLeast *decimal.Decimal // what qualifies; nil: anything above nothing
}

func (r *reader) optional(into **decimal.Decimal) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = &decimal.Decimal{}
		r.Number(*into)(n)
	}
}

func (r *reader) positive(into *decimal.Decimal) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = decimal.NewFromInt(1) // what a text that is no number leaves
		r.Number(into)(n)
		if !into.IsPositive() {
			r.On(n, "write an amount above zero")
		}
	}
}

func (r *reader) ranking(node *yaml.Node) *Ranking {
	c := &Ranking{}
	known := r.target(&c.Target)
	known["prizes"] = document.Needed(func(n *yaml.Node) {
		r.Each(n, "\"prizes\"", func(item *yaml.Node) {
			var prize decimal.Decimal
			r.positive(&prize)(item)
			if n := len(c.Prizes); n > 0 && prize.GreaterThan(c.Prizes[n-1]) {
				r.On(item, "the prizes do not rise: the first is that of the first place")
			}
			c.Prizes = append(c.Prizes, prize)
		})
	})
	known["ties"] = document.Needed(document.Choice(&r.Reader, &c.Ties, TiesShare, TiesAll, TiesEarliest))
	known["at_least"] = document.Optional(r.optional(&c.AtLeast))
	known["budget"] = document.Optional(func(n *yaml.Node) {
		c.Budget = &decimal.Decimal{}
		r.positive(c.Budget)(n)
	})
	if r.Mapping(node, "a ranking", known) {
		r.checkTarget(node, c.Target)
	}
	return c
}

func (r *reader) pool(node *yaml.Node) *Pool {
	p := &Pool{}
	r.Mapping(node, "a pool", fields{"amount": document.Needed(r.positive(&p.Amount)), "at_least": document.Optional(r.optional(&p.AtLeast))})
	return p
}

func (c Ranking) describe(l language.Language, say func(string, ...any), measure string) {
	var prizes []string
	for i, prize := range c.Prizes {
		prizes = append(prizes, l.Sprintf("place %d wins %s", i+1, l.Number(prize.String())))
	}
	say("ranks everybody on the plan by %s: %s.", c.Target.describe(l, measure), strings.Join(prizes, ", "))
	switch c.Ties {
	case TiesShare:
		say("Who come to the same divide the prizes of the places that they take.")
	case TiesAll:
		say("Who come to the same all win the prize of the best of their places.")
	case TiesEarliest:
		say("Of those who come to the same, whoever came to it first goes first.")
	}
	sayLeast(l, say, c.AtLeast, c.On == Attainment)
	if c.Budget != nil {
		say("Where the prizes come to more than %s, all of them are cut in proportion.", l.Number(c.Budget.String()))
	}
}

func (p Pool) describe(l language.Language, say func(string, ...any), measure string) {
	say("shares %s among everybody on the plan by %s.", l.Number(p.Amount.String()), measure)
	sayLeast(l, say, p.AtLeast, false)
}

func sayLeast(l language.Language, say func(string, ...any), least *decimal.Decimal, shares bool) {
	if least == nil {
		say("Whoever has nothing wins nothing.")
		return
	}
	say("It takes at least %s to qualify.", share(l, *least, shares))
}
