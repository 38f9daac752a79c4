package standin

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/shopspring/decimal"
)

type product struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Category   string    `json:"category"`
	Currencies []string  `json:"currency_codes"`
	Countries  []country `json:"countries"`
	Bands      []band    `json:"skus"`
}

type country struct {
	Code string `json:"abbr"`
}

type band struct {
	Smallest json.Number `json:"min"`
	Largest  json.Number `json:"max"`
}

var catalogue = []product{
	{GiftCard, "Gift card of a shop", "merchant_card", []string{"USD"}, []country{{"US"}}, []band{{"1", "2000"}}},
	{Experience, "An evening out", "merchant_card", []string{"USD", "EUR"}, []country{{"US"}, {"DE"}}, []band{{"10.00", "500.00"}}},
	{Charity, "A gift to a charity", "charity", []string{"USD"}, []country{{"US"}}, nil},
}

func (p product) covers(amount decimal.Decimal) bool {
	return len(p.Bands) == 0 || slices.ContainsFunc(p.Bands, func(b band) bool {
		return amount.GreaterThanOrEqual(decimal.RequireFromString(b.Smallest.String())) && amount.LessThanOrEqual(decimal.RequireFromString(b.Largest.String()))
	})
}

func (s *Server) products(w http.ResponseWriter, r *http.Request) {
	found, query := []product{}, r.URL.Query()
	for _, p := range catalogue {
		if (!query.Has("country") || slices.Contains(p.Countries, country{query.Get("country")})) && (!query.Has("currency") || slices.Contains(p.Currencies, query.Get("currency"))) {
			found = append(found, p)
		}
	}
	answer(w, map[string]any{"products": found})
}
