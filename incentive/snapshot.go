package incentive

import "github.com/shopspring/decimal"

// ParticipantKind says how a participant is engaged; it decides rails and withholding.
type ParticipantKind string

// The kinds of participant.
const (
	Employee   ParticipantKind = "employee"
	Contractor ParticipantKind = "contractor"
	Company    ParticipantKind = "company"
)

// Participant is what is true of anyone who can be paid from a day on, until the same
// participant's next Participant in time.
type Participant struct {
	ID            string
	EffectiveFrom Date
	Name          string
	Email         string
	Kind          ParticipantKind
	ManagerID     string // "" at the top of the hierarchy
	Country       string // ISO 3166-1 alpha-2
	PayCurrency   Currency
	EmployedUntil Date              // the last day; zero while there is none
	Attributes    map[string]string // personal rates and other facts that plans read, as written
}

// unnamed reports whether nothing is said but whom the participant reports to.
func (p Participant) unnamed() bool {
	return p.Name == "" && p.Email == "" && p.Kind == "" && p.Country == "" && p.PayCurrency == "" && p.EmployedUntil.IsZero() && len(p.Attributes) == 0
}

// TransactionKey names a transaction: the system it comes from and its id there.
type TransactionKey struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// Transaction is one version of a dated sales event.
type Transaction struct {
	TransactionKey
	Version    int
	Date       Date
	Amount     decimal.Decimal // major units, exact
	Currency   Currency
	Attributes map[string]string // whatever the source tells and plans filter by
}

// Credit is a participant's share of a transaction.
type Credit struct {
	Transaction   TransactionKey
	ParticipantID string
	Role          string          // why: owner, overlay, …; one credit per transaction, participant and role
	Share         decimal.Decimal // 1 is the whole transaction
	Version       int
}

// Quota is what a participant is expected to reach between two days, both included.
type Quota struct {
	ParticipantID string
	Measure       string
	StartsOn      Date
	EndsOn        Date
	Amount        decimal.Decimal
	Version       int
}

// Assignment puts a participant on a plan between two days, both included; a zero EndsOn
// has no end.
type Assignment struct {
	ParticipantID string
	PlanID        string
	StartsOn      Date
	EndsOn        Date
	Version       int
}

// PlanVersion is one immutable version of a plan's document.
type PlanVersion struct {
	PlanID        string
	Version       int
	EffectiveFrom Date
	Document      []byte // YAML, as it was written
}

// Period is a stretch of days in a calendar for which people are paid, both ends included.
type Period struct {
	ID         string // "<calendar>-<code>"
	CalendarID string
	Code       string
	StartsOn   Date
	EndsOn     Date
	Revision   int
}

// Holds reports whether day lies in the period.
func (p Period) Holds(day Date) bool { return !day.Before(p.StartsOn) && !day.After(p.EndsOn) }

// Posted is a line of an earlier period of the same calendar, of its latest revision.
type Posted struct {
	ParticipantID string
	PlanID        string
	Component     string
	PeriodID      string
	StartsOn      Date
	EndsOn        Date
	Amount        Money
}

// Snapshot is everything a calculation depends on, frozen together by a lock. Each list
// is in its canonical order, which the store guarantees: participants by (id, effective
// from), transactions by (date, source, id), credits by (source, id, participant, role),
// quotas by (participant, measure, starts on), assignments by (participant, plan, starts
// on), plan versions by (plan, version), posted lines by (participant, plan, component,
// starts on). Transactions are those dated from Since to the period's last day.
type Snapshot struct {
	Period       Period
	Since        Date // the period's first day, or earlier where a plan looks back
	Participants []Participant
	Transactions []Transaction
	Credits      []Credit
	Quotas       []Quota
	Assignments  []Assignment
	PlanVersions []PlanVersion
	Posted       []Posted // what a plan that looks back may need of earlier periods
}
