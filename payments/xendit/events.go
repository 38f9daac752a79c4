package xendit

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// TokenHeader is the header by which Xendit shows that a callback is its own.
const TokenHeader = "X-Callback-Token"

// ParseEvents authenticates a callback by its token and returns its one event. A token
// proves nothing about the body, and Xendit sends callbacks again for a day and whenever
// a person asks, so the clock is not held against it: an event is looked up all the same.
func (r *Rail) ParseEvents(header http.Header, body []byte, _ time.Time) ([]payments.Event, error) {
	refuse := func(reason string) ([]payments.Event, error) {
		return nil, incentive.Errorf(payments.CodeEventRefused, "this is not an event from Xendit: %s", reason)
	}
	tokens := header.Values(TokenHeader)
	if len(tokens) != 1 {
		return refuse("one " + TokenHeader + " header is expected")
	}
	given, authentic := sha256.Sum256([]byte(tokens[0])), 0
	for _, token := range r.tokens {
		valid := sha256.Sum256([]byte(token))
		authentic |= subtle.ConstantTimeCompare(given[:], valid[:])
	}
	if authentic == 0 {
		return refuse("its token is not one of this installation")
	}
	var callback struct {
		Event   string    `json:"event"`
		Created time.Time `json:"created"`
		Data    struct {
			ID          string `json:"id"`
			ReferenceID string `json:"reference_id"`
			Status      string `json:"status"`
			Updated     string `json:"updated"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &callback); err != nil || callback.Event == "" || callback.Data.ID == "" {
		return refuse("its body is not an event")
	}
	return []payments.Event{{
		// A callback has no id of its own; the same change has the same one.
		ID:        callback.Event + "/" + callback.Data.ID + "/" + callback.Data.Updated,
		Kind:      callback.Event,
		Reference: callback.Data.ReferenceID,
		RailID:    callback.Data.ID,
		Claims:    states[callback.Data.Status],
		At:        callback.Created.UTC(),
	}}, nil
}
