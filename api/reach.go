package api

import (
	"context"

	"github.com/guerdon/guerdon/incentive"
)

// What the caller's right to an action reaches: their own records, their team's of a day, or all.

// visible returns whose records the caller may see on a day: nil for everybody's.
func (s *server) visible(ctx context.Context, day incentive.Date) ([]string, error) {
	return s.Store.Visible(ctx, personOf(ctx).ID, scopeOf(ctx), day)
}

// sees reports whether somebody is of those whose records the caller may see on a day.
func (s *server) sees(ctx context.Context, day incentive.Date, participantID string) (bool, error) {
	return s.Store.Sees(ctx, personOf(ctx).ID, scopeOf(ctx), day, participantID)
}

// visibleOf is visible for the records of one person; "" for whosever they are. Nobody is in
// it where the caller may not see that person's.
func (s *server) visibleOf(ctx context.Context, day incentive.Date, participantID string) ([]string, error) {
	if participantID == "" || scopeOf(ctx) == incentive.All {
		return s.visible(ctx, day)
	}
	sees, err := s.sees(ctx, day, participantID)
	if err != nil || !sees {
		return []string{}, err
	}
	return []string{participantID}, nil
}

// reach refuses a participant whom the caller's right does not reach.
func (s *server) reach(ctx context.Context, participantID string) error {
	sees, err := s.sees(ctx, s.today(), participantID)
	if err == nil && !sees {
		err = incentive.Errorf(incentive.CodeForbidden, "you may not do this for %q", participantID)
	}
	return err
}
