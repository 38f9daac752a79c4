package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

func TestMain(m *testing.M) {
	processes.RunIfAsked()
	os.Exit(m.Run())
}

// TestFaults is the short form of the command: another few cycles each time. What fails is
// played again by what it prints.
func TestFaults(t *testing.T) {
	t.Parallel()
	o := options{Cycles: 4, House: 4, From: 1, Evidence: os.TempDir(), Limit: 3 * time.Minute}
	require.NoError(t, run(t.Context(), o, t.Logf))
}

// TestPlans draws the same plan from the same seed, and in a few hundred cycles every rail, fault,
// fate and process that there is.
func TestPlans(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for number := 1; number <= 400; number++ {
		p := draw(7, number)
		require.Equal(t, written(p), written(draw(7, number)))
		require.NotEqual(t, written(p), written(draw(8, number)))
		for _, one := range p.Payees {
			seen["rail "+one.Rail], seen["fate "+string(one.Fate)] = true, true
			seen["recalled "+one.Rail] = seen["recalled "+one.Rail] || one.Recalled
			seen["account "+string(one.Account)] = true
			if one.Reward != nil {
				seen["reward "+string(one.Reward.Fate)] = true
			}
			seen["recalled in part"] = seen["recalled in part"] || one.Part > 0
			for _, f := range append(one.Faults, one.LookUps...) {
				seen["fault "+string(f)] = true
			}
		}
		for _, f := range p.Recalls {
			seen["recall "+string(f)] = true
		}
		for _, k := range p.Kills {
			seen["process "+k.Process] = true
		}
		if p.Trial != nil {
			for what, is := range map[string]bool{"approved": p.Trial.Approved, "lost": p.Trial.Lost, "again": p.Trial.Again, "doubled": p.Trial.Doubled, "released": p.Trial.Released} {
				seen[fmt.Sprintf("tried %s %t", what, is)] = true
			}
		}
		if p.Storm != nil {
			seen["storm "+string(p.Storm.Kind)] = true
		}
	}
	want := []string{"fate paid", "fate refused", "fate returned", "storm down", "storm lockout", "storm poor", "recalled stripe", "recalled tremendous", "recalled in part", "account bad", "account bad-later", "reward paid", "reward refused", "reward returned"}
	for _, what := range []string{"approved", "lost", "again", "doubled", "released"} {
		want = append(want, "tried "+what+" true", "tried "+what+" false")
	}
	for _, f := range recallFaults {
		want = append(want, "recall "+string(f))
	}
	for _, rail := range rails {
		want = append(want, "rail "+rail.name)
	}
	for _, known := range append(payments.Known, incentive.PointsRail) {
		want = append(want, "rail "+known)
	}
	for _, name := range processes.All {
		want = append(want, "process "+name)
	}
	for _, f := range append(append(payingFaults, keptFaults...), askingFaults...) {
		want = append(want, "fault "+string(f))
	}
	for _, w := range want {
		require.True(t, seen[w], w)
	}
}
