// Package india is the rail of the bulk payment files that banks in India take: NEFT,
// RTGS, IMPS and UPI, a line a payment. No two banks want the same columns, so that a
// template says what a file looks like; a person agrees it with the bank, takes the file
// there and says what became of it. A payout's id, without the hyphens of a UUID, is its
// reference in the file.
package india

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
	"github.com/guerdon/guerdon/payments/lines"
)

// Name is the name of the rail.
const Name = "india"

// rupee is the only currency of these files.
const rupee incentive.Currency = "INR"

// Config says how files are written.
type Config struct {
	Template Template
	Zone     *time.Location   // of the day that a file bears
	Now      func() time.Time // the clock that dates files
}

// Rail builds the files.
type Rail struct{ config Config }

var _ payments.FileRail = (*Rail)(nil)

// New returns the rail of a configuration.
func New(config Config) *Rail { return &Rail{config: config} }

// Name returns the rail's name.
func (*Rail) Name() string { return Name }

// Capabilities says that the rail builds files of rupees; a person says when they are paid.
func (*Rail) Capabilities() payments.Capabilities {
	return payments.Capabilities{File: true, Currencies: []incentive.Currency{rupee}}
}

// The details of a destination: an account at a bank, or a UPI address.
const (
	HolderDetail  = "holder"
	AccountDetail = "account"
	BankDetail    = "bank" // the IFSC of the account's branch
	UPIDetail     = "upi"  // such as name@bank, in place of an account and its bank
)

