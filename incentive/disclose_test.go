package incentive

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// TestDisclosure shows every choice of parts of small trees, and then changes one thing.
func TestDisclosure(t *testing.T) {
	t.Parallel()
	for n := range 9 {
		parts := make([]Digest, n)
		for i := range parts {
			parts[i] = sha256.Sum256(fmt.Append(nil, i))
		}
		root := treeDigest(parts)
		for chosen := range 1 << n {
			at, shown := []int{}, []Digest{}
			for i := range n {
				if chosen&(1<<i) != 0 {
					at, shown = append(at, i), append(shown, parts[i])
				}
			}
			d := disclose(parts, at)
			found, err := d.Root(shown)
			require.NoError(t, err)
			require.Equal(t, root, found, "%v of %d", at, n)
			for _, hidden := range d.Hidden {
				require.NotContains(t, parts, hidden, "a part that is not shown does not stand there as it is")
			}
			differs := func(d Disclosure, shown []Digest) {
				t.Helper()
				found, err := d.Root(shown)
				if err == nil {
					require.NotEqual(t, root, found)
				} else {
					require.Equal(t, CodeNotDisclosed, ErrorCode(err))
				}
			}
			for i := range at {
				other := slices.Clone(shown)
				other[i][0]++
				differs(d, other)
				moved := d
				moved.At = slices.Clone(d.At)
				moved.At[i]++
				differs(moved, shown)
				blind := d
				blind.Blinds = slices.Clone(d.Blinds)
				blind.Blinds[i][0]++
				differs(blind, shown)
			}
			for i := range d.Hidden {
				other := d
				other.Hidden = slices.Clone(d.Hidden)
				other.Hidden[i][0]++
				differs(other, shown)
				other.Hidden = slices.Delete(slices.Clone(d.Hidden), i, i+1)
				differs(other, shown)
			}
			more := d
			more.Parts++
			differs(more, shown)
			more.Parts = math.MaxInt
			differs(more, shown)
			more = d
			more.Hidden = append(slices.Clone(d.Hidden), Digest{})
			differs(more, shown)
			differs(d, append(slices.Clone(shown), Digest{}))
		}
	}
}

// TestDisclosedParts shows one participant's part of a snapshot, and that nothing can be
// added to it, left out of it or changed.
func TestDisclosedParts(t *testing.T) {
	t.Parallel()
	deal := TransactionKey{"crm", "1"}
	whole := func() Snapshot {
		return Snapshot{
			Period:       Period{ID: "m-2026-01"},
			Participants: []Participant{{ID: "ann", Name: "Ann", ManagerID: "bob"}, {ID: "bob", Name: "Bob"}},
			Transactions: []Transaction{{TransactionKey: deal, Amount: decimal.New(5, 0)}, {TransactionKey: TransactionKey{"crm", "2"}}},
			Credits:      []Credit{{Transaction: deal, ParticipantID: "ann"}, {Transaction: deal, ParticipantID: "bob"}},
			Quotas:       []Quota{{ParticipantID: "ann"}, {ParticipantID: "bob"}},
			Assignments:  []Assignment{{ParticipantID: "ann"}, {ParticipantID: "bob"}},
			PlanVersions: []PlanVersion{{PlanID: "p", Version: 1}, {PlanID: "p", Version: 2}, {PlanID: "q"}},
			Posted:       []Posted{{ParticipantID: "ann"}, {ParticipantID: "bob"}},
		}
	}
	part := func() Snapshot {
		s := whole()
		s.Participants[1] = Participant{ID: "bob"}
		s.Transactions, s.Credits, s.Quotas, s.Assignments, s.PlanVersions, s.Posted = s.Transactions[:1], s.Credits[:1], s.Quotas[:1], s.Assignments[:1], s.PlanVersions[:2], s.Posted[:1]
		return s
	}
	d := whole().Disclose(func(p Part) bool {
		return p.Kind == PartPeriod || p.ID == "ann" || p.ID == "p" || p.Kind == PartManager
	})
	digest, err := d.Of(part())
	require.NoError(t, err)
	require.Equal(t, whole().Digest(), digest)
	for name, change := range map[string]func(*Snapshot){
		"another period":  func(s *Snapshot) { s.Period.Code = "x" },
		"another name":    func(s *Snapshot) { s.Participants[0].Name = "Anna" },
		"another manager": func(s *Snapshot) { s.Participants[0].ManagerID = "" },
		"another deal":    func(s *Snapshot) { s.Transactions[0].Amount = decimal.New(6, 0) },
		"a deal left out": func(s *Snapshot) { s.Transactions, s.Credits = nil, nil },
		"a deal twice": func(s *Snapshot) {
			s.Transactions = append([]Transaction{{TransactionKey: deal, Amount: decimal.New(9, 0)}}, s.Transactions...)
		},
		"a deal added":         func(s *Snapshot) { s.Transactions = whole().Transactions },
		"another share":        func(s *Snapshot) { s.Credits[0].Share = decimal.New(2, 0) },
		"a quota left out":     func(s *Snapshot) { s.Quotas = nil },
		"another assignment":   func(s *Snapshot) { s.Assignments[0].PlanID = "q" },
		"a version left out":   func(s *Snapshot) { s.PlanVersions = s.PlanVersions[:1] },
		"a plan left out":      func(s *Snapshot) { s.PlanVersions = nil },
		"a line left out":      func(s *Snapshot) { s.Posted = nil },
		"somebody left out":    func(s *Snapshot) { s.Participants = s.Participants[:1] },
		"somebody added":       func(s *Snapshot) { s.Participants = append(s.Participants, Participant{ID: "cid"}) },
		"more of somebody":     func(s *Snapshot) { s.Participants[1].Name = "Bob" },
		"somebody else's part": func(s *Snapshot) { s.Quotas = whole().Quotas },
	} {
		other := part()
		change(&other)
		digest, err := d.Of(other)
		if err == nil {
			require.NotEqual(t, whole().Digest(), digest, name)
		} else {
			require.Equal(t, CodeNotDisclosed, ErrorCode(err), name)
		}
	}

	one, two := Statement{ParticipantID: "ann"}.Digest(), Statement{ParticipantID: "bob"}.Digest()
	found, err := RunDigestOf(whole().Digest(), "1", one, DiscloseStatement([]Digest{one, two}, one))
	require.NoError(t, err)
	require.Equal(t, RunDigest(whole().Digest(), "1", []Digest{two, one}), found)
}
