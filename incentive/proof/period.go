package proof

import (
	"encoding/json"
	"fmt"

	"github.com/guerdon/guerdon/incentive"
)

// The checks of a verification, in the order in which they are made.
const (
	CheckSnapshot   = "snapshot"    // the records are those that the lock froze
	CheckStatements = "statements"  // calculated anew they are the same, byte for byte
	CheckRun        = "run"         // so is the digest of the run
	CheckChained    = "chained"     // the audit chain names snapshot and run
	CheckPayouts    = "payouts"     // the ledger tells the same story
	CheckLedger     = "ledger"      // every journal entry balances
	CheckAuditChain = "audit-chain" // no link is altered, missing or put in
	CheckHistories  = "histories"   // they replay against this program
	CheckDisputes   = "disputes"    // so do those of disputes
)

// Checks are all of them.
var Checks = []string{CheckSnapshot, CheckStatements, CheckRun, CheckChained, CheckPayouts, CheckLedger, CheckAuditChain, CheckHistories, CheckDisputes}

// Outcome is what came of a check.
type Outcome string

// The outcomes of a check.
const (
	Proved Outcome = "proved"
	Failed Outcome = "failed"
	Later  Outcome = "later" // it cannot be made yet, or not by this program
)

// MostFindings is how many findings a check lists; those beyond it are counted.
const MostFindings = 100

// Finding is one thing that is not as it must be.
type Finding struct {
	Subject     string         `json:"subject"`               // what it is about: a payout, a link, a workflow
	Participant string         `json:"participant,omitempty"` // whose statement or payout it is
	Code        incentive.Code `json:"code"`
	Message     string         `json:"message"`
}

// Check is what one check found.
type Check struct {
	Name     string    `json:"name"`
	Outcome  Outcome   `json:"outcome"`
	Count    int64     `json:"count"`            // of what was checked
	Digest   string    `json:"digest,omitempty"` // of what was checked, in hexadecimal
	Findings []Finding `json:"findings"`
	More     int       `json:"more"`           // findings that are not listed
	Open     int       `json:"open,omitempty"` // disputes that have no outcome yet
	CutShort []string  `json:"cut_short,omitempty"`
}

// Found adds a finding.
func (c *Check) Found(f Finding) {
	c.Outcome = Failed
	if len(c.Findings) == MostFindings {
		c.More++
		return
	}
	c.Findings = append(c.Findings, f)
}

// ReportFormat names the meaning of a report's fields.
const ReportFormat = "guerdon verification 1"

// PeriodReport is what a verification of a revision of a period found, or of one
// participant's statement in it.
type PeriodReport struct {
	Format        string          `json:"format"`
	Period        string          `json:"period"`
	Revision      int             `json:"revision"`
	State         incentive.State `json:"state"`
	Participant   string          `json:"participant,omitempty"` // "" for everybody's
	EngineVersion string          `json:"engine_version"`
	Checks        []Check         `json:"checks"`
}

// Proved reports whether no check failed.
func (r PeriodReport) Proved() bool {
	for _, c := range r.Checks {
		if c.Outcome == Failed {
			return false
		}
	}
	return true
}

// Failure returns the first finding as an error; nil where there is none.
func (r PeriodReport) Failure() error {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			return incentive.Errorf(f.Code, "%s", f.Message)
		}
	}
	return nil
}

// Check returns what a check found; its zero value where it was not made.
func (r PeriodReport) Check(name string) Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return Check{Name: name}
}

// ReadReport reads a report that was kept.
func ReadReport(content []byte) (r PeriodReport, err error) {
	if err := json.Unmarshal(content, &r); err != nil {
		return r, fmt.Errorf("read the report of a verification: %w", err)
	}
	if r.Format != ReportFormat {
		return r, incentive.Errorf(CodeUnreadable, "the report's format is %q, and this program reads %q", r.Format, ReportFormat)
	}
	return r, nil
}
