package tremendous

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// SignatureHeader is the header that carries the signature of an event.
const SignatureHeader = "Tremendous-Webhook-Signature"

// tolerance is how far in the future an event may have happened.
const tolerance = 5 * time.Minute

// ParseEvents authenticates a webhook by the signature over its body and returns its one
// event. RailID is the order's for an event of kind ORDERS, and the reward's for one of
// kind REWARDS. Tremendous sends an event again for a long time, so its age is not held
// against it: an event is looked up all the same.
func (r *Rail) ParseEvents(header http.Header, body []byte, now time.Time) ([]payments.Event, error) {
	refuse := func(reason string) ([]payments.Event, error) {
		return nil, incentive.Errorf(payments.CodeEventRefused, "this is not an event from Tremendous: %s", reason)
	}
	signatures := header.Values(SignatureHeader)
	if len(signatures) != 1 {
		return refuse("one " + SignatureHeader + " header is expected")
	}
	digits, found := strings.CutPrefix(signatures[0], "sha256=")
	given, err := hex.DecodeString(digits)
	if !found || err != nil {
		return refuse("its " + SignatureHeader + " header is not sha256= and a signature")
	}
	authentic := false
	for _, secret := range r.secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), given) {
			authentic = true
		}
	}
	if !authentic {
		return refuse("its signature is not by a secret of this installation")
	}
	var event struct {
		UUID    string    `json:"uuid"`
		Event   string    `json:"event"`
		Created time.Time `json:"created_utc"`
		Payload struct {
			Resource struct {
				ID string `json:"id"`
			} `json:"resource"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &event); err != nil || event.UUID == "" || event.Event == "" {
		return refuse("its body is not an event")
	}
	if event.Created.Sub(now) > tolerance {
		return refuse("it happens more than five minutes from now")
	}
	return []payments.Event{{ID: event.UUID, Kind: event.Event, RailID: event.Payload.Resource.ID, At: event.Created.UTC()}}, nil
}

// ReferenceOf finds the reference of the order that an event is about, or of the order of
// the reward. How a reward's e-mail fares is not a payout's affair.
func (r *Rail) ReferenceOf(ctx context.Context, e payments.Event) (string, error) {
	id := e.RailID
	if e.Kind == "REWARDS.CANCELED" {
		var answer struct {
			Reward struct {
				OrderID string `json:"order_id"`
			} `json:"reward"`
		}
		if found, err := r.known(ctx, "/rewards/"+url.PathEscape(id), &answer); err != nil || !found {
			return "", err
		}
		id = answer.Reward.OrderID
	} else if !strings.HasPrefix(e.Kind, "ORDERS.") {
		return "", nil
	}
	if id == "" {
		return "", nil
	}
	var answer struct {
		Order order `json:"order"`
	}
	_, err := r.known(ctx, "/orders/"+url.PathEscape(id), &answer)
	return answer.Order.ExternalID, err
}

// known reads what an id of Tremendous's names, where there is such a thing.
func (r *Rail) known(ctx context.Context, path string, answer any) (bool, error) {
	err := r.call(ctx, http.MethodGet, path, nil, answer)
	var refused *payments.Error
	if errors.As(err, &refused) && refused.Code == "http-404" {
		return false, nil
	}
	return err == nil, err
}
