package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"mime"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

func verificationOf(v store.Verification, whole bool) (spec.Verification, error) {
	shown := spec.Verification{
		Id:       v.ID,
		Period:   v.PeriodID,
		Revision: v.Revision,
		Person:   orNil(v.ParticipantID),
		AskedBy:  v.AskedBy,
		AskedAt:  v.AskedAt,
		EndedAt:  v.EndedAt,
		Proved:   v.Proved,
		Sha256:   orNil(hex.EncodeToString(v.SHA256)),
	}
	if v.EndedAt == nil {
		shown.Check, shown.Done, shown.Total = orNil(v.Progress.Check), &v.Progress.Done, &v.Progress.Total
		return shown, nil
	}
	if whole {
		report, err := proof.ReadReport(v.Report)
		if err != nil {
			return shown, err
		}
		shown.Report = &report
	}
	return shown, nil
}

// ListVerifications lists who asked for the results of a revision to be proved.
func (s *server) ListVerifications(ctx context.Context, request spec.ListVerificationsRequestObject) (spec.ListVerificationsResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Verifications(ctx, p.ID, p.Revision, value(request.Params.Person), value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListVerifications200JSONResponse{Verifications: []spec.Verification{}}
	if s.EvidenceKey != nil {
		answer.EvidenceKey = orNil(proof.PublicKey(s.EvidenceKey))
	}
	for _, v := range all {
		shown, err := verificationOf(v, false)
		if err != nil {
			return nil, err
		}
		answer.Verifications = append(answer.Verifications, shown)
	}
	answer.Next = next(len(all), limit, func() int64 { return all[len(all)-1].ID })
	return answer, nil
}

// Verify has the results of a revision proved again. The workflow does it; where it cannot be
// started now, the next start of a worker does.
func (s *server) Verify(ctx context.Context, request spec.VerifyRequestObject) (spec.VerifyResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Body.Revision))
	if err != nil {
		return nil, err
	}
	v, err := s.Store.AskVerification(ctx, updateID(ctx), store.Verification{
		PeriodID:      p.ID,
		Revision:      p.Revision,
		ParticipantID: value(request.Body.Person),
		AskedBy:       personOf(ctx).ID,
	})
	if err != nil {
		return nil, err
	}
	if err := workflows.StartVerification(ctx, s.Client, v.ID); err != nil {
		return nil, err
	}
	shown, err := verificationOf(v, true)
	return spec.Verify201JSONResponse(shown), err
}

// GetVerification returns a verification.
func (s *server) GetVerification(ctx context.Context, request spec.GetVerificationRequestObject) (spec.GetVerificationResponseObject, error) {
	v, err := s.Store.Verification(ctx, request.Verification)
	if err != nil {
		return nil, err
	}
	shown, err := verificationOf(v, true)
	return spec.GetVerification200JSONResponse(shown), err
}

// ended returns a verification that has its result.
func (s *server) ended(ctx context.Context, id int64) (store.Verification, error) {
	v, err := s.Store.Verification(ctx, id)
	if err == nil && v.EndedAt == nil {
		err = incentive.Errorf(incentive.CodeConflict, "verification %d is under way: its report is there when it has ended", id)
	}
	return v, err
}

// GetVerificationReport returns what a verification found as a file.
func (s *server) GetVerificationReport(ctx context.Context, request spec.GetVerificationReportRequestObject) (spec.GetVerificationReportResponseObject, error) {
	v, err := s.ended(ctx, request.Verification)
	if err != nil {
		return nil, err
	}
	name := attachment(fmt.Sprintf("%s-%d-verification-%d.json", v.PeriodID, v.Revision, v.ID))
	return spec.GetVerificationReport200ApplicationoctetStreamResponse{
		Body:          bytes.NewReader(v.Report),
		ContentLength: int64(len(v.Report)),
		Headers:       spec.GetVerificationReport200ResponseHeaders{ContentDisposition: &name},
	}, nil
}

// attachment is the header of a file that is to be kept under a name.
func attachment(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}
