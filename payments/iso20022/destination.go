package iso20022

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// The details of a destination. SEPA needs HolderDetail and AccountDetail and takes
// BankDetail; General needs all three and takes TownDetail with CountryDetail.
const (
	HolderDetail  = "holder"  // whose account it is
	AccountDetail = "account" // an IBAN or, outside SEPA, an account number
	BankDetail    = "bank"    // a BIC or, outside SEPA, a clearing code such as USABA021000021
	TownDetail    = "town"    // where the holder lives
	CountryDetail = "country" // where the holder lives, as ISO 3166 writes it: DE
)

const (
	longestName = 70
	longestTown = 35
)

// sepaCountries are the countries whose IBANs the SEPA schemes reach (EPC409-09);
// territories have the IBANs of the country that they belong to.
var sepaCountries = map[string]bool{
	"AD": true, "AL": true, "AT": true, "BE": true, "BG": true, "CH": true, "CY": true, "CZ": true, "DE": true, "DK": true, "EE": true,
	"ES": true, "FI": true, "FR": true, "GB": true, "GI": true, "GR": true, "HR": true, "HU": true, "IE": true, "IS": true, "IT": true,
	"LI": true, "LT": true, "LU": true, "LV": true, "MC": true, "MD": true, "ME": true, "MK": true, "MT": true, "NL": true, "NO": true,
	"PL": true, "PT": true, "RO": true, "RS": true, "SE": true, "SI": true, "SK": true, "SM": true, "VA": true,
}

// ValidateDestination checks the details of a destination. Names are kept as people write
// them; they are transliterated in the file only.
func (r *Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(reason string) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, "the rail %s cannot pay to this destination: %s", r.config.Name, reason)
	}
	for detail := range d {
		switch detail {
		case HolderDetail, AccountDetail, BankDetail:
			continue
		case TownDetail, CountryDetail:
			if r.config.Scheme == General {
				continue
			}
		}
		return refuse(fmt.Sprintf("its details are %s", r.config.Scheme.details()))
	}
	clean := payments.Destination{HolderDetail: words(d[HolderDetail]), AccountDetail: compact(d[AccountDetail])}
	for detail, value := range map[string]string{BankDetail: compact(d[BankDetail]), TownDetail: words(d[TownDetail]), CountryDetail: compact(d[CountryDetail])} {
		if value != "" {
			clean[detail] = value
		}
	}
	if reason := r.config.Scheme.refusal(clean); reason != "" {
		return refuse(reason)
	}
	account := clean[AccountDetail]
	return clean, "…" + account[len(account)-min(4, len(account)/2):], nil
}

func words(s string) string { return norm.NFC.String(strings.Join(strings.Fields(s), " ")) }

func compact(s string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(s))
}

func (s Scheme) details() string {
	if s == SEPA {
		return "holder, account (an IBAN) and bank (a BIC, which may be left out)"
	}
	return "holder, account, bank, town and country"
}

var (
	otherAccount = regexp.MustCompile(`^[A-Z0-9]{4,34}$`)
	countryCode  = regexp.MustCompile(`^[A-Z]{2}$`)
)

// refusal says what is wrong with a cleaned destination, "" when nothing is.
func (s Scheme) refusal(d payments.Destination) string {
	if reason := writable("the holder", d[HolderDetail], longestName); reason != "" {
		return reason
	}
	if err := s.checkAccount(Account{Number: d[AccountDetail], Bank: d[BankDetail]}); err != nil {
		return incentive.ErrorMessage(err)
	}
	town, country := d[TownDetail], d[CountryDetail]
	if town == "" && country == "" {
		return ""
	}
	if !countryCode.MatchString(country) {
		return "the country is two letters, such as DE, and stands with the town"
	}
	return writable("the town", town, longestTown)
}

// writable says why a name or town cannot be written, "" when it can.
func writable(what, text string, longest int) string {
	written, refused, ok := bankaccount.Transliterate(text)
	switch {
	case !ok:
		return fmt.Sprintf("%s has the character %q, which banks do not take: write it in Latin letters", what, refused)
	case written == "" || utf8.RuneCountInString(text) > longest || len(written) > longest:
		return fmt.Sprintf("%s must have 1 to %d characters", what, longest)
	case !strings.ContainsFunc(written, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }):
		return what + " must have a letter"
	}
	return ""
}

// checkAccount checks an account with its bank. Its error is of code CodeInvalid.
func (s Scheme) checkAccount(a Account) error {
	if s == SEPA {
		if err := bankaccount.CheckIBAN(a.Number); err != nil {
			return err
		}
		if country := a.Number[:2]; !sepaCountries[country] {
			return incentive.Errorf(incentive.CodeInvalid, "SEPA does not reach accounts of the country %s", country)
		}
		if a.Bank == "" {
			return nil
		}
		return bankaccount.CheckBIC(a.Bank)
	}
	if a.isIBAN() {
		if err := bankaccount.CheckIBAN(a.Number); err != nil {
			return err
		}
	} else if !otherAccount.MatchString(a.Number) || !strings.ContainsAny(a.Number, "0123456789") {
		return incentive.Errorf(incentive.CodeInvalid, "the account must be an IBAN, or an account number of 4 to 34 letters and digits")
	}
	if bankaccount.CheckBIC(a.Bank) == nil {
		return nil
	}
	if _, _, err := bankaccount.SplitClearingCode(a.Bank); err != nil {
		return incentive.Errorf(incentive.CodeInvalid, "the bank must be a BIC of 8 or 11 characters, or a clearing code such as USABA021000021")
	}
	return nil
}

// isIBAN reports whether the account's number can only be meant as an IBAN.
func (a Account) isIBAN() bool {
	return bankaccount.LooksLikeIBAN(a.Number) && bankaccount.HasIBANs(a.Number[:2])
}
