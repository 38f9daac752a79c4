package payments

import (
	"errors"
	"fmt"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// Class says what an error of a rail means for the payout. It speaks of the request that
// failed: only Lookup says what an earlier request of the same attempt did.
type Class string

// The classes of errors.
const (
	Definite          Class = "definite"           // refused for good, for a reason in the payout
	Throttled         Class = "throttled"          // not carried out: too many calls
	InProgress        Class = "in_progress"        // a request with the same key is under way
	Unknown           Class = "unknown"            // carried out or not: the answer was lost
	InsufficientFunds Class = "insufficient_funds" // refused until the company's balance is filled
	RecipientAction   Class = "recipient_action"   // refused until the recipient does something
	Configuration     Class = "configuration"      // refused for a reason that every payout shares
	Alarm             Class = "alarm"              // the rail contradicts our records
)

// Handling is what is to be done about an error.
type Handling struct {
	MayHavePaid bool // the attempt becomes unknown and is looked up; otherwise this request moved nothing
	Retry       bool // the same key and body again, after a wait
	NewAttempt  bool // once what is wrong is mended; the attempt itself is rejected
	StopRun     bool // the payouts that are left would fare the same
}

// handlings is the one table of what each class means.
var handlings = map[Class]Handling{
	Definite:          {NewAttempt: true},
	Throttled:         {Retry: true},
	InProgress:        {MayHavePaid: true, Retry: true},
	Unknown:           {MayHavePaid: true, Retry: true},
	InsufficientFunds: {NewAttempt: true},
	RecipientAction:   {NewAttempt: true},
	Configuration:     {NewAttempt: true, StopRun: true},
	Alarm:             {MayHavePaid: true},
}

// Classes lists every class.
func Classes() []Class {
	return []Class{Definite, Throttled, InProgress, Unknown, InsufficientFunds, RecipientAction, Configuration, Alarm}
}

// Handling returns what an error of the class asks for. A class that nobody knows is
// handled as Alarm: nothing is sent again.
func (c Class) Handling() Handling {
	if h, known := handlings[c]; known {
		return h
	}
	return handlings[Alarm]
}

// Error is an error of a rail. Its text is safe to keep in Temporal's history and to
// show: it holds no secret, name, or answer of the rail; the cause, for logs, may.
type Error struct {
	Class      Class
	Rail       string
	Code       string        // the rail's own code, or ours in the same style; "" where there is none
	Message    string        // a sentence for people
	RequestID  string        // the rail's, for its support
	RetryAfter time.Duration // the wait the rail asked for; 0: none
	Refused    []Refusal     // by BuildFile: the payments that could not be written
	Cause      error         // not unwrapped, so that it reaches no history
}

// Error returns rail, class, code and message.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Rail, e.Class)
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Is looks into the cause, so that context errors are found.
func (e *Error) Is(target error) bool { return e.Cause != nil && errors.Is(e.Cause, target) }

// As lets the API show the error as an *incentive.Error of code "rail-<class>".
func (e *Error) As(target any) bool {
	shown, ok := target.(**incentive.Error)
	if ok {
		*shown = &incentive.Error{Code: incentive.Code("rail-" + string(e.Class)), Message: e.Error()}
	}
	return ok
}

// ClassOf returns the class of a rail's error, "" for nil, and Unknown for an error that
// is not a rail's: nobody can say what became of the request.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Unknown
}
