// Package bankaccount checks the numbers that name accounts and banks: IBAN, BIC and the
// codes of national clearing systems. All are expected without spaces, in capitals.
package bankaccount

import "github.com/guerdon/guerdon/incentive"

// ibanLengths holds the length of each country's IBAN, from the SWIFT IBAN registry.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28,
	"CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
	"FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
	"IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
	"LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
	"NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
	"SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26,
	"UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// LooksLikeIBAN reports whether an account starts as only an IBAN does: two letters and
// two digits.
func LooksLikeIBAN(account string) bool {
	return len(account) >= 4 && upper(account[0]) && upper(account[1]) && digit(account[2]) && digit(account[3])
}

// HasIBANs reports whether a country, by its ISO 3166 code, is in the IBAN registry.
func HasIBANs(country string) bool { return ibanLengths[country] > 0 }

// CheckIBAN checks the country, the length and the check digits (ISO 13616, ISO 7064
// MOD 97-10) of an IBAN. Its error is of code CodeInvalid and does not repeat the IBAN.
func CheckIBAN(iban string) error {
	if !LooksLikeIBAN(iban) {
		return incentive.Errorf(incentive.CodeInvalid, "an IBAN starts with two letters and two digits, such as DE89")
	}
	length, known := ibanLengths[iban[:2]]
	if !known {
		return incentive.Errorf(incentive.CodeInvalid, "no IBAN starts with the country %s", iban[:2])
	}
	if len(iban) != length {
		return incentive.Errorf(incentive.CodeInvalid, "an IBAN of %s has %d characters; this one has %d", iban[:2], length, len(iban))
	}
	remainder := 0
	for i := range iban {
		switch c := iban[(i+4)%len(iban)]; {
		case digit(c):
			remainder = (remainder*10 + int(c-'0')) % 97
		case upper(c):
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		default:
			return incentive.Errorf(incentive.CodeInvalid, "an IBAN has letters and digits only")
		}
	}
	// The check digits are 02 to 98: 00, 01 and 99 would pass as 97, 98 and 02.
	if check := iban[2:4]; remainder != 1 || check < "02" || check > "98" {
		return incentive.Errorf(incentive.CodeInvalid, "the check digits of the IBAN do not fit: a character is wrong or two are swapped")
	}
	return nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
func upper(c byte) bool { return c >= 'A' && c <= 'Z' }
