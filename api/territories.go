package api

import (
	"context"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// ListTerritories lists territories as they are on a day.
func (s *server) ListTerritories(ctx context.Context, request spec.ListTerritoriesRequestObject) (spec.ListTerritoriesResponseObject, error) {
	answer, err := s.groups(ctx, incentive.KindTerritory, request.Params.Day, value(request.Params.After), limitOf(request.Params.Limit))
	return spec.ListTerritories200JSONResponse(answer), err
}

// ListTeams lists teams as they are on a day.
func (s *server) ListTeams(ctx context.Context, request spec.ListTeamsRequestObject) (spec.ListTeamsResponseObject, error) {
	answer, err := s.groups(ctx, incentive.KindTeam, request.Params.Day, value(request.Params.After), limitOf(request.Params.Limit))
	return spec.ListTeams200JSONResponse(answer), err
}

// GetTerritory shows a territory over time.
func (s *server) GetTerritory(ctx context.Context, request spec.GetTerritoryRequestObject) (spec.GetTerritoryResponseObject, error) {
	answer, err := s.group(ctx, incentive.GroupKey{Kind: incentive.KindTerritory, ID: request.Territory})
	return spec.GetTerritory200JSONResponse(answer), err
}

// GetTeam shows a team over time.
func (s *server) GetTeam(ctx context.Context, request spec.GetTeamRequestObject) (spec.GetTeamResponseObject, error) {
	answer, err := s.group(ctx, incentive.GroupKey{Kind: incentive.KindTeam, ID: request.Team})
	return spec.GetTeam200JSONResponse(answer), err
}

func (s *server) groups(ctx context.Context, kind incentive.GroupKind, on *types.Date, after string, limit int) (spec.Groups, error) {
	answer := spec.Groups{Groups: []spec.Group{}}
	if on != nil {
		answer.Day = incentive.DateOf(on.Time)
	} else {
		today, err := s.todayThere(ctx)
		if err != nil {
			return answer, err
		}
		answer.Day = today
	}
	all, err := s.Store.Groups(ctx, kind, answer.Day, after, limit)
	if err != nil {
		return answer, err
	}
	for _, g := range all {
		answer.Groups = append(answer.Groups, groupOf(g.Group, g.Members))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

func groupOf(g incentive.Group, members int) spec.Group {
	return spec.Group{Id: g.ID, Name: g.Name, EffectiveFrom: g.EffectiveFrom, Until: dayOrNil(g.Until), Parent: orNil(g.ParentID), Covers: g.Covers, Members: members}
}

func dayOrNil(day incentive.Date) *incentive.Date {
	if day.IsZero() {
		return nil
	}
	return &day
}

func (s *server) group(ctx context.Context, key incentive.GroupKey) (spec.GroupHistory, error) {
	answer := spec.GroupHistory{Facts: []spec.Group{}, Members: []spec.Membership{}, Quotas: []spec.GroupQuota{}}
	facts, members, quotas, err := s.Store.Group(ctx, key)
	if err != nil {
		return answer, err
	}
	for _, g := range facts {
		answer.Facts = append(answer.Facts, groupOf(g, store.MembersOn(members, g.EffectiveFrom)))
	}
	for _, m := range members {
		answer.Members = append(answer.Members, spec.Membership{
			Person:   m.ParticipantID,
			Role:     m.Role,
			Share:    m.Share.String(),
			StartsOn: m.StartsOn,
			EndsOn:   dayOrNil(m.EndsOn),
		})
	}
	for _, q := range quotas {
		answer.Quotas = append(answer.Quotas, spec.GroupQuota{Measure: q.Measure, StartsOn: q.StartsOn, EndsOn: q.EndsOn, Amount: q.Amount.String()})
	}
	return answer, nil
}
