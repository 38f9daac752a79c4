package paymentfile_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/railtest"
)

const company = "Acme, Inc."

func destination(holder, account, bank string) payments.Destination {
	d := payments.Destination{paymentfile.HolderDetail: holder, paymentfile.AccountDetail: account}
	if bank != "" {
		d[paymentfile.BankDetail] = bank
	}
	return d
}

func TestContract(t *testing.T) {
	t.Parallel()
	railtest.RunSuite(t, railtest.Subject{
		Rail:     paymentfile.New(paymentfile.Name, company),
		Currency: "EUR",
		Good:     destination("  Zoë   O’Brien-Núñez ", "de89 3704-0044 0532 0130 00", ""),
		Bad: []payments.Destination{
			destination("Ann", "DE88370400440532013000", ""),
			destination("=HYPERLINK(1)", "DE89370400440532013000", ""),
			destination("Ann", "123", ""),
		},
	})
}

func TestDestinations(t *testing.T) {
	t.Parallel()
	rail := paymentfile.New(paymentfile.Name, company)
	for _, holder := range []string{"Ann", "Łukasz Żak", "株式会社 山田", "J. P. O'Neil (Sr.) & Sons/Co", "3M Company", strings.Repeat("x", 70), "Zoe\u0308"} {
		_, _, err := rail.ValidateDestination(destination(holder, "00012345678", "021000021"))
		require.NoError(t, err, holder)
	}
	// What a spreadsheet would run or a screen would turn round, and what is no name.
	for _, holder := range []string{"", " ", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "(x)", "＝1", "a=b", "a|b", "a;b", `a"b`, "a\nb", "a\rb", "a\x00b", "a\u202eb", "a\xffb", strings.Repeat("x", 71)} {
		_, _, err := rail.ValidateDestination(destination(holder, "12345678", ""))
		if strings.TrimSpace(holder) == "a\nb" || holder == "a\nb" || holder == "a\rb" {
			require.NoError(t, err, "white space inside a name becomes one space")
			continue
		}
		require.Equal(t, payments.CodeDestinationInvalid, incentive.ErrorCode(err), "%q", holder)
	}
	for _, bank := range []string{"12", "123456789012", "AB*DE"} {
		_, _, err := rail.ValidateDestination(destination("Ann", "12345678", bank))
		require.Error(t, err, bank)
	}
	clean, masked, err := rail.ValidateDestination(destination(" Ann  Lee ", "0012 3456-78", "hdfc0-000 001"))
	require.NoError(t, err)
	require.Equal(t, destination("Ann Lee", "0012345678", "HDFC0000001"), clean)
	require.Equal(t, "…5678", masked)
}

func request(n int) payments.FileRequest {
	r := payments.FileRequest{PeriodID: "fiscal-2026-Q1", Revision: 2, Currency: "USD"}
	for i := range n {
		r.Payments = append(r.Payments, payments.FilePayment{
			PayoutID: fmt.Sprintf("6b2f0a34-0000-4000-8000-%012d", i), Amount: incentive.Money{Minor: int64(76516 + i), Currency: "USD"},
			Destination: destination("Ann, Lee & Co", "0012345678", "021000021"),
		})
	}
	return r
}

