package incentive

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func TestDigestsAreOfValues(t *testing.T) {
	t.Parallel()
	line := func(unrounded string) Statement {
		return Statement{PeriodID: "p", ParticipantID: "ann", Currency: "USD", Lines: []Line{{PlanID: "plan", Component: "commission",
			Unrounded: decimal.RequireFromString(unrounded), Amount: Money{150, "USD"}, Explanation: []byte("{}"),
			Contributions: []Contribution{{Transaction: TransactionKey{"crm", "1"}, ParticipantID: "ann", Amount: decimal.RequireFromString(unrounded)}}}}}
	}
	require.Equal(t, line("1.5").Digest(), line("1.500").Digest(), "zeros at the end are no difference")
	require.NotEqual(t, line("1.5").Digest(), line("1.51").Digest())
	moved := line("1.5")
	moved.PeriodID, moved.ParticipantID = "pa", "nn"
	require.NotEqual(t, line("1.5").Digest(), moved.Digest(), "fields have borders")

	a, b := line("1").Digest(), line("2").Digest()
	require.Equal(t, RunDigest(Digest{}, "1", []Digest{a, b}), RunDigest(Digest{}, "1", []Digest{b, a}))
	require.NotEqual(t, RunDigest(Digest{}, "1", []Digest{a, b}), RunDigest(Digest{}, "2", []Digest{a, b}))

	one := Snapshot{Participants: []Participant{{ID: "ann", Attributes: map[string]string{"a": "1", "b": "2"}}}}
	two := Snapshot{Participants: []Participant{{ID: "ann", Attributes: map[string]string{"b": "2", "a": "1"}}}}
	require.Equal(t, one.Digest(), two.Digest())
	two.Participants[0].Attributes["b"] = "3"
	require.NotEqual(t, one.Digest(), two.Digest())
}

// TestDigestsOfCorrections covers what is corrected, and leaves every other digest alone.
func TestDigestsOfCorrections(t *testing.T) {
	t.Parallel()
	corrects := func(period string, earned int64) Snapshot {
		return Snapshot{Participants: []Participant{{ID: "ann"}}, Corrections: []Snapshot{{Period: Period{ID: period}, Participants: []Participant{{ID: "ann"}},
			Corrected: []Statement{{PeriodID: period, ParticipantID: "ann", Lines: []Line{{Amount: Money{earned, "USD"}}}}}}}}
	}
	seen := map[Digest]bool{Snapshot{Participants: []Participant{{ID: "ann"}}}.Digest(): true}
	for _, s := range []Snapshot{corrects("m-2026-01", 1), corrects("m-2026-01", 2), corrects("m-2026-02", 1)} {
		require.False(t, seen[s.Digest()])
		seen[s.Digest()] = true
	}
	s := corrects("m-2026-01", 1)
	shown := s.Disclose(func(p Part) bool { return p.ID == "ann" || p.ID == "" })
	digest, err := shown.Of(s)
	require.NoError(t, err)
	require.Equal(t, s.Digest(), digest)

	own := Statement{Lines: []Line{{Component: "a"}, {Component: "b"}}}
	first, second := own, own
	first.Lines = []Line{{Component: "a", Corrects: "m-2026-01"}, {Component: "b"}}
	second.Lines = []Line{{Component: "a"}, {Component: "b", Corrects: "m-2026-01"}}
	require.NotEqual(t, own.Digest(), first.Digest())
	require.NotEqual(t, first.Digest(), second.Digest())
}
