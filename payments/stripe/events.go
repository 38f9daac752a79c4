package stripe

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// SignatureHeader is the header that carries the time and signatures of an event.
const SignatureHeader = "Stripe-Signature"

// tolerance is how far the time of a signature may be from ours, either way.
const tolerance = 5 * time.Minute

// ParseEvents authenticates a webhook and returns its one event. The signature must be
// by one of the configured secrets and at most five minutes from now, past or future:
// the library checks the past only, and only against the machine's clock.
//
// An event rendered by another API version is taken: nothing but ids and the transfer
// group is read from it, which no version has changed, and every event is followed by a
// look-up through the version this rail is built for.
func (r *Rail) ParseEvents(header http.Header, body []byte, now time.Time) ([]payments.Event, error) {
	refuse := func(reason string) ([]payments.Event, error) {
		return nil, incentive.Errorf(payments.CodeEventRefused, "this is not an event from Stripe: %s", reason)
	}
	signatures := header.Values(SignatureHeader)
	if len(signatures) != 1 {
		return refuse("one " + SignatureHeader + " header is expected")
	}
	signedAt, ok := signatureTime(signatures[0])
	if !ok {
		return refuse("its " + SignatureHeader + " header names no single time")
	}
	if age := now.Sub(signedAt); age > tolerance || age < -tolerance {
		return refuse("it was signed more than five minutes from now")
	}
	var event sdk.Event
	authentic := false
	for _, secret := range r.secrets {
		if webhook.ValidatePayloadIgnoringTolerance(body, signatures[0], secret) == nil {
			authentic = true
			break
		}
	}
	if !authentic {
		return refuse("its signature is not by a secret of this installation")
	}
	if err := json.Unmarshal(body, &event); err != nil || event.ID == "" || event.Object != "event" || event.Data == nil {
		return refuse("its body is not an event")
	}
	var object struct {
		ID            string `json:"id"`
		Object        string `json:"object"`
		TransferGroup string `json:"transfer_group"`
	}
	if err := json.Unmarshal(event.Data.Raw, &object); err != nil {
		return refuse("its body holds no object")
	}
	account := event.Account
	if object.Object == "account" && account == "" {
		account = object.ID
	}
	claims := payments.State("")
	if event.Type == sdk.EventTypeTransferCreated {
		claims = payments.Paid
	}
	return []payments.Event{{
		ID:        event.ID,
		Kind:      string(event.Type),
		Reference: object.TransferGroup,
		RailID:    object.ID,
		Account:   account,
		Claims:    claims,
		At:        time.Unix(event.Created, 0).UTC(),
	}}, nil
}

// signatureTime reads the time of a signature header; one with two times is refused,
// since it could be checked by one and signed by the other.
func signatureTime(header string) (at time.Time, ok bool) {
	for pair := range strings.SplitSeq(header, ",") {
		value, isTime := strings.CutPrefix(pair, "t=")
		if !isTime {
			continue
		}
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || ok || seconds < 0 || seconds > 1<<40 {
			return time.Time{}, false
		}
		at, ok = time.Unix(seconds, 0), true
	}
	return at, ok
}
