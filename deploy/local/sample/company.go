// Package sample makes up a company: people, quotas, a year of deals and the plans that
// pay for them, in the files that a real company would import.
package sample

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/points"
)

// Name and zone of the sample company.
const (
	Name     = "Harbour & Pine"
	TimeZone = "Asia/Jakarta"
	Calendar = "monthly"
)

// People to sign in as.
const (
	Administrator  = "p01"
	FinancePrepare = "p02" // locks, publishes and closes
	FinanceRelease = "p03" // releases
	Auditor        = "p04"
	Head           = "p05" // of sales
	FinanceApprove = "p41" // approves where nobody is above
)

// Company is a generated company as CSV files, each with a header row.
type Company struct {
	Participants, Roles, Calendars, Quotas, Transactions, Credits, Assignments, Destinations, Opportunities []byte
	Months                                                                                                  []string // ids of its periods, oldest first
}

var (
	firstNames = []string{"Adi", "Amara", "Bima", "Clara", "Dewi", "Elena", "Farid", "Gita", "Hana", "Ivan", "Jonas", "Kartika", "Lena", "Marco", "Nadia", "Oscar", "Putri", "Rafi", "Sari", "Tomas"}
	lastNames  = []string{"Santoso", "Weber", "Okafor", "Rossi", "Wijaya", "Novak", "Lindqvist", "Hartono", "Moreau", "Tan", "Keller", "Pratama", "Silva", "Berg", "Nugroho"}
	products   = []string{"platform", "platform", "services", "training"}
)

// team is a manager with reps who sell in one currency.
type team struct {
	country, currency string
	scale             int64 // of quotas and deals, so that both currencies look real
	reps              int
	kind              incentive.ParticipantKind // of the reps
}

var teams = []team{
	{"US", "USD", 1, 6, incentive.Employee}, {"US", "USD", 1, 6, incentive.Employee}, {"US", "USD", 1, 6, incentive.Contractor},
	{"DE", "EUR", 1, 6, incentive.Employee}, {"DE", "EUR", 1, 6, incentive.Employee},
}

// teamOf returns the ids of a team's manager and representatives: people are numbered in the
// order in which they stand here, after administrator, finance, auditor and head of sales.
func teamOf(n int) (manager string, representatives []string) {
	before := 5
	for _, t := range teams[:n] {
		before += 1 + t.reps
	}
	for i := range teams[n].reps {
		representatives = append(representatives, personID(before+2+i))
	}
	return personID(before + 1), representatives
}

func personID(number int) string { return fmt.Sprintf("p%02d", number) }

// withObjectives are the managers who have objectives: of the teams that sell in dollars.
func withObjectives() (managers []string) {
	for n, t := range teams {
		if t.currency == "USD" {
			manager, _ := teamOf(n)
			managers = append(managers, manager)
		}
	}
	return managers
}

