package api

import (
	"cmp"
	"context"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// ListRewards lists what a participant can choose to be paid by. A rail that does not
// answer keeps nothing of the others back.
func (s *server) ListRewards(ctx context.Context, request spec.ListRewardsRequestObject) (spec.ListRewardsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	who, err := s.Store.Recipient(ctx, request.Person, s.today())
	if err != nil {
		return nil, err
	}
	currency, err := incentive.ParseCurrency(cmp.Or(value(request.Params.Currency), string(who.Currency)))
	if err != nil {
		return nil, err
	}
	answer := spec.ListRewards200JSONResponse{
		Country:     cmp.Or(value(request.Params.Country), who.Country),
		Currency:    string(currency),
		Email:       who.Email,
		Rewards:     []spec.Reward{},
		Unavailable: []string{},
	}
	for _, name := range s.Rails.Names() {
		rail, err := s.Rails.Rail(name)
		if err != nil {
			return nil, err
		}
		catalogue, has := rail.(payments.Catalogue)
		if !has {
			continue
		}
		products, err := catalogue.Products(ctx, answer.Country, currency)
		if err != nil {
			s.Log.WarnContext(ctx, "a catalogue of rewards cannot be had", "rail", name, "error", err)
			answer.Unavailable = append(answer.Unavailable, name)
			continue
		}
		for _, p := range products {
			reward := spec.Reward{Rail: name, Product: p.ID, Name: p.Name, Kind: string(p.Kind), Category: p.Category, Amounts: []spec.RewardAmounts{}}
			for _, b := range p.Bands {
				reward.Amounts = append(reward.Amounts, spec.RewardAmounts{Smallest: b.Smallest, Largest: b.Largest})
			}
			answer.Rewards = append(answer.Rewards, reward)
		}
	}
	return answer, nil
}
