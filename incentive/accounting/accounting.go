// Package accounting makes the files that payroll and accounting take over: which there
// are, the templates that choose their columns, and their rows as CSV.
package accounting

import (
	"embed"
	"slices"

	"github.com/guerdon/guerdon/incentive"
)

// Kind is what a file is about.
type Kind string

// The kinds of files.
const (
	Payroll  Kind = "payroll"  // what a released period pays
	Journal  Kind = "journal"  // what was posted to the ledger
	Register Kind = "register" // payments that were handed to rails
	YearEnd  Kind = "year-end" // each participant's totals of a year

	// Contractors is what each contractor was paid in a year, as form 1099-NEC wants it.
	Contractors Kind = "contractors"
	// ContractCosts is what was paid to obtain contracts, capitalised and amortised by month
	// as ASC 340-40 and IFRS 15 want it.
	ContractCosts Kind = "contract-costs"
)

// LeastReported is from what total on the payments of a year to a contractor are reported on form
// 1099-NEC: $600 until 2025 and $2,000 in 2026. From 2027 on the amount follows prices, and
// whoever asks has to name it: known is false.
func LeastReported(year int) (least incentive.Money, known bool) {
	switch {
	case year < 2026:
		return incentive.Money{Minor: 600_00, Currency: "USD"}, true
	case year == 2026:
		return incentive.Money{Minor: 2000_00, Currency: "USD"}, true
	}
	return incentive.Money{}, false
}

// Kinds lists the kinds of files.
var Kinds = []Kind{Payroll, Journal, Register, YearEnd, Contractors, ContractCosts}

// Each is what a row of a file is for, where there is a choice.
type Each string

// The rows that a template may choose.
const (
	EachParticipant Each = "participant" // of a payroll file: one row for a participant's pay in a currency
	EachComponent   Each = "component"   // one for each component of it
	EachTotal       Each = "total"       // of a journal: one for each account, day, period and kind of entry
	EachPosting     Each = "posting"     // one for each posting
)

// form is what a value looks like in a file.
type form int

const (
	text form = iota
	number
	date
	amount
)

// field is something that a column may show.
type field struct {
	name string
	form form
	only Each // "" where every row has it
}

// who is what files say of participants besides; attribute.<name> is one of their attributes.
var who = []field{{"participant", text, ""}, {"name", text, ""}, {"email", text, ""}, {"participant_kind", text, ""}, {"country", text, ""}}

// choices are the rows and fields of each kind of file.
var choices = map[Kind]struct {
	each     []Each
	fields   []field
	personal bool // rows are about participants
}{
	Payroll: {[]Each{EachParticipant, EachComponent}, slices.Concat(who, []field{{"period", text, ""}, {"period_start", date, ""}, {"period_end", date, ""}, {"revision", number, ""},
		{"plan", text, EachComponent}, {"component", text, EachComponent}, {"line_kind", text, EachComponent}, {"currency", text, ""}, {"amount", amount, ""}, {"withheld", amount, EachParticipant}, {"to_pay", amount, EachParticipant}}), true},
	Journal: {[]Each{EachTotal, EachPosting}, []field{{"number", text, ""}, {"date", date, ""}, {"kind", text, ""}, {"period", text, ""}, {"revision", number, ""}, {"description", text, ""},
		{"account", text, ""}, {"participant", text, EachPosting}, {"rail", text, ""}, {"currency", text, ""}, {"debit", amount, ""}, {"credit", amount, ""}, {"amount", amount, ""}}, false},
	Register: {nil, slices.Concat(who, []field{{"payout", text, ""}, {"period", text, ""}, {"revision", number, ""}, {"currency", text, ""}, {"amount", amount, ""}, {"rail", text, ""},
		{"reference", text, ""}, {"rail_id", text, ""}, {"stands", text, ""}, {"submitted_on", date, ""}, {"paid_on", date, ""}, {"came_back_on", date, ""}, {"recalled", amount, ""}}), true},
	YearEnd:     {nil, slices.Concat(who, []field{{"year", number, ""}, {"currency", text, ""}, {"total", text, ""}, {"amount", amount, ""}}), true},
	Contractors: {nil, slices.Concat(who, []field{{"year", number, ""}, {"currency", text, ""}, {"amount", amount, ""}, {"withheld", amount, ""}}), true},
	ContractCosts: {nil, []field{{"contract", text, ""}, {"month", date, ""}, {"currency", text, ""}, {"opening", amount, ""}, {"capitalised", amount, ""}, {"amortised", amount, ""},
		{"written_off", amount, ""}, {"closing", amount, ""}}, false},
}

// Request names a file. What a kind of file has no use for is zero.
type Request struct {
	Kind     Kind
	Template string // "" is the standard one of the kind
	Version  int    // of the template; 0 is the latest
	Period   string
	Revision int // 0 is the latest that is not cancelled
	From, To incentive.Date
	Year     int
	Currency incentive.Currency // "" is all of them
	Least    incentive.Money    // contractors: who was paid less is left out, unless tax was kept
	Longest  int                // contract costs: months of contracts whose cost is expensed at once, and left out
	Through  int64              // the last journal entry that counts, or of contract costs the last posted line; 0 is the newest
	People   int64              // the last record of a participant that counts, or of contract costs of a transaction; 0 is the newest
}

//go:embed templates
var templates embed.FS

// Standard returns the documents of the templates that every company has, by name.
func Standard() map[string]string {
	all := map[string]string{}
	for _, name := range []string{"payroll", "payroll-components", "journal", "postings", "quickbooks", "xero", "register", "year-end", "contractors", "contract-costs"} {
		text, err := templates.ReadFile("templates/" + name + ".yaml")
		if err != nil {
			panic(err) // it is part of the program
		}
		all[name] = string(text)
	}
	return all
}
