package paymentfile

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// The details of a destination.
const (
	HolderDetail  = "holder"  // whose account it is
	AccountDetail = "account" // an IBAN, or an account number
	BankDetail    = "bank"    // may be left out: a routing number, sort code, IFSC or BIC
)

// longestName is the most that bank formats carry of a name.
const longestName = 70

const nameRule = "must have 1 to 70 letters, digits, spaces and . , ' ’ - / & ( ), and start with a letter or digit"

// ValidateDestination takes HolderDetail, AccountDetail and, where the bank asks for it,
// BankDetail. Spaces and hyphens that people write in account numbers are dropped.
func (r *Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(reason string) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, "the payment file cannot take this destination: %s", reason)
	}
	for detail := range d {
		if detail != HolderDetail && detail != AccountDetail && detail != BankDetail {
			return refuse(fmt.Sprintf("its details are %s, %s and %s", HolderDetail, AccountDetail, BankDetail))
		}
	}
	clean := payments.Destination{
		HolderDetail:  norm.NFC.String(strings.Join(strings.Fields(d[HolderDetail]), " ")),
		AccountDetail: compact(d[AccountDetail]),
	}
	if bank := compact(d[BankDetail]); bank != "" {
		clean[BankDetail] = bank
	}
	if reason := cmp.Or(refusal(clean), r.written.refusal(clean)); reason != "" {
		return refuse(reason)
	}
	account := clean[AccountDetail]
	return clean, "…" + account[len(account)-4:], nil
}

func compact(s string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(s))
}

// refusal says what is wrong with a cleaned destination, "" when nothing is.
func refusal(d payments.Destination) string {
	holder, account, bank := d[HolderDetail], d[AccountDetail], d[BankDetail]
	if !plainName(holder) {
		return fmt.Sprintf("the holder %s", nameRule)
	}
	if bankaccount.LooksLikeIBAN(account) {
		if err := bankaccount.CheckIBAN(account); err != nil {
			return incentive.ErrorMessage(err)
		}
	} else if !within(account, 4, 34, digit) {
		return "the account must be an IBAN, or an account number of 4 to 34 digits"
	}
	if bank != "" && !within(bank, 3, 11, func(c byte) bool { return digit(c) || upper(c) }) {
		return "the bank must be a code of 3 to 11 letters and digits"
	}
	return ""
}

// plainName keeps out what a spreadsheet would run as a formula, and what would break a
// line or reverse the reading direction in a bank's screen. Such a name is refused, not
// mended: a bank compares names.
func plainName(name string) bool {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > longestName || strings.TrimSpace(name) != name {
		return false
	}
	for i, r := range name {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		if i == 0 && !letter {
			return false
		}
		if !letter && !unicode.IsMark(r) && !strings.ContainsRune(" .,'’-/&()", r) {
			return false
		}
	}
	return name != ""
}

func within(s string, least, most int, allowed func(byte) bool) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
func upper(c byte) bool { return c >= 'A' && c <= 'Z' }
