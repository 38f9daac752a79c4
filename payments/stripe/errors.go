package stripe

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v76"

	"github.com/guerdon/guerdon/payments"
)

// rule is one line of the table of errors. An empty field matches anything.
type rule struct {
	status  int
	kind    sdk.ErrorType
	code    string // a trailing * matches any rest
	class   payments.Class
	message string
}

// rules is the table of errors: the first rule that matches decides. What no rule
// matches is Unknown, which is always safe: the attempt is looked up.
var rules = []rule{
	// Before the type: a key in use has the type of a key misused.
	{code: "idempotency_key_in_use", class: payments.InProgress, message: "a request with the same key is under way"},
	{status: http.StatusConflict, class: payments.InProgress, message: "Stripe is working on the same object"},
	{kind: sdk.ErrorTypeIdempotency, class: payments.Alarm, message: "Stripe has seen this key with another body"},
	{status: http.StatusTooManyRequests, class: payments.Throttled, message: "Stripe asks for fewer calls"},
	// Before the statuses below and the codes: a server that failed may have paid first.
	{status: 500, class: payments.Unknown, message: "Stripe failed"},

	{code: "rate_limit", class: payments.Throttled, message: "Stripe asks for fewer calls"},
	{code: "lock_timeout", class: payments.Throttled, message: "Stripe could not lock the object"},

	{status: http.StatusUnauthorized, class: payments.Configuration, message: "Stripe does not accept the API key"},
	{code: "api_key_expired", class: payments.Configuration, message: "the API key has expired"},
	{code: "platform_api_key_expired", class: payments.Configuration, message: "the platform's API key has expired"},
	{code: "secret_key_required", class: payments.Configuration, message: "the API key is not a secret key"},
	{code: "platform_account_required", class: payments.Configuration, message: "the API key is not of a Connect platform"},
	{code: "livemode_mismatch", class: payments.Configuration, message: "the API key and the account are not both live or both for tests"},
	{code: "testmode_charges_only", class: payments.Configuration, message: "the platform's account is not activated for live payments"},
	{code: "tls_version_unsupported", class: payments.Configuration, message: "Stripe does not accept this TLS version"},
	{code: "transfer_source_balance_parameters_mismatch", class: payments.Configuration, message: "the transfer names a balance it cannot use"},
	{code: "parameter_*", class: payments.Configuration, message: "Stripe does not accept a parameter"},
	{code: "parameters_exclusive", class: payments.Configuration, message: "Stripe does not accept two parameters together"},
	{code: "url_invalid", class: payments.Configuration, message: "Stripe does not accept an address"},

	{code: "balance_insufficient", class: payments.InsufficientFunds, message: "the balance at Stripe is too small"},
	{code: "insufficient_funds", class: payments.InsufficientFunds, message: "the balance at Stripe is too small"},
	{code: "payouts_limit_exceeded", class: payments.InsufficientFunds, message: "Stripe's limit for today is used up"},
	{code: "instant_payouts_limit_exceeded", class: payments.InsufficientFunds, message: "Stripe's limit for today is used up"},

	{code: "account_invalid", class: payments.RecipientAction, message: "the recipient's account does not exist or is not connected"},
	{code: "account_closed", class: payments.RecipientAction, message: "the recipient's account is closed"},
	{code: "account_country_invalid_address", class: payments.RecipientAction, message: "the address of the recipient's account is not accepted"},
	{code: "account_information_mismatch", class: payments.RecipientAction, message: "the recipient's account details contradict each other"},
	{code: "account_number_invalid", class: payments.RecipientAction, message: "the recipient's account number is not accepted"},
	{code: "bank_account_*", class: payments.RecipientAction, message: "the recipient's bank account is not accepted"},
	{code: "debit_not_authorized", class: payments.RecipientAction, message: "the recipient's account may not be debited"},
	{code: "no_account", class: payments.RecipientAction, message: "the recipient's bank account was not found"},
	{code: "not_allowed_on_standard_account", class: payments.RecipientAction, message: "the recipient's account is of a kind that cannot be paid"},
	{code: "payouts_not_allowed", class: payments.RecipientAction, message: "the recipient's account may not be paid yet"},
	{code: "routing_number_invalid", class: payments.RecipientAction, message: "the recipient's routing number is not accepted"},
	{code: "transfers_not_allowed", class: payments.RecipientAction, message: "the recipient's account may not receive transfers yet"},
	{code: "insufficient_capabilities_for_transfer", class: payments.RecipientAction, message: "the recipient's account may not receive transfers yet"},

	// These concern one payout; the others of the run may well pass.
	{code: "amount_too_large", class: payments.Definite, message: "the amount is above Stripe's largest"},
	{code: "amount_too_small", class: payments.Definite, message: "the amount is below Stripe's smallest"},
	{code: "country_unsupported", class: payments.Definite, message: "Stripe does not pay to the recipient's country"},
	{code: "resource_missing", class: payments.Definite, message: "Stripe does not know what the request names"},

	{status: http.StatusForbidden, class: payments.Configuration, message: "the API key may not do this"},
	{status: http.StatusBadRequest, kind: sdk.ErrorTypeInvalidRequest, class: payments.Definite, message: "Stripe does not accept the request"},
	{status: http.StatusPaymentRequired, class: payments.Definite, message: "Stripe refuses the request"},
	{status: http.StatusNotFound, kind: sdk.ErrorTypeInvalidRequest, class: payments.Definite, message: "Stripe does not know what the request names"},
}

func (r rule) matches(e *sdk.Error) bool {
	prefix, open := strings.CutSuffix(r.code, "*")
	return (r.status == 0 || r.status == e.HTTPStatusCode || r.status == 500 && e.HTTPStatusCode >= 500) &&
		(r.kind == "" || r.kind == e.Type) &&
		(r.code == "" || r.code == string(e.Code) || open && strings.HasPrefix(string(e.Code), prefix))
}

// classify puts an error of the library into one class. Only a well-formed answer of
// Stripe itself can be anything but Unknown: a broken connection, a time-out, a proxy's
// page or half an answer leave open what happened.
func classify(err error) error {
	lost := &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-lost", Message: "no readable answer came from Stripe", Cause: err}
	var e *sdk.Error
	if !errors.As(err, &e) {
		return lost
	}
	found := &payments.Error{
		Class:     payments.Unknown,
		Rail:      Name,
		Code:      string(e.Code),
		Message:   "Stripe answered with an error that is not known here",
		RequestID: e.RequestID,
		Cause:     err,
	}
	for _, r := range rules {
		if r.matches(e) {
			found.Class, found.Message = r.class, r.message
			break
		}
	}
	if e.LastResponse != nil {
		if seconds, err := strconv.Atoi(e.LastResponse.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 3600 {
			found.RetryAfter = time.Duration(seconds) * time.Second
		}
	}
	return found
}
