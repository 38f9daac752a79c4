package iso20022_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/iso20022"
	"github.com/guerdon/guerdon/payments/railtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// monday is a clock that stands still on a banking day.
func monday() time.Time { return time.Date(2026, time.November, 23, 13, 30, 19, 5, time.UTC) }

func sepa() iso20022.Config {
	return iso20022.Config{
		Scheme: iso20022.SEPA, Debtor: iso20022.Debtor{Name: "Müller & Söhne GmbH"}, LeadDays: 1, Now: monday,
		Accounts: map[incentive.Currency]iso20022.Account{"EUR": {Number: "DE89370400440532013000", Bank: "COBADEFFXXX"}},
	}
}

func general() iso20022.Config {
	return iso20022.Config{
		Scheme: iso20022.General, Debtor: iso20022.Debtor{Name: "Acme, Inc.", BankReference: "ACME-01", Town: "Zürich", Country: "CH"}, Now: monday,
		Accounts: map[incentive.Currency]iso20022.Account{
			"USD": {Number: "9876543210", Bank: "USABA021000021"}, "JPY": {Number: "1234567", Bank: "BOTKJPJT"}, "KWD": {Number: "KW81CBKU0000000000001234560101", Bank: "CBKUKWKW"},
			"GBP": {Number: "GB29NWBK60161331926819", Bank: "NWBKGB2L"}, "INR": {Number: "50100012345678", Bank: "INFSCHDFC0000001"},
		},
		CategoryPurpose: "SALA", BatchBooking: true,
	}
}

func newRail(t require.TestingT, config iso20022.Config) *iso20022.Rail {
	rail, err := iso20022.New(config)
	require.NoError(t, err)
	return rail
}

// destination takes holder, account and, where they are given, bank, town and country.
func destination(details ...string) payments.Destination {
	d := payments.Destination{}
	for i, name := range []string{iso20022.HolderDetail, iso20022.AccountDetail, iso20022.BankDetail, iso20022.TownDetail, iso20022.CountryDetail} {
		if i < len(details) && details[i] != "" {
			d[name] = details[i]
		}
	}
	return d
}

