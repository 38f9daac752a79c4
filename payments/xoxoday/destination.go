package xoxoday

import (
	"net/mail"
	"regexp"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// The details of a destination.
const (
	EmailDetail   = "email"   // where the reward is sent
	ProductDetail = "product" // the id of the product that the participant chose
)

var (
	emailAddress = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}$")
	productID    = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
)

// ValidateDestination takes an e-mail address and the id of a product.
func (*Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(format string, arguments ...any) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, format, arguments...)
	}
	for detail := range d {
		if detail != EmailDetail && detail != ProductDetail {
			return refuse("a destination at Xoxoday has the details %q and %q; nothing else", EmailDetail, ProductDetail)
		}
	}
	address := strings.TrimSpace(d[EmailDetail])
	if _, err := mail.ParseAddress(address); err != nil || len(address) > 254 || !emailAddress.MatchString(address) {
		return refuse("the detail %q is not an e-mail address: write one such as maria@example.com", EmailDetail)
	}
	product := strings.TrimSpace(d[ProductDetail])
	if !productID.MatchString(product) {
		return refuse("the detail %q is not the id of a product at Xoxoday: choose one from the catalogue", ProductDetail)
	}
	local, domain, _ := strings.Cut(address, "@")
	domain = strings.ToLower(domain)
	return payments.Destination{EmailDetail: local + "@" + domain, ProductDetail: product}, local[:1] + "…@" + domain, nil
}
