// Package iso20022 is the rail of ISO 20022 files: credit transfers that a person uploads
// at a bank (pain.001), and what the bank says of them (pain.002, camt.053, camt.054).
// Scheme SEPA pays euros by the rules of the SEPA credit transfer; Scheme General pays
// other currencies and countries. A file holds one payment information block, of one
// debtor account, currency and day; a payout's id, without the hyphens of a UUID, is its
// end-to-end id, by which the bank's answers are matched.
package iso20022

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// Scheme is the set of rules that a file keeps.
type Scheme string

// The schemes.
const (
	SEPA    Scheme = "sepa"    // euros, IBAN to IBAN, each side bears its own charges
	General Scheme = "general" // any currency, IBAN or other accounts, at a BIC or a clearing code
)

// Version is the version of pain.001 that a bank takes.
type Version string

// The versions.
const (
	Version09 Version = "pain.001.001.09"
	Version03 Version = "pain.001.001.03"
)

// Config says who pays, from where and how.
type Config struct {
	Name    string // of the rail; "" is "iso20022-sepa" or "iso20022-general"
	Scheme  Scheme
	Version Version // "" is Version09
	Debtor  Debtor
	// Accounts are the accounts that pay, by the currency that they pay. SEPA has one,
	// for EUR.
	Accounts map[incentive.Currency]Account
	// Remittance is what recipients read before the period's id; "" is "Payout".
	Remittance string
	// CategoryPurpose is a code of ISO 20022 that tells the bank what the payments are
	// for, such as SALA, which many banks book as one confidential sum; "" is none.
	CategoryPurpose string
	// ChargeBearer says who pays the banks outside SEPA: SHAR, each its own (also ""),
	// DEBT, the company, or CRED, the recipient.
	ChargeBearer string
	BatchBooking bool // one booking for the file instead of one for each payment
	// LeadDays is how many banking days lie between the day a file is built, or the next
	// banking day, and the day the bank is asked to pay: people need time to upload.
	LeadDays int
	// Holidays are days on which the bank is closed besides Saturdays and Sundays; SEPA
	// knows its own.
	Holidays []incentive.Date
	Zone     *time.Location   // of the bank's days; nil is UTC
	Now      func() time.Time // the clock that dates files
}

// Debtor is the company that pays.
type Debtor struct {
	Name          string
	BankReference string // the id that the bank gave the company for its files; "" where it gave none
	Town, Country string // both or neither; the country as ISO 3166 writes it
}

// Account is an account at a bank.
type Account struct {
	Number string // an IBAN or, outside SEPA, an account number
	Bank   string // a BIC or, outside SEPA, a clearing code such as USABA021000021; SEPA can do without
}

// Rail builds credit transfer files and reads what banks say of them.
type Rail struct{ config Config }

var (
	_ payments.FileRail     = (*Rail)(nil)
	_ payments.StatusReader = (*Rail)(nil)
)

var fourLetters = regexp.MustCompile(`^[A-Z]{4}$`)

