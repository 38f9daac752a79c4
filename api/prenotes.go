package api

import (
	"bytes"
	"context"
	"fmt"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

func prenoteFileOf(f store.PrenoteFile) spec.PrenoteFile {
	answer := spec.PrenoteFile{
		Id:          f.ID,
		Name:        f.Name,
		Rail:        f.Rail,
		MessageId:   f.MessageID,
		Sha256:      fmt.Sprintf("%x", f.SHA256),
		Accounts:    f.Accounts,
		Back:        f.Back,
		EffectiveOn: f.EffectiveOn,
		BuiltBy:     f.BuiltBy,
		BuiltAt:     f.BuiltAt,
		ConfirmedBy: orNil(f.ConfirmedBy),
		ConfirmedAt: f.ConfirmedAt,
		PassedAt:    f.PassedAt,
	}
	if !f.TriedOn.IsZero() {
		answer.TriedOn = &f.TriedOn
	}
	return answer
}

// ListPrenotes lists files of prenotes, and what is to be written into the next.
func (s *server) ListPrenotes(ctx context.Context, request spec.ListPrenotesRequestObject) (spec.ListPrenotesResponseObject, error) {
	answer := spec.ListPrenotes200JSONResponse{ToWrite: []spec.PrenotesToWrite{}, Files: []spec.PrenoteFile{}}
	for _, name := range s.Rails.Names() {
		rail, err := s.Rails.Rail(name)
		if err != nil {
			return nil, err
		}
		if !payments.Tries(rail) {
			continue
		}
		waiting, err := s.Store.AccountsToTry(ctx, name)
		if err != nil {
			return nil, err
		}
		answer.ToWrite = append(answer.ToWrite, spec.PrenotesToWrite{Rail: name, Accounts: len(waiting)})
	}
	limit := limitOf(request.Params.Limit)
	files, err := s.Store.PrenoteFiles(ctx, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		answer.Files = append(answer.Files, prenoteFileOf(f))
	}
	answer.Next = next(len(files), limit, func() string { return files[len(files)-1].ID })
	return answer, nil
}

// BuildPrenotes builds a file of prenotes.
func (s *server) BuildPrenotes(ctx context.Context, request spec.BuildPrenotesRequestObject) (spec.BuildPrenotesResponseObject, error) {
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	f, err := activities.BuildPrenotes(ctx, s.Store, s.Rails, personOf(ctx).ID, request.Body.Rail, today)
	return spec.BuildPrenotes200JSONResponse(prenoteFileOf(f)), err
}

// GetPrenotes returns a file of prenotes to take to the bank.
func (s *server) GetPrenotes(ctx context.Context, request spec.GetPrenotesRequestObject) (spec.GetPrenotesResponseObject, error) {
	f, content, err := s.Store.PrenoteContent(ctx, request.File)
	if err != nil {
		return nil, err
	}
	name := attachment(f.Name)
	return spec.GetPrenotes200ApplicationoctetStreamResponse{Body: bytes.NewReader(content), ContentLength: int64(len(content)),
		Headers: spec.GetPrenotes200ResponseHeaders{ContentDisposition: &name}}, nil
}

// ConfirmPrenotes notes that a file of prenotes was taken to the bank.
func (s *server) ConfirmPrenotes(ctx context.Context, request spec.ConfirmPrenotesRequestObject) (spec.ConfirmPrenotesResponseObject, error) {
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	if err := activities.ConfirmPrenotes(ctx, s.Store, s.Rails, personOf(ctx).ID, request.File, today); err != nil {
		return nil, err
	}
	if err := workflows.StartPrenotes(ctx, s.Client, request.File); err != nil {
		return nil, err
	}
	f, err := s.Store.PrenoteFile(ctx, request.File)
	return spec.ConfirmPrenotes200JSONResponse(prenoteFileOf(f)), err
}
