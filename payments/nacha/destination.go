package nacha

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// The details of a destination. All are needed but for the last two, which are Checking and
// Person where they are left out.
const (
	HolderDetail  = "holder"  // whose account it is
	RoutingDetail = "routing" // the bank's routing number, of nine digits
	AccountDetail = "account"
	KindDetail    = "kind"  // Checking or Savings
	OwnerDetail   = "owner" // Person or Company
)

// The kinds of accounts, and of their owners: a person's are paid by PPD entries, a company's
// by CCD.
const (
	Checking = "checking"
	Savings  = "savings"
	Person   = "person"
	Company  = "company"
)

const details = "holder, routing, account and, where they are not checking and person, kind and owner"

var account = regexp.MustCompile(`^[0-9A-Z-]*[0-9A-Z][0-9A-Z-]*$`)

const (
	longestAccount = 17
	longestName    = 22 // of an entry; longer names are cut, which the bank does not mind: it pays by number
	longestHolder  = 70
)

// codes are the transaction codes of credits, by kind of account.
var codes = map[string]int{Checking: ach.CheckingCredit, Savings: ach.SavingsCredit}

// ValidateDestination checks the details of a destination.
func (r *Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(reason string) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, "the rail %s cannot pay to this destination: %s", r.config.Name, reason)
	}
	for detail := range d {
		switch detail {
		case HolderDetail, RoutingDetail, AccountDetail, KindDetail, OwnerDetail:
		default:
			return refuse(fmt.Sprintf("its details are %s", details))
		}
	}
	or := func(detail, otherwise string) string {
		if given := strings.ToLower(strings.TrimSpace(d[detail])); given != "" {
			return given
		}
		return otherwise
	}
	clean := payments.Destination{
		HolderDetail:  norm.NFC.String(strings.Join(strings.Fields(d[HolderDetail]), " ")),
		RoutingDetail: strings.NewReplacer(" ", "", "-", "").Replace(d[RoutingDetail]),
		AccountDetail: strings.ToUpper(strings.Join(strings.Fields(d[AccountDetail]), "")),
		KindDetail:    or(KindDetail, Checking),
		OwnerDetail:   or(OwnerDetail, Person),
	}
	if reason := refusal(clean); reason != "" {
		return refuse(reason)
	}
	number := clean[AccountDetail]
	return clean, "…" + number[len(number)-min(4, len(number)/2):], nil
}

// refusal says why a destination cannot be paid to, "" when it can.
func refusal(d payments.Destination) string {
	written, _, ok := bankaccount.Transliterate(d[HolderDetail])
	switch {
	case !ok || written == "" || len([]rune(d[HolderDetail])) > longestHolder || !strings.ContainsFunc(written, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }):
		return "the holder is a name of 1 to 70 characters that can be written in Latin letters"
	case bankaccount.CheckRoutingNumber(d[RoutingDetail]) != nil:
		return "a routing number has nine digits, the last of which checks the others, such as 021000021"
	case len(d[AccountDetail]) > longestAccount || len(d[AccountDetail]) < 3 || !account.MatchString(d[AccountDetail]):
		return "an account number has 3 to 17 digits, letters and hyphens"
	case codes[d[KindDetail]] == 0:
		return "the kind of the account is checking or savings"
	case d[OwnerDetail] != Person && d[OwnerDetail] != Company:
		return "the owner of the account is a person or a company"
	}
	return ""
}

// name is a holder as an entry has it.
func name(holder string) string {
	written, _, _ := bankaccount.Transliterate(holder)
	return strings.TrimSpace(strings.ToUpper(written)[:min(len(written), longestName)])
}
