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
	ID            string            `json:"id"`
	EffectiveFrom Date              `json:"effective_from"`
	Name          string            `json:"name"`
	Email         string            `json:"email"`
	Kind          ParticipantKind   `json:"kind"`
	ManagerID     string            `json:"manager_id"` // "" at the top of the hierarchy
	Country       string            `json:"country"`    // ISO 3166-1 alpha-2
	PayCurrency   Currency          `json:"pay_currency"`
	EmployedUntil Date              `json:"employed_until"` // the last day; zero while there is none
	Attributes    map[string]string `json:"attributes"`     // personal rates and other facts that plans read, as written
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
	Version    int               `json:"version"`
	Date       Date              `json:"date"`
	Amount     decimal.Decimal   `json:"amount"` // major units, exact
	Currency   Currency          `json:"currency"`
	Attributes map[string]string `json:"attributes"` // whatever the source tells and plans filter by
	// RefundOf is the id of the transaction of the same source that a refund or cancellation
	// gives back; "" of any other.
	RefundOf string `json:"refund_of,omitempty"`
}

// Refunded returns the transaction that a refund gives back.
func (t Transaction) Refunded() TransactionKey { return TransactionKey{t.Source, t.RefundOf} }

// Credit is a participant's share of a transaction.
type Credit struct {
	Transaction   TransactionKey  `json:"transaction"`
	ParticipantID string          `json:"participant_id"`
	Role          string          `json:"role"`  // why: owner, overlay, …; one credit per transaction, participant and role
	Share         decimal.Decimal `json:"share"` // 1 is the whole transaction
	Version       int             `json:"version"`
}

// Quota is what a participant is expected to reach between two days, both included.
type Quota struct {
	ParticipantID string          `json:"participant_id"`
	Measure       string          `json:"measure"`
	StartsOn      Date            `json:"starts_on"`
	EndsOn        Date            `json:"ends_on"`
	Amount        decimal.Decimal `json:"amount"`
	Version       int             `json:"version"`
}

// Objective is a manual objective of a participant in a period, as their manager set it and,
// once there is a Score, judged it.
type Objective struct {
	ParticipantID string           `json:"participant_id"`
	PeriodID      string           `json:"period_id"`
	Name          string           `json:"name"`
	Weight        decimal.Decimal  `json:"weight"`          // 1 is the whole of what objectives pay; 0 withdraws it
	Score         *decimal.Decimal `json:"score,omitempty"` // 1 is fully reached; nil: nobody has judged it yet
	Version       int              `json:"version"`
}

// Assignment puts a participant on a plan between two days, both included; a zero EndsOn
// has no end.
type Assignment struct {
	ParticipantID string `json:"participant_id"`
	PlanID        string `json:"plan_id"`
	StartsOn      Date   `json:"starts_on"`
	EndsOn        Date   `json:"ends_on"`
	Version       int    `json:"version"`
}

// Holds reports whether the participant is on the plan on a day.
func (a Assignment) Holds(day Date) bool {
	return !day.Before(a.StartsOn) && (a.EndsOn.IsZero() || !day.After(a.EndsOn))
}

// PlanVersion is one immutable version of a plan's document.
type PlanVersion struct {
	PlanID        string `json:"plan_id"`
	Version       int    `json:"version"`
	EffectiveFrom Date   `json:"effective_from"`
	Document      []byte `json:"document"` // YAML, as it was written
}

// Period is a stretch of days in a calendar for which people are paid, both ends included.
type Period struct {
	ID         string `json:"id"` // "<calendar>-<code>"
	CalendarID string `json:"calendar_id"`
	Code       string `json:"code"`
	StartsOn   Date   `json:"starts_on"`
	EndsOn     Date   `json:"ends_on"`
	Revision   int    `json:"revision"`
}

// Holds reports whether day lies in the period.
func (p Period) Holds(day Date) bool { return !day.Before(p.StartsOn) && !day.After(p.EndsOn) }

