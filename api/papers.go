package api

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/guerdon/guerdon/api/papers"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// headOf is what every document is made with, in the caller's language.
func (s *server) headOf(ctx context.Context) (papers.Head, error) {
	name, zone, err := s.Store.Company(ctx)
	if err != nil {
		return papers.Head{}, err
	}
	location, err := time.LoadLocation(zone) // "" is UTC
	return papers.Head{Language: languageOf(ctx), Company: name, Zone: location}, err
}

// documentHead is headOf for a document of a period.
func (s *server) documentHead(ctx context.Context, p store.PeriodRevision) (papers.Head, error) {
	h, err := s.headOf(ctx)
	h.Period, h.StartsOn, h.EndsOn = h.Language.Period(p.StartsOn, p.EndsOn, p.Code), p.StartsOn, p.EndsOn
	return h, err
}

// pdf is a document with the name that it is kept under.
func pdf(content []byte, format string, arguments ...any) spec.PDFApplicationpdfResponse {
	name := attachment(fmt.Sprintf(format, arguments...) + ".pdf")
	return spec.PDFApplicationpdfResponse{Body: bytes.NewReader(content), ContentLength: int64(len(content)), Headers: spec.PDFResponseHeaders{ContentDisposition: &name}}
}

// GetStatementDocument returns a statement as a document.
func (s *server) GetStatementDocument(ctx context.Context, request spec.GetStatementDocumentRequestObject) (spec.GetStatementDocumentResponseObject, error) {
	p, shown, err := s.statement(ctx, request.Period, request.Person, request.Params.Revision)
	if err != nil {
		return nil, err
	}
	head, err := s.documentHead(ctx, p)
	if err != nil {
		return nil, err
	}
	paid, err := s.Store.PayoutsOf(ctx, p.ID, p.Revision, request.Person)
	if err != nil {
		return nil, err
	}
	var payouts []spec.Payout
	for _, o := range paid {
		payouts = append(payouts, s.payoutOf(o))
	}
	content, err := s.papers.Statement(head, shown, payouts)
	if err != nil {
		return nil, err
	}
	return spec.GetStatementDocument200ApplicationpdfResponse{PDFApplicationpdfResponse: pdf(content, "%s-%d-%s", p.ID, p.Revision, request.Person)}, nil
}

// GetCertificate returns the certificate of what a line of a statement achieved.
func (s *server) GetCertificate(ctx context.Context, request spec.GetCertificateRequestObject) (spec.GetCertificateResponseObject, error) {
	p, shown, err := s.statement(ctx, request.Period, request.Person, request.Params.Revision)
	if err != nil {
		return nil, err
	}
	if request.Line > len(shown.Lines) || shown.Lines[request.Line-1].Achievement == nil {
		return nil, incentive.Errorf(incentive.CodeNotFound, "line %d of the statement of %s achieved nothing of which there is a certificate", request.Line, request.Person)
	}
	head, err := s.documentHead(ctx, p)
	if err != nil {
		return nil, err
	}
	content, err := s.papers.Certificate(head, shown, shown.Lines[request.Line-1])
	if err != nil {
		return nil, err
	}
	return spec.GetCertificate200ApplicationpdfResponse{PDFApplicationpdfResponse: pdf(content, "%s-%s-certificate-%d", p.ID, request.Person, request.Line)}, nil
}

// GetPayoutDocument returns the payment advice of a payout.
func (s *server) GetPayoutDocument(ctx context.Context, request spec.GetPayoutDocumentRequestObject) (spec.GetPayoutDocumentResponseObject, error) {
	o, err := s.Store.Payout(ctx, request.Payout)
	if err != nil {
		return nil, err
	}
	p, err := s.periodOf(ctx, o.ParticipantID, o.PeriodID, &o.Revision)
	if incentive.ErrorCode(err) == incentive.CodeNotFound {
		err = incentive.Errorf(incentive.CodeNotFound, "there is no payout %q that you may see", request.Payout)
	}
	if err != nil {
		return nil, err
	}
	head, err := s.documentHead(ctx, p)
	if err != nil {
		return nil, err
	}
	kept, err := s.Store.PayoutTrace(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	trace := papers.Trace{Reference: kept.Reference, RailID: kept.RailID}
	if kept.SentAt != nil {
		trace.SentOn = incentive.DateOf(kept.SentAt.In(head.Zone))
	}
	if kept.PaidOn != nil {
		trace.PaidOn = *kept.PaidOn
	}
	content, err := s.papers.Advice(head, s.payoutOf(o), trace)
	if err != nil {
		return nil, err
	}
	return spec.GetPayoutDocument200ApplicationpdfResponse{PDFApplicationpdfResponse: pdf(content, "%s-%s-payment", o.PeriodID, o.ParticipantID)}, nil
}

// GetVerificationDocument returns what a verification found as a document.
func (s *server) GetVerificationDocument(ctx context.Context, request spec.GetVerificationDocumentRequestObject) (spec.GetVerificationDocumentResponseObject, error) {
	v, err := s.ended(ctx, request.Verification)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.PeriodRevision(ctx, v.PeriodID, v.Revision)
	if err != nil {
		return nil, err
	}
	content, err := s.verificationDocument(ctx, p, v)
	if err != nil {
		return nil, err
	}
	return spec.GetVerificationDocument200ApplicationpdfResponse{PDFApplicationpdfResponse: pdf(content, "%s-%d-verification-%d", v.PeriodID, v.Revision, v.ID)}, nil
}

// verificationDocument writes what a verification of a period found.
func (s *server) verificationDocument(ctx context.Context, p store.PeriodRevision, v store.Verification) ([]byte, error) {
	head, err := s.documentHead(ctx, p)
	if err != nil {
		return nil, err
	}
	verified, err := s.verified(ctx, v)
	if err != nil {
		return nil, err
	}
	return s.papers.Verification(head, verified)
}

// verified is a verification with the names of people in the place of their ids.
func (s *server) verified(ctx context.Context, v store.Verification) (papers.Verified, error) {
	report, err := proof.ReadReport(v.Report)
	if err != nil {
		return papers.Verified{}, err
	}
	names, err := s.Store.Names(ctx, []string{v.AskedBy, v.ParticipantID})
	return papers.Verified{
		Number:  v.ID,
		By:      names[v.AskedBy],
		Of:      names[v.ParticipantID],
		AskedAt: v.AskedAt,
		EndedAt: *v.EndedAt,
		SHA256:  fmt.Sprintf("%x", v.SHA256),
		Report:  report,
	}, err
}
