package answers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/answers"
	"github.com/guerdon/guerdon/payments/paymentfile"
)

const template = `
separator: ";"
dates: DD/MM/YYYY
reference: Customer ref
status: Status
reason: Remarks
amount: Amount
currency: Ccy
on: Value date
paid: [Success]
refused: [Failed, Rejected]
returned: [Returned]
pending: [In process]
`

func reads(t testing.TB, text string) payments.StatusReader {
	t.Helper()
	parsed, err := answers.Parse([]byte(text))
	require.NoError(t, err)
	rail, err := answers.Reads(paymentfile.New("payment-file", "Test"), parsed)
	require.NoError(t, err)
	require.Equal(t, "payment-file", rail.Name())
	return rail.(payments.StatusReader)
}

// TestReadStatus reads a list as a bank writes it: with its name above, references without hyphens,
// grouped amounts, rows that are of other companies, and a total below.
func TestReadStatus(t *testing.T) {
	t.Parallel()
	list := "\ufeffBank of Examples;;\n\nCcy;Customer ref;Amount;Status;Remarks;Value date;Branch\n" +
		"INR;0b9e4f6a11c24f6c8a0d4c1d2e3f4a5b;1,23,456.78;SUCCESS;;27/11/2026;1\n" +
		"USD;0b9e4f6a-11c2-4f6c-8a0d-4c1d2e3f4a5c;10;Failed;\"Account closed; ask\";;1\n" +
		"USD;0b9e4f6a-11c2-4f6c-8a0d-4c1d2e3f4a5d;12.5;returned;No such account;28/11/2026;1\n" +
		"USD;INVOICE 7;1;In process;;;1\n" +
		";;123479.28;;total;;\n"
	said, err := reads(t, template).ReadStatus(t.Context(), strings.NewReader(list))
	require.NoError(t, err)
	require.Equal(t, []payments.Outcome{
		{Reference: "0b9e4f6a-11c2-4f6c-8a0d-4c1d2e3f4a5b", State: payments.Paid, Amount: incentive.Money{Minor: 12345678, Currency: "INR"}, On: incentive.MustParseDate("2026-11-27")},
		{Reference: "0b9e4f6a-11c2-4f6c-8a0d-4c1d2e3f4a5c", State: payments.Refused, Class: payments.Definite, Code: "Failed", Reason: "Account closed; ask", Amount: incentive.Money{Minor: 1000, Currency: "USD"}},
		{Reference: "0b9e4f6a-11c2-4f6c-8a0d-4c1d2e3f4a5d", State: payments.Returned, Class: payments.Definite, Code: "returned", Reason: "No such account", Amount: incentive.Money{Minor: 1250, Currency: "USD"}, On: incentive.MustParseDate("2026-11-28")},
		{Reference: "INVOICE 7", Amount: incentive.Money{Minor: 100, Currency: "USD"}},
	}, said)
}

// TestListsThatAreRefused names the place, and believes nothing of the rest.
func TestListsThatAreRefused(t *testing.T) {
	t.Parallel()
	heading := "Customer ref;Status;Remarks;Amount;Ccy;Value date\n"
	for list, want := range map[string]string{
		"":                                      "no row among the first 20",
		"Customer ref;Status\n":                 "Customer ref, Status, Remarks, Amount, Ccy, Value date",
		heading + "a;Gone;;1;USD;\n":            `line 2: "Gone" is no status`,
		heading + "a;Success;;12,50;USD;\n":     "line 2: ",
		heading + "a;Success;;1.234;USD;\n":     "line 2: ",
		heading + "a;Success;;1;;\n":            "line 2: ",
		heading + "a;Success;;1;USD;2026-1-1\n": "line 2: ",
		heading + "a;\"Success;;1;USD;\n":       "line 2: ",
		heading + "a;Success\xff;;1;USD;\n":     "UTF-8",
	} {
		_, err := reads(t, template).ReadStatus(t.Context(), strings.NewReader(list))
		require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err), list)
		require.ErrorContains(t, err, want, list)
	}
}

// TestTemplates refuses what could be read in two ways.
func TestTemplates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"status: S\npaid: [P]\nrefused: [R]":                               "reference",
		"reference: R\nstatus: R\npaid: [P]\nrefused: [F]":                 `"R" is named twice`,
		"reference: R\nstatus: S\npaid: [Done]\nrefused: [done]":           "each once",
		"reference: R\nstatus: S\npaid: [P]\nrefused: [F]\nseparator: x":   `"x" is not known`,
		"reference: R\nstatus: S\npaid: [P]\nrefused: [F]\ndates: someday": "someday",
	} {
		_, err := answers.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
	parsed, err := answers.Parse([]byte("reference: R\nstatus: S\namount: A\npaid: [P]\nrefused: [F]"))
	require.NoError(t, err)
	_, err = answers.Reads(paymentfile.New("payment-file", "Test"), parsed)
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), "amounts of any currency")
}

func FuzzReadStatus(f *testing.F) {
	f.Add(template, "Customer ref;Status;Remarks;Amount;Ccy;Value date\na;Success;;1;USD;01/02/2026\n")
	f.Add("reference: R\nstatus: S\npaid: [P]\nrefused: [F]", "R,S\n1,P\n\"2\",F\n")
	f.Fuzz(func(t *testing.T, text, list string) {
		parsed, err := answers.Parse([]byte(text))
		if err != nil {
			return
		}
		rail, err := answers.Reads(paymentfile.New("payment-file", "Test"), parsed)
		if err != nil {
			return
		}
		said, err := rail.(payments.StatusReader).ReadStatus(t.Context(), strings.NewReader(list))
		if err != nil {
			require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err))
			require.Empty(t, said)
		}
		for _, o := range said {
			require.NotEmpty(t, o.Reference)
		}
	})
}
