package main

import (
	"context"
	"fmt"
	"os"
	"strings"
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
	"github.com/guerdon/guerdon/payments/xendit"
	"github.com/guerdon/guerdon/payments/xoxoday"
	"github.com/guerdon/guerdon/store"
)

// railSettings say by which rails the company pays. A rail without its first setting is
// not there; payment-file always is.
type railSettings struct {
	CompanyName string `env:"GUERDON_COMPANY" default:"" help:"The company's name in payment files; that of the database when absent."`

	StripeAPIKey         string   `env:"STRIPE_API_KEY" placeholder:"KEY" help:"Pays by Stripe with this key."`
	StripeWebhookSecrets []string `env:"STRIPE_WEBHOOK_SECRETS" placeholder:"SECRETS" help:"The secrets of Stripe's webhooks."`
	StripePerSecond      float64  `env:"STRIPE_PER_SECOND" help:"Calls that the account may make; what Stripe allows everybody when absent."`

	TremendousAPIKey         string   `env:"TREMENDOUS_API_KEY" placeholder:"KEY" help:"Pays by Tremendous's rewards with this key."`
	TremendousCampaign       string   `env:"TREMENDOUS_CAMPAIGN" placeholder:"ID" help:"The campaign of the rewards."`
	TremendousFundingSource  string   `env:"TREMENDOUS_FUNDING_SOURCE" placeholder:"ID" help:"What rewards are paid from; the account's balance when absent."`
	TremendousWebhookSecrets []string `env:"TREMENDOUS_WEBHOOK_SECRETS" placeholder:"SECRETS" help:"The secrets of Tremendous's webhooks."`
	TremendousURL            string   `env:"TREMENDOUS_URL" placeholder:"URL" help:"Another address than Tremendous's own, such as that of its sandbox."`

	XenditAPIKey         string   `env:"XENDIT_API_KEY" placeholder:"KEY" help:"Pays by Xendit with this key."`
	XenditCallbackTokens []string `env:"XENDIT_CALLBACK_TOKENS" placeholder:"TOKENS" help:"The tokens of Xendit's callbacks."`
	XenditPerSecond      float64  `env:"XENDIT_PER_SECOND" help:"Calls that the account may make; 10 when absent."`

	XoxodayClientID     string             `env:"XOXODAY_CLIENT_ID" placeholder:"ID" help:"Pays by the rewards of Xoxoday's Plum as this client."`
	XoxodayClientSecret string             `env:"XOXODAY_CLIENT_SECRET" placeholder:"SECRET" help:"The client's secret."`
	XoxodayCurrency     incentive.Currency `env:"XOXODAY_CURRENCY" default:"INR" help:"The currency of the account at Xoxoday."`
	XoxodayPerSecond    float64            `env:"XOXODAY_PER_SECOND" help:"Calls that the account may make; 2 when absent."`
	XoxodayURL          string             `env:"XOXODAY_URL" placeholder:"URL" help:"Another address than Xoxoday's own, such as that of its staging."`

	ISO20022Scheme          iso20022.Scheme               `name:"iso20022-scheme" env:"ISO20022_SCHEME" placeholder:"sepa|general" help:"Pays by files of ISO 20022 under these rules."`
	ISO20022Accounts        map[incentive.Currency]string `name:"iso20022-accounts" env:"ISO20022_ACCOUNTS" placeholder:"EUR=IBAN/BIC;…" help:"The accounts that pay, by currency."`
	ISO20022Version         iso20022.Version              `name:"iso20022-version" env:"ISO20022_VERSION" placeholder:"NAME" help:"The version of pain.001 that the bank takes; pain.001.001.09 when absent."`
	ISO20022BankReference   string                        `name:"iso20022-bank-reference" env:"ISO20022_BANK_REFERENCE" placeholder:"ID" help:"The id that the bank gave the company for its files."`
	ISO20022CategoryPurpose string                        `name:"iso20022-category-purpose" env:"ISO20022_CATEGORY_PURPOSE" placeholder:"CODE" help:"What the bank is told that payments are for, such as SALA."`
	ISO20022LeadDays        int                           `name:"iso20022-lead-days" env:"ISO20022_LEAD_DAYS" help:"Banking days between the file and the day of payment."`

	NachaBank        string `env:"NACHA_BANK" placeholder:"ROUTING" help:"Pays by ACH files for the bank of this routing number."`
	NachaBankName    string `env:"NACHA_BANK_NAME" placeholder:"NAME" help:"The bank's name, as files have it."`
	NachaCompanyID   string `env:"NACHA_COMPANY_ID" placeholder:"ID" help:"The ten characters by which the bank knows the company."`
	NachaOrigin      string `env:"NACHA_ORIGIN" placeholder:"ID" help:"Who sends the files, where the bank asks for another id than the company's."`
	NachaDescription string `env:"NACHA_DESCRIPTION" placeholder:"TEXT" help:"What companies read of what they are paid; COMMISSION when absent. People read PAYROLL."`
	NachaLeadDays    int    `env:"NACHA_LEAD_DAYS" default:"1" help:"Banking days between the file and the day of payment."`
	NachaPrenotes    bool   `env:"NACHA_PRENOTES" help:"Accounts are tried by a prenote before they are first paid."`

	Points bool `env:"GUERDON_POINTS" help:"Lets people be paid in points that they spend on rewards: needs Tremendous or Xoxoday."`

	IndiaTemplate string `env:"INDIA_TEMPLATE" placeholder:"FILE" help:"Pays by bulk files of a bank in India, made by this template."`

	PaymentFileTemplate string `env:"PAYMENT_FILE_TEMPLATE" placeholder:"FILE" help:"Writes payment files as the bank or payroll system wants them, by this template."`

	IndiaAnswers       string `env:"INDIA_ANSWERS" placeholder:"FILE" help:"Reads the lists by which that bank answers, by this template."`
	PaymentFileAnswers string `env:"PAYMENT_FILE_ANSWERS" placeholder:"FILE" help:"Reads the lists in which the bank or payroll system answers payment files, by this template."`
}

