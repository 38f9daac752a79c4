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
	if below, is := s.reporting.known(day, of.facts); is {
		return of.all(below), nil
	}
	small, err := s.smallTeam(ctx, of, day)
	if err != nil || len(small) <= fewOfTeam {
		return small, err
	}
	below, err := s.reporting.of(day, of.facts, func() (map[string][]string, int, error) { return s.reportingOn(ctx, day) })
	if err != nil {
		return nil, err
	}
	return of.all(below), nil
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

// all is everybody of whom a team begins with, and everybody below, by who reports directly to whom.
func (of teamOf) all(below map[string][]string) []string {
	people, known := slices.Clone(of.members), map[string]bool{}
	for _, id := range people {
		known[id] = true
	}
	add := func(manager string) {
		for _, id := range below[manager] {
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

// reportingOn reads who reports directly to whom on a day, and of how many facts of participants.
func (s *Store) reportingOn(ctx context.Context, day incentive.Date) (below map[string][]string, facts int, err error) {
	below = map[string][]string{}
	rows, err := s.pool.Query(ctx, `
		SELECT (SELECT count(*) FROM participant_fact), participant_id, manager_id FROM (
			SELECT DISTINCT ON (participant_id) participant_id, manager_id FROM participant_fact WHERE effective_from <= $1 ORDER BY participant_id, effective_from DESC, version DESC) f
		WHERE manager_id IS NOT NULL`, day)
	if err == nil {
		var id, manager string
		_, err = pgx.ForEachRow(rows, []any{&facts, &id, &manager}, func() error {
			below[manager] = append(below[manager], id)
			return nil
		})
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read who reports to whom on %s: %w", day, err)
	}
	return below, facts, nil
}

// mostDays is of how many days it is kept how the hierarchy is: mostly today and the last days
// of the latest periods.
const mostDays = 6

// ofDays keeps something about the hierarchy on the days that were asked for. Facts of participants are only ever
// added, so that it holds for as long as there are as many of them. Its zero value is ready.
type ofDays[T any] struct {
	mutex   sync.Mutex
	days    map[incentive.Date]ofFacts[T]
	reading sync.Mutex // one at a time, and whoever waits finds it read
}

// ofFacts is what was read of so many facts.
type ofFacts[T any] struct {
	facts int
	is    T
}

// known returns what is kept of a day, and whether it is of so many facts.
func (k *ofDays[T]) known(day incentive.Date, facts int) (T, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	one, is := k.days[day]
	return one.is, is && one.facts == facts
}

// of returns what is kept of a day and so many facts or, where that is not known, what read returns of as many or more.
func (k *ofDays[T]) of(day incentive.Date, facts int, read func() (T, int, error)) (T, error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	if is, known := k.known(day, facts); known {
		return is, nil
	}
	is, facts, err := read()
	if err != nil {
		return is, err
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	maps.DeleteFunc(k.days, func(_ incentive.Date, other ofFacts[T]) bool { return other.facts < facts })
	if k.days == nil || len(k.days) >= mostDays {
		k.days = map[incentive.Date]ofFacts[T]{}
	}
	k.days[day] = ofFacts[T]{facts, is}
	return is, nil
}
