package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/store"
)

// cursor names in one text where the next page of a list begins.
func cursor(at any) string {
	text, _ := json.Marshal(at) // days and texts
	return base64.RawURLEncoding.EncodeToString(text)
}

// fromCursor reads what cursor wrote.
func fromCursor[T any](text *string) (*T, error) {
	if text == nil {
		return nil, nil
	}
	at := new(T)
	data, err := base64.RawURLEncoding.DecodeString(*text)
	if err == nil {
		err = json.Unmarshal(data, at)
	}
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "query after: %q is no place in this list: take it from 'next' of the page before", *text)
	}
	return at, nil
}

// dayOf reads a day of a path or query; none where it is absent.
func dayOf(d *openapi_types.Date) incentive.Date {
	if d == nil {
		return incentive.Date{}
	}
	return incentive.DateOf(d.Time)
}

// GetHistory returns what is recorded of a participant over time.
func (s *server) GetHistory(ctx context.Context, request spec.GetHistoryRequestObject) (spec.GetHistoryResponseObject, error) {
	p, err := s.Store.Person(ctx, request.Person)
	if err != nil {
		return nil, err
	}
	h, err := s.Store.ParticipantHistory(ctx, p.ID)
	answer := spec.GetHistory200JSONResponse{
		Id:          p.ID,
		Name:        p.Name,
		Roles:       textsOf(p.Roles),
		Records:     []spec.ParticipantRecord{},
		Assignments: []spec.AssignedPlan{},
		Quotas:      quotasOf(h.Quotas),
		Reliefs:     reliefsOf(h.Reliefs),
	}
	for _, r := range h.Records {
		answer.Records = append(answer.Records, spec.ParticipantRecord{
			EffectiveFrom: r.EffectiveFrom,
			Version:       r.Version,
			Stands:        r.Stands,
			Name:          r.Name,
			Email:         r.Email,
			Kind:          r.Kind,
			Manager:       orNil(r.Manager),
			Country:       r.Country,
			PayCurrency:   r.PayCurrency,
			EmployedUntil: r.EmployedUntil,
			Attributes:    r.Attributes,
			RecordedAt:    r.RecordedAt,
		})
	}
	for _, a := range h.Assignments {
		answer.Assignments = append(answer.Assignments, spec.AssignedPlan{Plan: a.Plan, Calendar: a.Calendar, StartsOn: a.StartsOn, EndsOn: a.EndsOn, Version: a.Version})
	}
	return answer, err
}

func quotasOf(all []store.SetQuota) []spec.Quota {
	quotas := []spec.Quota{}
	for _, q := range all {
		quotas = append(quotas, spec.Quota{
			Person:   q.Person,
			Name:     q.Name,
			Measure:  q.Measure,
			StartsOn: q.StartsOn,
			EndsOn:   q.EndsOn,
			Amount:   q.Amount.String(),
			Version:  q.Version,
		})
	}
	return quotas
}

// ListQuotas lists quotas as they stand.
func (s *server) ListQuotas(ctx context.Context, request spec.ListQuotasRequestObject) (spec.ListQuotasResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	after, err := fromCursor[store.QuotaKey](request.Params.After)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Quotas(ctx, store.QuotasOf{
		Person:  value(request.Params.Person),
		Measure: value(request.Params.Measure),
		On:      dayOf(request.Params.On),
		Listing: listing(request.Params.Search, request.Params.Sort),
	}, after, limit)
	answer := spec.ListQuotas200JSONResponse{Quotas: quotasOf(all)}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return cursor(store.QuotaKey{StartsOn: last.StartsOn, Person: last.Person, Measure: last.Measure})
	})
	return answer, err
}

// GetHierarchy returns one level of the hierarchy of a day.
func (s *server) GetHierarchy(ctx context.Context, request spec.GetHierarchyRequestObject) (spec.GetHierarchyResponseObject, error) {
	limit, on := limitOf(request.Params.Limit), dayOf(request.Params.On)
	var err error
	if on.IsZero() {
		if on, err = s.todayThere(ctx); err != nil {
			return nil, err
		}
	}
	all, err := s.Store.Hierarchy(ctx, value(request.Params.Under), on, value(request.Params.After), limit)
	answer := spec.GetHierarchy200JSONResponse{On: on, People: []spec.Reporting{}}
	for _, r := range all {
		answer.People = append(answer.People, spec.Reporting{Person: r.Person, Name: r.Name, Manager: orNil(r.Manager), Below: r.Below, Circle: r.Circle})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].Person })
	return answer, err
}

// mayEnter refuses whoever may not say who is who and what they are paid by.
func mayEnter(ctx context.Context, kinds ...mapping.Kind) error {
	if incentive.Right(personOf(ctx).Roles, incentive.ImportStructure) == incentive.None && slices.ContainsFunc(kinds, func(k mapping.Kind) bool { return slices.Contains(structural, k) }) {
		return incentive.Errorf(incentive.CodeForbidden, "only an administrator imports participants, periods, holidays and assignments")
	}
	return nil
}

