package tremendous

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/guerdon/guerdon/payments"
)

// rule is one line of the table of errors. Tremendous has no codes: it answers with a
// status and with the fields of the request that were wrong. An empty field matches
// anything.
type rule struct {
	status  int
	field   string // of the request, such as reward.recipient.email
	class   payments.Class
	message string
}

// rules is the table of errors: the first rule that matches decides. What no rule
// matches is Unknown, which is always safe: the attempt is looked up.
var rules = []rule{
	// Before the fields: a server that failed may have paid first.
	{status: 500, class: payments.Unknown, message: "Tremendous failed"},
	{status: http.StatusTooManyRequests, class: payments.Throttled, message: "Tremendous asks for fewer calls"},
	{status: http.StatusConflict, class: payments.Alarm, message: "Tremendous has another order with this reference"},
	{status: http.StatusUnauthorized, class: payments.Configuration, message: "Tremendous does not accept the API key"},
	{status: http.StatusPaymentRequired, class: payments.InsufficientFunds, message: "the balance at Tremendous is too small"},
	{status: http.StatusForbidden, class: payments.Configuration, message: "the API key may not do this"},

	{field: "payment.funding_source_id", class: payments.Configuration, message: "Tremendous does not accept the funding source"},
	{field: "payment", class: payments.InsufficientFunds, message: "Tremendous could not take the money for the order"},
	{field: "reward.campaign_id", class: payments.Configuration, message: "Tremendous does not accept the campaign"},
	{field: "external_id", class: payments.Alarm, message: "Tremendous does not accept the reference"},
	{field: "reward.products", class: payments.RecipientAction, message: "the product that the recipient chose cannot be had"},
	{field: "reward.recipient", class: payments.RecipientAction, message: "Tremendous does not accept the recipient's address"},
	{field: "reward.value", class: payments.Definite, message: "Tremendous does not pay this amount"},

	// After the fields: these statuses say less.
	{status: http.StatusBadRequest, class: payments.Definite, message: "Tremendous does not accept the order"},
	{status: http.StatusNotFound, class: payments.Configuration, message: "Tremendous does not know what the request names"},
	{status: http.StatusUnprocessableEntity, class: payments.Definite, message: "Tremendous does not accept the order"},
}

func (r rule) matches(status int, payload map[string]any) bool {
	return (r.status == 0 || r.status == status || r.status == 500 && status >= 500) && (r.field == "" || status < 500 && has(payload, strings.Split(r.field, ".")))
}

// has reports whether an error speaks of a field of the request.
func has(payload any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	fields, ok := payload.(map[string]any)
	if !ok {
		return false
	}
	inner, found := fields[path[0]]
	return found && has(inner, path[1:])
}

// problem is what Tremendous says of an error; its pages show it under both names.
type problem struct {
	Message string         `json:"message"`
	Payload map[string]any `json:"payload"`
}

// classify puts an answer other than 200 and 201 into one class.
func classify(status int, header http.Header, body []byte) error {
	var answer struct {
		Errors *problem `json:"errors"`
		Error  *problem `json:"error"`
	}
	e := &payments.Error{
		Class:     payments.Unknown,
		Rail:      Name,
		Code:      "http-" + strconv.Itoa(status),
		Message:   "Tremendous answered with an error that is not known here",
		RequestID: requestID(header),
	}
	said := problem{}
	unread := json.Unmarshal(body, &answer) != nil || answer.Errors == nil && answer.Error == nil
	switch {
	case unread:
		e.Message = "no readable answer came from Tremendous"
		if status != http.StatusTooManyRequests && status != http.StatusUnauthorized {
			e.Code = "answer-unreadable"
			return e
		}
	case answer.Errors != nil:
		said = *answer.Errors
	default:
		said = *answer.Error
	}
	for _, r := range rules {
		if r.matches(status, said.Payload) {
			e.Class, e.Message = r.class, r.message
			if r.field != "" {
				e.Code = r.field
			}
			break
		}
	}
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 3600 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	} else if e.Class == payments.Throttled {
		e.RetryAfter = time.Second // what Tremendous asks of everybody
	}
	return e
}

var requestOf = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

func requestID(header http.Header) string {
	if id := header.Get("X-Request-Id"); requestOf.MatchString(id) {
		return id
	}
	return ""
}

func lost(cause error) error {
	return &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-lost", Message: "no readable answer came from Tremendous", Cause: cause}
}

func unreadable(message string, cause error) error {
	return &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: message, Cause: cause}
}

func refuse(code, message string) error {
	return &payments.Error{Class: payments.Definite, Rail: Name, Code: code, Message: message}
}

func alarm(code, message string) error {
	return &payments.Error{Class: payments.Alarm, Rail: Name, Code: code, Message: message}
}