func TestFileIsWrittenAsDocumented(t *testing.T) {
	t.Parallel()
	file, err := paymentfile.New(paymentfile.Name, company).BuildFile(t.Context(), request(2))
	require.NoError(t, err)
	lines := strings.Split(string(file.Content), "\n")
	require.Len(t, lines, 5)
	require.Equal(t, `HDR,1,`+file.MessageID+`,fiscal-2026-Q1,2,USD,"Acme, Inc."`, lines[0])
	require.Equal(t, `PAY,6b2f0a34-0000-4000-8000-000000000000,"Ann, Lee & Co",021000021,0012345678,765.16,USD`, lines[1])
	require.Regexp(t, `^END,`+file.MessageID+`,2,1530\.33,USD,sha256,[0-9a-f]{64}$`, lines[3])
	require.Empty(t, lines[4])
	require.Equal(t, "payments-fiscal-2026-Q1-2-USD-"+file.MessageID[len(file.MessageID)-8:]+".csv", file.Name)

	read, err := paymentfile.Read(file.Content)
	require.NoError(t, err)
	require.Equal(t, file.MessageID, read.MessageID)
	require.Equal(t, company, read.Company)
	require.Equal(t, file.Total, read.Total)
	require.Equal(t, 2, read.Revision)
	require.Len(t, read.Payments, 2)
	require.Equal(t, "0012345678", read.Payments[1].Account)
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*payments.FileRequest){
		"nothing to pay":   func(r *payments.FileRequest) { r.Payments = nil },
		"no revision":      func(r *payments.FileRequest) { r.Revision = 0 },
		"a formula for id": func(r *payments.FileRequest) { r.PeriodID = "=1" },
		"no currency": func(r *payments.FileRequest) {
			r.Currency, r.Payments[0].Amount.Currency, r.Payments[1].Amount.Currency = "XXQ", "XXQ", "XXQ"
		},
		"other currency": func(r *payments.FileRequest) { r.Currency = "EUR" },
		"payout id":      func(r *payments.FileRequest) { r.Payments[0].PayoutID = "=cmd" },
		"overflow": func(r *payments.FileRequest) {
			r.Payments[0].Amount.Minor, r.Payments[1].Amount.Minor = math.MaxInt64, 1
		},
	} {
		r := request(2)
		change(&r)
		_, err := paymentfile.New(paymentfile.Name, company).BuildFile(t.Context(), r)
		require.Equal(t, payments.Definite, payments.ClassOf(err), name)
	}
	_, err := paymentfile.New(paymentfile.Name, "=1").BuildFile(t.Context(), request(1))
	require.ErrorContains(t, err, "company")
}

// Every byte of a file is under guard: whatever is changed, dropped or added, Read refuses.
func TestEveryMutationIsRefused(t *testing.T) {
	t.Parallel()
	file, err := paymentfile.New(paymentfile.Name, company).BuildFile(t.Context(), request(3))
	require.NoError(t, err)
	refused := func(content []byte, what string, at int) {
		_, err := paymentfile.Read(content)
		require.Equal(t, paymentfile.CodeFileAltered, incentive.ErrorCode(err), "%s at %d", what, at)
		require.Contains(t, err.Error(), "line ")
	}
	for i := range file.Content {
		for _, b := range []byte{file.Content[i] ^ 1, file.Content[i] ^ 0x20, '0', '9', ',', '\n', '"', ' '} {
			if b == file.Content[i] {
				continue
			}
			changed := bytes.Clone(file.Content)
			changed[i] = b
			refused(changed, "changed", i)
		}
		refused(append(bytes.Clone(file.Content[:i]), file.Content[i+1:]...), "dropped", i)
		refused(append(append(bytes.Clone(file.Content[:i]), '0'), file.Content[i:]...), "added", i)
		refused(file.Content[:i], "cut", i)
	}
	refused(append(bytes.Clone(file.Content), '\n'), "an empty line", len(file.Content))
	refused(append(bytes.Clone(file.Content), file.Content...), "twice", len(file.Content))
	refused(bytes.ReplaceAll(file.Content, []byte("\n"), []byte("\r\n")), "other line ends", 0)
	refused(append([]byte("\xef\xbb\xbf"), file.Content...), "a byte order mark", 0)
}

