package api

import (
	"bytes"
	"context"
	"fmt"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// rehearsed rehearses the release of a period: of all rails and currencies, or of one.
func (s *server) rehearsed(ctx context.Context, period, rail, currency string) ([]activities.Rehearsed, error) {
	p, err := s.Store.PeriodRevision(ctx, period, 0)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.PayoutList(ctx, p.ID, p.Revision); err != nil {
		return nil, err
	}
	return activities.Rehearse(ctx, s.Store, s.Rails, p.ID, p.Revision, rail, currency)
}

// RehearseRelease says what a release would send.
func (s *server) RehearseRelease(ctx context.Context, request spec.RehearseReleaseRequestObject) (spec.RehearseReleaseResponseObject, error) {
	all, err := s.rehearsed(ctx, request.Period, "", "")
	if err != nil {
		return nil, err
	}
	answer := spec.RehearseRelease200JSONResponse{Rails: []spec.RehearsedRail{}}
	for _, r := range all {
		one := spec.RehearsedRail{
			Rail:      r.Rail,
			Payouts:   r.Payouts,
			Total:     r.Total,
			Available: r.Available,
			Problem:   orNil(languageOf(ctx).Translate(r.Problem)),
			Refused:   []spec.RehearsedRefusal{},
		}
		if r.File != nil {
			one.File = &spec.RehearsedFile{Name: r.File.Name, Sha256: fmt.Sprintf("%x", r.File.SHA256), Bytes: len(r.File.Content)}
		}
		for _, o := range r.Refused {
			one.Refused = append(one.Refused, spec.RehearsedRefusal{
				Payout:  o.Payout.ID,
				Person:  o.Payout.ParticipantID,
				Name:    o.Payout.Name,
				Amount:  o.Payout.Amount,
				Message: languageOf(ctx).Translate(o.Message),
			})
		}
		answer.Rails = append(answer.Rails, one)
	}
	return answer, nil
}

// RehearseFile returns the file that a release would build.
func (s *server) RehearseFile(ctx context.Context, request spec.RehearseFileRequestObject) (spec.RehearseFileResponseObject, error) {
	all, err := s.rehearsed(ctx, request.Period, request.Rail, request.Currency)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].File == nil {
		return nil, incentive.Errorf(store.CodeFileUnknown, "a release would build no file by %s in %s", request.Rail, request.Currency)
	}
	file := all[0].File
	name := attachment("rehearsal-" + file.Name)
	return spec.RehearseFile200ApplicationoctetStreamResponse{Body: bytes.NewReader(file.Content), ContentLength: int64(len(file.Content)),
		Headers: spec.RehearseFile200ResponseHeaders{ContentDisposition: &name}}, nil
}