// New returns the rail of a configuration, or an error of code CodeInvalid that says
// what is wrong with it.
func New(config Config) (*Rail, error) {
	config.Name = cmp.Or(config.Name, "iso20022-"+string(config.Scheme))
	config.Version = cmp.Or(config.Version, Version09)
	config.Remittance = cmp.Or(config.Remittance, "Payout")
	if config.Scheme == General {
		config.ChargeBearer = cmp.Or(config.ChargeBearer, "SHAR")
	}
	if config.Zone == nil {
		config.Zone = time.UTC
	}
	invalid := func(format string, arguments ...any) (*Rail, error) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the rail %s: %s", config.Name, fmt.Sprintf(format, arguments...))
	}
	if config.Scheme != SEPA && config.Scheme != General {
		return invalid("the scheme is %s or %s", SEPA, General)
	}
	if config.Version != Version09 && config.Version != Version03 {
		return invalid("the version is %s or %s", Version09, Version03)
	}
	if config.Now == nil {
		return invalid("a clock is needed")
	}
	if len(config.Accounts) == 0 {
		return invalid("an account to pay from is needed")
	}
	for _, currency := range slices.Sorted(maps.Keys(config.Accounts)) {
		if _, err := incentive.ParseCurrency(string(currency)); err != nil {
			return invalid("%s", incentive.ErrorMessage(err))
		}
		if config.Scheme == SEPA && currency != "EUR" {
			return invalid("SEPA pays EUR alone, not %s", currency)
		}
		if err := config.Scheme.checkAccount(config.Accounts[currency]); err != nil {
			return invalid("the account for %s: %s", currency, incentive.ErrorMessage(err))
		}
	}
	if reason := writable("the debtor's name", config.Debtor.Name, longestName); reason != "" {
		return invalid("%s", reason)
	}
	if config.Debtor.Town != "" || config.Debtor.Country != "" {
		if reason := writable("the debtor's town", config.Debtor.Town, longestTown); reason != "" {
			return invalid("%s", reason)
		}
		if !countryCode.MatchString(config.Debtor.Country) {
			return invalid("the debtor's country is two letters, such as DE, and stands with the town")
		}
	}
	if config.Debtor.BankReference != "" && !reference.MatchString(config.Debtor.BankReference) {
		return invalid("the bank's reference for the debtor has 1 to 35 letters, digits and hyphens")
	}
	if text, _, ok := bankaccount.Transliterate(config.Remittance); !ok || text == "" || len(text) > longestRemittance {
		return invalid("the remittance text must have 1 to %d characters that banks take", longestRemittance)
	}
	if config.CategoryPurpose != "" && !fourLetters.MatchString(config.CategoryPurpose) {
		return invalid("the category purpose is a code of four capitals, such as SALA")
	}
	if bearers := []string{"SHAR", "DEBT", "CRED"}; config.Scheme == General && !slices.Contains(bearers, config.ChargeBearer) {
		return invalid("the charge bearer is one of %s", strings.Join(bearers, ", "))
	} else if config.Scheme == SEPA && config.ChargeBearer != "" {
		return invalid("in SEPA each side bears its own charges: leave the charge bearer out")
	}
	if config.LeadDays < 0 || config.LeadDays > 30 {
		return invalid("the lead is 0 to 30 banking days")
	}
	config.Accounts, config.Holidays = maps.Clone(config.Accounts), slices.Clone(config.Holidays)
	return &Rail{config: config}, nil
}

// Name returns the rail's name.
func (r *Rail) Name() string { return r.config.Name }

// Capabilities says that the rail builds files, in the currencies of its accounts.
func (r *Rail) Capabilities() payments.Capabilities {
	can := payments.Capabilities{
		File:       true,
		Currencies: slices.Sorted(maps.Keys(r.config.Accounts)),
		Largest:    map[incentive.Currency]int64{},
		LeadDays:   r.config.LeadDays,
	}
	for _, currency := range can.Currencies {
		can.Largest[currency] = r.config.Scheme.largest()
	}
	return can
}

// largest is the most that one payment may be, in minor units.
func (s Scheme) largest() int64 {
	if s == SEPA {
		return 999_999_999_99
	}
	return largestSum
}

const (
	largestSum        = 999_999_999_999_999_999 // amounts and sums have 18 digits
	longestRemittance = 35
)

