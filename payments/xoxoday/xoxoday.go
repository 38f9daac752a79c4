// Package xoxoday pays by rewards, such as gift cards and experiences, through Xoxoday's
// Plum: one order of one voucher for each payout, sent by e-mail. Plum has no idempotency:
// the same order twice is two orders. An order whose answer was lost is looked up by its
// number and never placed again; what cannot be found goes to a person.
package xoxoday

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// Name is the rail's name.
const Name = "xoxoday"

const (
	// apiURL is Xoxoday itself; its staging is stagingstores.xoxoday.com.
	apiURL = "https://accounts.xoxoday.com/chef"

	// perSecond is what is asked of Xoxoday, which publishes no limit.
	perSecond = 2
)

// Config is what the rail needs.
type Config struct {
	ClientID     string
	ClientSecret string
	Currency     incentive.Currency // of the account: it orders in no other
	BaseURL      string             // "" is Xoxoday itself
	HTTPClient   *http.Client       // nil is a client of the rail's own
	PerSecond    float64            // calls that the account may make; 0 is a careful guess
}

// Rail pays through Xoxoday.
type Rail struct {
	client    *http.Client
	base      string
	id        string
	secret    string
	currency  incentive.Currency
	perSecond float64

	mutex sync.Mutex
	token string // "" before the first call
}

var (
	_ payments.SingleRail = (*Rail)(nil)
	_ payments.Catalogue  = (*Rail)(nil)
)

// New returns the rail. It calls nobody.
func New(config Config) (*Rail, error) {
	if config.ClientID == "" || config.ClientSecret == "" {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the Xoxoday rail needs a client id and its secret")
	}
	currency, err := incentive.ParseCurrency(string(config.Currency))
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the Xoxoday rail needs the currency of its account, such as INR: %s", err)
	}
	base := cmp.Or(config.BaseURL, apiURL)
	if !payments.MayCarryKey(base) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the address of Xoxoday's API is not one that a secret may be sent to: write one such as %s", apiURL)
	}
	client := config.HTTPClient
	if client == nil {
		client = &http.Client{
			// Xoxoday does not redirect: whoever does is somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Rail{
		client:    client,
		base:      strings.TrimSuffix(base, "/"),
		id:        config.ClientID,
		secret:    config.ClientSecret,
		currency:  currency,
		perSecond: cmp.Or(config.PerSecond, perSecond),
	}, nil
}

// Name returns "xoxoday".
func (*Rail) Name() string { return Name }

// Capabilities says what Xoxoday can do. There is no DedupeWindow: no order may be placed
// a second time.
func (r *Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{Currencies: []incentive.Currency{r.currency}, LookupByReference: true, PaidAtOnce: true, PerSecond: r.perSecond, Test: r.base != apiURL}
}

// orderRequest is a new order. Its tag comes back with it, and says whose it is.
type orderRequest struct {
	Product      json.Number `json:"productId"`
	Quantity     int         `json:"quantity"`
	Denomination json.Number `json:"denomination"`
	Email        string      `json:"email"`
	Number       string      `json:"poNumber"`
	Tag          string      `json:"tag"`
	TellReceiver int         `json:"notifyReceiverEmail"`
	TellAdmin    int         `json:"notifyAdminEmail"`
}

// Submit places the order under the reference as its number. It must be called once for a
// reference: a second call is a second order.
func (r *Rail) Submit(ctx context.Context, in payments.Instruction) (payments.Result, error) {
	if err := r.check(in); err != nil {
		return payments.Result{}, err
	}
	var made order
	err := r.call(ctx, placeOrder, orderRequest{
		Product: json.Number(in.Destination[ProductDetail]), Quantity: 1, Denomination: json.Number(in.Amount.Amount()), Email: in.Destination[EmailDetail],
		Number: in.Reference, Tag: in.Reference, TellReceiver: 1,
	}, &made)
	if err != nil {
		return payments.Result{}, err
	}
	result, err := made.result(in.Reference)
	if err != nil {
		return payments.Result{}, err
	}
	return result, result.Matches(Name, in.Amount)
}

func (r *Rail) check(in payments.Instruction) error {
	if err := r.Capabilities().Check(Name, in.Amount); err != nil {
		return err
	}
	clean, _, err := r.ValidateDestination(in.Destination)
	switch {
	case in.Reference == "" || len(in.Reference) > 64 || strings.TrimSpace(in.Reference) != in.Reference:
		return refuse("reference-invalid", "an attempt needs a reference of 1 to 64 characters, with no space at its ends, to be found by")
	case err != nil || !maps.Equal(clean, in.Destination):
		return refuse("destination-invalid", "the destination is not one that was checked before")
	}
	return nil
}

// Lookup finds the order of a reference by its number.
func (r *Rail) Lookup(ctx context.Context, reference string) (payments.Result, error) {
	if reference == "" {
		return payments.Result{}, refuse("reference-invalid", "without a reference there is nothing to find")
	}
	var found *order
	err := r.call(ctx, orderDetails, map[string]any{"poNumber": reference, "sendMailToReceiver": 0}, &found)
	var refused *payments.Error
	switch {
	case errors.As(err, &refused) && refused.Code == "http-404", err == nil && (found == nil || *found == order{}):
		return payments.Result{State: payments.Absent}, nil
	case err != nil:
		return payments.Result{}, err
	}
	return found.result(reference)
}

// Balance is what the account has available. In another currency than the account's there
// is nothing.
func (r *Rail) Balance(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	var wallet struct {
		Value    json.Number `json:"value"`
		Currency string      `json:"currency"`
	}
	if err := r.call(ctx, getBalance, struct{}{}, &wallet); err != nil {
		return incentive.Money{}, err
	}
	if wallet.Currency == "" {
		return incentive.Money{}, unreadable("Xoxoday's answer is not a balance", nil)
	}
	if wallet.Currency != string(currency) {
		return incentive.Money{Currency: currency}, nil
	}
	amount, err := incentive.ParseDecimal(wallet.Value.String())
	if err != nil {
		return incentive.Money{}, unreadable("Xoxoday's answer has an amount that cannot be read", err)
	}
	money, err := incentive.Down.Round(amount, currency)
	if err != nil {
		return incentive.Money{}, unreadable("Xoxoday's answer has an amount that cannot be read", err)
	}
	return money, nil
}

// ParseEvents refuses every event: nothing that Xoxoday documents tells its webhooks from
// forged ones. Orders are asked after instead.
func (*Rail) ParseEvents(http.Header, []byte, time.Time) ([]payments.Event, error) {
	return nil, incentive.Errorf(payments.CodeEventRefused, "no event is taken from Xoxoday: nothing shows that it comes from there, and orders are asked after instead")
}
