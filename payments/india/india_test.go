package india_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/language/languagetest"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/india"
	"github.com/guerdon/guerdon/payments/railtest"
)

// The template that the guide shows.
func documented(t testing.TB) string {
	guide, err := os.ReadFile("../../docs/india.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(guide), "```yaml\n")
	require.True(t, found)
	template, _, found := strings.Cut(after, "```")
	require.True(t, found)
	return template
}

func rail(t testing.TB, template string) *india.Rail {
	parsed, err := india.Parse([]byte(template))
	require.NoError(t, err)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	require.NoError(t, err)
	// It is the next day in India.
	return india.New(india.Config{Template: parsed, Zone: kolkata, Now: func() time.Time { return time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC) }})
}

func account(holder, number, ifsc string) payments.Destination {
	return payments.Destination{india.HolderDetail: holder, india.AccountDetail: number, india.BankDetail: ifsc}
}

func upi(holder, address string) payments.Destination {
	return payments.Destination{india.HolderDetail: holder, india.UPIDetail: address}
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]payments.Destination{
		"account": account(" Asha   Rao ", "0123 4567-8901", "hdfc0 000001"),
		"UPI":     upi("Asha Rao", " Asha.Rao@okbank "),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			railtest.RunSuite(t, railtest.Subject{
				Rail: rail(t, documented(t)), Currency: "INR", Good: good,
				Bad: []payments.Destination{
					account("Asha Rao", "012345678901", "HDFC1000001"), account("Asha Rao", "012345678901", ""), account("Asha Rao", "1234", "HDFC0000001"),
					account("Asha Rao", strings.Repeat("1", 35), "HDFC0000001"), account("Asha Rao", "ABCDEFGH", "HDFC0000001"), account("Asha Rao", "012,345678901", "HDFC0000001"),
					account("", "012345678901", "HDFC0000001"), account("=1+1", "012345678901", "HDFC0000001"), account("Rao, Asha", "012345678901", "HDFC0000001"),
					account("आशा राव", "012345678901", "HDFC0000001"), account(strings.Repeat("x", 41), "012345678901", "HDFC0000001"),
					upi("Asha Rao", "asha.rao"), upi("Asha Rao", "-asha@okbank"), upi("Asha Rao", "asha,rao@okbank"), upi("Asha Rao", "asha@ok@bank"),
					{india.HolderDetail: "Asha Rao", india.UPIDetail: "asha@okbank", india.AccountDetail: "012345678901"},
				},
			})
		})
	}
}

func pay(id string, minor int64, to payments.Destination) payments.FilePayment {
	return payments.FilePayment{PayoutID: id, Amount: incentive.Money{Minor: minor, Currency: "INR"}, Destination: to}
}

func request(all ...payments.FilePayment) payments.FileRequest {
	return payments.FileRequest{PeriodID: "sales-2026-10", Revision: 1, Currency: "INR", Payments: all}
}

// Each payment goes by the first mode that takes it: by its destination, and to the paisa.
func TestFileIsWrittenAsDocumented(t *testing.T) {
	t.Parallel()
	asha, ravi := account("Asha Rao", "0012345678901", "HDFC0000001"), upi("Ravi Iyer", "ravi@okbank")
	file, err := rail(t, documented(t)).BuildFile(t.Context(), request(
		pay("00000000-0000-4000-8000-000000000003", 500_000_01, asha), pay("00000000-0000-4000-8000-000000000001", 100_000_00, ravi), pay("00000000-0000-4000-8000-000000000002", 500_000_00, asha)))
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"H,EXAMPLECORP,30/11/2026,3,1100000.01," + file.MessageID,
		"UPI,ABCD0001234,000111222333,,ravi@okbank,Ravi Iyer,INR,100000.00,00000000000040008000000000000001",
		"IMPS,ABCD0001234,000111222333,HDFC0000001,0012345678901,Asha Rao,INR,500000.00,00000000000040008000000000000002",
		"NEFT,ABCD0001234,000111222333,HDFC0000001,0012345678901,Asha Rao,INR,500000.01,00000000000040008000000000000003",
		"",
	}, "\r\n"), string(file.Content))
	require.Equal(t, "payments-sales-2026-10-1-INR-"+file.MessageID[len(file.MessageID)-8:]+".csv", file.Name)
}

