package nacha

import (
	"context"

	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

var _ payments.Prenoter = (*Rail)(nil)

// prenoteCodes are the transaction codes of prenotes of credits, by kind of account.
var prenoteCodes = map[string]int{Checking: ach.CheckingPrenoteCredit, Savings: ach.SavingsPrenoteCredit}

// triedFor is how many banking days after a prenote its account may be paid at the earliest.
const triedFor = 3

// Prenotes reports whether the configuration asks for them.
func (r *Rail) Prenotes() bool { return r.config.Prenotes }

// BuildPrenotes builds a file of entries of nothing.
func (r *Rail) BuildPrenotes(ctx context.Context, request payments.FileRequest) (payments.File, error) {
	return r.build(ctx, request, prenotes)
}

// TriedOn is the third banking day after the one for which the prenotes were meant or, where the
// file came to the bank later than that, on which it did.
func (r *Rail) TriedOn(effective, taken incentive.Date) incentive.Date {
	return bankingDays(later(effective, taken), triedFor)
}

// entries is what a file is of.
type entries struct {
	codes   map[string]int // transaction codes, by kind of account
	prenote bool
}

var (
	credits  = entries{codes: codes}
	prenotes = entries{codes: prenoteCodes, prenote: true}
)
