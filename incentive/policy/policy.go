// Package policy reads what a calendar's periods go by besides the plans: who approves
// which statement, what stands out, and how disputes are answered.
package policy

import (
	_ "embed"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Schema is the JSON Schema of policies, for editors.
//
//go:embed policy.schema.json
var Schema []byte

// Policy is what a calendar goes by. Days are business days of the company's calendar.
type Policy struct {
	Disputes  Disputes
	Approvals Approvals
	Outliers  Outliers
	Release   Release
	Payouts   Payouts
	Deals     Deals
}

// Deals is how deals that people enter themselves are taken.
type Deals struct {
	Entered         bool // whether people may enter any
	RemindAfterDays int  // whoever has to decide about one is reminded, each time so many days
}

// Holding is what an open dispute keeps from being paid.
type Holding string

// What a dispute may hold back.
const (
	HoldContribution Holding = "contribution" // the disputed deal's part of a line; the line where no deal is named
	HoldLine         Holding = "line"
	HoldStatement    Holding = "statement"
	HoldNothing      Holding = "nothing"
)

// Disputes is how disputes are answered.
type Disputes struct {
	Holds             Holding
	AnswerWithinDays  int // what a participant is told
	RemindAfterDays   int // whoever has to answer is reminded, each time so many days
	EscalateAfterDays int // the dispute goes up the hierarchy, in the end to finance
	LateDays          int // how long after the window a dispute may still be raised
}

// Approver is who decides at a level.
type Approver string

// The approvers. Where the hierarchy has none, finance decides.
const (
	ByManager          Approver = "manager"
	ByManagerOfManager Approver = "manager_of_manager"
	ByFinance          Approver = "finance"
)

// Approvals is who approves statements, level after level.
type Approvals struct {
	Levels            []Level
	Automatic         *Conditions // statements below every limit need nobody; nil: there are none
	RemindAfterDays   int
	EscalateAfterDays int
}

// Level is one level of approval. Without conditions every statement passes it.
type Level struct {
	By   Approver
	When Conditions
}

// Conditions are limits that a statement reaches or not. Amounts are by currency; an
// amount in a currency without a limit counts as reaching it, which is the careful side.
type Conditions struct {
	Total  []incentive.Money
	Change *decimal.Decimal // of the total against the period before; 0.25 is a quarter
}

func (c Conditions) none() bool { return len(c.Total) == 0 && c.Change == nil }

// Outliers is what makes a statement stand out for whoever approves it.
type Outliers struct {
	Change      decimal.Decimal // of the total against the period before
	TimesMedian decimal.Decimal // of the statements of the same currency in the run
}

// Release is who may release a payout list.
type Release struct {
	ByApprover bool // also somebody who approved statements of the period for finance
}

// StandardDocument is the policy of a calendar that has none of its own.
//
//go:embed standard.yaml
var StandardDocument string

// Figures are what conditions look at. Before is the total of the period before, nil
// where there is none or one in another currency.
type Figures struct {
	Total  incentive.Money
	Before *incentive.Money
}

// changed reports whether a total differs by at least a share from the one before. Where
// there is none before, or zero, any amount is a change.
func (f Figures) changed(share decimal.Decimal) bool {
	if f.Before == nil || f.Before.Minor == 0 {
		return f.Total.Minor != 0
	}
	by := decimal.NewFromInt(f.Total.Minor).Sub(decimal.NewFromInt(f.Before.Minor)).Abs()
	return by.Cmp(share.Mul(decimal.NewFromInt(f.Before.Minor).Abs())) >= 0
}

func (f Figures) reachesTotal(limits []incentive.Money) bool {
	for _, limit := range limits {
		if limit.Currency == f.Total.Currency {
			return f.Total.Minor >= limit.Minor || -f.Total.Minor >= limit.Minor
		}
	}
	return true
}

// reaches reports whether one of the conditions is reached.
func (c Conditions) reaches(f Figures) bool {
	return len(c.Total) > 0 && f.reachesTotal(c.Total) || c.Change != nil && f.changed(*c.Change)
}

// Path returns who approves a statement, level after level: empty where nobody need.
func (a Approvals) Path(f Figures) []Approver {
	if a.Automatic != nil && !a.Automatic.reaches(f) {
		return nil
	}
	var path []Approver
	for _, level := range a.Levels {
		if level.When.none() || level.When.reaches(f) {
			path = append(path, level.By)
		}
	}
	if len(path) == 0 { // every level has a condition, and none is reached
		path = append(path, a.Levels[0].By)
	}
	return path
}

// Reason is why a statement stands out.
type Reason string

// The reasons.
const (
	FirstStatement Reason = "first-statement"     // there was none the period before
	LargeChange    Reason = "large-change"        // against the period before
	FarAboveMedian Reason = "far-above-median"    // of the others' statements
	NegativeTotal  Reason = "negative-total"      // the participant owes
	ChangedSince   Reason = "changed-since-shown" // another figure than when statements were last published
)

// Reasons lists why a statement stands out, in the order of the constants. median is of
// the run's statements in the same currency, and shown the total when the period was
// last published, nil where it was not.
func (o Outliers) Reasons(f Figures, median int64, shown *incentive.Money) []Reason {
	var all []Reason
	if f.Before == nil {
		all = append(all, FirstStatement)
	} else if f.changed(o.Change) {
		all = append(all, LargeChange)
	}
	if median > 0 && decimal.NewFromInt(f.Total.Minor).Cmp(o.TimesMedian.Mul(decimal.NewFromInt(median))) >= 0 {
		all = append(all, FarAboveMedian)
	}
	if f.Total.Minor < 0 {
		all = append(all, NegativeTotal)
	}
	if shown != nil && *shown != f.Total {
		all = append(all, ChangedSince)
	}
	return slices.Clip(all)
}
