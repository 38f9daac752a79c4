package papers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

func head(l language.Language) Head {
	zone := time.FixedZone("WIB", 7*3600)
	first, last := incentive.MustParseDate("2026-01-01"), incentive.MustParseDate("2026-01-31")
	return Head{Language: l, Company: "Harbour & Pine", Zone: zone, Period: l.Period(first, last, "2026-01"), StartsOn: first, EndsOn: last}
}

func usd(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }

// statement has so many deals that it needs several pages.
func statement(deals int) spec.Statement {
	of := func(v int) *int { return &v }
	percent := "112"
	st := spec.Statement{Period: "m-2026-01", Revision: 1, Person: "p11", Name: "Zoë Łukasz Nguyễn", Total: usd(12345678901234567), Digest: strings.Repeat("0123456789abcdef", 4),
		Lines: []spec.Line{
			{Plan: "new-business", PlanName: "New business", PlanVersion: 2, Component: "Commission", Unrounded: "123456789012345.6789", Amount: usd(12345678901234567), InWords: []string{"3 credits: 33180.76 × 0.05 = 1659.038", "rounded half away from zero: 1659.04"},
				Achievement: &spec.Achievement{Kind: spec.AchievementKindQuota, Percent: &percent}},
			{Plan: "contest", PlanName: "Spring contest", PlanVersion: 1, Component: "Spring race", Amount: usd(50000), InWords: []string{"place 1: 500"}, Achievement: &spec.Achievement{Kind: spec.AchievementKindPrize, Place: of(1), Tied: of(1)}},
		},
		NotPaid: []spec.NotPaid{{Source: "crm", Transaction: "D-late", Role: "owner", Credited: "1000.5", Reasons: []spec.NotPaidReason{{Why: "gate-closed", InWords: "the gate is closed: 7000.25 of 9000.5"}}}},
	}
	for i := range deals {
		st.Lines[0].Contributions = append(st.Lines[0].Contributions, spec.Contribution{Source: "crm", Transaction: "D-" + strings.Repeat("7", i%40+1), Person: "p11", Role: "owner", Credited: "33180.76", Amount: "1659.038", Shown: usd(165904)})
	}
	return st
}

// read is a document's text, as a reader of PDF finds it.
func read(t *testing.T, content []byte) string {
	t.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("GUERDON_NO_SKIP") != "" {
			t.Fatal("pdftotext is not installed")
		}
		t.Skip("pdftotext, of poppler-utils, is not installed")
	}
	command := exec.CommandContext(t.Context(), program, "-layout", "-", "-")
	command.Stdin = bytes.NewReader(content)
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	if at := os.Getenv("GUERDON_PAPERS"); at != "" { // to be looked at
		require.NoError(t, os.WriteFile(filepath.Join(at, strings.ReplaceAll(t.Name(), "/", "-")+".pdf"), content, 0o644))
	}
	return string(text)
}

func payout() spec.Payout {
	withheld := usd(1000)
	return spec.Payout{Id: "3f0c", Person: "p11", Name: "Zoë Łukasz Nguyễn", Amount: usd(9234500), Earned: usd(9234500), Carried: usd(1000), Withheld: &withheld, Rail: "payment-file", Destination: "DE…3000", State: "paid"}
}

func verified(failed bool) Verified {
	r := proof.PeriodReport{Format: proof.ReportFormat, Period: "m-2026-01", Revision: 1, State: incentive.Closed, EngineVersion: "1"}
	for _, name := range proof.Checks {
		c := proof.Check{Name: name, Outcome: proof.Proved, Count: 20000, Digest: strings.Repeat("ab", 32)}
		if failed && name == proof.CheckStatements {
			c.Found(proof.Finding{Subject: "statement/p11", Participant: "p11", Code: "not-proved", Message: "line 1, Commission, says 2.00 USD, and calculated anew it is 1.00 USD"})
		}
		r.Checks = append(r.Checks, c)
	}
	at := time.Date(2026, 2, 3, 20, 0, 0, 0, time.UTC)
	return Verified{Number: 7, By: "Aud", AskedAt: at, EndedAt: at.Add(time.Minute), SHA256: strings.Repeat("cd", 32), Report: r}
}

