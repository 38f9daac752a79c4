// Package sampling draws statements at random, so that anybody who knows the seed draws the
// same ones again.
package sampling

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"

	"github.com/guerdon/guerdon/incentive"
)

// Statement is one of those that may be drawn.
type Statement struct {
	ParticipantID string
	Total         incentive.Money
}

// Drawn is a statement that was drawn, with the stratum that it was drawn from: 1 holds the
// largest amounts.
type Drawn struct {
	Statement
	Stratum int
}

// MostStrata is into how many parts a population may be cut.
const MostStrata = 10

// Draw draws size statements of a population. With more than one stratum the statements of each
// currency are cut, from the largest amount down, into as many parts of the same number, and
// each part gives as many as the others as far as it has them; what does not divide goes to the
// larger amounts.
//
// Within a part those are drawn whose SHA-256 of the seed, a line feed and the participant's id
// is lowest, so that a draw can be repeated with any program that knows SHA-256.
func Draw(population []Statement, seed string, size, strata int) ([]Drawn, error) {
	switch {
	case seed == "":
		return nil, incentive.Errorf(incentive.CodeInvalid, "a sample is drawn with a seed")
	case strata < 1 || strata > MostStrata:
		return nil, incentive.Errorf(incentive.CodeInvalid, "a sample has 1 to %d strata, not %d", MostStrata, strata)
	case size < strata:
		return nil, incentive.Errorf(incentive.CodeInvalid, "a sample of %d strata has at least as many statements, not %d", strata, size)
	case size > len(population):
		return nil, incentive.Errorf(incentive.CodeInvalid, "there are %d statements, so that %d cannot be drawn", len(population), size)
	}
	parts := cut(population, strata)
	takes := make([]int, strata)
	for left := size; left > 0; {
		for i := range parts {
			if left > 0 && takes[i] < len(parts[i]) {
				takes[i]++
				left--
			}
		}
	}
	var drawn []Drawn
	for i, part := range parts {
		shuffle(part, seed)
		for _, s := range part[:takes[i]] {
			drawn = append(drawn, Drawn{s, i + 1})
		}
	}
	return drawn, nil
}

// cut cuts a population into strata.
func cut(population []Statement, strata int) [][]Statement {
	sorted := slices.Clone(population)
	slices.SortFunc(sorted, func(a, b Statement) int {
		return cmp.Or(cmp.Compare(a.Total.Currency, b.Total.Currency), cmp.Compare(b.Total.Minor, a.Total.Minor), cmp.Compare(a.ParticipantID, b.ParticipantID))
	})
	count := map[incentive.Currency]int{}
	for _, s := range sorted {
		count[s.Total.Currency]++
	}
	parts, rank := make([][]Statement, strata), map[incentive.Currency]int{}
	for _, s := range sorted {
		c := s.Total.Currency
		at := rank[c] * strata / count[c]
		parts[at] = append(parts[at], s)
		rank[c]++
	}
	return parts
}

// shuffle puts statements into the order in which they are drawn.
func shuffle(part []Statement, seed string) {
	lot := func(s Statement) []byte {
		sum := sha256.Sum256([]byte(seed + "\n" + s.ParticipantID))
		return sum[:]
	}
	slices.SortFunc(part, func(a, b Statement) int { return bytes.Compare(lot(a), lot(b)) })
}
