package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// largestStatusFile is how many bytes a bank's file may have.
const largestStatusFile = 64 << 20

// UploadStatusFile takes a bank's file in and has it applied. A file that cannot be read
// whole is refused and not kept.
func (s *server) UploadStatusFile(ctx context.Context, request spec.UploadStatusFileRequestObject) (spec.UploadStatusFileResponseObject, error) {
	unreadable := incentive.Errorf(incentive.CodeInvalid, "send the bank's file as the one part %q of multipart/form-data, with its name", "file")
	part, err := request.Body.NextPart()
	if err != nil || part.FormName() != "file" || part.FileName() == "" {
		return nil, unreadable
	}
	if err := incentive.CheckFileName(part.FileName()); err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if _, err := io.Copy(&content, io.LimitReader(part, largestStatusFile+1)); err != nil {
		return nil, unreadable
	}
	if content.Len() > largestStatusFile {
		return nil, incentive.Errorf(codeTooLarge, "a bank's file has at most %d MB here: ask the bank for several", largestStatusFile>>20)
	}
	name := part.FileName()
	if _, err := request.Body.NextPart(); !errors.Is(err, io.EOF) {
		return nil, unreadable
	}
	if _, err := activities.ReadStatusFile(ctx, s.Rails, request.Rail, content.Bytes()); err != nil {
		return nil, err
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.StatusFile, error) {
		f, err := s.Store.KeepStatusFile(ctx, store.StatusFile{Rail: request.Rail, Name: name, UploadedBy: personOf(ctx).ID}, content.Bytes())
		if err != nil {
			return spec.StatusFile{}, err
		}
		if f.AppliedAt == nil {
			if err := workflows.ApplyStatusFile(ctx, s.Client, f.ID); err != nil {
				return spec.StatusFile{}, err
			}
		}
		return s.statusFile(ctx, f.ID)
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.UploadStatusFile202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.UploadStatusFile200JSONResponse(answer), nil
}

// GetStatusFile returns what a bank's file changed.
func (s *server) GetStatusFile(ctx context.Context, request spec.GetStatusFileRequestObject) (spec.GetStatusFileResponseObject, error) {
	f, err := s.statusFile(ctx, request.File)
	return spec.GetStatusFile200JSONResponse(f), err
}

// mostExceptions is how many exceptions an answer names.
const mostExceptions = 500

func (s *server) statusFile(ctx context.Context, id string) (spec.StatusFile, error) {
	f, _, err := s.Store.StatusFile(ctx, id)
	if err != nil {
		return spec.StatusFile{}, err
	}
	outcomes, err := s.Store.Outcomes(ctx, f.ID)
	if err != nil {
		return spec.StatusFile{}, err
	}
	answer := spec.StatusFile{
		Id:         f.ID,
		Rail:       f.Rail,
		Name:       f.Name,
		Sha256:     fmt.Sprintf("%x", f.SHA256),
		UploadedBy: f.UploadedBy,
		UploadedAt: f.UploadedAt,
		Applied:    f.AppliedAt != nil,
		NotOurs:    f.Foreign,
		Prenotes:   orNil(f.Prenotes),
		Changes:    []spec.StatusChange{},
		Exceptions: []spec.StatusException{},
	}
	for _, o := range outcomes {
		effect := spec.StatusChangeEffect(o.Effect)
		at := slices.IndexFunc(answer.Changes, func(c spec.StatusChange) bool { return c.Effect == effect })
		if at < 0 {
			at = len(answer.Changes)
			answer.Changes = append(answer.Changes, spec.StatusChange{Effect: effect})
		}
		answer.Changes[at].Payouts++
		if waits := []string{"failed", "returned", "unclear"}; slices.Contains(waits, o.Effect) && len(answer.Exceptions) < mostExceptions {
			answer.Exceptions = append(answer.Exceptions, spec.StatusException{
				Payout: o.PayoutID,
				Period: o.PeriodID,
				Effect: spec.StatusExceptionEffect(o.Effect),
				Code:   o.Code,
				Reason: languageOf(ctx).Translate(o.Reason),
			})
		}
	}
	return answer, nil
}
