package payments

import "context"

// Onboarder is a rail at which each recipient has an account of their own, and tells the rail
// itself what it has to know of them before it pays.
type Onboarder interface {
	// OpenAccount opens an account for somebody, once for a key. Its error is an *Error.
	OpenAccount(ctx context.Context, recipient Recipient, key string) (account string, err error)
	// OnboardingLink returns a page of the rail where the owner of an account says what is
	// asked for. It is good for minutes, and once; it leads back, and to refresh when it is
	// used too late. Its error is an *Error.
	OnboardingLink(ctx context.Context, account, back, refresh string) (url string, err error)
	// Standing asks the rail how an account stands. Its error is an *Error.
	Standing(ctx context.Context, account string) (Standing, error)
	// AccountOf is the account of a clean destination.
	AccountOf(Destination) string
	// DestinationOf is the destination that pays to an account.
	DestinationOf(account string) Destination
}

// Recipient is for whom an account is opened.
type Recipient struct {
	ID      string
	Email   string // "" where it is not known
	Country string // by ISO 3166-1 alpha-2
	Company bool
}

// Standing is how an account at a rail stands.
type Standing string

// The standings of accounts.
const (
	AccountOpen      Standing = "open"      // its owner has yet to say what the rail asks for
	AccountSubmitted Standing = "submitted" // said; the rail has not let it be paid, or has stopped it
	AccountReady     Standing = "ready"     // can be paid
)
