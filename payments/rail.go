// Package payments is the one small interface behind which every rail stands. A rail is a
// way for money to leave: one that is called for each payout (SingleRail), or one that
// builds a file a person takes to a bank (FileRail). What a rail cannot do for every
// caller is an interface of its own, such as Reverser.
package payments

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// Rail is what all rails have in common. It is safe for use by many goroutines.
type Rail interface {
	// Name is the rail's stable name, such as "stripe": it is part of workflow ids,
	// task queues and ledger accounts.
	Name() string

	// Capabilities says what the rail can do and how far.
	Capabilities() Capabilities

	// ValidateDestination checks a destination without asking anyone. It returns it as
	// it is to be kept (spaces gone, capitals), and a form that may be shown. Its error
	// is an *incentive.Error of code CodeDestinationInvalid.
	ValidateDestination(Destination) (clean Destination, masked string, err error)
}

// SingleRail is called once for each attempt of a payout. Every error of Submit, Lookup
// and Balance is an *Error.
type SingleRail interface {
	Rail

	// Submit asks the rail to pay. With the same Key and the same Instruction it pays
	// once, for as long as Capabilities.DedupeWindow; a caller that is past the window
	// looks up and never submits again.
	Submit(context.Context, Instruction) (Result, error)

	// Lookup finds what the rail did under an Instruction's Reference. A Result whose
	// State is Absent means that the rail knows nothing of it now; a request that is
	// still under way may yet arrive. An error of Lookup says nothing about the attempt:
	// never reject one for it.
	Lookup(ctx context.Context, reference string) (Result, error)

	// Balance is what the rail can pay out now in a currency. Its error has the Code CurrencyNotHeld
	// where the rail holds none in that currency and converts from another: it can pay, and
	// nobody can say how much.
	Balance(context.Context, incentive.Currency) (incentive.Money, error)

	// ParseEvents authenticates what the rail sent us, against the clock given, and
	// returns the events in it. An event is a reason to look up, never proof by itself.
	// Its error is an *incentive.Error of code CodeEventRefused.
	ParseEvents(header http.Header, body []byte, now time.Time) ([]Event, error)
}

// CurrencyNotHeld is the Code of the error of a Balance that the rail keeps in another currency.
const CurrencyNotHeld = "currency-not-held"

// FileRail builds a file that a person takes to a bank.
type FileRail interface {
	Rail

	// BuildFile builds the one file of a run, rail and currency: the same request gives
	// the same bytes. Where payments cannot be written, nothing is built and the error
	// is an *Error whose Refused names each of them.
	BuildFile(context.Context, FileRequest) (File, error)
}

// Reverser is a rail that can take back what it paid, in whole or in part.
type Reverser interface {
	// Reverse takes amount back from what the rail paid under railID, once for a key, and
	// returns what it took back. More than is left there is refused. Its error is an *Error.
	Reverse(ctx context.Context, railID string, amount incentive.Money, key string) (Result, error)
}

// Canceller is a rail that can be asked to stop what it has taken.
type Canceller interface {
	// Cancel asks the rail to stop what it does under railID and returns what stands then:
	// Refused where it will not be paid, Returned where it was paid and has come back. Asking
	// again changes nothing. Where it is too late, nothing is changed and the error is an
	// *Error of class Definite; so is that of a railID of which the rail knows nothing.
	Cancel(ctx context.Context, railID string) (Result, error)
}

// EventReader is a rail whose events may name what they are about by the rail's own id
// alone.
type EventReader interface {
	// ReferenceOf asks the rail for the Reference of what an event is about: "" where that
	// is no attempt at all. Its error is an *Error.
	ReferenceOf(context.Context, Event) (string, error)
}

// Lister is a rail that lists what it did.
type Lister interface {
	// List calls each with everything that the rail was asked for from one moment on and
	// before another, by its own clock and in any order, as Lookup would return it now. It
	// ends with the first error of each, or with an *Error of its own.
	List(ctx context.Context, from, until time.Time, each func(Listed) error) error
}

