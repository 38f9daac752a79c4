package xoxoday

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"

	"github.com/guerdon/guerdon/payments"
)

// rule is what a status other than 200 means, when Xoxoday says in its own words that it
// refused.
type rule struct {
	class   payments.Class
	message string
}

// rules is the table of errors. What is not in it is Unknown, which is always safe: the
// attempt is looked up.
var rules = map[int]rule{
	http.StatusBadRequest:      {payments.Definite, "Xoxoday does not accept the request"},
	http.StatusUnauthorized:    {payments.Configuration, "Xoxoday does not accept its own token"},
	http.StatusPaymentRequired: {payments.InsufficientFunds, "the balance at Xoxoday is too small"},
	http.StatusForbidden:       {payments.Configuration, "the client may not do this at Xoxoday"},
	http.StatusNotFound:        {payments.Definite, "Xoxoday does not know what the request names"},
	http.StatusTooManyRequests: {payments.Throttled, "Xoxoday asks for fewer calls"},
	// Among others of an order number that was used before: there may be an order.
	http.StatusUnprocessableEntity: {payments.Unknown, "Xoxoday may have an order of this number already"},
}

// refusal is what Xoxoday says of an error.
type refusal struct {
	Error     string `json:"error"`
	ErrorInfo string `json:"errorInfo"`
	ErrorID   string `json:"errorId"`
}

var errorID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// isRefusal reports whether an answer is Xoxoday's own, and not that of something between.
func isRefusal(body []byte) bool {
	var said refusal
	return json.Unmarshal(body, &said) == nil && (said.Error != "" || said.ErrorInfo != "")
}

// classify puts an answer other than 200 into one class.
func classify(status int, body []byte) error {
	e := &payments.Error{Class: payments.Unknown, Rail: Name, Code: "http-" + strconv.Itoa(status), Message: "Xoxoday answered with an error that is not known here"}
	if !isRefusal(body) {
		e.Code, e.Message = "answer-unreadable", "no readable answer came from Xoxoday"
		return e
	}
	if r, known := rules[status]; known {
		e.Class, e.Message = r.class, r.message
	}
	var said refusal
	if json.Unmarshal(body, &said) == nil && errorID.MatchString(said.ErrorID) {
		e.RequestID = said.ErrorID
	}
	return e
}

func lost(cause error) error {
	return &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-lost", Message: "no readable answer came from Xoxoday", Cause: cause}
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
