package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
)

// GetPayrollFile makes what payroll takes over.
func (s *server) GetPayrollFile(ctx context.Context, request spec.GetPayrollFileRequestObject) (spec.GetPayrollFileResponseObject, error) {
	p := request.Params
	made, err := s.file(ctx, accounting.Request{
		Kind:     accounting.Payroll,
		Template: value(p.Template),
		Version:  value(p.TemplateVersion),
		Period:   p.Period,
		Revision: value(p.Revision),
	})
	return spec.GetPayrollFile200TextcsvResponse{CSVTextcsvResponse: made}, err
}

// GetJournalFile makes what the general ledger takes over.
func (s *server) GetJournalFile(ctx context.Context, request spec.GetJournalFileRequestObject) (spec.GetJournalFileResponseObject, error) {
	p := request.Params
	currency := incentive.Currency("")
	if p.Currency != nil {
		var err error
		if currency, err = incentive.ParseCurrency(*p.Currency); err != nil {
			return nil, err
		}
	}
	made, err := s.file(ctx, accounting.Request{
		Kind:     accounting.Journal,
		Template: value(p.Template),
		Version:  value(p.TemplateVersion),
		From:     incentive.DateOf(p.From.Time),
		To:       incentive.DateOf(p.To.Time),
		Currency: currency,
		Through:  value(p.Through),
		People:   value(p.People),
	})
	return spec.GetJournalFile200TextcsvResponse{CSVTextcsvResponse: made}, err
}

// GetRegisterFile makes the list of payments.
func (s *server) GetRegisterFile(ctx context.Context, request spec.GetRegisterFileRequestObject) (spec.GetRegisterFileResponseObject, error) {
	p := request.Params
	made, err := s.file(ctx, accounting.Request{
		Kind:     accounting.Register,
		Template: value(p.Template),
		Version:  value(p.TemplateVersion),
		From:     incentive.DateOf(p.From.Time),
		To:       incentive.DateOf(p.To.Time),
		Through:  value(p.Through),
		People:   value(p.People),
	})
	return spec.GetRegisterFile200TextcsvResponse{CSVTextcsvResponse: made}, err
}

// GetYearEndFile makes the totals of a year.
func (s *server) GetYearEndFile(ctx context.Context, request spec.GetYearEndFileRequestObject) (spec.GetYearEndFileResponseObject, error) {
	p := request.Params
	made, err := s.file(ctx, accounting.Request{
		Kind:     accounting.YearEnd,
		Template: value(p.Template),
		Version:  value(p.TemplateVersion),
		Year:     p.Year,
		Through:  value(p.Through),
		People:   value(p.People),
	})
	return spec.GetYearEndFile200TextcsvResponse{CSVTextcsvResponse: made}, err
}

// GetContractorsFile makes the totals for form 1099-NEC.
func (s *server) GetContractorsFile(ctx context.Context, request spec.GetContractorsFileRequestObject) (spec.GetContractorsFileResponseObject, error) {
	p := request.Params
	least, known := accounting.LeastReported(p.Year)
	if p.Least != nil {
		amount, err := incentive.ParseDecimal(*p.Least)
		if err != nil {
			return nil, err
		}
		if least, err = incentive.MoneyOf(amount, "USD"); err != nil {
			return nil, err
		}
	} else if !known {
		return nil, incentive.Errorf(incentive.CodeInvalid, "what is to be reported of %d is not known here: name the least amount, such as 2000", p.Year)
	}
	made, err := s.file(ctx, accounting.Request{
		Kind:     accounting.Contractors,
		Template: value(p.Template),
		Version:  value(p.TemplateVersion),
		Year:     p.Year,
		Least:    least,
		Through:  value(p.Through),
		People:   value(p.People),
	})
	return spec.GetContractorsFile200TextcsvResponse{CSVTextcsvResponse: made}, err
}

// GetContractCostsFile makes the schedule of what it cost to obtain contracts.
func (s *server) GetContractCostsFile(ctx context.Context, request spec.GetContractCostsFileRequestObject) (spec.GetContractCostsFileResponseObject, error) {
	p := request.Params
	made, err := s.file(ctx, accounting.Request{
		Kind:     accounting.ContractCosts,
		Template: value(p.Template),
		Version:  value(p.TemplateVersion),
		From:     incentive.DateOf(p.From.Time),
		To:       incentive.DateOf(p.To.Time),
		Longest:  value(p.Longest),
		Through:  value(p.Through),
		People:   value(p.People),
	})
	return spec.GetContractCostsFile200TextcsvResponse{CSVTextcsvResponse: made}, err
}

// temporary is a file that is gone once it is closed.
type temporary struct{ *os.File }

func (t temporary) Close() error { return errors.Join(t.File.Close(), os.Remove(t.Name())) }

// file makes a file beside, so that it is on record with its digest before anybody has a
// byte of it.
func (s *server) file(ctx context.Context, request accounting.Request) (made spec.CSVTextcsvResponse, err error) {
	beside, err := os.CreateTemp("", "guerdon-file-")
	if err != nil {
		return made, fmt.Errorf("make a place for the file: %w", err)
	}
	body := temporary{beside}
	defer func() {
		if err != nil {
			err = errors.Join(err, body.Close())
		}
	}()
	f, err := s.Store.MakeFile(ctx, personOf(ctx).ID, request, body)
	if err != nil {
		return made, err
	}
	about, err := json.Marshal(f)
	if err != nil {
		return made, fmt.Errorf("write down what the file is: %w", err)
	}
	size, err := body.Seek(0, io.SeekCurrent)
	if err != nil {
		return made, fmt.Errorf("read the file again: %w", err)
	}
	if _, err = body.Seek(0, io.SeekStart); err != nil {
		return made, fmt.Errorf("read the file again: %w", err)
	}
	name, record := attachment(f.Name()), string(about)
	return spec.CSVTextcsvResponse{Body: body, ContentLength: size, Headers: spec.CSVResponseHeaders{ContentDisposition: &name, GuerdonFile: &record}}, nil
}

func templateOf(t store.FileTemplate) spec.FileTemplate {
	return spec.FileTemplate{Template: t.Name, Of: spec.FileTemplateOf(t.Of), Version: t.Version, Document: t.Document}
}

// ListFileTemplates lists the templates of files.
func (s *server) ListFileTemplates(ctx context.Context, _ spec.ListFileTemplatesRequestObject) (spec.ListFileTemplatesResponseObject, error) {
	all, err := s.Store.FileTemplates(ctx)
	answer := spec.ListFileTemplates200JSONResponse{Templates: []spec.FileTemplate{}}
	for _, t := range all {
		answer.Templates = append(answer.Templates, templateOf(t))
	}
	return answer, err
}

// GetFileTemplate returns a version of a template.
func (s *server) GetFileTemplate(ctx context.Context, request spec.GetFileTemplateRequestObject) (spec.GetFileTemplateResponseObject, error) {
	t, err := s.Store.FileTemplate(ctx, request.Template, value(request.Params.Version))
	return spec.GetFileTemplate200JSONResponse(templateOf(t)), err
}

// PutFileTemplate keeps a template as the next version of its name.
func (s *server) PutFileTemplate(ctx context.Context, request spec.PutFileTemplateRequestObject) (spec.PutFileTemplateResponseObject, error) {
	t, err := s.Store.PutFileTemplate(ctx, personOf(ctx).ID, request.Body.Document)
	return spec.PutFileTemplate201JSONResponse(templateOf(t)), err
}
