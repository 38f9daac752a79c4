package sample

import (
	"context"
	"fmt"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
)

// objectives are those of the managers of teams that sell in dollars, in the last two months.
var objectives = []struct{ name, weight, means, score, reason string }{
	{"Hire two representatives", "0.6", "Both have signed by the end of the month.", "1", "Both start next month."},
	{"Forecast within 10 percent", "0.4", "What the team forecast on the first day, against what it closed.", "0.75", "12 percent off."},
}

// setObjectives has the head of sales set the managers' objectives of a month, and score them
// where it has ended.
func (o *office) setObjectives(ctx context.Context, period string, ended bool) error {
	head, err := o.as(ctx, Head)
	if err != nil {
		return err
	}
	for _, manager := range withObjectives() {
		for _, one := range objectives {
			request := client.ObjectiveRequest{Person: manager, Name: one.name, Weight: one.weight, Description: &one.means}
			if ended {
				request.Score, request.Reason = &one.score, &one.reason
			}
			if _, err := client.Read[client.Objective](head.SetObjective(ctx, period, &client.SetObjectiveParams{IdempotencyKey: client.NewKey()}, request)); err != nil {
				return fmt.Errorf("set an objective of %s: %w", manager, err)
			}
		}
	}
	return nil
}

// enterDeals has a representative enter two deals that no source knows, of which their manager
// approves one, and finance relieve another representative of half of their quota for a week of the month.
func (o *office) enterDeals(ctx context.Context, month client.Period) error {
	manager, representatives := teamOf(0)
	rep, err := o.as(ctx, representatives[0])
	if err != nil {
		return err
	}
	entered := make([]client.EnteredDeal, 2)
	for i, amount := range []string{"4200", "7800.50"} {
		note := "Sold at the fair: it is in no system."
		entered[i], err = client.Read[client.EnteredDeal](rep.EnterDeal(ctx, &client.EnterDealParams{IdempotencyKey: fmt.Sprintf("sample-deal-%s-%d", month.Id, i)},
			client.EnteredDealRequest{
				Date:       types.Date{Time: month.StartsOn.UTC()},
				Amount:     amount,
				Currency:   "USD",
				Attributes: &map[string]string{"product": "platform", "customer": fmt.Sprintf("Fair visitor %d", i+1)},
				Note:       &note,
			}))
		if err != nil {
			return fmt.Errorf("enter a deal: %w", err)
		}
	}
	decides, err := o.as(ctx, manager)
	if err != nil {
		return err
	}
	_, err = client.Read[client.EnteredDeals](decides.DecideDeals(ctx, &client.DecideDealsParams{IdempotencyKey: "sample-deal-" + month.Id},
		client.DealDecisionRequest{Decision: client.DealDecisionRequestDecisionApproved, Deals: []client.DealVersion{{Deal: entered[0].Id, Version: entered[0].Version}}}))
	if err != nil {
		return fmt.Errorf("approve a deal: %w", err)
	}
	finance, err := o.as(ctx, FinancePrepare)
	if err != nil {
		return err
	}
	reason := "A week of parental leave."
	fields := map[string]string{"participant_id": representatives[1], "measure": "bookings", "starts_on": month.StartsOn.AddDays(7).String(), "ends_on": month.StartsOn.AddDays(13).String(), "cause": string(incentive.ReliefLeave), "share": "50%"}
	_, err = client.Read[client.Entered](finance.EnterRecords(ctx, &client.EnterRecordsParams{IdempotencyKey: client.NewKey()},
		client.EntryRequest{Kind: client.EntryRequestKind(mapping.QuotaRelief), Records: []client.Entry{{Fields: fields}}, Reason: &reason}))
	if err != nil {
		return fmt.Errorf("relieve %s: %w", representatives[1], err)
	}
	return nil
}
