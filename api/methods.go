package api

import (
	"context"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// GetDestination returns where a participant is paid, masked.
func (s *server) GetDestination(ctx context.Context, request spec.GetDestinationRequestObject) (spec.GetDestinationResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	d, err := s.Store.LatestDestination(ctx, request.Person)
	if err != nil {
		return nil, err
	}
	return spec.GetDestination200JSONResponse{Person: d.ParticipantID, Rail: d.Rail, Version: d.Version, Masked: d.Masked}, nil
}

// PutDestination says where a participant is to be paid, all of it.
func (s *server) PutDestination(ctx context.Context, request spec.PutDestinationRequestObject) (spec.PutDestinationResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	d, err := s.destinationOf(ctx, request.Person, request.Body.Rail, request.Body.Details)
	if err != nil {
		return nil, err
	}
	d, err = s.Store.SetDestination(ctx, personOf(ctx).ID, d)
	return spec.PutDestination200JSONResponse{Person: d.ParticipantID, Rail: d.Rail, Version: d.Version, Masked: d.Masked}, err
}

// destinationOf checks where a participant wants to be paid, and whether they may.
func (s *server) destinationOf(ctx context.Context, person, railName string, details map[string]string) (store.Destination, error) {
	rail, err := s.Rails.Rail(railName)
	if err != nil {
		return store.Destination{}, err
	}
	clean, masked, err := rail.ValidateDestination(payments.Destination(details))
	if err != nil {
		return store.Destination{}, err
	}
	allowed, err := s.Store.AllowedRails(ctx, person, s.Rails.Names())
	if err != nil {
		return store.Destination{}, err
	}
	if !slices.Contains(allowed, rail.Name()) {
		by := "none of the rails that are here"
		if len(allowed) > 0 {
			by = strings.Join(allowed, ", ")
		}
		return store.Destination{}, incentive.Errorf(store.CodeMethodNotAllowed, "the policy does not let %s be paid by %s; it lets them be paid by %s", person, rail.Name(), by)
	}
	return store.Destination{ParticipantID: person, Rail: rail.Name(), Details: clean, Masked: masked, Account: clean.Account()}, nil
}

// GetMethods returns the payout methods of a participant.
func (s *server) GetMethods(ctx context.Context, request spec.GetMethodsRequestObject) (spec.GetMethodsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	answer, err := s.methodsOf(ctx, request.Person)
	return spec.GetMethods200JSONResponse(answer), err
}

func (s *server) methodsOf(ctx context.Context, person string) (spec.Methods, error) {
	answer := spec.Methods{Person: person, Methods: []spec.Method{}, Rails: []string{}}
	set, err := s.Store.Methods(ctx, person)
	if err != nil {
		return answer, err
	}
	for _, d := range set {
		answer.Version = d.Version
		answer.Methods = append(answer.Methods, spec.Method{Id: d.ID, Rail: d.Rail, Masked: d.Masked, Share: d.Share.String()})
	}
	allowed, err := s.Store.AllowedRails(ctx, person, s.Rails.Names())
	answer.Rails = append(answer.Rails, allowed...)
	return answer, err
}

// PutMethods shares what a participant is paid between payout methods.
func (s *server) PutMethods(ctx context.Context, request spec.PutMethodsRequestObject) (spec.PutMethodsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	var set []store.Destination
	for _, m := range request.Body.Methods {
		share, err := decimal.NewFromString(m.Share)
		if err != nil {
			return nil, incentive.Errorf(store.CodeSharesWrong, "%q is not a share: write one such as 0.8", m.Share)
		}
		d := store.Destination{ID: value(m.Id)}
		switch named := value(m.Rail) != "" || m.Details != nil; {
		case named == (d.ID != 0):
			return nil, incentive.Errorf(incentive.CodeInvalid, "a payout method is named by its id, or by a rail with details")
		case named:
			if d, err = s.destinationOf(ctx, request.Person, value(m.Rail), value(m.Details)); err != nil {
				return nil, err
			}
		}
		d.Share = share
		set = append(set, d)
	}
	seen := store.AnyVersion
	if request.Body.Version != nil {
		seen = *request.Body.Version
	}
	if _, err := s.Store.SetMethods(ctx, personOf(ctx).ID, request.Person, seen, set); err != nil {
		return nil, err
	}
	answer, err := s.methodsOf(ctx, request.Person)
	return spec.PutMethods200JSONResponse(answer), err
}
