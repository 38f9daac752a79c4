package policy

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// mostDays bounds every number of days.
const mostDays = 250

type fields = map[string]document.Field

type reader struct{ document.Reader }

// Parse reads and checks a policy. What it does not say is as in StandardDocument. Its
// error is a document.Problems.
func Parse(text []byte) (Policy, error) {
	p, err := read([]byte(StandardDocument), Policy{})
	if err != nil {
		return p, err
	}
	return read(text, p)
}

// read reads a policy into p, which keeps what the text does not say.
func read(text []byte, p Policy) (Policy, error) {
	r := &reader{}
	root, ok := r.Root(text, "a policy")
	if !ok {
		return p, r.Err()
	}
	section := func(what string, inner fields) document.Field {
		return document.Optional(func(n *yaml.Node) { r.Mapping(n, what, inner) })
	}
	r.Mapping(root, "a policy", fields{
		"disputes": section("\"disputes\"", fields{
			"holds":               document.Optional(document.Choice(&r.Reader, &p.Disputes.Holds, HoldContribution, HoldLine, HoldStatement, HoldNothing)),
			"answer_within_days":  document.Optional(r.days(&p.Disputes.AnswerWithinDays, 1)),
			"remind_after_days":   document.Optional(r.days(&p.Disputes.RemindAfterDays, 1)),
			"escalate_after_days": document.Optional(r.days(&p.Disputes.EscalateAfterDays, 1)),
			"late_days":           document.Optional(r.days(&p.Disputes.LateDays, 0)),
		}),
		"approvals": section("\"approvals\"", fields{
			"levels": document.Optional(func(n *yaml.Node) {
				p.Approvals.Levels = nil
				r.Each(n, "\"levels\"", func(item *yaml.Node) {
					p.Approvals.Levels = append(p.Approvals.Levels, r.level(item, p.Approvals.Levels))
				})
			}),
			"automatic_below": document.Optional(func(n *yaml.Node) {
				p.Approvals.Automatic = &Conditions{}
				r.conditions(n, "\"automatic_below\"", p.Approvals.Automatic)
			}),
			"remind_after_days":   document.Optional(r.days(&p.Approvals.RemindAfterDays, 1)),
			"escalate_after_days": document.Optional(r.days(&p.Approvals.EscalateAfterDays, 1)),
		}),
		"outliers": section("\"outliers\"", fields{
			"change":       document.Optional(r.above(&p.Outliers.Change)),
			"times_median": document.Optional(r.above(&p.Outliers.TimesMedian)),
		}),
		"deals":   section("\"deals\"", fields{"entered": document.Optional(r.Yes(&p.Deals.Entered)), "remind_after_days": document.Optional(r.days(&p.Deals.RemindAfterDays, 1))}),
		"release": section("\"release\"", fields{"by_approver": document.Optional(r.Yes(&p.Release.ByApprover))}),
		"payouts": section("\"payouts\"", fields{
			"minimum":           document.Optional(r.amounts("\"minimum\"", &p.Payouts.Minimum)),
			"largest":           document.Optional(r.amounts("\"largest\"", &p.Payouts.Largest)),
			"list":              document.Optional(r.amounts("\"list\"", &p.Payouts.List)),
			"change_waits_days": document.Optional(r.days(&p.Payouts.ChangeWaitsDays, 0)),

			"second_person_above": document.Optional(r.amounts("\"second_person_above\"", &p.Payouts.SecondPersonAbove)),

			"tax_details": document.Optional(r.kinds("\"tax_details\"", &p.Payouts.TaxDetails)),
			"withholding": document.Optional(func(n *yaml.Node) {
				p.Payouts.Withholding = nil
				r.Each(n, "\"withholding\"", func(item *yaml.Node) { p.Payouts.Withholding = append(p.Payouts.Withholding, r.withholding(item)) })
			}),
			"within": section("\"within\"", fields{
				"days":  document.Needed(r.days(&p.Payouts.Within.Days, 1)),
				"total": document.Needed(r.amounts("\"total\"", &p.Payouts.Within.Total)),
			}),
			"employees": section("\"employees\"", fields{
				"by":      document.Optional(r.texts("\"by\"", &p.Payouts.Employees.By, railName, "the name of a rail, such as payment-file")),
				"else_in": document.Optional(r.texts("\"else_in\"", &p.Payouts.Employees.ElseIn, countryCode, "a country's code, such as SG")),
			}),
			"points": section("\"points\"", fields{"expire_after_months": document.Needed(r.months(&p.Payouts.PointsExpireAfterMonths))}),
			"methods": document.Optional(func(n *yaml.Node) {
				p.Payouts.Methods = nil
				r.Each(n, "\"methods\"", func(item *yaml.Node) { p.Payouts.Methods = append(p.Payouts.Methods, r.method(item)) })
			}),
		}),
	})
	return p, r.Err()
}

// days reads a number of days.
func (r *reader) days(into *int, least int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		days, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || days < least || days > mostDays {
			r.On(n, "write a number of days from %d to %d", least, mostDays)
			return
		}
		*into = days
	}
}

// mostMonths bounds every number of months.
const mostMonths = 120

// months reads a number of months.
func (r *reader) months(into *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		months, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || months < 1 || months > mostMonths {
			r.On(n, "write a number of months from 1 to %d", mostMonths)
			return
		}
		*into = months
	}
}

