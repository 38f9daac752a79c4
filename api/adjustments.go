package api

import (
	"context"
	"strings"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

func adjustmentOf(a store.Adjustment) spec.Adjustment {
	shown := spec.Adjustment{
		Id:        a.ID,
		Period:    a.PeriodID,
		Person:    a.ParticipantID,
		Name:      a.Name,
		Type:      string(a.Type),
		Amount:    a.Amount,
		Reason:    a.Reason,
		Dispute:   orNil(a.DisputeID),
		EnteredBy: a.EnteredBy,
		EnteredAt: a.EnteredAt,
		DecidedBy: orNil(a.DecidedBy),
		DecidedAt: a.DecidedAt,
		PaidBy:    orNil(a.TakenBy),
	}
	if a.Decision != "" {
		decision := spec.AdjustmentDecision(a.Decision)
		shown.Decision = &decision
	}
	return shown
}

// ListAdjustments lists what people have entered.
func (s *server) ListAdjustments(ctx context.Context, request spec.ListAdjustmentsRequestObject) (spec.ListAdjustmentsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	which := store.WhichAdjustments{PeriodID: value(request.Params.Period), Listing: listing(request.Params.Search, request.Params.Sort)}
	if value(request.Params.Waiting) {
		which.Decider = personOf(ctx).ID
	}
	all, err := s.Store.Adjustments(ctx, which, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListAdjustments200JSONResponse{Adjustments: []spec.Adjustment{}}
	for _, a := range all {
		answer.Adjustments = append(answer.Adjustments, adjustmentOf(a))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// EnterAdjustment enters an amount that somebody else is to approve.
func (s *server) EnterAdjustment(ctx context.Context, request spec.EnterAdjustmentRequestObject) (spec.EnterAdjustmentResponseObject, error) {
	a := store.Adjustment{EnteredBy: personOf(ctx).ID, Adjustment: incentive.Adjustment{
		ID:            commandID(ctx),
		ParticipantID: request.Body.Person,
		PeriodID:      request.Body.Period,
		Type:          incentive.AdjustmentType(request.Body.Type),
		Amount:        request.Body.Amount,
	}}
	reason := strings.TrimSpace(request.Body.Reason)
	if reason == "" {
		return nil, incentive.Errorf(store.CodeReasonMissing, "say why: an adjustment needs a reason")
	}
	var err error
	if a.ReasonID, err = s.Store.WriteText(ctx, a.EnteredBy, reason); err != nil {
		return nil, err
	}
	if a, err = s.Store.EnterAdjustment(ctx, a); err != nil {
		return nil, err
	}
	return spec.EnterAdjustment201JSONResponse(adjustmentOf(a)), nil
}

// DecideAdjustment approves or rejects an adjustment.
func (s *server) DecideAdjustment(ctx context.Context, request spec.DecideAdjustmentRequestObject) (spec.DecideAdjustmentResponseObject, error) {
	me, reasonID := personOf(ctx).ID, ""
	if reason := strings.TrimSpace(value(request.Body.Reason)); reason != "" {
		var err error
		if reasonID, err = s.Store.WriteText(ctx, me, reason); err != nil {
			return nil, err
		}
	}
	a, err := s.Store.DecideAdjustment(ctx, me, request.Adjustment, string(request.Body.Decision), reasonID)
	if err != nil {
		return nil, err
	}
	if a.DisputeID != "" {
		if err := s.tellDispute(ctx, a.DisputeID); err != nil {
			return nil, err
		}
	}
	return spec.DecideAdjustment200JSONResponse(adjustmentOf(a)), nil
}
