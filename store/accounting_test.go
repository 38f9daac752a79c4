package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// file makes a file twice, the second time naming what counted the first time, and
// returns it with its lines.
func (b *books) file(r accounting.Request) (store.File, []string) {
	b.Helper()
	var out, again bytes.Buffer
	f, err := b.MakeFile(b.Context(), "fin", r, &out)
	require.NoError(b, err)
	require.Equal(b, incentive.Digest(sha256.Sum256(out.Bytes())), f.SHA256)
	r.Template, r.Version, r.Revision, r.Through, r.People = f.Template, f.Version, f.Revision, f.Through, f.People
	same, err := b.MakeFile(b.Context(), "fin2", r, &again)
	require.NoError(b, err)
	require.Equal(b, f, same)
	require.Equal(b, out.String(), again.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(b, lines, f.Rows+1)
	return f, lines[1:]
}

func day(text string) incentive.Date { return incentive.MustParseDate(text) }

// request is of everything that there is of a kind.
func request(kind accounting.Kind, template string) accounting.Request {
	return accounting.Request{Kind: kind, Template: template, From: day("2026-01-01"), To: day("9999-12-31")}
}

// template stores a template of a few fields.
func (b *books) template(name, of, each string, fields ...string) {
	b.Helper()
	text := "template: " + name + "\nof: " + of + "\n"
	if each != "" {
		text += "each: " + each + "\n"
	}
	text += "columns:\n"
	for _, field := range fields {
		text += "  - {heading: " + field + ", field: " + field + "}\n"
	}
	_, err := b.PutFileTemplate(b.Context(), "fin", text)
	require.NoError(b, err)
}

// TestPayrollFile takes over what a release pays, of revisions only what they add.
func TestPayrollFile(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	pay := func(revision int, template string) []string {
		b.Helper()
		_, lines := b.file(accounting.Request{Kind: accounting.Payroll, Template: template, Period: january, Revision: revision})
		return lines
	}
	b.plan("bonus", "components: [{name: bonus, measure: {sum: credits}, rate: 1%}]")
	b.assign("ann", "bonus", "2026-01-01")
	b.deal("d1", "2026-01-10", "1000.50")
	b.open(january)
	b.calculate(january)
	b.publish(january)
	refused := func(code incentive.Code, says string, r accounting.Request) {
		b.Helper()
		_, err := b.MakeFile(b.Context(), "fin", r, &bytes.Buffer{})
		require.Equal(b, code, incentive.ErrorCode(err))
		require.ErrorContains(b, err, says)
	}
	refused(incentive.CodeNotAllowedNow, "is approving: payroll takes over a period once it is released", accounting.Request{Kind: accounting.Payroll, Period: january})
	refused(incentive.CodeNotFound, "has not been opened", accounting.Request{Kind: accounting.Payroll, Period: monthOf(2)})
	require.NoError(b, b.decide(january))
	_, err := b.ApprovePeriod(b.Context(), b.command(january, incentive.ApproveLast))
	require.NoError(b, err)
	// Taken back, and approved again: only what stands counts.
	_, err = b.Withdraw(b.Context(), b.command(january, incentive.Withdraw))
	require.NoError(b, err)
	b.deal("d1", "2026-01-10", "2000.50")
	b.amend(january, store.Change{Kind: "transaction", ID: "crm/d1"})
	b.approve(january)
	refused(incentive.CodeNotAllowedNow, "is approved: payroll takes over a period once it is released", accounting.Request{Kind: accounting.Payroll, Period: january})
	b.pay(january)
	require.Equal(t, []string{"ann,Name of ann,employee,ID,monthly-2026-01,2026-01-01,2026-01-31,1,USD,220.06,0.00,220.06"}, pay(0, ""))
	require.Equal(t, []string{"ann,Name of ann,employee,ID,monthly-2026-01,1,bonus,bonus,earning,USD,20.01", "ann,Name of ann,employee,ID,monthly-2026-01,1,flat,commission,earning,USD,200.05"}, pay(0, "payroll-components"))
	b.shut(january)

	b.deal("d1", "2026-01-10", "1000.50")
	b.reopen(january)
	b.calculate(january)
	b.approve(january)
	b.pay(january)
	b.template("ours", "payroll", "participant", "participant", "email", "attribute.commission_rate", "amount", "to_pay")
	require.Equal(t, []string{"ann,ann@example.com,0.1,-110.00,0.00"}, pay(2, "ours"), "less is due, and nothing is paid")
	require.Equal(t, []string{"ann,ann@example.com,0.1,220.06,220.06"}, pay(1, "ours"), "what the first revision paid stays as it was")
}

// TestJournalFiles writes the ledger as totals and as postings, of some days.
func TestJournalFiles(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.destination("bob")
	b.assign("bob", "flat", "2026-01-01")
	b.deal("d1", "2026-01-10", "1000")
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "bob", "role": "overlay", "share": "0.5"})
	b.open(monthOf(1))
	b.close(monthOf(1))
	f, lines := b.file(accounting.Request{Kind: accounting.Journal, From: day("2026-01-31"), To: day("2026-01-31")})
	require.Equal(t, []string{
		"2026-01-31,1-USD,approve,monthly-2026-01,1,commission expense,,USD,150.00,",
		"2026-01-31,1-USD,approve,monthly-2026-01,1,payable,,USD,,150.00",
	}, lines)
	require.Equal(t, "journal-2026-01-31-2026-01-31.csv", f.Name())
	_, lines = b.file(accounting.Request{Kind: accounting.Journal, From: day("2026-01-01"), To: day("2026-01-30")})
	require.Empty(t, lines)
	_, lines = b.file(accounting.Request{Kind: accounting.Journal, Currency: "EUR", From: day("2026-01-01"), To: day("9999-12-31")})
	require.Empty(t, lines)
	_, lines = b.file(accounting.Request{Kind: accounting.Journal, Template: "postings", From: day("2026-01-31"), To: day("2026-01-31")})
	require.Equal(t, []string{
		"2026-01-31,1-USD,approve,monthly-2026-01,1,commission expense,,,USD,100.00,",
		"2026-01-31,1-USD,approve,monthly-2026-01,1,payable,ann,,USD,,100.00",
		"2026-01-31,2-USD,approve,monthly-2026-01,1,commission expense,,,USD,50.00,",
		"2026-01-31,2-USD,approve,monthly-2026-01,1,payable,bob,,USD,,50.00",
	}, lines)
	for name, want := range map[string]string{
		"quickbooks": "1-USD,01/31/2026,commission expense,150.00,,\"monthly-2026-01, revision 1: approve (USD)\",USD\n1-USD,01/31/2026,payable,,150.00,\"monthly-2026-01, revision 1: approve (USD)\",USD",
		"xero":       "\"monthly-2026-01, revision 1: approve (USD)\",31/01/2026,commission expense,commission expense,Tax Exempt,150.00\n\"monthly-2026-01, revision 1: approve (USD)\",31/01/2026,payable,payable,Tax Exempt,-150.00",
	} {
		_, lines := b.file(accounting.Request{Kind: accounting.Journal, Template: name, From: day("2026-01-31"), To: day("2026-01-31")})
		require.Equal(t, want, strings.Join(lines, "\n"))
	}
	before, all := b.file(request(accounting.Journal, ""))
	accounts := map[string]int{}
	for _, line := range all {
		accounts[strings.Split(line, ",")[5]]++
	}
	require.Equal(t, map[string]int{"commission expense": 1, "payable": 2, "clearing payment-file": 2, "cash": 1}, accounts)

	// What comes later changes nothing of what counted before.
	b.deal("d1", "2026-01-10", "3000")
	b.reopen(monthOf(1))
	b.close(monthOf(1))
	now, later := b.file(request(accounting.Journal, ""))
	require.Greater(t, len(later), len(all))
	require.NotEqual(t, before.SHA256, now.SHA256)
	r := request(accounting.Journal, "")
	r.Through, r.People = before.Through, before.People
	again, _ := b.file(r)
	require.Equal(t, before, again)
	r.Through = now.Through + 1
	_, err := b.MakeFile(b.Context(), "fin", r, &bytes.Buffer{})
	require.ErrorContains(t, err, fmt.Sprintf("the journal ends with entry %d", now.Through))
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
}

