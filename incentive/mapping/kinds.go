package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Kind is what a row becomes.
type Kind string

// The kinds of record.
const (
	Participant Kind = "participant"
	Transaction Kind = "transaction"
	Credit      Kind = "credit"
	Quota       Kind = "quota"
	Assignment  Kind = "assignment"
	Rate        Kind = "exchange_rate"
	Period      Kind = "period"
	Holiday     Kind = "holiday"

	Territory       Kind = "territory"
	TerritoryMember Kind = "territory_member"
	TerritoryQuota  Kind = "territory_quota"
	Team            Kind = "team"
	TeamMember      Kind = "team_member"
	TeamQuota       Kind = "team_quota"

	Opportunity Kind = "opportunity"

	QuotaRelief Kind = "quota_relief"
)

// Kinds lists every kind in the order in which a company is imported.
var Kinds = []Kind{Participant, Period, Holiday, Territory, TerritoryMember, TerritoryQuota, Team, TeamMember, TeamQuota, Transaction, Credit, Quota, QuotaRelief, Rate, Assignment, Opportunity}

// fieldType reads the text of a field into what the record holds. Its error says what
// would be accepted.
type fieldType func(text string, f format) (any, error)

// fieldOf is one field of a kind.
type fieldOf struct {
	name     string
	read     fieldType
	needed   bool
	absent   any  // what stands for a field that is left out or empty; nil: it stays out
	isKey    bool // two rows of a file with the same keys are the same record
	isRecord bool // kept in the record; otherwise it only makes up other fields
}

func key(name string, read fieldType) fieldOf {
	return fieldOf{name: name, read: read, needed: true, isKey: true, isRecord: true}
}

func needed(name string, read fieldType) fieldOf {
	return fieldOf{name: name, read: read, needed: true, isRecord: true}
}

func optional(name string, read fieldType, absent any) fieldOf {
	return fieldOf{name: name, read: read, absent: absent, isRecord: true}
}

// kinds is what each kind of record holds. The names are those of the store's columns.
var kinds = map[Kind][]fieldOf{
	Participant: {
		key("participant_id", participantID), key("effective_from", day), needed("name", text), optional("email", text, ""), optional("kind", participantKind, string(incentive.Employee)),
		optional("manager_id", identifier, nil), needed("country", country), needed("pay_currency", currency), optional("employed_until", day, nil),
	},
	Transaction: {key("source", identifier), key("transaction_id", identifier), needed("date", day), needed("amount", number), needed("currency", currency), optional("refund_of", identifier, nil)},
	Credit: {
		key("source", identifier), key("transaction_id", identifier), key("participant_id", identifier),
		{name: "role", read: identifier, absent: "owner", isKey: true, isRecord: true},
		optional("share", share, nil), optional("amount", number, nil), // one of the two, or all of it
	},
	Quota: {
		key("participant_id", identifier), key("measure", identifier), key("starts_on", day), optional("ends_on", day, nil), needed("amount", number),
		optional("calendar_id", identifier, nil), // whose period gives the last day where there is none
	},
	Rate: {key("rate_source", identifier), key("from_currency", currency), key("to_currency", currency), key("date", day), needed("rate", number)},
	Assignment: {
		key("participant_id", identifier), key("plan_id", identifier), needed("calendar_id", identifier), key("starts_on", day), optional("ends_on", day, nil),
	},
	Period:  {key("calendar_id", identifier), key("code", code), needed("starts_on", day), needed("ends_on", day)},
	Holiday: {key("date", day), needed("name", text)},

	Territory:       groupFields(key("territory_id", identifier)),
	TerritoryMember: memberFields(key("territory_id", identifier)),
	TerritoryQuota:  groupQuotaFields(key("territory_id", identifier)),
	Team:            groupFields(key("team_id", identifier)),
	TeamMember:      memberFields(key("team_id", identifier)),
	TeamQuota:       groupQuotaFields(key("team_id", identifier)),

	Opportunity: {
		key("source", identifier), key("opportunity_id", identifier), needed("participant_id", identifier), needed("name", text), needed("stage", text), needed("probability", share),
		needed("expected_close", day), needed("amount", number), needed("currency", currency), optional("status", status, "open"),
	},

	QuotaRelief: {
		key("participant_id", identifier), key("measure", identifier), key("starts_on", day), needed("ends_on", day), key("cause", cause),
		optional("amount", number, nil), optional("share", share, nil), // one of the two; nothing takes the relief back
	},
}