// Passed is the share of the period that is over at the end of a day, from 0 to 1.
func (p Period) Passed(day Date) decimal.Decimal {
	days := int64(p.StartsOn.DaysUntil(p.EndsOn) + 1)
	over := max(0, min(days, int64(p.StartsOn.DaysUntil(day)+1)))
	return Ratio{Numerator: decimal.NewFromInt(over), Denominator: decimal.NewFromInt(days)}.Decimal()
}

// Posted is a line of an earlier period of the same calendar that stands.
type Posted struct {
	ParticipantID string `json:"participant_id"`
	PlanID        string `json:"plan_id"`
	Component     string `json:"component"`
	PeriodID      string `json:"period_id"`
	StartsOn      Date   `json:"starts_on"`
	EndsOn        Date   `json:"ends_on"`
	Amount        Money  `json:"amount"`
	// Contributions are those of a line that puts off or takes back what single credits earn
	// and, where a plan takes it back, of the credits of transactions that are refunded or cancelled.
	Contributions []PostedContribution `json:"contributions,omitempty"`
}

// PostedContribution is what one credit has in a posted line.
type PostedContribution struct {
	Transaction   TransactionKey `json:"transaction"`
	ParticipantID string         `json:"participant_id"`
	Role          string         `json:"role"`
	ShownMinor    int64          `json:"shown_minor"`
}

// ExchangeRate is what one unit of a currency was worth in another on a day, as a source
// says.
type ExchangeRate struct {
	Source  string          `json:"source"`
	From    Currency        `json:"from"`
	To      Currency        `json:"to"`
	Date    Date            `json:"date"`
	Rate    decimal.Decimal `json:"rate"`
	Version int             `json:"version"`
}

// Snapshot is everything a calculation depends on, frozen together by a lock. Each list
// is in its canonical order, which the store guarantees: participants by (id, effective
// from), transactions by (date, source, id), credits by (source, id, participant, role),
// quotas by (participant, measure, starts on), reliefs by (participant, measure, starts on,
// cause), assignments by (participant, plan, starts
// on), plan versions by (plan, version), posted lines by (participant, plan, component,
// starts on), adjustments by (participant, id), rates by (source, from, to, date).
// Transactions are those dated from Since to the period's last day and, where a plan takes
// back, earlier ones that are refunded or cancelled.
type Snapshot struct {
	Period       Period         `json:"period"`
	Since        Date           `json:"since"` // the period's first day, or earlier where a plan looks back
	Participants []Participant  `json:"participants"`
	Transactions []Transaction  `json:"transactions"`
	Credits      []Credit       `json:"credits"`
	Quotas       []Quota        `json:"quotas"`
	Reliefs      []Relief       `json:"reliefs,omitempty"`
	Objectives   []Objective    `json:"objectives,omitempty"` // of the period, by (participant, name)
	Assignments  []Assignment   `json:"assignments"`
	PlanVersions []PlanVersion  `json:"plan_versions"`
	Posted       []Posted       `json:"posted"` // what a plan that looks back may need of earlier periods
	Adjustments  []Adjustment   `json:"adjustments,omitempty"`
	Rates        []ExchangeRate `json:"rates,omitempty"` // of the sources that plans name
	// Territories and teams, by kind and id and then by date of effect, with their members (by
	// participant and first day) and quotas (by measure and first day), where a plan asks for them.
	Groups      []Group      `json:"groups,omitempty"`
	Memberships []Membership `json:"memberships,omitempty"`
	GroupQuotas []GroupQuota `json:"group_quotas,omitempty"`
	// Corrections are earlier periods of the calendar, by first day, as they stand today,
	// where that is not what was posted of them.
	Corrections []Snapshot `json:"corrections,omitempty"`
	// Corrected is, of a period that is corrected, what stands posted of it, by participant,
	// with empty explanations. A component has more than one line where it was corrected before.
	Corrected []Statement `json:"corrected,omitempty"`
}
