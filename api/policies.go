package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
)

// GetPolicy returns what a calendar goes by.
func (s *server) GetPolicy(ctx context.Context, request spec.GetPolicyRequestObject) (spec.GetPolicyResponseObject, error) {
	v, err := s.Store.Policy(ctx, request.Calendar)
	return spec.GetPolicy200JSONResponse{Calendar: request.Calendar, Version: v.Version, Document: v.Document}, err
}

// PutPolicy keeps a policy as the next version of a calendar's.
func (s *server) PutPolicy(ctx context.Context, request spec.PutPolicyRequestObject) (spec.PutPolicyResponseObject, error) {
	version, err := s.Store.PutPolicy(ctx, personOf(ctx).ID, request.Calendar, request.Body.Document)
	return spec.PutPolicy200JSONResponse{Calendar: request.Calendar, Version: version, Document: request.Body.Document}, err
}