func TestRefusedPayments(t *testing.T) {
	t.Parallel()
	to := account("Asha Rao", "012345678901", "HDFC0000001")
	for name, c := range map[string]struct {
		request payments.FileRequest
		says    string
	}{
		"nothing to pay":      {request(), "needs a payment"},
		"another currency":    {payments.FileRequest{PeriodID: "p", Revision: 1, Currency: "USD", Payments: []payments.FilePayment{pay("a", 1, to)}}, "rupees alone"},
		"no revision":         {payments.FileRequest{PeriodID: "p", Currency: "INR", Payments: []payments.FilePayment{pay("a", 1, to)}}, "from 1"},
		"a formula for id":    {payments.FileRequest{PeriodID: "=1", Revision: 1, Currency: "INR", Payments: []payments.FilePayment{pay("a", 1, to)}}, "period's id"},
		"too much in all":     {request(pay("a", math.MaxInt64, to), pay("b", 1, to)), "add up"},
		"above UPI's limit":   {request(pay("a", 100_000_01, upi("Asha Rao", "asha@okbank"))), "1 of 1"},
		"a payout's wrong id": {request(pay("=cmd", 1, to)), "1 of 1"},
	} {
		_, err := rail(t, documented(t)).BuildFile(t.Context(), c.request)
		require.Equal(t, payments.Definite, payments.ClassOf(err), name)
		require.ErrorContains(t, err, c.says, name)
	}
}

// A mode may begin at an amount; what is below every mode is not written.
func TestModesHaveLimits(t *testing.T) {
	t.Parallel()
	r := rail(t, `{payment: ["{account}", "{bank}", "{amount}", "{reference}", "{mode}"], separator: "|", extension: txt, modes: [{mode: rtgs, from: 200000, written: RTG}]}`)
	to := account("Asha Rao", "012345678901", "HDFC0000001")
	file, err := r.BuildFile(t.Context(), request(pay("a", 200_000_00, to)))
	require.NoError(t, err)
	require.Equal(t, "012345678901|HDFC0000001|200000.00|a|RTG\r\n", string(file.Content))
	require.True(t, strings.HasSuffix(file.Name, ".txt"))
	_, err = r.BuildFile(t.Context(), request(pay("a", 199_999_99, to)))
	var refused *payments.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "the company's bank takes no payment of this amount in its files", refused.Refused[0].Message)
	_, _, err = r.ValidateDestination(upi("Asha Rao", "asha@okbank"))
	require.ErrorContains(t, err, "takes no such payments")
}

// Where a file bears no message id of its own, another revision is another message still.
func TestMessageIDs(t *testing.T) {
	t.Parallel()
	r := rail(t, `{payment: ["{account}", "{bank}", "{amount}", "{reference}"], modes: [{mode: neft}]}`)
	first := request(pay("a", 100, account("Asha Rao", "012345678901", "HDFC0000001")))
	second := first
	second.Revision = 2
	one, err := r.BuildFile(t.Context(), first)
	require.NoError(t, err)
	two, err := r.BuildFile(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, one.Content, two.Content)
	require.NotEqual(t, one.MessageID, two.MessageID)
}