// registry makes the rails.
func (o railSettings) registry(ctx context.Context, s *store.Store) (payments.Registry, error) {
	settings, err := s.CompanySettings(ctx)
	if err != nil {
		return payments.Registry{}, err
	}
	rails, err := o.files(settings)
	if err != nil {
		return payments.Registry{}, err
	}
	files := &writtenFiles{store: s, make: o.files, version: settings.Version, made: byName(rails)}
	for _, one := range []struct {
		wanted bool
		make   func() (payments.Rail, error)
	}{
		{o.StripeAPIKey != "", func() (payments.Rail, error) {
			return stripe.New(stripe.Config{APIKey: o.StripeAPIKey, WebhookSecrets: o.StripeWebhookSecrets, PerSecond: o.StripePerSecond})
		}},
		{o.TremendousAPIKey != "", func() (payments.Rail, error) {
			return tremendous.New(tremendous.Config{
				APIKey:          o.TremendousAPIKey,
				CampaignID:      o.TremendousCampaign,
				FundingSourceID: o.TremendousFundingSource,
				WebhookSecrets:  o.TremendousWebhookSecrets,
				BaseURL:         o.TremendousURL,
			})
		}},
		{o.XenditAPIKey != "", func() (payments.Rail, error) {
			return xendit.New(xendit.Config{APIKey: o.XenditAPIKey, CallbackTokens: o.XenditCallbackTokens, PerSecond: o.XenditPerSecond})
		}},
		{o.XoxodayClientID != "", func() (payments.Rail, error) {
			return xoxoday.New(xoxoday.Config{
				ClientID:     o.XoxodayClientID,
				ClientSecret: o.XoxodayClientSecret,
				Currency:     o.XoxodayCurrency,
				PerSecond:    o.XoxodayPerSecond,
				BaseURL:      o.XoxodayURL,
			})
		}},
		{o.Points, func() (payments.Rail, error) { return o.points(s) }},
	} {
		if !one.wanted {
			continue
		}
		rail, err := one.make()
		if err != nil {
			return payments.Registry{}, err
		}
		rails = append(rails, rail)
	}
	registry, err := payments.NewRegistry(rails...)
	return registry.Remade(files.now), err
}