// Generate makes the company whose latest whole month is the one before today: the same
// day gives the same company.
func Generate(today incentive.Date) Company {
	random := rand.New(rand.NewPCG(20, 26))
	firstOfMonth := time.Date(today.Year, today.Month, 1, 0, 0, 0, 0, time.UTC)
	start := firstOfMonth.AddDate(-1, 0, 0)
	since := incentive.DateOf(start).String()

	people := newTable("id", "from", "name", "email", "kind", "manager", "country", "currency", "commission_rate", "bonus")
	roles := newTable("id", "role")
	calendars := newTable("calendar", "code", "first", "last")
	quotas := newTable("id", "first", "last", "amount")
	deals := newTable("deal", "closed", "amount", "currency", "owner", "product", "customer")
	credits := newTable("deal", "id", "role", "share")
	assignments := newTable("id", "plan", "from")
	destinations := newTable("id", "rail", "account", "holder", "bank", "product", "share")

	person := 0
	name := func() string {
		person++
		return firstNames[(person*7)%len(firstNames)] + " " + lastNames[(person*11)%len(lastNames)]
	}
	add := func(kind incentive.ParticipantKind, manager, country, currency, rate, bonus string, held ...incentive.Role) (id, called string) {
		called = name()
		id = personID(person)
		people.row(id, since, called, id+"@harbour-pine.example", string(kind), manager, country, currency, rate, bonus)
		for _, role := range held {
			roles.row(id, string(role))
		}
		return id, called
	}
	add(incentive.Employee, "", "ID", "USD", "", "", incentive.Administrator)
	add(incentive.Employee, "", "ID", "USD", "", "", incentive.Finance)
	add(incentive.Employee, "", "ID", "USD", "", "", incentive.Finance)
	add(incentive.Employee, "", "ID", "USD", "", "", incentive.Auditor)
	head, called := add(incentive.Employee, "", "US", "USD", "", "", incentive.Manager, incentive.Rep)
	assignments.row(head, "head-of-sales", since)
	pays := 0
	// Employees are paid by the file for payroll, contractors through Stripe, one of them by both and
	// another one also in points.
	payTo := func(id, called, currency string, kind incentive.ParticipantKind) {
		pays++
		account, bank := iban(pays), ""
		if currency == "USD" {
			account, bank = fmt.Sprintf("4400%06d", pays), "021000021"
		}
		switch {
		case kind == incentive.Employee:
			destinations.row(id, "payment-file", account, called, bank, "", "1")
		case pays%5 == 0:
			destinations.row(id, "stripe", "acct_"+id+"harbourpine", "", "", "", "0.8")
			destinations.row(id, "payment-file", account, called, bank, "", "0.2")
		case pays%5 == 1:
			destinations.row(id, "stripe", "acct_"+id+"harbourpine", "", "", "", "0.9")
			destinations.row(id, incentive.PointsRail, "", "", "", points.Own, "0.1")
		default:
			destinations.row(id, "stripe", "acct_"+id+"harbourpine", "", "", "", "1")
		}
	}
	payTo(head, called, "USD", incentive.Employee)

	type seller struct {
		id   string
		team team
	}
	var sellers []seller
	for _, t := range teams {
		region := map[string]string{"USD": "", "EUR": "-europe"}[t.currency]
		bonus := ""
		if t.currency == "USD" {
			bonus = "1500" // of objectives
		}
		manager, called := add(incentive.Employee, head, t.country, t.currency, "", bonus, incentive.Manager, incentive.Rep)
		assignments.row(manager, "team-override"+region, since)
		if bonus != "" {
			assignments.row(manager, "manager-objectives", incentive.DateOf(firstOfMonth.AddDate(0, -1, 0)).String())
		}
		payTo(manager, called, t.currency, incentive.Employee)
		for range t.reps {
			id, called := add(t.kind, manager, t.country, t.currency, "0.0"+strconv.Itoa(4+random.IntN(4)), strconv.Itoa(250*(2+random.IntN(5))), incentive.Rep)
			assignments.row(id, "new-business"+region, since)
			payTo(id, called, t.currency, t.kind)
			sellers = append(sellers, seller{id, t})
		}
	}

	add(incentive.Employee, "", "ID", "USD", "", "", incentive.Finance)

	var months []string
	number := 0
	for month := start; !month.After(firstOfMonth); month = month.AddDate(0, 1, 0) {
		last := month.AddDate(0, 1, -1)
		code := month.Format("2006-01")
		calendars.row(Calendar, code, incentive.DateOf(month).String(), incentive.DateOf(last).String())
		if month.Before(firstOfMonth) {
			months = append(months, Calendar+"-"+code)
		}
		for i, s := range sellers {
			quota := (30 + int64(random.IntN(5))*5) * 1000 * s.team.scale
			quotas.row(s.id, incentive.DateOf(month).String(), incentive.DateOf(last).String(), strconv.FormatInt(quota, 10))
			for range 2 + random.IntN(4) {
				day := month.AddDate(0, 0, random.IntN(last.Day()))
				if incentive.DateOf(day).After(today) {
					continue
				}
				number++
				deal := fmt.Sprintf("D-%05d", number)
				amount := fmt.Sprintf("%d.%02d", int64(2000+random.IntN(18000))*s.team.scale, random.IntN(100))
				deals.row(deal, incentive.DateOf(day).String(), amount, s.team.currency, s.id, products[random.IntN(len(products))], fmt.Sprintf("Customer %03d", random.IntN(300)))
				if random.IntN(6) == 0 && sellers[(i+1)%len(sellers)].team == s.team {
					credits.row(deal, s.id, "owner", "0.7")
					credits.row(deal, sellers[(i+1)%len(sellers)].id, "overlay", "0.3")
				} else {
					credits.row(deal, s.id, "owner", "1")
				}
			}
		}
	}
	// Of their own chance, so that everything else stays as it is.
	chance := rand.New(rand.NewPCG(20, 27))
	opportunities := newTable("id", "name", "stage", "close", "amount", "currency", "owner", "product")
	stages := []string{"Qualified", "Proposal", "Negotiation", "Verbal"}
	for _, s := range sellers {
		for range 2 + chance.IntN(3) {
			number++
			opportunities.row(fmt.Sprintf("D-%05d", number), fmt.Sprintf("Customer %03d", chance.IntN(300)), stages[chance.IntN(len(stages))], today.AddDays(1+chance.IntN(40)).String(),
				strconv.FormatInt(int64(2000+chance.IntN(18000))*s.team.scale, 10), s.team.currency, s.id, products[chance.IntN(len(products))])
		}
	}
	return Company{Participants: people.bytes(), Roles: roles.bytes(), Calendars: calendars.bytes(), Quotas: quotas.bytes(), Transactions: deals.bytes(),
		Credits: credits.bytes(), Assignments: assignments.bytes(), Destinations: destinations.bytes(), Opportunities: opportunities.bytes(), Months: months}
}

// iban returns a made-up German account whose check digits are right (ISO 13616: the
// whole, with the country and "00" moved behind as numbers, leaves 98 minus its rest).
func iban(number int) string {
	account := fmt.Sprintf("37040044%010d", number)
	rest := 0
	for _, digit := range account + "131400" { // D and E are 13 and 14
		rest = (rest*10 + int(digit-'0')) % 97
	}
	return fmt.Sprintf("DE%02d%s", 98-rest, account)
}

// csvTable is a CSV file in the making.
type csvTable struct {
	buffer *bytes.Buffer
	writer *csv.Writer
}

func newTable(header ...string) csvTable {
	buffer := &bytes.Buffer{}
	t := csvTable{buffer, csv.NewWriter(buffer)}
	t.row(header...)
	return t
}

// row cannot fail: it writes to memory.
func (t csvTable) row(cells ...string) { _ = t.writer.Write(cells) }

func (t csvTable) bytes() []byte {
	t.writer.Flush()
	return t.buffer.Bytes()
}
