package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestFilesGoByTheSettings writes the next file by what the company has set since the program was started, and goes on by
// the environment where it has set nothing.
func TestFilesGoByTheSettings(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	require.NoError(t, s.SetCompany(ctx, store.System, "Test", "UTC"))
	o := railSettings{NachaBank: "021000021", NachaBankName: "Bank", NachaCompanyID: "1123456789", NachaLeadDays: 1, CompanyName: "From outside"}
	rails, err := o.registry(ctx, s)
	require.NoError(t, err)
	written := func() string {
		t.Helper()
		rail, err := rails.File("payment-file")
		require.NoError(t, err)
		f, err := rail.BuildFile(ctx, payments.FileRequest{PeriodID: "p", Revision: 1, Currency: "USD", Payments: []payments.FilePayment{{PayoutID: "o", Amount: incentive.Money{Minor: 100, Currency: "USD"}, Destination: payments.Destination{"holder": "Ann", "account": "DE89370400440532013000"}}}})
		require.NoError(t, err)
		return string(f.Content)
	}
	lead := func() int {
		t.Helper()
		rail, err := rails.Rail("nacha")
		require.NoError(t, err)
		return rail.Capabilities().LeadDays
	}
	require.Contains(t, written(), ",From outside\n")
	require.Equal(t, 1, lead())
	require.Equal(t, []string{"nacha", "payment-file"}, rails.Names())
	aside := filepath.Join(t.TempDir(), "payments.yaml")
	require.NoError(t, os.WriteFile(aside, []byte("{payment: []}"), 0o600))
	named := o
	named.PaymentFileTemplate = aside
	defaults, err := named.fileDefaults(store.CompanySettings{Name: "Test"})
	require.NoError(t, err)
	one := 1
	require.Equal(t, store.FileSettings{Company: "From outside", NachaLeadDays: &one, PaymentFileTemplate: "{payment: []}"}, defaults, "what holds where nothing is set")
	named.PaymentFileTemplate = aside + "?"
	_, err = named.fileDefaults(store.CompanySettings{})
	require.ErrorContains(t, err, "the template cannot be read")
	days := 3
	require.NoError(t, s.SetFileSettings(ctx, store.System, store.FileSettings{Company: "Set inside", NachaLeadDays: &days, IndiaTemplate: `{payment: ["{account}", "{bank}", "{amount}", "{reference}"], modes: [{mode: neft}]}`}))
	require.Contains(t, written(), ",Set inside\n")
	require.Equal(t, 3, lead())
	require.Equal(t, []string{"india", "nacha", "payment-file"}, rails.Names())
	require.NoError(t, s.SetFileSettings(ctx, store.System, store.FileSettings{IndiaTemplate: "{}"}), "which the API would refuse")
	require.Contains(t, written(), ",Set inside\n", "what no rail can be made by leaves them as they are")
	require.NoError(t, s.SetFileSettings(ctx, store.System, store.FileSettings{}))
	require.Contains(t, written(), ",From outside\n")
	require.Equal(t, []string{"nacha", "payment-file"}, rails.Names())
	history, err := s.CompanyHistory(ctx, 10)
	require.NoError(t, err)
	require.Equal(t, []string{"", "", "Set inside", ""}, []string{history[0].Files.Company, history[1].Files.Company, history[2].Files.Company, history[3].Files.Company})
}

// TestRailsOfTheSettings reads settings as the servers do and makes the rails of them.
func TestRailsOfTheSettings(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	india, broken := filepath.Join(t.TempDir(), "india.yaml"), filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(india, []byte(`{payment: ["{account}", "{bank}", "{amount}", "{reference}"], modes: [{mode: neft}]}`), 0o600))
	require.NoError(t, os.WriteFile(broken, []byte(`{payment: ["{account}"]}`), 0o600))
	answers := filepath.Join(t.TempDir(), "answers.yaml")
	require.NoError(t, os.WriteFile(answers, []byte(`{reference: R, status: S, amount: A, paid: [P], refused: [F]}`), 0o600))
	for name, c := range map[string]struct {
		settings string
		rails    string
		refused  string
	}{
		"none":                       {"", "payment-file", ""},
		"Stripe":                     {"--stripe-api-key=sk_secret", "payment-file stripe", ""},
		"Tremendous":                 {"--tremendous-api-key=sk_secret --tremendous-campaign=c", "payment-file tremendous", ""},
		"Tremendous, no campaign":    {"--tremendous-api-key=sk_secret", "", "needs an API key and the id of a campaign"},
		"Tremendous, in the clear":   {"--tremendous-api-key=sk_secret --tremendous-campaign=c --tremendous-url=http://example.com", "", "not one that a key may be sent to"},
		"Xendit":                     {"--xendit-api-key=sk_secret --xendit-per-second=5", "payment-file xendit", ""},
		"Xendit, an empty token":     {"--xendit-api-key=sk_secret --xendit-callback-tokens=a,,b", "", "a callback token of the Xendit rail is empty"},
		"SEPA":                       {"--iso20022-scheme=sepa --iso20022-accounts=EUR=DE89370400440532013000/COBADEFFXXX", "iso20022-sepa payment-file", ""},
		"general, of two currencies": {"--iso20022-scheme=general --iso20022-accounts=USD=123456789/USABA021000021;GBP=GB33BUKB20201555555555/BUKBGB22XXX --iso20022-lead-days=1", "iso20022-general payment-file", ""},
		"another scheme":             {"--iso20022-scheme=wire --iso20022-accounts=EUR=DE89370400440532013000", "", "the scheme is sepa or general"},
		"no account":                 {"--iso20022-scheme=sepa", "", "an account to pay from is needed"},
		"Xoxoday":                    {"--xoxoday-client-id=c --xoxoday-client-secret=sk_secret", "payment-file xoxoday", ""},
		"Xoxoday, no secret":         {"--xoxoday-client-id=c", "", "a client id and its secret"},
		"India":                      {"--india-template=" + india, "india payment-file", ""},
		"ACH":                        {"--nacha-bank=021000021 --nacha-bank-name=Bank --nacha-company-id=1123456789", "nacha payment-file", ""},
		"ACH, a wrong number":        {"--nacha-bank=021000022 --nacha-bank-name=Bank --nacha-company-id=1123456789", "", "the bank is a routing number"},
		"India, with answers":        {"--india-template=" + india + " --india-answers=" + answers, "india payment-file", ""},
		"answers, of what currency":  {"--payment-file-answers=" + answers, "", "name the column of the currency"},
		"answers, no template":       {"--payment-file-answers=" + answers + "x", "", "cannot be read"},
		"answers, a wrong template":  {"--payment-file-answers=" + india, "", "lacks \"reference\""},
		"India, no template":         {"--india-template=" + india + "x", "", "cannot be read"},
		"India, a wrong template":    {"--india-template=" + broken, "", "lacks \"modes\""},
		"a wrong account":            {"--iso20022-scheme=sepa --iso20022-accounts=EUR=DE00370400440532013000", "", "the account for EUR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var settings railSettings
			parser, err := kong.New(&settings)
			require.NoError(t, err)
			_, err = parser.Parse(append(strings.Fields(c.settings), "--company-name=Example"))
			require.NoError(t, err)
			registry, err := settings.registry(t.Context(), s)
			if c.refused != "" {
				require.Contains(t, []incentive.Code{incentive.CodeInvalid, document.CodeInvalid}, incentive.ErrorCode(err))
				require.Contains(t, err.Error(), c.refused)
				require.NotContains(t, fmt.Sprintf("%+v", err), "sk_secret")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.rails, strings.Join(registry.Names(), " "))
		})
	}
}
