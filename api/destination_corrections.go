package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
)

// ListDestinationCorrections lists what banks say that accounts are now.
func (s *server) ListDestinationCorrections(ctx context.Context, request spec.ListDestinationCorrectionsRequestObject) (spec.ListDestinationCorrectionsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.DestinationCorrections(ctx, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListDestinationCorrections200JSONResponse{Corrections: []spec.DestinationCorrection{}}
	for _, c := range all {
		answer.Corrections = append(answer.Corrections, spec.DestinationCorrection{
			Id: c.ID, Person: c.ParticipantID, Name: c.Name, Rail: c.Rail, Version: c.Version, Destination: c.Masked, Corrected: c.ToMasked,
			Code: c.Code, Reason: languageOf(ctx).Translate(c.Reason), ProposedBy: c.ProposedBy, ProposedAt: c.ProposedAt,
		})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// DecideDestinationCorrection makes what a bank says somebody's destination, or refuses it.
func (s *server) DecideDestinationCorrection(ctx context.Context, request spec.DecideDestinationCorrectionRequestObject) (spec.DecideDestinationCorrectionResponseObject, error) {
	actor, reasonID := personOf(ctx).ID, ""
	if reason := value(request.Body.Reason); reason != "" {
		var err error
		if reasonID, err = s.Store.WriteText(ctx, actor, reason); err != nil {
			return nil, err
		}
	}
	err := s.Store.DecideCorrection(ctx, actor, request.Correction, request.Body.Decision == spec.RedirectionDecisionRequestDecisionConfirmed, reasonID)
	return spec.DecideDestinationCorrection200JSONResponse{Correction: request.Correction}, err
}