func TestRefusedTemplates(t *testing.T) {
	t.Parallel()
	const line = `payment: ["{account}", "{bank}", "{amount}", "{reference}"]`
	for name, c := range map[string]struct{ template, says string }{
		"no document":              {"", "should hold a template"},
		"no modes":                 {`{` + line + `}`, `lacks "modes"`},
		"an unknown mode":          {`{` + line + `, modes: [{mode: wire}]}`, `"wire" is not known`},
		"no reference":             {`{payment: ["{account}", "{bank}", "{amount}"], modes: [{mode: neft}]}`, "{reference} once"},
		"two amounts":              {`{payment: ["{account}", "{bank}", "{amount}", "{amount}", "{reference}"], modes: [{mode: neft}]}`, "{amount} once"},
		"NEFT without a bank":      {`{payment: ["{account}", "{amount}", "{reference}"], modes: [{mode: upi}, {mode: neft}]}`, "{bank} once"},
		"an unknown field":         {`{payment: ["{name}"], modes: [{mode: upi}]}`, `"{name}" is no field`},
		"a payment's in a header":  {`{header: ["{amount}"], ` + line + `, modes: [{mode: neft}]}`, `"{amount}" is no field`},
		"a limit on a reference":   {`{payment: ["{reference:20}"], modes: [{mode: upi}]}`, "only {holder} and {account}"},
		"the separator in a text":  {`{header: ["a,b"], ` + line + `, modes: [{mode: neft}]}`, `"a,b" holds the separator`},
		"the separator in a date":  {`{dates: "DD,MM,YYYY", ` + line + `, modes: [{mode: neft}]}`, "holds the separator"},
		"the separator in a mode":  {`{` + line + `, modes: [{mode: neft, written: "N,T"}]}`, `"N,T" holds the separator`},
		"a quote":                  {`{header: ['a"b'], ` + line + `, modes: [{mode: neft}]}`, "no quotes"},
		"a line end in a mode":     {`{` + line + `, modes: [{mode: neft, written: "N\nT"}]}`, "no quotes"},
		"a number for a text":      {`{header: [1], ` + line + `, modes: [{mode: neft}]}`, "in quotes"},
		"another separator":        {`{separator: " ", ` + line + `, modes: [{mode: neft}]}`, "is not known here"},
		"another extension":        {`{extension: ../x, ` + line + `, modes: [{mode: neft}]}`, "small letters"},
		"another date":             {`{dates: soon, ` + line + `, modes: [{mode: neft}]}`, "not a date format"},
		"no amount of rupees":      {`{` + line + `, modes: [{mode: neft, up_to: 0.001}]}`, "not an amount of rupees"},
		"a mode that takes no one": {`{` + line + `, modes: [{mode: neft, from: 2, up_to: 1}]}`, "below from"},
	} {
		_, err := india.Parse([]byte(c.template))
		require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err), name)
		require.ErrorContains(t, err, c.says, name)
		languagetest.NoEnglish(t, language.Indonesian.Translate(incentive.ErrorMessage(err)))
	}
}

// Whatever a template says, a file has a line for each payment and as many columns as the
// template.
func FuzzParse(f *testing.F) {
	f.Add(documented(f))
	f.Add(`{payment: ["{account}", "{bank}", "{amount}", "{reference}"], modes: [{mode: neft}]}`)
	f.Add(`{separator: "|", payment: ["{account:9}", "", "{amount}", "{reference}"], modes: [{mode: upi, written: "U"}]}`)
	f.Fuzz(func(t *testing.T, template string) {
		parsed, err := india.Parse([]byte(template))
		if err != nil {
			require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err))
			return
		}
		r := india.New(india.Config{Template: parsed, Zone: time.UTC, Now: time.Now})
		all := request(pay("a", 100, account("Asha Rao", "012345678901", "HDFC0000001")), pay("b", 100, account("Ravi Iyer", "012345678902", "HDFC0000001")))
		file, err := r.BuildFile(t.Context(), all)
		if err != nil {
			return
		}
		for _, line := range strings.Split(string(file.Content), "\r\n") {
			require.NotContains(t, line, "\n")
			require.NotContains(t, line, `"`)
		}
		require.Equal(t, 1, strings.Count(string(file.Content), "012345678901"))
	})
}
