package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// fewOfTeam is up to how many people it is quicker to look up whom each of them manages than
// to know the hierarchy of everybody.
const fewOfTeam = 1000

// team returns the team of somebody on a day. A small one is looked up, and a large one found
// in the hierarchy of the day, which is kept.
func (s *Store) team(ctx context.Context, actor string, day incentive.Date) ([]string, error) {
	of, err := s.teamOf(ctx, actor)
	if err != nil {
		return nil, err
	}
	if h, is := s.reporting.on(day, of.facts); is {
		return h.team(of), nil
	}
	small, err := s.smallTeam(ctx, of, day)
	if err != nil || len(small) <= fewOfTeam {
		return small, err
	}
	h, err := s.reportingOn(ctx, day, of.facts)
	if err != nil {
		return nil, err
	}
	return h.team(of), nil
}

// teamOf is what a team begins with.
type teamOf struct {
	members  []string // with those below them: the actor, and whoever's statement waits for them
	managers []string // without themselves: whoever has delegated to the actor
	facts    int      // how many facts of participants there are
}

func (s *Store) teamOf(ctx context.Context, actor string) (of teamOf, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT ARRAY(SELECT $1::text UNION SELECT participant_id FROM current_approval a WHERE `+isToApprove+`),
			ARRAY(SELECT delegator_id FROM delegation_in_force WHERE delegate_id = $1), (SELECT count(*) FROM participant_fact)`, actor).Scan(&of.members, &of.managers, &of.facts)
	if err != nil {
		return of, fmt.Errorf("find with whom the team of %s begins: %w", actor, err)
	}
	return of, nil
}

// smallTeam walks down the hierarchy of a day, and stops soon after fewOfTeam people.
func (s *Store) smallTeam(ctx context.Context, of teamOf, day incentive.Date) (people []string, err error) {
	err = collect(ctx, s.pool, &people, `
		WITH RECURSIVE team AS (
			(SELECT unnest($1::text[]) AS participant_id
			UNION SELECT f.participant_id FROM participant_fact f WHERE f.manager_id = ANY($2) AND `+holds("f", "$3")+`)
			UNION SELECT f.participant_id FROM team
				CROSS JOIN LATERAL (SELECT f.participant_id FROM participant_fact f WHERE f.manager_id = team.participant_id AND `+holds("f", "$3")+` OFFSET 0) f
		) SELECT participant_id FROM team LIMIT $4`, pgx.RowTo[string], of.members, of.managers, day, fewOfTeam+1)
	if err != nil {
		return nil, fmt.Errorf("walk down the hierarchy of %s: %w", day, err)
	}
	return people, nil
}

// reporting is who reports to whom on a day.
type reporting struct {
	facts int // how many facts of participants there were when it was read
	below map[string][]string
}

// team is everybody of whom a team begins with, and everybody below.
func (r reporting) team(of teamOf) []string {
	people, known := slices.Clone(of.members), map[string]bool{}
	for _, id := range people {
		known[id] = true
	}
	add := func(manager string) {
		for _, id := range r.below[manager] {
			if !known[id] {
				known[id] = true
				people = append(people, id)
			}
		}
	}
	for _, manager := range of.managers {
		add(manager)
	}
	for i := 0; i < len(people); i++ {
		add(people[i])
	}
	return people
}

// mostReporting is of how many days it is kept who reports to whom: mostly today and the last days
// of the latest periods.
const mostReporting = 6

// reportings keeps who reports to whom on the days that were asked for. Facts are only ever added, so
// that one holds for as long as there are as many of them.
type reportings struct {
	mutex   sync.Mutex
	days    map[incentive.Date]reporting
	reading sync.Mutex // one at a time, and whoever waits finds it read
}

// on returns who reports to whom on a day, if that is known of so many facts.
func (k *reportings) on(day incentive.Date, facts int) (reporting, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	r, is := k.days[day]
	return r, is && r.facts == facts
}

func (k *reportings) keep(day incentive.Date, r reporting) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	maps.DeleteFunc(k.days, func(_ incentive.Date, other reporting) bool { return other.facts < r.facts })
	if k.days == nil || len(k.days) >= mostReporting {
		k.days = map[incentive.Date]reporting{}
	}
	k.days[day] = r
}

// reportingOn reads who reports to whom on a day, of facts or more of them, unless it is known.
func (s *Store) reportingOn(ctx context.Context, day incentive.Date, facts int) (reporting, error) {
	s.reporting.reading.Lock()
	defer s.reporting.reading.Unlock()
	if r, is := s.reporting.on(day, facts); is {
		return r, nil
	}
	r := reporting{below: map[string][]string{}}
	rows, err := s.pool.Query(ctx, `
		SELECT (SELECT count(*) FROM participant_fact), participant_id, manager_id FROM (
			SELECT DISTINCT ON (participant_id) participant_id, manager_id FROM participant_fact WHERE effective_from <= $1 ORDER BY participant_id, effective_from DESC, version DESC) f
		WHERE manager_id IS NOT NULL`, day)
	if err == nil {
		var id, manager string
		_, err = pgx.ForEachRow(rows, []any{&r.facts, &id, &manager}, func() error {
			r.below[manager] = append(r.below[manager], id)
			return nil
		})
	}
	if err != nil {
		return r, fmt.Errorf("read who reports to whom on %s: %w", day, err)
	}
	s.reporting.keep(day, r)
	return r, nil
}
