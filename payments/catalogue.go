package payments

import (
	"context"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// Catalogue is a rail whose participants choose what they are paid by: gift cards,
// experiences, gifts to charities.
type Catalogue interface {
	// Products lists what a participant in a country (an ISO 3166 code) can choose in a
	// currency, by name. Its error is an *Error.
	Products(ctx context.Context, country string, currency incentive.Currency) ([]Product, error)
}

// ProductKind is what a product is, whatever its rail calls that.
type ProductKind string

// The kinds of products.
const (
	GiftCard   ProductKind = "gift-card"
	Prepaid    ProductKind = "prepaid" // a card that pays anywhere
	Experience ProductKind = "experience"
	Charity    ProductKind = "charity"
	Cash       ProductKind = "cash" // to an account that the participant names to the rail
	OtherKind  ProductKind = "other"
)

// ProductKinds lists the kinds of products in the order in which they are shown.
var ProductKinds = []ProductKind{GiftCard, Experience, Prepaid, Cash, Charity, OtherKind}

// Product is something that a participant can choose.
type Product struct {
	ID         string // the detail "product" of a destination
	Name       string
	Kind       ProductKind
	Category   string // in the rail's own words
	Currencies []incentive.Currency
	Countries  []string // ISO 3166 codes
	Bands      []Band   // the amounts it comes in, each in its currency; none: any
}

// Band is a range of amounts, in major units as the rail writes them.
type Band struct{ Smallest, Largest string }

// Offers reports whether the product comes in an amount.
func (p Product) Offers(amount incentive.Money) bool {
	if !slices.Contains(p.Currencies, amount.Currency) {
		return false
	}
	return len(p.Bands) == 0 || slices.ContainsFunc(p.Bands, func(b Band) bool {
		smallest, err := incentive.ParseDecimal(b.Smallest)
		largest, errLargest := incentive.ParseDecimal(b.Largest)
		return err == nil && errLargest == nil && !amount.Decimal().LessThan(smallest) && !amount.Decimal().GreaterThan(largest)
	})
}

// SortProducts puts products in the order in which they are shown.
func SortProducts(list []Product) {
	slices.SortFunc(list, func(a, b Product) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
}
