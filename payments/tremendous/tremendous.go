// Package tremendous pays by rewards, such as gift cards and prepaid cards, through the
// API that Tremendous publishes: one order with one reward for each payout, sent by
// e-mail, from which the participant chooses unless a product was chosen before.
package tremendous

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
const Name = "tremendous"

const (
	// apiURL is Tremendous itself; its sandbox is testflight.tremendous.com.
	apiURL = "https://www.tremendous.com/api/v2"

	// balanceSource is Tremendous's word for the balance of the account.
	balanceSource = "BALANCE"

	// keyWindow is how long an order's external id is relied on. Tremendous names no end.
	keyWindow = 30 * 24 * time.Hour

	// perSecond is what Tremendous allows everybody.
	perSecond = 10
)

// Config is what the rail needs.
type Config struct {
	APIKey          string
	CampaignID      string       // says what participants who chose nothing choose from, and how the e-mail looks
	FundingSourceID string       // what orders are paid from; "" is the account's balance
	WebhookSecrets  []string     // every secret that is valid now: two while one is being replaced
	BaseURL         string       // "" is Tremendous itself
	HTTPClient      *http.Client // nil is a client of the rail's own
	PerSecond       float64      // calls that the account may make; 0 is what Tremendous allows everybody
}

// Rail pays through Tremendous.
type Rail struct {
	client    *http.Client
	base      string
	key       string
	campaign  string
	source    string
	secrets   []string
	perSecond float64
}

var (
	_ payments.SingleRail  = (*Rail)(nil)
	_ payments.EventReader = (*Rail)(nil)
	_ payments.Lister      = (*Rail)(nil)
	_ payments.Canceller   = (*Rail)(nil)
	_ payments.Catalogue   = (*Rail)(nil)
)

// New returns the rail. It calls nobody.
func New(config Config) (*Rail, error) {
	if config.APIKey == "" || config.CampaignID == "" {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the Tremendous rail needs an API key and the id of a campaign")
	}
	if slices.Contains(config.WebhookSecrets, "") {
		return nil, incentive.Errorf(incentive.CodeInvalid, "a webhook secret of the Tremendous rail is empty: anyone could sign with it")
	}
	base := cmp.Or(config.BaseURL, apiURL)
	if !payments.MayCarryKey(base) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the address of Tremendous's API is not one that a key may be sent to: write one such as %s", apiURL)
	}
	client := config.HTTPClient
	if client == nil {
		client = &http.Client{
			// Tremendous does not redirect: whoever does is somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Rail{
		client: client, base: strings.TrimSuffix(base, "/"), key: config.APIKey, campaign: config.CampaignID, source: cmp.Or(config.FundingSourceID, balanceSource),
		secrets: slices.Clone(config.WebhookSecrets), perSecond: cmp.Or(config.PerSecond, perSecond),
	}, nil
}

// Name returns "tremendous".
func (*Rail) Name() string { return Name }

// Capabilities says what Tremendous can do. An order that the account holds for approval
// is not paid at once; its result says so.
func (r *Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{
		DedupeWindow:      keyWindow,
		LookupByReference: true,
		PaidAtOnce:        true,
		PerSecond:         r.perSecond,
		Test:              r.base != apiURL || strings.HasPrefix(r.key, "TEST_"),
	}
}

// orderRequest is the body of a new order.
type orderRequest struct {
	ExternalID string        `json:"external_id"`
	Payment    orderPayment  `json:"payment"`
	Reward     rewardRequest `json:"reward"`
}

type orderPayment struct {
	FundingSourceID string `json:"funding_source_id"`
}

type rewardRequest struct {
	CampaignID string    `json:"campaign_id"`
	Products   []string  `json:"products,omitempty"`
	Value      value     `json:"value"`
	Recipient  recipient `json:"recipient"`
	Delivery   delivery  `json:"delivery"`
}

type delivery struct {
	Method string `json:"method"`
}

// Submit places the order. Tremendous knows an order again by its external id, which is
// the reference; the key is not sent.
func (r *Rail) Submit(ctx context.Context, in payments.Instruction) (payments.Result, error) {
	if err := r.check(in); err != nil {
		return payments.Result{}, err
	}
	to := in.Destination
	request := orderRequest{
		ExternalID: in.Reference,
		Payment:    orderPayment{r.source},
		Reward: rewardRequest{
			CampaignID: r.campaign,
			Value:      value{number(in.Amount.Amount()), string(in.Amount.Currency)},
			Recipient:  recipient{Name: to[NameDetail], Email: to[EmailDetail]},
			Delivery:   delivery{"EMAIL"},
		},
	}
	if product := to[ProductDetail]; product != "" {
		request.Reward.Products = []string{product}
	}
	var answer struct {
		Order order `json:"order"`
	}
	if err := r.call(ctx, http.MethodPost, "/orders", request, &answer); err != nil {
		return payments.Result{}, err
	}
	made := answer.Order
	result, err := made.result()
	if err != nil {
		return payments.Result{}, err
	}
	if made.ExternalID != in.Reference || !strings.EqualFold(made.Rewards[0].Recipient.Email, to[EmailDetail]) {
		return payments.Result{}, alarm("order-differs", "Tremendous answered with an order other than the one asked for")
	}
	if err := result.Matches(Name, in.Amount); err != nil {
		return payments.Result{}, err
	}
	if result.State == payments.Refused {
		return payments.Result{}, refuse(made.Status, "Tremendous has this order, and did not carry it out")
	}
	return result, nil
}

