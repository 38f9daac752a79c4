package tremendous

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// kinds is the table of what Tremendous's categories mean; a category that is not here is of another kind.
var kinds = map[string]payments.ProductKind{
	"merchant_card": payments.GiftCard, "visa_card": payments.Prepaid, "charity": payments.Charity,
	"ach": payments.Cash, "bank": payments.Cash, "cash": payments.Cash, "instant_debit_transfer": payments.Cash, "paypal": payments.Cash, "venmo": payments.Cash, "wire": payments.Cash,
}

// Products lists what a participant in a country can choose in a currency, by name.
func (r *Rail) Products(ctx context.Context, country string, currency incentive.Currency) ([]payments.Product, error) {
	var answer struct {
		Products *[]struct {
			ID         string   `json:"id"`
			Name       string   `json:"name"`
			Category   string   `json:"category"`
			Currencies []string `json:"currency_codes"`
			Countries  []struct {
				Code string `json:"abbr"`
			} `json:"countries"`
			Bands []struct {
				Smallest number `json:"min"`
				Largest  number `json:"max"`
			} `json:"skus"`
		} `json:"products"`
	}
	query := url.Values{"country": {country}, "currency": {string(currency)}}
	if err := r.call(ctx, http.MethodGet, "/products?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	if answer.Products == nil {
		return nil, unreadable("Tremendous's answer is not a list of products", nil)
	}
	list := []payments.Product{}
	for _, p := range *answer.Products {
		if !productID.MatchString(p.ID) || p.Name == "" {
			continue // nothing that could be chosen here
		}
		product := payments.Product{ID: p.ID, Name: p.Name, Kind: cmp.Or(kinds[p.Category], payments.OtherKind), Category: p.Category}
		for _, code := range p.Currencies {
			if c, err := incentive.ParseCurrency(code); err == nil {
				product.Currencies = append(product.Currencies, c)
			}
		}
		for _, c := range p.Countries {
			product.Countries = append(product.Countries, c.Code)
		}
		for _, b := range p.Bands {
			product.Bands = append(product.Bands, payments.Band{Smallest: string(b.Smallest), Largest: string(b.Largest)})
		}
		if slices.Contains(product.Currencies, currency) && slices.Contains(product.Countries, country) {
			list = append(list, product)
		}
	}
	payments.SortProducts(list)
	return list, nil
}