func TestContract(t *testing.T) {
	t.Parallel()
	for _, version := range []iso20022.Version{iso20022.Version09, iso20022.Version03} {
		t.Run("sepa "+string(version), func(t *testing.T) {
			t.Parallel()
			config := sepa()
			config.Version = version
			railtest.RunSuite(t, railtest.Subject{
				Rail: newRail(t, config), Currency: "EUR",
				Good: destination("  Zoë   O’Brien-Núñez ", "de89 3704-0044 0532 0130 00", "coba de ff"),
				Bad: []payments.Destination{
					destination("Ann", "DE88370400440532013000"), destination("Ann", "123456789"), destination("Ann", "SA0380000000608010167519"), destination("Ann", "DE89370400440532013000", "COBADEFF5"),
					destination("株式会社 山田", "DE89370400440532013000"), destination("", "DE89370400440532013000"), destination("Ann", "DE89370400440532013000", "", "Hamburg", "DE"), destination("Ann", "DE89370400440532013000", "USABA021000021"),
				},
			})
		})
		t.Run("general "+string(version), func(t *testing.T) {
			t.Parallel()
			config := general()
			config.Version = version
			for currency, good := range map[incentive.Currency]payments.Destination{
				"USD": destination("Ann Lee", "12-345 678", "usaba 021000021", "New York", "us"), "JPY": destination("Yamada Taro", "7654321", "JPZGN0001001"),
				"KWD": destination("Ann Lee", "KW81CBKU0000000000001234560101", "CBKUKWKW", "Kuwait", "KW"), "INR": destination("Ravi Kumar", "001234567890", "INFSCHDFC0000001"),
			} {
				railtest.RunSuite(t, railtest.Subject{
					Rail: newRail(t, config), Currency: currency, Good: good,
					Bad: []payments.Destination{
						destination("Ann", "12345678"), destination("Ann", "123", "COBADEFF"), destination("Ann", "ABCDEFGH", "COBADEFF"), destination("Ann", "DE88370400440532013000", "COBADEFF"),
						destination("Ann", "12345678", "USABA021000022"), destination("Ann", "12345678", "COBADEFF", "Hamburg"), destination("Ann", "12345678", "COBADEFF", "", "DE"), destination("Ann", "12345678", "COBADEFF", "Hamburg", "DEU"),
						destination(strings.Repeat("x", 71), "12345678", "COBADEFF"), destination("ß"+strings.Repeat("x", 69), "12345678", "COBADEFF"), destination("12345", "12345678", "COBADEFF"),
					},
				})
			}
		})
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*iso20022.Config){
		"scheme":         func(c *iso20022.Config) { c.Scheme = "swift" },
		"version":        func(c *iso20022.Config) { c.Version = "pain.001.001.02" },
		"no clock":       func(c *iso20022.Config) { c.Now = nil },
		"no account":     func(c *iso20022.Config) { c.Accounts = nil },
		"other currency": func(c *iso20022.Config) { c.Accounts["USD"] = c.Accounts["EUR"] },
		"no currency":    func(c *iso20022.Config) { c.Scheme, c.Accounts["EURO"] = iso20022.General, c.Accounts["EUR"] },
		"debtor's IBAN":  func(c *iso20022.Config) { c.Accounts["EUR"] = iso20022.Account{Number: "DE88370400440532013000"} },
		"debtor's BIC": func(c *iso20022.Config) {
			c.Accounts["EUR"] = iso20022.Account{Number: "DE89370400440532013000", Bank: "X"}
		},
		"no debtor":          func(c *iso20022.Config) { c.Debtor.Name = " " },
		"town alone":         func(c *iso20022.Config) { c.Debtor.Town = "Bonn" },
		"country alone":      func(c *iso20022.Config) { c.Debtor.Country = "DE" },
		"bank's reference":   func(c *iso20022.Config) { c.Debtor.BankReference = "a/b" },
		"remittance":         func(c *iso20022.Config) { c.Remittance = "給与" },
		"long remittance":    func(c *iso20022.Config) { c.Remittance = strings.Repeat("x", 36) },
		"purpose":            func(c *iso20022.Config) { c.CategoryPurpose = "salary" },
		"SEPA's charges":     func(c *iso20022.Config) { c.ChargeBearer = "SHAR" },
		"who bears charges":  func(c *iso20022.Config) { c.Scheme, c.ChargeBearer = iso20022.General, "SLEV" },
		"lead in the past":   func(c *iso20022.Config) { c.LeadDays = -1 },
		"lead of two months": func(c *iso20022.Config) { c.LeadDays = 60 },
		"general, no bank": func(c *iso20022.Config) {
			c.Scheme, c.Accounts["EUR"] = iso20022.General, iso20022.Account{Number: "12345678"}
		},
	} {
		config := sepa()
		change(&config)
		_, err := iso20022.New(config)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
	}
	require.Equal(t, "iso20022-sepa", newRail(t, sepa()).Name())
	require.Equal(t, "iso20022-general", newRail(t, general()).Name())
	named := sepa()
	named.Name = "bank-of-bonn"
	require.Equal(t, "bank-of-bonn", newRail(t, named).Name())
}

func request(currency incentive.Currency, to ...payments.Destination) payments.FileRequest {
	r := payments.FileRequest{PeriodID: "sales_2026.Q3", Revision: 2, Currency: currency}
	for i, d := range to {
		r.Payments = append(r.Payments, payments.FilePayment{
			PayoutID: fmt.Sprintf("6b2f0a34-0000-4000-8000-%012d", i), Amount: incentive.Money{Minor: int64(76516 + i), Currency: currency}, Destination: d,
		})
	}
	return r
}

func sepaRequest() payments.FileRequest {
	return request("EUR", destination("Zoë O’Brien-Núñez", "FR1420041010050500013M02606", "BNPAFRPP"), destination("Łukasz Żak", "PL61109010140000071219812874"), destination("Γιώργος Ψαράς", "GR1601101250000000012300695"))
}

func usdRequest() payments.FileRequest {
	return request("USD", destination("Ann Lee & Sons", "0012345678", "USABA011401533", "New York", "US"), destination("Ravi Kumar", "50100012345678", "HDFCINBB"), destination("Zoe O'Brien", "GB29NWBK60161331926819", "NWBKGB2L"))
}

