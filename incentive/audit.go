package incentive

import (
	"fmt"
	"time"
)

// AuditEntry is what one link of the audit chain says: who did what to what, in ids and
// digests.
type AuditEntry struct {
	Number  int64     `json:"number"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Act     string    `json:"act"`
	Subject string    `json:"subject"`
	Body    string    `json:"body"` // JSON
}

// Digest covers all that the link says.
func (e AuditEntry) Digest() Digest {
	d := newDigester("guerdon audit entry 1")
	d.number(e.Number)
	d.texts(e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.Act, e.Subject, e.Body)
	return d.sum()
}

// AuditHash returns a link's hash. It covers the hash of the link before and the digest of
// what the link says, so that the chain can be followed over links that are not shown.
func AuditHash(previous []byte, entry Digest) Digest {
	d := newDigester("guerdon audit 2")
	d.text(string(previous))
	d.Write(entry[:])
	return d.sum()
}

// PeriodSubject is what links of the audit chain about a period's revision are about.
func PeriodSubject(periodID string, revision int) string {
	return fmt.Sprintf("pay-period/%s/%d", periodID, revision)
}
