package payments

import (
	"context"
	"io"

	"github.com/guerdon/guerdon/incentive"
)

// Refused is the state of a payment that the bank has not made and will not make.
const Refused State = "refused"

// CodeStatusFileRefused is the code of a status file that cannot be understood whole.
const CodeStatusFileRefused incentive.Code = "status-file-refused"

// StatusReader is a FileRail that reads what the bank says about its files.
type StatusReader interface {
	// ReadStatus reads one status file to its end and returns what it says, in its
	// order. The same may be said again by another file, and references may be of
	// payments that are not ours. Of a file that cannot be understood whole nothing is
	// returned: the error is an *incentive.Error of code CodeStatusFileRefused that
	// names the place.
	ReadStatus(ctx context.Context, file io.Reader) ([]Outcome, error)
}

// Outcome is what a bank says of one payment or, where Reference and Trace are empty, of every
// payment of the file MessageID of which it says nothing else.
type Outcome struct {
	Reference string          // FilePayment.PayoutID
	Trace     string          // of File.Traces, of a bank that speaks of payments by these
	MessageID string          // File.MessageID; "" where the bank does not name it
	State     State           // Submitted, Paid, Returned or Refused; "" where nothing is said of it
	Class     Class           // why it was refused or returned; Alarm: a person must look before anything else is done
	Code      string          // the bank's own, of a status or of a reason
	Reason    string          // in words; may quote the bank, and so belongs in no log and no history
	Amount    incentive.Money // zero where the bank does not say
	On        incentive.Date  // the bank's day

	// Correction holds the details of the destination as the bank has them now: the payment
	// stands, and nothing else is said of it. Nil where nothing is corrected.
	Correction Destination
}
