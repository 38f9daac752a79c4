package api

import (
	"context"

	"github.com/guerdon/guerdon/api/spec"
)

// GetSetup says how far the company has come to its first calculated period.
func (s *server) GetSetup(ctx context.Context, _ spec.GetSetupRequestObject) (spec.GetSetupResponseObject, error) {
	steps, err := s.Store.Setup(ctx)
	answer := spec.GetSetup200JSONResponse{Steps: []spec.SetupStep{}}
	for _, one := range steps {
		answer.Steps = append(answer.Steps, spec.SetupStep{Step: spec.SetupStepStep(one.Step), Done: one.Done})
	}
	return answer, err
}

// GetCompanyHistory returns what the company was called over time.
func (s *server) GetCompanyHistory(ctx context.Context, _ spec.GetCompanyHistoryRequestObject) (spec.GetCompanyHistoryResponseObject, error) {
	versions, err := s.Store.CompanyHistory(ctx, 100)
	answer := spec.GetCompanyHistory200JSONResponse{Versions: []spec.CompanyVersion{}}
	for _, v := range versions {
		answer.Versions = append(answer.Versions, spec.CompanyVersion{
			Version:      v.Version,
			Name:         v.Name,
			TimeZone:     v.TimeZone,
			WebhookHosts: v.WebhookHosts,
			PaymentFiles: fileSettingsOf(v.Files),
			SetBy:        v.SetBy,
			SetAt:        v.SetAt,
		})
	}
	return answer, err
}
