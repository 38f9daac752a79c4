// Package nacha is the rail of ACH files, as Nacha lays them out: credits to accounts at banks in
// the United States that a person uploads at the company's bank, and what the bank sends back of
// them. People are paid by PPD entries, whose batch says PAYROLL as the rules ask for
// compensation, and companies by CCD. What the bank sends back names an entry by its trace
// number alone; nothing says that one was paid but that it does not come back in time.
package nacha

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// Config says who pays, and by which bank.
type Config struct {
	Name        string // of the rail; "" is "nacha"
	Company     string // the company's name; entries show its first 16 characters
	CompanyID   string // the ten characters by which the bank knows the company: often 1 and its tax number
	Bank        string // the bank's routing number
	BankName    string
	Origin      string // who sends the file, where the bank asks for another than CompanyID
	Description string // of what companies are paid, in ten characters; "" is COMMISSION
	LeadDays    int    // banking days between the file and its payment
	Prenotes    bool   // accounts are tried before they are first paid
	Zone        *time.Location
	Now         func() time.Time
}

// Rail builds ACH files and reads what banks send back.
type Rail struct{ config Config }

var (
	_ payments.FileRail     = (*Rail)(nil)
	_ payments.StatusReader = (*Rail)(nil)
	_ payments.Numbered     = (*Rail)(nil)
	_ payments.Presumer     = (*Rail)(nil)
)

// payroll is what the rules ask of batches of compensation to people.
const payroll = "PAYROLL"

