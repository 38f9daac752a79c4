// Package xendit pays to bank accounts and e-wallets in Indonesia and the Philippines,
// through the payouts API that Xendit publishes. docs/rails.md builds this package step
// by step.
package xendit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// Name is the rail's name.
const Name = "xendit"

const (
	// apiURL is Xendit itself, for live and for test keys.
	apiURL = "https://api.xendit.co"

	// keyWindow is how long an idempotency key is relied on. Xendit names no end.
	keyWindow = 30 * 24 * time.Hour

	// perSecond is what the rail asks of Xendit, which publishes no limit for payouts.
	perSecond = 10
)

// Config is what the rail needs.
type Config struct {
	APIKey         string
	CallbackTokens []string     // every token that is valid now: two while one is being replaced
	BaseURL        string       // "" is Xendit itself
	HTTPClient     *http.Client // nil is a client of the rail's own
	PerSecond      float64      // calls that the account may make; 0 is the rail's own caution
}

// Rail pays through Xendit.
type Rail struct {
	client    *http.Client
	base      string
	key       string
	tokens    []string
	perSecond float64
}

var (
	_ payments.SingleRail = (*Rail)(nil)
	_ payments.Lister     = (*Rail)(nil)
	_ payments.Canceller  = (*Rail)(nil)
)

// New returns the rail. It calls nobody.
func New(config Config) (*Rail, error) {
	if config.APIKey == "" {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the Xendit rail needs an API key")
	}
	if slices.Contains(config.CallbackTokens, "") {
		return nil, incentive.Errorf(incentive.CodeInvalid, "a callback token of the Xendit rail is empty: anyone could send it")
	}
	base := cmp.Or(config.BaseURL, apiURL)
	if !payments.MayCarryKey(base) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the address of Xendit's API is not one that a key may be sent to: write one such as %s", apiURL)
	}
	client := config.HTTPClient
	if client == nil {
		client = &http.Client{
			// Xendit does not redirect: whoever does is somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Rail{
		client:    client,
		base:      strings.TrimSuffix(base, "/"),
		key:       config.APIKey,
		tokens:    slices.Clone(config.CallbackTokens),
		perSecond: cmp.Or(config.PerSecond, perSecond),
	}, nil
}

// Name returns "xendit".
func (*Rail) Name() string { return Name }

// Capabilities says what Xendit can do. The limits of a channel are narrower.
func (r *Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{
		Currencies:        []incentive.Currency{"IDR", "PHP"},
		Smallest:          map[incentive.Currency]int64{"IDR": 10_000_00, "PHP": 1_00},
		DedupeWindow:      keyWindow,
		LookupByReference: true,
		PerSecond:         r.perSecond,
		Test:              r.base != apiURL || strings.HasPrefix(r.key, "xnd_development_"),
	}
}

// payoutRequest is the body of a new payout.
type payoutRequest struct {
	ReferenceID       string            `json:"reference_id"`
	ChannelCode       string            `json:"channel_code"`
	ChannelProperties channelProperties `json:"channel_properties"`
	Amount            number            `json:"amount"`
	Currency          string            `json:"currency"`
	Description       string            `json:"description,omitempty"`
	Metadata          map[string]string `json:"metadata"`
}

type channelProperties struct {
	AccountNumber     string `json:"account_number"`
	AccountHolderName string `json:"account_holder_name"`
}

// Submit makes the payout. Xendit takes it first and pays it afterwards, so the result
// is Submitted; a payout that had failed by the time it was asked for again is an error
// of the class that its failure has.
func (r *Rail) Submit(ctx context.Context, in payments.Instruction) (payments.Result, error) {
	amount, err := r.check(in)
	if err != nil {
		return payments.Result{}, err
	}
	channel, account := in.Destination[ChannelDetail], in.Destination[AccountDetail]
	var made payout
	err = r.call(ctx, http.MethodPost, "/v2/payouts", http.Header{"Idempotency-Key": {in.Key}}, payoutRequest{
		ReferenceID:       in.Reference,
		ChannelCode:       channel,
		ChannelProperties: channelProperties{AccountNumber: account, AccountHolderName: in.Destination[HolderDetail]},
		Amount:            amount,
		Currency:          string(in.Amount.Currency),
		Description:       in.Description,
		Metadata:          map[string]string{"payout_id": in.PayoutID, "period_id": in.PeriodID},
	}, &made)
	if isDuplicate(err) {
		// Xendit says so of another body, and has said so of the same one.
		found, lookupErr := r.find(ctx, in.Reference)
		if lookupErr != nil {
			return payments.Result{}, unknownAfter(lookupErr)
		}
		if found == nil {
			return payments.Result{}, err
		}
		made, err = *found, nil
	}
	if err != nil {
		return payments.Result{}, err
	}
	result, err := made.result()
	if err != nil {
		return payments.Result{}, err
	}
	if made.ReferenceID != in.Reference || made.ChannelCode != channel || made.ChannelProperties.AccountNumber != account {
		return payments.Result{}, alarm("payout-differs", "Xendit answered with a payout other than the one asked for")
	}
	if err := result.Matches(Name, in.Amount); err != nil {
		return payments.Result{}, err
	}
	if result.State == payments.Refused {
		return payments.Result{}, made.failure()
	}
	return result, nil
}