// Listed is something that a rail was asked for. Its State is "" where what the rail says
// of it is not known here.
type Listed struct {
	Reference string // "" where nobody gave one: it was not asked for by us
	Result
}

// Capabilities says what a rail can do.
type Capabilities struct {
	File              bool                 // a FileRail; otherwise a SingleRail
	Currencies        []incentive.Currency // nil: every currency
	Smallest          map[incentive.Currency]int64
	Largest           map[incentive.Currency]int64 // minor units, for one payout; absent: no limit of the rail's
	DedupeWindow      time.Duration                // how long a key is kept at least; 0: the rail does not know keys
	LookupByReference bool
	PaidAtOnce        bool    // what Submit took is paid; otherwise events or a person say so
	PerSecond         float64 // calls that the rail bears; 0: no limit
	LeadDays          int     // of a FileRail: banking days between the file and its payment
	Test              bool    // what it does is for trying out: no money moves
}

// Check refuses an amount that the rail cannot pay, with an *Error of class Definite.
func (c Capabilities) Check(rail string, amount incentive.Money) error {
	refuse := func(code, message string) error {
		return &Error{Class: Definite, Rail: rail, Code: code, Message: message}
	}
	if c.Currencies != nil && !slices.Contains(c.Currencies, amount.Currency) {
		return refuse("currency-not-supported", fmt.Sprintf("the rail does not pay in %s", amount.Currency))
	}
	if amount.Minor <= 0 {
		return refuse("amount-not-positive", "only an amount above zero can be paid")
	}
	if least := c.Smallest[amount.Currency]; amount.Minor < least {
		return refuse("amount-too-small", fmt.Sprintf("the rail pays %s or more", incentive.Money{Minor: least, Currency: amount.Currency}))
	}
	if most, limited := c.Largest[amount.Currency]; limited && amount.Minor > most {
		return refuse("amount-too-large", fmt.Sprintf("the rail pays at most %s at a time", incentive.Money{Minor: most, Currency: amount.Currency}))
	}
	return nil
}

// Instruction is one attempt to make a payout. It is written down before it is sent and
// does not change afterwards.
type Instruction struct {
	Key         string // the idempotency key
	Reference   string // what Lookup finds the attempt by; unique to it
	PayoutID    string
	PeriodID    string
	Amount      incentive.Money
	Destination Destination
	Description string // what the recipient may see
}

// State is where an attempt stands at the rail.
type State string

// The states of an attempt at a rail.
const (
	Absent    State = "absent"    // the rail knows nothing of it
	Submitted State = "submitted" // taken, not paid yet
	Paid      State = "paid"
	Returned  State = "returned" // paid, and wholly come back
)

// Result is what a rail did.
type Result struct {
	State    State
	RailID   string          // the rail's own id; "" when absent
	Amount   incentive.Money // what the rail says it moved
	Reversed int64           // how much of Amount has come back, in its minor units
	At       time.Time       // when, by the rail's clock
	Class    Class           // of what is refused: why; "" where the rail does not say
	Code     string          // of that, the rail's own
}

// Found reports whether the rail did anything.
func (r Result) Found() bool { return r.State != Absent && r.State != "" }

// Matches returns an *Error of class Alarm when the rail moved another amount than was
// asked for.
func (r Result) Matches(rail string, asked incentive.Money) error {
	if r.Amount == asked {
		return nil
	}
	return &Error{Class: Alarm, Rail: rail, Code: "amount-differs", Message: "the rail moved another amount than it was asked to"}
}

// Event is something that a rail told us.
type Event struct {
	ID        string // the same event may come more than once
	Kind      string // in the rail's own words
	Reference string // an Instruction's Reference, where the event names one
	RailID    string
	Account   string // the recipient's account at the rail, where the event is about one
	Claims    State  // what the event says of the attempt, where it does; no proof
	At        time.Time
}
