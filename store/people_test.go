package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// reporting is who reports to whom on a day, "" for nobody, and who has left by then.
type reporting struct {
	manager map[string]string
	left    map[string]bool
}

// team is who is below somebody, and below whoever has delegated to them.
func (r reporting) team(actor string, delegators []string) []string {
	team := map[string]bool{actor: true}
	for grown := true; grown; {
		grown = false
		for id, manager := range r.manager {
			if !team[id] && manager != "" && (team[manager] || slices.Contains(delegators, manager)) {
				team[id], grown = true, true
			}
		}
	}
	var ids []string
	for id := range team {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// under is what the hierarchy shows under somebody, or at the top.
func (r reporting) under(id string) (shown []string) {
	for _, one := range slices.Sorted(func(yield func(string) bool) {
		for id := range r.manager {
			if !r.left[id] && !yield(id) {
				return
			}
		}
	}) {
		below, circle := 0, true
		for other, manager := range r.manager {
			if manager == one && !r.left[other] {
				below++
			}
		}
		at := one
		for range len(r.manager) {
			manager := r.manager[at]
			if manager == "" || r.left[manager] {
				circle = false
				break
			}
			at = manager
		}
		manager := r.manager[one]
		if id != "" && manager == id || id == "" && (manager == "" || r.left[manager] || circle) {
			shown = append(shown, fmt.Sprintf("%s under %q, with %d below, in a circle: %t", one, manager, below, circle))
		}
	}
	return shown
}

// TestTheHierarchyOfADay holds who may be seen, asked of a team and of one person, and what the hierarchy
// shows against a walk through all of it, with people who manage each other in circles.
func TestTheHierarchyOfADay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s, url := storetest.NewWithURL(t)
		day := incentive.MustParseDate("2026-03-31")
		count := rapid.IntRange(2, 9).Draw(r, "people")
		is := reporting{map[string]string{}, map[string]bool{}}
		var people []string
		for n := range count {
			people = append(people, fmt.Sprint("p", n))
		}
		rows, ends := []string{}, "NULL"
		fact := func(id, from, manager, until string) {
			rows = append(rows, fmt.Sprintf(`('%s', '%s', 1, '%s', '', 'employee', nullif('%s', ''), 'US', 'USD', '{}', %s)`, id, from, id, manager, until))
		}
		for n, id := range people {
			chosen := func(label string) string {
				at := rapid.IntRange(-1, count-1).Draw(r, label+id)
				if at < 0 || at == n {
					return ""
				}
				return people[at]
			}
			if is.left[id] = rapid.IntRange(0, 5).Draw(r, "left "+id) == 0; is.left[id] {
				ends = "'2026-03-30'"
			} else {
				ends = "NULL"
			}
			is.manager[id] = chosen("manager of ")
			fact(id, "2026-01-01", chosen("earlier manager of "), "NULL")
			fact(id, "2026-03-01", is.manager[id], ends)
			fact(id, "2026-04-01", chosen("later manager of "), "NULL")
		}
		storetest.Exec(t, url, `SET search_path = guerdon; INSERT INTO company (name, time_zone) VALUES ('Test', 'UTC');
			INSERT INTO participant (id) VALUES ('`+strings.Join(people, "'), ('")+`');
			INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, attributes, employed_until) VALUES `+strings.Join(rows, ", "))
		var delegators []string
		if from := people[rapid.IntRange(0, count-1).Draw(r, "delegator")]; from != "p0" {
			delegators = []string{from}
			storetest.Exec(t, url, `INSERT INTO guerdon.delegation (id, delegator_id, delegate_id, starts_on, ends_on, made_by) VALUES ('00000000-0000-0000-0000-000000000001', '`+from+`', 'p0', '2020-01-01', '2099-01-01', 'p0')`)
		}
		for _, actor := range people {
			of := delegators
			if actor != "p0" {
				of = nil
			}
			team := is.team(actor, of)
			seen, err := s.Visible(t.Context(), actor, incentive.Team, day)
			require.NoError(r, err)
			slices.Sort(seen)
			require.Equal(r, team, seen, "of %s", actor)
			for _, other := range people {
				for scope, may := range map[incentive.Scope]bool{incentive.None: false, incentive.Own: other == actor, incentive.Team: slices.Contains(team, other), incentive.All: true} {
					sees, err := s.Sees(t.Context(), actor, scope, day, other)
					require.NoError(r, err)
					require.Equal(r, may, sees, "%s of %s, scope %d", other, actor, scope)
				}
			}
		}
		for _, id := range append(people, "") {
			all, err := s.Hierarchy(t.Context(), id, day, "", 100)
			require.NoError(r, err)
			var shown []string
			for _, one := range all {
				shown = append(shown, fmt.Sprintf("%s under %q, with %d below, in a circle: %t", one.Person, one.Manager, one.Below, one.Circle))
			}
			require.Equal(r, is.under(id), shown, "under %q", id)
		}
	})
}

