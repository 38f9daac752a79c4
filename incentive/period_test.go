package incentive

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPeriodThatGoesWell(t *testing.T) {
	t.Parallel()
	state := Open
	for _, step := range []struct {
		act  Act
		want State
	}{
		{Lock, Locked}, {Calculate, Calculated}, {Recalculate, Locked}, {Calculate, Calculated}, {Publish, Published}, {WindowEnds, Approving},
		{ApproveLast, Approved}, {Release, Released}, {Disburse, Disbursing}, {DisburseLast, Settling}, {Close, Closed},
	} {
		next, err := Next(state, false, step.act)
		require.NoError(t, err, "%s from %s", step.act, state)
		require.Equal(t, step.want, next)
		state = next
	}
}

func TestEveryMoveAndEveryRefusal(t *testing.T) {
	t.Parallel()
	moves := AllMoves()
	acts := []Act{Calculate, CalculationFails, WindowEnds, ApproveLast, Disburse, DisburseLast}
	for _, state := range States {
		for _, act := range append(acts, PersonActs()...) {
			for _, onHold := range []bool{false, true} {
				next, err := Next(state, onHold, act)
				if err != nil {
					require.Contains(t, []Code{CodeNotAllowedNow, CodeOnHold}, ErrorCode(err))
					require.NotEmpty(t, ErrorMessage(err))
					continue
				}
				require.True(t, slices.Contains(moves, Move{From: state, Act: act, To: next}), "%s from %s to %s", act, state, next)
				if onHold {
					require.Contains(t, []Act{Resume, Cancel}, act, "on hold nothing else happens")
				}
			}
		}
	}
	for _, final := range []State{Closed, Cancelled} {
		for _, m := range moves {
			require.NotEqual(t, final, m.From, "%s is final", final)
		}
	}
}

func TestARefusalSaysWhatIsPossible(t *testing.T) {
	t.Parallel()
	_, err := Next(Open, false, Withdraw)
	require.EqualError(t, err, `the period is open, and "withdraw" is possible only when it is published, approving or approved`)
	_, err = Next(Approved, true, Release)
	require.EqualError(t, err, "the period is on hold: resume it first")
}

func TestRights(t *testing.T) {
	t.Parallel()
	require.Equal(t, Own, Right([]Role{Rep}, ReadStatements))
	require.Equal(t, Team, Right([]Role{Rep, Manager}, ReadStatements), "the widest of several roles counts")
	require.Equal(t, All, Right([]Role{Auditor}, ReadAudit))
	require.Equal(t, None, Right(nil, ReadCompany))
	for _, action := range Actions() {
		if action == RunPeriod || action == ReleasePeriod {
			require.Equal(t, None, Right([]Role{Administrator}, action), "administrators never touch money")
		}
		if action == KeepTokens || action == KeepSettings {
			require.Equal(t, Own, Right([]Role{Auditor}, action))
		} else if action == Prove || action == CostPlans {
			require.Equal(t, All, Right([]Role{Auditor}, action), "a proof puts on record what was found, and nothing else is changed")
		} else if Right([]Role{Auditor}, action) != None {
			require.Contains(t, string(action), "read-", "auditors change nothing")
		}
	}
}

func TestBusinessDays(t *testing.T) {
	t.Parallel()
	holidays := []Date{MustParseDate("2026-12-25")}
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-11-20", 1, "2026-11-23"}, {"2026-11-21", 1, "2026-11-23"}, {"2026-11-23", 5, "2026-11-30"},
		{"2026-12-24", 1, "2026-12-28"}, {"2026-11-22", 0, "2026-11-22"},
	} {
		require.Equal(t, c.want, AddBusinessDays(MustParseDate(c.from), c.n, holidays).String())
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	day := MustParseDate("2024-02-28")
	require.Equal(t, "2024-03-01", day.AddDays(2).String())
	require.Equal(t, 366, MustParseDate("2024-01-01").DaysUntil(MustParseDate("2025-01-01")))
	require.True(t, day.Before(day.AddDays(1)))
	require.Equal(t, day, DateOf(day.UTC().Add(23*time.Hour)))
	_, err := ParseDate("2023-02-29")
	require.EqualError(t, err, `"2023-02-29" is not a date: write year-month-day, such as 2026-10-31`)
}