const (
	largestEntry = 99_999_999_99
	largestFile  = 9_999_999_999_99
	traces       = 10_000_000 // trace numbers of a bank's
	modifiers    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

var (
	tenCharacters = regexp.MustCompile(`^[A-Z0-9]{10}$`)
	written       = regexp.MustCompile(`^[A-Z0-9][A-Z0-9 ./&'+,():?-]*$`)
	identifies    = regexp.MustCompile(`^[A-Za-z0-9-]{1,15}$`)
	uuid          = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	periodID      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// New returns the rail of a configuration, or an error of code CodeInvalid that says
// what is wrong with it.
func New(config Config) (*Rail, error) {
	config.Name = cmp.Or(config.Name, "nacha")
	config.Origin = cmp.Or(config.Origin, config.CompanyID)
	config.Description = cmp.Or(config.Description, "COMMISSION")
	if config.Zone == nil {
		config.Zone = time.UTC
	}
	invalid := func(format string, arguments ...any) (*Rail, error) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the rail %s: %s", config.Name, fmt.Sprintf(format, arguments...))
	}
	for what, text := range map[string]*string{"the company's name": &config.Company, "the bank's name": &config.BankName} {
		latin, _, ok := bankaccount.Transliterate(*text)
		if *text = strings.ToUpper(latin); !ok || !written.MatchString(*text) {
			return invalid("%s must be written in Latin letters, digits and spaces", what)
		}
	}
	switch {
	case config.Now == nil:
		return invalid("a clock is needed")
	case !tenCharacters.MatchString(config.CompanyID):
		return invalid("the company's id has ten capitals and digits: the bank says which, such as 1 and the company's tax number")
	case !tenCharacters.MatchString(config.Origin) && bankaccount.CheckRoutingNumber(config.Origin) != nil:
		return invalid("the origin is an id of ten capitals and digits, or a routing number")
	case bankaccount.CheckRoutingNumber(config.Bank) != nil:
		return invalid("the bank is a routing number of nine digits, the last of which checks the others, such as 021000021")
	case len(config.Description) > 10 || !written.MatchString(config.Description) || strings.HasPrefix(config.Description, "REVERSAL"):
		return invalid("the description has 1 to 10 capitals, digits and spaces, and is not REVERSAL")
	case config.LeadDays < 0 || config.LeadDays > 30:
		return invalid("the lead is 0 to 30 banking days")
	}
	config.Company, config.BankName = strings.TrimSpace(config.Company[:min(16, len(config.Company))]), strings.TrimSpace(config.BankName[:min(23, len(config.BankName))])
	return &Rail{config: config}, nil
}

// Name returns the rail's name.
func (r *Rail) Name() string { return r.config.Name }

// Capabilities says that the rail builds files, in dollars.
func (r *Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{
		File:       true,
		Currencies: []incentive.Currency{"USD"},
		Largest:    map[incentive.Currency]int64{"USD": largestEntry},
		LeadDays:   r.config.LeadDays,
	}
}

// FilesADay is how many modifiers tell files of a day apart.
func (r *Rail) FilesADay() int { return len(modifiers) }

// identification is what stands of a payout's id in its entry, where 15 characters fit: of a
// UUID its first digits, which are enough to find it by.
func identification(payoutID string) string {
	if uuid.MatchString(payoutID) {
		return strings.ReplaceAll(payoutID, "-", "")[:15]
	}
	return payoutID
}

// BuildFile builds the file of a request, and reads it back before it is given away. The same
// request on the same day gives the same bytes.
func (r *Rail) BuildFile(ctx context.Context, request payments.FileRequest) (payments.File, error) {
	return r.build(ctx, request, credits)
}

func (r *Rail) build(ctx context.Context, request payments.FileRequest, of entries) (payments.File, error) {
	if err := ctx.Err(); err != nil {
		return payments.File{}, &payments.Error{Class: payments.Throttled, Rail: r.config.Name, Code: "cancelled", Message: "building the file was cancelled", Cause: err}
	}
	refused := &payments.Error{Class: payments.Definite, Rail: r.config.Name, Code: "file-refused"}
	sorted := slices.SortedStableFunc(slices.Values(request.Payments), func(a, b payments.FilePayment) int {
		return cmp.Or(cmp.Compare(class(b), class(a)), cmp.Compare(a.PayoutID, b.PayoutID))
	})
	seen := map[string]bool{}
	total := incentive.Money{Currency: request.Currency}
	for _, p := range sorted {
		reason := r.refusal(p, request.Currency, of)
		if seen[identification(p.PayoutID)] {
			reason = "the payout, or another whose id begins as its does, is in the request twice"
		}
		if seen[identification(p.PayoutID)] = true; reason != "" {
			refused.Refused = append(refused.Refused, payments.Refusal{PayoutID: p.PayoutID, Message: reason})
		}
		if total.Minor > largestFile-p.Amount.Minor {
			refused.Message = "the payments add up to more than can be written"
			return payments.File{}, refused
		}
		total.Minor += p.Amount.Minor
	}
	if n := len(refused.Refused); n > 0 {
		refused.Message = fmt.Sprintf("%d of %d payments cannot be written", n, len(sorted))
		return payments.File{}, refused
	}
	if refused.Message = r.requestRefusal(request); refused.Message != "" {
		return payments.File{}, refused
	}
	if request.On.IsZero() {
		request.On = incentive.DateOf(r.config.Now().In(r.config.Zone))
	}
	f, numbers, err := r.file(request, sorted, of)
	if err != nil {
		return payments.File{}, fmt.Errorf("lay out the file of %s: %w", request.PeriodID, err)
	}
	unnamed, err := encode(f)
	if err != nil {
		return payments.File{}, fmt.Errorf("write the file of %s: %w", request.PeriodID, err)
	}
	digest := sha256.Sum256(unnamed)
	f.Header.ReferenceCode = strings.ToUpper(hex.EncodeToString(digest[:4]))
	content, err := encode(f)
	if err != nil {
		return payments.File{}, fmt.Errorf("write the file of %s: %w", request.PeriodID, err)
	}
	if err := r.confirm(content, sorted, total, of); err != nil {
		return payments.File{}, &payments.Error{
			Class:   payments.Definite,
			Rail:    r.config.Name,
			Code:    string(CodeFileFaulty),
			Message: "the file that was built does not say what was asked for",
			Cause:   err,
		}
	}
	digest = sha256.Sum256(content)
	return payments.File{
		Name:        fmt.Sprintf("ach-%s-%d-%s.txt", request.PeriodID, request.Revision, f.Header.ReferenceCode),
		MessageID:   "ACH-" + hex.EncodeToString(digest[:14]),
		Content:     content,
		SHA256:      digest[:],
		Count:       len(sorted),
		Total:       total,
		EffectiveOn: r.config.effectiveOn(request.On),
		Traces:      numbers,
	}, nil
}

// class is the standard entry class of a payment.
func class(p payments.FilePayment) string {
	if p.Destination[OwnerDetail] == Company {
		return ach.CCD
	}
	return ach.PPD
}

func (r *Rail) refusal(p payments.FilePayment, currency incentive.Currency, of entries) string {
	if !identifies.MatchString(p.PayoutID) && !uuid.MatchString(p.PayoutID) {
		return "the payout's id must be a UUID, or have 1 to 15 letters, digits and hyphens"
	}
	if p.Amount.Currency != currency {
		return "the payment is not in the file's currency, " + string(currency)
	}
	if of.prenote {
		if p.Amount.Minor != 0 {
			return "a prenote is of nothing"
		}
	} else if err := r.Capabilities().Check(r.config.Name, p.Amount); err != nil {
		return err.(*payments.Error).Message
	}
	return refusal(p.Destination)
}

// requestRefusal says what is wrong with a request as a whole, "" when nothing is.
func (r *Rail) requestRefusal(request payments.FileRequest) string {
	switch {
	case !periodID.MatchString(request.PeriodID):
		return "a period's id in a file has 1 to 100 letters, digits, dots, underscores and hyphens, and starts with a letter or digit"
	case request.Revision < 1:
		return "revisions count from 1"
	case len(request.Payments) == 0:
		return "an ACH file needs an entry"
	case request.Currency != "USD":
		return "ACH pays USD alone"
	case request.Number < 0 || request.Number > len(modifiers):
		return fmt.Sprintf("the bank takes %d files a day", len(modifiers))
	case request.First < 0 || max(request.First, 1)%traces+int64(len(request.Payments)) > traces:
		return "the entries' numbers must rise within a file"
	}
	return ""
}

// file lays a file out, and returns the trace numbers of its payments.
func (r *Rail) file(request payments.FileRequest, sorted []payments.FilePayment, of entries) (*ach.File, map[string]string, error) {
	header := ach.NewFileHeader()
	header.ImmediateDestination, header.ImmediateDestinationName = r.config.Bank, r.config.BankName
	header.ImmediateOrigin, header.ImmediateOriginName = r.config.Origin, r.config.Company
	header.FileCreationDate = yymmdd(request.On)
	header.FileIDModifier = modifiers[max(request.Number, 1)-1:][:1]
	header.FileCreationTime = "0000" // which else would be that of the building
	f := ach.NewFile()
	f.SetHeader(header)
	f.SetValidation(options)
	numbers := map[string]string{}
	number := max(request.First, 1) % traces
	for _, class := range []string{ach.PPD, ach.CCD} {
		var batch ach.Batcher
		for _, p := range sorted {
			if (p.Destination[OwnerDetail] == Company) != (class == ach.CCD) {
				continue
			}
			if batch == nil {
				var err error
				if batch, err = r.batch(request, class); err != nil {
					return nil, nil, err
				}
			}
			entry := ach.NewEntryDetail()
			entry.TransactionCode = of.codes[p.Destination[KindDetail]]
			entry.SetRDFI(p.Destination[RoutingDetail])
			entry.DFIAccountNumber = p.Destination[AccountDetail]
			entry.Amount = int(p.Amount.Minor)
			entry.IdentificationNumber, entry.IndividualName = identification(p.PayoutID), name(p.Destination[HolderDetail])
			entry.SetTraceNumber(r.config.Bank[:8], int(number))
			entry.Category = ach.CategoryForward
			number++
			batch.AddEntry(entry)
			numbers[p.PayoutID] = entry.TraceNumberField()
		}
		if batch == nil {
			continue
		}
		if err := batch.Create(); err != nil {
			return nil, nil, err
		}
		f.AddBatch(batch)
	}
	return f, numbers, f.Create()
}

func (r *Rail) batch(request payments.FileRequest, class string) (ach.Batcher, error) {
	header := ach.NewBatchHeader()
	header.ServiceClassCode, header.StandardEntryClassCode = ach.CreditsOnly, class
	header.CompanyName, header.CompanyIdentification = r.config.Company, r.config.CompanyID
	header.CompanyEntryDescription = payroll
	if class == ach.CCD {
		header.CompanyEntryDescription = r.config.Description
	}
	header.EffectiveEntryDate = yymmdd(r.config.effectiveOn(request.On))
	header.ODFIIdentification = r.config.Bank[:8]
	header.OriginatorStatusCode = 1
	return ach.NewBatch(header)
}

// options let an origin be what banks ask for: often a tax number, which is no routing number.
var options = &ach.ValidateOpts{BypassOriginValidation: true}

func encode(f *ach.File) ([]byte, error) {
	var b bytes.Buffer
	w := ach.NewWriter(&b)
	if err := w.Write(f); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func yymmdd(day incentive.Date) string {
	return fmt.Sprintf("%02d%02d%02d", day.Year%100, day.Month, day.Day)
}
