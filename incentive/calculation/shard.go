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

// Enter measures the participants of a shard for the contests of the plans that they are on.
func Enter(snapshot incentive.Snapshot, of []string) ([]Entrant, error) {
	plans, err := inForce(snapshot)
	if err != nil {
		return nil, err
	}
	f, err := arrange(snapshot, plans)
	if err != nil {
		return nil, err
	}
	theirs := slices.DeleteFunc(assigned(snapshot), func(group []incentive.Assignment) bool {
		_, mine := slices.BinarySearch(of, group[0].ParticipantID)
		return !mine
	})
	return f.enter(theirs, plans)
}

// RunShard is Run for the participants of a shard, once everybody is measured who competes:
// entrants are those of all shards.
func RunShard(ctx context.Context, snapshot incentive.Snapshot, of []string, entrants []Entrant) (Result, error) {
	if len(snapshot.Corrections) > 0 {
		return Result{}, fmt.Errorf("a snapshot that corrects earlier periods is calculated as a whole")
	}
	wanted := make(map[string]bool, len(of))
	for _, id := range of {
		wanted[id] = true
	}
	all := append([]Entrant{}, entrants...) // never nil: then they would be measured again
	slices.SortStableFunc(all, func(a, b Entrant) int { return strings.Compare(a.ParticipantID, b.ParticipantID) })
	r, err := prepare(ctx, snapshot, wanted, all)
	if err != nil {
		return Result{}, err
	}
	return r.result(ctx)
}
