package nacha_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moov-io/ach"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/railtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// monday is a clock that stands still on a banking day.
func monday() time.Time { return time.Date(2026, time.November, 23, 13, 30, 19, 5, time.UTC) }

func config() nacha.Config {
	return nacha.Config{Company: "Müller & Söhne", CompanyID: "1123456789", Bank: "021000021", BankName: "Bank of Examples", LeadDays: 1, Now: monday}
}

func newRail(t require.TestingT, c nacha.Config) *nacha.Rail {
	rail, err := nacha.New(c)
	require.NoError(t, err)
	return rail
}

// destination takes holder, routing, account, kind and owner.
func destination(details ...string) payments.Destination {
	d := payments.Destination{}
	for i, name := range []string{nacha.HolderDetail, nacha.RoutingDetail, nacha.AccountDetail, nacha.KindDetail, nacha.OwnerDetail} {
		if i < len(details) && details[i] != "" {
			d[name] = details[i]
		}
	}
	return d
}

func TestContract(t *testing.T) {
	t.Parallel()
	railtest.RunSuite(t, railtest.Subject{
		Rail: newRail(t, config()), Currency: "USD", Good: destination("  Zoë  O’Brien-Núñez", "0210-0002 1", "123 456-78a", "SAVINGS", "company"),
		Bad: []payments.Destination{
			destination("Ann", "021000022", "12345678"), destination("Ann", "990000002", "12345678"), destination("Ann", "12345678", "12345678"), destination("Ann", "021000021", "123456789012345678"),
			destination("Ann", "021000021", "12_34"), destination("Ann", "021000021", "---"), destination("", "021000021", "12345678"), destination("株式会社 山田", "021000021", "12345678"),
			destination("Ann", "021000021", "12345678", "loan"), destination("Ann", "021000021", "12345678", "checking", "dog"), destination("Ann", "", "12345678"),
		},
	})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*nacha.Config){
		"no clock":         func(c *nacha.Config) { c.Now = nil },
		"no company":       func(c *nacha.Config) { c.Company = "" },
		"company's name":   func(c *nacha.Config) { c.Company = "山田" },
		"company's id":     func(c *nacha.Config) { c.CompanyID = "12345" },
		"bank":             func(c *nacha.Config) { c.Bank = "021000022" },
		"bank's name":      func(c *nacha.Config) { c.BankName = " " },
		"origin":           func(c *nacha.Config) { c.Origin = "021000022" },
		"description":      func(c *nacha.Config) { c.Description = "REVERSAL" },
		"long description": func(c *nacha.Config) { c.Description = "COMMISSIONS" },
		"lead in the past": func(c *nacha.Config) { c.LeadDays = -1 },
	} {
		c := config()
		change(&c)
		_, err := nacha.New(c)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
	}
	none := config()
	none.Name = "ach-of-chase"
	rail := newRail(t, none)
	require.Equal(t, "ach-of-chase", rail.Name())
	require.Equal(t, "nacha", newRail(t, config()).Name())
}

func payoutID(i int) string { return fmt.Sprintf("6b2f0a34-00%02d-4000-8000-000000000000", i) }

func request(to ...payments.Destination) payments.FileRequest {
	r := payments.FileRequest{PeriodID: "sales_2026.Q3", Revision: 2, Currency: "USD", First: 1_234_567, Number: 2}
	for i, d := range to {
		r.Payments = append(r.Payments, payments.FilePayment{PayoutID: payoutID(i), Amount: incentive.Money{Minor: int64(76_516 + i), Currency: "USD"}, Destination: d})
	}
	return r
}

func everyKind(t require.TestingT) payments.FileRequest {
	r := request(
		destination("Anna Featherstonehaugh-Mainwaring", "021000021", "12345678"), destination("Ben Company LLC", "011401533", "00998877", "savings", "company"),
		destination("Zoë Núñez", "091400606", "777-88-9999", "savings"), destination("Carl & Sons", "122105155", "1", "checking", "company"))
	r.Payments[3].Destination[nacha.AccountDetail] = "100"
	rail := newRail(t, config())
	for i := range r.Payments {
		clean, _, err := rail.ValidateDestination(r.Payments[i].Destination)
		require.NoError(t, err)
		r.Payments[i].Destination = clean
	}
	return r
}