// Each control field alone, replaced by another well-formed value.
func TestEveryControlFieldIsChecked(t *testing.T) {
	t.Parallel()
	file, err := paymentfile.New(paymentfile.Name, company).BuildFile(t.Context(), request(3))
	require.NoError(t, err)
	content := string(file.Content)
	digits := content[len(content)-65 : len(content)-1]
	for old, replacement := range map[string]string{
		"HDR,1,": "HDR,2,", "HDR,1," + file.MessageID: "HDR,1,GRD-0000000000000000000000000000", "END," + file.MessageID: "END,GRD-0000000000000000000000000000",
		"fiscal-2026-Q1,2,": "fiscal-2026-Q1,3,", "fiscal-2026-Q1": "fiscal-2026-Q2", "2,USD,\"Acme": "2,EUR,\"Acme", "Acme, Inc.": "Acme, Ltd.",
		file.MessageID + ",3,": file.MessageID + ",2,", ",2295.51,USD": ",2295.50,USD", "USD,sha256": "EUR,sha256", "sha256": "sha512",
		digits: strings.Repeat("0", 64), "021000021": "021000022", ",0012345678,": ",12345678,", "765.16": "765.1600", "Ann, Lee & Co": "Ann, Lea & Co",
	} {
		require.Contains(t, content, old)
		_, err := paymentfile.Read([]byte(strings.Replace(content, old, replacement, 1)))
		require.Equal(t, paymentfile.CodeFileAltered, incentive.ErrorCode(err), old)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]incentive.Currency{"USD", "JPY", "KWD", "EUR"}).Draw(t, "currency")
		r := payments.FileRequest{PeriodID: "p", Revision: rapid.IntRange(1, 9).Draw(t, "revision"), Currency: currency}
		var total int64
		for _, id := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9]{1,12}`), 1, 20, rapid.ID[string]).Draw(t, "ids") {
			minor := rapid.Int64Range(1, 1e15).Draw(t, "minor")
			total += minor
			r.Payments = append(r.Payments, payments.FilePayment{PayoutID: id, Amount: incentive.Money{Minor: minor, Currency: currency},
				Destination: destination(rapid.StringMatching(`[A-Za-zé][A-Za-z ,.'()&/-]{0,60}[a-z]`).Draw(t, "holder"), rapid.StringMatching(`[0-9]{4,34}`).Draw(t, "account"), "")})
		}
		file, err := paymentfile.New("bank", company).BuildFile(t.Context(), r)
		require.NoError(t, err)
		read, err := paymentfile.Read(file.Content)
		require.NoError(t, err)
		require.Equal(t, total, read.Total.Minor)
		again := payments.FileRequest{PeriodID: read.PeriodID, Revision: read.Revision, Currency: read.Currency}
		for _, p := range read.Payments {
			again.Payments = append(again.Payments, payments.FilePayment{PayoutID: p.PayoutID, Amount: p.Amount, Destination: destination(p.Holder, p.Account, p.Bank)})
		}
		rebuilt, err := paymentfile.New("bank", company).BuildFile(t.Context(), again)
		require.NoError(t, err)
		require.Equal(t, file, rebuilt)
	})
}

func FuzzRead(f *testing.F) {
	file, err := paymentfile.New(paymentfile.Name, company).BuildFile(f.Context(), request(3))
	require.NoError(f, err)
	f.Add(file.Content)
	f.Add(file.Content[:len(file.Content)/2])
	f.Add([]byte(""))
	f.Add([]byte("HDR,1,,,,,\nEND,,,,,,\n"))
	f.Add([]byte("HDR,1,m,p,1,USD,A\nPAY,a,A,,1234,1.00,USD\nEND,m,1,1.00,USD,sha256,00\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		read, err := paymentfile.Read(content)
		if err != nil {
			require.Equal(t, paymentfile.CodeFileAltered, incentive.ErrorCode(err))
			return
		}
		// What Read takes is exactly what BuildFile writes.
		r := payments.FileRequest{PeriodID: read.PeriodID, Revision: read.Revision, Currency: read.Currency}
		for _, p := range read.Payments {
			r.Payments = append(r.Payments, payments.FilePayment{PayoutID: p.PayoutID, Amount: p.Amount, Destination: destination(p.Holder, p.Account, p.Bank)})
		}
		rebuilt, err := paymentfile.New(paymentfile.Name, read.Company).BuildFile(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, content, rebuilt.Content)
	})
}
