package payments

import (
	"context"

	"github.com/guerdon/guerdon/incentive"
)

// Prenoter is a FileRail that can try accounts before they are paid, by prenotes: entries of
// nothing, which the bank of an account that is wrong sends back. What comes back is read as
// what is said of payments is.
type Prenoter interface {
	// Prenotes reports whether accounts are to be tried.
	Prenotes() bool
	// BuildPrenotes builds a file of prenotes, each a payment of 0. Its error is as that of BuildFile.
	BuildPrenotes(context.Context, FileRequest) (File, error)
	// TriedOn is the day from which accounts may be paid of which nothing has come back that
	// were tried by a file that asked for one day and was taken to the bank on another.
	TriedOn(effective, taken incentive.Date) incentive.Date
}

// Tries reports whether a rail tries accounts before it pays to them.
func Tries(rail Rail) bool {
	prenoter, is := rail.(Prenoter)
	return is && prenoter.Prenotes()
}
