package paymentfile_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/railtest"
)

// documented is the template that the guide shows.
func documented(t testing.TB) string {
	guide, err := os.ReadFile("../../docs/payment-files.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(guide), "```yaml\n")
	require.True(t, found)
	template, _, found := strings.Cut(after, "```")
	require.True(t, found)
	return template
}

// by is a rail that writes by a template, on a day that is over in UTC.
func by(t testing.TB, template string) *paymentfile.Rail {
	parsed, err := paymentfile.Parse([]byte(template))
	require.NoError(t, err)
	jakarta, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(t, err)
	return paymentfile.New(paymentfile.Name, company).By(paymentfile.Written{Template: parsed, Zone: jakarta, Now: func() time.Time { return time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC) }})
}

func TestContractByATemplate(t *testing.T) {
	t.Parallel()
	railtest.RunSuite(t, railtest.Subject{
		Rail:     by(t, documented(t)),
		Currency: "USD",
		Good:     destination("Zoë O’Brien", "0012345678", "021000021"),
		Bad:      []payments.Destination{destination(strings.Repeat("é", 36), "0012345678", "021000021"), destination("Ann", "0012345678", ""), destination("Ann", "123", "021000021")},
	})
}

// TestAFileByATemplate is as the template has it, with a checksum of what stands before the last line.
func TestAFileByATemplate(t *testing.T) {
	t.Parallel()
	file, err := by(t, documented(t)).BuildFile(t.Context(), request(2))
	require.NoError(t, err)
	lines := strings.Split(string(file.Content), "\r\n")
	require.Equal(t, []string{
		"H;Acme, Inc.;2026-11-30;USD;2;1530.33",
		"P;1;6b2f0a34-0000-4000-8000-000000000000;Ann, Lee & Co;021000021;0012345678;765.16;USD;fiscal-2026-Q1",
		"P;2;6b2f0a34-0000-4000-8000-000000000001;Ann, Lee & Co;021000021;0012345678;765.17;USD;fiscal-2026-Q1",
	}, lines[:3])
	before := strings.Join(lines[:3], "\r\n") + "\r\n"
	require.Equal(t, []string{fmt.Sprintf("T;%s;2;1530.33;%x", file.MessageID, sha256.Sum256([]byte(before))), ""}, lines[3:])
	require.Equal(t, sha256.Sum256(file.Content), [32]byte(file.SHA256))
	require.True(t, strings.HasSuffix(file.Name, ".txt"), file.Name)
	require.Equal(t, incentive.Money{Minor: 153033, Currency: "USD"}, file.Total)

	plain, err := paymentfile.New(paymentfile.Name, company).BuildFile(t.Context(), request(2))
	require.NoError(t, err)
	require.Equal(t, plain.MessageID, file.MessageID, "of the same payments")

	commas, err := by(t, `payment: ["{reference}", "{holder}", "{account}", "{amount}"]`).BuildFile(t.Context(), request(1))
	require.NoError(t, err)
	require.Equal(t, "6b2f0a34-0000-4000-8000-000000000000,\"Ann, Lee & Co\",0012345678,765.16\r\n", string(commas.Content), "no bank reads two columns")

	long := request(1)
	long.Payments[0].Destination[paymentfile.HolderDetail] = strings.Repeat("x", 36)
	_, err = by(t, documented(t)).BuildFile(t.Context(), long)
	require.Equal(t, payments.Definite, payments.ClassOf(err), "chosen before the template was")
}

func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`payment: ["{reference}", "{account}", "{amount}"]`:                                   "line 1, column 10: a payment's line has {holder} once",
		`payment: ["{reference}", "{holder}", "{account}", "{amount}", "{amount}"]`:           "a payment's line has {amount} once",
		`payment: ["{reference}", "{holder}", "{account}", "{amount:9}"]`:                     "only {holder} and {account} can be limited",
		`payment: ["{reference}", "{holder}", "{account}", "{amount}", "{checksum}"]`:         `"{checksum}" is no field of this line`,
		`payment: ["{reference}", "{holder}", "{account}", "{amount}", "a,b"]`:                `"a,b" holds the separator`,
		`payment: ["{reference}", "{holder}", "{account}", "{amount}", 7]`:                    "write a text, in quotes",
		"separator: x\npayment: [\"{reference}\", \"{holder}\", \"{account}\", \"{amount}\"]": "x",
		"header: [\"H\"]": "payment",
	} {
		_, err := paymentfile.Parse([]byte(text))
		var problems document.Problems
		require.ErrorAs(t, err, &problems, text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("separator: \";\"\nheader: [\"{date}\"]\npayment: [\"{reference}\", \"{holder}\", \"{account:9}\", \"{amount}\"]\ntrailer: [\"{checksum}\"]")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := paymentfile.Parse([]byte(text))
		if err != nil {
			return
		}
		rail := paymentfile.New(paymentfile.Name, company).By(paymentfile.Written{Template: parsed, Zone: time.UTC, Now: time.Now})
		file, err := rail.BuildFile(t.Context(), request(2))
		if err != nil {
			require.Equal(t, payments.Definite, payments.ClassOf(err))
			return
		}
		require.Contains(t, string(file.Content), "765.16")
	})
}
