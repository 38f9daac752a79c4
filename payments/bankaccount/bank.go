package bankaccount

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// bicShape is that of ISO 9362, as ISO 20022 narrows it down: four letters for the bank,
// two for its country, two characters for the place, three for the branch or none.
var bicShape = regexp.MustCompile(`^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$`)

// CheckBIC checks the shape of a BIC. Its error is of code CodeInvalid.
func CheckBIC(bic string) error {
	if !bicShape.MatchString(bic) {
		return incentive.Errorf(incentive.CodeInvalid, "a BIC has 8 or 11 characters, such as COBADEFF or DEUTDEFF500")
	}
	return nil
}

// CheckIFSC checks the shape of the code of a branch in India. Its error is of code CodeInvalid.
func CheckIFSC(code string) error {
	if !clearingMembers["INFSC"].MatchString(code) {
		return incentive.Errorf(incentive.CodeInvalid, "an IFSC has four letters, a zero and six letters or digits, such as HDFC0000001")
	}
	return nil
}

// CheckRoutingNumber checks an American routing number with its check digit and the range of its
// first two digits. Its error is of code CodeInvalid.
func CheckRoutingNumber(number string) error {
	if !clearingMembers["USABA"].MatchString(number) || !routingNumber(number) || !districts.MatchString(number) {
		return incentive.Errorf(incentive.CodeInvalid, "a routing number has nine digits, the last of which checks the others, such as 021000021")
	}
	return nil
}

// districts are the first digits of routing numbers of banks: of the Federal Reserve's districts, as
// they are, for thrifts and for electronic payments.
var districts = regexp.MustCompile(`^(0[1-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2])`)

// clearingMembers holds the shape of a bank's code in each national clearing system, by
// the system's name in the external code set of ISO 20022.
var clearingMembers = map[string]*regexp.Regexp{
	"AUBSB": regexp.MustCompile(`^[0-9]{6}$`),
	"CACPA": regexp.MustCompile(`^0[0-9]{8}$`),
	"CNAPS": regexp.MustCompile(`^[0-9]{12}$`),
	"GBDSC": regexp.MustCompile(`^[0-9]{6}$`),
	"INFSC": regexp.MustCompile(`^[A-Z]{4}0[A-Z0-9]{6}$`),
	"JPZGN": regexp.MustCompile(`^[0-9]{7}$`),
	"NZNCC": regexp.MustCompile(`^[0-9]{6}$`),
	"USABA": regexp.MustCompile(`^[0-9]{9}$`),
	"ZANCC": regexp.MustCompile(`^[0-9]{6}$`),
}

// SplitClearingCode splits a bank's code in a national clearing system, such as
// USABA021000021, into the system's name and the bank's code in it, and checks both. Its
// error is of code CodeInvalid.
func SplitClearingCode(code string) (system, member string, err error) {
	system, member = code[:min(5, len(code))], code[min(5, len(code)):]
	shape, known := clearingMembers[system]
	if !known {
		return "", "", incentive.Errorf(incentive.CodeInvalid, "a clearing code starts with one of %s", strings.Join(slices.Sorted(maps.Keys(clearingMembers)), ", "))
	}
	if !shape.MatchString(member) || system == "USABA" && !routingNumber(member) {
		return "", "", incentive.Errorf(incentive.CodeInvalid, "what follows %s in the clearing code is no code of a bank there", system)
	}
	return system, member, nil
}

// routingNumber reports whether the check digit of an American routing number fits.
func routingNumber(number string) bool {
	sum := 0
	for i := range number {
		sum += int(number[i]-'0') * []int{3, 7, 1}[i%3]
	}
	return sum%10 == 0 && number != "000000000"
}
