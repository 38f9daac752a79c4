package api

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
)

// ListAuditEvents lists links of the audit chain.
func (s *server) ListAuditEvents(ctx context.Context, request spec.ListAuditEventsRequestObject) (spec.ListAuditEventsResponseObject, error) {
	p := request.Params
	limit := limitOf(p.Limit)
	all, err := s.Store.AuditTimeline(ctx, store.Timeline{
		Subject: value(p.Subject),
		Parts:   value(p.Parts),
		Actor:   value(p.Actor),
		Act:     value(p.Act),
		From:    dayOf(p.From),
		To:      dayOf(p.To),
		Newest:  value(p.Order) == spec.ListAuditEventsParamsOrderNewest,
	}, value(p.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListAuditEvents200JSONResponse{Events: []spec.AuditEvent{}}
	for _, e := range all {
		answer.Events = append(answer.Events, spec.AuditEvent{
			Number:  e.Number,
			At:      e.At,
			Actor:   e.Actor,
			Act:     e.Act,
			Subject: e.Subject,
			Body:    e.Body,
			Hash:    fmt.Sprintf("%x", e.Hash),
		})
	}
	answer.Next = next(len(all), limit, func() int64 { return all[len(all)-1].Number })
	return answer, nil
}

// GetAuditFile writes links of the audit chain as CSV, and that it was taken into the chain.
func (s *server) GetAuditFile(ctx context.Context, request spec.GetAuditFileRequestObject) (spec.GetAuditFileResponseObject, error) {
	p := request.Params
	which := store.Timeline{
		Subject: value(p.Subject),
		Parts:   value(p.Parts),
		Actor:   value(p.Actor),
		Act:     value(p.Act),
		From:    dayOf(p.From),
		To:      dayOf(p.To),
		Newest:  value(p.Order) == spec.GetAuditFileParamsOrderNewest,
	}
	if err := s.Store.TakeTimeline(ctx, personOf(ctx).ID, which); err != nil {
		return nil, err
	}
	return csvOf(func(w io.Writer) error { return s.writeTimeline(ctx, w, which) }), nil
}

// writeTimeline writes every link that is wanted, page by page.
func (s *server) writeTimeline(ctx context.Context, w io.Writer, which store.Timeline) error {
	const page = 1000
	rows := csv.NewWriter(w)
	if err := rows.Write([]string{"number", "at", "actor", "act", "subject", "body", "previous_hash", "hash"}); err != nil {
		return err
	}
	for after := int64(0); ; {
		all, err := s.Store.AuditTimeline(ctx, which, after, page)
		if err != nil {
			return err
		}
		for _, e := range all {
			after = e.Number
			cells := []string{strconv.FormatInt(e.Number, 10), e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.Act, e.Subject, e.Body, fmt.Sprintf("%x", e.PreviousHash), fmt.Sprintf("%x", e.Hash)}
			for i := range cells {
				cells[i] = accounting.Guarded(cells[i])
			}
			if err := rows.Write(cells); err != nil {
				return err
			}
		}
		if rows.Flush(); len(all) < page {
			return rows.Error()
		}
	}
}

// csvOf is a file that is written while it is sent.
type csvOf func(io.Writer) error

// VisitGetAuditFileResponse writes the file.
func (write csvOf) VisitGetAuditFileResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	return write(w)
}