var (
	accountForm = regexp.MustCompile(`^[A-Z0-9]*[0-9][A-Z0-9]*$`)
	upiForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,99}@[a-z][a-z0-9]{1,63}$`)
	// holderForm is narrow: these files have no quotes, and what begins with a letter or a
	// digit is no formula of a spreadsheet.
	holderForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 .'/&()-]{0,99}$`)
	payoutForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,31}$`)
	uuidForm   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	periodForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// ValidateDestination takes HolderDetail with AccountDetail and BankDetail, or with
// UPIDetail. Spaces and hyphens that people write in account numbers are dropped.
func (r *Rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	refuse := func(reason string) (payments.Destination, string, error) {
		return nil, "", incentive.Errorf(payments.CodeDestinationInvalid, "the rail %s cannot pay to this destination: %s", Name, reason)
	}
	clean := payments.Destination{}
	compact := strings.NewReplacer(" ", "", "-", "", "\u00a0", "")
	for detail, value := range d {
		switch detail {
		case HolderDetail:
			value = strings.Join(strings.Fields(value), " ")
		case AccountDetail, BankDetail:
			value = strings.ToUpper(compact.Replace(value))
		case UPIDetail:
			value = strings.ToLower(strings.TrimSpace(value))
		default:
			return refuse("its details are holder with account and bank, or with upi")
		}
		if value != "" {
			clean[detail] = value
		}
	}
	if reason := r.config.Template.refusal(clean); reason != "" {
		return refuse(reason)
	}
	if address, is := clean[UPIDetail]; is {
		return clean, "…" + address[strings.LastIndexByte(address, '@'):], nil
	}
	account := clean[AccountDetail]
	return clean, "…" + account[len(account)-min(4, len(account)/2):], nil
}

// refusal says what is wrong with a cleaned destination, "" when nothing is.
func (t Template) refusal(d payments.Destination) string {
	if !holderForm.MatchString(d[HolderDetail]) {
		return "the holder must have 1 to 100 Latin letters, digits, spaces and . ' - / & ( ), and start with a letter or digit"
	}
	if address, is := d[UPIDetail]; is {
		switch {
		case len(d) != 2:
			return "give an account with its bank, or a UPI address, not both"
		case !upiForm.MatchString(address):
			return "a UPI address is written name@bank"
		}
	} else {
		if account := d[AccountDetail]; len(account) < 5 || len(account) > 34 || !accountForm.MatchString(account) {
			return "the account must have 5 to 34 letters and digits, with a digit"
		}
		if err := bankaccount.CheckIFSC(d[BankDetail]); err != nil {
			return incentive.ErrorMessage(err)
		}
	}
	if !slices.ContainsFunc(t.modes, func(m mode) bool { return m.reaches(d) }) {
		return "the company's bank takes no such payments in its files"
	}
	for _, one := range []struct{ field, detail string }{{holderField, HolderDetail}, {accountField, accountDetail(d)}} {
		if longest := t.Longest(one.field); longest > 0 && len(d[one.detail]) > longest {
			return fmt.Sprintf("the company's bank takes no %s of more than %d characters", one.detail, longest)
		}
	}
	return ""
}

// accountDetail is the detail of a destination that stands in the column of the account.
func accountDetail(d payments.Destination) string {
	if _, is := d[UPIDetail]; is {
		return UPIDetail
	}
	return AccountDetail
}

// reaches reports whether a mode can pay to a destination.
func (m mode) reaches(d payments.Destination) bool { return (m.of == UPI) == (d[UPIDetail] != "") }

// modeOf returns the first mode that takes a payment.
func (t Template) modeOf(p payments.FilePayment) (mode, bool) {
	for _, m := range t.modes {
		if m.reaches(p.Destination) && p.Amount.Minor >= m.least && (m.most == 0 || p.Amount.Minor <= m.most) {
			return m, true
		}
	}
	return mode{}, false
}

// reference is what a payout is called in a file.
func reference(payoutID string) string {
	if uuidForm.MatchString(payoutID) {
		return strings.ReplaceAll(payoutID, "-", "")
	}
	return payoutID
}

// BuildFile builds the file of a request. Its message id is derived from all that is in
// it but the day: the same payments have the same id.
func (r *Rail) BuildFile(ctx context.Context, request payments.FileRequest) (payments.File, error) {
	if err := ctx.Err(); err != nil {
		return payments.File{}, &payments.Error{Class: payments.Throttled, Rail: Name, Code: "cancelled", Message: "building the file was cancelled", Cause: err}
	}
	refused := &payments.Error{Class: payments.Definite, Rail: Name, Code: "file-refused"}
	sorted := slices.SortedStableFunc(slices.Values(request.Payments), func(a, b payments.FilePayment) int { return cmp.Compare(a.PayoutID, b.PayoutID) })
	total := incentive.Money{Currency: rupee}
	for i, p := range sorted {
		reason := r.refusal(p)
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
	for _, p := range sorted {
		if total.Minor > math.MaxInt64-p.Amount.Minor {
			refused.Message = "the payments add up to more than can be written"
			return payments.File{}, refused
		}
		total.Minor += p.Amount.Minor
	}
	switch {
	case request.Currency != rupee:
		refused.Message = "these files pay rupees alone"
	case !periodForm.MatchString(request.PeriodID):
		refused.Message = "a period's id in a file has 1 to 100 letters, digits, dots, underscores and hyphens, and starts with a letter or digit"
	case request.Revision < 1:
		refused.Message = "revisions count from 1"
	case len(sorted) == 0:
		refused.Message = "a payment file needs a payment"
	}
	if refused.Message != "" {
		return payments.File{}, refused
	}
	t := r.config.Template
	undated := sha256.Sum256(fmt.Appendf(t.encode("", "", sorted, total), "%s/%d", request.PeriodID, request.Revision))
	messageID := "GRD-" + hex.EncodeToString(undated[:14])
	content := t.encode(messageID, r.config.Now().In(r.config.Zone).Format(t.Layout), sorted, total)
	digest := sha256.Sum256(content)
	return payments.File{
		Name:      fmt.Sprintf("payments-%s-%d-%s-%s.%s", request.PeriodID, request.Revision, rupee, messageID[len(messageID)-8:], t.Extension),
		MessageID: messageID,
		Content:   content,
		SHA256:    digest[:],
		Count:     len(sorted),
		Total:     total,
	}, nil
}

// refusal says why a payment cannot be written, "" when it can.
func (r *Rail) refusal(p payments.FilePayment) string {
	if !payoutForm.MatchString(reference(p.PayoutID)) {
		return "the payout's id must be a UUID, or have 1 to 32 letters, digits and hyphens"
	}
	if err := r.Capabilities().Check(Name, p.Amount); err != nil {
		return err.(*payments.Error).Message
	}
	if reason := r.config.Template.refusal(p.Destination); reason != "" {
		return reason
	}
	if _, fits := r.config.Template.modeOf(p); !fits {
		return "the company's bank takes no payment of this amount in its files"
	}
	return ""
}

// encode writes a file of payments that were checked. No cell holds the separator, a quote
// or the end of a line.
func (t Template) encode(messageID, day string, sorted []payments.FilePayment, total incentive.Money) []byte {
	of := map[string]string{lines.Message: messageID, lines.Date: day, lines.Count: strconv.Itoa(len(sorted)), lines.Total: total.Amount()}
	var each []map[string]string
	for i, p := range sorted {
		m, _ := t.modeOf(p) // it was checked that there is one
		each = append(each, map[string]string{
			lines.Number: strconv.Itoa(i + 1), lines.Date: day, modeField: m.written, bankField: p.Destination[BankDetail], accountField: p.Destination[accountDetail(p.Destination)],
			holderField: p.Destination[HolderDetail], lines.Amount: p.Amount.Amount(), lines.Reference: reference(p.PayoutID),
		})
	}
	return t.Write(of, each)
}