// TestALargeTeam is read in another way than a small one, and the top of the hierarchy page by page.
func TestALargeTeam(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	day := incentive.MustParseDate("2026-03-31")
	storetest.Exec(t, url, `SET search_path = guerdon; INSERT INTO company (name, time_zone) VALUES ('Test', 'UTC');
		INSERT INTO participant (id) SELECT 'p' || n FROM generate_series(0, 1499) n;
		INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, attributes)
			SELECT 'p' || n, '2026-01-01'::date, 1, '', '', 'employee', CASE WHEN n > 0 THEN 'p' || (n - 1) / 12 END, 'US', 'USD', '{}'::jsonb FROM generate_series(0, 1499) n
			UNION ALL SELECT 'p' || n, '2026-03-01'::date, 1, '', '', 'employee', NULL, 'US', 'USD', '{}'::jsonb FROM generate_series(1400, 1499) n`)
	for actor, count := range map[string]int{"p0": 1400, "p1": 1 + 12 + 144, "p1499": 1} {
		team, err := s.Visible(t.Context(), actor, incentive.Team, day)
		require.NoError(t, err)
		require.Len(t, team, count, actor)
	}
	var top []string
	for after := ""; ; {
		some, err := s.Hierarchy(t.Context(), "", day, after, 30)
		require.NoError(t, err)
		for _, one := range some {
			top = append(top, one.Person)
		}
		if len(some) < 30 {
			break
		}
		after = some[29].Person
	}
	require.Len(t, top, 101)
	require.True(t, slices.IsSorted(top))

	// Who was asked for before is known, and shows every change at once: of a manager, also on a day before, and of
	// a delegation.
	fact := func(id, from, manager string) {
		storetest.Exec(t, url, `INSERT INTO guerdon.participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, attributes)
			VALUES ('`+id+`', '`+from+`', 2, '', '', 'employee', `+manager+`, 'US', 'USD', '{}')`)
	}
	for _, change := range []struct {
		make              func()
		before, day, last int // how many are in p0's team on the day before, on the day, and in p1499's
	}{
		{func() {}, 1400, 1400, 1},
		{func() { fact("p1", "2026-03-31", "NULL") }, 1400, 1400 - 157, 1},
		{func() { fact("p1499", "2026-03-31", "'p0'") }, 1400, 1400 - 157 + 1, 1},
		{func() { fact("p0", "2026-03-30", "'p1499'") }, 1400, 1400 - 157 + 1, 1400 - 157 + 1},
		{func() { fact("p1", "2026-01-01", "NULL") }, 1400 - 157, 1400 - 157 + 1, 1400 - 157 + 1},
		{func() {
			storetest.Exec(t, url, `INSERT INTO guerdon.delegation (id, delegator_id, delegate_id, starts_on, ends_on, made_by) VALUES (gen_random_uuid(), 'p1', 'p0', '2020-01-01', '2099-01-01', 'p0')`)
		}, 1400 - 1, 1400, 1400 - 157 + 1},
	} {
		change.make()
		for range 2 {
			for on, count := range map[incentive.Date]int{day.AddDays(-1): change.before, day: change.day} {
				team, err := s.Visible(t.Context(), "p0", incentive.Team, on)
				require.NoError(t, err)
				require.Len(t, team, count, "%s", on)
			}
			team, err := s.Visible(t.Context(), "p1499", incentive.Team, day)
			require.NoError(t, err)
			require.Len(t, team, change.last)
		}
	}

	// Lists of such a team are looked for in another way too.
	team, err := s.Visible(t.Context(), "p0", incentive.Team, day)
	require.NoError(t, err)
	of := store.Listing{Sort: "name"}
	estimates, err := s.Estimates(t.Context(), store.WhichEstimates{PeriodID: "m", Visible: team, Listing: of}, "p1", 10)
	require.NoError(t, err)
	require.Empty(t, estimates)
	standing, err := s.Standing(t.Context(), store.WhichEstimates{PeriodID: "m", Visible: team}, decimal.NewFromInt(1))
	require.NoError(t, err)
	require.Zero(t, standing)
	statements, err := s.FindStatements(t.Context(), store.WhichStatements{PeriodID: "m", Revision: 1, Visible: team, Listing: of}, "p1", 10)
	require.NoError(t, err)
	require.Empty(t, statements)
	payouts, err := s.FindPayouts(t.Context(), store.WhichPayouts{PeriodID: "m", Revision: 1, Visible: team, Listing: of}, "", 10)
	require.NoError(t, err)
	require.Empty(t, payouts)
	objectives, err := s.Objectives(t.Context(), store.WhichObjectives{PeriodID: "m", Visible: team}, [2]string{}, 10)
	require.NoError(t, err)
	require.Empty(t, objectives)
	reliefs, err := s.Reliefs(t.Context(), store.ReliefsOf{Visible: team}, nil, 10)
	require.NoError(t, err)
	require.Empty(t, reliefs)
	proposed, err := s.ReliefProposals(t.Context(), store.WhichReliefs{Visible: team, Reader: "p0"}, "", 10)
	require.NoError(t, err)
	require.Empty(t, proposed)
	people, accepted, err := s.CountAcceptances(t.Context(), store.WhichAcceptances{PlanVersionID: store.PlanVersionID{PlanID: "p", Version: 1}, Visible: team})
	require.NoError(t, err)
	require.Zero(t, people+accepted)
}
