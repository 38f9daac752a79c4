package standin

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/stripe/stripe-go/v76"

	"github.com/guerdon/guerdon/incentive"
)

type transfer struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountReversed int64             `json:"amount_reversed"`
	Created        int64             `json:"created"`
	Currency       string            `json:"currency"`
	Description    *string           `json:"description"`
	Destination    string            `json:"destination"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Reversals      reversals         `json:"reversals"`
	Reversed       bool              `json:"reversed"`
	SourceType     string            `json:"source_type"`
	TransferGroup  string            `json:"transfer_group"`
}

type reversals struct {
	Object string      `json:"object"`
	Data   []*reversal `json:"data"`
}

type reversal struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Amount   int64             `json:"amount"`
	Created  int64             `json:"created"`
	Currency string            `json:"currency"`
	Metadata map[string]string `json:"metadata"`
	Transfer string            `json:"transfer"`
}

// clone is a transfer as it is now, for an answer or an event.
func (t *transfer) clone() *transfer {
	c := *t
	c.Reversals.Data = append([]*reversal{}, t.Reversals.Data...)
	return &c
}

func (s *Server) createTransfer(_ *http.Request, form url.Values) outcome {
	if a, unknown := unknownParameter(form, "amount", "currency", "destination", "description", "transfer_group", "source_type", "metadata["); unknown {
		return outcome{answer: a}
	}
	amount, a, bad := wholeNumber(form, "amount")
	if bad {
		return outcome{answer: a}
	}
	currency := form.Get("currency")
	if currency == "" {
		return outcome{answer: missing("currency")}
	}
	if _, err := incentive.ParseCurrency(strings.ToUpper(currency)); err != nil {
		return outcome{answer: refuse(http.StatusBadRequest, "", "currency", "Invalid currency: %s", currency)}
	}
	currency = strings.ToLower(currency)
	if form.Get("destination") == "" {
		return outcome{answer: missing("destination")}
	}
	metadata, a, bad := metadataOf(form)
	if bad {
		return outcome{answer: a}
	}
	var e entry
	to := s.accounts[form.Get("destination")]
	if to == nil && s.options.AnyAccount && strings.HasPrefix(form.Get("destination"), "acct_") {
		to = s.newAccount(form.Get("destination"))
		to.activate()
		e.Account = to
	}
	if to == nil {
		return outcome{answer: refuse(http.StatusBadRequest, sdk.ErrorCodeResourceMissing, "destination", "No such destination: '%s'", form.Get("destination"))}
	}
	if to.Capabilities["transfers"] != "active" {
		return outcome{answer: refuse(http.StatusBadRequest, "insufficient_capabilities_for_transfer", "", "Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments")}
	}
	if s.balances[currency] < amount {
		return outcome{executed: true, answer: refuse(http.StatusBadRequest, sdk.ErrorCodeBalanceInsufficient, "", "You have insufficient available funds in your Stripe account.")}
	}
	t := &transfer{
		ID: fmt.Sprintf("tr_standin%06d", len(s.order)+1), Object: "transfer", Amount: amount, Currency: currency, Created: s.options.Now().Unix(),
		Destination: to.ID, Metadata: metadata, Reversals: reversals{Object: "list", Data: []*reversal{}}, SourceType: "card",
		TransferGroup: form.Get("transfer_group"),
	}
	if form.Has("description") {
		description := form.Get("description")
		t.Description = &description
	}
	if t.TransferGroup == "" {
		t.TransferGroup = "group_" + t.ID
	}
	e.Transfer, e.Event = t, s.newEvent("transfer.created", "", t)
	return outcome{executed: true, answer: ok(t), entry: e}
}

func (s *Server) getTransfer(r *http.Request, query url.Values) answer {
	if a, unknown := unknownParameter(query); unknown {
		return a
	}
	t := s.transfer[r.PathValue("id")]
	if t == nil {
		return noTransfer(r.PathValue("id"))
	}
	return ok(t)
}

func noTransfer(id string) answer {
	return refuse(http.StatusNotFound, sdk.ErrorCodeResourceMissing, "id", "No such transfer: '%s'", id)
}

// listTransfers lists the newest first.
func (s *Server) listTransfers(_ *http.Request, query url.Values) answer {
	if a, unknown := unknownParameter(query, "transfer_group", "destination", "limit", "starting_after", "created["); unknown {
		return a
	}
	limit := int64(10)
	if query.Has("limit") {
		var a answer
		var bad bool
		if limit, a, bad = wholeNumber(query, "limit"); bad {
			return a
		}
		limit = min(limit, 100)
	}
	from, until := int64(0), int64(math.MaxInt64)
	for name, bound := range map[string]*int64{"created[gte]": &from, "created[lt]": &until} {
		if query.Has(name) {
			var a answer
			var bad bool
			if *bound, a, bad = wholeNumber(query, name); bad {
				return a
			}
		}
	}
	candidates := s.order
	if group := query.Get("transfer_group"); group != "" {
		candidates = s.groups[group]
	}
	after := query.Get("starting_after")
	if after != "" && s.transfer[after] == nil {
		return noTransfer(after)
	}
	page, more := []*transfer{}, false
	for _, t := range slices.Backward(candidates) {
		if after != "" {
			if t.ID == after {
				after = ""
			}
			continue
		}
		if to := query.Get("destination"); to != "" && to != t.Destination || t.Created < from || t.Created >= until {
			continue
		}
		if int64(len(page)) == limit {
			more = true
			break
		}
		page = append(page, t)
	}
	return ok(map[string]any{"object": "list", "url": "/v1/transfers", "has_more": more, "data": page})
}

func (s *Server) reverseTransfer(r *http.Request, form url.Values) outcome {
	if a, unknown := unknownParameter(form, "amount", "description", "metadata["); unknown {
		return outcome{answer: a}
	}
	t := s.transfer[r.PathValue("id")]
	if t == nil {
		return outcome{answer: noTransfer(r.PathValue("id"))}
	}
	amount := t.Amount - t.AmountReversed
	if form.Has("amount") {
		var a answer
		var bad bool
		if amount, a, bad = wholeNumber(form, "amount"); bad {
			return outcome{answer: a}
		}
	}
	if amount == 0 || amount > t.Amount-t.AmountReversed {
		return outcome{answer: refuse(http.StatusBadRequest, "", "amount", "Amount is greater than the unreversed amount of the transfer (%d).", t.Amount-t.AmountReversed)}
	}
	metadata, a, bad := metadataOf(form)
	if bad {
		return outcome{answer: a}
	}
	back := &reversal{
		ID: fmt.Sprintf("trr_standin%s_%d", strings.TrimPrefix(t.ID, "tr_standin"), len(t.Reversals.Data)+1), Object: "transfer_reversal",
		Amount: amount, Created: s.options.Now().Unix(), Currency: t.Currency, Metadata: metadata, Transfer: t.ID,
	}
	after := t.clone()
	after.Reversals.Data = append(after.Reversals.Data, back)
	after.AmountReversed += amount
	after.Reversed = after.AmountReversed == after.Amount
	return outcome{executed: true, answer: ok(back), entry: entry{Reversal: back, Event: s.newEvent("transfer.reversed", "", after)}}
}

func (s *Server) getBalance(_ *http.Request, query url.Values) answer {
	if a, unknown := unknownParameter(query); unknown {
		return a
	}
	type amount struct {
		Amount      int64            `json:"amount"`
		Currency    string           `json:"currency"`
		SourceTypes map[string]int64 `json:"source_types"`
	}
	available, pending := []amount{}, []amount{}
	for currency, held := range s.balances {
		available = append(available, amount{held, currency, map[string]int64{"card": held}})
		pending = append(pending, amount{0, currency, map[string]int64{"card": 0}})
	}
	byCurrency := func(a, b amount) int { return strings.Compare(a.Currency, b.Currency) }
	slices.SortFunc(available, byCurrency)
	slices.SortFunc(pending, byCurrency)
	return ok(map[string]any{"object": "balance", "livemode": false, "available": available, "pending": pending})
}

// Fund adds to the platform's balance, in Stripe's units of a lower-case currency.
func (s *Server) Fund(currency string, amount int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(entry{Balances: map[string]int64{currency: amount}})
}

func missing(name string) answer {
	return refuse(http.StatusBadRequest, sdk.ErrorCodeParameterMissing, name, "Missing required param: %s.", name)
}

func wholeNumber(values url.Values, name string) (int64, answer, bool) {
	text := values.Get(name)
	if text == "" {
		return 0, missing(name), true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, refuse(http.StatusBadRequest, sdk.ErrorCodeParameterInvalidInteger, name, "Invalid integer: %s", text), true
	}
	if n < 1 {
		return 0, refuse(http.StatusBadRequest, sdk.ErrorCodeParameterInvalidInteger, name, "This value must be greater than or equal to 1."), true
	}
	return n, answer{}, false
}

func metadataOf(form url.Values) (map[string]string, answer, bool) {
	metadata := map[string]string{}
	for name := range form {
		key, found := strings.CutPrefix(name, "metadata[")
		if !found {
			continue
		}
		key, found = strings.CutSuffix(key, "]")
		if value := form.Get(name); !found || len(key) > 40 || len(value) > 500 || len(metadata) == 50 {
			return nil, refuse(http.StatusBadRequest, "", name, "Metadata can have up to 50 keys of up to 40 characters with values of up to 500 characters."), true
		}
		metadata[key] = form.Get(name)
	}
	return metadata, answer{}, false
}
