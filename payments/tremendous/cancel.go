package tremendous

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/guerdon/guerdon/payments"
)

// Cancel rejects an order that waits for approval, and cancels the reward of one that was carried
// out and that nobody has redeemed: its price comes back.
func (r *Rail) Cancel(ctx context.Context, railID string) (payments.Result, error) {
	made, err := r.orderOf(ctx, railID)
	if err != nil {
		return payments.Result{}, err
	}
	stands, err := made.result()
	if err != nil || stands.State == payments.Refused || stands.State == payments.Returned {
		return stands, err
	}
	path := "/orders/" + url.PathEscape(made.ID) + "/reject"
	if stands.State == payments.Paid {
		path = "/rewards/" + url.PathEscape(made.Rewards[0].ID) + "/cancel"
	}
	var answer struct{}
	if err := r.call(ctx, http.MethodPost, path, nil, &answer); err != nil {
		return payments.Result{}, err
	}
	if made, err = r.orderOf(ctx, railID); err != nil {
		return payments.Result{}, err
	}
	if stands, err = made.result(); err == nil && stands.State != payments.Refused && stands.State != payments.Returned {
		return payments.Result{}, alarm("not-cancelled", "Tremendous said that it cancelled the order, and has it as before")
	}
	return stands, err
}

// orderOf reads an order by Tremendous's own id.
func (r *Rail) orderOf(ctx context.Context, id string) (order, error) {
	if id == "" {
		return order{}, refuse("order-unknown", "without an order there is nothing to cancel")
	}
	var answer struct {
		Order order `json:"order"`
	}
	err := r.call(ctx, http.MethodGet, "/orders/"+url.PathEscape(id), nil, &answer)
	var said *payments.Error
	switch {
	case errors.As(err, &said) && said.Code == "http-404":
		return order{}, refuse("order-unknown", "Tremendous does not know this order")
	case err != nil:
		return order{}, err
	case answer.Order.ID != "" && answer.Order.ID != id: // what has no id is no order, as its result says
		return order{}, alarm("order-differs", "Tremendous answered with an order other than the one asked for")
	}
	return answer.Order, nil
}