func (r *Rail) check(in payments.Instruction) (number, error) {
	if err := r.Capabilities().Check(Name, in.Amount); err != nil {
		return "", err
	}
	channel, known := channels[in.Destination[ChannelDetail]]
	clean, _, err := r.ValidateDestination(in.Destination)
	switch {
	case in.Key == "" || len(in.Key) > 100 || strings.TrimSpace(in.Key) != in.Key:
		return "", refuse("key-invalid", "an idempotency key has 1 to 100 characters and no space at its ends")
	case in.Reference == "" || len(in.Reference) > 255:
		return "", refuse("reference-invalid", "an attempt needs a reference of at most 255 characters to be found by")
	case err != nil || !known || !maps.Equal(clean, in.Destination):
		return "", refuse("destination-invalid", "the destination is not one that was checked before")
	case channel.currency != in.Amount.Currency:
		return "", refuse("currency-not-supported", fmt.Sprintf("%s is paid in %s", channel.name, channel.currency))
	case channel.largest > 0 && in.Amount.Minor > channel.largest:
		most := incentive.Money{Minor: channel.largest, Currency: channel.currency}
		return "", refuse("amount-too-large", fmt.Sprintf("%s takes at most %s at a time", channel.name, most))
	}
	return toXendit(in.Amount)
}

// Lookup finds the payout of a reference.
func (r *Rail) Lookup(ctx context.Context, reference string) (payments.Result, error) {
	if reference == "" {
		return payments.Result{}, refuse("reference-invalid", "without a reference there is nothing to find")
	}
	found, err := r.find(ctx, reference)
	if err != nil {
		return payments.Result{}, err
	}
	if found == nil {
		return payments.Result{State: payments.Absent}, nil
	}
	return found.result()
}

// find returns the one payout of a reference, or nil. Two under one reference are an
// alarm: each attempt has a reference of its own.
func (r *Rail) find(ctx context.Context, reference string) (*payout, error) {
	var list struct {
		Data    *[]payout `json:"data"`
		HasMore bool      `json:"has_more"`
	}
	query := url.Values{"reference_id": {reference}, "limit": {"10"}}
	if err := r.call(ctx, http.MethodGet, "/v2/payouts?"+query.Encode(), nil, nil, &list); err != nil {
		return nil, err
	}
	if list.Data == nil {
		return nil, unreadable("Xendit's answer is not a list of payouts", nil)
	}
	for _, p := range *list.Data {
		if p.ReferenceID != reference {
			return nil, alarm("payout-differs", "Xendit listed a payout that has another reference")
		}
	}
	if len(*list.Data) > 1 || list.HasMore {
		return nil, alarm("paid-twice", "Xendit has more than one payout with this reference")
	}
	if len(*list.Data) == 0 {
		return nil, nil
	}
	return &(*list.Data)[0], nil
}

// List lists what Xendit's report of transactions has of payouts: its payouts themselves
// can be asked for by their reference alone.
func (r *Rail) List(ctx context.Context, from, until time.Time, each func(payments.Listed) error) error {
	const page = 50
	query := url.Values{"types": {"DISBURSEMENT"}, "created[gte]": {from.UTC().Format(time.RFC3339Nano)}, "created[lte]": {until.UTC().Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(page)}}
	for {
		var list struct {
			Data    *[]transaction `json:"data"`
			HasMore bool           `json:"has_more"`
		}
		if err := r.call(ctx, http.MethodGet, "/transactions?"+query.Encode(), nil, nil, &list); err != nil {
			return err
		}
		if list.Data == nil || list.HasMore && len(*list.Data) == 0 {
			return unreadable("Xendit's answer is not a list of transactions", nil)
		}
		for _, t := range *list.Data {
			if t.Created.Before(from) || !t.Created.Before(until) {
				continue // the bounds of Xendit's are both inclusive
			}
			if err := each(t.listed()); err != nil {
				return err
			}
		}
		if !list.HasMore {
			return nil
		}
		query.Set("after_id", (*list.Data)[len(*list.Data)-1].ID)
	}
}

// Balance is the cash balance at Xendit in a currency.
func (r *Rail) Balance(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	var answer struct {
		Balance number `json:"balance"`
	}
	query := url.Values{"account_type": {"CASH"}, "currency": {string(currency)}}
	if err := r.call(ctx, http.MethodGet, "/balance?"+query.Encode(), nil, nil, &answer); err != nil {
		return incentive.Money{}, err
	}
	money, err := answer.Balance.atMost(currency)
	if err != nil {
		return incentive.Money{}, unreadable("Xendit's answer is not a balance", err)
	}
	return money, nil
}
