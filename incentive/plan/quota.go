package plan

import (
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

// QuotaRule says how much of a quota counts where a participant is on the plan, or the
// period is there, for part of its time.
type QuotaRule struct {
	Of       incentive.GroupKind // whose it is: of the territories or teams that somebody is a member of; "" their own
	ByShare  bool                // of that, a member's is what the share of the membership says
	Prorated Prorated
	Weights  []decimal.Decimal // of as many equal stretches of whole months; none: the quota lies evenly in its time
	Ramp     *Ramp
}

// Prorated says how the time on a plan is counted.
type Prorated string

// The ways of counting. ByDays is the default.
const (
	ByDays      Prorated = "by_days"   // the calendar days
	ByMonths    Prorated = "by_months" // the calendar months begun, each wholly
	NotProrated Prorated = "not"       // the time on the plan does not matter
)

// Ramp lets a quota rise with the months that have begun since a day.
type Ramp struct {
	Since  string            // the participant's attribute that holds the day
	Shares []decimal.Decimal // of the first months; then the quota counts wholly
}

func (r *reader) quotaRules(node *yaml.Node, p *Plan) {
	p.Quotas = map[string]QuotaRule{}
	r.named("\"quotas\"", p.quotas(), func(name string, value *yaml.Node) {
		rule := QuotaRule{Prorated: ByDays}
		r.Mapping(value, "a quota's rule", fields{
			"of": document.Optional(func(n *yaml.Node) {
				document.Choice(&r.Reader, &rule.Of, "participant", incentive.KindTerritory, incentive.KindTeam)(n)
				if rule.Of == "participant" {
					rule.Of = ""
				}
			}),
			"by_share": document.Optional(r.Yes(&rule.ByShare)),
			"prorated": document.Optional(document.Choice(&r.Reader, &rule.Prorated, ByDays, ByMonths, NotProrated)),
			"weights": document.Optional(func(n *yaml.Node) {
				sum := decimal.Zero
				r.Each(n, "\"weights\"", func(item *yaml.Node) {
					var w decimal.Decimal
					r.Number(&w)(item)
					sum = sum.Add(w)
					rule.Weights = append(rule.Weights, w)
				})
				if !sum.Equal(decimal.NewFromInt(1)) {
					r.On(n, "the weights add up to %s, and should to 1 (100%%)", sum)
				}
			}),
			"ramp": document.Optional(func(n *yaml.Node) {
				rule.Ramp = &Ramp{}
				r.Mapping(n, "a ramp", fields{
					"since": document.Needed(r.since(&rule.Ramp.Since)),
					"shares": document.Needed(func(n *yaml.Node) {
						r.Each(n, "\"shares\"", func(item *yaml.Node) {
							var share decimal.Decimal
							r.Number(&share)(item)
							rule.Ramp.Shares = append(rule.Ramp.Shares, share)
						})
					}),
				})
			}),
		})
		if rule.ByShare && rule.Of == "" {
			r.On(value, "a quota is divided by_share among the members of a territory or team: write of: team or of: territory beside it")
		}
		p.Quotas[name] = rule
	})(node)
}

// since reads an attribute of the participant that holds a day.
func (r *reader) since(into *string) func(*yaml.Node) {
	return func(node *yaml.Node) {
		name, found := strings.CutPrefix(node.Value, "participant.")
		if !found || r.reads.Participant[name] != Text {
			r.On(node, "name an attribute of the participant that holds a day as a text, as in since: participant.hired_on, and declare it under \"reads\"")
		}
		*into = name
	}
}

func (q QuotaRule) describe(l language.Language) string {
	text := map[Prorated]string{
		ByDays:      l.Word("it counts by the calendar days on the plan."),
		ByMonths:    l.Word("it counts by the calendar months on the plan, each month begun wholly."),
		NotProrated: l.Word("it counts however long the participant is on the plan."),
	}[q.Prorated]
	if q.Of != "" && q.ByShare {
		text = l.Sprintf("it is the share of each member in that of their %s, and ", l.Word(string(q.Of))) + text
	} else if q.Of != "" {
		text = l.Sprintf("it is that of the participant's %s, and ", l.Word(string(q.Of))) + text
	}
	if len(q.Weights) > 0 {
		text += l.Sprintf(" Its time is cut into %d equal stretches, which weigh %s.", len(q.Weights), percents(l, q.Weights))
	}
	if q.Ramp != nil {
		text += l.Sprintf(" In the months begun since the participant's %s it counts by %s, and then wholly.", Spoken(q.Ramp.Since), percents(l, q.Ramp.Shares))
	}
	return text
}

func percents(l language.Language, all []decimal.Decimal) string {
	var texts []string
	for _, d := range all {
		texts = append(texts, percent(l, d))
	}
	return strings.Join(texts, ", ")
}