// TestPapers reads every document back, in every language.
func TestPapers(t *testing.T) {
	t.Parallel()
	m, err := New()
	require.NoError(t, err)
	type made struct {
		make func(Head) ([]byte, error)
		says map[language.Language][]string
	}
	for name, c := range map[string]made{
		"statement": {func(h Head) ([]byte, error) { return m.Statement(h, statement(90), []spec.Payout{payout()}) }, map[language.Language][]string{
			language.English:    {"Incentive statement", "Harbour & Pine", "Zoë Łukasz Nguyễn", "January 2026", "123,456,789,012,345.67 USD", "3 credits: 33,180.76 × 0.05 = 1,659.038", "New business, version 2", "D-7777", "1,659.04 USD", "D-late crm", "1,000.5", "Page 2 of ", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
			language.Indonesian: {"Rincian insentif", "Januari 2026", "123.456.789.012.345,67 USD", "1.659,04 USD", "Halaman 2 dari "},
		}},
		"advice": {func(h Head) ([]byte, error) {
			return m.Advice(h, payout(), Trace{Reference: "7c1e", RailID: "tr_1", SentOn: incentive.MustParseDate("2026-02-05"), PaidOn: incentive.MustParseDate("2026-02-06")})
		}, map[language.Language][]string{
			language.English:    {"Payment advice", "92,345.00 USD", "Bank transfer", "DE…3000", "5 Feb 2026", "6 Feb 2026", "7c1e", "tr_1", "Withheld as tax", "−10.00 USD", "Carried over"},
			language.Indonesian: {"Pemberitahuan pembayaran", "92.345,00 USD", "6 Feb 2026"},
		}},
		"certificate-of-a-prize": {func(h Head) ([]byte, error) { return m.Certificate(h, statement(0), statement(0).Lines[1]) }, map[language.Language][]string{
			language.English:    {"Certificate", "Zoë Łukasz Nguyễn", "took place 1 in Spring race", "500.00 USD"},
			language.Indonesian: {"Sertifikat", "meraih peringkat 1 dalam Spring race"},
		}},
		"certificate-of-a-quota": {func(h Head) ([]byte, error) { return m.Certificate(h, statement(0), statement(0).Lines[0]) }, map[language.Language][]string{
			language.English: {"reached 112 % of the quota of Commission"}, language.Indonesian: {"mencapai 112 %"},
		}},
		"proof": {func(h Head) ([]byte, error) { return m.Verification(h, verified(false)) }, map[language.Language][]string{
			language.English:    {"All of it was proved.", "Proof of January 2026", "Proof 7", "Aud", "4 Feb 2026, 03:00", "20,000", "Every journal entry balances", "Not proved: that the facts were true"},
			language.Indonesian: {"Semuanya terbukti.", "4 Feb 2026, 03.00"},
		}},
		"evidence": {func(h Head) ([]byte, error) {
			at := time.Date(2026, 2, 4, 3, 0, 0, 0, time.UTC)
			return m.Evidence(h, Evidence{Verified: verified(false), Acts: []store.PeriodAct{{Act: incentive.Release, Actor: "fin2", At: at}}, Payouts: []store.PayoutTotal{{Rail: "payment-file", Currency: "USD", State: "paid", Payouts: 1200, Minor: 123456789}},
				Duties: Duties{Duties: []store.Duty{{PeriodID: "m-2026-01", Revision: 1, Part: "released", Person: "fin2", Times: 1, LastAt: at}}, Names: map[string]string{"fin2": "Finn"}}})
		}, map[language.Language][]string{
			language.English:    {"All of it was proved.", "Who moved the period on", "Released Finn fin2", "Bank transfer", "1,200", "1,234,567.89 USD", "Nothing was in one hand that belongs in two."},
			language.Indonesian: {"Siapa yang melanjutkan periode", "1.234.567,89 USD"},
		}},
		"proof-that-fails": {func(h Head) ([]byte, error) { return m.Verification(h, verified(true)) }, map[language.Language][]string{
			language.English: {"Something is not as it must be.", "statement/p11", "line 1, Commission, says 2.00 USD"}, language.Indonesian: {"statement/p11"},
		}},
	} {
		for l, says := range c.says {
			t.Run(name+" in "+string(l), func(t *testing.T) {
				t.Parallel()
				content, err := c.make(head(l))
				require.NoError(t, err)
				again, err := c.make(head(l))
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, again), "the same input gives the same bytes")
				require.Less(t, len(content), 200_000, "only the letters that are used are in it")
				text := strings.Join(strings.Fields(read(t, content)), " ")
				for _, sentence := range says {
					require.Contains(t, text, strings.Join(strings.Fields(sentence), " "))
				}
			})
		}
	}
}

