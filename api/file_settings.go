package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/payments/answers"
	"github.com/guerdon/guerdon/payments/india"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
)

func fileSettingsOf(f store.FileSettings) spec.FileSettings {
	return spec.FileSettings{
		Company:             orNil(f.Company),
		Iso20022LeadDays:    f.ISO20022LeadDays,
		NachaLeadDays:       f.NachaLeadDays,
		PaymentFileTemplate: orNil(f.PaymentFileTemplate),
		PaymentFileAnswers:  orNil(f.PaymentFileAnswers),
		IndiaTemplate:       orNil(f.IndiaTemplate),
		IndiaAnswers:        orNil(f.IndiaAnswers),
	}
}

// GetFileSettings returns how payment files are written.
func (s *server) GetFileSettings(ctx context.Context, _ spec.GetFileSettingsRequestObject) (spec.GetFileSettingsResponseObject, error) {
	c, err := s.Store.CompanySettings(ctx)
	return spec.GetFileSettings200JSONResponse(fileSettingsOf(c.Files)), err
}

// GetFileDefaults returns how payment files are written where the company's settings leave it open.
func (s *server) GetFileDefaults(ctx context.Context, _ spec.GetFileDefaultsRequestObject) (spec.GetFileDefaultsResponseObject, error) {
	c, err := s.Store.CompanySettings(ctx)
	if err != nil {
		return nil, err
	}
	defaults := store.FileSettings{Company: c.Name}
	if s.FileDefaults != nil {
		if defaults, err = s.FileDefaults(c); err != nil {
			return nil, err
		}
	}
	return spec.GetFileDefaults200JSONResponse(fileSettingsOf(defaults)), nil
}

// PutFileSettings says how payment files are written from the next one on. What no rail can go by is refused.
func (s *server) PutFileSettings(ctx context.Context, request spec.PutFileSettingsRequestObject) (spec.PutFileSettingsResponseObject, error) {
	b := request.Body
	f := store.FileSettings{
		Company:             value(b.Company),
		ISO20022LeadDays:    b.Iso20022LeadDays,
		NachaLeadDays:       b.NachaLeadDays,
		PaymentFileTemplate: value(b.PaymentFileTemplate),
		PaymentFileAnswers:  value(b.PaymentFileAnswers),
		IndiaTemplate:       value(b.IndiaTemplate),
		IndiaAnswers:        value(b.IndiaAnswers),
	}
	for _, one := range []struct {
		name, text string
		parse      func([]byte) error
	}{
		{"payment_file_template", f.PaymentFileTemplate, func(text []byte) error { _, err := paymentfile.Parse(text); return err }},
		{"payment_file_answers", f.PaymentFileAnswers, func(text []byte) error { _, err := answers.Parse(text); return err }},
		{"india_template", f.IndiaTemplate, func(text []byte) error { _, err := india.Parse(text); return err }},
		{"india_answers", f.IndiaAnswers, func(text []byte) error { _, err := answers.Parse(text); return err }},
	} {
		if one.text == "" {
			continue
		}
		if err := one.parse([]byte(one.text)); err != nil {
			return nil, incentive.Errorf(document.CodeInvalid, "the setting %q: %s", one.name, incentive.ErrorMessage(err))
		}
	}
	if s.TryFiles != nil {
		c, err := s.Store.CompanySettings(ctx)
		if err != nil {
			return nil, err
		}
		c.Files = f
		if err := s.TryFiles(c); err != nil {
			return nil, err
		}
	}
	if err := s.Store.SetFileSettings(ctx, personOf(ctx).ID, f); err != nil {
		return nil, err
	}
	return spec.PutFileSettings200JSONResponse(fileSettingsOf(f)), nil
}
