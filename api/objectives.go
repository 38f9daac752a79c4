package api

import (
	"context"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

func objectiveOf(o store.Objective) spec.Objective {
	return spec.Objective{Period: o.PeriodID, Person: o.ParticipantID, PersonName: o.PersonName, Name: o.Name, Weight: o.Weight.String(), Description: o.Description,
		Reason: o.Reason, Version: o.Version, EnteredBy: o.EnteredBy, EnteredAt: o.EnteredAt, Score: exactly(o.Score)}
}

// ListObjectives lists the objectives of a period that the caller may see.
func (s *server) ListObjectives(ctx context.Context, request spec.ListObjectivesRequestObject) (spec.ListObjectivesResponseObject, error) {
	var people []string
	var err error
	if of := request.Params.Person; of != nil {
		people, err = []string{*of}, s.reach(ctx, *of)
	} else {
		people, err = s.visible(ctx, s.today())
	}
	if err != nil {
		return nil, err
	}
	// No id holds a line break, and no name does.
	person, name, _ := strings.Cut(value(request.Params.After), "\n")
	limit := limitOf(request.Params.Limit)
	of := store.WhichObjectives{PeriodID: request.Period, Visible: people, Unscored: value(request.Params.Unscored), Search: value(request.Params.Search)}
	if value(request.Params.Others) {
		of.Without = personOf(ctx).ID
	}
	all, err := s.Store.Objectives(ctx, of, [2]string{person, name}, limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListObjectives200JSONResponse{Objectives: []spec.Objective{}}
	worth, err := s.worthOf(ctx, request.Period, request.Params.Person, len(all))
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		shown := objectiveOf(o)
		if one, is := worth[o.Name]; is {
			shown.Worth = &one
		}
		answer.Objectives = append(answer.Objectives, shown)
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID + "\n" + all[len(all)-1].Name })
	return answer, nil
}

// worthOf is what a person's objectives are worth, by name.
func (s *server) worthOf(ctx context.Context, periodID string, person *string, listed int) (map[string]incentive.Money, error) {
	if person == nil || listed == 0 {
		return nil, nil
	}
	p, err := s.Store.PeriodRevision(ctx, periodID, 0)
	if incentive.ErrorCode(err) == incentive.CodeNotFound {
		return nil, nil // it has not been opened
	}
	if err != nil {
		return nil, err
	}
	return s.Store.ObjectiveWorth(ctx, p, *person)
}

// SetObjective sets or scores an objective.
func (s *server) SetObjective(ctx context.Context, request spec.SetObjectiveRequestObject) (spec.SetObjectiveResponseObject, error) {
	body, me := request.Body, personOf(ctx).ID
	if err := s.reach(ctx, body.Person); err != nil {
		return nil, err
	}
	o := store.Objective{
		Objective:   incentive.Objective{ParticipantID: body.Person, PeriodID: request.Period, Name: body.Name},
		Description: value(body.Description),
		EnteredBy:   me,
	}
	if strings.ContainsFunc(o.Name, func(r rune) bool { return r < ' ' }) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "an objective's name has no line breaks")
	}
	var err error
	if o.Weight, err = decimal.NewFromString(body.Weight); err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the weight %q is no decimal, such as 0.4", body.Weight)
	}
	if body.Score != nil {
		score, err := decimal.NewFromString(*body.Score)
		if err != nil {
			return nil, incentive.Errorf(incentive.CodeInvalid, "the score %q is no decimal, such as 0.95", *body.Score)
		}
		o.Score = &score
	}
	if reason := strings.TrimSpace(value(body.Reason)); reason != "" {
		if o.ReasonID, err = s.Store.WriteText(ctx, me, reason); err != nil {
			return nil, err
		}
	}
	if o, err = s.Store.SetObjective(ctx, o); err != nil {
		return nil, err
	}
	return spec.SetObjective200JSONResponse(objectiveOf(o)), nil
}