// above reads a number above zero.
func (r *reader) above(into *decimal.Decimal) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var d decimal.Decimal
		before := r.Err()
		r.Number(&d)(n)
		if before == nil && r.Err() == nil && !d.IsPositive() {
			r.On(n, "write a number above zero, such as 50%% or 3")
		}
		*into = d
	}
}

// order is how high an approver stands: levels go up.
var order = map[Approver]int{ByManager: 1, ByManagerOfManager: 2, ByFinance: 3}

func (r *reader) level(n *yaml.Node, below []Level) (l Level) {
	r.Mapping(n, "a level", fields{
		"by":   document.Needed(document.Choice(&r.Reader, &l.By, ByManager, ByManagerOfManager, ByFinance)),
		"when": document.Optional(func(n *yaml.Node) { r.conditions(n, "\"when\"", &l.When) }),
	})
	if len(below) > 0 && l.By != "" && order[l.By] <= order[below[len(below)-1].By] {
		r.On(n, "levels go up: %s cannot come after %s", l.By, below[len(below)-1].By)
	}
	return l
}

func (r *reader) conditions(n *yaml.Node, what string, into *Conditions) {
	isMapping := r.Mapping(n, what, fields{
		"total": document.Optional(r.amounts("\"total\"", &into.Total)),
		"change": document.Optional(func(n *yaml.Node) {
			into.Change = &decimal.Decimal{}
			r.above(into.Change)(n)
		}),
	})
	if isMapping && len(n.Content) == 0 {
		r.On(n, "%s names a total, a change, or both", what)
	}
}

// amounts reads limits by currency.
func (r *reader) amounts(what string, into *[]incentive.Money) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.Each(n, what, func(item *yaml.Node) {
			limit, err := amount(item)
			if err != nil {
				r.On(item, "%s", incentive.ErrorMessage(err))
				return
			}
			for _, other := range *into {
				if other.Currency == limit.Currency {
					r.On(item, "there are two limits in %s", limit.Currency)
				}
			}
			*into = append(*into, limit)
		})
	}
}

// withholding reads one row of the rates of withholding.
func (r *reader) withholding(n *yaml.Node) (w WithholdingRate) {
	r.Mapping(n, "a rate of withholding", fields{
		"of":   document.Needed(r.kinds("\"of\"", &w.Of)),
		"in":   document.Optional(r.texts("\"in\"", &w.In, countryCode, "a country's code, such as IN")),
		"rate": document.Needed(r.share(&w.Rate)),
		"without_tax_details": document.Optional(func(n *yaml.Node) {
			w.WithoutTaxDetails = &decimal.Decimal{}
			r.share(w.WithoutTaxDetails)(n)
		}),
	})
	return w
}

// method reads one rule about payout methods.
func (r *reader) method(n *yaml.Node) (m MethodRule) {
	r.Mapping(n, "a rule about methods", fields{
		"of":    document.Optional(r.kinds("\"of\"", &m.Of)),
		"in":    document.Optional(r.texts("\"in\"", &m.In, countryCode, "a country's code, such as IN")),
		"by":    document.Needed(r.texts("\"by\"", &m.By, railName, "the name of a rail, such as payment-file")),
		"from":  document.Optional(r.amounts("\"from\"", &m.From)),
		"up_to": document.Optional(r.amounts("\"up_to\"", &m.UpTo)),
	})
	for _, least := range m.From {
		for _, most := range m.UpTo {
			if least.Currency == most.Currency && least.Minor > most.Minor {
				r.On(n, "\"from\" is above \"up_to\" in %s", least.Currency)
			}
		}
	}
	return m
}

// share reads a part of a whole.
func (r *reader) share(into *decimal.Decimal) func(*yaml.Node) {
	return func(n *yaml.Node) {
		before := r.Err()
		r.Number(into)(n)
		if before == nil && r.Err() == nil && (into.IsNegative() || into.Cmp(decimal.NewFromInt(1)) > 0) {
			r.On(n, "write a share from 0%% to 100%%")
		}
	}
}

// kinds reads kinds of participants.
func (r *reader) kinds(what string, into *[]incentive.ParticipantKind) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.Each(n, what, func(item *yaml.Node) {
			var kind incentive.ParticipantKind
			document.Choice(&r.Reader, &kind, incentive.Employee, incentive.Contractor, incentive.Company)(item)
			*into = append(*into, kind)
		})
	}
}

var (
	railName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
)

// texts reads a list of texts of one form.
func (r *reader) texts(what string, into *[]string, form *regexp.Regexp, write string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = nil
		r.Each(n, what, func(item *yaml.Node) {
			if item.Kind != yaml.ScalarNode || !form.MatchString(item.Value) {
				r.On(item, "write %s", write)
				return
			}
			*into = append(*into, item.Value)
		})
	}
}

// amount reads an amount such as "10000 USD".
func amount(n *yaml.Node) (incentive.Money, error) {
	number, code, _ := strings.Cut(strings.TrimSpace(n.Value), " ")
	invalid := incentive.Errorf(incentive.CodeInvalid, "%q is not an amount: write a number above zero and its currency, such as 10000 USD", n.Value)
	if n.Kind != yaml.ScalarNode {
		return incentive.Money{}, invalid
	}
	currency, err := incentive.ParseCurrency(strings.TrimSpace(code))
	if err != nil {
		return incentive.Money{}, invalid
	}
	d, err := incentive.ParseDecimal(number)
	if err != nil || !d.IsPositive() {
		return incentive.Money{}, invalid
	}
	return incentive.MoneyOf(d, currency)
}
