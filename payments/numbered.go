package payments

import "github.com/guerdon/guerdon/incentive"

// Numbered is a FileRail whose bank tells files of one day apart by a number, and payments of
// all files by another.
type Numbered interface {
	// FilesADay is how many files the bank takes on one day.
	FilesADay() int
}

// Presumer is a FileRail whose bank speaks only of what it could not pay: what is in a file
// counts as paid after some days, and may come back later all the same.
type Presumer interface {
	// PresumedPaid is the day from which what is in a file counts as paid that asked for
	// its payment on one day and was taken to the bank on another.
	PresumedPaid(effective, taken incentive.Date) incentive.Date
}
