// Package stripe pays by transfers to connected accounts. A payout is paid when its
// transfer exists; what the account then pays out to its bank is the account's own.
package stripe

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/account"
	"github.com/stripe/stripe-go/v76/accountlink"
	"github.com/stripe/stripe-go/v76/balance"
	"github.com/stripe/stripe-go/v76/transfer"
	"github.com/stripe/stripe-go/v76/transferreversal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// Name is the rail's name.
const Name = "stripe"

// AccountDetail is the one detail of a destination: the id of a connected account.
const AccountDetail = "account"

const (
	// callTimeout bounds one call. A call that takes longer has an unknown outcome.
	callTimeout = 30 * time.Second

	// keyWindow is how long Stripe keeps an idempotency key at least.
	keyWindow = 24 * time.Hour

	// perSecond stays under the 25 calls a second that Stripe allows on one endpoint.
	perSecond = 20
)

// Config is what the rail needs.
type Config struct {
	APIKey         string
	WebhookSecrets []string     // every secret that is valid now: two while one is being rolled
	BaseURL        string       // "" is Stripe itself
	HTTPClient     *http.Client // nil is a client of the rail's own, with its timeout
	PerSecond      float64      // calls that the account may make; 0 is what Stripe allows everybody
}

// Rail pays through Stripe.
type Rail struct {
	transfers transfer.Client
	reversals transferreversal.Client
	balances  balance.Client
	accounts  account.Client
	links     accountlink.Client
	secrets   []string
	perSecond float64
	test      bool
}

var (
	_ payments.SingleRail = (*Rail)(nil)
	_ payments.Reverser   = (*Rail)(nil)
	_ payments.Lister     = (*Rail)(nil)
)

// New returns the rail. It calls nobody.
func New(config Config) (*Rail, error) {
	if config.APIKey == "" {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the Stripe rail needs an API key")
	}
	base := config.BaseURL
	if base == "" {
		base = sdk.APIURL
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%q is not the address of Stripe's API: write one such as %s", base, sdk.APIURL)
	}
	for _, secret := range config.WebhookSecrets {
		if secret == "" {
			return nil, incentive.Errorf(incentive.CodeInvalid, "a webhook secret of the Stripe rail is empty: anyone could sign with it")
		}
	}
	client := config.HTTPClient
	if client == nil {
		client = &http.Client{
			Timeout: callTimeout,
			// Stripe does not redirect: whoever does is somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	// The library's own retries would spend Stripe's budget and blur what happened:
	// whoever calls the rail decides whether to call again.
	backend := sdk.GetBackendWithConfig(sdk.APIBackend, &sdk.BackendConfig{
		URL:               sdk.String(base),
		HTTPClient:        client,
		MaxNetworkRetries: sdk.Int64(0),
		EnableTelemetry:   sdk.Bool(false),
		LeveledLogger:     &sdk.LeveledLogger{Level: sdk.LevelNull},
	})
	return &Rail{
		transfers: transfer.Client{B: backend, Key: config.APIKey},
		reversals: transferreversal.Client{B: backend, Key: config.APIKey},
		balances:  balance.Client{B: backend, Key: config.APIKey},
		accounts:  account.Client{B: backend, Key: config.APIKey},
		links:     accountlink.Client{B: backend, Key: config.APIKey},
		secrets:   config.WebhookSecrets,
		perSecond: cmp.Or(config.PerSecond, perSecond),
		test:      base != sdk.APIURL || strings.Contains(config.APIKey, "_test_"),
	}, nil
}

// Name returns "stripe".
func (*Rail) Name() string { return Name }

// Capabilities says what Stripe can do. Which currencies an account takes is the
// account's affair, so every currency is tried.
func (r *Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{DedupeWindow: keyWindow, LookupByReference: true, PaidAtOnce: true, PerSecond: r.perSecond, Test: r.test}
}

var accountID = regexp.MustCompile(`^acct_[A-Za-z0-9]{1,64}$`)

// ValidateDestination takes the id of a connected account under AccountDetail.
func (*Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	id := strings.TrimSpace(d[AccountDetail])
	if len(d) != 1 || !accountID.MatchString(id) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, `a destination at Stripe has one detail, %q: the id of a connected account, such as acct_1032D82eZvKYlo2C`, AccountDetail)
	}
	tail := id[max(len("acct_"), len(id)-4):]
	return payments.Destination{AccountDetail: id}, "acct_…" + tail, nil
}