// The file as it stands, which was read line by line beside the published layout.
func TestFiles(t *testing.T) {
	t.Parallel()
	rail := newRail(t, config())
	file, err := rail.BuildFile(t.Context(), everyKind(t))
	require.NoError(t, err)
	path := filepath.Join("testdata", "credits.ach")
	if *update {
		require.NoError(t, os.WriteFile(path, file.Content, 0o644))
	}
	golden, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(golden), string(file.Content))
	require.Equal(t, "2026-11-24", file.EffectiveOn.String())
	require.Len(t, file.Traces, 4)
	require.Equal(t, "021000021234567", file.Traces[payoutID(0)])
	require.Equal(t, "021000021234569", file.Traces[payoutID(1)], "companies come after people")
	// Reckoned by hand: the hash is the sum of the first eight digits of the routing numbers.
	f, err := nacha.Inspect(file.Content)
	require.NoError(t, err)
	require.Equal(t, 2_100_002+1_140_153+9_140_060+12_210_515, f.Control.EntryHash)
	require.Equal(t, 4*76_516+0+1+2+3, f.Control.TotalCreditEntryDollarAmountInFile)
	require.Equal(t, "PAYROLL", f.Batches[0].GetHeader().CompanyEntryDescription)
	require.Equal(t, ach.PPD, f.Batches[0].GetHeader().StandardEntryClassCode)
	require.Equal(t, ach.CCD, f.Batches[1].GetHeader().StandardEntryClassCode)
	require.Equal(t, "B", f.Header.FileIDModifier, "the second of the day")
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*payments.FileRequest)
		named  bool // the payment is named as the reason
	}{
		"nothing to pay":        {func(r *payments.FileRequest) { r.Payments = nil }, false},
		"no revision":           {func(r *payments.FileRequest) { r.Revision = 0 }, false},
		"period's id":           {func(r *payments.FileRequest) { r.PeriodID = "a b" }, false},
		"37th file":             {func(r *payments.FileRequest) { r.Number = 37 }, false},
		"trace numbers end":     {func(r *payments.FileRequest) { r.First = 9_999_999 }, false},
		"euros":                 {func(r *payments.FileRequest) { r.Payments[0].Amount.Currency = "EUR" }, true},
		"more than ten digits":  {func(r *payments.FileRequest) { r.Payments[0].Amount.Minor = 99_999_999_99 + 1 }, true},
		"nothing":               {func(r *payments.FileRequest) { r.Payments[0].Amount.Minor = 0 }, true},
		"id of 16 characters":   {func(r *payments.FileRequest) { r.Payments[0].PayoutID = strings.Repeat("a", 16) }, true},
		"ids that begin alike":  {func(r *payments.FileRequest) { r.Payments[0].PayoutID = payoutID(1)[:35] + "1" }, true},
		"destination not clean": {func(r *payments.FileRequest) { r.Payments[0].Destination = destination("Ann", "021000021", "12345678") }, true},
	} {
		r := everyKind(t)
		c.change(&r)
		built, err := newRail(t, config()).BuildFile(t.Context(), r)
		var refused *payments.Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, payments.Definite, refused.Class, name)
		require.Equal(t, c.named, len(refused.Refused) > 0, name)
		require.Zero(t, built)
	}
}

func TestEffectiveDate(t *testing.T) {
	t.Parallel()
	chicago, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	for _, c := range []struct {
		now            string
		lead           int
		zone           *time.Location
		expected, paid string
	}{
		{"2026-11-23T13:00:00Z", 0, nil, "2026-11-23", "2026-11-25"},
		{"2026-11-25T13:00:00Z", 1, nil, "2026-11-27", "2026-12-01"}, // over Thanksgiving, and a weekend
		{"2026-11-28T13:00:00Z", 0, nil, "2026-11-30", "2026-12-02"}, // Saturday
		{"2026-07-02T13:00:00Z", 1, nil, "2026-07-03", "2026-07-07"}, // 4 July is a Saturday: Friday is worked on
		{"2027-07-02T13:00:00Z", 1, nil, "2027-07-06", "2027-07-08"}, // 4 July is a Sunday: Monday is not
		{"2026-06-18T13:00:00Z", 1, nil, "2026-06-22", "2026-06-24"}, // Juneteenth
		{"2026-12-24T13:00:00Z", 1, nil, "2026-12-28", "2026-12-30"},
		{"2026-12-31T13:00:00Z", 1, nil, "2027-01-04", "2027-01-06"},
		{"2026-10-09T13:00:00Z", 1, nil, "2026-10-13", "2026-10-15"},     // Columbus Day
		{"2026-11-24T03:00:00Z", 0, chicago, "2026-11-23", "2026-11-27"}, // evening in Chicago; the day after, in UTC, is when it is taken to the bank
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		with := config()
		with.Now, with.LeadDays, with.Zone = func() time.Time { return now }, c.lead, c.zone
		rail := newRail(t, with)
		file, err := rail.BuildFile(t.Context(), everyKind(t))
		require.NoError(t, err)
		require.Equal(t, c.expected, file.EffectiveOn.String(), c.now)
		require.Equal(t, c.paid, rail.PresumedPaid(file.EffectiveOn, incentive.DateOf(now)).String(), c.now)
	}
	rail := newRail(t, config())
	day := incentive.MustParseDate
	require.Equal(t, "2026-12-02", rail.PresumedPaid(day("2026-11-24"), day("2026-11-30")).String(), "taken to the bank late")
}