// groupFields are those of a territory or team. Its attributes are what it covers.
func groupFields(id fieldOf) []fieldOf {
	return []fieldOf{id, key("effective_from", day), needed("name", text), optional("parent_id", identifier, nil), optional("until", day, nil)}
}

func memberFields(id fieldOf) []fieldOf {
	return []fieldOf{id, key("participant_id", identifier), key("starts_on", day), optional("ends_on", day, nil), optional("role", identifier, "member"), optional("share", share, decimal.NewFromInt(1))}
}

func groupQuotaFields(id fieldOf) []fieldOf {
	return []fieldOf{id, key("measure", identifier), key("starts_on", day), needed("ends_on", day), needed("amount", number)}
}

// hasAttributes reports whether records of the kind hold whatever else a source tells.
func (k Kind) hasAttributes() bool {
	return k == Participant || k == Transaction || k == Territory || k == Team || k == Opportunity
}

func fieldNames(k Kind) []string {
	var names []string
	for _, f := range kinds[k] {
		names = append(names, f.name)
	}
	return names
}

const longest = 500 // characters of a text

func text(t string, _ format) (any, error) {
	if len(t) > longest || strings.ContainsFunc(t, func(r rune) bool { return r < ' ' }) {
		return nil, incentive.Errorf(CodeMalformed, "a text has up to %d characters and no line breaks", longest)
	}
	return t, nil
}

func identifier(t string, f format) (any, error) {
	if len(t) > 200 {
		return nil, incentive.Errorf(CodeMalformed, "an identifier has up to 200 characters")
	}
	return text(t, f)
}

// participantID reads the id of a participant; two are taken by the system's own actors.
func participantID(t string, f format) (any, error) {
	if t == "finance" || t == "system" {
		return nil, incentive.Errorf(CodeMalformed, "%q is a name of the system's own: give the participant another id", t)
	}
	return identifier(t, f)
}

var codePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func code(t string, _ format) (any, error) {
	if !codePattern.MatchString(t) {
		return nil, incentive.Errorf(CodeMalformed, "a code is made of letters, digits, dots, hyphens and underscores, such as 2026-01")
	}
	return t, nil
}

func day(t string, f format) (any, error) {
	d, err := f.date(t)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func number(t string, f format) (any, error) {
	d, err := f.number(t)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// share reads 0.5 or 50%.
func share(t string, f format) (any, error) {
	whole, percent := strings.CutSuffix(t, "%")
	d, err := f.number(strings.TrimSpace(whole))
	if err != nil {
		return nil, err
	}
	if percent {
		d = d.Shift(-2)
	}
	if d.IsNegative() || d.GreaterThan(decimal.NewFromInt(1)) {
		return nil, incentive.Errorf(CodeMalformed, "a share lies between 0 and 1, such as %s or 50%%", strings.Replace("0.5", ".", f.point, 1))
	}
	return d, nil
}

func currency(t string, _ format) (any, error) {
	c, err := incentive.ParseCurrency(t)
	if err != nil {
		return nil, incentive.Errorf(CodeMalformed, "a currency is written as its ISO 4217 code in capitals, such as USD")
	}
	return c, nil
}

var countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)

func country(t string, _ format) (any, error) {
	if !countryPattern.MatchString(t) {
		return nil, incentive.Errorf(CodeMalformed, "a country is written as its ISO 3166 code of two capitals, such as DE: translate other names in the mapping with \"values\"")
	}
	return t, nil
}

func participantKind(t string, _ format) (any, error) {
	k := incentive.ParticipantKind(t)
	if !slices.Contains([]incentive.ParticipantKind{incentive.Employee, incentive.Contractor, incentive.Company}, k) {
		return nil, incentive.Errorf(CodeMalformed, "write %s, %s or %s", incentive.Employee, incentive.Contractor, incentive.Company)
	}
	return string(k), nil
}

// cause reads why somebody is relieved of a part of their quota.
func cause(t string, _ format) (any, error) {
	if !slices.Contains(incentive.ReliefCauses, incentive.ReliefCause(t)) {
		return nil, fmt.Errorf("write leave, territory, account or other: translate a source's own words in the mapping with \"values\"")
	}
	return t, nil
}

// status reads what has become of an opportunity.
func status(t string, _ format) (any, error) {
	if !slices.Contains([]string{"open", "won", "lost"}, t) {
		return nil, incentive.Errorf(CodeMalformed, "write open, won or lost: translate a source's own words in the mapping with \"values\"")
	}
	return t, nil
}
