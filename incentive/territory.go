package incentive

import (
	"strings"

	"github.com/shopspring/decimal"
)

// GroupKind says what people are grouped as.
type GroupKind string

// The kinds of group. Both have members, a parent and quotas of their own, and cover
// transactions; what they are called is what a plan's rules ask for.
const (
	KindTerritory GroupKind = "territory"
	KindTeam      GroupKind = "team"
)

// GroupKey names a territory or a team.
type GroupKey struct {
	Kind GroupKind `json:"kind"`
	ID   string    `json:"id"`
}

// String names a group as people read it.
func (k GroupKey) String() string { return string(k.Kind) + " " + k.ID }

// Group is what is true of a territory or a team from a day on, until the same group's next
// Group in time.
type Group struct {
	GroupKey
	EffectiveFrom Date   `json:"effective_from"`
	Name          string `json:"name"`
	ParentID      string `json:"parent_id"` // of the same kind; "" at the top
	Until         Date   `json:"until"`     // the last day; zero while there is none
	// Covers says by attributes of transactions which ones belong to the group: all of them
	// have to hold. Values are divided by semicolons, and one that ends with an asterisk
	// stands for all that begin so. A group that covers nothing is there for those below it.
	Covers  map[string]string `json:"covers"`
	Version int               `json:"version"`
}

// CoveredValues returns the values of one of the attributes that a group covers.
func CoveredValues(text string) []string {
	var values []string
	for _, v := range strings.Split(text, ";") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// Covered reports whether one of the values of CoveredValues stands for a text.
func Covered(values []string, text string) bool {
	for _, v := range values {
		if begin, open := strings.CutSuffix(v, "*"); v == text || open && text != "" && strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

// Membership makes a participant a member of a territory or team between two days, both
// included; a zero EndsOn has no end.
type Membership struct {
	Group         GroupKey        `json:"group"`
	ParticipantID string          `json:"participant_id"`
	Role          string          `json:"role"`
	Share         decimal.Decimal `json:"share"` // 1 is all of what a rule gives members
	StartsOn      Date            `json:"starts_on"`
	EndsOn        Date            `json:"ends_on"`
	Version       int             `json:"version"`
}

// Holds reports whether the participant is a member on a day.
func (m Membership) Holds(day Date) bool {
	return !day.Before(m.StartsOn) && (m.EndsOn.IsZero() || !day.After(m.EndsOn))
}

// GroupQuota is what a territory or team is expected to reach between two days, both
// included.
type GroupQuota struct {
	Group    GroupKey        `json:"group"`
	Measure  string          `json:"measure"`
	StartsOn Date            `json:"starts_on"`
	EndsOn   Date            `json:"ends_on"`
	Amount   decimal.Decimal `json:"amount"`
	Version  int             `json:"version"`
}
