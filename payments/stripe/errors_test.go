package stripe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "github.com/stripe/stripe-go/v76"

	"github.com/guerdon/guerdon/payments"
)

func classOf(status int, kind sdk.ErrorType, code string) payments.Class {
	return payments.ClassOf(classify(&sdk.Error{HTTPStatusCode: status, Type: kind, Code: sdk.ErrorCode(code)}))
}

// Every code that can come of a transfer, as an answer of status 400.
func TestClassOfEveryCode(t *testing.T) {
	t.Parallel()
	for class, codes := range map[payments.Class][]string{
		payments.Throttled:         {"rate_limit", "lock_timeout"},
		payments.InProgress:        {"idempotency_key_in_use"},
		payments.InsufficientFunds: {"balance_insufficient", "insufficient_funds", "payouts_limit_exceeded", "instant_payouts_limit_exceeded"},
		payments.RecipientAction: {
			"account_invalid", "account_closed", "account_country_invalid_address", "account_information_mismatch", "account_number_invalid",
			"bank_account_bad_routing_numbers", "bank_account_declined", "bank_account_exists", "bank_account_restricted", "bank_account_unusable", "bank_account_unverified",
			"bank_account_verification_failed", "debit_not_authorized", "no_account", "not_allowed_on_standard_account", "payouts_not_allowed", "routing_number_invalid",
			"transfers_not_allowed", "insufficient_capabilities_for_transfer",
		},
		payments.Configuration: {
			"api_key_expired", "platform_api_key_expired", "secret_key_required", "platform_account_required", "livemode_mismatch", "testmode_charges_only", "tls_version_unsupported",
			"transfer_source_balance_parameters_mismatch", "parameter_invalid_empty", "parameter_invalid_integer", "parameter_invalid_string_blank", "parameter_invalid_string_empty",
			"parameter_missing", "parameter_unknown", "parameters_exclusive", "url_invalid",
		},
		payments.Definite: {"amount_too_large", "amount_too_small", "country_unsupported", "resource_missing", "balance_invalid_parameter", "", "a_code_of_tomorrow"},
	} {
		for _, code := range codes {
			require.Equal(t, class, classOf(400, sdk.ErrorTypeInvalidRequest, code), code)
			// Whatever the code says, a server that failed may have paid first.
			if code != "idempotency_key_in_use" {
				for _, status := range []int{500, 502, 503, 504, 599} {
					require.Equal(t, payments.Unknown, classOf(status, sdk.ErrorTypeAPI, code), "%d %s", status, code)
				}
			}
		}
	}
}

func TestClassOfEveryStatusAndType(t *testing.T) {
	t.Parallel()
	kinds := []sdk.ErrorType{sdk.ErrorTypeAPI, sdk.ErrorTypeCard, sdk.ErrorTypeInvalidRequest, "", "a_type_of_tomorrow"}
	for status := 300; status < 600; status++ {
		for _, kind := range kinds {
			want := payments.Unknown
			switch {
			case status == 401, status == 403:
				want = payments.Configuration
			case status == 402, kind == sdk.ErrorTypeInvalidRequest && (status == 400 || status == 404):
				want = payments.Definite
			case status == 409:
				want = payments.InProgress
			case status == 429:
				want = payments.Throttled
			}
			require.Equal(t, want, classOf(status, kind, ""), "%d %s", status, kind)
		}
	}
	require.Equal(t, payments.Alarm, classOf(400, sdk.ErrorTypeIdempotency, ""))
	require.Equal(t, payments.InProgress, classOf(409, sdk.ErrorTypeIdempotency, "idempotency_key_in_use"))
	require.Equal(t, payments.InProgress, classOf(409, sdk.ErrorTypeInvalidRequest, "idempotency_key_in_use"))
}

// Anything that is not an answer of Stripe is Unknown.
func TestClassOfLostAnswers(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	for _, cause := range []error{
		&url.Error{Op: "Post", URL: "https://api.stripe.com/v1/transfers", Err: context.DeadlineExceeded},
		&url.Error{Op: "Post", URL: "x", Err: context.Canceled}, &url.Error{Op: "Post", URL: "x", Err: io.EOF}, &url.Error{Op: "Post", URL: "x", Err: reset},
		&url.Error{Op: "Post", URL: "x", Err: &net.DNSError{Err: "no such host"}}, reset, syscall.ECONNREFUSED, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded,
		errors.New("Couldn't deserialize JSON (response status: 200, body sample: '{\"id\": \"tr_'): unexpected end of JSON input"),
		errors.New("<html>502</html>"), fmt.Errorf("wrapped: %w", reset),
	} {
		err := classify(cause)
		require.Equal(t, payments.Unknown, payments.ClassOf(err), "%v", cause)
		require.ErrorIs(t, err, cause)
		require.NotContains(t, err.Error(), "body sample", "an answer would reach Temporal's history")
	}
	require.Equal(t, payments.Throttled, payments.ClassOf(classify(fmt.Errorf("wrapped: %w", &sdk.Error{HTTPStatusCode: 429}))))
}

// No rule is dead: each decides for some answer.
func TestEveryRuleDecides(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		status := r.status
		if status == 0 {
			status = 400
		}
		kind := r.kind
		if kind == "" {
			kind = sdk.ErrorTypeInvalidRequest
		}
		e := &sdk.Error{HTTPStatusCode: status, Type: kind, Code: sdk.ErrorCode(strings.Replace(r.code, "*", "x", 1))}
		first := slices.IndexFunc(rules, func(r rule) bool { return r.matches(e) })
		require.Equal(t, i, first, "rule %d (%+v) is hidden by rule %d", i, r, first)
		require.NotEmpty(t, r.message)
		require.Contains(t, payments.Classes(), r.class)
	}
}

func TestErrorCarriesWhatSupportNeeds(t *testing.T) {
	t.Parallel()
	answer := &sdk.APIResponse{Header: http.Header{"Retry-After": {"7"}}}
	e := &sdk.Error{HTTPStatusCode: 429, Code: sdk.ErrorCodeRateLimit, RequestID: "req_1"}
	e.SetLastResponse(answer)
	var got *payments.Error
	require.ErrorAs(t, classify(e), &got)
	require.Equal(t, "req_1", got.RequestID)
	require.Equal(t, "rate_limit", got.Code)
	require.Equal(t, 7*time.Second, got.RetryAfter)
	for _, odd := range []string{"-1", "soon", "999999999"} {
		answer.Header.Set("Retry-After", odd)
		require.ErrorAs(t, classify(e), &got)
		require.Zero(t, got.RetryAfter)
	}
}
