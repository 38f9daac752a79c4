package api

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/store"
)

func sampleOf(s store.Sample) spec.Sample {
	return spec.Sample{
		Id:         s.ID,
		Period:     s.PeriodID,
		Revision:   s.Revision,
		Seed:       s.Seed,
		Size:       s.Size,
		Strata:     s.Strata,
		Population: s.Population,
		DrawnBy:    s.DrawnBy,
		DrawnAt:    s.DrawnAt,
		Done:       s.Done,
		Exceptions: s.Exceptions,
	}
}

// sample returns a sample with what was drawn.
func (s *server) sample(ctx context.Context, id int64) (spec.Sample, error) {
	one, err := s.Store.Sample(ctx, id)
	if err != nil {
		return spec.Sample{}, err
	}
	items, err := s.Store.SampleItems(ctx, id)
	if err != nil {
		return spec.Sample{}, err
	}
	shown := sampleOf(one)
	all := make([]spec.SampleItem, len(items))
	for i, item := range items {
		all[i] = spec.SampleItem{
			Number:     item.Number,
			Person:     item.ParticipantID,
			Name:       item.Name,
			Stratum:    item.Stratum,
			Total:      item.Total,
			Verdict:    orNil(spec.SampleItemVerdict(item.Verdict)),
			Remark:     orNil(item.Remark),
			RemarkedBy: orNil(item.RemarkedBy),
			RemarkedAt: item.RemarkedAt,
		}
		if item.Verification > 0 {
			all[i].Verification, all[i].Proved = &item.Verification, &item.Proved
		}
	}
	shown.Items = &all
	return shown, nil
}

// ListSamples lists what was drawn of a revision.
func (s *server) ListSamples(ctx context.Context, request spec.ListSamplesRequestObject) (spec.ListSamplesResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Samples(ctx, p.ID, p.Revision, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListSamples200JSONResponse{Samples: []spec.Sample{}}
	for _, one := range all {
		answer.Samples = append(answer.Samples, sampleOf(one))
	}
	answer.Next = next(len(all), limit, func() int64 { return all[len(all)-1].ID })
	return answer, nil
}

// DrawSample draws statements at random. Without a seed it takes one that nobody could choose.
func (s *server) DrawSample(ctx context.Context, request spec.DrawSampleRequestObject) (spec.DrawSampleResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Body.Revision))
	if err != nil {
		return nil, err
	}
	asked := store.Sample{
		PeriodID: p.ID,
		Revision: p.Revision,
		Seed:     strings.TrimSpace(value(request.Body.Seed)),
		Size:     request.Body.Size,
		Strata:   max(1, value(request.Body.Strata)),
		DrawnBy:  personOf(ctx).ID,
	}
	if asked.Seed == "" {
		asked.Seed = rand.Text()
	}
	drawn, err := s.Store.DrawSample(ctx, updateID(ctx), asked)
	if err != nil {
		return nil, err
	}
	shown, err := s.sample(ctx, drawn.ID)
	return spec.DrawSample201JSONResponse(shown), err
}

// GetSample returns a sample with what was drawn.
func (s *server) GetSample(ctx context.Context, request spec.GetSampleRequestObject) (spec.GetSampleResponseObject, error) {
	shown, err := s.sample(ctx, request.Sample)
	return spec.GetSample200JSONResponse(shown), err
}

// RemarkSample keeps what somebody says of a statement that was drawn.
func (s *server) RemarkSample(ctx context.Context, request spec.RemarkSampleRequestObject) (spec.RemarkSampleResponseObject, error) {
	me, textID := personOf(ctx).ID, ""
	if text := strings.TrimSpace(value(request.Body.Remark)); text != "" {
		var err error
		if textID, err = s.Store.WriteText(ctx, me, text); err != nil {
			return nil, err
		}
	}
	if err := s.Store.RemarkSample(ctx, me, request.Sample, request.Body.Number, string(request.Body.Verdict), textID); err != nil {
		return nil, err
	}
	shown, err := s.sample(ctx, request.Sample)
	return spec.RemarkSample200JSONResponse(shown), err
}
