package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/papers"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
)

// duties is who had which part in the periods of some days of the company, and which duties were in one hand that
// belong in two; without names.
func (s *server) duties(ctx context.Context, from, to types.Date) (r papers.Duties, err error) {
	_, zone, err := s.Store.Company(ctx)
	if err != nil {
		return r, err
	}
	location, err := time.LoadLocation(zone) // "" is UTC
	if err != nil {
		return r, err
	}
	r.From, r.To = incentive.DateOf(from.Time), incentive.DateOf(to.Time)
	if r.To.Before(r.From) {
		return r, incentive.Errorf(incentive.CodeInvalid, "the last day, %s, is before the first, %s", r.To, r.From)
	}
	begin := func(d incentive.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, location) }
	if r.Duties, err = s.Store.Duties(ctx, begin(r.From), begin(r.To.AddDays(1))); err != nil {
		return r, err
	}
	r.Conflicts, err = s.Store.DutyConflicts(ctx, begin(r.From), begin(r.To.AddDays(1)))
	return r, err
}

// namedDuties is duties with the names of whoever is in it.
func (s *server) namedDuties(ctx context.Context, from, to types.Date) (papers.Duties, error) {
	r, err := s.duties(ctx, from, to)
	if err != nil {
		return r, err
	}
	var people []string
	for _, d := range r.Duties {
		people = append(people, d.Person)
	}
	for _, c := range r.Conflicts {
		people = append(people, c.Person)
	}
	r.Names, err = s.Store.Names(ctx, people)
	return r, err
}

// GetDuties says who had which part in the periods of some days, and which duties were in one
// hand that belong in two.
func (s *server) GetDuties(ctx context.Context, request spec.GetDutiesRequestObject) (spec.GetDutiesResponseObject, error) {
	report, err := s.duties(ctx, request.Params.From, request.Params.To)
	if err != nil {
		return nil, err
	}
	answer := spec.GetDuties200JSONResponse{Duties: []spec.Duty{}, Conflicts: []spec.DutyConflict{}}
	for _, d := range report.Duties {
		answer.Duties = append(answer.Duties, spec.Duty{
			Period:   d.PeriodID,
			Revision: d.Revision,
			Part:     spec.DutyPart(d.Part),
			Person:   d.Person,
			Times:    d.Times,
			LastAt:   d.LastAt,
		})
	}
	for _, c := range report.Conflicts {
		shown := spec.DutyConflict{Rule: spec.DutyConflictRule(c.Rule), Person: c.Person, Period: orNil(c.PeriodID), Subject: c.Subject, At: c.At}
		if c.Revision > 0 {
			shown.Revision = &c.Revision
		}
		answer.Conflicts = append(answer.Conflicts, shown)
	}
	return answer, nil
}

// GetDutiesDocument is GetDuties as a document.
func (s *server) GetDutiesDocument(ctx context.Context, request spec.GetDutiesDocumentRequestObject) (spec.GetDutiesDocumentResponseObject, error) {
	report, err := s.namedDuties(ctx, request.Params.From, request.Params.To)
	if err != nil {
		return nil, err
	}
	head, err := s.headOf(ctx)
	if err != nil {
		return nil, err
	}
	content, err := s.papers.Duties(head, report)
	if err != nil {
		return nil, err
	}
	return spec.GetDutiesDocument200ApplicationpdfResponse{PDFApplicationpdfResponse: pdf(content, "duties-%s-%s", report.From, report.To)}, nil
}

// GetDutiesFile is GetDuties as CSV.
func (s *server) GetDutiesFile(ctx context.Context, request spec.GetDutiesFileRequestObject) (spec.GetDutiesFileResponseObject, error) {
	report, err := s.namedDuties(ctx, request.Params.From, request.Params.To)
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"kind", "what", "person", "name", "period", "revision", "subject", "times", "at"}}
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for _, c := range report.Conflicts {
		revision := ""
		if c.Revision > 0 {
			revision = strconv.Itoa(c.Revision)
		}
		rows = append(rows, []string{"conflict", c.Rule, c.Person, report.Names[c.Person], c.PeriodID, revision, c.Subject, "", at(c.At)})
	}
	for _, d := range report.Duties {
		rows = append(rows, []string{"duty", d.Part, d.Person, report.Names[d.Person], d.PeriodID, strconv.Itoa(d.Revision), incentive.PeriodSubject(d.PeriodID, d.Revision), strconv.Itoa(d.Times), at(&d.LastAt)})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = accounting.Guarded(row[i])
		}
	}
	var content bytes.Buffer
	if err := csv.NewWriter(&content).WriteAll(rows); err != nil {
		return nil, err
	}
	name := attachment(fmt.Sprintf("duties-%s-%s.csv", report.From, report.To))
	return spec.GetDutiesFile200TextcsvResponse{
		Body:          &content,
		ContentLength: int64(content.Len()),
		Headers:       spec.GetDutiesFile200ResponseHeaders{ContentDisposition: &name},
	}, nil
}
