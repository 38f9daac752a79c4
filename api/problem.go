package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// Codes of the API's own.
const (
	codeMethod   incentive.Code = "method-not-allowed"
	codeTooLarge incentive.Code = "too-large"
	codeNoKey    incentive.Code = "idempotency-key-missing"
	codeBusy     incentive.Code = "try-again"
	// CodeTooMany says that somebody asks faster than they may.
	CodeTooMany incentive.Code = "too-many-requests"
	// codeShownOnce answers a command again whose first answer held a secret.
	codeShownOnce incentive.Code = "shown-once"
)

// statuses is the HTTP status of each code; one that is absent is 409, a refusal that
// another state of things may lift.
var statuses = map[incentive.Code]int{
	incentive.CodeInvalid: http.StatusBadRequest, codeNoKey: http.StatusBadRequest, store.CodeReasonMissing: http.StatusBadRequest,
	store.CodeUnauthenticated: http.StatusUnauthorized,
	incentive.CodeForbidden:   http.StatusForbidden, store.CodeOwnPay: http.StatusForbidden, incentive.CodeOwnDecision: http.StatusForbidden, incentive.CodeEvidenceRefused: http.StatusUnprocessableEntity, store.CodePreparer: http.StatusForbidden,
	incentive.CodeNotFound: http.StatusNotFound, store.CodeFileUnknown: http.StatusNotFound, store.CodeStatusFileUnknown: http.StatusNotFound, store.CodeReconciliationUnknown: http.StatusNotFound, store.CodeRedemptionUnknown: http.StatusNotFound,
	codeMethod:           http.StatusMethodNotAllowed,
	codeTooLarge:         http.StatusRequestEntityTooLarge,
	document.CodeInvalid: http.StatusUnprocessableEntity, mapping.CodeBadFile: http.StatusUnprocessableEntity, mapping.CodeRefused: http.StatusUnprocessableEntity, store.CodeKeyReused: http.StatusUnprocessableEntity,
	calculation.CodeExampleFails: http.StatusUnprocessableEntity, payments.CodeDestinationInvalid: http.StatusUnprocessableEntity, payments.CodeRailUnknown: http.StatusUnprocessableEntity,
	store.CodeSharesWrong: http.StatusUnprocessableEntity, codeRewardUnknown: http.StatusUnprocessableEntity, store.CodePointsFew: http.StatusUnprocessableEntity, store.CodeMethodNotAllowed: http.StatusUnprocessableEntity,
	payments.CodeStatusFileRefused: http.StatusUnprocessableEntity, payments.CodeEventRefused: http.StatusBadRequest,
	incentive.CodeInternal: http.StatusInternalServerError, store.CodeLedgerBroken: http.StatusInternalServerError,
	store.CodeChainBroken: http.StatusInternalServerError, activities.CodeNotProved: http.StatusInternalServerError,
	codeBusy: http.StatusServiceUnavailable, CodeTooMany: http.StatusTooManyRequests,
}

func statusOf(code incentive.Code) int {
	if status, known := statuses[code]; known {
		return status
	}
	return http.StatusConflict
}

const problemType = "application/problem+json"

// problem answers with an error. Internals go to the log and not to the caller.
func (s *server) problem(c *gin.Context, err error) {
	status, body := s.problemOf(c.Request.Context(), err)
	if status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", "Bearer")
	}
	if status == http.StatusTooManyRequests {
		c.Header("Retry-After", "1")
	}
	c.Abort()
	c.Data(status, problemType, body)
}

func (s *server) problemOf(ctx context.Context, err error) (status int, body []byte) {
	code := incentive.ErrorCode(err)
	status = statusOf(code)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		code, status = codeBusy, http.StatusServiceUnavailable
		err = incentive.Errorf(codeBusy, "the answer did not come in time: ask again with the same Idempotency-Key")
	}
	if status >= http.StatusInternalServerError {
		s.Log.ErrorContext(ctx, "request failed", "request", requestID(ctx), "code", code, "error", err)
	}
	body, _ = json.Marshal(spec.Problem{ // texts alone
		Type:      "/problems/" + string(code),
		Title:     http.StatusText(status),
		Status:    status,
		Detail:    languageOf(ctx).Translate(incentive.ErrorMessage(err)),
		Code:      string(code),
		RequestId: requestID(ctx),
	})
	return status, body
}
