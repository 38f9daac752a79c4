package api

import (
	"context"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/store"
)

func reliefsOf(all []store.Relief) []spec.Relief {
	shown := []spec.Relief{}
	for _, r := range all {
		one := spec.Relief{Person: r.ParticipantID, Name: r.Name, Measure: r.Measure, StartsOn: r.StartsOn, EndsOn: r.EndsOn, Cause: spec.ReliefCause(r.Cause), Version: r.Version}
		if r.Amount != nil {
			amount := r.Amount.String()
			one.Amount = &amount
		}
		if r.Share != nil {
			share := r.Share.String()
			one.Share = &share
		}
		shown = append(shown, one)
	}
	return shown
}

// ListReliefs lists reliefs as they stand.
func (s *server) ListReliefs(ctx context.Context, request spec.ListReliefsRequestObject) (spec.ListReliefsResponseObject, error) {
	p, limit := request.Params, limitOf(request.Params.Limit)
	after, err := fromCursor[store.ReliefKey](p.After)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Reliefs(ctx, store.ReliefsOf{Person: value(p.Person), Measure: value(p.Measure), On: dayOf(p.On), Search: value(p.Search)}, after, limit)
	answer := spec.ListReliefs200JSONResponse{Reliefs: reliefsOf(all)}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return cursor(store.ReliefKey{StartsOn: last.StartsOn, Person: last.ParticipantID, Measure: last.Measure, Cause: string(last.Cause)})
	})
	return answer, err
}

// mayRelieve refuses a relief without a reason, and one of whoever enters it.
func mayRelieve(ctx context.Context, kind mapping.Kind, entries []mapping.Entry, reason string) error {
	switch me := personOf(ctx).ID; {
	case kind != mapping.QuotaRelief:
		return nil
	case reason == "":
		return incentive.Errorf(store.CodeReasonMissing, "say why: whoever relieves somebody of a part of their quota gives a reason")
	case slices.ContainsFunc(entries, func(e mapping.Entry) bool { return strings.TrimSpace(e.Fields["participant_id"]) == me }):
		return incentive.Errorf(incentive.CodeOwnPay, "nobody relieves themselves of a part of their quota: somebody else of finance does")
	}
	return nil
}
