package xoxoday

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

const (
	pageSize  = 100
	mostPages = 200 // more than the catalogue has: one that does not end is not read for ever
)

type voucher struct {
	ID         json.Number `json:"productId"`
	Name       string      `json:"name"`
	Category   string      `json:"categories"`
	Currency   string      `json:"currencyCode"`
	Country    string      `json:"countryCode"`
	Smallest   json.Number `json:"minValue"`
	Largest    json.Number `json:"maxValue"`
	Fixed      string      `json:"valueDenominations"` // "20,30,500"; "" where any amount between the two is had
	NeedsPhone bool        `json:"isPhoneNumberMandatory"`
}

// kindOf is what a voucher is by its categories, of which Xoxoday lists several with commas.
func kindOf(categories string) payments.ProductKind {
	named := strings.ToLower(categories)
	for _, rule := range []struct {
		word string
		kind payments.ProductKind
	}{{"experience", payments.Experience}, {"charit", payments.Charity}, {"donation", payments.Charity}, {"prepaid", payments.Prepaid}, {"cash", payments.Cash}} {
		if strings.Contains(named, rule.word) {
			return rule.kind
		}
	}
	return payments.GiftCard
}

// Products lists what a participant in a country can choose in a currency, by name. The
// account orders in one currency; in another there is nothing.
func (r *Rail) Products(ctx context.Context, country string, currency incentive.Currency) ([]payments.Product, error) {
	list := []payments.Product{}
	if currency != r.currency {
		return list, nil
	}
	for page := 1; page <= mostPages; page++ {
		var vouchers []voucher
		err := r.call(ctx, getVouchers, map[string]any{"limit": pageSize, "page": page, "includeProducts": "", "excludeProducts": ""}, &vouchers)
		if err != nil {
			return nil, err
		}
		for _, v := range vouchers {
			if !productID.MatchString(v.ID.String()) || v.Name == "" || v.NeedsPhone || v.Country != country || v.Currency != string(currency) {
				continue // nothing that could be chosen here
			}
			list = append(list, payments.Product{
				ID:         v.ID.String(),
				Name:       v.Name,
				Kind:       kindOf(v.Category),
				Category:   v.Category,
				Currencies: []incentive.Currency{currency},
				Countries:  []string{country},
				Bands:      v.bands(),
			})
		}
		if len(vouchers) < pageSize {
			break
		}
	}
	payments.SortProducts(list)
	return list, nil
}

// bands are the amounts a voucher comes in.
func (v voucher) bands() (bands []payments.Band) {
	for fixed := range strings.SplitSeq(v.Fixed, ",") {
		if fixed = strings.TrimSpace(fixed); fixed != "" {
			bands = append(bands, payments.Band{Smallest: fixed, Largest: fixed})
		}
	}
	if len(bands) == 0 {
		bands = append(bands, payments.Band{Smallest: v.Smallest.String(), Largest: v.Largest.String()})
	}
	return slices.Clip(bands)
}
