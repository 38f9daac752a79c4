package api

import (
	"cmp"
	"context"
	"slices"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// codeRewardUnknown is the code of a reward that cannot be taken: it is not in the catalogue, or not in that amount.
const codeRewardUnknown incentive.Code = "reward-unknown"

func redemptionOf(r store.Redemption) spec.Redemption {
	waits := (r.State == store.RedemptionIntended || r.State == store.RedemptionUnknown) && r.Reason != ""
	return spec.Redemption{
		Id:         r.ID,
		Person:     r.ParticipantID,
		Name:       r.Name,
		Points:     r.Amount.Minor,
		Worth:      r.Amount,
		Rail:       r.Rail,
		Reward:     r.Reward,
		SentTo:     r.Masked,
		State:      string(r.State),
		Reason:     r.Reason,
		Waits:      waits,
		AskedAt:    r.AskedAt,
		FinishedAt: r.FinishedAt,
	}
}

func redemptionsOf(all []store.Redemption) []spec.Redemption {
	list := []spec.Redemption{}
	for _, r := range all {
		list = append(list, redemptionOf(r))
	}
	return list
}

// GetPoints returns what a participant has in points, and the rewards that they took.
func (s *server) GetPoints(ctx context.Context, request spec.GetPointsRequestObject) (spec.GetPointsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	balances, err := s.Store.Points(ctx, request.Person)
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Redemptions(ctx, store.WhichRedemptions{ParticipantID: request.Person}, value(request.Params.Before), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.GetPoints200JSONResponse{Person: request.Person, Balances: []spec.PointsBalance{}, Redemptions: redemptionsOf(all)}
	for _, b := range balances {
		one := spec.PointsBalance{Points: b.Amount.Minor, Worth: b.Amount, Expiring: b.NextMinor}
		if b.NextOn != nil {
			one.ExpireOn = &openapi_types.Date{Time: b.NextOn.UTC()}
		}
		answer.Balances = append(answer.Balances, one)
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// RedeemPoints takes a reward for points and has it ordered.
func (s *server) RedeemPoints(ctx context.Context, request spec.RedeemPointsRequestObject) (spec.RedeemPointsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	who, err := s.Store.Recipient(ctx, request.Person, s.today())
	if err != nil {
		return nil, err
	}
	currency, err := incentive.ParseCurrency(request.Body.Currency)
	if err != nil {
		return nil, err
	}
	amount := incentive.Money{Minor: request.Body.Points, Currency: currency}
	rail, err := s.Rails.Rail(request.Body.Rail)
	if err != nil {
		return nil, err
	}
	catalogue, has := rail.(payments.Catalogue)
	if !has {
		return nil, incentive.Errorf(codeRewardUnknown, "%s has no rewards", rail.Name())
	}
	products, err := catalogue.Products(ctx, who.Country, currency)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(products, func(p payments.Product) bool { return p.ID == request.Body.Product })
	if at < 0 {
		return nil, incentive.Errorf(codeRewardUnknown, "%s has no reward %q in %s and %s: choose one of the list", rail.Name(), request.Body.Product, who.Country, currency)
	}
	if !products[at].Offers(amount) {
		return nil, incentive.Errorf(codeRewardUnknown, "%s is not to be had for %s: choose one of its amounts", products[at].Name, amount)
	}
	if err := rail.Capabilities().Check(rail.Name(), amount); err != nil {
		return nil, err
	}
	clean, masked, err := rail.ValidateDestination(payments.Destination{"email": cmp.Or(value(request.Body.Email), who.Email), "product": request.Body.Product})
	if err != nil {
		return nil, err
	}
	r, err := s.Store.Redeem(ctx, personOf(ctx).ID, store.Redemption{
		ID:            commandID(ctx),
		ParticipantID: request.Person,
		Amount:        amount,
		Rail:          rail.Name(),
		Reward:        products[at].Name,
		Details:       clean,
		Masked:        masked,
	})
	if err != nil {
		return nil, err
	}
	// Where this does not come through, a worker that starts finds it.
	if err := workflows.StartRedemption(ctx, s.Client, r.ID, r.Rail); err != nil {
		return nil, err
	}
	return spec.RedeemPoints201JSONResponse(redemptionOf(r)), nil
}

// ListRedemptions lists the rewards that participants took for points.
func (s *server) ListRedemptions(ctx context.Context, request spec.ListRedemptionsRequestObject) (spec.ListRedemptionsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Redemptions(ctx, store.WhichRedemptions{Waiting: value(request.Params.Waiting)}, value(request.Params.Before), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListRedemptions200JSONResponse{Redemptions: redemptionsOf(all)}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// GiveBackPoints ends a redemption that waits for a person, and tells its workflow.
func (s *server) GiveBackPoints(ctx context.Context, request spec.GiveBackPointsRequestObject) (spec.GiveBackPointsResponseObject, error) {
	actor := personOf(ctx).ID
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	if err := s.Store.GiveBackPoints(ctx, actor, request.Redemption, reasonID); err != nil {
		return nil, err
	}
	if err := workflows.TellRedemption(ctx, s.Client, request.Redemption); err != nil {
		return nil, err
	}
	r, err := s.Store.Redemption(ctx, request.Redemption)
	return spec.GiveBackPoints200JSONResponse(redemptionOf(r)), err
}