// answered is a rail of files that reads its bank's lists, by a template that is set or stands in a file; as
// it was where there is neither.
func answered(rail payments.FileRail, set, file string) (payments.FileRail, error) {
	if set == "" && file == "" {
		return rail, nil
	}
	by, err := template(set, file, answers.Parse)
	if err != nil {
		return nil, err
	}
	return answers.Reads(rail, by)
}

func (o railSettings) points(s *store.Store) (*points.Rail, error) {
	if o.TremendousAPIKey == "" && o.XoxodayClientID == "" {
		return nil, incentive.Errorf("settings-missing", "with GUERDON_POINTS set, the settings of Tremendous or of Xoxoday are needed too: there is nothing else that points can be spent on")
	}
	return points.New(s), nil
}

func location(zone string) (*time.Location, error) {
	l, err := time.LoadLocation(zone)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the company's time zone %q is not known here", zone)
	}
	return l, nil
}

// template reads a template of what each bank wants, or answers, otherwise: one that is set or, where none is, in a
// file.
func template[T any](set, file string, parse func(text []byte) (T, error)) (t T, err error) {
	if set != "" {
		return parse([]byte(set))
	}
	text, err := templateFile(file)
	if err != nil {
		return t, err
	}
	if t, err = parse(text); err != nil {
		return t, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

func templateFile(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the template cannot be read: %s", err)
	}
	return text, nil
}

func (o railSettings) paymentFile(company, zone, set string) (*paymentfile.Rail, error) {
	rail := paymentfile.New(paymentfile.Name, company)
	if set == "" && o.PaymentFileTemplate == "" {
		return rail, nil
	}
	day, err := location(zone)
	if err != nil {
		return nil, err
	}
	by, err := template(set, o.PaymentFileTemplate, paymentfile.Parse)
	return rail.By(paymentfile.Written{Template: by, Zone: day, Now: time.Now}), err
}

func (o railSettings) india(zone, set string) (*india.Rail, error) {
	day, err := location(zone)
	if err != nil {
		return nil, err
	}
	by, err := template(set, o.IndiaTemplate, india.Parse)
	if err != nil {
		return nil, err
	}
	return india.New(india.Config{Template: by, Zone: day, Now: time.Now}), nil
}

func (o railSettings) nacha(company, zone string) (*nacha.Rail, error) {
	day, err := location(zone)
	if err != nil {
		return nil, err
	}
	return nacha.New(nacha.Config{
		Company: company, CompanyID: o.NachaCompanyID, Bank: o.NachaBank, BankName: o.NachaBankName, Origin: o.NachaOrigin, Description: o.NachaDescription,
		LeadDays: o.NachaLeadDays, Prenotes: o.NachaPrenotes, Zone: day, Now: time.Now,
	})
}

func (o railSettings) iso20022(company, zone string) (*iso20022.Rail, error) {
	day, err := location(zone)
	if err != nil {
		return nil, err
	}
	accounts := map[incentive.Currency]iso20022.Account{}
	for currency, written := range o.ISO20022Accounts {
		number, bank, _ := strings.Cut(written, "/")
		accounts[currency] = iso20022.Account{Number: number, Bank: bank}
	}
	return iso20022.New(iso20022.Config{
		Scheme: o.ISO20022Scheme, Version: o.ISO20022Version, Debtor: iso20022.Debtor{Name: company, BankReference: o.ISO20022BankReference}, Accounts: accounts,
		CategoryPurpose: o.ISO20022CategoryPurpose, LeadDays: o.ISO20022LeadDays, Zone: day, Now: time.Now,
	})
}
