package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// compared is what is said of everything that may differ between two versions of a plan: what it
// pays, and the examples that it is held to.
func (p *Plan) compared(l language.Language) []paragraph {
	all, met := p.paragraphs(l), map[string]int{}
	for _, e := range p.Examples {
		title := l.Sprintf("Example %s", e.Name)
		if met[e.Name]++; met[e.Name] > 1 {
			title += fmt.Sprintf(" (%d)", met[e.Name])
		}
		all = append(all, paragraph{part{false, title}, e.describe(l)})
	}
	return all
}

func (e Example) describe(l language.Language) string {
	var sentences []string
	say := func(format string, arguments ...any) { sentences = append(sentences, l.Sprintf(format, arguments...)) }
	number := func(d decimal.Decimal) string { return l.Number(d.String()) }
	if len(e.Participant) > 0 {
		say("The participant has %s.", named(e.Participant, func(text string) string { return text }))
	}
	if len(e.Quotas) > 0 {
		say("Quotas: %s.", named(e.Quotas, func(g Goal) string {
			if g.Months == 1 {
				return number(g.Amount)
			}
			return l.Sprintf("%s over %d months", number(g.Amount), g.Months)
		}))
	}
	for _, r := range e.Reliefs {
		how := ""
		if r.Share != nil {
			how = percent(l, *r.Share)
		} else {
			how = number(*r.Amount)
		}
		say("%s of quota %s is relieved from %s to %s (%s).", how, r.Quota, l.Date(r.From), l.Date(r.To), l.Word(string(r.Cause)))
	}
	for _, g := range e.Groups {
		sentences = append(sentences, g.describe(l))
	}
	if len(e.Rates) > 0 {
		say("Exchange rates: %s.", named(e.Rates, number))
	}
	for _, o := range e.Objectives {
		if o.Score == nil {
			say("Objective %s weighs %s and has no score.", o.Name, percent(l, o.Weight))
		} else {
			say("Objective %s weighs %s and is scored %s.", o.Name, percent(l, o.Weight), percent(l, *o.Score))
		}
	}
	for i, d := range e.Deals {
		say("Deal %d: %s.", i+1, d.describe(l))
	}
	if len(e.Earlier) > 0 {
		say("Earlier periods posted %s.", named(e.Earlier, number))
	}
	if len(e.Pays) > 0 {
		say("It pays %s.", named(e.Pays, number))
	} else {
		say("It pays nothing.")
	}
	return strings.Join(sentences, " ")
}

// named lists what stands under names, in their order.
func named[V any](all map[string]V, say func(V) string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, name+" "+say(all[name]))
	}
	return strings.Join(words, ", ")
}

func (d Deal) describe(l language.Language) string {
	words := []string{strings.TrimSpace(l.Number(d.Amount.String()) + " " + string(d.Currency))}
	say := func(format string, arguments ...any) { words = append(words, l.Sprintf(format, arguments...)) }
	if len(d.Attributes) > 0 {
		words = append(words, named(d.Attributes, func(text string) string { return text }))
	}
	if !d.On.IsZero() {
		say("dated %s", l.Date(d.On))
	}
	if !d.Share.Equal(decimal.NewFromInt(1)) {
		say("credited by %s", percent(l, d.Share))
	}
	if d.Level > 0 {
		say("closed %d levels below", d.Level)
	}
	if d.By != "" {
		say("closed by %s", d.By)
	}
	if d.RefundOf > 0 {
		say("gives back deal %d", d.RefundOf)
	}
	if d.Uncredited {
		words = append(words, l.Word("credited by the rules alone"))
	}
	return strings.Join(words, ", ")
}

func (g ExampleGroup) describe(l language.Language) string {
	var words []string
	say := func(format string, arguments ...any) { words = append(words, l.Sprintf(format, arguments...)) }
	if g.Parent != "" {
		say("below %s", g.Parent)
	}
	if len(g.Covers) > 0 {
		say("covers %s", named(g.Covers, func(text string) string { return text }))
	}
	for _, m := range g.Members {
		say("%s is a member as %s by %s", cmp.Or(m.By, l.Word("the participant")), cmp.Or(m.Role, "member"), percent(l, m.Share))
	}
	if len(g.Quotas) > 0 {
		say("its quotas are %s", named(g.Quotas, func(d decimal.Decimal) string { return l.Number(d.String()) }))
	}
	kind := l.Word("Territory")
	if g.Kind == incentive.KindTeam {
		kind = l.Word("Team")
	}
	return fmt.Sprintf("%s %s: %s.", kind, g.ID, strings.Join(words, "; "))
}