func (r *Rail) check(in payments.Instruction) error {
	if err := r.Capabilities().Check(Name, in.Amount); err != nil {
		return err
	}
	clean, _, err := r.ValidateDestination(in.Destination)
	switch {
	case in.Key == "":
		return refuse("key-invalid", "an attempt needs a key")
	case in.Reference == "" || len(in.Reference) > 255 || strings.TrimSpace(in.Reference) != in.Reference:
		return refuse("reference-invalid", "an attempt needs a reference of 1 to 255 characters, with no space at its ends, to be found by")
	case err != nil || !maps.Equal(clean, in.Destination):
		return refuse("destination-invalid", "the destination is not one that was checked before")
	case in.Amount.Currency.Exponent() > 2:
		return refuse("currency-not-supported", fmt.Sprintf("this rail does not pay in %s", in.Amount.Currency))
	}
	return nil
}

// Lookup finds the order of a reference. Two under one reference are an alarm.
func (r *Rail) Lookup(ctx context.Context, reference string) (payments.Result, error) {
	if reference == "" {
		return payments.Result{}, refuse("reference-invalid", "without a reference there is nothing to find")
	}
	var list struct {
		Orders *[]order `json:"orders"`
	}
	// Asked for by its own address, an order that does not exist looks like an address
	// that does not.
	query := url.Values{"external_id": {reference}, "limit": {"10"}}
	if err := r.call(ctx, http.MethodGet, "/orders?"+query.Encode(), nil, &list); err != nil {
		return payments.Result{}, err
	}
	if list.Orders == nil {
		return payments.Result{}, unreadable("Tremendous's answer is not a list of orders", nil)
	}
	for _, o := range *list.Orders {
		if o.ExternalID != reference {
			return payments.Result{}, alarm("order-differs", "Tremendous listed an order that has another reference")
		}
	}
	switch len(*list.Orders) {
	case 0:
		return payments.Result{State: payments.Absent}, nil
	case 1:
		return (*list.Orders)[0].result()
	default:
		return payments.Result{}, alarm("paid-twice", "Tremendous has more than one order with this reference")
	}
}

// List lists the orders of a time. Those that were made on Tremendous's own pages may be
// of several rewards, and are not known here.
func (r *Rail) List(ctx context.Context, from, until time.Time, each func(payments.Listed) error) error {
	const page = 100
	seen := map[string]bool{} // an order that is made meanwhile moves others to the next page
	for offset := 0; ; offset += page {
		var list struct {
			Orders *[]order `json:"orders"`
		}
		query := url.Values{"created_at[gte]": {from.UTC().Format(time.RFC3339Nano)}, "created_at[lte]": {until.UTC().Format(time.RFC3339Nano)},
			"limit": {strconv.Itoa(page)}, "offset": {strconv.Itoa(offset)}}
		if err := r.call(ctx, http.MethodGet, "/orders?"+query.Encode(), nil, &list); err != nil {
			return err
		}
		if list.Orders == nil {
			return unreadable("Tremendous's answer is not a list of orders", nil)
		}
		for _, o := range *list.Orders {
			if o.CreatedAt.Before(from) || !o.CreatedAt.Before(until) || seen[o.ID] {
				continue // the bounds of Tremendous's are both inclusive
			}
			seen[o.ID] = true
			result, err := o.result()
			if err != nil {
				result = payments.Result{RailID: o.ID}
			}
			if err := each(payments.Listed{Reference: o.ExternalID, Result: result}); err != nil {
				return err
			}
		}
		if len(*list.Orders) < page {
			return nil
		}
	}
}

// Balance is what the funding source has available. Tremendous keeps one currency for an
// account and converts from it: of another there is nothing to say.
func (r *Rail) Balance(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	var answer struct {
		Source struct {
			ID     string `json:"id"`
			Status string `json:"status"`
			Meta   struct {
				Available number `json:"available_amount"`
				Currency  string `json:"currency_code"`
			} `json:"meta"`
		} `json:"funding_source"`
	}
	// The list of funding sources is cached by Tremendous; one by itself is not.
	if err := r.call(ctx, http.MethodGet, "/funding_sources/"+url.PathEscape(r.source), nil, &answer); err != nil {
		return incentive.Money{}, err
	}
	source := answer.Source
	if source.ID == "" || source.Meta.Currency == "" {
		return incentive.Money{}, unreadable("Tremendous's answer is not a funding source that has a balance", nil)
	}
	if source.Status != "" && source.Status != "active" {
		return incentive.Money{Currency: currency}, nil
	}
	if source.Meta.Currency != string(currency) {
		return incentive.Money{}, refuse(payments.CurrencyNotHeld, "the balance at Tremendous is in another currency, from which it converts")
	}
	amount, err := incentive.ParseDecimal(string(source.Meta.Available))
	if err != nil {
		return incentive.Money{}, unreadable("Tremendous's answer has an amount that cannot be read", err)
	}
	money, err := incentive.Down.Round(amount, currency)
	if err != nil {
		return incentive.Money{}, unreadable("Tremendous's answer has an amount that cannot be read", err)
	}
	return money, nil
}
