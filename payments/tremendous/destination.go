package tremendous

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// The details of a destination. Only the first is needed.
const (
	EmailDetail   = "email"   // where the reward is sent
	NameDetail    = "name"    // how the e-mail addresses the participant
	ProductDetail = "product" // the id of the one product that the participant chose
)

var (
	emailAddress = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}$")
	productID    = regexp.MustCompile(`^[A-Z0-9]{6,32}$`)
)

// ValidateDestination takes an e-mail address and, where they are given, a name and the
// id of a product.
func (*Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(format string, arguments ...any) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, format, arguments...)
	}
	for detail := range d {
		if detail != EmailDetail && detail != NameDetail && detail != ProductDetail {
			return refuse("a destination at Tremendous has the detail %q and may have %q and %q; nothing else", EmailDetail, NameDetail, ProductDetail)
		}
	}
	address := strings.TrimSpace(d[EmailDetail])
	if _, err := mail.ParseAddress(address); err != nil || len(address) > 254 || !emailAddress.MatchString(address) {
		return refuse("the detail %q is not an e-mail address: write one such as maria@example.com", EmailDetail)
	}
	local, domain, _ := strings.Cut(address, "@")
	clean := payments.Destination{EmailDetail: local + "@" + strings.ToLower(domain)}
	if name := strings.Join(strings.Fields(d[NameDetail]), " "); name != "" {
		if len([]rune(name)) > 100 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
			return refuse("the detail %q is not a name: write it in at most 100 characters", NameDetail)
		}
		clean[NameDetail] = name
	}
	if product := strings.TrimSpace(d[ProductDetail]); product != "" {
		if !productID.MatchString(product) {
			return refuse("the detail %q is not the id of a product at Tremendous: choose one from the catalogue, or leave it out", ProductDetail)
		}
		clean[ProductDetail] = product
	}
	return clean, local[:1] + "…@" + strings.ToLower(domain), nil
}
