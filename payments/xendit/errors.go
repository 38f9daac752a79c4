package xendit

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/guerdon/guerdon/payments"
)

// rule is one line of the table of errors. An empty field matches anything.
type rule struct {
	status  int
	code    string
	class   payments.Class
	message string
}

// rules is the table of errors: the first rule that matches decides. What no rule
// matches is Unknown, which is always safe: the attempt is looked up.
var rules = []rule{
	// Before the codes: a server that failed may have paid first.
	{status: 500, class: payments.Unknown, message: "Xendit failed"},
	{code: "SERVER_ERROR", class: payments.Unknown, message: "Xendit failed"},
	{status: http.StatusTooManyRequests, class: payments.Throttled, message: "Xendit asks for fewer calls"},
	{code: "RATE_LIMIT_EXCEEDED", class: payments.Throttled, message: "Xendit asks for fewer calls"},

	{code: "DUPLICATE_ERROR", class: payments.Alarm, message: "Xendit has seen this key with another body"},
	{code: "DUPLICATE_TRANSACTION_ERROR", class: payments.Alarm, message: "Xendit has seen this key with another body"},
	{code: "IDEMPOTENCY_ERROR", class: payments.Alarm, message: "Xendit has seen this key with another body"},

	{status: http.StatusUnauthorized, class: payments.Configuration, message: "Xendit does not accept the API key"},
	{code: "INVALID_API_KEY", class: payments.Configuration, message: "Xendit does not accept the API key"},
	{status: http.StatusForbidden, class: payments.Configuration, message: "the API key may not do this"},
	{code: "REQUEST_FORBIDDEN_ERROR", class: payments.Configuration, message: "the API key may not do this"},
	{code: "INVALID_JSON_FORMAT", class: payments.Configuration, message: "Xendit does not accept the form of the request"},
	{code: "UNSUPPORTED_CONTENT_TYPE", class: payments.Configuration, message: "Xendit does not accept the form of the request"},

	{code: "INSUFFICIENT_BALANCE", class: payments.InsufficientFunds, message: "the balance at Xendit is too small"},
	{code: "DIRECT_DISBURSEMENT_BALANCE_INSUFFICIENT_ERROR", class: payments.InsufficientFunds, message: "the balance at Xendit is too small"},

	{code: "CHANNEL_CODE_NOT_SUPPORTED", class: payments.RecipientAction, message: "Xendit does not pay to the recipient's bank or e-wallet"},
	{code: "CHANNEL_CODE_NOT_SUPPORTED_ERROR", class: payments.RecipientAction, message: "Xendit does not pay to the recipient's bank or e-wallet"},
	{code: "BANK_CODE_NOT_SUPPORTED_ERROR", class: payments.RecipientAction, message: "Xendit does not pay to the recipient's bank"},
	{code: "RECIPIENT_ACCOUNT_NUMBER_ERROR", class: payments.RecipientAction, message: "the recipient's account number is not accepted"},
	{code: "INVALID_DESTINATION", class: payments.RecipientAction, message: "the recipient's account does not exist"},

	{code: "RECIPIENT_AMOUNT_ERROR", class: payments.Definite, message: "the amount is below the smallest of the bank or e-wallet"},
	{code: "MINIMUM_TRANSFER_LIMIT_ERROR", class: payments.Definite, message: "the amount is below the smallest of the bank or e-wallet"},
	{code: "MAXIMUM_TRANSFER_LIMIT_ERROR", class: payments.Definite, message: "the amount is above the largest of the bank or e-wallet"},
	{code: "API_VALIDATION_ERROR", class: payments.Definite, message: "Xendit does not accept a detail of the payout"},
	{code: "DATA_NOT_FOUND", class: payments.Definite, message: "Xendit does not know what the request names"},

	// After the codes: these statuses say less. A refusal of Xendit has a code; an answer
	// without one is somebody else's, such as a proxy's.
	{status: http.StatusConflict, class: payments.InProgress, message: "Xendit is working on the same payout"},
	{status: http.StatusBadRequest, class: payments.Definite, message: "Xendit does not accept the request"},
}

// failure is why Xendit could not make a payout that it had taken.
type failure struct {
	code    string
	class   payments.Class
	message string
}

// failures is the table of reasons of payouts that failed. Whatever the reason, the
// money is back: one that is not in the table is Definite.
var failures = []failure{
	{"INSUFFICIENT_BALANCE", payments.InsufficientFunds, "the balance at Xendit was too small"},
	{"INVALID_DESTINATION", payments.RecipientAction, "the recipient's account does not exist"},
	{"REJECTED_BY_CHANNEL", payments.RecipientAction, "the recipient's bank or e-wallet refused the payout"},
	{"TEMPORARY_TRANSFER_ERROR", payments.Definite, "the recipient's bank or e-wallet had a fault"},
	{"TRANSFER_ERROR", payments.Definite, "the transfer failed"},
	{"UNKNOWN_BANK_NETWORK_ERROR", payments.Definite, "the network between the banks had a fault"},
}

func (r rule) matches(status int, code string) bool {
	return (r.status == 0 || r.status == status || r.status == 500 && status >= 500) && (r.code == "" || r.code == code)
}

// classify puts an answer other than 200 into one class.
func classify(status int, header http.Header, body []byte) error {
	var answer struct {
		ErrorCode string `json:"error_code"`
	}
	e := &payments.Error{Class: payments.Unknown, Rail: Name, Message: "Xendit answered with an error that is not known here", RequestID: requestID(header)}
	if json.Unmarshal(body, &answer) != nil || answer.ErrorCode == "" {
		e.Code, e.Message = "answer-unreadable", "no readable answer came from Xendit"
		if status != http.StatusTooManyRequests && status != http.StatusUnauthorized {
			return e
		}
	} else {
		e.Code = plainCode(answer.ErrorCode)
	}
	for _, r := range rules {
		if r.matches(status, answer.ErrorCode) {
			e.Class, e.Message = r.class, r.message
			break
		}
	}
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 3600 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

var (
	plain     = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
	requestOf = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
)

// plainCode is a code that is nothing but a code: it goes where no name may go.
func plainCode(code string) string {
	if plain.MatchString(code) {
		return code
	}
	return "code-unreadable"
}

func requestID(header http.Header) string {
	if id := header.Get("Request-Id"); requestOf.MatchString(id) {
		return id
	}
	return ""
}

func isDuplicate(err error) bool {
	var e *payments.Error
	return errors.As(err, &e) && e.Class == payments.Alarm
}

// unknownAfter is the error of a payout whose fate was looked up in vain.
func unknownAfter(err error) error {
	if payments.ClassOf(err) == payments.Alarm {
		return err
	}
	return &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-lost", Message: "Xendit has seen this key, and could not be asked for what", Cause: err}
}

func lost(cause error) error {
	return &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-lost", Message: "no readable answer came from Xendit", Cause: cause}
}

func unreadable(message string, cause error) error {
	return &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: message, Cause: cause}
}

func refuse(code, message string) *payments.Error {
	return &payments.Error{Class: payments.Definite, Rail: Name, Code: code, Message: message}
}

func alarm(code, message string) error {
	return &payments.Error{Class: payments.Alarm, Rail: Name, Code: code, Message: message}
}
