package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

func disputeOf(d store.Dispute) spec.Dispute {
	return spec.Dispute{
		Id:          d.ID,
		Period:      d.PeriodID,
		Revision:    d.Revision,
		Person:      d.ParticipantID,
		Name:        d.Name,
		Type:        string(d.Type),
		Plan:        orNil(d.Item.PlanID),
		Component:   orNil(d.Item.Component),
		Source:      orNil(d.Item.Transaction.Source),
		Transaction: orNil(d.Item.Transaction.ID),
		Expected:    d.Expected,
		Comment:     d.Comment,
		Late:        d.Late,
		RaisedAt:    d.RaisedAt,
		State:       string(d.State),
		Handler:     orNil(d.Handler),
		AnswerBy:    d.AnswerBy,
		Acts:        []spec.DisputeAct{},
		Evidence:    []spec.Evidence{},
		Adjustments: []spec.Adjustment{},
	}
}

func evidenceOf(e store.Evidence) spec.Evidence {
	return spec.Evidence{Id: e.ID, Name: e.Name, MediaType: e.MediaType, Bytes: e.Bytes, Sha256: fmt.Sprintf("%x", e.SHA256), AddedBy: e.AddedBy, AddedAt: e.AddedAt}
}

// ListDisputes lists the disputes that the caller may see.
func (s *server) ListDisputes(ctx context.Context, request spec.ListDisputesRequestObject) (spec.ListDisputesResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	which := store.WhichDisputes{
		PeriodID:      value(request.Params.Period),
		ParticipantID: value(request.Params.Person),
		Open:          value(request.Params.Open),
		Waiting:       value(request.Params.Waiting),
		Listing:       listing(request.Params.Search, request.Params.Sort),
	}
	all, err := s.Store.Disputes(ctx, personOf(ctx).ID, scopeOf(ctx), which, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListDisputes200JSONResponse{Disputes: []spec.Dispute{}}
	for _, d := range all {
		answer.Disputes = append(answer.Disputes, disputeOf(d))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// GetDispute returns a dispute with what was said about it.
func (s *server) GetDispute(ctx context.Context, request spec.GetDisputeRequestObject) (spec.GetDisputeResponseObject, error) {
	d, err := s.Store.Dispute(ctx, personOf(ctx).ID, scopeOf(ctx), request.Dispute)
	if err != nil {
		return nil, err
	}
	acts, err := s.Store.DisputeActs(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	files, err := s.Store.EvidenceOf(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	granted, err := s.Store.AdjustmentsOf(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	answer := disputeOf(d)
	for _, a := range acts {
		answer.Acts = append(answer.Acts, spec.DisputeAct{Act: string(a.Act), To: string(a.To), Actor: a.Actor, Text: a.Text, At: a.At})
	}
	for _, e := range files {
		answer.Evidence = append(answer.Evidence, evidenceOf(e))
	}
	for _, a := range granted {
		answer.Adjustments = append(answer.Adjustments, adjustmentOf(a))
	}
	return spec.GetDispute200JSONResponse(answer), nil
}

// RaiseDispute keeps the caller's dispute and starts its workflow.
func (s *server) RaiseDispute(ctx context.Context, request spec.RaiseDisputeRequestObject) (spec.RaiseDisputeResponseObject, error) {
	b := request.Body
	d := store.Dispute{ID: commandID(ctx), PeriodID: b.Period, ParticipantID: personOf(ctx).ID, Type: incentive.DisputeType(b.Type), Expected: b.Expected,
		Item: incentive.DisputedItem{
			PlanID:      value(b.Plan),
			Component:   value(b.Component),
			Transaction: incentive.TransactionKey{Source: value(b.Source), ID: value(b.Transaction)},
		}}
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	if d.CommentID, err = s.text(ctx, &b.Comment); err != nil {
		return nil, err
	}
	if d, err = s.Store.RaiseDispute(ctx, d, today); err != nil {
		return nil, err
	}
	if err := workflows.StartDispute(ctx, s.Client, d.ID, d.PeriodID); err != nil {
		return nil, err
	}
	return spec.RaiseDispute201JSONResponse(disputeOf(d)), nil
}

// todayThere is the day in the company's zone.
func (s *server) todayThere(ctx context.Context) (incentive.Date, error) {
	return s.Store.Today(ctx, time.Now())
}

// text keeps what somebody wrote and returns its id, "" for nothing.
func (s *server) text(ctx context.Context, body *string) (string, error) {
	written := strings.TrimSpace(value(body))
	if written == "" {
		return "", nil
	}
	return s.Store.WriteText(ctx, personOf(ctx).ID, written)
}

// ReplyToDispute speaks for whoever raised a dispute.
func (s *server) ReplyToDispute(ctx context.Context, request spec.ReplyToDisputeRequestObject) (spec.ReplyToDisputeResponseObject, error) {
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.DisputeState, error) {
		textID, err := s.text(ctx, request.Body.Text)
		if err != nil {
			return spec.DisputeState{}, err
		}
		return s.actOnDispute(ctx, request.Dispute, incentive.DisputeAct(request.Body.Act), workflows.DisputeActInput{TextID: textID})
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.ReplyToDispute202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.ReplyToDispute200JSONResponse(answer), nil
}

// AnswerDispute answers somebody else's dispute.
func (s *server) AnswerDispute(ctx context.Context, request spec.AnswerDisputeRequestObject) (spec.AnswerDisputeResponseObject, error) {
	b, act := request.Body, incentive.DisputeAct(request.Body.Act)
	if (b.Amount != nil) != (act == incentive.Grant) || (b.Changes != nil) != (act == incentive.AcceptByRecalculation) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%s grants an amount, %s names changes, and no other answer does either", incentive.Grant, incentive.AcceptByRecalculation)
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.DisputeState, error) {
		var input workflows.DisputeActInput
		var err error
		if input.TextID, err = s.text(ctx, &b.Text); err != nil {
			return spec.DisputeState{}, err
		}
		if b.Amount != nil || b.Changes != nil {
			by := personOf(ctx).ID
			granted := store.DisputeAnswer{ID: commandID(ctx), DisputeID: request.Dispute, By: by, Partly: value(b.Partly), Amount: value(b.Amount)}
			for _, change := range value(b.Changes) {
				granted.Changes = append(granted.Changes, store.Change{Kind: string(change.Kind), ID: change.Id})
			}
			if _, err := s.Store.Dispute(ctx, by, scopeOf(ctx), request.Dispute); err != nil {
				return spec.DisputeState{}, err
			}
			if err := s.Store.KeepDisputeAnswer(ctx, granted); err != nil {
				return spec.DisputeState{}, err
			}
			input.AnswerID = granted.ID
		}
		return s.actOnDispute(ctx, request.Dispute, act, input)
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.AnswerDispute202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.AnswerDispute200JSONResponse(answer), nil
}

// actOnDispute sends an act to a dispute that the caller may see.
func (s *server) actOnDispute(ctx context.Context, id string, act incentive.DisputeAct, input workflows.DisputeActInput) (spec.DisputeState, error) {
	input.Actor = personOf(ctx).ID
	d, err := s.Store.Dispute(ctx, input.Actor, scopeOf(ctx), id)
	if err != nil {
		return spec.DisputeState{}, err
	}
	var answer workflows.DisputeAnswer
	err = update(ctx, s, activities.DisputeID(d.ID), string(act), input, &answer, func() error {
		if _, err := incentive.NextDispute(d.State, act, false); err != nil {
			return err
		}
		return workflows.StartDispute(ctx, s.Client, d.ID, d.PeriodID)
	})
	if err == nil && answer.Code != "" {
		err = incentive.Errorf(answer.Code, "%s", answer.Message)
	}
	return spec.DisputeState{Id: d.ID, State: string(answer.State)}, err
}

// tellDispute tells a dispute's workflow that its adjustment was decided about.
func (s *server) tellDispute(ctx context.Context, id string) error {
	err := s.Client.SignalWorkflow(ctx, activities.DisputeID(id), "", workflows.DisputeChangedSignal, nil)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("tell dispute %s: %w", id, err)
	}
	return nil
}

// AddEvidence adds a file to a dispute of the caller's own.
func (s *server) AddEvidence(ctx context.Context, request spec.AddEvidenceRequestObject) (spec.AddEvidenceResponseObject, error) {
	me := personOf(ctx).ID
	if _, err := s.Store.Dispute(ctx, me, incentive.Own, request.Dispute); err != nil {
		return nil, err
	}
	name, content, err := oneFile(request.Body)
	if err != nil {
		return nil, err
	}
	e, err := s.Store.AddEvidence(ctx, store.Evidence{ID: commandID(ctx), DisputeID: request.Dispute, Name: name, Content: content, AddedBy: me})
	if err != nil {
		return nil, err
	}
	return spec.AddEvidence201JSONResponse(evidenceOf(e)), nil
}

// oneFile reads the one file of a form, as far as it may be evidence.
func oneFile(form *multipart.Reader) (name string, content []byte, err error) {
	part, err := form.NextPart()
	if err != nil || part.FormName() != "file" || part.FileName() == "" {
		return "", nil, incentive.Errorf(incentive.CodeInvalid, "send one file as the part %q of multipart/form-data", "file")
	}
	name = part.FileName()
	if content, err = io.ReadAll(io.LimitReader(part, incentive.LargestEvidence+1)); err != nil {
		return "", nil, incentive.Errorf(incentive.CodeInvalid, "the upload was cut short")
	}
	if _, err := form.NextPart(); !errors.Is(err, io.EOF) {
		return "", nil, incentive.Errorf(incentive.CodeInvalid, "send one file at a time")
	}
	return name, content, nil
}

// GetEvidence returns a file to save, never to show.
func (s *server) GetEvidence(ctx context.Context, request spec.GetEvidenceRequestObject) (spec.GetEvidenceResponseObject, error) {
	d, err := s.Store.Dispute(ctx, personOf(ctx).ID, scopeOf(ctx), request.Dispute)
	if err != nil {
		return nil, err
	}
	e, err := s.Store.Evidence(ctx, d.ID, request.Evidence)
	if err != nil {
		return nil, err
	}
	name := attachment(e.Name)
	return spec.GetEvidence200ApplicationoctetStreamResponse{Body: bytes.NewReader(e.Content), ContentLength: int64(len(e.Content)),
		Headers: spec.GetEvidence200ResponseHeaders{ContentDisposition: &name}}, nil
}