// TestPicture looks at a rendered page: there is ink where the title and the figure are, and
// none in the margins.
func TestPicture(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("pdftoppm")
	if err != nil {
		if os.Getenv("GUERDON_NO_SKIP") != "" {
			t.Fatal("pdftoppm is not installed")
		}
		t.Skip("pdftoppm, of poppler-utils, is not installed")
	}
	m, err := New()
	require.NoError(t, err)
	content, err := m.Statement(head(language.English), statement(90), nil)
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, "-gray", "-r", "25.4", "-f", "2", "-l", "2", "-") // a dot is a millimetre
	command.Stdin = bytes.NewReader(content)
	picture, err := command.Output()
	require.NoError(t, err)
	var wide, high int
	_, err = fmt.Sscanf(string(picture), "P5\n%d %d\n", &wide, &high)
	require.NoError(t, err)
	dots := picture[len(picture)-wide*high:]
	dark := func(left, top, right, bottom int) (n int) {
		for y := top; y < bottom; y++ {
			for x := left; x < right; x++ {
				if dots[y*wide+x] < 200 {
					n++
				}
			}
		}
		return n
	}
	require.Zero(t, dark(0, 0, 17, high), "the left margin is empty")
	require.Zero(t, dark(194, 0, wide, high), "so is the right one")
	require.Positive(t, dark(18, 9, 192, 15), "the company stands above")
	require.Positive(t, dark(18, 18, 192, 30), "each page repeats the heads of the table")
	require.Positive(t, dark(18, 284, 192, 290), "the digest stands below")
}

// TestLongest writes what nobody would: words without a space, and nothing at all.
func TestLongest(t *testing.T) {
	t.Parallel()
	m, err := New()
	require.NoError(t, err)
	st := statement(1)
	st.Name = strings.Repeat("無", 300) + strings.Repeat("W", 300)
	st.Lines[0].InWords = []string{strings.Repeat("x", 2000), ""}
	st.Lines[0].Component = ""
	text := read(t, must(m.Statement(head(language.English), st, nil)))
	require.Contains(t, text, "WWWW")
	require.NotEmpty(t, must(m.Statement(head(language.English), spec.Statement{Total: usd(0)}, nil)))
}

func must(content []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return content
}

func BenchmarkStatement(b *testing.B) {
	m, err := New()
	require.NoError(b, err)
	st := statement(30)
	for b.Loop() {
		must(m.Statement(head(language.English), st, nil))
	}
}

// TestReportIsRead holds what is printed to what is kept.
func TestReportIsRead(t *testing.T) {
	t.Parallel()
	kept, err := json.Marshal(verified(true).Report)
	require.NoError(t, err)
	again, err := proof.ReadReport(kept)
	require.NoError(t, err)
	require.False(t, again.Proved())
}
