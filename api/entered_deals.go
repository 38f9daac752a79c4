package api

import (
	"bytes"
	"context"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

func enteredDealOf(d store.EnteredDeal) spec.EnteredDeal {
	return spec.EnteredDeal{
		Id:          d.ID,
		Person:      d.ParticipantID,
		PersonName:  d.PersonName,
		Version:     d.Version,
		Date:        d.Date,
		Amount:      d.Amount.String(),
		Currency:    string(d.Currency),
		Attributes:  d.Attributes,
		Note:        d.Note,
		State:       string(d.State),
		EnteredAt:   d.EnteredAt,
		CorrectedAt: d.CorrectedAt,
		Approver:    orNil(d.Approver),
		DecidedBy:   orNil(d.DecidedBy),
		OnBehalfOf:  orNil(d.OnBehalfOf),
		DecidedAt:   d.DecidedAt,
		Reason:      orNil(d.Reason),
		Decides:     d.Decides,
		Evidence:    []spec.Evidence{},
	}
}

func enteredDealsOf(all []store.EnteredDeal) []spec.EnteredDeal {
	shown := []spec.EnteredDeal{}
	for _, d := range all {
		shown = append(shown, enteredDealOf(d))
	}
	return shown
}

// ListEnteredDeals lists the entered deals that the caller may see.
func (s *server) ListEnteredDeals(ctx context.Context, request spec.ListEnteredDealsRequestObject) (spec.ListEnteredDealsResponseObject, error) {
	p, limit := request.Params, limitOf(request.Params.Limit)
	which := store.WhichDeals{ParticipantID: value(p.Person), Waiting: value(p.Waiting)}
	if p.State != nil {
		which.State = store.DealState(*p.State)
	}
	all, err := s.Store.EnteredDeals(ctx, personOf(ctx).ID, scopeOf(ctx), which, value(p.After), limit)
	if err != nil {
		return nil, err
	}
	enters := incentive.Right(personOf(ctx).Roles, incentive.EnterDeals) > incentive.None
	if enters {
		today, err := s.todayThere(ctx)
		if err != nil {
			return nil, err
		}
		if enters, err = s.Store.EntersDeals(ctx, personOf(ctx).ID, today); err != nil {
			return nil, err
		}
	}
	return spec.ListEnteredDeals200JSONResponse{
		Deals:  enteredDealsOf(all),
		Enters: &enters,
		Next:   next(len(all), limit, func() string { return all[len(all)-1].ID }),
	}, nil
}

// GetEnteredDeal returns a deal with its files.
func (s *server) GetEnteredDeal(ctx context.Context, request spec.GetEnteredDealRequestObject) (spec.GetEnteredDealResponseObject, error) {
	d, err := s.Store.EnteredDeal(ctx, personOf(ctx).ID, scopeOf(ctx), request.Deal)
	if err != nil {
		return nil, err
	}
	files, err := s.Store.EvidenceOf(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	answer := enteredDealOf(d)
	for _, e := range files {
		answer.Evidence = append(answer.Evidence, evidenceOf(e))
	}
	return spec.GetEnteredDeal200JSONResponse(answer), nil
}

// deal is what the caller says of a deal of theirs, with the note kept.
func (s *server) deal(ctx context.Context, day types.Date, amount, currency string, attributes *map[string]string, note *string) (d store.EnteredDeal, today incentive.Date, err error) {
	d = store.EnteredDeal{ParticipantID: personOf(ctx).ID, Date: incentive.DateOf(day.Time), Attributes: value(attributes)}
	if d.Amount, err = incentive.ParseDecimal(amount); err != nil {
		return d, today, err
	}
	if d.Currency, err = incentive.ParseCurrency(currency); err != nil {
		return d, today, err
	}
	if today, err = s.todayThere(ctx); err != nil {
		return d, today, err
	}
	d.NoteID, err = s.text(ctx, note)
	return d, today, err
}

// EnterDeal enters a deal of the caller's.
func (s *server) EnterDeal(ctx context.Context, request spec.EnterDealRequestObject) (spec.EnterDealResponseObject, error) {
	b := request.Body
	d, today, err := s.deal(ctx, b.Date, b.Amount, b.Currency, b.Attributes, b.Note)
	if err != nil {
		return nil, err
	}
	d.ID = commandID(ctx)
	d, err = s.Store.EnterDeal(ctx, d, today)
	if err != nil {
		return nil, err
	}
	return spec.EnterDeal201JSONResponse(enteredDealOf(d)), nil
}

// CorrectDeal corrects a deal of the caller's that waits.
func (s *server) CorrectDeal(ctx context.Context, request spec.CorrectDealRequestObject) (spec.CorrectDealResponseObject, error) {
	b := request.Body
	d, today, err := s.deal(ctx, b.Date, b.Amount, b.Currency, b.Attributes, b.Note)
	if err != nil {
		return nil, err
	}
	d.ID, d.Version = request.Deal, b.Version
	d, err = s.Store.CorrectDeal(ctx, d, today)
	if err != nil {
		return nil, err
	}
	return spec.CorrectDeal200JSONResponse(enteredDealOf(d)), nil
}

// WithdrawDeal withdraws a deal of the caller's that waits.
func (s *server) WithdrawDeal(ctx context.Context, request spec.WithdrawDealRequestObject) (spec.WithdrawDealResponseObject, error) {
	d, err := s.Store.WithdrawDeal(ctx, personOf(ctx).ID, request.Deal, request.Body.Version)
	if err != nil {
		return nil, err
	}
	return spec.WithdrawDeal200JSONResponse(enteredDealOf(d)), nil
}

// DecideDeals approves or rejects deals that wait for the caller.
func (s *server) DecideDeals(ctx context.Context, request spec.DecideDealsRequestObject) (spec.DecideDealsResponseObject, error) {
	reasonID, err := s.text(ctx, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	var deals []store.DealVersion
	for _, d := range request.Body.Deals {
		deals = append(deals, store.DealVersion{ID: d.Deal, Version: d.Version})
	}
	decided, err := s.Store.DecideDeals(ctx, personOf(ctx).ID, scopeOf(ctx), store.DealState(request.Body.Decision), reasonID, deals)
	if err != nil {
		return nil, err
	}
	return spec.DecideDeals200JSONResponse{Deals: enteredDealsOf(decided)}, nil
}

// AddDealEvidence adds a file to a deal of the caller's that waits.
func (s *server) AddDealEvidence(ctx context.Context, request spec.AddDealEvidenceRequestObject) (spec.AddDealEvidenceResponseObject, error) {
	me := personOf(ctx).ID
	if _, err := s.Store.EnteredDeal(ctx, me, incentive.Own, request.Deal); err != nil {
		return nil, err
	}
	name, content, err := oneFile(request.Body)
	if err != nil {
		return nil, err
	}
	e, err := s.Store.AddEvidence(ctx, store.Evidence{ID: commandID(ctx), DealID: request.Deal, Name: name, Content: content, AddedBy: me})
	if err != nil {
		return nil, err
	}
	return spec.AddDealEvidence201JSONResponse(evidenceOf(e)), nil
}

// GetDealEvidence returns a file of a deal to save, never to show.
func (s *server) GetDealEvidence(ctx context.Context, request spec.GetDealEvidenceRequestObject) (spec.GetDealEvidenceResponseObject, error) {
	d, err := s.Store.EnteredDeal(ctx, personOf(ctx).ID, scopeOf(ctx), request.Deal)
	if err != nil {
		return nil, err
	}
	e, err := s.Store.Evidence(ctx, d.ID, request.DealFile)
	if err != nil {
		return nil, err
	}
	name := attachment(e.Name)
	return spec.GetDealEvidence200ApplicationoctetStreamResponse{Body: bytes.NewReader(e.Content), ContentLength: int64(len(e.Content)),
		Headers: spec.GetDealEvidence200ResponseHeaders{ContentDisposition: &name}}, nil
}

// GetPendingDeals says what somebody's deals that wait for approval would bring.
func (s *server) GetPendingDeals(ctx context.Context, request spec.GetPendingDealsRequestObject) (spec.GetPendingDealsResponseObject, error) {
	p, today, err := s.estimatedToday(ctx, request.Period, request.Person)
	if err != nil {
		return nil, err
	}
	l, err := s.Store.PendingDeals(ctx, p, request.Person, today)
	if err != nil {
		return nil, err
	}
	return spec.GetPendingDeals200JSONResponse{Period: p.ID, Person: request.Person, Deals: enteredDealsOf(l.Deals), Now: l.Now.Total,
		IfApproved: incentive.Money{Minor: l.IfApproved.Total.Minor - l.Now.Total.Minor, Currency: l.Now.Total.Currency}}, nil
}
