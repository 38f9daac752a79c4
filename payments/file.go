package payments

import "github.com/guerdon/guerdon/incentive"

// FileRequest asks for the payment file of one revision of a period in one currency.
type FileRequest struct {
	PeriodID string
	Revision int
	Currency incentive.Currency
	Payments []FilePayment // in any order

	// Of a rail that is Numbered: the day, the file's number in it, from 1, and the number of its
	// first payment among all that the rail ever wrote, from 1. Zero is today, and the first.
	On     incentive.Date
	Number int
	First  int64
}

// FilePayment is one payout in a file.
type FilePayment struct {
	PayoutID    string // the reference in the file
	Amount      incentive.Money
	Destination Destination
}

// File is a payment file.
type File struct {
	Name      string
	MessageID string // the file's own reference; the same file has the same
	Content   []byte
	SHA256    []byte // of Content
	Count     int
	Total     incentive.Money

	EffectiveOn incentive.Date    // the day on which the bank is asked to pay; zero where it is not said
	Traces      map[string]string // by payout id, the numbers by which the bank speaks of payments; nil where it does so by that id
}

// Refusal says why a payment cannot be written into a file.
type Refusal struct {
	PayoutID string
	Message  string
}