// TestRegisterAndYearEnd follows participants over the end of a year: what they were owed,
// earned and were paid adds up to what they are owed.
func TestRegisterAndYearEnd(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	dated := func(on, entries string) {
		b.Helper()
		storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica; UPDATE journal_entry SET effective_on = '`+on+`' WHERE `+entries)
	}
	b.plan("guaranteed", "components: [{name: commission, measure: {sum: credits}, rate: 10%}]\ndraw: {amount: 50, kind: recoverable}")
	b.assign("bob", "guaranteed", "2026-01-01")
	b.destination("bob")
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	dated("2026-02-03", "kind IN ('submit', 'paid')")
	b.deal("d2", "2026-02-10", "100")
	b.open(monthOf(2))
	b.close(monthOf(2))
	dated("2026-12-31", "kind = 'submit' AND period_id = 'monthly-2026-02'")
	dated("2027-01-04", "kind = 'paid' AND period_id = 'monthly-2026-02'")

	_, lines := b.file(request(accounting.Register, ""))
	var register []string
	for _, line := range lines {
		cells := strings.Split(line, ",")
		require.Len(t, cells, 16)
		require.Len(t, cells[9], 36, "the reference")
		require.Len(t, cells[15], 36, "the payout")
		register = append(register, strings.Join(append(cells[:9:9], cells[10:14]...), ","))
	}
	require.ElementsMatch(t, []string{
		"2026-02-03,ann,Name of ann,employee,monthly-2026-01,1,USD,100.00,payment-file,rail,paid,2026-02-03,",
		"2026-02-03,bob,Name of bob,employee,monthly-2026-01,1,USD,50.00,payment-file,rail,paid,2026-02-03,",
		"2026-12-31,ann,Name of ann,employee,monthly-2026-02,1,USD,10.00,payment-file,rail,paid,2027-01-04,",
		"2026-12-31,bob,Name of bob,employee,monthly-2026-02,1,USD,50.00,payment-file,rail,paid,2027-01-04,",
	}, register)

	_, lines = b.file(accounting.Request{Kind: accounting.YearEnd, Year: 2026})
	of := func(id string) (all []string) {
		for _, line := range lines {
			cells := strings.Split(line, ",")
			require.Equal(t, "Name of "+cells[1]+" employee ID USD", strings.Join(cells[2:6], " "))
			if cells[1] == id {
				all = append(all, cells[0]+" "+cells[6]+" "+cells[7])
			}
		}
		return all
	}
	require.Equal(t, []string{"2026 earned 110.00", "2026 paid 100.00", "2026 on its way 10.00"}, of("ann"))
	require.Equal(t, []string{"2026 draws 100.00", "2026 paid 50.00", "2026 on its way 50.00"}, of("bob"))
	_, lines = b.file(accounting.Request{Kind: accounting.YearEnd, Year: 2027})
	require.Equal(t, []string{"2027 paid 10.00", "2027 on its way -10.00"}, of("ann"), "what was on its way has been paid")

	// Owed at the end of one year is owed at the start of the next.
	dated("2027-01-04", "kind IN ('submit', 'paid')")
	_, lines = b.file(accounting.Request{Kind: accounting.YearEnd, Year: 2026})
	require.Equal(t, []string{"2026 earned 110.00", "2026 owed at the end 110.00"}, of("ann"))
	_, lines = b.file(accounting.Request{Kind: accounting.YearEnd, Year: 2027})
	require.Equal(t, []string{"2027 owed at the start 110.00", "2027 paid 110.00"}, of("ann"))

	// A name that was corrected since is written only where it counts.
	before, _ := b.file(accounting.Request{Kind: accounting.YearEnd, Year: 2027})
	corrected := participant("ann", "boss")
	corrected["name"] = "Name of annie"
	b.put("participant", corrected)
	var out bytes.Buffer
	_, err := b.MakeFile(t.Context(), "fin", accounting.Request{Kind: accounting.YearEnd, Year: 2027}, &out)
	require.NoError(t, err)
	require.Contains(t, out.String(), "annie")
	out.Reset()
	again, err := b.MakeFile(t.Context(), "fin", accounting.Request{Kind: accounting.YearEnd, Year: 2027, Through: before.Through, People: before.People}, &out)
	require.NoError(t, err)
	require.NotContains(t, out.String(), "annie")
	require.Equal(t, before, again)
}

// TestTheSameFileAgain makes every kind of file of January, then lets come what may come later, and makes
// them again by what counted for them: to the last byte they are the same.
func TestTheSameFileAgain(t *testing.T) {
	t.Parallel()
	b, id := paidBooks(t)
	contractor := participant("bob", "boss")
	contractor["kind"], contractor["country"] = "contractor", "US"
	b.put("participant", contractor)
	b.destination("bob")
	b.assign("bob", "flat", "2026-02-01")
	b.contract("d2", "2026-02-01", "1200", map[string]string{"contract_months": "12"})
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "d2", "participant_id": "bob", "role": "overlay", "share": "1"})
	b.open(monthOf(2))
	b.close(monthOf(2))
	b.template("ours", "register", "", "participant", "amount", "stands", "recalled")
	all := []accounting.Request{request(accounting.Register, "ours"), {Kind: accounting.Contractors, Year: 2026, Least: dollars(1)}, {Kind: accounting.YearEnd, Year: 2026}, request(accounting.ContractCosts, "")}
	all[3].To = day("2027-12-31")
	for _, template := range []string{"", "postings", "quickbooks", "xero"} {
		all = append(all, request(accounting.Journal, template))
	}
	all = append(all, request(accounting.Register, ""))
	for _, template := range []string{"", "payroll-components"} {
		all = append(all, accounting.Request{Kind: accounting.Payroll, Period: monthOf(1), Template: template}, accounting.Request{Kind: accounting.Payroll, Period: monthOf(2), Template: template})
	}
	type made struct {
		store.File
		content string
	}
	make := func(r accounting.Request) made {
		t.Helper()
		var out bytes.Buffer
		f, err := b.MakeFile(t.Context(), "fin", r, &out)
		require.NoError(t, err)
		return made{f, out.String()}
	}
	before := []made{}
	for _, r := range all {
		f := make(r)
		require.NotZero(t, f.Rows, "%+v", r)
		before = append(before, f)
	}

	b.comesBack(b.recall(id, dollars(4000)), "paid", 4000)
	b.template("ours", "register", "", "participant")
	contractor["name"], contractor["kind"] = "Name of Robert", "company"
	b.put("participant", contractor)
	b.deal("d1", "2026-01-10", "3000")
	b.contract("d2", "2026-02-01", "2400", map[string]string{"contract_months": "24"})
	for _, month := range []int{1, 2} {
		b.reopen(monthOf(month))
		b.close(monthOf(month))
	}
	b.deal("d3", "2026-03-10", "700")
	b.open(monthOf(3))
	b.close(monthOf(3))

	changed := 0
	for i, r := range all {
		if make(r).SHA256 != before[i].SHA256 {
			changed++
		}
		f := before[i]
		r.Template, r.Version, r.Revision, r.Through, r.People = f.Template, f.Version, f.Revision, f.Through, f.People
		require.Equal(t, f, make(r), "%+v", r)
	}
	require.Equal(t, len(all), changed, "what came later is in each of them by itself")
}

// TestBalancesOfADay sums up to the end of a day, and as it was known before.
func TestBalancesOfADay(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	balances := func(of store.BalancesOf) (string, int64) {
		b.Helper()
		all, through, err := b.BalancesOf(t.Context(), of)
		require.NoError(t, err)
		said := []string{}
		for _, one := range all {
			said = append(said, fmt.Sprint(one.Kind, " ", incentive.Money{Minor: one.Minor, Currency: one.Currency}))
		}
		return strings.Join(said, ", "), through
	}
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	b.pay(monthOf(1))
	storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica; UPDATE journal_entry SET effective_on = '2026-02-03' WHERE kind IN ('submit', 'paid')`)
	for of, want := range map[store.BalancesOf]string{
		{On: day("2026-01-30")}:                       "",
		{On: day("2026-01-31")}:                       "commission expense 100.00 USD, payable -100.00 USD",
		{On: day("2026-02-03")}:                       "cash -100.00 USD, clearing 0.00 USD, commission expense 100.00 USD, payable 0.00 USD",
		{On: day("2026-01-31"), Participant: "ann"}:   "payable -100.00 USD",
		{On: day("2026-01-31"), Participant: "bob"}:   "",
		{On: day("2026-01-31"), PeriodID: monthOf(2)}: "",
		{PeriodID: monthOf(1), Revision: 1}:           "cash -100.00 USD, clearing 0.00 USD, commission expense 100.00 USD, payable 0.00 USD",
		{Through: 1}:                                  "commission expense 100.00 USD, payable -100.00 USD",
		{On: day("2026-02-03"), Through: 1}:           "commission expense 100.00 USD, payable -100.00 USD",
	} {
		said, _ := balances(of)
		require.Equal(t, want, said, "%+v", of)
	}
	before, through := balances(store.BalancesOf{On: day("2026-01-31")})
	b.shut(monthOf(1))
	b.deal("d1", "2026-01-10", "3000")
	b.reopen(monthOf(1))
	b.close(monthOf(1))
	storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica; UPDATE journal_entry SET effective_on = '2026-01-31' WHERE kind = 'approve'`)
	now, _ := balances(store.BalancesOf{On: day("2026-01-31")})
	require.Equal(t, "commission expense 300.00 USD, payable -300.00 USD", now)
	again, _ := balances(store.BalancesOf{On: day("2026-01-31"), Through: through})
	require.Equal(t, before, again)
	_, _, err := b.BalancesOf(t.Context(), store.BalancesOf{Through: 1000})
	require.ErrorContains(t, err, "the journal ends with entry")
}

// TestFilesAreOnRecord puts who took a file with its digest into the audit chain.
func TestFilesAreOnRecord(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	f, _ := b.file(request(accounting.Journal, ""))
	events, err := b.AuditEvents(t.Context(), "file/journal", 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, []string{"fin", "fin2"}, []string{events[0].Actor, events[1].Actor})
	var body store.File
	require.NoError(t, json.Unmarshal([]byte(events[0].Body), &body))
	require.Equal(t, f, body)
	_, _, err = b.VerifyAudit(t.Context())
	require.NoError(t, err)
}

// TestFileTemplates keeps versions of templates, and those that every company has.
func TestFileTemplates(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	names := func() (all []string) {
		list, err := b.FileTemplates(t.Context())
		require.NoError(t, err)
		for _, one := range list {
			all = append(all, fmt.Sprintf("%s %d", one.Name, one.Version))
		}
		return all
	}
	require.Equal(t, []string{"contract-costs 0", "contractors 0", "journal 0", "payroll 0", "payroll-components 0", "postings 0", "quickbooks 0", "register 0", "xero 0", "year-end 0"}, names())
	b.template("xero", "journal", "total", "date", "amount")
	b.template("xero", "journal", "posting", "participant")
	b.template("adp", "payroll", "component", "participant")
	require.Equal(t, []string{"adp 1", "contract-costs 0", "contractors 0", "journal 0", "payroll 0", "payroll-components 0", "postings 0", "quickbooks 0", "register 0", "xero 2", "year-end 0"}, names())
	first, err := b.FileTemplate(t.Context(), "xero", 1)
	require.NoError(t, err)
	require.Equal(t, accounting.EachTotal, first.Each)
	for name, c := range map[string]struct {
		r    accounting.Request
		code incentive.Code
		says string
	}{
		"of another kind":    {request(accounting.Register, "xero"), incentive.CodeInvalid, "template xero is of a journal file, not of a register file"},
		"unknown":            {request(accounting.Register, "sage"), incentive.CodeNotFound, `there is no template "sage"`},
		"of another version": {accounting.Request{Kind: accounting.Journal, Template: "xero", Version: 3}, incentive.CodeNotFound, `there is no template "xero" of that version`},
		"days":               {accounting.Request{Kind: accounting.Journal, From: day("2026-02-01"), To: day("2026-01-01")}, incentive.CodeInvalid, "2026-01-01 is before 2026-02-01"},
	} {
		_, err := b.MakeFile(t.Context(), "fin", c.r, &bytes.Buffer{})
		require.ErrorContains(t, err, c.says, name)
		require.Equal(t, c.code, incentive.ErrorCode(err), name)
	}
	_, files := exported(t, b.Store, false)
	require.Equal(t, first.Document, files["file-templates/xero-1.yaml"])
	_, err = b.PutFileTemplate(t.Context(), "fin", "template: xero\nof: register\ncolumns: [{heading: A, field: name}]")
	require.ErrorContains(t, err, "template xero is of a journal file")
	_, err = b.PutFileTemplate(t.Context(), "fin", "template: xero")
	require.ErrorContains(t, err, "a template lacks")
}

// TestPostedOnTheDayOfTheCompany dates entries in the company's zone: in one of two that
// are more than a day apart it is not the day of UTC.
func TestPostedOnTheDayOfTheCompany(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Pacific/Pago_Pago", "Pacific/Kiritimati"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			s, url := storetest.NewWithURL(t)
			b := booksIn(t, s)
			require.NoError(t, b.SetCompany(t.Context(), store.System, "Test", zone))
			b.deal("d1", "2026-01-10", "1000")
			b.open(monthOf(1))
			b.close(monthOf(1))
			require.NoError(t, storetest.TryExec(t.Context(), url, `SELECT 1 / (count(*) = 2 AND bool_and(effective_on = (posted_at AT TIME ZONE '`+zone+`')::date))::int FROM guerdon.journal_entry WHERE kind <> 'approve'`))
		})
	}
}
