package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// openDeal is an opportunity as a page shows it.
type openDeal struct {
	client.Opportunity
	Key     string // as the form carries it
	Chosen  bool
	Percent string // of the probability
	More    []coveredBy
}

// pipelineSum is what open deals in one currency come to.
type pipelineSum struct {
	Currency         string
	Deals            int
	Amount, Weighted decimal.Decimal
}

type pipelinePage struct {
	Period  *client.Period   // in which deals count now; nil for none
	Figures *client.Pipeline // of the visitor's own; nil where nothing is estimated
	Own     []openDeal
	Team    []openDeal
	Sums    []pipelineSum // of the team
	Leads   bool
	MayAsk  bool
	More    bool
	If      *supposed // the answer
}

func keyOfDeal(source, id string) string { return url.PathEscape(source) + "/" + url.PathEscape(id) }

// shownDeals are opportunities as a page shows them.
func shownDeals(all []client.Opportunity, chosen []string) (shown []openDeal) {
	for _, o := range all {
		one := openDeal{Opportunity: o, Key: keyOfDeal(o.Source, o.Id), Percent: read(o.Probability).Mul(hundred).String(), More: covers(o.Attributes)}
		one.Chosen = slices.Contains(chosen, one.Key)
		shown = append(shown, one)
	}
	return shown
}

func sumsOf(all []openDeal) (sums []pipelineSum) {
	for _, o := range all {
		at := slices.IndexFunc(sums, func(s pipelineSum) bool { return s.Currency == o.Currency })
		if at < 0 {
			sums = append(sums, pipelineSum{Currency: o.Currency})
			at = len(sums) - 1
		}
		s := &sums[at]
		s.Deals, s.Amount, s.Weighted = s.Deals+1, s.Amount.Add(read(o.Amount)), s.Weighted.Add(read(o.Weighted))
	}
	slices.SortFunc(sums, func(a, b pipelineSum) int { return strings.Compare(a.Currency, b.Currency) })
	return sums
}

// pipeline shows the open deals of the visitor, with what they would bring, and of their team.
func (v *visit) pipeline() error {
	body, err := v.pipelinePage()
	if err != nil {
		return err
	}
	return v.show("pipeline", "pipeline.title", body)
}

func (v *visit) pipelinePage() (pipelinePage, error) {
	body := pipelinePage{Leads: v.may(incentive.ReadStatements) > incentive.Own}
	if v.may(incentive.ReadStatements) == incentive.None {
		return body, v.forbidden()
	}
	open, more, err := every(2, func(after *string) ([]client.Opportunity, *string, error) {
		list, err := client.Read[client.Opportunities](v.api.ListOpportunities(v.r.Context(), &client.ListOpportunitiesParams{After: after, Limit: &most}))
		return list.Opportunities, list.Next, err
	})
	if err != nil {
		return body, err
	}
	body.More = more
	for _, one := range shownDeals(open, v.r.PostForm["deal"]) {
		if one.Person == v.me.Id {
			body.Own = append(body.Own, one)
		} else {
			body.Team = append(body.Team, one)
		}
	}
	body.Sums = sumsOf(body.Team)
	all, err := v.allPeriods()
	if err != nil {
		return body, err
	}
	if body.Period = v.estimated(all); body.Period == nil || body.Period.State != string(incentive.Open) || len(body.Own) == 0 {
		return body, nil
	}
	figures, err := client.Read[client.Pipeline](v.api.GetPipeline(v.r.Context(), body.Period.Id, v.me.Id))
	switch code := incentive.ErrorCode(err); {
	case err == nil:
		body.Figures, body.MayAsk = &figures, true
	case code != incentive.CodeNotFound && code != incentive.CodeInvalid: // on no plan, or not to be estimated: "As things stand" says why
		return body, err
	}
	return body, nil
}

// ifClosed answers what the visitor would earn with some of their open deals closed.
func (v *visit) ifClosed() error {
	body, err := v.pipelinePage()
	if err != nil {
		return err
	}
	if body.Period == nil {
		return incentive.Errorf(incentive.CodeNotFound, "%s", v.texts.Get("live.none"))
	}
	chosen := []client.OpportunityKey{}
	for _, one := range body.Own {
		if one.Chosen {
			chosen = append(chosen, client.OpportunityKey{Source: one.Source, Id: one.Id})
		}
	}
	answer, err := client.Read[client.WhatIf](v.api.WhatIf(v.r.Context(), body.Period.Id, v.me.Id, &client.WhatIfParams{IdempotencyKey: v.key()}, client.WhatIfRequest{Opportunities: &chosen}))
	if err != nil {
		v.problem = err
	} else {
		body.If = &supposed{answer, progressOf(answer.After.Progress)}
	}
	return v.show("pipeline", "pipeline.title", body)
}
