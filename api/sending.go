package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/workflows"
)

// GetSending says whether payouts are sent.
func (s *server) GetSending(ctx context.Context, _ spec.GetSendingRequestObject) (spec.GetSendingResponseObject, error) {
	lock, err := s.Store.SendingLock(ctx)
	if err != nil {
		return nil, err
	}
	answer := spec.GetSending200JSONResponse{ToCompare: []spec.RailDay{}}
	if lock == nil {
		return answer, nil
	}
	code := spec.SendingCode(lock.Code)
	answer.Locked, answer.Code, answer.At = true, &code, &lock.At
	if lock.Rail != "" {
		answer.Rail, answer.Payments = &lock.Rail, &lock.Payments
	}
	for _, one := range lock.ToDo {
		answer.ToCompare = append(answer.ToCompare, spec.RailDay{Rail: one.Rail, Day: one.Day})
	}
	return answer, nil
}

// ClearSending lets payouts be sent again, and tells every disbursement.
func (s *server) ClearSending(ctx context.Context, request spec.ClearSendingRequestObject) (spec.ClearSendingResponseObject, error) {
	actor := personOf(ctx).ID
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	if err := s.Store.ClearSending(ctx, actor, reasonID); err != nil {
		return nil, err
	}
	running, err := s.Store.RunningPeriods(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range running {
		batches, err := s.Store.Batches(ctx, p.ID, p.Revision)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			if err := workflows.TellDisbursement(ctx, s.Client, p.ID, p.Revision, b.Rail); err != nil {
				return nil, err
			}
		}
	}
	return spec.ClearSending200JSONResponse{ToCompare: []spec.RailDay{}}, nil
}