// Submit makes the transfer. The answer is checked against what was asked: a transfer
// that differs is an Alarm.
func (r *Rail) Submit(ctx context.Context, in payments.Instruction) (payments.Result, error) {
	if err := check(in); err != nil {
		return payments.Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	params := &sdk.TransferParams{
		Params:        sdk.Params{Context: ctx, IdempotencyKey: sdk.String(in.Key)},
		Amount:        sdk.Int64(toStripe(in.Amount)),
		Currency:      sdk.String(strings.ToLower(string(in.Amount.Currency))),
		Destination:   sdk.String(in.Destination[AccountDetail]),
		TransferGroup: sdk.String(in.Reference),
		Metadata:      map[string]string{"payout_id": in.PayoutID, "period_id": in.PeriodID},
	}
	if in.Description != "" {
		params.Description = sdk.String(in.Description)
	}
	made, err := r.transfers.New(params)
	if err != nil {
		return payments.Result{}, classify(err)
	}
	result, err := resultOf(made)
	if err != nil {
		return payments.Result{}, err
	}
	if made.TransferGroup != in.Reference || made.Destination == nil || made.Destination.ID != in.Destination[AccountDetail] {
		return payments.Result{}, alarm("transfer-differs", "Stripe answered with a transfer other than the one asked for")
	}
	return result, result.Matches(Name, in.Amount)
}

func check(in payments.Instruction) error {
	switch {
	case in.Reference == "":
		return refuse("reference-missing", "an attempt needs a reference to be found by")
	case !accountID.MatchString(in.Destination[AccountDetail]):
		return refuse("destination-invalid", "the destination is not the id of a connected account")
	}
	return checkMove(in.Amount, in.Key)
}

// checkMove refuses an amount or a key by which Stripe cannot move money.
func checkMove(amount incentive.Money, key string) error {
	if err := (payments.Capabilities{}).Check(Name, amount); err != nil {
		return err
	}
	switch {
	// The library trims a key, and without one it would make a new one for each call.
	case key == "" || len(key) > 255 || strings.TrimSpace(key) != key:
		return refuse("key-invalid", "an idempotency key has 1 to 255 characters and no space at its ends")
	case odd[amount.Currency]:
		return refuse("currency-not-supported", fmt.Sprintf("this rail does not pay in %s", amount.Currency))
	case amount.Currency.Exponent() == 3 && amount.Minor%10 != 0:
		return refuse("amount-too-fine", "Stripe pays this currency in steps of ten of its smallest unit")
	case toStripe(amount)/factor(amount.Currency) != amount.Minor:
		return refuse("amount-too-large", "the amount is larger than Stripe can write")
	}
	return nil
}

func refuse(code, message string) error {
	return &payments.Error{Class: payments.Definite, Rail: Name, Code: code, Message: message}
}

// Lookup finds the transfer of a reference. Two transfers under one reference are an
// Alarm: somebody was paid twice.
func (r *Rail) Lookup(ctx context.Context, reference string) (payments.Result, error) {
	if reference == "" {
		// An empty filter would list the transfers of everybody.
		return payments.Result{}, refuse("reference-missing", "an attempt needs a reference to be found by")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	found := r.transfers.List(&sdk.TransferListParams{
		ListParams:    sdk.ListParams{Context: ctx, Limit: sdk.Int64(10)},
		TransferGroup: sdk.String(reference),
	})
	result := payments.Result{State: payments.Absent}
	for found.Next() {
		made := found.Transfer()
		if made.TransferGroup != reference {
			return payments.Result{}, alarm("transfer-differs", "Stripe listed a transfer that has another reference")
		}
		if result.Found() {
			return payments.Result{}, alarm("paid-twice", "Stripe has more than one transfer with this reference")
		}
		var err error
		if result, err = resultOf(made); err != nil {
			return payments.Result{}, err
		}
	}
	if err := found.Err(); err != nil {
		return payments.Result{}, classify(err)
	}
	return result, nil
}

// List lists the transfers that were made in a time, to the second.
func (r *Rail) List(ctx context.Context, from, until time.Time, each func(payments.Listed) error) error {
	found := r.transfers.List(&sdk.TransferListParams{
		ListParams:   sdk.ListParams{Context: ctx, Limit: sdk.Int64(100)},
		CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: until.Unix()},
	})
	for found.Next() {
		made := found.Transfer()
		result, err := resultOf(made)
		if payments.ClassOf(err) == payments.Alarm {
			result, err = payments.Result{RailID: made.ID}, nil
		}
		if err == nil {
			err = each(payments.Listed{Reference: made.TransferGroup, Result: result})
		}
		if err != nil {
			return err
		}
	}
	if err := found.Err(); err != nil {
		return classify(err)
	}
	return nil
}

// Balance is the platform's available balance in a currency.
func (r *Rail) Balance(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b, err := r.balances.Get(&sdk.BalanceParams{Params: sdk.Params{Context: ctx}})
	if err != nil {
		return incentive.Money{}, classify(err)
	}
	if b.Object != "balance" {
		return incentive.Money{}, &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: "Stripe's answer is not a balance"}
	}
	money := incentive.Money{Currency: currency}
	for _, a := range b.Available {
		if strings.EqualFold(string(a.Currency), string(currency)) {
			// Whole minor units only: what is left over cannot be paid out.
			money.Minor += a.Amount / factor(currency)
		}
	}
	return money, nil
}