var (
	// reference is narrower than the standard: without the slashes, of which not every
	// place is allowed.
	reference = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,33}[A-Za-z0-9])?$`)
	periodID  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	uuidDigit = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// endToEndID is the reference of a payout in a file: its id, and of a UUID, which would
// be a character too long, the digits.
func endToEndID(payoutID string) string {
	if uuid.MatchString(payoutID) {
		return strings.ReplaceAll(payoutID, "-", "")
	}
	return payoutID
}

// payoutID is the payout of an end-to-end id.
func payoutID(endToEnd string) string {
	if uuidDigit.MatchString(endToEnd) {
		return endToEnd[:8] + "-" + endToEnd[8:12] + "-" + endToEnd[12:16] + "-" + endToEnd[16:20] + "-" + endToEnd[20:]
	}
	return endToEnd
}

// BuildFile builds the file of a request, and inspects it before it is given away. The
// same request at the same second gives the same bytes. The message id is derived from
// all that is in the file but the time of its creation: a bank notices a file that it has.
func (r *Rail) BuildFile(ctx context.Context, request payments.FileRequest) (payments.File, error) {
	if err := ctx.Err(); err != nil {
		return payments.File{}, &payments.Error{Class: payments.Throttled, Rail: r.config.Name, Code: "cancelled", Message: "building the file was cancelled", Cause: err}
	}
	refused := &payments.Error{Class: payments.Definite, Rail: r.config.Name, Code: "file-refused"}
	sorted := slices.SortedStableFunc(slices.Values(request.Payments), func(a, b payments.FilePayment) int { return cmp.Compare(a.PayoutID, b.PayoutID) })
	for i, p := range sorted {
		reason := r.refusal(p, request.Currency)
		if i > 0 && sorted[i-1].PayoutID == p.PayoutID {
			reason = "the payout is in the request twice"
		}
		if reason != "" {
			refused.Refused = append(refused.Refused, payments.Refusal{PayoutID: p.PayoutID, Message: reason})
		}
	}
	if n := len(refused.Refused); n > 0 {
		refused.Message = fmt.Sprintf("%d of %d payments cannot be written", n, len(sorted))
		return payments.File{}, refused
	}
	total := incentive.Money{Currency: request.Currency}
	for _, p := range sorted {
		if total.Minor > largestSum-p.Amount.Minor {
			refused.Message = "the payments add up to more than can be written"
			return payments.File{}, refused
		}
		total.Minor += p.Amount.Minor
	}
	if reason := r.requestRefusal(request); reason != "" {
		refused.Message = reason
		return payments.File{}, refused
	}
	now := r.config.Now().In(r.config.Zone).Truncate(time.Second)
	d := r.document(request, sorted, total)
	d.execute(r.config.Version, r.config.executionDate(incentive.DateOf(now)))
	unnamed, err := d.encode()
	if err != nil {
		return payments.File{}, fmt.Errorf("write the file of %s: %w", request.PeriodID, err)
	}
	digest := sha256.Sum256(unnamed)
	d.name("GRD-"+hex.EncodeToString(digest[:14]), now)
	content, err := d.encode()
	if err != nil {
		return payments.File{}, fmt.Errorf("write the file of %s: %w", request.PeriodID, err)
	}
	if err := r.confirm(content, sorted, total); err != nil {
		return payments.File{}, &payments.Error{
			Class:   payments.Definite,
			Rail:    r.config.Name,
			Code:    string(CodeFileFaulty),
			Message: "the file that was built does not say what was asked for",
			Cause:   err,
		}
	}
	digest = sha256.Sum256(content)
	messageID := d.Initiation.Header.MessageID
	return payments.File{
		Name:      fmt.Sprintf("payments-%s-%d-%s-%s.xml", request.PeriodID, request.Revision, request.Currency, messageID[len(messageID)-8:]),
		MessageID: messageID,
		Content:   content,
		SHA256:    digest[:],
		Count:     len(sorted),
		Total:     total,
	}, nil
}

// refusal says why a payment cannot stand in a file of that currency, "" when it can.
func (r *Rail) refusal(p payments.FilePayment, currency incentive.Currency) string {
	if id := endToEndID(p.PayoutID); !reference.MatchString(id) || payoutID(id) != p.PayoutID {
		return "the payout's id must be a UUID, or have 1 to 35 letters, digits and hyphens"
	}
	if p.Amount.Currency != currency {
		return "the payment is not in the file's currency, " + string(currency)
	}
	if err := r.Capabilities().Check(r.config.Name, p.Amount); err != nil {
		return err.(*payments.Error).Message
	}
	return r.config.Scheme.refusal(p.Destination)
}

// requestRefusal says what is wrong with a request as a whole, "" when nothing is.
func (r *Rail) requestRefusal(request payments.FileRequest) string {
	switch {
	case !periodID.MatchString(request.PeriodID):
		return "a period's id in a file has 1 to 100 letters, digits, dots, underscores and hyphens, and starts with a letter or digit"
	case request.Revision < 1:
		return "revisions count from 1"
	case len(request.Payments) == 0:
		return "a payment file needs a payment"
	}
	return ""
}
