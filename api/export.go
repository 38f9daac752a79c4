package api

import (
	"context"
	"io"
	"net/http"

	"github.com/guerdon/guerdon/api/spec"
)

// ExportCompany streams everything of the company.
func (s *server) ExportCompany(ctx context.Context, request spec.ExportCompanyRequestObject) (spec.ExportCompanyResponseObject, error) {
	paymentFiles := value(request.Params.PaymentFiles)
	if err := s.Store.BeginExport(ctx, personOf(ctx).ID, paymentFiles); err != nil {
		return nil, err
	}
	return streamed(func(w io.Writer) error { return s.Store.Export(ctx, personOf(ctx).ID, w, paymentFiles) }), nil
}

// streamed is a zip that is written while it is sent. Where it breaks off, it has neither
// end nor manifest.
type streamed func(io.Writer) error

func (write streamed) VisitExportCompanyResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="guerdon-export.zip"`)
	return write(w)
}
