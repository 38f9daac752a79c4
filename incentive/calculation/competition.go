package calculation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// Estimating calculates the estimates of some participants where what others have come to in
// contests is known: the snapshot need hold nothing of these.
type Estimating struct {
	ready
	theirs [][]incentive.Assignment // of the participants alone
}

// NewEstimating arranges what of a snapshot the estimates of some participants depend on.
func NewEstimating(ctx context.Context, snapshot incentive.Snapshot, participants []string) (*Estimating, error) {
	of := map[string]bool{}
	for _, id := range participants {
		of[id] = true
	}
	r, onPlans, err := arranged(ctx, snapshot, of)
	theirs := slices.DeleteFunc(onPlans, func(group []incentive.Assignment) bool { return !of[group[0].ParticipantID] })
	return &Estimating{r, theirs}, err
}

// Contests are those in which any of the participants competes, by plan and component.
func (e *Estimating) Contests() []Contest {
	var all []Contest
	for id, p := range competing(e.groups, e.plans) {
		for _, c := range p.Components {
			if competes(c) {
				all = append(all, Contest{id, c.Name})
			}
		}
	}
	slices.SortFunc(all, func(a, b Contest) int {
		return cmp.Or(strings.Compare(a.PlanID, b.PlanID), strings.Compare(a.Component, b.Component))
	})
	return all
}

// Enter measures the participants for their contests. Of whom cannot be measured the entrant
// says why.
func (e *Estimating) Enter() []Entrant {
	entrants, problems := e.enter(e.theirs, competing(e.groups, e.plans))
	for i, err := range problems {
		if err != nil {
			entrants[i].Problem = incentive.ErrorMessage(err)
		}
	}
	return entrants
}

// Settle ends the contests of the participants among all entrants. What it returns says of each
// entrant where they stand: while it is the same, so is what their statement says of the contest.
func (e *Estimating) Settle(entrants []Entrant) (standings []string, err error) {
	var problems []error
	failed := map[Contest]string{}
	for _, one := range entrants {
		if one.Problem != "" {
			problems = append(problems, incentive.Errorf(incentive.CodeInvalid, "%s", one.Problem))
			failed[one.Contest] += one.Problem
		}
	}
	if err = together(problems); err == nil {
		all := slices.SortedStableFunc(slices.Values(entrants), func(a, b Entrant) int { return strings.Compare(a.ParticipantID, b.ParticipantID) })
		err = e.settle(all, competing(e.groups, e.plans))
	}
	standings = make([]string, len(entrants))
	for i, one := range entrants {
		if err == nil {
			standings[i] = e.standings[one.Contest][one.ParticipantID].String()
		} else {
			standings[i] = err.Error()
		}
	}
	return standings, err
}

// Estimates returns the estimates of those of the participants who have a statement. A problem of
// one is no problem of the others.
func (e *Estimating) Estimates(ctx context.Context) ([]Estimate, error) {
	return e.estimates(ctx, true)
}

// Totals are estimates that do not say how far anybody has come.
func (e *Estimating) Totals(ctx context.Context) ([]Estimate, error) {
	return e.estimates(ctx, false)
}

// String tells standings apart of which a statement does not say the same. What a pool has come to
// in all stands last, behind inAll.
func (s standing) String() string {
	told, all := s.won.String(), ""
	for _, step := range s.steps {
		told += fmt.Sprintf(" %s %d %d %s", step.Kind, step.Count, step.Tied, step.Result)
		if step.Rate != nil {
			told += " " + step.Rate.String()
		}
		switch {
		case step.Unit == nil:
		case step.Kind == StepPool:
			all = inAll + step.Unit.String()
		default:
			told += " " + step.Unit.String()
		}
	}
	return told + all
}

const inAll = " of "

// PaysTheSame reports whether two standings of somebody, as Settle tells them, differ at most in
// what their pool has come to in all.
func PaysTheSame(standing, another string) bool {
	mine, _, pool := strings.Cut(standing, inAll)
	other, _, also := strings.Cut(another, inAll)
	return pool && also && mine == other
}
