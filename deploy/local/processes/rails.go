package processes

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/answers"
	"github.com/guerdon/guerdon/payments/india"
	"github.com/guerdon/guerdon/payments/iso20022"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/tremendous"
	rewards "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/payments/xendit"
	"github.com/guerdon/guerdon/payments/xoxoday"
)

// What the rails of a house and their stand-ins share.
const (
	APIKey = "sk_test_x" // of every rail
	Secret = "whsec_x"   // of every webhook
)

// The names of rails that have none in their package.
const (
	PaymentFile = paymentfile.Name
	ISO20022    = "iso20022-general"
	SEPA        = "iso20022-sepa"
	NACHA       = "nacha"
	NACHATried  = "nacha-tried" // which tries accounts before it pays to them
)

// perSecond is what each rail is said to bear: more than a house can do, as what limits do
// is shown elsewhere.
const perSecond = 200

// callTime is how long a rail's answer is waited for. A rail's own 30 s are for others to
// wait.
const callTime = 2 * time.Second

// template is of a bank in India.
const template = `
header: ["H", "{message}", "{date}", "{count}", "{total}"]
payment: ["{reference}", "{mode}", "{bank}", "{account}", "{holder:40}", "{amount}"]
modes:
  - {mode: upi, written: UPI}
  - {mode: neft, written: N}
`

// made are the ways to make each rail, from the address of its stand-in.
var made = map[string]func(url string) (payments.Rail, error){
	stripe.Name: func(url string) (payments.Rail, error) {
		return stripe.New(stripe.Config{APIKey: APIKey, WebhookSecrets: []string{Secret}, BaseURL: url, PerSecond: perSecond, HTTPClient: calls()})
	},
	tremendous.Name: func(url string) (payments.Rail, error) {
		return tremendous.New(tremendous.Config{
			APIKey:         APIKey,
			CampaignID:     rewards.Campaign,
			WebhookSecrets: []string{Secret},
			BaseURL:        url,
			PerSecond:      perSecond,
			HTTPClient:     calls(),
		})
	},
	xendit.Name: func(url string) (payments.Rail, error) {
		return xendit.New(xendit.Config{APIKey: APIKey, CallbackTokens: []string{Secret}, BaseURL: url, PerSecond: perSecond, HTTPClient: calls()})
	},
	xoxoday.Name: func(url string) (payments.Rail, error) {
		return xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: APIKey, Currency: "INR", BaseURL: url, PerSecond: perSecond, HTTPClient: calls()})
	},
	PaymentFile: func(string) (payments.Rail, error) { return answered(paymentfile.New(paymentfile.Name, "Test")) },
	ISO20022: func(string) (payments.Rail, error) {
		return iso20022.New(iso20022.Config{Name: ISO20022, Scheme: iso20022.General, Debtor: iso20022.Debtor{Name: "Test"}, Now: time.Now,
			Accounts: map[incentive.Currency]iso20022.Account{"USD": {Number: "123456789", Bank: "USABA021000021"}}})
	},
	SEPA: func(string) (payments.Rail, error) {
		return iso20022.New(iso20022.Config{Name: SEPA, Scheme: iso20022.SEPA, Debtor: iso20022.Debtor{Name: "Test"}, Now: time.Now,
			Accounts: map[incentive.Currency]iso20022.Account{"EUR": {Number: "DE89370400440532013000", Bank: "COBADEFFXXX"}}})
	},
	NACHA:      func(string) (payments.Rail, error) { return newNACHA(NACHA, false) },
	NACHATried: func(string) (payments.Rail, error) { return newNACHA(NACHATried, true) },
	india.Name: func(string) (payments.Rail, error) {
		t, err := india.Parse([]byte(template))
		if err != nil {
			return nil, err
		}
		return answered(india.New(india.Config{Template: t, Zone: time.UTC, Now: time.Now}))
	},
}

// answered is a rail of files whose bank answers in lists.
func answered(rail payments.FileRail) (payments.Rail, error) {
	t, err := answers.Parse([]byte("reference: Reference\nstatus: Status\namount: Amount\ncurrency: Currency\npaid: [Paid]\nrefused: [Refused]\n"))
	if err != nil {
		return nil, err
	}
	return answers.Reads(rail, t)
}

func newNACHA(name string, prenotes bool) (payments.Rail, error) {
	return nacha.New(nacha.Config{
		Name:      name,
		Company:   "Test",
		CompanyID: "1123456789",
		Bank:      "021000021",
		BankName:  "Bank",
		LeadDays:  1,
		Prenotes:  prenotes,
		Zone:      time.UTC,
		Now:       time.Now,
	})
}

func calls() *http.Client {
	return &http.Client{Timeout: callTime, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
}

// Registry makes the rails that are named, at the addresses given: "" of a rail of files, and of points, which
// are kept by accounts.
func Registry(addresses map[string]string, accounts points.Accounts) (payments.Registry, error) {
	var rails []payments.Rail
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		if name == incentive.PointsRail {
			rails = append(rails, points.New(accounts))
			continue
		}
		make, known := made[name]
		if !known {
			return payments.Registry{}, fmt.Errorf("no rail %q can be made here", name)
		}
		rail, err := make(addresses[name])
		if err != nil {
			return payments.Registry{}, err
		}
		rails = append(rails, rail)
	}
	return payments.NewRegistry(rails...)
}
