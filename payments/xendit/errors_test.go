package xendit

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments"
)

func classOf(status int, code string) payments.Class {
	return payments.ClassOf(classify(status, nil, fmt.Appendf(nil, `{"error_code":%q,"message":"whatever"}`, code)))
}

func TestClassOfEveryCode(t *testing.T) {
	t.Parallel()
	for class, codes := range map[payments.Class][]string{
		payments.Unknown:           {"SERVER_ERROR"},
		payments.Throttled:         {"RATE_LIMIT_EXCEEDED"},
		payments.Alarm:             {"DUPLICATE_ERROR", "DUPLICATE_TRANSACTION_ERROR", "IDEMPOTENCY_ERROR"},
		payments.Configuration:     {"INVALID_API_KEY", "REQUEST_FORBIDDEN_ERROR", "INVALID_JSON_FORMAT", "UNSUPPORTED_CONTENT_TYPE"},
		payments.InsufficientFunds: {"INSUFFICIENT_BALANCE", "DIRECT_DISBURSEMENT_BALANCE_INSUFFICIENT_ERROR"},
		payments.RecipientAction:   {"CHANNEL_CODE_NOT_SUPPORTED", "CHANNEL_CODE_NOT_SUPPORTED_ERROR", "BANK_CODE_NOT_SUPPORTED_ERROR", "RECIPIENT_ACCOUNT_NUMBER_ERROR", "INVALID_DESTINATION"},
		payments.Definite:          {"RECIPIENT_AMOUNT_ERROR", "MINIMUM_TRANSFER_LIMIT_ERROR", "MAXIMUM_TRANSFER_LIMIT_ERROR", "API_VALIDATION_ERROR", "DATA_NOT_FOUND", "A_CODE_OF_TOMORROW"},
	} {
		for _, code := range codes {
			require.Equal(t, class, classOf(400, code), code)
			for _, status := range []int{500, 502, 503, 504, 599} {
				require.Equal(t, payments.Unknown, classOf(status, code), "a server that failed may have paid first: %d %s", status, code)
			}
		}
	}
}

// Every status, with a code that says nothing and without one.
func TestClassOfEveryStatus(t *testing.T) {
	t.Parallel()
	for status := 200; status < 600; status++ {
		want := map[int]payments.Class{400: payments.Definite, 401: payments.Configuration, 403: payments.Configuration, 409: payments.InProgress, 429: payments.Throttled}[status]
		if want == "" {
			want = payments.Unknown
		}
		require.Equal(t, want, classOf(status, "A_CODE_OF_TOMORROW"), status)
		// Without a code it is not certain that Xendit answered at all.
		if status != 401 && status != 429 {
			want = payments.Unknown
		}
		for _, body := range []string{``, `{}`, `null`, `<html>`, `{"error_code":1}`, `{"message":"no"}`} {
			require.Equal(t, want, payments.ClassOf(classify(status, nil, []byte(body))), "%d %s", status, body)
		}
	}
}

// No rule is dead: each decides for some answer.
func TestEveryRuleDecides(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		status := r.status
		if status == 0 {
			status = 404
		}
		require.Equal(t, i, slices.IndexFunc(rules, func(other rule) bool { return other.matches(status, r.code) }), "%+v is hidden", r)
		require.NotEmpty(t, r.message)
		require.Contains(t, payments.Classes(), r.class)
	}
}

func TestClassOfEveryFailure(t *testing.T) {
	t.Parallel()
	want := map[string]payments.Class{
		"INSUFFICIENT_BALANCE": payments.InsufficientFunds, "INVALID_DESTINATION": payments.RecipientAction, "REJECTED_BY_CHANNEL": payments.RecipientAction,
		"TEMPORARY_TRANSFER_ERROR": payments.Definite, "TRANSFER_ERROR": payments.Definite, "UNKNOWN_BANK_NETWORK_ERROR": payments.Definite,
		"A_CODE_OF_TOMORROW": payments.Definite, "": payments.Definite, "Maria Santos": payments.Definite,
	}
	for _, f := range failures {
		require.Contains(t, want, f.code)
	}
	for code, class := range want {
		err := payout{Status: "FAILED", FailureCode: code}.failure()
		require.Equal(t, class, payments.ClassOf(err), code)
		require.False(t, class.Handling().MayHavePaid, "a payout that failed has not paid")
		require.NotContains(t, err.Error(), "Maria", "a code may be anything")
	}
}

func TestStatesAreStates(t *testing.T) {
	t.Parallel()
	for status, state := range states {
		require.Contains(t, []payments.State{payments.Submitted, payments.Paid, payments.Returned, payments.Refused}, state, status)
		require.Equal(t, status, plainCode(status))
	}
}

func TestErrorCarriesWhatSupportNeeds(t *testing.T) {
	t.Parallel()
	for wait, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "-1": 0, "soon": 0, "999999999": 0} {
		var e *payments.Error
		require.ErrorAs(t, classify(429, http.Header{"Request-Id": {"abc-1"}, "Retry-After": {wait}}, []byte(`{"error_code":"RATE_LIMIT_EXCEEDED"}`)), &e)
		require.Equal(t, "abc-1", e.RequestID)
		require.Equal(t, "RATE_LIMIT_EXCEEDED", e.Code)
		require.Equal(t, want, e.RetryAfter)
	}
	var e *payments.Error
	require.ErrorAs(t, classify(400, http.Header{"Request-Id": {"a name\n"}}, []byte(`{"error_code":"Account 123 of Maria"}`)), &e)
	require.Empty(t, e.RequestID)
	require.Equal(t, "code-unreadable", e.Code)
}
