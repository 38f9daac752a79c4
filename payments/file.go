package payments

import "github.com/guerdon/guerdon/incentive"

// FileRequest asks for the payment file of one revision of a period in one currency.
type FileRequest struct {
	PeriodID string
	Revision int
	Currency incentive.Currency
	Payments []FilePayment // in any order
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
}

// Refusal says why a payment cannot be written into a file.
type Refusal struct {
	PayoutID string
	Message  string
}
