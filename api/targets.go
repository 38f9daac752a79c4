package api

import (
	"context"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

func proposalOf(p store.TargetProposal) spec.TargetProposal {
	shown := spec.TargetProposal{
		Id:         p.ID,
		Name:       p.Name,
		Plan:       p.PlanID,
		Measure:    p.Measure,
		Currency:   string(p.Currency),
		StartsOn:   p.StartsOn,
		EndsOn:     p.EndsOn,
		Method:     spec.TargetProposalMethod(p.Method),
		Target:     p.Target.String(),
		Growth:     p.Growth.String(),
		RampMonths: p.RampMonths,
		Seasonal:   p.Seasonal,
		State:      "in-review",
		People:     p.People,
		Sum:        p.Sum.String(),
		ProposedBy: p.ProposedBy,
		ProposedAt: p.ProposedAt,
		DecidedBy:  orNil(p.DecidedBy),
		DecidedAt:  p.DecidedAt,
	}
	if p.Outcome != "" {
		shown.State = spec.TargetProposalState(p.Outcome)
	}
	return shown
}

// ListTargetProposals lists proposals of quotas.
func (s *server) ListTargetProposals(ctx context.Context, request spec.ListTargetProposalsRequestObject) (spec.ListTargetProposalsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.TargetProposals(ctx, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListTargetProposals200JSONResponse{Proposals: []spec.TargetProposal{}}
	for _, p := range all {
		answer.Proposals = append(answer.Proposals, proposalOf(p))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// ProposeTargets proposes quotas for everybody on a plan.
func (s *server) ProposeTargets(ctx context.Context, request spec.ProposeTargetsRequestObject) (spec.ProposeTargetsResponseObject, error) {
	b := request.Body
	p := store.TargetProposal{ID: commandID(ctx), Name: strings.TrimSpace(b.Name), PlanID: b.Plan, Measure: b.Measure, StartsOn: b.StartsOn, EndsOn: b.EndsOn,
		Method: incentive.TargetMethod(b.Method), RampMonths: value(b.RampMonths), Seasonal: value(b.Seasonal), ProposedBy: personOf(ctx).ID}
	var err error
	if p.Currency, err = incentive.ParseCurrency(b.Currency); err != nil {
		return nil, err
	}
	for text, into := range map[*string]*decimal.Decimal{b.Target: &p.Target, b.Growth: &p.Growth} {
		if text != nil {
			if *into, err = decimal.NewFromString(*text); err != nil {
				return nil, incentive.Errorf(incentive.CodeInvalid, "%q is no number", *text)
			}
		}
	}
	switch growing := p.Method == incentive.TargetByGrowth; {
	case growing && b.Target != nil || !growing && b.Growth != nil:
		return nil, incentive.Errorf(incentive.CodeInvalid, "growth gives the target, and the other ways split one: name the one or the other")
	case growing && (b.Growth == nil || p.Growth.LessThan(decimal.NewFromInt(-1))), !growing && (b.Target == nil || p.Target.IsNegative()):
		return nil, incentive.Errorf(incentive.CodeInvalid, "say what to split (target, not below zero), or by how much last year's figures grow (growth, such as 0.1)")
	}
	kept, err := s.Store.ProposeTargets(ctx, p)
	if err != nil {
		return nil, err
	}
	return spec.ProposeTargets201JSONResponse(proposalOf(kept)), nil
}

// GetTargetProposal shows a proposal with the figures of those within reach.
func (s *server) GetTargetProposal(ctx context.Context, request spec.GetTargetProposalRequestObject) (spec.GetTargetProposalResponseObject, error) {
	p, err := s.Store.TargetProposal(ctx, request.Proposal)
	if err != nil {
		return nil, err
	}
	visible, err := s.visible(ctx, s.today())
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	figures, err := s.Store.TargetFigures(ctx, p.ID, visible, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.GetTargetProposal200JSONResponse{Proposal: proposalOf(p), Figures: []spec.TargetFigure{}}
	for _, f := range figures {
		answer.Figures = append(answer.Figures, spec.TargetFigure{
			Person:    f.ParticipantID,
			Name:      f.Name,
			Version:   f.Version,
			LastYear:  f.LastYear.String(),
			Proposed:  f.Proposed.String(),
			Amount:    f.Amount.String(),
			Reason:    orNil(f.Reason),
			ChangedBy: orNil(f.ChangedBy),
			ChangedAt: f.ChangedAt,
		})
	}
	answer.Next = next(len(figures), limit, func() string { return figures[len(figures)-1].ParticipantID })
	return answer, nil
}

// ChangeTarget changes what is proposed for somebody.
func (s *server) ChangeTarget(ctx context.Context, request spec.ChangeTargetRequestObject) (spec.ChangeTargetResponseObject, error) {
	if err := s.reach(ctx, request.Body.Person); err != nil {
		return nil, err
	}
	amount, err := decimal.NewFromString(request.Body.Amount)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%q is no number", request.Body.Amount)
	}
	reason := strings.TrimSpace(request.Body.Reason)
	if reason == "" {
		return nil, incentive.Errorf(store.CodeReasonMissing, "say why: a change of what is proposed needs a reason")
	}
	me := personOf(ctx).ID
	reasonID, err := s.Store.WriteText(ctx, me, reason)
	if err != nil {
		return nil, err
	}
	if err := s.Store.ChangeTarget(ctx, me, request.Proposal, request.Body.Person, request.Body.Version, amount, reasonID); err != nil {
		return nil, err
	}
	p, err := s.Store.TargetProposal(ctx, request.Proposal)
	return spec.ChangeTarget200JSONResponse(proposalOf(p)), err
}

// EndTargetProposal publishes or withdraws a proposal.
func (s *server) EndTargetProposal(ctx context.Context, request spec.EndTargetProposalRequestObject) (spec.EndTargetProposalResponseObject, error) {
	seen, err := decimal.NewFromString(request.Body.Sum)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%q is no number", request.Body.Sum)
	}
	p, err := s.Store.EndProposal(ctx, personOf(ctx).ID, request.Proposal, string(request.Body.Outcome), seen)
	if err != nil {
		return nil, err
	}
	return spec.EndTargetProposal200JSONResponse(proposalOf(p)), nil
}
