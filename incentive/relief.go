package incentive

import "github.com/shopspring/decimal"

// ReliefCause is why somebody is relieved of a part of their quota.
type ReliefCause string

// The causes.
const (
	ReliefLeave     ReliefCause = "leave"     // they are away
	ReliefTerritory ReliefCause = "territory" // a territory, or a part of one, is somebody else's now
	ReliefAccount   ReliefCause = "account"   // a customer is
	ReliefOther     ReliefCause = "other"
)

// ReliefCauses lists every cause.
var ReliefCauses = []ReliefCause{ReliefLeave, ReliefTerritory, ReliefAccount, ReliefOther}

// Relief takes a part of a participant's quota off between two days, both included: an
// amount that lies evenly between them, or a share of what of the quota lies there. Exactly
// one of the two is there.
type Relief struct {
	ParticipantID string           `json:"participant_id"`
	Measure       string           `json:"measure"` // whose quota it is, as plans name it
	StartsOn      Date             `json:"starts_on"`
	EndsOn        Date             `json:"ends_on"`
	Cause         ReliefCause      `json:"cause"`
	Amount        *decimal.Decimal `json:"amount,omitempty"`
	Share         *decimal.Decimal `json:"share,omitempty"` // 1 is all of it
	Version       int              `json:"version"`
}
