package calculation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// A large period is calculated in shards: each holds some of the participants, and of what
// was sold only the transactions that their statements depend on. What depends on everybody,
// the ranks and pools of contests, goes by entrants, which every shard measures of its own.
// Whatever the number of shards, the statements are the same.

// Needs is what of the transactions and credits of a snapshot some statements depend on;
// all else of a snapshot goes into every shard.
type Needs struct {
	Of         []string // whose statements they are, sorted
	Credited   []string // whose credits count: theirs and, as deep as overrides look, their people's, sorted
	Uncredited bool     // also transactions that their source credits nobody with, as a plan's rules may
}

// Shards divides everybody who may have a statement into at most n parts. People stand
// beside whoever they report to, so that few credits belong to more than one part. Of the
// snapshot it reads everything but transactions and credits.
func Shards(snapshot incentive.Snapshot, n int) ([]Needs, error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	var payable []string
	for _, a := range snapshot.Assignments {
		payable = append(payable, a.ParticipantID)
	}
	for _, a := range snapshot.Adjustments {
		payable = append(payable, a.ParticipantID)
	}
	slices.Sort(payable)
	payable = slices.Compact(payable)
	manager := map[string]string{}            // on the period's last day
	reports := map[string]map[string]bool{}   // on any day
	for _, p := range snapshot.Participants { // by id and date of effect
		if p.EffectiveFrom.After(snapshot.Period.EndsOn) {
			continue
		}
		if manager[p.ID] = p.ManagerID; p.ManagerID != "" {
			if reports[p.ManagerID] == nil {
				reports[p.ManagerID] = map[string]bool{}
			}
			reports[p.ManagerID][p.ID] = true
		}
	}
	paths := make(map[string]string, len(payable))
	for _, id := range payable {
		paths[id] = path(id, manager)
	}
	slices.SortFunc(payable, func(a, b string) int { return strings.Compare(paths[a], paths[b]) })
	rules := false
	for _, p := range plans {
		rules = rules || len(p.Credits) > 0
	}
	depth := deepest(plans)
	var shards []Needs
	for i := range n {
		of := slices.Sorted(slices.Values(payable[i*len(payable)/n : (i+1)*len(payable)/n]))
		if len(of) == 0 {
			continue
		}
		credited, level := map[string]bool{}, of
		for _, id := range of {
			credited[id] = true
		}
		for range depth {
			var next []string
			for _, id := range level {
				for below := range reports[id] {
					credited[below] = true
					next = append(next, below)
				}
			}
			slices.Sort(next)
			level = slices.Compact(next)
		}
		all := make([]string, 0, len(credited))
		for id := range credited {
			all = append(all, id)
		}
		slices.Sort(all)
		shards = append(shards, Needs{Of: of, Credited: all, Uncredited: rules})
	}
	return shards, nil
}

// path lists the managers above a participant, from the top, and the participant.
func path(id string, manager map[string]string) string {
	const deepest = 50 // people who manage each other in a circle are refused later on
	chain := []string{id}
	for at := manager[id]; at != "" && len(chain) < deepest; at = manager[at] {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return strings.Join(chain, "\x00")
}

// Shard is what the statements of some participants are calculated from.
type Shard struct {
	of       []string
	snapshot incentive.Snapshot
	plans    map[string]versionInForce
	facts    *facts
}

// NewShard arranges what of a snapshot the statements of some participants, sorted, depend on.
func NewShard(snapshot incentive.Snapshot, of []string) (*Shard, error) {
	if len(snapshot.Corrections) > 0 {
		return nil, fmt.Errorf("a snapshot that corrects earlier periods is calculated as a whole")
	}
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	f, err := arrange(snapshot, plans)
	return &Shard{of, snapshot, plans, f}, err
}

func (s *Shard) has(participantID string) bool {
	_, has := slices.BinarySearch(s.of, participantID)
	return has
}

// Enter measures the participants of the shard for the contests of the plans that they are on.
func (s *Shard) Enter() ([]Entrant, error) {
	entrants, problems := s.facts.enter(slices.DeleteFunc(assigned(s.snapshot), func(group []incentive.Assignment) bool { return !s.has(group[0].ParticipantID) }), s.plans)
	return entrants, together(problems)
}

// Run is Run for the participants of the shard, once everybody is measured who competes:
// entrants are those of all shards.
func (s *Shard) Run(ctx context.Context, entrants []Entrant) (Result, error) {
	all := slices.SortedStableFunc(slices.Values(entrants), func(a, b Entrant) int { return strings.Compare(a.ParticipantID, b.ParticipantID) })
	groups := withAdjustments(withSettling(assigned(s.snapshot), settling(s.snapshot, s.plans)), nil, s.snapshot.Adjustments)
	groups = slices.DeleteFunc(groups, func(g payable) bool { return !s.has(g.participantID) })
	settled := *s.facts
	if err := settled.settle(all, competing(groups, s.plans)); err != nil {
		return Result{}, err
	}
	return ready{&settled, s.plans, groups}.result(ctx)
}