// Reverse takes amount back from the transfer railID, as far as the connected account's
// balance goes.
func (r *Rail) Reverse(ctx context.Context, railID string, amount incentive.Money, key string) (payments.Result, error) {
	if err := checkMove(amount, key); err != nil {
		return payments.Result{}, err
	}
	if railID == "" {
		return payments.Result{}, refuse("transfer-missing", "a reversal needs the id of a transfer")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	back, err := r.reversals.New(&sdk.TransferReversalParams{
		Params: sdk.Params{Context: ctx, IdempotencyKey: sdk.String(key)},
		ID:     sdk.String(railID),
		Amount: sdk.Int64(toStripe(amount)),
	})
	if err != nil {
		return payments.Result{}, classify(err)
	}
	if back.Transfer == nil || back.Transfer.ID != railID || back.Amount != toStripe(amount) {
		return payments.Result{}, alarm("reversal-differs", "Stripe answered with a reversal other than the one asked for")
	}
	return payments.Result{State: payments.Returned, RailID: back.ID, Amount: amount, Reversed: amount.Minor, At: time.Unix(back.Created, 0).UTC()}, nil
}

// resultOf reads a transfer. One without id or currency is no transfer at all, and what
// became of the request is unknown.
func resultOf(made *sdk.Transfer) (payments.Result, error) {
	currency, err := incentive.ParseCurrency(strings.ToUpper(string(made.Currency)))
	if err != nil || made.ID == "" || made.Object != "transfer" {
		return payments.Result{}, &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: "Stripe's answer is not a transfer"}
	}
	state := payments.Paid
	if made.Reversed {
		state = payments.Returned
	}
	f := factor(currency)
	if made.Amount%f != 0 {
		return payments.Result{}, alarm("amount-differs", "Stripe moved a fraction of the smallest unit")
	}
	return payments.Result{
		State:    state,
		RailID:   made.ID,
		Amount:   incentive.Money{Minor: made.Amount / f, Currency: currency},
		Reversed: made.AmountReversed / f,
		At:       time.Unix(made.Created, 0).UTC(),
	}, nil
}

// factor is how many of Stripe's units one minor unit is. Stripe counts the króna in
// hundredths, although ISO 4217 gives it no decimal place.
func factor(c incentive.Currency) int64 {
	if c == "ISK" {
		return 100
	}
	return 1
}

// odd are currencies whose smallest unit at Stripe is not that of ISO 4217, in a way
// that has not been proved here: a mistake would be a hundredfold.
var odd = map[incentive.Currency]bool{"MGA": true, "UGX": true}

func toStripe(m incentive.Money) int64 { return m.Minor * factor(m.Currency) }

func alarm(code, message string) error {
	return &payments.Error{Class: payments.Alarm, Rail: Name, Code: code, Message: message}
}
