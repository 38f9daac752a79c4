package endtoend

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/india"
	"github.com/guerdon/guerdon/payments/iso20022"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/tremendous"
	rewards "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/payments/xendit"
	wallets "github.com/guerdon/guerdon/payments/xendit/standin"
	"github.com/guerdon/guerdon/payments/xoxoday"
	vouchers "github.com/guerdon/guerdon/payments/xoxoday/standin"
	"github.com/guerdon/guerdon/store"
)

// raced is a rail whose speed is measured.
type raced struct {
	name     string
	currency string
	details  map[string]string
	over     func(t *testing.T) (make func(*store.Store) payments.Rail, paid func(key string) int) // paid is nil where no stand-in counts
}

// fast is as good as no limit, which would be the rail's own.
const fast = 100_000

// raceable are all rails but Stripe, which TestPayoutSpeed pays by.
var raceable = []raced{
	{tremendous.Name, "USD", map[string]string{"email": "rep@example.com"}, func(t *testing.T) (func(*store.Store) payments.Rail, func(string) int) {
		shop, err := rewards.Start("127.0.0.1:0", rewards.Options{APIKey: "k", Balance: "1000000000"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
		rail, err := tremendous.New(tremendous.Config{APIKey: "k", CampaignID: rewards.Campaign, BaseURL: shop.URL, PerSecond: fast})
		require.NoError(t, err)
		return func(*store.Store) payments.Rail { return rail }, shop.Paid
	}},
	{xoxoday.Name, "USD", map[string]string{"email": "rep@example.com", "product": vouchers.Experience}, func(t *testing.T) (func(*store.Store) payments.Rail, func(string) int) {
		shop, err := vouchers.Start("127.0.0.1:0", vouchers.Options{Balance: "1000000000", Currency: "USD"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
		rail, err := xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: "s", Currency: "USD", BaseURL: shop.URL, PerSecond: fast})
		require.NoError(t, err)
		return func(*store.Store) payments.Rail { return rail }, shop.Paid
	}},
	{xendit.Name, "PHP", map[string]string{"channel": "PH_GCASH", "account": "09171234567", "holder": "Rep"}, func(t *testing.T) (func(*store.Store) payments.Rail, func(string) int) {
		bank, err := wallets.Start("127.0.0.1:0", wallets.Options{APIKey: "k", Balances: map[string]string{"PHP": "1000000000"}, Automatic: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
		rail, err := xendit.New(xendit.Config{APIKey: "k", CallbackTokens: []string{"t"}, BaseURL: bank.URL, PerSecond: fast})
		require.NoError(t, err)
		return func(*store.Store) payments.Rail { return rail }, bank.Paid
	}},
	{incentive.PointsRail, "USD", map[string]string{points.ToDetail: points.Own}, func(*testing.T) (func(*store.Store) payments.Rail, func(string) int) {
		return func(s *store.Store) payments.Rail { return points.New(s) }, nil
	}},
	{paymentfile.Name, "USD", map[string]string{"holder": "Rep", "account": "DE89370400440532013000"}, file(func() (payments.Rail, error) { return paymentfile.New(paymentfile.Name, "Test"), nil })},
	{"iso20022-general", "USD", map[string]string{"holder": "Rep", "account": "987654321", "bank": "USABA021000021"}, file(func() (payments.Rail, error) {
		return iso20022.New(iso20022.Config{Name: "iso20022-general", Scheme: iso20022.General, Debtor: iso20022.Debtor{Name: "Test"}, Now: time.Now, Accounts: map[incentive.Currency]iso20022.Account{"USD": {Number: "123456789", Bank: "USABA021000021"}}})
	})},
	{"iso20022-sepa", "EUR", map[string]string{"holder": "Rep", "account": "NL91ABNA0417164300"}, file(func() (payments.Rail, error) {
		return iso20022.New(iso20022.Config{Name: "iso20022-sepa", Scheme: iso20022.SEPA, Debtor: iso20022.Debtor{Name: "Test"}, Now: time.Now, Accounts: map[incentive.Currency]iso20022.Account{"EUR": {Number: "DE89370400440532013000", Bank: "COBADEFFXXX"}}})
	})},
	{"nacha", "USD", map[string]string{"holder": "Rep", "routing": "021000021", "account": "12345678", "kind": "checking", "owner": "person"}, file(func() (payments.Rail, error) {
		return nacha.New(nacha.Config{Company: "Test", CompanyID: "1123456789", Bank: "021000021", BankName: "Bank", LeadDays: 1, Now: time.Now})
	})},
	{india.Name, "INR", map[string]string{"holder": "Rep", "account": "000111222333", "bank": "HDFC0000001"}, file(func() (payments.Rail, error) {
		template, err := india.Parse([]byte("payment: [\"{reference}\", \"{mode}\", \"{bank}\", \"{account}\", \"{holder}\", \"{amount}\"]\nmodes: [{mode: neft, written: NEFT}]\n"))
		if err != nil {
			return nil, err
		}
		return india.New(india.Config{Template: template, Zone: time.UTC, Now: time.Now}), nil
	})},
}

func file(make func() (payments.Rail, error)) func(*testing.T) (func(*store.Store) payments.Rail, func(string) int) {
	return func(t *testing.T) (func(*store.Store) payments.Rail, func(string) int) {
		rail, err := make()
		require.NoError(t, err)
		return func(*store.Store) payments.Rail { return rail }, nil
	}
}

// TestRailSpeed pays GUERDON_PAYOUTS payouts (20 if nothing is said) by each rail of GUERDON_RAILS, names with
// commas (nacha if nothing is said, and all of them for "all"), and says how long it took from the release
// until everything was with the rail or, by file, until the file was built. docs/performance.md has figures.
func TestRailSpeed(t *testing.T) {
	for _, name := range append(payments.Known, incentive.PointsRail) {
		require.True(t, name == stripe.Name || slices.ContainsFunc(raceable, func(r raced) bool { return r.name == name }), "%s is measured", name)
	}
	payouts, names := setting(t, "GUERDON_PAYOUTS", 20), strings.Split(os.Getenv("GUERDON_RAILS"), ",")
	if names[0] == "" {
		names = []string{"nacha"}
	}
	for _, name := range names {
		known := false
		for _, r := range raceable {
			if r.name == name || name == "all" {
				known = true
				t.Run(r.name, func(t *testing.T) { r.race(t, payouts) })
			}
		}
		require.True(t, known, "there is no rail %q to measure", name)
	}
}

func (r raced) race(t *testing.T, payouts int) {
	make, paid := r.over(t)
	h := startOver(t, func(s *store.Store) []payments.Rail { return []payments.Rail{make(s)} })
	h.currency = r.currency
	h.company(payouts, r.name, func(string) map[string]string { return r.details })
	ctx := t.Context()
	h.release(payouts)
	began := time.Now()
	var built []store.PaymentFile
	if rail, err := payments.NewRegistry(make(h.store)); err == nil {
		if _, err := rail.File(r.name); err == nil {
			require.Eventually(t, func() bool {
				built, err = h.store.FilesOfRail(ctx, period, 1, r.name)
				require.NoError(t, err)
				return len(built) == 1
			}, 10*time.Minute, 10*time.Millisecond)
		} else {
			h.awaitWithin(time.Hour, period, incentive.Settling)
		}
	}
	took := time.Since(began)
	t.Logf("%s: %d payouts in %.1f s, %.0f a second", r.name, payouts, took.Seconds(), float64(payouts)/took.Seconds())
	for _, f := range built {
		require.Equal(t, payouts, f.Payouts)
		h.takesToTheBank(r.name)
		h.awaitWithin(time.Hour, period, incentive.Settling)
	}
	keys := h.texts(`SELECT key::text FROM payout_attempt WHERE state = 'confirmed'`)
	require.Len(t, keys, payouts, "everybody once")
	if paid != nil {
		for _, key := range keys {
			require.Equal(t, 1, paid(key))
		}
	}
	require.NoError(t, h.store.VerifyPayouts(ctx, period, 1))
}
