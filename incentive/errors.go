package incentive

import (
	"errors"
	"fmt"
)

// Code is a stable name of a kind of error. The same code is the last part of the
// problem type of the API (/problems/<code>) and the error type in Temporal.
type Code string

// Codes that any part of the system may use. A code that belongs to one concept
// stands beside that concept.
const (
	CodeInvalid   Code = "invalid"   // the input breaks a rule that the message names
	CodeNotFound  Code = "not-found" // nothing of that name exists, or the caller may not see it
	CodeForbidden Code = "forbidden" // the rights table does not allow this
	CodeConflict  Code = "conflict"  // the state of things does not allow this now
	CodeInternal  Code = "internal"  // anything that is not the caller's doing
)

// Error is an error whose message may be shown to a user: it says what was wrong,
// where, and what would be accepted.
type Error struct {
	Code    Code
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Is reports whether target is an *Error of the same code.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Code == e.Code && other.Message == ""
}

// Errorf makes an *Error.
func Errorf(code Code, format string, arguments ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, arguments...)}
}

// ErrorCode returns the code of the first *Error in err's chain, CodeInternal for any
// other error, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// ErrorMessage returns what a user may see of err: the message of the first *Error in
// its chain, or a plain sentence without internals.
func ErrorMessage(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "Something went wrong on our side. It has been recorded; please try again."
}
