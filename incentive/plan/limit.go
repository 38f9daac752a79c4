package plan

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

func (r *reader) excess(carriesOver *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var word string
		document.Choice(&r.Reader, &word, "lost", "carried_over")(n)
		*carriesOver = word == "carried_over"
	}
}

// componentCap reads a cap: a value, or one that says what becomes of the excess.
func (r *reader) componentCap(c *Component) func(*yaml.Node) {
	return func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode {
			r.value(&c.Cap)(node)
			return
		}
		r.Mapping(node, "a cap", fields{"amount": document.Needed(r.value(&c.Cap)), "excess": document.Needed(r.excess(&c.CapCarriesOver))})
	}
}

func (r *reader) planCap(node *yaml.Node) *Cap {
	c := &Cap{Month: 1}
	var amount *Value
	if node.Kind == yaml.ScalarNode {
		r.value(&amount)(node)
	} else {
		r.Mapping(node, "a cap", fields{
			"amount":               document.Needed(r.value(&amount)),
			"over":                 document.Optional(document.Choice(&r.Reader, &c.Over, Quarter, Half, Year)),
			"year_begins_in_month": document.Optional(r.month(&c.Month)),
			"excess":               document.Optional(r.excess(&c.CarriesOver)),
		})
	}
	if amount != nil {
		c.Amount = *amount
	}
	return c
}

func (r *reader) draw(node *yaml.Node) *Draw {
	d := &Draw{}
	var amount *Value
	var kind string
	r.Mapping(node, "a draw", fields{
		"amount":               document.Needed(r.value(&amount)),
		"kind":                 document.Needed(document.Choice(&r.Reader, &kind, "recoverable", "non_recoverable")),
		"recover_at_most":      document.Optional(r.value(&d.AtMost)),
		"months_since":         document.Optional(r.since(&d.Since)),
		"advanced_for_months":  document.Optional(r.months(&d.AdvancedFor)),
		"recovered_from_month": document.Optional(r.months(&d.RecoveredFrom)),
		"recovered_down_to":    document.Optional(r.value(&d.DownTo)),
		"forgiven_after_month": document.Optional(r.months(&d.ForgivenAfter)),
	})
	if amount != nil {
		d.Amount = *amount
	}
	d.Recoverable = kind == "recoverable"
	switch {
	case d.Recoverable:
	case d.AtMost != nil:
		r.On(node, "what is not recoverable is not recovered: leave \"recover_at_most\" out")
	case d.RecoveredFrom > 0 || d.DownTo != nil || d.ForgivenAfter > 0:
		r.On(node, "what is not recoverable is neither recovered nor forgiven: it may have amount, kind, months_since and advanced_for_months")
	}
	if d.Since != "" && !d.ByMonths() {
		r.On(node, "\"months_since\" goes with advanced_for_months, recovered_from_month or forgiven_after_month")
	}
	return d
}

func (r *reader) month(into *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		month, err := strconv.Atoi(n.Value)
		if err != nil || month < 1 || month > 12 {
			r.On(n, "%q is not a month: write 1 to 12", n.Value)
			return
		}
		*into = month
	}
}

// months reads a number of months.
func (r *reader) months(into *int) func(*yaml.Node) { return r.number(into, "months", 1200) }

// instalments reads a number of instalments.
func (r *reader) instalments(into *int) func(*yaml.Node) { return r.number(into, "instalments", 120) }

// number reads a number of things that is at least 1.
func (r *reader) number(into *int, of string, most int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		number, err := strconv.Atoi(n.Value)
		if err != nil || number < 1 || number > most {
			r.On(n, "%q is not a number of %s: write 1 to %d", n.Value, of, most)
			return
		}
		*into = number
	}
}

func (c Cap) describe(l language.Language) string {
	over := map[Interval]string{"": l.Word("in a period"), Quarter: l.Word("in a quarter"), Half: l.Word("in a half-year"), Year: l.Word("in a year")}[c.Over]
	excess := l.Word("What lies above is lost.")
	if c.CarriesOver {
		excess = l.Word(carriedOver)
	}
	if c.Month != 1 {
		excess += " " + l.Sprintf("Years begin in month %d.", c.Month)
	}
	return l.Sprintf("all components together pay no more than %s %s. %s", c.Amount.describe(l, false), over, excess)
}

const carriedOver = "What lies above is held back and paid as soon as there is room."

func (d Draw) describe(l language.Language) []string {
	since := l.Word("coming to the plan")
	if d.Since != "" {
		since = l.Sprintf("the participant's %s", Spoken(d.Since))
	}
	text := []string{l.Sprintf("what the components pay less than %s is advanced", d.Amount.describe(l, false))}
	if d.AdvancedFor > 0 {
		text[0] += l.Sprintf(" in the first %d months since %s", d.AdvancedFor, since)
	}
	text[0] += "."
	if !d.Recoverable {
		return append(text, l.Word("It is not recovered."))
	}
	downTo, from := l.Word("that"), l.Word("later on")
	switch {
	case d.DownTo != nil && d.AdvancedFor > 0:
		downTo = l.Sprintf("that and, once nothing is advanced any more, above %s", d.DownTo.describe(l, false))
	case d.DownTo != nil:
		downTo = l.Sprintf("the greater of that and %s", d.DownTo.describe(l, false))
	}
	if d.RecoveredFrom > 0 {
		from = l.Sprintf("from month %d since %s on", d.RecoveredFrom, since)
	}
	text = append(text, l.Sprintf("It is recovered from what is earned above %s %s, and never takes pay below it.", downTo, from))
	if d.AtMost != nil {
		text = append(text, l.Sprintf("One period recovers no more than %s.", d.AtMost.describe(l, false)))
	}
	if d.ForgivenAfter > 0 {
		text = append(text, l.Sprintf("What is still owed after month %d since %s is forgiven.", d.ForgivenAfter, since))
	}
	return text
}