// Whatever is changed in a control field, or in one that the rules fix, the file is refused.
func TestMutations(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("testdata", "credits.ach"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	// By kind of record, the places from and before which each character counts.
	fields := map[byte]map[string][2]int{
		'1': {"priority": {1, 3}, "record size": {34, 37}, "blocking": {37, 39}, "format": {39, 40}},
		'5': {"service class": {1, 4}, "company": {40, 50}, "class": {50, 53}, "originator": {78, 79}, "bank": {79, 87}, "number": {87, 94}},
		'6': {"code": {2, 3}, "bank": {3, 11}, "check digit": {11, 12}, "amount": {29, 39}, "addenda": {78, 79}, "trace's bank": {79, 87}},
		'8': {"service class": {1, 4}, "count": {4, 10}, "hash": {10, 20}, "debits": {20, 32}, "credits": {32, 44}, "company": {44, 54}, "bank": {79, 87}, "number": {87, 94}},
		'9': {"batches": {1, 7}, "blocks": {7, 13}, "count": {13, 21}, "hash": {21, 31}, "debits": {31, 43}, "credits": {43, 55}},
	}
	_, err = nacha.Inspect(content)
	require.NoError(t, err)
	tried := 0
	for i, line := range lines {
		if strings.Trim(line, "9") == "" {
			continue
		}
		for field, place := range fields[line[0]] {
			for at := place[0]; at < place[1]; at++ {
				other := byte('1')
				if line[at] >= '0' && line[at] <= '8' {
					other = line[at] + 1
				}
				if line[0] == '6' && field == "code" && at == place[1]-1 {
					other = '7' // a debit
				}
				changed := append([]string{}, lines...)
				changed[i] = line[:at] + string(other) + line[at+1:]
				_, err := nacha.Inspect([]byte(strings.Join(changed, "\n") + "\n"))
				require.Equal(t, nacha.CodeFileFaulty, incentive.ErrorCode(err), "line %d, %s, character %d:\n%s", i+1, field, at+1, changed[i])
				tried++
			}
		}
	}
	require.Greater(t, tried, 300)
	for name, changed := range map[string]string{
		"a line less":   strings.Join(append(append([]string{}, lines[:2]...), lines[3:]...), "\n") + "\n",
		"a line twice":  strings.Join(append(append([]string{}, lines[:3]...), lines[2:]...), "\n") + "\n",
		"a short line":  strings.Replace(string(content), " ", "", 1),
		"a filler more": string(content) + strings.Repeat("9", 94) + "\n",
		"a block more":  string(content) + strings.Repeat(strings.Repeat("9", 94)+"\n", 10),
		"half":          string(content[:len(content)/2]),
		"nothing":       "",
	} {
		_, err := nacha.Inspect([]byte(changed))
		require.Equal(t, nacha.CodeFileFaulty, incentive.ErrorCode(err), name)
	}
}

// Any payments that the rail takes make a file that says what was asked for.
func TestAnyPayments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := config()
		c.LeadDays = rapid.IntRange(0, 30).Draw(t, "lead")
		now := monday().Add(time.Duration(rapid.IntRange(-20_000, 20_000).Draw(t, "hours")) * time.Hour)
		c.Now = func() time.Time { return now }
		rail := newRail(t, c)
		r := payments.FileRequest{PeriodID: "p", Revision: 1, Currency: "USD", First: rapid.Int64Range(0, 9_000_000).Draw(t, "first"), Number: rapid.IntRange(0, 36).Draw(t, "number")}
		total := int64(0)
		for i := range rapid.IntRange(1, 40).Draw(t, "payments") {
			to, _, err := rail.ValidateDestination(destination(
				rapid.StringMatching(`[A-Za-zÀ-ÖØ-öø-ſ][A-Za-zÀ-ÖØ-öø-ň .,'’()-]{0,60}[a-zß]`).Draw(t, "holder"), rapid.SampledFrom([]string{"021000021", "011401533", "091400606", "122105155"}).Draw(t, "routing"),
				rapid.StringMatching(`[0-9A-Z]{3,17}`).Draw(t, "account"), rapid.SampledFrom([]string{"", "checking", "savings"}).Draw(t, "kind"), rapid.SampledFrom([]string{"", "person", "company"}).Draw(t, "owner")))
			require.NoError(t, err)
			minor := rapid.Int64Range(1, 99_999_999_99).Draw(t, "minor")
			total += minor
			r.Payments = append(r.Payments, payments.FilePayment{PayoutID: payoutID(i), Amount: incentive.Money{Minor: minor, Currency: "USD"}, Destination: to})
		}
		file, err := rail.BuildFile(context.Background(), r)
		require.NoError(t, err)
		f, err := nacha.Inspect(file.Content)
		require.NoError(t, err)
		require.EqualValues(t, total, f.Control.TotalCreditEntryDollarAmountInFile)
		require.Zero(t, bytes.Count(file.Content, []byte("\n"))%10)
	})
}

func FuzzInspect(f *testing.F) {
	for _, name := range []string{"credits.ach"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(content)
	}
	tried, err := newRail(f, config()).BuildPrenotes(f.Context(), prenotesOf(f))
	require.NoError(f, err)
	f.Add(tried.Content)
	f.Fuzz(func(t *testing.T, content []byte) {
		if file, err := nacha.Inspect(content); err == nil {
			require.NotNil(t, file)
		} else {
			require.Equal(t, nacha.CodeFileFaulty, incentive.ErrorCode(err))
		}
	})
}