// EnterRecords takes records that a person typed, all or none.
func (s *server) EnterRecords(ctx context.Context, request spec.EnterRecordsRequestObject) (spec.EnterRecordsResponseObject, error) {
	kind := mapping.Kind(request.Body.Kind)
	if err := mayEnter(ctx, kind); err != nil {
		return nil, err
	}
	var entries []mapping.Entry
	for _, e := range request.Body.Records {
		entries = append(entries, mapping.Entry{Fields: e.Fields, Attributes: value(e.Attributes)})
	}
	reason := value(request.Body.Reason)
	if kind == mapping.Credit && reason == "" {
		return nil, incentive.Errorf(store.CodeReasonMissing, "a credit that is entered by hand needs a reason")
	}
	if err := mayRelieve(ctx, kind, entries, reason); err != nil {
		return nil, err
	}
	done, err := s.enter(ctx, kind, entries, reason)
	return spec.EnterRecords201JSONResponse(done), err
}

// enter writes records of one kind, all or none.
func (s *server) enter(ctx context.Context, kind mapping.Kind, entries []mapping.Entry, reason string) (spec.Entered, error) {
	rows, err := mapping.Enter(kind, entries)
	if err != nil {
		return spec.Entered{}, err
	}
	subject := string(kind) + "/" + rows[0].Key
	if person, is := rows[0].Record["participant_id"].(string); is && kind != mapping.Credit {
		subject = "participant/" + person
	}
	done, err := s.Store.Enter(ctx, personOf(ctx).ID, string(kind), subject, reason, func(l *store.Loading) error {
		b := batches{loading: l, kinds: []mapping.Kind{kind}, rows: map[mapping.Kind][]store.Row{}}
		for _, row := range rows {
			if err := b.add(ctx, row); err != nil {
				return err
			}
		}
		return b.flush(ctx)
	})
	return spec.Entered{Added: done.Added, Changed: done.Changed, Unchanged: done.Unchanged}, err
}

// ListCalendars lists every calendar.
func (s *server) ListCalendars(ctx context.Context, _ spec.ListCalendarsRequestObject) (spec.ListCalendarsResponseObject, error) {
	all, err := s.Store.Calendars(ctx)
	answer := spec.ListCalendars200JSONResponse{Calendars: []spec.Calendar{}}
	for _, c := range all {
		answer.Calendars = append(answer.Calendars, spec.Calendar{Calendar: c.ID, Periods: c.Periods, LastDay: c.Last, Policy: c.Policy})
	}
	return answer, err
}

// MakePeriods makes the next periods of a calendar from a pattern.
func (s *server) MakePeriods(ctx context.Context, request spec.MakePeriodsRequestObject) (spec.MakePeriodsResponseObject, error) {
	from := value(request.Body.StartsOn)
	if from.IsZero() {
		all, err := s.Store.Calendars(ctx)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(all, func(c store.Calendar) bool { return c.ID == request.Calendar })
		if at < 0 || all[at].Last == nil {
			return nil, incentive.Errorf(incentive.CodeInvalid, "calendar %s has no period yet: say on which day its first one starts", request.Calendar)
		}
		from = all[at].Last.AddDays(1)
	}
	days, err := incentive.PeriodsFrom(incentive.Pattern(request.Body.Pattern), from, request.Body.Count)
	if err != nil {
		return nil, err
	}
	var entries []mapping.Entry
	for _, d := range days {
		entries = append(entries, mapping.Entry{Fields: map[string]string{"calendar_id": request.Calendar, "code": d.Code, "starts_on": d.StartsOn.String(), "ends_on": d.EndsOn.String()}})
	}
	done, err := s.enter(ctx, mapping.Period, entries, "")
	return spec.MakePeriods201JSONResponse(done), err
}

// ListHolidays lists the holidays of a year.
func (s *server) ListHolidays(ctx context.Context, request spec.ListHolidaysRequestObject) (spec.ListHolidaysResponseObject, error) {
	all, err := s.Store.Holidays(ctx, request.Params.Year)
	answer := spec.ListHolidays200JSONResponse{Holidays: []spec.Holiday{}}
	for _, h := range all {
		answer.Holidays = append(answer.Holidays, spec.Holiday{Date: h.Date, Name: h.Name})
	}
	return answer, err
}

// RemoveHoliday makes a holiday a working day again.
func (s *server) RemoveHoliday(ctx context.Context, request spec.RemoveHolidayRequestObject) (spec.RemoveHolidayResponseObject, error) {
	day := dayOf(&request.Date)
	name, err := s.Store.RemoveHoliday(ctx, personOf(ctx).ID, day)
	return spec.RemoveHoliday200JSONResponse{Date: day, Name: name}, err
}
