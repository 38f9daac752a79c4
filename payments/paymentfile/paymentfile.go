// Package paymentfile is the rail of files that a person uploads at a bank or payroll
// system: CSV, with a header and a trailer that guard what lies between them.
//
//	HDR,1,<message id>,<period id>,<revision>,<currency>,<company>
//	PAY,<payout id>,<holder>,<bank>,<account>,<amount>,<currency>
//	END,<message id>,<count>,<total>,<currency>,sha256,<hex>
//
// Lines end in a line feed. Payments are sorted by payout id. The checksum covers every
// byte before the trailer's line. It shows an accident, such as a spreadsheet that
// dropped the zeros of an account number; against intent stands the digest of the whole
// file, which is kept when the file is built.
package paymentfile

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// Name is the usual name of the rail; an installation with several banks has one rail
// of its own name for each.
const Name = "payment-file"

const (
	headerMark  = "HDR"
	paymentMark = "PAY"
	trailerMark = "END"
	version     = "1"
)

// Rail builds payment files.
type Rail struct {
	name    string
	company string
	written *Written // as a template has it; nil: as this package says
}

var _ payments.FileRail = (*Rail)(nil)

// New returns a rail of that name that pays for a company. What a bank or payroll system wants
// otherwise says a template: see By.
func New(name, company string) *Rail { return &Rail{name: name, company: company} }

// Name returns the rail's name.
func (r *Rail) Name() string { return r.name }

// Capabilities says that the rail builds files; a person says when they are paid.
func (*Rail) Capabilities() payments.Capabilities { return payments.Capabilities{File: true} }

// Payment is one line of a file.
type Payment struct {
	PayoutID string
	Holder   string
	Bank     string // "" where the account is enough
	Account  string
	Amount   incentive.Money
}

// Contents is what a file says.
type Contents struct {
	Company   string
	MessageID string
	PeriodID  string
	Revision  int
	Currency  incentive.Currency
	Payments  []Payment // sorted by payout id
	Total     incentive.Money
}

// BuildFile builds the file of a request. Its message id is derived from everything in
// it: the same payments have the same id, so that a bank notices a file sent twice.
func (r *Rail) BuildFile(ctx context.Context, request payments.FileRequest) (payments.File, error) {
	refused := &payments.Error{Class: payments.Definite, Rail: r.name, Code: "file-refused"}
	if err := ctx.Err(); err != nil {
		return payments.File{}, &payments.Error{Class: payments.Throttled, Rail: r.name, Code: "cancelled", Message: "building the file was cancelled", Cause: err}
	}
	contents := Contents{Company: r.company, PeriodID: request.PeriodID, Revision: request.Revision, Currency: request.Currency}
	for _, p := range request.Payments {
		contents.Payments = append(contents.Payments, Payment{
			PayoutID: p.PayoutID, Holder: p.Destination[HolderDetail], Bank: p.Destination[BankDetail], Account: p.Destination[AccountDetail], Amount: p.Amount,
		})
	}
	slices.SortStableFunc(contents.Payments, func(a, b Payment) int { return cmp.Compare(a.PayoutID, b.PayoutID) })
	for i, p := range contents.Payments {
		reason := cmp.Or(p.refusal(request.Currency), r.written.refusal(p.destination()))
		if i > 0 && contents.Payments[i-1].PayoutID == p.PayoutID {
			reason = "the payout is in the request twice"
		}
		if reason != "" {
			refused.Refused = append(refused.Refused, payments.Refusal{PayoutID: p.PayoutID, Message: reason})
		}
	}
	if n := len(refused.Refused); n > 0 {
		refused.Message = fmt.Sprintf("%d of %d payments cannot be written", n, len(request.Payments))
		return payments.File{}, refused
	}
	if err := contents.seal(); err != nil {
		refused.Message = incentive.ErrorMessage(err)
		return payments.File{}, refused
	}
	content, extension := contents.encode(), "csv"
	if r.written != nil {
		content, extension = r.written.file(contents), r.written.Template.Extension
	}
	digest := sha256.Sum256(content)
	return payments.File{
		Name:      fmt.Sprintf("payments-%s-%d-%s-%s.%s", contents.PeriodID, contents.Revision, contents.Currency, contents.MessageID[len(contents.MessageID)-8:], extension),
		MessageID: contents.MessageID,
		Content:   content,
		SHA256:    digest[:],
		Count:     len(contents.Payments),
		Total:     contents.Total,
	}, nil
}

var (
	payoutID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,35}$`)
	periodID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// refusal says why a payment cannot stand in a file of that currency, "" when it can.
func (p Payment) refusal(currency incentive.Currency) string {
	switch {
	case !payoutID.MatchString(p.PayoutID):
		return "the payout's id must have 1 to 36 letters, digits and hyphens"
	case p.Amount.Currency != currency:
		return "the payment is not in the file's currency, " + string(currency)
	case p.Amount.Minor <= 0:
		return "only an amount above zero can be paid"
	}
	return refusal(p.destination())
}

func (p Payment) destination() payments.Destination {
	return payments.Destination{HolderDetail: p.Holder, AccountDetail: p.Account, BankDetail: p.Bank}
}

// seal checks what concerns the file as a whole, and sets its total and message id.
func (c *Contents) seal() error {
	if _, err := incentive.ParseCurrency(string(c.Currency)); err != nil {
		return err
	}
	if !plainName(c.Company) {
		return incentive.Errorf(incentive.CodeInvalid, "the company's name in a file %s", nameRule)
	}
	if !periodID.MatchString(c.PeriodID) {
		return incentive.Errorf(incentive.CodeInvalid, "a period's id in a file has 1 to 100 letters, digits, dots, underscores and hyphens, and starts with a letter or digit")
	}
	if c.Revision < 1 {
		return incentive.Errorf(incentive.CodeInvalid, "revisions count from 1")
	}
	if len(c.Payments) == 0 {
		return incentive.Errorf(incentive.CodeInvalid, "a payment file needs a payment")
	}
	c.Total = incentive.Money{Currency: c.Currency}
	for _, p := range c.Payments {
		if c.Total.Minor > math.MaxInt64-p.Amount.Minor {
			return incentive.Errorf(incentive.CodeInvalid, "the payments add up to more than can be written")
		}
		c.Total.Minor += p.Amount.Minor
	}
	c.MessageID = ""
	digest := sha256.Sum256(c.encode())
	// Banks take at most 35 characters.
	c.MessageID = "GRD-" + hex.EncodeToString(digest[:14])
	return nil
}

// encode writes the file. It is the only place that does: Read compares with it.
func (c Contents) encode() []byte {
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	write := func(fields ...string) { _ = w.Write(fields) } // a bytes.Buffer takes all
	write(headerMark, version, c.MessageID, c.PeriodID, strconv.Itoa(c.Revision), string(c.Currency), c.Company)
	for _, p := range c.Payments {
		write(paymentMark, p.PayoutID, p.Holder, p.Bank, p.Account, p.Amount.Amount(), string(p.Amount.Currency))
	}
	w.Flush()
	checksum := sha256.Sum256(file.Bytes())
	write(trailerMark, c.MessageID, strconv.Itoa(len(c.Payments)), c.Total.Amount(), string(c.Currency), "sha256", hex.EncodeToString(checksum[:]))
	w.Flush()
	return file.Bytes()
}
