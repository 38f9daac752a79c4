package web

import (
	"strconv"

	"github.com/guerdon/guerdon/api/client"
)

// statementDocument hands over a statement as a PDF.
func (v *visit) statementDocument() error {
	return v.download(client.NewGetStatementDocumentRequest(within, v.r.PathValue("period"), v.r.PathValue("person"), &client.GetStatementDocumentParams{}))
}

// certificate hands over the certificate of what a line of a statement achieved.
func (v *visit) certificate() error {
	line, err := strconv.Atoi(v.r.PathValue("line"))
	if err != nil {
		return v.nowhere()
	}
	return v.download(client.NewGetCertificateRequest(within, v.r.PathValue("period"), v.r.PathValue("person"), line, &client.GetCertificateParams{}))
}

// payoutDocument hands over the payment advice of a payout.
func (v *visit) payoutDocument() error {
	return v.download(client.NewGetPayoutDocumentRequest(within, v.r.PathValue("payout")))
}

// verificationDocument hands over what a verification found as a PDF.
func (v *visit) verificationDocument() error {
	id, err := strconv.ParseInt(v.r.PathValue("verification"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	return v.download(client.NewGetVerificationDocumentRequest(within, id))
}
