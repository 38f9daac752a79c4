package tremendous

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/payments"
)

// saying is the payload of an error that speaks of a field.
func saying(field string) map[string]any {
	payload := any("is invalid")
	for _, name := range slices.Backward(strings.Split(field, ".")) {
		payload = map[string]any{name: payload}
	}
	return payload.(map[string]any)
}

func classOf(t *testing.T, status int, name, field string) payments.Class {
	t.Helper()
	said := map[string]any{"message": "whatever", "payload": map[string]any{}}
	if field != "" {
		said["payload"] = saying(field)
	}
	body, err := json.Marshal(map[string]any{name: said})
	require.NoError(t, err)
	return payments.ClassOf(classify(status, nil, body))
}

func TestClassOfEveryField(t *testing.T) {
	t.Parallel()
	for class, fields := range map[payments.Class][]string{
		payments.Configuration:     {"payment.funding_source_id", "reward.campaign_id"},
		payments.InsufficientFunds: {"payment", "payment.amount"},
		payments.Alarm:             {"external_id"},
		payments.RecipientAction:   {"reward.products", "reward.recipient", "reward.recipient.email", "reward.recipient.name"},
		payments.Definite:          {"reward.value", "reward.value.denomination", "reward.value.currency_code", "reward", "reward.delivery", "a_field_of_tomorrow"},
	} {
		for _, field := range fields {
			for _, name := range []string{"errors", "error"} {
				require.Equal(t, class, classOf(t, 400, name, field), field)
				require.Equal(t, class, classOf(t, 422, name, field), field)
				for _, status := range []int{500, 502, 503, 504, 599} {
					require.Equal(t, payments.Unknown, classOf(t, status, name, field), "a server that failed may have paid first: %d %s", status, field)
				}
			}
		}
	}
}

// Every status, with an error that says nothing and without one.
func TestClassOfEveryStatus(t *testing.T) {
	t.Parallel()
	for status := 200; status < 600; status++ {
		want := map[int]payments.Class{
			400: payments.Definite, 401: payments.Configuration, 402: payments.InsufficientFunds, 403: payments.Configuration, 404: payments.Configuration,
			409: payments.Alarm, 422: payments.Definite, 429: payments.Throttled,
		}[status]
		if want == "" {
			want = payments.Unknown
		}
		require.Equal(t, want, classOf(t, status, "errors", ""), status)
		// Without an error it is not certain that Tremendous answered at all.
		if status != 401 && status != 429 {
			want = payments.Unknown
		}
		for _, body := range []string{``, `{}`, `null`, `<html>`, `{"errors":null}`, `{"errors":"no"}`, `{"message":"no"}`} {
			require.Equal(t, want, payments.ClassOf(classify(status, nil, []byte(body))), "%d %s", status, body)
		}
	}
}

// No rule is dead: each decides for some answer.
func TestEveryRuleDecides(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		status, payload := r.status, map[string]any{}
		if status == 0 {
			status = 400
		}
		if r.field != "" {
			payload = saying(r.field)
		}
		require.Equal(t, i, slices.IndexFunc(rules, func(other rule) bool { return other.matches(status, payload) }), "%+v is hidden", r)
		require.NotEmpty(t, r.message)
		require.Contains(t, payments.Classes(), r.class)
	}
}

func TestStatesAreStates(t *testing.T) {
	t.Parallel()
	for status, state := range states {
		require.Contains(t, []payments.State{payments.Submitted, payments.Paid, payments.Refused}, state, status)
	}
}

func TestErrorCarriesWhatSupportNeeds(t *testing.T) {
	t.Parallel()
	body := []byte(`{"error":{"message":"Too many requests","payload":{}}}`)
	for wait, want := range map[string]time.Duration{"7": 7 * time.Second, "": time.Second, "-1": time.Second, "soon": time.Second, "999999999": time.Second} {
		var e *payments.Error
		require.ErrorAs(t, classify(429, http.Header{"X-Request-Id": {"abc-1"}, "Retry-After": {wait}}, body), &e)
		require.Equal(t, "abc-1", e.RequestID)
		require.Equal(t, "http-429", e.Code)
		require.Equal(t, want, e.RetryAfter)
	}
	var e *payments.Error
	require.ErrorAs(t, classify(400, http.Header{"X-Request-Id": {"a name\n"}}, fmt.Appendf(nil, `{"errors":{"message":"Maria Santos","payload":{"reward":{"recipient":"Maria Santos"}}}}`)), &e)
	require.Empty(t, e.RequestID)
	require.Zero(t, e.RetryAfter)
	require.NotContains(t, e.Error(), "Maria")
}