// The golden files are what a bank would get, byte for byte.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config  iso20022.Config
		version iso20022.Version
		request payments.FileRequest
	}{
		"sepa.pain.001.001.09": {sepa(), iso20022.Version09, sepaRequest()}, "sepa.pain.001.001.03": {sepa(), iso20022.Version03, sepaRequest()},
		"general.pain.001.001.09": {general(), iso20022.Version09, usdRequest()}, "general.pain.001.001.03": {general(), iso20022.Version03, usdRequest()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.config.Version = c.version
			file, err := newRail(t, c.config).BuildFile(t.Context(), c.request)
			require.NoError(t, err)
			path := filepath.Join("testdata", name+".xml")
			if *update {
				require.NoError(t, os.WriteFile(path, file.Content, 0o644))
			}
			golden, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(golden), string(file.Content))
			require.Equal(t, "payments-sales_2026.Q3-2-"+string(c.request.Currency)+"-"+file.MessageID[len(file.MessageID)-8:]+".xml", file.Name)
			requireValid(t, string(c.version), file.Content)
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*payments.FileRequest)
		named  bool // the payment is named as the reason
	}{
		"nothing to pay":          {func(r *payments.FileRequest) { r.Payments = nil }, false},
		"no revision":             {func(r *payments.FileRequest) { r.Revision = 0 }, false},
		"period's id":             {func(r *payments.FileRequest) { r.PeriodID = "a b" }, false},
		"currency of the file":    {func(r *payments.FileRequest) { r.Currency = "USD" }, true},
		"currency of a payment":   {func(r *payments.FileRequest) { r.Payments[0].Amount.Currency = "USD" }, true},
		"amount below zero":       {func(r *payments.FileRequest) { r.Payments[0].Amount.Minor = -1 }, true},
		"more than SEPA pays":     {func(r *payments.FileRequest) { r.Payments[0].Amount.Minor = 999_999_999_99 + 1 }, true},
		"id with a slash":         {func(r *payments.FileRequest) { r.Payments[0].PayoutID = "a/b" }, true},
		"id of 36 characters":     {func(r *payments.FileRequest) { r.Payments[0].PayoutID = strings.Repeat("a", 36) }, true},
		"id like a UUID's digits": {func(r *payments.FileRequest) { r.Payments[0].PayoutID = strings.Repeat("a", 32) }, true},
		"UUID in capitals":        {func(r *payments.FileRequest) { r.Payments[0].PayoutID = strings.ToUpper(r.Payments[0].PayoutID) }, true},
		"destination not cleaned": {func(r *payments.FileRequest) {
			r.Payments[0].Destination = destination("Ann", "DE89 3704 0044 0532 0130 00")
		}, true},
		"destination out of reach": {func(r *payments.FileRequest) {
			r.Payments[0].Destination = destination("Ann", "SA0380000000608010167519")
		}, true},
	} {
		r := sepaRequest()
		c.change(&r)
		built, err := newRail(t, sepa()).BuildFile(t.Context(), r)
		var refused *payments.Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, payments.Definite, refused.Class, name)
		require.Equal(t, c.named, len(refused.Refused) > 0, name)
		require.Zero(t, built)
	}
	// Each amount can be written, but not their sum.
	r := usdRequest()
	for i := range r.Payments {
		r.Payments[i].Amount.Minor = 999_999_999_999_999_999
	}
	_, err := newRail(t, general()).BuildFile(t.Context(), r)
	require.ErrorContains(t, err, "add up to more")
}

// The id is the same for the same payments however often they are built, and another for
// anything else that a bank would do differently.
func TestMessageID(t *testing.T) {
	t.Parallel()
	build := func(change func(*iso20022.Config)) payments.File {
		config := sepa()
		change(&config)
		file, err := newRail(t, config).BuildFile(t.Context(), sepaRequest())
		require.NoError(t, err)
		return file
	}
	first := build(func(*iso20022.Config) {})
	later := build(func(c *iso20022.Config) { c.Now = func() time.Time { return monday().Add(time.Hour) } })
	require.Equal(t, first.MessageID, later.MessageID)
	require.NotEqual(t, first.Content, later.Content)
	require.Equal(t, first, build(func(c *iso20022.Config) { c.Now = func() time.Time { return monday().Add(time.Millisecond) } }))
	for name, change := range map[string]func(*iso20022.Config){
		"day":     func(c *iso20022.Config) { c.LeadDays++ },
		"account": func(c *iso20022.Config) { c.Accounts["EUR"] = iso20022.Account{Number: "NL91ABNA0417164300"} },
		"booking": func(c *iso20022.Config) { c.BatchBooking = true },
	} {
		require.NotEqual(t, first.MessageID, build(change).MessageID, name)
	}
}

