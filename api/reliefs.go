package api

import (
	"context"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/store"
)

func reliefsOf(all []store.Relief) []spec.Relief {
	shown := []spec.Relief{}
	for _, r := range all {
		shown = append(shown, spec.Relief{
			Person:   r.ParticipantID,
			Name:     r.Name,
			Measure:  r.Measure,
			StartsOn: r.StartsOn,
			EndsOn:   r.EndsOn,
			Cause:    spec.ReliefCause(r.Cause),
			Version:  r.Version,
			Amount:   exactly(r.Amount),
			Share:    exactly(r.Share),
		})
	}
	return shown
}

// ListReliefs lists reliefs as they stand.
func (s *server) ListReliefs(ctx context.Context, request spec.ListReliefsRequestObject) (spec.ListReliefsResponseObject, error) {
	p, limit := request.Params, limitOf(request.Params.Limit)
	after, err := fromCursor[store.ReliefKey](p.After)
	if err != nil {
		return nil, err
	}
	visible, err := s.visibleOf(ctx, s.today(), value(p.Person))
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Reliefs(ctx, store.ReliefsOf{
		Visible: visible,
		Person:  value(p.Person),
		Measure: value(p.Measure),
		On:      dayOf(p.On),
		Search:  value(p.Search),
	}, after, limit)
	answer := spec.ListReliefs200JSONResponse{Reliefs: reliefsOf(all)}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return cursor(store.ReliefKey{StartsOn: last.StartsOn, Person: last.ParticipantID, Measure: last.Measure, Cause: string(last.Cause)})
	})
	return answer, err
}

// mayRelieve refuses a relief without a reason, and one of whoever enters it.
func mayRelieve(ctx context.Context, kind mapping.Kind, entries []mapping.Entry, reason string) error {
	switch me := personOf(ctx).ID; {
	case kind != mapping.QuotaRelief:
		return nil
	case reason == "":
		return incentive.Errorf(store.CodeReasonMissing, "say why: whoever relieves somebody of a part of their quota gives a reason")
	case slices.ContainsFunc(entries, func(e mapping.Entry) bool { return strings.TrimSpace(e.Fields["participant_id"]) == me }):
		return incentive.Errorf(incentive.CodeOwnPay, "nobody relieves themselves of a part of their quota: somebody else of finance does")
	}
	return nil
}

func proposedReliefOf(p store.ReliefProposal) spec.ReliefProposal {
	return spec.ReliefProposal{
		Id:         p.ID,
		Person:     p.ParticipantID,
		Name:       p.Name,
		Measure:    p.Measure,
		StartsOn:   p.StartsOn,
		EndsOn:     p.EndsOn,
		Cause:      spec.ReliefProposalCause(p.Cause),
		Revises:    p.Version,
		Reason:     p.Reason,
		ProposedBy: p.ProposedBy,
		ProposedAt: p.ProposedAt,
		State:      spec.ReliefProposalState(p.State),
		DecidedBy:  orNil(p.DecidedBy),
		DecidedAt:  p.DecidedAt,
		Answer:     orNil(p.Answer),
		Amount:     exactly(p.Amount),
		Share:      exactly(p.Share),
	}
}

// ListReliefProposals lists the proposed reliefs of those within reach, and the caller's proposals.
func (s *server) ListReliefProposals(ctx context.Context, request spec.ListReliefProposalsRequestObject) (spec.ListReliefProposalsResponseObject, error) {
	p, limit := request.Params, limitOf(request.Params.Limit)
	visible, err := s.visibleOf(ctx, s.today(), value(p.Person))
	if err != nil {
		return nil, err
	}
	which := store.WhichReliefs{Person: value(p.Person), Visible: visible, Reader: personOf(ctx).ID}
	if p.State != nil {
		which.State = store.ReliefState(*p.State)
	}
	all, err := s.Store.ReliefProposals(ctx, which, value(p.After), limit)
	answer := spec.ListReliefProposals200JSONResponse{Proposals: []spec.ReliefProposal{}, Next: next(len(all), limit, func() string { return all[len(all)-1].ID })}
	for _, one := range all {
		answer.Proposals = append(answer.Proposals, proposedReliefOf(one))
	}
	return answer, err
}

// ProposeRelief proposes a relief of the quota of somebody of the caller's team. It is read as
// one that is entered or imported.
func (s *server) ProposeRelief(ctx context.Context, request spec.ProposeReliefRequestObject) (spec.ProposeReliefResponseObject, error) {
	b := request.Body
	if err := s.reach(ctx, b.Person); err != nil {
		return nil, err
	}
	rows, err := mapping.Enter(mapping.QuotaRelief, []mapping.Entry{{Fields: map[string]string{"participant_id": b.Person, "measure": b.Measure, "starts_on": b.StartsOn.String(), "ends_on": b.EndsOn.String(), "cause": string(b.Cause),
		"amount": value(b.Amount), "share": value(b.Share)}}})
	if err != nil {
		return nil, err
	}
	record := rows[0].Record
	p := store.ReliefProposal{ID: commandID(ctx), ProposedBy: personOf(ctx).ID,
		Relief: incentive.Relief{
			ParticipantID: record["participant_id"].(string),
			Measure:       record["measure"].(string),
			StartsOn:      b.StartsOn,
			EndsOn:        b.EndsOn,
			Cause:         incentive.ReliefCause(b.Cause),
		}}
	for name, into := range map[string]**decimal.Decimal{"amount": &p.Amount, "share": &p.Share} {
		if d, has := record[name].(decimal.Decimal); has {
			*into = &d
		}
	}
	if p.ReasonID, err = s.text(ctx, &b.Reason); err != nil {
		return nil, err
	}
	p, err = s.Store.ProposeRelief(ctx, p)
	return spec.ProposeRelief201JSONResponse(proposedReliefOf(p)), err
}

// DecideRelief grants or refuses a proposed relief.
func (s *server) DecideRelief(ctx context.Context, request spec.DecideReliefRequestObject) (spec.DecideReliefResponseObject, error) {
	reasonID, err := s.text(ctx, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.EndReliefProposal(ctx, personOf(ctx).ID, request.ReliefProposal, store.ReliefState(request.Body.Decision), reasonID)
	return spec.DecideRelief200JSONResponse(proposedReliefOf(p)), err
}

// WithdrawRelief withdraws a relief that the caller proposed.
func (s *server) WithdrawRelief(ctx context.Context, request spec.WithdrawReliefRequestObject) (spec.WithdrawReliefResponseObject, error) {
	me := personOf(ctx).ID
	visible, err := s.visible(ctx, s.today())
	if err != nil {
		return nil, err
	}
	seen, err := s.Store.ReliefProposals(ctx, store.WhichReliefs{ID: request.ReliefProposal, Visible: visible, Reader: me}, "", 1)
	if err != nil {
		return nil, err
	}
	if len(seen) == 0 {
		return nil, incentive.Errorf(incentive.CodeNotFound, "there is no proposed relief %q that you may see", request.ReliefProposal)
	}
	p, err := s.Store.EndReliefProposal(ctx, me, request.ReliefProposal, store.ReliefWithdrawn, "")
	return spec.WithdrawRelief200JSONResponse(proposedReliefOf(p)), err
}
