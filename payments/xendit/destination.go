package xendit

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// The details of a destination.
const (
	ChannelDetail = "channel" // Xendit's code of the bank or e-wallet, such as ID_BCA
	AccountDetail = "account" // the account number; for an e-wallet the mobile number
	HolderDetail  = "holder"  // the holder's name, as the bank or e-wallet has it
)

// Channel is a bank or e-wallet that can be paid to.
type Channel struct {
	Code     string
	Name     string
	Wallet   bool // its accounts are mobile numbers
	Currency incentive.Currency
}

type channel struct {
	name     string
	wallet   bool
	currency incentive.Currency
	largest  int64 // minor units of one payout; 0: no limit that all accounts share
}

// An e-wallet of Indonesia may hold no more than 20 million rupiah (Bank Indonesia), and
// one of the Philippines is reached by InstaPay, which carries no more than 50,000 pesos.
// Banks take larger payouts by another network, of which Xendit chooses.
const (
	indonesianWallet = 20_000_000_00
	instaPay         = 50_000_00
)

// channels are the banks and e-wallets that this rail knows by Xendit's codes. Another
// one is another line.
var channels = map[string]channel{
	"ID_BCA":       {name: "Bank Central Asia", currency: "IDR"},
	"ID_BNI":       {name: "Bank Negara Indonesia", currency: "IDR"},
	"ID_BRI":       {name: "Bank Rakyat Indonesia", currency: "IDR"},
	"ID_BSI":       {name: "Bank Syariah Indonesia", currency: "IDR"},
	"ID_BTN":       {name: "Bank Tabungan Negara", currency: "IDR"},
	"ID_CIMB":      {name: "CIMB Niaga", currency: "IDR"},
	"ID_DANAMON":   {name: "Bank Danamon", currency: "IDR"},
	"ID_MANDIRI":   {name: "Bank Mandiri", currency: "IDR"},
	"ID_MEGA":      {name: "Bank Mega", currency: "IDR"},
	"ID_PERMATA":   {name: "Bank Permata", currency: "IDR"},
	"ID_DANA":      {name: "Dana", wallet: true, currency: "IDR", largest: indonesianWallet},
	"ID_GOPAY":     {name: "GoPay", wallet: true, currency: "IDR", largest: indonesianWallet},
	"ID_LINKAJA":   {name: "LinkAja", wallet: true, currency: "IDR", largest: indonesianWallet},
	"ID_OVO":       {name: "Ovo", wallet: true, currency: "IDR", largest: indonesianWallet},
	"ID_SHOPEEPAY": {name: "ShopeePay", wallet: true, currency: "IDR", largest: indonesianWallet},

	"PH_BDO":     {name: "BDO Unibank", currency: "PHP"},
	"PH_BPI":     {name: "Bank of the Philippine Islands", currency: "PHP"},
	"PH_LBP":     {name: "Land Bank of the Philippines", currency: "PHP"},
	"PH_MET":     {name: "Metrobank", currency: "PHP"},
	"PH_PNB":     {name: "Philippine National Bank", currency: "PHP"},
	"PH_RCBC":    {name: "Rizal Commercial Banking", currency: "PHP"},
	"PH_UBP":     {name: "UnionBank", currency: "PHP"},
	"PH_GCASH":   {name: "GCash", wallet: true, currency: "PHP", largest: instaPay},
	"PH_PAYMAYA": {name: "Maya", wallet: true, currency: "PHP", largest: instaPay},
}

// Channels lists the banks and e-wallets that can be paid to, by code.
func Channels() []Channel {
	list := make([]Channel, 0, len(channels))
	for _, code := range slices.Sorted(maps.Keys(channels)) {
		c := channels[code]
		list = append(list, Channel{Code: code, Name: c.name, Wallet: c.wallet, Currency: c.currency})
	}
	return list
}

var (
	bankAccount = regexp.MustCompile(`^[0-9]{5,20}$`)

	// mobileNumbers are by the country of a channel; the first group is what follows the
	// country's prefix or its leading zero.
	mobileNumbers = map[string]*regexp.Regexp{
		"ID": regexp.MustCompile(`^(?:\+?62|0)(8[0-9]{8,11})$`),
		"PH": regexp.MustCompile(`^(?:\+?63|0)(9[0-9]{9})$`),
	}

	separators = strings.NewReplacer(" ", "", "-", "", ".", "")
)

// ValidateDestination takes a channel, an account and its holder. A mobile number is
// kept as it is dialled at home, such as 09171234567.
func (*Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(format string, arguments ...any) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, format, arguments...)
	}
	if len(d) != 3 {
		return refuse("a destination at Xendit has three details: %q, %q and %q", ChannelDetail, AccountDetail, HolderDetail)
	}
	code := strings.ToUpper(strings.TrimSpace(d[ChannelDetail]))
	to, known := channels[code]
	if !known {
		return refuse("the detail %q is not a bank or e-wallet that Xendit pays to from here: write its code, such as ID_BCA or PH_GCASH", ChannelDetail)
	}
	account := separators.Replace(d[AccountDetail])
	if to.wallet {
		number := mobileNumbers[code[:2]].FindStringSubmatch(account)
		if number == nil {
			return refuse("the detail %q is not the mobile number of an account at %s: write it as it is dialled, such as %s", AccountDetail, to.name, map[string]string{"ID": "081234567890", "PH": "09171234567"}[code[:2]])
		}
		account = "0" + number[1]
	} else if !bankAccount.MatchString(account) {
		return refuse("the detail %q is not the number of an account at %s: write its 5 to 20 digits", AccountDetail, to.name)
	}
	holder := strings.Join(strings.Fields(d[HolderDetail]), " ")
	if len([]rune(holder)) < 2 || len([]rune(holder)) > 100 || strings.ContainsFunc(holder, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return refuse("the detail %q is not a name: write it as %s has it, in 2 to 100 characters", HolderDetail, to.name)
	}
	return payments.Destination{ChannelDetail: code, AccountDetail: account, HolderDetail: holder}, to.name + " …" + account[len(account)-3:], nil
}