func TestExecutionDate(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		now      string
		lead     int
		zone     *time.Location
		holidays []incentive.Date
		expected string
	}{
		{"2026-11-23T13:00:00Z", 0, nil, nil, "2026-11-23"},
		{"2026-11-23T13:00:00Z", 2, nil, nil, "2026-11-25"},
		{"2026-11-27T13:00:00Z", 1, nil, nil, "2026-11-30"}, // Friday: over the weekend
		{"2026-11-28T13:00:00Z", 0, nil, nil, "2026-11-30"}, // Saturday
		{"2026-12-24T13:00:00Z", 1, nil, nil, "2026-12-28"}, // Christmas on Friday and Saturday
		{"2026-12-31T13:00:00Z", 1, nil, nil, "2027-01-04"}, // New Year's Day on Friday
		{"2026-12-31T13:00:00Z", 30, nil, nil, "2027-02-12"},
		{"2026-04-02T13:00:00Z", 1, nil, nil, "2026-04-07"}, // Good Friday to Easter Monday
		{"2026-04-30T13:00:00Z", 1, nil, nil, "2026-05-04"}, // 1 May
		{"2026-11-23T23:30:00Z", 0, berlin, nil, "2026-11-24"},
		{"2026-11-23T13:00:00Z", 0, nil, []incentive.Date{incentive.MustParseDate("2026-11-24"), incentive.MustParseDate("2026-11-23")}, "2026-11-25"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		for _, version := range []iso20022.Version{iso20022.Version09, iso20022.Version03} {
			config := sepa()
			config.Now, config.LeadDays, config.Zone, config.Holidays, config.Version = func() time.Time { return now }, c.lead, c.zone, c.holidays, version
			file, err := newRail(t, config).BuildFile(t.Context(), sepaRequest())
			require.NoError(t, err)
			contents, err := iso20022.Inspect(file.Content)
			require.NoError(t, err)
			require.Equal(t, c.expected, contents.ExecuteOn.String(), "%s + %d", c.now, c.lead)
		}
	}
}

// Easter as the calendars print it.
func TestTargetHolidays(t *testing.T) {
	t.Parallel()
	for year, easterMonday := range map[int]string{2000: "2000-04-24", 2008: "2008-03-24", 2024: "2024-04-01", 2025: "2025-04-21", 2026: "2026-04-06", 2027: "2027-03-29", 2038: "2038-04-26", 2049: "2049-04-19"} {
		holidays := iso20022.TargetHolidays(year)
		require.Len(t, holidays, 6)
		require.True(t, slices.IsSortedFunc(holidays, incentive.Date.Compare))
		require.Equal(t, easterMonday, holidays[2].String())
		require.Equal(t, 3, holidays[1].DaysUntil(holidays[2]))
	}
}

// Any payments that the rail takes make a file that its schema and its meaning allow and
// that says what was asked for.
func TestAnyPayments(t *testing.T) {
	t.Parallel()
	files := map[string][][]byte{}
	rapid.Check(t, func(t *rapid.T) {
		config, currency := sepa(), incentive.Currency("EUR")
		if rapid.Bool().Draw(t, "general") {
			config = general()
			currency = rapid.SampledFrom(slices.Sorted(maps.Keys(config.Accounts))).Draw(t, "currency")
		}
		config.Version = rapid.SampledFrom([]iso20022.Version{iso20022.Version09, iso20022.Version03}).Draw(t, "version")
		config.LeadDays = rapid.IntRange(0, 30).Draw(t, "lead")
		now := monday().Add(time.Duration(rapid.IntRange(-20_000, 20_000).Draw(t, "hours")) * time.Hour)
		config.Now = func() time.Time { return now }
		rail := newRail(t, config)
		r := payments.FileRequest{PeriodID: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,99}`).Draw(t, "period"), Revision: rapid.IntRange(1, 99).Draw(t, "revision"), Currency: currency}
		total := int64(0)
		largest := min(rail.Capabilities().Largest[currency], 999_999_999_999_999_999/30)
		id := rapid.OneOf(rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), rapid.StringMatching(`[A-Za-z0-9]([A-Za-z0-9-]{0,29}[A-Za-z0-9])?`))
		for _, payoutID := range rapid.SliceOfNDistinct(id, 1, 30, rapid.ID[string]).Draw(t, "ids") {
			to, _, err := rail.ValidateDestination(drawDestination(t, config.Scheme))
			require.NoError(t, err)
			minor := rapid.Int64Range(1, largest).Draw(t, "minor")
			total += minor
			r.Payments = append(r.Payments, payments.FilePayment{PayoutID: payoutID, Amount: incentive.Money{Minor: minor, Currency: currency}, Destination: to})
		}
		file, err := rail.BuildFile(context.Background(), r)
		require.NoError(t, err)
		require.Equal(t, incentive.Money{Minor: total, Currency: currency}, file.Total)
		contents, err := iso20022.Inspect(file.Content)
		require.NoError(t, err)
		require.Equal(t, file.Total, contents.Total)
		require.Len(t, contents.Transfers, len(r.Payments))
		if len(files[string(config.Version)]) < 100 {
			files[string(config.Version)] = append(files[string(config.Version)], file.Content)
		}
	})
	for _, version := range slices.Sorted(maps.Keys(files)) {
		requireValid(t, version, files[version]...)
	}
}

func drawDestination(t *rapid.T, scheme iso20022.Scheme) payments.Destination {
	holder := rapid.StringMatching(`[A-Za-zÀ-ÖØ-öø-ſΑ-ΡΣ-Ωα-ωА-Яа-я][A-Za-zÀ-ÖØ-öø-ň .,'’()&/<>-]{0,28}[a-zß]`).Filter(func(s string) bool { return !strings.ContainsAny(s, "<>ъЫыЭэ") }).Draw(t, "holder")
	ibans := []string{"FR1420041010050500013M02606", "PL61109010140000071219812874", "GB29NWBK60161331926819", "MT84MALT011000012345MTLCAST001S", "NO9386011117947"}
	bics := []string{"COBADEFF", "DEUTDEFF500", "BNPAFRPPXXX"}
	if scheme == iso20022.SEPA {
		return destination(holder, rapid.SampledFrom(ibans).Draw(t, "iban"), rapid.SampledFrom(append(bics, "")).Draw(t, "bic"))
	}
	account := rapid.OneOf(rapid.SampledFrom(ibans), rapid.StringMatching(`[0-9]{4,34}`), rapid.StringMatching(`[0-9][A-Z0-9]{3,33}`)).Draw(t, "account")
	bank := rapid.SampledFrom(append(bics, "USABA021000021", "GBDSC601613", "INFSCHDFC0000001", "AUBSB062000")).Draw(t, "bank")
	if rapid.Bool().Draw(t, "address") {
		return destination(holder, account, bank, "Saint-Étienne", "FR")
	}
	return destination(holder, account, bank)
}

// requireValid holds files against the published schema of a message.
func requireValid(t *testing.T, message string, files ...[]byte) {
	t.Helper()
	schema, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data", "iso20022", message+".xsd"))
	require.NoError(t, err)
	_, err = os.Stat(schema)
	xmllint, absent := exec.LookPath("xmllint")
	if (err != nil || absent != nil) && os.Getenv("GUERDON_NO_SKIP") == "" {
		t.Skip("the schemas are not beside the repository, or xmllint is not installed")
	}
	require.NoError(t, err)
	require.NoError(t, absent)
	folder := t.TempDir()
	arguments := []string{"--noout", "--nonet", "--schema", schema}
	for i, content := range files {
		path := filepath.Join(folder, fmt.Sprintf("%d.xml", i))
		require.NoError(t, os.WriteFile(path, content, 0o600))
		arguments = append(arguments, path)
	}
	report, err := exec.CommandContext(t.Context(), xmllint, arguments...).CombinedOutput()
	require.NoError(t, err, "%s", report)
	require.Equal(t, len(files), bytes.Count(report, []byte(" validates\n")))
}
